"""News of a run that everyone should read, and that is no warning: a log level between INFO and WARNING.

    logger.log(NOTICE, "%s: going on from checkpoint of step %d", out, step)

The command line shows it as a plain line; where naba is used as a library, it is told like INFO.
"""

import logging

NOTICE = 25
logging.addLevelName(NOTICE, "NOTICE")
