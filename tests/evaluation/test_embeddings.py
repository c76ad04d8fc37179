import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from naba.errors import CheckpointError, ConfigError
from naba.evaluation.embeddings import E5_PREFIX, Embedder, EncoderSource, _prefix


@pytest.fixture
def source(tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> EncoderSource:
    # Exact arithmetic, so that values can be compared.
    monkeypatch.setattr("naba.evaluation.embeddings.pick_precision", lambda wanted, device: "float32")
    return EncoderSource(str(tiny_encoder), max_tokens=16, device="cpu")


def test_vectors_have_length_one_and_come_in_order_whatever_the_batch(source: EncoderSource) -> None:
    texts = ["غارة على المدينة", "هدنة", "قال الوزير إن المحادثات مستمرة", "هدنة"]
    embedder = Embedder.load(source)
    together = embedder.embed(texts)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-3)
    assert (together[1] == together[3]).all()
    alone = Embedder.load(source).embed(texts[2:3])
    assert np.allclose(together[2], alone[0], atol=2e-3)  # float16
    assert embedder.embed([]).shape == (0, 32)


def test_padding_takes_no_part_in_the_mean(source: EncoderSource) -> None:
    embedder = Embedder.load(source)
    ids = embedder._tokenizer("هدنة في غزة")["input_ids"]
    with torch.inference_mode():
        states = embedder._backbone(input_ids=torch.tensor([ids])).last_hidden_state[0]
    mean = states.mean(dim=0).numpy()
    assert np.allclose(embedder.embed(["هدنة في غزة"])[0], mean / np.linalg.norm(mean), atol=2e-3)


def test_long_text_is_read_whole(source: EncoderSource) -> None:
    embedder = Embedder.load(source)
    start, end = "هدنة " * 40, "غارة " * 40
    same_start = embedder.embed([start, start + end])
    assert not np.allclose(same_start[0], same_start[1], atol=1e-2)


def test_text_is_run_once_and_kept_for_the_next_run(
    source: EncoderSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = replace(source, cache=tmp_path / "kept")
    first = Embedder.load(source).embed(["هدنة", "غارة"])
    [file] = (tmp_path / "kept").iterdir()
    assert "هدنة".encode() not in file.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(Embedder, "_run", _never)
        again = Embedder.load(source).embed(["غارة", "هدنة"])
    assert (again[::-1] == first).all()
    Embedder.load(source).embed(["معبر"])  # joins them
    with monkeypatch.context() as patch:
        patch.setattr(Embedder, "_run", _never)
        Embedder.load(source).embed(["غارة", "هدنة", "معبر"])


@pytest.mark.parametrize("change", [{"max_tokens": 17}, {"prefix": "query: "}, {"normalisation": "arabert-v02-1"}])
def test_what_is_embedded_otherwise_is_kept_apart(
    source: EncoderSource, tmp_path: Path, change: dict[str, Any]
) -> None:
    for one in (source, replace(source, **change)):
        Embedder.load(replace(one, cache=tmp_path / "kept")).embed(["هدنة"])
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_broken_file_of_vectors_is_made_again(
    source: EncoderSource, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = replace(source, cache=tmp_path)
    first = Embedder.load(source).embed(["هدنة"])
    [file] = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:50])
    with caplog.at_level(logging.WARNING):
        assert (Embedder.load(source).embed(["هدنة"]) == first).all()
    assert "made again" in caplog.text


def test_folder_that_cannot_be_written_costs_no_result(
    source: EncoderSource, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING):
        assert Embedder.load(replace(source, cache=tmp_path / "file")).embed(["هدنة"]).shape == (1, 32)
    assert "not kept" in caplog.text


def test_encoder_without_numbers_is_told(source: EncoderSource) -> None:
    embedder = Embedder.load(source)
    with torch.no_grad():
        embedder._backbone.get_input_embeddings().weight.fill_(torch.nan)
    with pytest.raises(CheckpointError, match="no numbers"):
        embedder.embed(["هدنة"])


def test_what_cannot_be_loaded_is_told(source: EncoderSource, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such folder"):
        Embedder.load(replace(source, name=str(tmp_path / "none")))
    with pytest.raises(CheckpointError, match="reads at most 128 tokens"):
        Embedder.load(replace(source, max_tokens=500))
    with pytest.raises(ConfigError, match="normalisation"):
        Embedder.load(replace(source, normalisation="mine"))


@pytest.mark.parametrize(
    ("card", "prefix"),
    [
        ("---\nbase_model: intfloat/multilingual-e5-small\n---\n", E5_PREFIX),
        ("---\nbase_model:\n- intfloat/e5-base-v2\nlicense: mit\n---\n", E5_PREFIX),
        ("---\nbase_model: somebody/these5-things\n---\n", ""),
        ("---\nlicense: mit\n---\nAlso see intfloat/e5-base.\n", ""),
        ("---\nbase_model: [\n---\n", ""),
        ("No head at all.\n", ""),
        (None, ""),
    ],
)
def test_e5_is_known_by_the_base_model_of_its_card(tmp_path: Path, card: str | None, prefix: str) -> None:
    folder = tmp_path / "e5" / "encoder"  # what a folder is kept in says nothing
    folder.mkdir(parents=True)
    if card is not None:
        (folder / "README.md").write_text(card, encoding="utf-8")
    assert _prefix(str(folder)) == prefix


def test_e5_is_known_by_its_name_and_the_shipped_encoder_by_its_card(root: Path) -> None:
    assert _prefix("intfloat/multilingual-e5-base") == E5_PREFIX
    assert _prefix("aubmindlab/bert-base-arabertv02") == ""
    assert _prefix("models/naba-base") == E5_PREFIX


def _never(*arguments: Any) -> Any:
    raise AssertionError("the encoder was run again")
