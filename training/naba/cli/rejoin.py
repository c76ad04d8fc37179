"""`naba rejoin`."""

from pathlib import Path
from typing import Annotated

import typer

from naba.cli.terminal import Bars, Overrides, Replace, default_config, quiet, say, show


def rejoin(
    labels: Annotated[Path, typer.Argument(help="JSONL of labels by the hash of their text.")],
    articles: Annotated[
        list[Path], typer.Option(help="Article files, archives, folders or patterns; may be repeated.")
    ],
    out: Annotated[Path, typer.Option(help="JSONL of labelled segments.")],
    schema: Annotated[Path, typer.Option(help="The topics and stances.")] = Path("configs/labels.yaml"),
    config: Annotated[Path | None, typer.Option(help="How to read; configs/label.yaml where not given.")] = None,
    overwrite: Replace = False,
    set_: Overrides = None,
) -> None:
    """Put texts back to labels that are known by their hash, from the articles that they were cut from."""
    from naba.config import LabelConfig, load_config
    from naba.errors import DataError
    from naba.paths import find
    from naba.schema import LabelSchema

    settings = load_config(LabelConfig, default_config(config, "label"), set_)
    if out.exists() and not overwrite:
        raise DataError(f"{out}: is there already; choose another --out, or pass --overwrite to replace it")
    quiet()
    from naba.dataset.labelled import write_labelled
    from naba.dataset.rejoin import rejoin as join

    found = join(find(labels), articles, settings.read, LabelSchema.load(find(schema)), progress=Bars())
    show(f"{out}: {write_labelled(out, found.segments):,} labelled segments")
    if found.missing:
        say(f"naba: {len(found.missing):,} labels without a text in these articles, the first is {found.missing[0]}")
