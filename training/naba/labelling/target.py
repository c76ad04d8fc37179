"""What `--out` of a labelling job means: a folder of parts, or one file that they are joined to.

target = Target.of(Path("labelled.csv"), ["jsonl"])
target.folder                               # labelled.csv.parts
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from naba.errors import DataError
from naba.labelling.writer import FORMATS

REJECTED = "rejected.jsonl"
_NOT_WRITTEN = re.compile(
    r"\.(txt|json|ndjson|tsv|xlsx?|ods|gz|bz2|xz|zst|zip|html?|xml|md|ya?ml|pdf|docx|sql|db|sqlite|arrow|feather|orc|avro|pkl|pickle)"
)
"""Endings of files of other kinds: whoever names one does not want a folder."""


@dataclass(frozen=True)
class Target:
    """What `--out` means."""

    folder: Path
    """Where the parts are written."""
    file: Path | None
    """The one file that they are joined to; None where they stay."""
    formats: tuple[str, ...]
    rejected: Path

    @classmethod
    def of(cls, out: Path, formats: Sequence[str]) -> "Target":
        """A folder, or a file whose ending is that of a format.

        Raises DataError for the ending of another kind of file, or for a file of one kind where others are asked for.
        """
        if out.is_dir():
            return cls(out, None, tuple(formats), out / REJECTED)
        kind = out.suffix.lower().removeprefix(".")
        if kind in FORMATS:
            if tuple(formats) not in (("jsonl",), (kind,)):  # the former is the default: nobody asked for it
                raise DataError(
                    f"{out}: is a .{kind} file, but formats = [{', '.join(formats)}]; name a file of that kind, or a folder, as --out"
                )
            return cls(out.with_name(f"{out.name}.parts"), out, (kind,), out.with_name(f"{out.name}.{REJECTED}"))
        if _NOT_WRITTEN.fullmatch(out.suffix.lower()):
            raise DataError(
                f"{out}: naba writes {', '.join(f'.{kind}' for kind in FORMATS)}, or a folder; choose another --out"
            )
        return cls(out, None, tuple(formats), out / REJECTED)


def refuse_inputs(target: Target, given: Sequence[Path], files: Sequence[Path]) -> None:
    """Raises DataError where the output lies among the input: it would be read as articles, or replace them."""
    mine = target.file or target.folder
    written = {path.resolve() for path in (target.file, target.rejected, target.folder) if path is not None}
    for path in given:
        if path.is_dir() and target.folder.resolve().is_relative_to(path.resolve()):
            raise DataError(
                f"{mine}: lies in the input folder {path}, and would be read as articles; choose another --out"
            )
    for path in files:
        if written & {path.resolve(), *path.resolve().parents}:
            raise DataError(f"{mine}: holds the input {path}; choose another --out")
