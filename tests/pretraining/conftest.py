"""Tiny encoders of every kind of tokenizer and head, and articles whose words follow one another by a rule."""

import gc
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from naba.pretraining.config import PretrainConfig

SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
_SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 66,
    "pad_token_id": 1,
}


def sentence(number: int) -> str:
    """A sentence of a small world, in which the city tells the ministry and the day."""
    cities, ministries = ["القاهرة", "بغداد", "الرباط", "عمان"], ["الصحة", "الدفاع", "المالية", "التعليم"]
    days = ["الأحد", "الاثنين", "الثلاثاء", "الأربعاء"]
    kind = number % 4
    return (
        f"أعلنت وزارة {ministries[kind]} في {cities[kind]} يوم {days[kind]} أن الاجتماع رقم {number} سيعقد قريبا، وقال "
        f"المتحدث إن وزارة {ministries[kind]} ترحب بالضيوف."
    )


@pytest.fixture(scope="session", autouse=True)
def _quick_collection() -> Iterator[None]:
    """Every training collects garbage; looking through all of PyTorch takes longer than a tiny model's steps."""
    import transformers.models.auto  # noqa: F401

    import naba.pretraining.pretrain  # noqa: F401

    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def articles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 articles of three sentences."""
    path = tmp_path_factory.mktemp("articles") / "articles.jsonl"
    rows = [
        {"id": f"a{number}", "text": "\n".join(sentence(3 * number + line) for line in range(3))}
        for number in range(80)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def base(articles: Path, tiny_encoder: Path) -> PretrainConfig:
    """A run of a second."""
    return PretrainConfig(
        articles=[articles],  # type: ignore[list-item]
        out=Path("none"),
        encoder=str(tiny_encoder),
        block_tokens=32,
        steps=8,
        batch_size=4,
        head_steps=4,
        validation=0.2,
        validation_blocks=16,
        save_every=3,
        learning_rate=1e-3,
        precision="float32",
        device="cpu",
    )


@pytest.fixture
def pretraining(base: PretrainConfig, tmp_path: Path) -> PretrainConfig:
    """The run, in the test's folder."""
    return base.model_copy(update={"out": tmp_path / "adapted"})


@pytest.fixture(scope="session")
def whole(base: PretrainConfig, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The run done without a break: its folder and record."""
    from naba.pretraining.pretrain import pretrain

    out = tmp_path_factory.mktemp("whole") / "adapted"
    return out, pretrain(base.model_copy(update={"out": out}))


@pytest.fixture(scope="session")
def save_tokenizer() -> Callable[[Path, str], Any]:
    """Train a tokenizer of a kind, "unigram" or "bytes", and save it into a folder."""

    def save(folder: Path, kind: str) -> Any:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
        from transformers import PreTrainedTokenizerFast

        texts = [sentence(number) for number in range(40)]
        if kind == "unigram":
            tokenizer = Tokenizer(models.Unigram())
            tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
            trainer: Any = trainers.UnigramTrainer(vocab_size=150, special_tokens=SPECIALS, unk_token="<unk>")
        else:
            tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
            tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
            tokenizer.decoder = decoders.ByteLevel()
            alphabet = pre_tokenizers.ByteLevel.alphabet()
            trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=SPECIALS, initial_alphabet=alphabet)
        tokenizer.train_from_iterator(texts, trainer)
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
        )
        names = ("bos_token", "pad_token", "eos_token", "unk_token", "mask_token")
        fast = PreTrainedTokenizerFast(
            tokenizer_object=tokenizer,
            cls_token="<s>",
            sep_token="</s>",
            **dict(zip(names, SPECIALS, strict=True)),  # type: ignore[arg-type]
        )
        fast.save_pretrained(folder)
        return fast

    return save


@pytest.fixture(scope="session")
def encoders(
    tiny_encoder: Path, save_tokenizer: Callable[[Path, str], Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Name → folder: BERT without a masked-language head twice, and others with and without."""
    import torch
    import transformers

    kinds = {
        "bert-unigram": ("unigram", "BertConfig", "BertModel", {}),
        "roberta": ("bytes", "RobertaConfig", "RobertaForMaskedLM", {}),
        "xlm-roberta": ("unigram", "XLMRobertaConfig", "XLMRobertaForMaskedLM", {}),
        "electra": ("bytes", "ElectraConfig", "ElectraForPreTraining", {"embedding_size": 16}),
        "modernbert": (
            "bytes",
            "ModernBertConfig",
            "ModernBertForMaskedLM",
            {"bos_token_id": 0, "eos_token_id": 2, "cls_token_id": 0, "sep_token_id": 2},
        ),
    }
    folders = {"bert-wordpiece": tiny_encoder}
    for name, (tokenizer, config, model, more) in kinds.items():
        folder = folders[name] = tmp_path_factory.mktemp(name)
        size = len(save_tokenizer(folder, tokenizer))
        torch.manual_seed(0)
        settings = getattr(transformers, config)(vocab_size=size, **_SIZES, **more)
        getattr(transformers, model)(settings).save_pretrained(folder)
    return folders
