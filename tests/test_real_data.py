"""Checks on real labelled segments and articles that do not ship; run by hand with `pytest -m external`.

They look for `data/real/` (train, validation and test JSONL) and `data/real-articles/` (JSONL of articles), and skip by
name where those are absent.
"""

from pathlib import Path

import pytest

from naba.config import ReadConfig
from naba.corpus.readers import Rejected, read_articles
from naba.corpus.segments import segment_article
from naba.dataset.labelled import load_labelled
from naba.schema import LabelSchema

pytestmark = pytest.mark.external


def test_real_labels_fit_the_schema(root: Path, schema: LabelSchema) -> None:
    folder = root / "data" / "real"
    if not folder.is_dir():
        pytest.skip("data/real/ is not here")
    for name in ("train", "validation", "test"):
        assert load_labelled([folder / f"{name}.jsonl"], schema)


def test_real_articles_give_segments_within_the_limit_at_their_offsets(root: Path) -> None:
    folder = root / "data" / "real-articles"
    if not folder.is_dir():
        pytest.skip("data/real-articles/ is not here")
    articles = rejected = 0
    for item in read_articles([folder], ReadConfig()):
        if isinstance(item, Rejected):
            rejected += 1
            continue
        articles += 1
        for segment in segment_article(item):
            assert len(segment.text.split()) <= 90
            assert segment.start is None or item.text[segment.start : segment.end] == segment.text
    assert articles > 100
    assert rejected <= articles // 100
