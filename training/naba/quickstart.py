"""`naba quickstart`: the whole path on the data that ships, with its results on the screen.

Build a dataset from the authored segments, fine-tune the encoder, evaluate on the gold labels of the seed articles
beside the baselines and the shipped model, and label the seed articles.
"""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from naba.config import EvaluateConfig, LabelConfig, QuickstartConfig
from naba.corpus.build import build
from naba.corpus.labelled import load_labelled
from naba.evaluation.evaluate_run import evaluate_run
from naba.evaluation.report import systems_table, write_report
from naba.jsonl import read_jsonl
from naba.labelling.job import label_paths
from naba.paths import SHIPPED_MODEL, find
from naba.progress import Progress
from naba.records import LabelledSegment
from naba.schema import LabelSchema
from naba.train import train

_SHOWN_CHARACTERS = 160


def run_quickstart(config: QuickstartConfig, *, console: Console, progress: Progress) -> None:
    """Run all steps, each told with where its result lies. Replaces an earlier quickstart's results.

    Raises NabaError like the steps it runs.
    """
    schema = LabelSchema.load(find(config.build.labels))
    console.print("[bold]1/4 build[/] a dataset from the authored segments")
    manifest = build(config.build)
    sizes = ", ".join(f"{count:,} {name}" for name, count in manifest["segments"].items())
    console.print(f"    {sizes} segments → {config.build.out}")

    console.print(f"[bold]2/4 train[/]: fine-tune {config.train.encoder} (some minutes on two cores)")
    record = train(config.train, overwrite=True, progress=progress)
    console.print(f"    {record['seconds']:.0f} s → {config.train.out}")

    console.print("[bold]3/4 evaluate[/] on the gold labels of the seed articles, which training never saw")
    settings = EvaluateConfig(data=config.build.test, train=config.train.train)
    report = evaluate_run(config.train.out, settings, progress=progress)
    if SHIPPED_MODEL.is_dir() and config.build.labels == BUILT_IN_LABELS:
        shipped = evaluate_run(SHIPPED_MODEL, settings, progress=progress)
        report["systems"]["shipped"] = shipped["systems"]["model"]
    files = write_report(config.train.out, report)
    console.print(systems_table(report))
    console.print(f"    → {', '.join(map(str, files))}")

    console.print("[bold]4/4 label[/] the seed articles with the model just trained")
    totals = label_paths(config.articles, config.out, LabelConfig(model=str(config.train.out)), progress=progress)
    gold = {item.segment.id: item for item in load_labelled(config.build.test, schema)}
    console.print(labelled_table(config.out / "labelled.jsonl", gold, schema))
    console.print(f"    {totals.articles} articles, {totals.segments} segments → {', '.join(map(str, totals.files))}")


BUILT_IN_LABELS = Path("configs/labels.yaml")


def labelled_table(path: Path, gold: dict[str, LabelledSegment], schema: LabelSchema) -> Table:
    """Labelled JSONL as a table, one row a segment: text, what the model says, and the gold labels where they differ."""
    table = Table(expand=True)
    table.add_column("segment", no_wrap=True, ratio=1, min_width=20)
    table.add_column("the model says", no_wrap=True)
    table.add_column("gold, where it differs", no_wrap=True)
    right = total = 0
    for article in read_jsonl(path):
        table.add_section()
        table.add_row(
            f"[bold]{escape(article['id'])}[/] {article['date'] or 'no date'} {escape(article['source'] or '')}".strip(),
            "",
            "",
        )
        for segment in article["segments"]:
            said = {t: v for t, v in segment["topics"].items() if v["present"]}
            labels = [f"{topic} {_mark(v['stance'])} {v['probability']:.0%}" for topic, v in said.items()]
            cells = [_shorten(segment["text"]), "\n".join(labels) or "–", ""]
            if segment["id"] in gold:
                truth = {t: str(v.stance) for t, v in gold[segment["id"]].labels.items() if v.present}
                same = truth == {topic: v["stance"] for topic, v in said.items()}
                right, total = right + same, total + 1
                cells[2] = "" if same else "\n".join(f"{t} {_mark(s)}" for t, s in truth.items()) or "–"
            table.add_row(*cells)
    table.caption = f"{right} of {total} segments with every label right" if total else None
    return table


def _mark(stance: Any) -> str:
    colour = {"support": "green", "oppose": "red"}.get(stance, "yellow")
    return f"[{colour}]{stance}[/]"


def _shorten(text: str) -> str:
    """The head of a segment on one line; the table cuts it further where the terminal is narrow."""
    return escape(" ".join(text.split())[:_SHOWN_CHARACTERS])
