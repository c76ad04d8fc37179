"""The fields of a record as those of an article.

articles = articles_of(file, 3, {"text": "…", "date": "2024-03-22"}, ReadConfig())
"""

import logging
import re
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
from naba.text import plain_digits

logger = logging.getLogger(__name__)

_told: set[tuple[str, str]] = set()
"""Of which files this process has told what: once is enough, however often they are read."""
_DIGITS = re.compile(
    # A time of day may follow a day, and milliseconds or a fraction the ten digits of a second between 2001 and 2286.
    r"(?P<day>(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?:[T ]?\d{2}(?:\d{2}){0,2}(?:\.\d+)?Z?|\.0)?"
    r"|(?P<seconds>[1-9]\d{9})(?:\d{3})?(?:\.\d+)?"
)


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
    _tell_of_missing(record, columns, file.where, number)
    return page(
        _string(record.get(columns.id)) or f"{file.name}:{number}",
        words_of(text),
        config,
        title=_line(record.get(columns.title)),
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
            f"no column {config.columns.text!r} but {names[0][:60]!r}: its cells seem to be separated by {other!r}; in a CSV "
            f"pass --set 'read.delimiter=\"{'tab' if other == chr(9) else other}\"'"
        )
    raise DataError(
        f"no column {config.columns.text!r}; it has {', '.join(map(repr, names))}: set read.columns.text to one of them"
    )


def _tell_of_missing(record: Mapping[str, Any], columns: Columns, where: str, number: int) -> None:
    """A field that the user names and the file does not have is most likely mistyped; the usual ones may be absent."""
    for key, name in columns:
        if name != Columns.model_fields[key].default and name not in record and (where, key) not in _told:
            _told.add((where, key))
            logger.warning(
                "%s:%d: no field %r (read.columns.%s) but %s; of such records the first is told",
                where,
                number,
                name,
                key,
                ", ".join(map(repr, record)),
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
    """The day of 20240322, 202403221530 and 20240322T153000Z, and of seconds or milliseconds since 1970, in UTC."""
    found = _DIGITS.fullmatch(plain_digits(text))
    if found is None:
        return None
    if found["day"]:
        day = found["day"]
        return parse_date(f"{day[:4]}-{day[4:6]}-{day[6:]}")
    return datetime.fromtimestamp(int(found["seconds"]), UTC).date().isoformat()


def _source(value: Any) -> str | None:
    """An outlet; of one that has fields of its own, as in feeds, its name."""
    return _line(value.get("name") or value.get("title") if isinstance(value, Mapping) else value)


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


def _line(value: Any) -> str | None:
    """A short field; one with HTML as a line of its words."""
    text = _string(value)
    words = words_of(text) if text else None
    return text if words == text else " ".join((words or "").split()) or None


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
