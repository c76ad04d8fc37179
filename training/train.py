"""`python training/train.py CONFIG …` is `naba train CONFIG …`, for machines without an installation."""

import sys

from naba.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["train"]
    main()
