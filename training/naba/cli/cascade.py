"""`naba cascade`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from naba.cli.terminal import Bars, Overrides, default_config, quiet, show


def cascade(
    run: Annotated[str, typer.Argument(help="A run folder.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Labelled segments to fit and certify on; the run's own training files where not given."),
    ] = None,
    recall: Annotated[
        list[float] | None, typer.Option(help="Share of what has a topic that has to pass; may be repeated.")
    ] = None,
    unlabelled: Annotated[
        list[Path] | None,
        typer.Option(help="Article files of the kind to be labelled; the run labels some to learn from."),
    ] = None,
    corpus: Annotated[
        list[Path] | None, typer.Option(help="Article files for which the share that passes is told.")
    ] = None,
    validation: Annotated[
        list[Path] | None,
        typer.Option(help="Labelled segments to score on; the run's own validation files where not given."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="configs/cascade.yaml where not given.")] = None,
    set_: Overrides = None,
) -> None:
    """Make a cheap first stage for a run: it passes on only what may have a topic, with a certified recall."""
    quiet()
    from naba.cascade.config import CascadeConfig
    from naba.config import load_config

    given = {"data": data, "recalls": recall, "unlabelled": unlabelled, "corpus": corpus, "validation": validation}
    settings = load_config(
        CascadeConfig, default_config(config, "cascade"), set_, {key: value or None for key, value in given.items()}
    )
    from naba.cascade.make import make_cascade

    record = make_cascade(run, settings, progress=Bars())
    for line in told(record):
        show(line)
    show(
        f"{run}/cascade: {record['weights']['bytes'] / 2**20:.1f} MiB; label with it: --set cascade={settings.recalls[-1]}"
    )


def told(record: dict[str, Any]) -> list[str]:
    """What cascade.json says, in lines."""
    lines = []
    if record["segments"]["authored"]:
        lines.append(
            "certified on authored segments alone: of published news these recalls say nothing; name read segments with --data"
        )
    for recall, level in record["recalls"].items():
        wanted = f"{float(recall):.4g}"
        lines.append(f"recall {wanted}, one-sided {level['confidence']:.0%} confidence, for news as labelled:")
        for topic, found in level["topics"].items():
            said = f"  {topic}: {found['positives']:,} segments of {found['independent']:,} clusters"
            if found["threshold"] is None:
                said += (
                    f"; too few to certify {wanted}: {found['missing']:,} more are needed, until then everything passes"
                )
            else:
                said += f", recall {found['recall']:.4f}; of the clusters at least {found['bound']:.4f} pass whole"
            lines.append(said)
        for source, found in level.get("without_source", {}).items():
            lines.append(
                f"  made without {source}: recall of its {found['segments']:,} segments with a topic {found['recall']:.4f} "
                f"(made with it {found['recall_with_it']:.4f})"
            )
    for name, corpus in record["corpora"].items():
        shares = ", ".join(f"{share:.1%} at {recall}" for recall, share in corpus["passes"].items())
        kept = corpus.get("kept")
        lines.append(f"{name}: {corpus['segments']:,} segments; {shares} pass")
        if kept and None not in kept.values():
            of_them = ", ".join(f"{share:.1%} at {recall}" for recall, share in kept.items())
            lines.append(f"  the run finds a topic in {corpus['labelled']:.1%}; of these {of_them} pass")
    if scores := record["validation"]:
        lines.append(
            f"validation, {scores['segments']:,} segments: pair-F1 {scores['pair_f1']:.4f}, macro {scores['macro_pair_f1']:.4f}"
        )
        lines += [
            f"  behind the first stage at {recall}: {scores[recall]['pair_f1']:.4f}, macro {scores[recall]['macro_pair_f1']:.4f}; "
            f"{scores[recall]['passes']:.1%} pass, recall {scores[recall]['recall']}"
            for recall in record["recalls"]
        ]
    return lines
