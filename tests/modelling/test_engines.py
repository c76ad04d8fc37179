"""Engines: PyTorch's precisions give nearly the logits of float32; batches are planned by lengths alone."""

from pathlib import Path

import numpy as np
import pytest
import torch

from naba.modelling import checkpoint as checkpoints
from naba.modelling.encode import padded
from naba.modelling.engines import TorchEngine
from naba.modelling.infer import Scorer
from naba.modelling.windows import plan_batches

TEXTS = ["قصفت الطائرات المدينة", "دعا الوزير إلى هدنة فورية في الشمال " * 12, "مساعدات"]


def test_bfloat16_is_near_float32(tiny_run: Path) -> None:
    own, half = (checkpoints.load(tiny_run) for _ in range(2))
    scores = Scorer(own).score(TEXTS)
    other = Scorer(half, TorchEngine(half.model, "bfloat16")).score(TEXTS)
    assert other.topic.dtype == np.float32
    assert np.allclose(scores.topic, other.topic, atol=0.1)
    assert scores.windows == other.windows


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["float16", "bfloat16", "float32"])
def test_gpu_gives_the_cpu_s_logits(tiny_run: Path, precision: str) -> None:
    scores = Scorer(checkpoints.load(tiny_run)).score(TEXTS)
    run = checkpoints.load(tiny_run)
    run.model.to("cuda")
    engine = TorchEngine(run.model, precision)  # type: ignore[arg-type]
    assert engine.batch_tokens == 16_384
    assert np.allclose(scores.topic, Scorer(run, engine).score(TEXTS).topic, atol=0.1)


def test_batches_hold_the_longest_first_as_many_as_fit_their_padding() -> None:
    lengths = [3, 60, 9, 8, 17]
    batches = plan_batches(lengths, batch_tokens=64)
    assert batches == [[1], [4, 2], [3, 0]]  # padded to 64; to 24, of which two fit; to 8
    assert all(len(rows) * padded(max(lengths[row] for row in rows)) <= 64 for rows in batches)
    assert plan_batches(lengths, batch_tokens=10**6, batch_size=2) == [[1, 4], [2, 3], [0]]
    assert plan_batches([900], batch_tokens=64) == [[0]]  # longer than a batch: one of its own
    assert plan_batches([], batch_tokens=64) == []


def test_what_reads_alike_is_scored_once(tiny_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = Scorer(checkpoints.load(tiny_run))
    rows: list[int] = []
    run = scorer.engine.run
    monkeypatch.setattr(scorer.engine, "run", lambda batch: rows.append(len(batch["input_ids"])) or run(batch))
    scores = scorer.score(["خَبَرٌ", "خبر", "بيان"])  # vowel signs are not read
    assert sum(rows) == 2
    assert (scores.topic[0] == scores.topic[1]).all()
    assert not (scores.topic[0] == scores.topic[2]).all()
