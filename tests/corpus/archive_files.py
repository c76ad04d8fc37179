"""Archive files of sentences of our own, for the tests of what reads them."""

import gzip
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

BODY = "قال وزير الخارجية إن المحادثات مستمرة في القاهرة."


def html(title: str = "محادثات القاهرة", encoding: str = "utf-8") -> bytes:
    """A page with six paragraphs, a menu and a notice."""
    paragraphs = "".join(
        f"<p>{BODY} وأضاف أن الوفد رقم {i} سيصل خلال أيام لبحث بقية الملفات العالقة بين الجانبين.</p>" for i in range(6)
    )
    page = (
        f'<html lang="ar"><head><meta charset="{encoding}"><title>{title}</title>'
        '<meta property="article:published_time" content="2024-02-03T08:00:00Z"></head>'
        f"<body><nav><a href='/'>الرئيسية</a></nav><article><h1>{title}</h1>{paragraphs}</article>"
        "<footer>جميع الحقوق محفوظة</footer></body></html>"
    )
    return page.encode(encoding)


def http(body: bytes, fields: Mapping[str, str] | None = None, status: str = "200 OK") -> bytes:
    """A response; HTML where no fields are given."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in (fields or {"Content-Type": "text/html"}).items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def chunked(body: bytes, size: int = 700) -> bytes:
    """A body in chunks."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def warc_record(block: bytes, kind: str = "response", number: int = 1, **more: str) -> bytes:
    """A record whose id ends in `number`; `more` headers with _ for -, an empty one is left out."""
    headers = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:00000000-0000-0000-0000-{number:012}>",
        "WARC-Target-URI": f"http://news.example/{number}",
        "WARC-Date": "2025-09-09T00:00:00Z",
        "Content-Type": "application/http; msgtype=response",
        "Content-Length": str(len(block)),
    } | {name.replace("_", "-"): value for name, value in more.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
    return f"WARC/1.1\r\n{lines}\r\n".encode() + block + b"\r\n\r\n"


def packed(*records: bytes) -> bytes:
    """Each record as a gzip member of its own, as crawlers do."""
    return b"".join(gzip.compress(record, mtime=0) for record in records)


def zip_file(path: Path, files: Mapping[str, bytes | str]) -> Path:
    """A zip archive in the order given."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def records(*texts: str) -> bytes:
    """JSONL without ids."""
    return "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts).encode()


def parquet(*texts: str) -> bytes:
    """A Parquet file with the one column text."""
    import pyarrow
    import pyarrow.parquet

    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([{"text": text} for text in texts]), file)
    return file.getvalue()
