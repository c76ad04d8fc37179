"""One labelling job: article files in, labelled files out, with totals."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from naba.config import LabelConfig
from naba.corpus.files import article_files
from naba.corpus.readers import Rejected, read_articles
from naba.errors import DataError
from naba.labelling.labeller import LabelledArticle, Labeller
from naba.labelling.writer import Written, output_files, write_labelled_articles
from naba.progress import SILENT, Progress


def label_paths(
    paths: Sequence[Path], out: Path, config: LabelConfig, *, overwrite: bool = False, progress: Progress = SILENT
) -> Written:
    """Label all articles of `paths` into `out` (see `naba.labelling.writer`).

    Raises:
        DataError: a path that cannot be used, or an output that cannot be written, or that is there already and not to
            be overwritten. CheckpointError: no such model.
    """
    article_files(paths)  # a mistyped path is told before the model is loaded
    for file in output_files(out)[0]:
        if file.exists() and not overwrite:
            raise DataError(f"{file}: is there already; choose another --out, or pass --overwrite to replace it")
    labeller = Labeller.load(config.model, device=config.device, batch_size=config.batch_size)
    articles = labeller.label_articles(read_articles(paths, config.read), max_words=config.read.max_words)

    def watched() -> Iterator[LabelledArticle | Rejected]:
        with progress.task("labelling", None, "segments") as advance:
            for item in articles:
                advance(len(item.segments) if isinstance(item, LabelledArticle) else 0, "")
                yield item

    return write_labelled_articles(watched(), out, labeller.schema)
