"""Commands that make labelled data."""

from pathlib import Path
from typing import Annotated

import typer

from naba.cli.terminal import Bars, Overrides, quiet, show


def build(
    config: Annotated[Path, typer.Argument(help="Configuration, for example configs/build.yaml.")],
    set_: Overrides = None,
) -> None:
    """Build a dataset: articles, votes, labelled sets in; train, validation and test out, with a card and a manifest."""
    quiet()
    from naba.config import BuildConfig, load_config
    from naba.dataset.build import build as build_dataset
    from naba.paths import find

    settings = load_config(BuildConfig, find(config), set_)
    model = None
    if settings.model:
        from naba.errors import ConfigError
        from naba.labelling.labeller import Labeller
        from naba.schema import LabelSchema

        labeller = Labeller.load(settings.model)
        schema = LabelSchema.load(find(settings.labels))
        if labeller.schema.fingerprint != schema.fingerprint:
            raise ConfigError(f"{settings.model}: trained for other topics or stances than {settings.labels}")
        model = labeller.label
    manifest = build_dataset(settings, model=model, progress=Bars())
    sizes = ", ".join(f"{count:,} {name}" for name, count in manifest["segments"].items() if count)
    show(f"{settings.out}: {sizes}")
    if weak := manifest["weak"]:
        show(f"  {weak:,} of the training segments were labelled by rules or models alone (weak)")
    if known := manifest["ledger"]["known"]:
        show(f"  the ledger placed {known:,} segments, {manifest['ledger']['new']:,} are new")
    if undated := manifest["unreadable_dates"]:
        show(f"  {undated:,} dates could not be read: they are null, and kept in provenance.unreadable_date")
    for reason, count in manifest["set_aside"].items():
        show(f"  set aside {count:,}: {reason}")
    if articles := manifest["articles"]:
        rejected = f", {articles['rejected']:,} could not be used (rejected.jsonl)" if articles["rejected"] else ""
        show(f"  {articles['read']:,} articles read{rejected}")
    near = manifest["near_duplicates"]
    if near["largest"]:
        sizes = ", ".join(str(cluster["articles"]) for cluster in near["largest"][:5])
        show(f"  {near['duplicate_ratio']:.1%} of the articles are near-duplicates; the largest clusters have {sizes}")
    if split := manifest["naive_split"]:
        naive, clustered = split["naive"]["pair_f1"], split["clustered"]["pair_f1"]
        show(
            f"  TF-IDF pair-F1 {clustered:.3f} with clusters kept whole; a naive random split would have said {naive:.3f}"
        )
    show(f"  card: {settings.out / 'README.md'}, manifest: {settings.out / 'manifest.json'}")
