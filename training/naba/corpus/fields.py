"""The fields of a record as those of an article.

articles = articles_of(file, 3, {"text": "…", "date": "2024-03-22"}, ReadConfig())
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from naba.config import ReadConfig
from naba.config.reading import Columns
from naba.corpus.article_file import ArticleFile
from naba.corpus.boilerplate import split_keywords
from naba.corpus.dates import parse_date
from naba.corpus.markup import words_of
from naba.corpus.pages import page
from naba.errors import DataError
from naba.records import Article

logger = logging.getLogger(__name__)

_told: set[tuple[str, str]] = set()
"""Of which files this process has told what: once is enough, however often they are read."""
_YAML_TAB = r'"\t"'
_EPOCH = range(10**8, 10**10)
"""Seconds since 1970 of the years 1973 to 2286: a smaller number is none."""


def articles_of(file: ArticleFile, number: int, record: Mapping[str, Any], config: ReadConfig) -> list[Article]:
    """The article of a record, and those embedded in its text.

    Args:
        file: where it stands.
        number: which record of the file it is, from 1.
        record: its fields.
        config: which field holds what.

    Raises DataError where there is no text that can be labelled.
    """
    columns = config.columns
    text = record.get(columns.text)
    if not isinstance(text, str):
        if columns.text in record:
            raise DataError(f"field {columns.text!r} {_instead(text)}")
        raise DataError(
            f"no text in field {columns.text!r}; the record has {', '.join(map(repr, record))}: set read.columns.text"
        )
    _tell_of_missing(record, columns, file.where)
    title = _string(record.get(columns.title))
    return page(
        _string(record.get(columns.id)) or f"{file.name}:{number}",
        words_of(text),
        config,
        title=words_of(title) if title else None,
        date=_date(record.get(columns.date), columns.date, file.where, number),
        source=_source(record.get(columns.source)),
        url=_string(record.get(columns.url)),
        keywords=_keywords(record.get(columns.keywords)),
    )


def need_text_column(names: Iterable[str], config: ReadConfig) -> None:
    """Raises DataError where a table has no column of texts."""
    names = list(names)
    if config.columns.text in names:
        return
    other = next((mark for mark in ";\t|" if len(names) == 1 and mark in names[0]), None)
    if other:
        raise DataError(
            f"no column {config.columns.text!r} but {names[0][:60]!r}: its cells seem to be separated by {other!r}; set "
            f"read.delimiter={_YAML_TAB if other == chr(9) else other!r}"
        )
    raise DataError(
        f"no column {config.columns.text!r}; it has {', '.join(map(repr, names))}: set read.columns.text to one of them"
    )


def _tell_of_missing(record: Mapping[str, Any], columns: Columns, where: str) -> None:
    """A field that the user names and the file does not have is most likely mistyped; the usual ones may be absent."""
    for key, name in columns:
        if name != Columns.model_fields[key].default and name not in record and (where, key) not in _told:
            _told.add((where, key))
            logger.warning(
                "%s: no field %r (read.columns.%s); it has %s", where, name, key, ", ".join(map(repr, record))
            )


def _date(value: Any, column: str, where: str, number: int) -> str | None:
    """The day as ISO; None for no date, and for one that is not understood, which is told once a file."""
    text = _string(value)
    day = (_of_digits(text) or parse_date(text)) if text else None
    if text and day is None and (where, "day") not in _told:
        _told.add((where, "day"))
        logger.warning(
            "%s:%d: %r in field %r is no date that is understood (such as 2024-03-22); articles with such dates have none",
            where,
            number,
            text[:40],
            column,
        )
    return day


def _of_digits(text: str) -> str | None:
    """The day of 20240322, and of seconds or milliseconds since 1970 (in UTC); None for anything else."""
    digits = text.removesuffix(".0")
    if not (digits.isascii() and digits.isdigit()):
        return None
    if len(digits) == 8:
        return parse_date(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}")
    seconds = int(digits) // 1000 if len(digits) > 11 else int(digits)
    return datetime.fromtimestamp(seconds, UTC).date().isoformat() if seconds in _EPOCH else None


def _source(value: Any) -> str | None:
    """An outlet; of one that has fields of its own, as in feeds, its name."""
    return _string(value.get("name") or value.get("title") if isinstance(value, Mapping) else value)


def _instead(value: Any) -> str:
    """What stands in a field in place of text, and what to do."""
    if value is None or value != value:
        return "is empty"
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "fields of its own"}
    return f"holds {kinds.get(type(value), type(value).__name__)}, not text; set read.columns.text to the field that holds it"


def _keywords(value: Any) -> tuple[str, ...]:
    """Keywords in one text or in a list; none where the field is neither."""
    if isinstance(value, str):
        return split_keywords(_string(value) or "")
    return tuple(filter(None, map(_string, value))) if isinstance(value, list) else ()


def _string(value: Any) -> str | None:
    """A field as text; None for an empty one and for the NaN that tables put in empty cells."""
    if value is None or value != value:
        return None
    text = str(value).strip()
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DataError("half a character (surrogate) in a field; the record is damaged") from None
    return text or None
