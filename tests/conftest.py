"""Fixtures: schemas, a tiny encoder and tokenizer built on the spot, labelled segments. No network, no GPU."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from naba.records import LabelledSegment
from naba.schema import LabelSchema

# Tiny models gain nothing from a second thread, and on a busy machine threads that wait for each other take most of the
# time: 240 s in place of 9 for one small training. Before torch is imported, and for the commands that tests start.
os.environ["OMP_NUM_THREADS"] = "1"

# How long one example takes says nothing on a busy machine; times are measured in tests/benchmarks.
settings.register_profile("naba", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("naba")

Run = Callable[..., tuple[int, str, str]]
"""`naba ARGUMENTS` → exit code, output, errors."""

ROOT = Path(__file__).resolve().parents[1]

FOUR_TOPICS = {
    "name": "markets",
    "stances": [
        {"id": "optimistic", "name_ar": "متفائل", "name_en": "optimistic"},
        {"id": "pessimistic", "name_ar": "متشائم", "name_en": "pessimistic"},
    ],
    "topics": [
        {
            "id": topic,
            "name_ar": arabic,
            "name_en": topic,
            "definition": "test",
            "target": "test",
            "stances": {"optimistic": "rising", "pessimistic": "falling"},
        }
        for topic, arabic in {"oil": "نفط", "gold": "ذهب", "housing": "عقار", "labour": "عمل"}.items()
    ],
}


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def schema() -> LabelSchema:
    return LabelSchema.load(ROOT / "configs" / "labels.yaml")


@pytest.fixture(scope="session")
def markets() -> LabelSchema:
    """Another schema: four topics, two stances."""
    return LabelSchema.parse(FOUR_TOPICS, "test")


@pytest.fixture(scope="session")
def market_rows() -> list[dict[str, Any]]:
    """96 labelled rows of the markets schema whose words give topic and stance away."""
    rows = []
    for number in range(96):
        topic = FOUR_TOPICS["topics"][number % 4]  # type: ignore[index]
        up = number // 4 % 2 == 0
        verb = "ترتفع" if up else "تهبط"
        text = f"أسعار {topic['name_ar']} {verb} في السوق رقم {number} " + "اليوم " * (number % 5 + 1)
        labels = {t["id"]: {"present": t is topic, "stance": None} for t in FOUR_TOPICS["topics"]}  # type: ignore[attr-defined]
        labels[topic["id"]]["stance"] = "optimistic" if up else "pessimistic"
        rows.append({"text": text.strip(), "labels": labels})
    return rows


@pytest.fixture
def write_rows(tmp_path: Path) -> Callable[[str, list[dict[str, Any]]], Path]:
    """Write JSONL into the test's folder."""

    def write(name: str, rows: list[dict[str, Any]]) -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


@pytest.fixture
def naba(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run `naba ARGUMENTS` in the test's folder; gives exit code, output, errors."""
    from naba import cli

    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["naba", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as exit:
            code = int(exit.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def no_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in a folder named "closed" can be listed but not looked at, as where the right to enter it is missing."""
    stat = Path.stat

    def refused(path: Path, **options: bool) -> os.stat_result:
        if path.parent.name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refused)


@pytest.fixture
def labelled(schema: LabelSchema) -> Callable[..., LabelledSegment]:
    """Make a labelled segment: `labelled("text", diplomacy="support")`; topics not named are absent, None is unknown."""

    def make(text: str, cluster: str | None = None, **stances: str | None) -> LabelledSegment:
        labels = {
            topic: None
            if stances.get(topic, "absent") is None
            else {"present": topic in stances, "stance": stances.get(topic)}
            for topic in schema.topic_ids
        }
        return LabelledSegment.from_row({"text": text, "labels": labels, "cluster": cluster}, schema, "test")

    return make


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A randomly initialised two-layer BERT with a WordPiece tokenizer, saved as users' encoders are."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-encoder")
    corpus = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "seeds").glob("*.txt"))]
    corpus += ["أسعار نفط ذهب عقار عمل ترتفع تهبط في السوق رقم اليوم"] * 20
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(corpus, trainers.WordPieceTrainer(vocab_size=600, special_tokens=specials))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), specials, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=600,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_run(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short real training on authored segments with the tiny encoder: a complete run folder."""
    from naba.config import TrainConfig
    from naba.finetuning.train import train

    folder = tmp_path_factory.mktemp("tiny-run")
    lines = (ROOT / "data" / "authored.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "train.jsonl").write_text("".join(lines[:160]), encoding="utf-8")
    (folder / "validation.jsonl").write_text("".join(lines[160:240]), encoding="utf-8")
    config = TrainConfig(
        train=[folder / "train.jsonl"],
        validation=[folder / "validation.jsonl"],
        out=folder / "run",
        encoder=str(tiny_encoder),
        max_tokens=64,
        epochs=2,
        learning_rate=1e-3,
        device="cpu",
    )
    train(config)
    return folder / "run"
