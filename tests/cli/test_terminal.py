import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from naba.cli.terminal import log_to_terminal
from naba.notice import NOTICE


@contextmanager
def bare_root(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The root logger as a command finds it, and what is written to standard error."""
    root, written = logging.getLogger(), io.StringIO()
    level, handlers = root.level, root.handlers[:]
    root.handlers[:] = []
    monkeypatch.setattr("sys.stderr", written)
    try:
        yield written
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def speak() -> None:
    logger = logging.getLogger("naba.finetuning.train")
    logger.info("reading")
    logger.log(NOTICE, "run: going on")
    logger.warning("run: %s", "little data")
    logging.getLogger("datasets.builder").warning("slow")


def test_warnings_and_news_are_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    with bare_root(monkeypatch) as written:
        log_to_terminal(verbose=False)
        speak()
    assert written.getvalue() == "naba: run: going on\nnaba: warning: run: little data\ndatasets: warning: slow\n"


def test_verbose_says_where_each_line_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    with bare_root(monkeypatch) as written:
        log_to_terminal(verbose=True)
        speak()
    assert written.getvalue().splitlines()[:3] == [
        "INFO naba.finetuning.train: reading",
        "NOTICE naba.finetuning.train: run: going on",
        "WARNING naba.finetuning.train: run: little data",
    ]
