"""Commands that make labelled data."""

from pathlib import Path
from typing import Annotated

import typer

from naba.cli.terminal import Overrides, console, show
from naba.errors import NabaError


def build(
    config: Annotated[Path, typer.Argument(help="Configuration, for example configs/build.yaml.")],
    set_: Overrides = None,
) -> None:
    """Build a dataset: labelled sets in; train, validation and test out, with a manifest."""
    from naba.config import BuildConfig, load_config
    from naba.corpus.build import build as build_dataset
    from naba.paths import find

    settings = load_config(BuildConfig, find(config), set_)
    manifest = build_dataset(settings)
    show(f"{settings.out}: " + ", ".join(f"{count:,} {name}" for name, count in manifest["segments"].items()))
    for reason, count in manifest["dropped"].items():
        if count:
            show(f"  dropped {count:,}: {reason.replace('_', ' ')}")


def agreement(
    data: Annotated[list[Path], typer.Argument(help="Labelled JSONL whose rows have several readings.")],
    disagreements: Annotated[
        Path | None, typer.Option(help="Write the segments whose readings differ, for adjudication.")
    ] = None,
    labels: Annotated[Path, typer.Option(help="The label schema.")] = Path("configs/labels.yaml"),
) -> None:
    """Measure how far readings of the same segments agree: kappa and alpha per topic, on presence and on stance."""
    from naba.corpus import agreement as module
    from naba.corpus.labelled import load_labelled
    from naba.jsonl import write_jsonl
    from naba.paths import find
    from naba.schema import LabelSchema

    schema = LabelSchema.load(find(labels))
    items = load_labelled(data, schema)
    twice = [item for item in items if len(module.readings_of(item)) > 1]
    if not twice:
        raise NabaError(f"{', '.join(map(str, data))}: no row has two 'readings'; see data/README.md for the format")
    rows = module.agreement([module.readings_of(item) for item in twice], schema)
    console().print(module.agreement_table(rows, len(twice)))
    if disagreements:
        count = write_jsonl(disagreements, module.disagreements(twice, schema))
        show(f"{count:,} segments whose readings differ: {disagreements}")
