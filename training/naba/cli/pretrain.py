"""The command that pretrains an encoder on article files."""

from pathlib import Path
from typing import Annotated

import typer

from naba.cli.launched import bars, is_first, one_voice
from naba.cli.terminal import Overrides, Overwrite, quiet, show


def pretrain(
    config: Annotated[Path, typer.Argument(help="Configuration, for example configs/pretrain.yaml.")],
    overwrite: Overwrite = False,
    set_: Overrides = None,
) -> None:
    """Have an encoder read article files; an interrupted run goes on when started again."""
    from naba.config import load_config
    from naba.paths import find
    from naba.pretraining.config import PretrainConfig

    with one_voice():
        settings = load_config(PretrainConfig, find(config), set_)
        from naba.finetuning.run_folder import check_free
        from naba.pretraining.folder import PRETRAINING, check_inputs

        check_inputs(settings)
        check_free(settings.out, overwrite=overwrite, kind=PRETRAINING)
        quiet()  # only now: it takes seconds, and so does what follows
        from naba.pretraining.pretrain import pretrain as run

        record = run(settings, overwrite=overwrite, progress=bars())
    if is_first():
        articles, measured = record["articles"], record["held_out"]
        dropped = sum(articles["dropped"].values())
        show(
            f"{settings.out}: held-out perplexity {measured['before']['perplexity']:.2f} → {measured['after']['perplexity']:.2f}; "
            f"articles: {articles['articles']['training']:,} read, {articles['articles']['validation']:,} held out, "
            f"{dropped:,} dropped for held-out segments, {articles['set_aside']:,} set aside; {record['seconds']:.0f} s"
        )
