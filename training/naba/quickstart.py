"""`naba quickstart`: the whole path on the data that ships, with its results on the screen.

Build a dataset from the authored segments, fine-tune the encoder, evaluate on the gold labels of the seed articles
beside the baselines and the shipped model, and label the seed articles.
"""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from naba.config import EvaluateConfig, LabelConfig, QuickstartConfig
from naba.dataset.build import build
from naba.dataset.labelled import load_labelled
from naba.evaluation.evaluate_run import evaluate_run
from naba.evaluation.report import systems_table, write_report
from naba.finetuning.train import train
from naba.labelling.job import label_paths
from naba.labelling.labeller import Labeller
from naba.paths import SHIPPED_MODEL, find
from naba.progress import Progress
from naba.records import LabelledSegment
from naba.schema import LabelSchema

_SHOWN_CHARACTERS = 160
_COLOURS = ("green", "red", "yellow", "cyan", "magenta")


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
    shipped = Labeller.load() if SHIPPED_MODEL.is_dir() else None
    labellers = {"this run": Labeller.load(config.train.out)}
    others = []
    if shipped and shipped.schema.fingerprint == schema.fingerprint:
        labellers["naba-news"] = shipped
        others = ["models/naba-news"]
    settings = EvaluateConfig(data=config.build.test, compare=others, baselines="fast", resamples=500)
    report = evaluate_run(config.train.out, settings, progress=progress)
    gold = load_labelled(config.build.test, schema)
    texts = [item.segment.text for item in gold]
    files = write_report(config.train.out, report)
    console.print(systems_table(report))
    console.print(f"    → {', '.join(map(str, files))}")

    console.print("[bold]4/4 label[/] the seed articles with the model just trained")
    totals = label_paths(
        config.articles,
        config.out,
        LabelConfig(model=str(config.train.out), formats=["jsonl", "csv"]),
        overwrite=True,
        progress=progress,
    )
    answers = {
        name: [answer.present for answer in labeller.label(texts, progress=progress)]
        for name, labeller in labellers.items()
    }
    console.print(labelled_table(gold, answers, schema))
    console.print(f"    {totals.articles} articles, {totals.segments} segments → {', '.join(map(str, totals.files))}")


def labelled_table(
    gold: Sequence[LabelledSegment], answers: Mapping[str, Sequence[Mapping[str, str]]], schema: LabelSchema
) -> Table:
    """Gold segments with what each model says of them: ✓ where every label is right, else the model's own labels.

    Args:
        gold: N segments with all topics judged.
        answers: model name → for each segment the present topics with their stances.
        schema: gives the order and the initials of the topics.
    """
    initials = topic_initials(schema)
    legend = ", ".join(f"{initial} {topic}" for topic, initial in initials.items())
    table = Table(title=f"The seed articles, segment by segment ({legend})", expand=True)
    table.add_column("segment", no_wrap=True, ratio=1, min_width=20)
    for name in ("gold", *answers):
        table.add_column(name, no_wrap=True)
    right = dict.fromkeys(answers, 0)
    previous = None
    for row, item in enumerate(gold):
        truth = {topic: str(label.stance) for topic, label in item.labels.items() if label.present}
        if item.segment.article_id != previous:
            table.add_section()
            previous = item.segment.article_id
            table.add_row(f"[bold]{escape(str(previous))}[/]")
        cells = []
        for name, said in answers.items():
            same = dict(said[row]) == truth
            right[name] += same
            cells.append("✓" if same else _labels(said[row], initials, schema))
        text = escape(" ".join(item.segment.text.split())[:_SHOWN_CHARACTERS])
        table.add_row(text, _labels(truth, initials, schema), *cells)
    table.caption = "every label right: " + "; ".join(f"{name} {count} of {len(gold)}" for name, count in right.items())
    return table


def topic_initials(schema: LabelSchema) -> dict[str, str]:
    """Topic id → its first letter, or its first letters where those of several topics are alike."""
    length = 1
    while len({topic[:length] for topic in schema.topic_ids}) < len(schema.topic_ids):
        length += 1
    return {topic: topic[:length].upper() for topic in schema.topic_ids}


def _labels(labels: Mapping[str, str], initials: Mapping[str, str], schema: LabelSchema) -> str:
    lines = []
    for topic, stance in labels.items():
        colour = _COLOURS[schema.stance_ids.index(stance) % len(_COLOURS)]
        lines.append(f"{initials[topic]} [{colour}]{stance}[/]")
    return "\n".join(lines) or "–"
