import gzip
import io
import json
import os
import threading
from pathlib import Path

import pytest

from naba.config import ReadConfig
from naba.corpus.files import STDIN
from naba.corpus.readers import Rejected, read_articles, read_records
from naba.errors import DataError
from naba.records import Article
from tests.corpus.archive_files import BODY, records


def test_records_of_standard_input_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "stdin.jsonl").write_bytes(records(BODY, BODY + " أمس") + b"not json\n" + records(BODY))
    from_file = list(read_articles([tmp_path / "stdin.jsonl"], ReadConfig()))
    stream = io.BytesIO((tmp_path / "stdin.jsonl").read_bytes())
    given = list(read_articles([STDIN], ReadConfig(), stdin=stream))
    assert [str(item) for item in given if isinstance(item, Rejected)] == [
        "stdin:3: not JSON (Expecting value at column 1); each line must be one object"
    ]
    assert [item for item in given if isinstance(item, Article)] == [
        item for item in from_file if isinstance(item, Article)
    ]
    assert [item.id for item in given if isinstance(item, Article)] == ["stdin:1", "stdin:2", "stdin:4"]
    assert not stream.closed


def test_a_record_is_given_before_the_producer_writes_the_next() -> None:
    out, into = os.pipe()
    with os.fdopen(out, "rb") as stream, os.fdopen(into, "wb", buffering=0) as producer:
        articles = read_articles([STDIN], ReadConfig(), stdin=stream)
        found: list[Article | Rejected] = []
        for day in ("الأحد", "الاثنين"):
            producer.write(records(f"{BODY} {day}"))
            # Would wait for ever if more were read than was written.
            reader = threading.Thread(target=lambda: found.append(next(articles)), daemon=True)
            reader.start()
            reader.join(timeout=20)
            assert not reader.is_alive()
    assert [item.text.rpartition(" ")[2] for item in found if isinstance(item, Article)] == ["الأحد", "الاثنين"]


def test_last_line_without_its_end_is_read_and_empty_input_gives_nothing() -> None:
    assert len(list(read_articles([STDIN], ReadConfig(), stdin=io.BytesIO(records(BODY).strip())))) == 1
    assert list(read_articles([STDIN], ReadConfig(), stdin=io.BytesIO(b""))) == []


def test_gzip_on_standard_input_is_told_as_such() -> None:
    (item,) = read_articles([STDIN], ReadConfig(), stdin=io.BytesIO(gzip.compress(records(BODY))))
    assert "gzip, not JSONL; unpack it" in str(item)


def test_standard_input_is_refused_where_there_is_none() -> None:
    with pytest.raises(DataError, match="standard input"):
        list(read_articles([STDIN], ReadConfig()))
    ((item,),) = read_records("stdin", STDIN, ReadConfig())
    assert isinstance(item, Rejected)


def test_records_that_were_done_are_passed_over_without_being_parsed() -> None:
    stream = io.BytesIO(b"not json\n" * 3 + json.dumps({"text": BODY, "id": "n"}).encode())
    ((article,),) = read_records("stdin", STDIN, ReadConfig(), skip=3, stdin=stream)
    assert isinstance(article, Article)
    assert article.id == "n"
