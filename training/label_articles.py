"""`python training/label_articles.py PATHS … --out OUT` is `naba label PATHS … --out OUT`, without an installation."""

import sys

from naba.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["label"]
    main()
