"""Zip archives as folders: each member is read like a file, in name order, without unpacking anything to disk.

    for member in members(file): ...       # article files, and what is rejected at once

Only Parquet, which cannot be read as a stream, goes through a temporary file that has no name.
"""

import io
import re
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import PurePosixPath
from typing import IO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from naba.corpus.article_file import ArticleFile
from naba.corpus.files import ENDINGS, ending, printable, stem
from naba.corpus.rejected import Rejected
from naba.errors import DataError

MAX_PARQUET_RATIO = 100
"""Parquet is packed by itself; what unpacks to more times its size in the archive is none, and not worth the disk."""

_UTF8_NAME, _ENCRYPTED = 0x800, 0x1
"""Bits of a member's flags (ZIP specification, 4.4.4)."""
_DRIVE = re.compile("[A-Za-z]:")


def members(file: ArticleFile) -> Iterator[ArticleFile | Rejected]:
    """The article files of a zip archive, and those members that would be articles but cannot be read.

    A member's name is that of the archive and its path in it, with its ending where others differ only there. Those of `__MACOSX` and hidden
    ones are left out, and so are files of other kinds.

    Raises DataError if it is no zip archive, or has no article file.
    """
    # Kept open to the end: its table of contents is read once.
    with file.raw() as raw, _opened(raw) as archive:
        found = [(path, info) for path, info in _paths(archive) if _kind(path) in ENDINGS]
        if not found:
            raise DataError(f"no article files in this archive; naba reads {', '.join(ENDINGS)}")
        last = {path: number for number, (path, _) in enumerate(found)}
        stems = Counter(_stem(path) for path in last)
        for number, (path, info) in enumerate(found):
            where = f"{file.where}/{path}"
            if reason := _refusal(path, info, replaced=last[path] != number):
                yield Rejected(where, reason)
            else:
                name = _stem(path) if stems[_stem(path)] == 1 else path
                yield ArticleFile(
                    f"{file.name}/{name}", where, _kind(path), partial(_open_member, archive, info), info.file_size
                )


@contextmanager
def _opened(raw: IO[bytes]) -> Iterator[ZipFile]:
    try:
        archive = ZipFile(raw)
    except (BadZipFile, ValueError, RuntimeError, OverflowError, struct.error) as error:
        raise DataError(f"not a zip archive that can be read ({error})") from None
    with archive:
        yield archive


def _paths(archive: ZipFile) -> list[tuple[str, ZipInfo]]:
    """Members that are files, each with its path in the archive, in the order in which a folder is read."""
    named = [(_path(info), info) for info in archive.infolist() if not info.is_dir()]
    seen = [(path, info) for path, info in named if not _hidden(path)]
    return sorted(seen, key=lambda item: item[0].split("/"))


def _path(info: ZipInfo) -> str:
    name = info.filename
    if not info.flag_bits & _UTF8_NAME:
        # macOS writes UTF-8 without saying so.
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return "/".join(printable(part) for part in re.split(r"[/\\]", name) if part not in ("", "."))


def _hidden(path: str) -> bool:
    parts = path.split("/")
    return "__MACOSX" in parts or any(part.startswith(".") and part != ".." for part in parts)


def _kind(path: str) -> str:
    return ending(PurePosixPath(path))


def _stem(path: str) -> str:
    return stem(PurePosixPath(path))


def _refusal(path: str, info: ZipInfo, *, replaced: bool) -> str | None:
    """Why a member is not read; None where it can be."""
    if ".." in path.split("/") or _DRIVE.match(path):
        return "its name leads out of the archive; pack it anew with plain names"
    if replaced:
        return "the archive has a later member of the same name, which is read in its place"
    if _kind(path) == ".zip":
        return "an archive in an archive; unpack the outer one"
    if info.flag_bits & _ENCRYPTED:
        return "encrypted; unpack it with its password"
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return "compressed in a way that cannot be read piece by piece; pack it anew as an ordinary zip (deflate)"
    if _kind(path) == ".parquet" and info.file_size > MAX_PARQUET_RATIO * info.compress_size:
        return f"unpacks to more than {MAX_PARQUET_RATIO} times its size, which no Parquet file does"
    return None


def _open_member(archive: ZipFile, info: ZipInfo) -> IO[bytes]:
    try:
        return io.BufferedReader(cast(io.RawIOBase, archive.open(info)), 1 << 16)
    except (ValueError, RuntimeError, OverflowError, struct.error) as error:
        raise DataError(f"cannot be read ({error})") from None
