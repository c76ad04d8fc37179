"""Labelled articles on disk: JSONL with one article a line, CSV with one row a segment and topic, and what was set aside.

Each file is written as NAME.partial and renamed when it is whole; after an interruption the partial file stays.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import IO, Any

from naba.corpus.readers import Rejected
from naba.errors import DataError
from naba.jsonl import dumps
from naba.labelling.labeller import LabelledArticle
from naba.schema import LabelSchema

SHOWN = 20
"""How many rejected inputs a job's totals name one by one; all stand in rejected.jsonl."""


@dataclass
class Written:
    """What a labelling job wrote."""

    files: list[Path]
    rejected_file: Path
    articles: int = 0
    segments: int = 0
    rejected: int = 0
    first_rejected: list[Rejected] = field(default_factory=list)
    """The first SHOWN of them."""


def article_row(labelled: LabelledArticle) -> dict[str, Any]:
    """A labelled article as one JSON object."""
    article = labelled.article
    row: dict[str, Any] = {
        "id": article.id,
        "title": article.title,
        "date": article.date,
        "source": article.source,
        "url": article.url,
    }
    if article.parent_id:
        row["parent_id"] = article.parent_id
    if article.keywords:
        row["keywords"] = list(article.keywords)
    row["segments"] = []
    for segment, prediction in labelled.segments:
        answer = prediction.to_dict()
        row["segments"].append(
            {"id": segment.id, "start": segment.start, "end": segment.end, "kind": segment.kind, "text": segment.text}
            | {key: value for key, value in answer.items() if key != "text"}
        )
    row["summary"] = summary(labelled)
    return row


def summary(labelled: LabelledArticle) -> dict[str, Any]:
    """Per topic that any segment has: how many segments, their share, and how many of each stance. Stances are not netted."""
    counts: dict[str, Counter[str]] = {}
    for _, prediction in labelled.segments:
        for topic, stance in prediction.present.items():
            counts.setdefault(topic, Counter())[stance] += 1
    total = len(labelled.segments)
    return {
        topic: {"segments": stances.total(), "share": round(stances.total() / total, 4), "stances": dict(stances)}
        for topic, stances in counts.items()
    }


def output_files(out: Path) -> tuple[list[Path], Path]:
    """The files that `--out` means, and the one for rejected input.

    Raises DataError for the ending of a kind of file that is not written.
    """
    if out.suffix in (".jsonl", ".csv"):
        return [out], out.with_suffix(".rejected.jsonl")
    if out.suffix in (".txt", ".json", ".ndjson", ".tsv", ".xlsx", ".parquet", ".gz", ".html") and not out.is_dir():
        raise DataError(f"{out}: naba writes .jsonl and .csv, or a folder with both; choose another --out")
    return [out / "labelled.jsonl", out / "labelled.csv"], out / "rejected.jsonl"


def csv_columns(schema: LabelSchema) -> list[str]:
    """Columns of the flat form."""
    fixed = ["article_id", "parent_id", "title", "date", "source", "url", "segment_id", "start", "end", "kind", "text"]
    return [*fixed, "topic", "present", "probability", "stance", *(f"p_{stance}" for stance in schema.stance_ids)]


def csv_rows(labelled: LabelledArticle) -> Iterator[dict[str, Any]]:
    """One row a segment and topic."""
    article = labelled.article
    for segment, prediction in labelled.segments:
        for topic, answer in prediction.topics.items():
            yield {
                "article_id": article.id,
                "parent_id": article.parent_id,
                "url": article.url,
                "title": article.title,
                "date": article.date,
                "source": article.source,
                "segment_id": segment.id,
                "start": segment.start,
                "end": segment.end,
                "kind": segment.kind,
                "text": segment.text,
                "topic": topic,
                "present": int(answer.present),
                "probability": round(answer.probability, 4),
                "stance": answer.stance,
            } | {f"p_{stance}": round(value, 4) for stance, value in answer.stance_probability.items()}


def write_labelled_articles(items: Iterable[LabelledArticle | Rejected], out: Path, schema: LabelSchema) -> Written:
    """Write a stream as it comes; returns the totals.

    Args:
        items: from `Labeller.label_articles`.
        out: a .jsonl or .csv file, or a folder that gets labelled.jsonl, labelled.csv and rejected.jsonl.
        schema: the model's.

    Raises DataError when nothing can be written there.
    """
    files, rejected_file = output_files(out)
    totals = Written(files, rejected_file)
    with ExitStack() as stack:
        open_files = {file.suffix: stack.enter_context(_partial(file)) for file in files}
        rejects = stack.enter_context(_partial(rejected_file))
        table = None
        if ".csv" in open_files:
            open_files[".csv"].write("\ufeff")
            table = csv.DictWriter(open_files[".csv"], csv_columns(schema), lineterminator="\n")
            table.writeheader()
        for item in items:
            if isinstance(item, Rejected):
                rejects.write(dumps(item.to_dict()) + "\n")
                totals.rejected += 1
                if totals.rejected <= SHOWN:
                    totals.first_rejected.append(item)
            else:
                if ".jsonl" in open_files:
                    open_files[".jsonl"].write(dumps(article_row(item)) + "\n")
                if table:
                    table.writerows(csv_rows(item))
                totals.articles += 1
                totals.segments += len(item.segments)
    if not totals.rejected:
        rejected_file.unlink()
    return totals


@contextmanager
def _partial(path: Path) -> Iterator[IO[str]]:
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if partial.exists() and _holds_results(partial):  # what an interrupted job had done is never overwritten
            partial.replace(_unused(partial))
        with partial.open("w", encoding="utf-8", newline="") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        done = f"what was done stays in {partial.name}" if _is_file(partial) else "choose another --out"
        raise DataError(f"{path}: cannot be written ({error.strerror or error}); {done}") from None


def _unused(path: Path) -> Path:
    """`path` with the first number behind it that is free."""
    return next(free for n in count(1) if not (free := path.with_name(f"{path.name}.{n}")).exists())


def _holds_results(partial: Path) -> bool:
    """Whether a partial file holds more than the head of a table."""
    with partial.open("rb") as lines:
        return sum(1 for _ in islice(lines, 2)) > (1 if ".csv" in partial.suffixes else 0)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False
