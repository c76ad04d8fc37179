"""Labels in a child process per line of standard input, so that a test can kill it again and again without starting Python anew.

Prints the child's process id; the child loads the model itself, as a command does.
"""

import os
import sys
from pathlib import Path

from naba.config import LabelConfig
from naba.labelling.job import label_paths


def main() -> None:
    articles, run = map(Path, sys.argv[1:])
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            out = Path(line.strip())
            formats = ["jsonl"] if out.suffix else ["jsonl", "csv"]
            label_paths(
                [articles], out, LabelConfig.model_validate({"model": str(run), "shard": 20, "formats": formats})
            )
            os._exit(0)
        print(child, flush=True)  # noqa: T201
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


main()
