"""`python -m naba …` is `naba …`; needed by `accelerate launch -m naba train …`."""

from naba.cli import main

main()
