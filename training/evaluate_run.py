"""`python training/evaluate_run.py RUN …` is `naba evaluate RUN …`, for machines without an installation."""

import sys

from naba.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["evaluate"]
    main()
