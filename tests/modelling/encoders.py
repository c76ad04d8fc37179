"""Tiny encoders, one for each architecture with its tokenizer family: randomly initialised, saved as the Hub has them.

folder = build("xlm-roberta-unigram", tmp_path / "encoder")

Each is saved as its authors publish it, with the head it was pretrained with, so that loading has to drop and add what it
does for the real one.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForPreTraining,
    BertTokenizer,
    ElectraConfig,
    ElectraForPreTraining,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaTokenizer,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
    XLMRobertaTokenizer,
)

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
READS = 64
"""Tokens that each of these encoders can read."""
_VOCABULARY = 400
_SIZE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
_BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def build(family: str, folder: Path) -> Path:
    """Save one of FAMILIES into `folder`; gives the folder."""
    torch.manual_seed(0)
    tokenizer, model = FAMILIES[family]()
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def _bert_wordpiece() -> tuple[Any, Any]:
    """AraBERT, CAMeLBERT: masked-language and next-sentence heads, so a pooler too."""
    return _wordpiece(), BertForPreTraining(BertConfig(vocab_size=_VOCABULARY, max_position_embeddings=READS, **_SIZE))


def _bert_unigram() -> tuple[Any, Any]:
    """naba-base: BERT with a SentencePiece vocabulary, padding at 1, no pooler."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    _train(tokenizer, trainers.UnigramTrainer(vocab_size=_VOCABULARY, special_tokens=_ROBERTA, unk_token="<unk>"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>"}
    names |= {"pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
    config = BertConfig(vocab_size=_VOCABULARY, max_position_embeddings=READS, pad_token_id=1, **_SIZE)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=READS, **names), BertForMaskedLM(config)


def _electra_wordpiece() -> tuple[Any, Any]:
    """AraELECTRA: embeddings narrower than the layers, a discriminator's head; with ARBERT's kind of tokenizer, uncased."""
    config = ElectraConfig(vocab_size=_VOCABULARY, max_position_embeddings=READS, embedding_size=8, **_SIZE)
    return _wordpiece(uncased=True), ElectraForPreTraining(config)


def _roberta_bpe() -> tuple[Any, Any]:
    """RoBERTa: byte-level BPE; two of its positions cannot hold a token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    _train(tokenizer, _byte_level_trainer(_ROBERTA))
    vocabulary = tokenizer.get_vocab()
    merges = [tuple(merge) for merge in _state(tokenizer)["merges"]]
    config = RobertaConfig(vocab_size=_VOCABULARY, max_position_embeddings=READS + 2, type_vocab_size=1, **_SIZE)
    return RobertaTokenizer(vocab=vocabulary, merges=merges, model_max_length=READS), RobertaForMaskedLM(config)


def _xlm_roberta_unigram() -> tuple[Any, Any]:
    """XLM-R: SentencePiece Unigram; two of its positions cannot hold a token."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    specials = _ROBERTA[:4]
    _train(tokenizer, trainers.UnigramTrainer(vocab_size=_VOCABULARY - 1, special_tokens=specials, unk_token="<unk>"))
    pieces = [tuple(piece) for piece in _state(tokenizer)["vocab"]] + [("<mask>", 0.0)]
    config = XLMRobertaConfig(vocab_size=_VOCABULARY, max_position_embeddings=READS + 2, type_vocab_size=1, **_SIZE)
    return XLMRobertaTokenizer(vocab=pieces, model_max_length=READS), XLMRobertaForMaskedLM(config)


def _modernbert_bpe() -> tuple[Any, Any]:
    """ModernBERT: byte-level BPE, rotary positions, windowed attention in two of three layers."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    _train(tokenizer, _byte_level_trainer(_BERT))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    config = ModernBertConfig(
        vocab_size=_VOCABULARY,
        max_position_embeddings=READS,
        local_attention=16,
        pad_token_id=0,
        cls_token_id=2,
        bos_token_id=2,
        sep_token_id=3,
        eos_token_id=3,
        **(_SIZE | {"num_hidden_layers": 3}),
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), _BERT, strict=True))
    # The published ones name no length at all.
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names), ModernBertForMaskedLM(config)


def _wordpiece(uncased: bool = False) -> Any:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=uncased)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    _train(tokenizer, trainers.WordPieceTrainer(vocab_size=_VOCABULARY, special_tokens=_BERT))
    return BertTokenizer(vocab=tokenizer.get_vocab(), do_lower_case=uncased, model_max_length=READS)


def _byte_level_trainer(specials: list[str]) -> Any:
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return trainers.BpeTrainer(vocab_size=_VOCABULARY, special_tokens=specials, initial_alphabet=alphabet)


def _train(tokenizer: Tokenizer, trainer: Any) -> None:
    tokenizer.train_from_iterator([path.read_text(encoding="utf-8") for path in sorted(SEEDS.glob("*.txt"))], trainer)


def _state(tokenizer: Tokenizer) -> Any:
    return json.loads(tokenizer.to_str())["model"]


FAMILIES: dict[str, Callable[[], tuple[Any, Any]]] = {
    "bert-wordpiece": _bert_wordpiece,
    "bert-unigram": _bert_unigram,
    "electra-wordpiece": _electra_wordpiece,
    "roberta-bpe": _roberta_bpe,
    "xlm-roberta-unigram": _xlm_roberta_unigram,
    "modernbert-bpe": _modernbert_bpe,
}
"""Architecture and tokenizer family → its builder."""
