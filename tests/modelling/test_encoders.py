"""Presets load, and every architecture and tokenizer family goes through training, evaluation and labelling."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from naba.config import EvaluateConfig, TrainConfig, load_config
from naba.evaluation.evaluate_run import evaluate_run
from naba.finetuning.train import train
from naba.labelling.labeller import Labeller
from naba.modelling import checkpoint as checkpoints
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.encode import pad
from naba.schema import LabelSchema
from naba.text import PRESETS
from tests.modelling.encoders import FAMILIES, READS

HEADS = ("attention", "plain")
TEXTS = ["قال الوزير", "غارة على غزة أمس, و 3 قتلى", "", "Reuters 🚨 قُتِلَ"]
FAST = [("bert-wordpiece", "attention"), ("xlm-roberta-unigram", "plain"), ("modernbert-bpe", "attention")]
"""One of each tokenizer family; the rest of the matrix is slow."""
POSITIONS = {
    "naba-base": 512,
    "arabert": 512,
    "camelbert": 512,
    "arbert": 512,
    "marbert": 512,
    "conflibert": 512,
    "xlm-r": 512,
    "mmbert": 8192,
}
"""Preset → tokens that its encoder reads, from the encoder's own card or config.json."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Models this small lose time to a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def fresh(folder: Path, schema: LabelSchema, head: str = "attention", max_tokens: int = READS) -> Checkpoint:
    torch.manual_seed(1)
    return checkpoints.from_encoder(
        str(folder), schema, normalisation="standard-1", head=head, max_tokens=max_tokens, dropout=0.1
    )


def logits(run: Checkpoint, texts: list[str] = TEXTS) -> torch.Tensor:
    batch = pad(run.tokenizer(texts)["input_ids"], run.tokenizer.pad_token_id)
    with torch.inference_mode():
        out = run.model.eval()(**batch)
    return torch.cat([out.topic.flatten(), out.stance.flatten()])


def matrix() -> list[object]:
    return [
        pytest.param(family, head, marks=[] if (family, head) in FAST else pytest.mark.slow)
        for family in FAMILIES
        for head in HEADS
    ]


@pytest.mark.parametrize("preset", POSITIONS)
def test_preset_is_a_whole_training_configuration(root: Path, preset: str) -> None:
    config = load_config(TrainConfig, root / "configs" / "encoders" / f"{preset}.yaml")
    assert config.normalisation in PRESETS
    assert config.max_tokens <= POSITIONS[preset]
    assert config.learning_rate <= (1e-4 if preset == "naba-base" else 5e-5)
    assert (root / config.labels).is_file()


def test_every_preset_is_tested_and_writes_to_a_folder_of_its_own(root: Path) -> None:
    files = sorted((root / "configs" / "encoders").glob("*.yaml"))
    assert {path.stem for path in files} == set(POSITIONS)
    configs = [load_config(TrainConfig, path) for path in files]
    assert len({config.out for config in configs}) == len({config.encoder for config in configs}) == len(files)


@pytest.mark.parametrize(("family", "head"), matrix())
def test_trains_is_evaluated_and_labels(
    encoder: Callable[[str], Path], tiny_run: Path, tmp_path: Path, family: str, head: str
) -> None:
    data = tiny_run.parent
    config = TrainConfig(
        train=[data / "train.jsonl"],
        validation=[data / "validation.jsonl"],
        out=tmp_path / "run",
        encoder=str(encoder(family)),
        head=head,
        max_tokens=READS,
        epochs=0.5,
        learning_rate=1e-3,
        device="cpu",
    )
    train(config)
    shutil.move(tmp_path / "run", tmp_path / "elsewhere")
    config = EvaluateConfig(
        data=[data / "validation.jsonl"], device="cpu", baselines="fast", resamples=200, allow_leak=True
    )
    report = evaluate_run(tmp_path / "elsewhere", config)
    assert report["segments"] == 80
    assert {"model", "tfidf", "majority"} <= set(report["systems"])
    answers = Labeller.load(tmp_path / "elsewhere", device="cpu").label([*TEXTS, "قصفت الطائرات المدينة " * 40])
    assert [answer.windows > 1 for answer in answers] == [False] * len(TEXTS) + [True]
    assert all(0 <= answer["diplomacy"].probability <= 1 for answer in answers)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("family", FAMILIES)
def test_reload_gives_identical_tokens_and_logits_also_from_another_folder(
    encoder: Callable[[str], Path], schema: LabelSchema, tmp_path: Path, family: str, head: str
) -> None:
    run = fresh(encoder(family), schema, head)
    checkpoints.save(run, tmp_path / "a")
    shutil.move(tmp_path / "a", tmp_path / "b")
    again = checkpoints.load(tmp_path / "b")
    assert run.tokenizer(TEXTS)["input_ids"] == again.tokenizer(TEXTS)["input_ids"]
    assert torch.equal(logits(run), logits(again))


@pytest.mark.parametrize("family", FAMILIES)
def test_half_precision_weights_do_not_drift_from_reload_to_reload(
    encoder: Callable[[str], Path], schema: LabelSchema, tmp_path: Path, family: str
) -> None:
    checkpoints.save(fresh(encoder(family), schema), tmp_path / "first", torch.float16)
    once = checkpoints.load(tmp_path / "first")
    checkpoints.save(once, tmp_path / "second", torch.float16)
    twice = checkpoints.load(tmp_path / "second")
    assert torch.equal(logits(once), logits(twice))
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("first", "second")]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("family", FAMILIES)
def test_segment_of_exactly_the_longest_length_is_read(
    encoder: Callable[[str], Path], schema: LabelSchema, family: str
) -> None:
    run = fresh(encoder(family), schema)
    text = "قال الوزير " * READS
    ids = run.tokenizer([text, "قال"], truncation=True, max_length=run.max_tokens)["input_ids"]
    assert len(ids[0]) == READS
    with torch.inference_mode():
        out = run.model.eval()(**pad(ids, run.tokenizer.pad_token_id))
    assert torch.isfinite(out.topic).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_padding_changes_no_score(encoder: Callable[[str], Path], schema: LabelSchema, family: str) -> None:
    run = fresh(encoder(family), schema)
    alone, beside = logits(run, ["قال الوزير"]), logits(run, ["قال الوزير", "غارة على غزة أمس " * 4])
    topics = len(schema.topic_ids)
    torch.testing.assert_close(alone[:topics], beside[:topics])


def test_pooler_stays_only_where_it_is_used(encoder: Callable[[str], Path], schema: LabelSchema) -> None:
    for family in FAMILIES:
        model = fresh(encoder(family), schema).model
        assert getattr(model.encoder, "pooler", None) is None, family
    plain = fresh(encoder("bert-wordpiece"), schema, "plain").model.classifier
    assert plain.bert.pooler is not None


def test_modernbert_neither_compiles_nor_asks_for_flash_attention(
    encoder: Callable[[str], Path], schema: LabelSchema, tmp_path: Path
) -> None:
    run = fresh(encoder("modernbert-bpe"), schema)
    checkpoints.save(run, tmp_path / "run")
    for model in (run.model, checkpoints.load(tmp_path / "run").model):
        assert model.config._attn_implementation in ("sdpa", "eager")
        assert not getattr(model.config, "reference_compile", False)
    assert "reference_compile" not in (tmp_path / "run" / "config.json").read_text()


def test_plain_heads_load_as_their_architecture_s_own_classifier(
    encoder: Callable[[str], Path], schema: LabelSchema, tmp_path: Path
) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    for family in FAMILIES:
        run = fresh(encoder(family), schema, "plain")
        checkpoints.save(run, tmp_path / family)
        model = AutoModelForSequenceClassification.from_pretrained(tmp_path / family).eval()
        tokenizer = AutoTokenizer.from_pretrained(tmp_path / family)
        batch = pad(tokenizer(TEXTS)["input_ids"], tokenizer.pad_token_id)
        with torch.inference_mode():
            topics = model(**batch).logits[:, : len(schema.topic_ids)]
        assert torch.equal(topics.flatten(), logits(run)[: topics.numel()]), family
