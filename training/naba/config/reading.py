"""How articles are read and cut into segments."""

from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from naba.config.base import Config


class Columns(Config):
    """Which field of a JSONL, CSV or Parquet record holds what. A missing optional field is no error."""

    text: str = "text"
    """Of the article's text."""
    id: str = "id"
    """Of an id that the articles are known by; made of file and place where there is none."""
    title: str = "title"
    """Of the headline."""
    date: str = "date"
    """Of the day of publication."""
    source: str = "source"
    """Of the outlet."""
    url: str = "url"
    """Of the address."""
    keywords: str = "keywords"
    """Of a list of keywords."""


class ReadConfig(Config):
    """How articles are read and cut into segments."""

    columns: Columns = Columns()
    encoding: str = "utf-8"
    """Of the files' text."""
    delimiter: str = Field(",", min_length=1, max_length=1)
    """Between the cells of a CSV; a tab may be called tab."""
    max_words: int = Field(90, ge=5, le=1000)
    """Longest segment, in words."""
    min_arabic: float = Field(0.5, ge=0, le=1)
    """Least share of Arabic letters among an article's letters; below it the article is set aside."""
    max_characters: int = Field(5_000_000, ge=1000)
    """Longest article, in characters; a longer one is set aside."""

    @field_validator("delimiter", mode="before")
    @classmethod
    def _tab_by_name(cls, delimiter: Any) -> Any:
        return "\t" if delimiter in ("tab", "\\t") else delimiter

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            "".encode(encoding)
        except LookupError:
            raise ValueError("no such encoding; for example utf-8, utf-16 or cp1256") from None
        return encoding


class ArticleSource(Config):
    """Article files of one origin, to be cut into segments. A path alone stands for one with all defaults."""

    path: Path
    """A file, a folder or a pattern."""
    source: str | None = None
    """The outlet of all these articles; where not given, what each article states, else the file's name."""
    licence: str | None = None
    read: ReadConfig = ReadConfig()

    @model_validator(mode="before")
    @classmethod
    def _from_path(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str | Path) else value
