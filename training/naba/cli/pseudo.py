"""The command by which models label a pool of segments for a student."""

from pathlib import Path
from typing import Annotated, Any

import typer

from naba.cli.terminal import Bars, Overrides, Replace, console, quiet, show


def pseudo_label(
    teachers: Annotated[
        list[Path] | None, typer.Argument(help="Run folders; of several the mean counts.", show_default=False)
    ] = None,
    pool: Annotated[
        list[Path] | None, typer.Option(help="JSONL of segments, a text a row; may be repeated. Labels are ignored.")
    ] = None,
    articles: Annotated[
        list[Path] | None, typer.Option(help="Article files, to be cut into segments; may be repeated.")
    ] = None,
    held_out: Annotated[
        list[Path] | None, typer.Option(help="Validation and test JSONL: what overlaps them is dropped.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The JSONL file to write.")] = None,
    min_confidence: Annotated[
        float | None, typer.Option(help="Keep what is at least so sure on each topic; 0: all, for distillation.  [0.9]")
    ] = None,
    negatives: Annotated[
        float | None, typer.Option(help="Largest share of kept segments without a topic.  [0.5]")
    ] = None,
    count: Annotated[int | None, typer.Option(help="Most segments of each topic and stance, the surest.")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration with any of these keys, and others.")] = None,
    overwrite: Replace = False,
    set_: Overrides = None,
) -> None:
    """Label a pool by one or several runs and keep what they are sure of, with their probabilities, to train a student."""
    quiet()
    from naba.config import load_config
    from naba.distillation.pseudo_labels import PseudoLabelConfig, summary_path
    from naba.distillation.pseudo_labels import pseudo_label as label
    from naba.paths import find

    given: dict[str, Any] = {"teachers": teachers or None, "pool": pool or None, "articles": articles or None}
    given |= {"held_out": held_out or None, "out": out, "min_confidence": min_confidence}
    given |= {"negatives": negatives, "count": count}
    settings = load_config(PseudoLabelConfig, find(config) if config else None, set_, given)
    summary = label(settings, overwrite=overwrite, progress=Bars())
    console().print(_table(summary))
    show(f"{settings.out}: {summary['kept']:,} of {summary['pool']['segments']:,} segments kept")
    for reason, number in summary["not_kept"].items():
        show(f"  not kept {number:,}: {reason}")
    for line in _dropped(summary["pool"]):
        show(f"  {line}")
    if apart := summary["disagreement"]:
        topics = ", ".join(f"{topic} {share:.1%}" for topic, share in apart["topics"].items())
        show(f"  the teachers differ on {apart['segments']:.1%} of {apart['compared']:,} segments ({topics})")
    show(f"  summary: {summary_path(settings.out)}")


def _table(summary: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table("topic", "answer", "in the pool", "kept")
    rows = [(topic, answer, found) for topic, found in summary["classes"].items() for answer, found in found.items()]
    for topic, answer, found in [*rows, ("none", "", summary["without_topic"])]:
        table.add_row(topic, answer, f"{found['pool']:,}", f"{found['kept']:,}")
    return table


def _dropped(pool: dict[str, Any]) -> list[str]:
    """What was never put to the teachers."""
    said = {
        "held_out": "overlap a held-out segment",
        "article_held_out": "are of an article that has such a segment",
        "repeats": "repeat a text",
    }
    lines = [f"left out {pool[name]:,} that {why}" for name, why in said.items() if pool[name]]
    if pool["set_aside"]:
        lines.append(f"{pool['set_aside']:,} articles could not be used, the first of them {pool['first_set_aside']}")
    return lines
