"""The joint topic and stance model: one pass of an encoder gives every label.

`attention` head: each topic has its own learnt query over the token states, so a segment's words on aid and its words
on fighting are weighed apart. `plain` head: one pooled vector and T + T·S logits, the layout of the field's usual
multi-label classifier; it is a `…ForSequenceClassification`, and loads as one anywhere.

Shapes: B batch, L tokens, D hidden size, T topics, S stances.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass
class JointLogits:
    """Raw scores of one batch."""

    topic: Tensor  # [B, T]
    stance: Tensor  # [B, T, S]


class TopicStanceModel(nn.Module):
    """Encoder with the heads of one of the two layouts."""

    def __init__(self, backbone: Any, topics: int, stances: int, head: str = "attention", dropout: float = 0.1) -> None:
        """Put fresh heads on `backbone`.

        For the attention head it is an `AutoModel`; for the plain head an `AutoModelForSequenceClassification` with
        T + T·S labels. `naba.modelling.checkpoint` makes both.
        """
        super().__init__()
        self.config = backbone.config
        self.topics, self.stances, self.head_kind = topics, stances, head
        if head == "plain":
            self.classifier = backbone
        else:
            self.encoder = _without_pooler(backbone)
            self.head = AttentionHead(self.config.hidden_size, topics, stances, dropout)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> JointLogits:
        """Score a batch: `input_ids` and `attention_mask` are [B, L] integers."""
        if self.head_kind == "plain":
            logits = self.classifier(input_ids=input_ids, attention_mask=attention_mask).logits  # [B, T + T·S]
            topic, stance = logits.split([self.topics, self.topics * self.stances], dim=1)
            return JointLogits(topic, stance.reshape(-1, self.topics, self.stances))  # [B, T], [B, T, S]
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state  # [B, L, D]
        # The encoder may run in half precision, by its weights or by autocast; the head does not.
        with torch.autocast(states.device.type, enabled=False):
            return self.head(states.to(self.head.query.dtype), attention_mask)  # type: ignore[no-any-return]

    def encoder_parameters(self) -> list[nn.Parameter]:
        """The pretrained part: it trains at the lower rate."""
        part = self.classifier.base_model if self.head_kind == "plain" else self.encoder
        return list(part.parameters())


class AttentionHead(nn.Module):
    """Per-topic attention pooling, then a topic logit and S stance logits from the pooled vector."""

    def __init__(self, hidden: int, topics: int, stances: int, dropout: float) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(topics, hidden))  # zero: starts as mean pooling
        self.topic_weight = nn.Parameter(torch.empty(topics, hidden).normal_(std=0.02))
        self.topic_bias = nn.Parameter(torch.zeros(topics))
        self.stance_weight = nn.Parameter(torch.empty(topics, stances, hidden).normal_(std=0.02))
        self.stance_bias = nn.Parameter(torch.zeros(topics, stances))
        self.dropout = nn.Dropout(dropout)
        self.scale = hidden**-0.5

    def forward(self, states: Tensor, mask: Tensor) -> JointLogits:
        """`states` [B, L, D], `mask` [B, L] with 1 for real tokens."""
        scores = torch.einsum("bld,td->btl", states, self.query) * self.scale  # [B, T, L]
        scores = scores.masked_fill(mask[:, None, :] == 0, torch.finfo(scores.dtype).min)
        pooled = torch.einsum("btl,bld->btd", scores.softmax(-1), states)  # [B, T, D]
        pooled = self.dropout(pooled)
        topic = (pooled * self.topic_weight).sum(-1) + self.topic_bias  # [B, T]
        stance = torch.einsum("btd,tsd->bts", pooled, self.stance_weight) + self.stance_bias  # [B, T, S]
        return JointLogits(topic, stance)


def _without_pooler(encoder: Any) -> Any:
    """Drop BERT's pooler: this head does not use it, and unused weights would break distributed training."""
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return encoder
