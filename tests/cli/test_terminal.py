import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from naba.cli import terminal
from naba.cli.terminal import Bars, log_to_terminal
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


def test_log_without_a_terminal_gets_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    ticks = iter([0.0, 1.0, 30.0, 60.0, 90.0, 120.0, 180.0])
    monkeypatch.setattr(terminal, "clock", lambda: next(ticks))
    with Bars().task("labelling", 104_000, "records") as advance:
        advance(100_000, "")  # done by an earlier start
        for done in (500, 500, 500, 500, 3000):
            advance(done, "230 segments/s")
    assert capsys.readouterr().err.splitlines() == [
        "naba: labelling: 101,000 of 104,000 records, 0:03:00 left, 230 segments/s",
        "naba: labelling: 102,000 of 104,000 records, 0:02:00 left, 230 segments/s",
        "naba: labelling: 105,000 of 104,000 records, 0:00:00 left, 230 segments/s",
    ]
