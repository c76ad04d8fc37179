"""Files damaged at random: no traceback, and the same records every time, also after a stop."""

import gzip
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from naba.config import ReadConfig
from naba.corpus.readers import Rejected, read_records
from tests.corpus.archive_files import BODY, chunked, html, http, packed, parquet, records, warc_record, zip_file

_PAGES = (
    warc_record(http(html())),
    warc_record(http(gzip.compress(html()), {"Content-Type": "text/html", "Content-Encoding": "gzip"}), number=2),
    warc_record(http(chunked(html()), {"Content-Type": "text/html", "Transfer-Encoding": "chunked"}), number=3),
)
_TABLE = records(*(f"{BODY} {number}" for number in range(5)))


def _zip() -> bytes:
    files = {
        "أ.txt": BODY.encode(),
        "b.jsonl": _TABLE,
        "c.html": html(),
        "d.warc.gz": packed(*_PAGES),
        "e.parquet": parquet(BODY),
    }
    with tempfile.TemporaryDirectory() as folder:
        return zip_file(Path(folder) / "x.zip", files).read_bytes()


FILES = {
    ".txt": BODY.encode(),
    ".txt.gz": gzip.compress(BODY.encode()),
    ".html": html(),
    ".jsonl": _TABLE,
    ".jsonl.gz": gzip.compress(_TABLE),
    ".csv": f"text,title\n{BODY},عنوان\n{BODY},عنوان\n".encode(),
    ".parquet": parquet(BODY, BODY),
    ".warc": b"".join(_PAGES),
    ".warc.gz": packed(*_PAGES),
    ".zip": _zip(),
}


def damaged(data: bytes, cut: float, places: list[tuple[float, int]], wipe: tuple[float, int], where: float) -> bytes:
    """Bytes replaced, a run taken out, and the end cut off, with places as shares of the length."""
    new = bytearray(data)
    for place, value in places:
        new[int(place * (len(new) - 1))] = value
    start = int(wipe[0] * len(new))
    run = new[start : start + wipe[1]]
    del new[start : start + wipe[1]]
    at = int(where * len(new))
    new[at:at] = run
    return bytes(new[: len(new) - int(cut * len(new))])


_SHARE = st.floats(0, 1)


@pytest.mark.parametrize("ending", FILES)
@settings(max_examples=40)
@given(
    cut=st.just(0.0) | _SHARE,
    places=st.lists(st.tuples(_SHARE, st.integers(0, 255)), max_size=4),
    wipe=st.tuples(_SHARE, st.integers(0, 60)),
    where=_SHARE,
    skip=st.integers(0, 8),
)
def test_damaged_file_gives_reasons_and_the_same_records_every_time(
    ending: str, cut: float, places: list[tuple[float, int]], wipe: tuple[float, int], where: float, skip: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x{ending}"
        path.write_bytes(damaged(FILES[ending], cut, places, wipe, where))
        found = list(read_records("x", path, ReadConfig()))
        assert list(read_records("x", path, ReadConfig(), skip)) == found[skip:]
    for item in (item for record in found for item in record):
        # What is told can be written down.
        json.dumps(item.to_dict() if isinstance(item, Rejected) else [item.id, item.text], ensure_ascii=False).encode()
        assert not isinstance(item, Rejected) or item.path.startswith(str(path))
