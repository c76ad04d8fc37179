import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoTokenizer

from naba.config import ArticleSource
from naba.errors import DataError
from naba.pretraining import packing
from naba.pretraining.config import PretrainConfig
from naba.pretraining.held_out import HeldOutSegments
from naba.pretraining.packing import Packed, is_validation, open_packed
from naba.pretraining.packing import pack as write
from naba.text import normaliser
from tests.pretraining.conftest import sentence

Write = Callable[[str, list[dict[str, Any]]], Path]


@pytest.fixture
def tokenizer(tiny_encoder: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny_encoder)


def pack(config: PretrainConfig, tokenizer: Any, folder: Path) -> Packed:
    held_out = HeldOutSegments.read(config.held_out, config.overlap_words, config.overlap_share)
    write(config, tokenizer, held_out, folder)
    return open_packed(tokenizer, folder)


def changed(config: PretrainConfig, **values: Any) -> PretrainConfig:
    return config.model_copy(update=values)


def split(tokens: Any, separator: int) -> list[list[int]]:
    rows: list[list[int]] = [[]]
    for token in tokens.tolist():
        if token == separator:
            rows.append([])
        else:
            rows[-1].append(token)
    assert rows.pop() == []
    return rows


def test_every_token_of_every_article_is_packed_once(
    pretraining: PretrainConfig, tokenizer: Any, articles: Path, tmp_path: Path
) -> None:
    packed = pack(pretraining, tokenizer, tmp_path / "tokens")
    wanted: dict[bool, list[list[int]]] = {True: [], False: []}
    for number in range(80):
        text = " ".join(sentence(3 * number + line) for line in range(3))
        ids = tokenizer(normaliser("standard-1")(text), add_special_tokens=False)["input_ids"]
        wanted[is_validation(text, 0.2)].append(ids)
    assert split(packed.training, tokenizer.sep_token_id) == wanted[False]
    assert split(packed.validation, tokenizer.sep_token_id) == wanted[True]
    assert packed.training.dtype == np.uint16
    assert packed.counts["articles"] == {"training": len(wanted[False]), "validation": len(wanted[True])}
    assert packed.counts["tokens"] == {"training": len(packed.training), "validation": len(packed.validation)}
    assert packed.counts["read"] == 80


def test_batches_of_articles_change_nothing(
    pretraining: PretrainConfig, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pack(pretraining, tokenizer, tmp_path / "whole")
    monkeypatch.setattr(packing, "_RECORDS", 7)
    monkeypatch.setattr(packing, "_CHARACTERS", 900)
    parts = pack(pretraining, tokenizer, tmp_path / "parts")
    assert (whole.training == parts.training).all()
    assert whole.counts == parts.counts


def test_articles_with_held_out_segments_are_dropped_and_counted(
    pretraining: PretrainConfig, tokenizer: Any, write_rows: Write, tmp_path: Path
) -> None:
    # Sentence 30 stands in article 10; sentence 61, its last word changed, is a copy of one of article 20.
    copy = sentence(61).replace("بالضيوف", "بالوفد")
    held_out = write_rows("held_out.jsonl", [{"text": sentence(30).replace("أ", "ا")}, {"text": copy}])
    counts = pack(changed(pretraining, held_out=[held_out]), tokenizer, tmp_path / "tokens").counts
    assert counts["dropped"] == {"whole segment": 1, "runs of words": 1}
    assert counts["read"] == 80
    assert sum(counts["articles"].values()) == 78


def test_a_page_is_dropped_with_the_articles_embedded_in_it(
    pretraining: PretrainConfig, tokenizer: Any, root: Path, write_rows: Write, tmp_path: Path
) -> None:
    plain = changed(pretraining, articles=[*pretraining.articles, ArticleSource(path=root / "seeds")])
    everything = pack(plain, tokenizer, tmp_path / "all").counts
    page = sorted((root / "seeds").glob("*.txt"))[0].read_text(encoding="utf-8")
    held_out = write_rows("held_out.jsonl", [{"text": max(page.splitlines(), key=len)}])
    counts = pack(changed(plain, held_out=[held_out]), tokenizer, tmp_path / "tokens").counts
    assert counts["read"] == everything["read"] > 85  # the five seeds embed others
    assert counts["dropped"]["whole segment"] >= 1


def test_more_articles_move_none_to_the_other_side(
    pretraining: PretrainConfig, tokenizer: Any, write_rows: Write, tmp_path: Path
) -> None:
    before = pack(pretraining, tokenizer, tmp_path / "before")
    more = write_rows("a-first.jsonl", [{"text": f"خبر جديد رقم {number} عن الطقس في المدينة"} for number in range(30)])
    after = pack(
        changed(pretraining, articles=[ArticleSource(path=more), *pretraining.articles]), tokenizer, tmp_path / "after"
    )
    for part in ("training", "validation"):
        old, new = (split(getattr(packed, part), tokenizer.sep_token_id) for packed in (before, after))
        assert new[len(new) - len(old) :] == old


def test_labelled_or_unlabelled_segments_are_read_as_articles(
    pretraining: PretrainConfig, tokenizer: Any, root: Path, tmp_path: Path
) -> None:
    lines = (root / "data" / "authored.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    pool = tmp_path / "pool.jsonl"
    pool.write_text("".join(lines[:50]), encoding="utf-8")
    counts = pack(changed(pretraining, articles=[ArticleSource(path=pool)]), tokenizer, tmp_path / "tokens").counts
    assert counts["read"] == 50
    assert sum(counts["articles"].values()) == 50


def test_reading_cut_short_is_done_again_and_finished_reading_is_used(
    pretraining: PretrainConfig, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pack(pretraining, tokenizer, tmp_path / "whole")
    monkeypatch.setattr(packing, "_RECORDS", 30)

    def cut(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(packing, "_check", cut)
        with pytest.raises(KeyboardInterrupt):
            pack(pretraining, tokenizer, tmp_path / "tokens")
    assert (pack(pretraining, tokenizer, tmp_path / "tokens").training == whole.training).all()
    monkeypatch.setattr(packing, "_records", cut)
    assert (pack(pretraining, tokenizer, tmp_path / "tokens").training == whole.training).all()


def test_no_article_left_is_told(
    pretraining: PretrainConfig, tokenizer: Any, articles: Path, write_rows: Write, tmp_path: Path
) -> None:
    def packed(**values: Any) -> None:
        pack(changed(pretraining, **values), tokenizer, tmp_path / "tokens")

    with pytest.raises(DataError, match=r"no article to pretrain on.*files are empty"):
        packed(articles=[ArticleSource(path=write_rows("empty.jsonl", []))])
    with pytest.raises(DataError, match=r"no article to pretrain on.*2 set aside.*no text in field 'text'"):
        packed(articles=[ArticleSource(path=write_rows("other.jsonl", [{"body": "خبر"}] * 2))])
    with pytest.raises(DataError, match="no such file"):
        packed(articles=[ArticleSource(path=Path("none"))])
    rows = [json.loads(line) for line in articles.read_text(encoding="utf-8").splitlines()]
    with pytest.raises(DataError, match=r"no article is left.*80 dropped"):
        packed(held_out=[write_rows("all.jsonl", rows)])
    with pytest.raises(DataError, match="raise validation"):
        packed(validation=1e-9)


def test_full_disk_is_told(
    pretraining: PretrainConfig, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packing, "_write", full)
    with pytest.raises(DataError, match=r"No space left on device.*disk"):
        pack(pretraining, tokenizer, tmp_path / "tokens")
