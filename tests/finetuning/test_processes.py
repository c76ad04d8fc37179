"""Several processes: the rules on a stand-in for the others, and two real ones."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from naba.errors import ConfigError, DataError
from naba.finetuning import processes
from naba.finetuning.faults import explained
from naba.finetuning.processes import ElsewhereError, highest, on_all, on_first, total
from tests.conftest import Run

PEER = RuntimeError(
    "[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:553] Connection closed by peer [127.0.0.1]:1"
)
DIRECTORY = Path("models/mine")


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Plays two processes, this one the second; the first finds a given fault."""

    def play(rank: int = 1, other: Exception | None = None, value: int = 0) -> None:
        def gather(found: list[Any], own: Any) -> None:
            found[rank], found[1 - rank] = own, other

        def broadcast(told: list[Any]) -> None:
            if rank > 0:
                told[:] = ["of the first", other]

        def reduce(tensor: torch.Tensor, operation: Any) -> None:
            if operation == processes.distributed.ReduceOp.SUM:
                tensor += value
            else:
                tensor.fill_(max(int(tensor), value))

        monkeypatch.setattr(processes, "launched", lambda: True)
        for name, stand_in in {
            "get_rank": lambda: rank,
            "get_world_size": lambda: 2,
            "all_gather_object": gather,
            "broadcast_object_list": broadcast,
            "all_reduce": reduce,
        }.items():
            monkeypatch.setattr(processes.distributed, name, stand_in)

    return play


def _fail() -> str:
    raise DataError("broken.jsonl: empty")


def _never() -> str:
    raise AssertionError


def test_alone_nothing_is_asked_of_others() -> None:
    assert on_all(lambda: 3) == 3
    assert on_first(lambda: 4) == 4
    assert highest(5, torch.device("cpu")) == 5
    with pytest.raises(DataError, match=r"^broken.jsonl: empty$"):
        on_all(_fail)


def test_first_process_tells_a_fault_that_all_have(second: Callable[..., None]) -> None:
    second(rank=0, other=DataError("broken.jsonl: empty"))
    with pytest.raises(DataError, match=r"^broken.jsonl: empty$"):
        on_all(_fail)
    second(rank=1, other=DataError("broken.jsonl: empty"))
    with pytest.raises(ElsewhereError):
        on_all(_fail)


def test_fault_of_another_process_ends_this_one_too(second: Callable[..., None]) -> None:
    second(rank=0, other=DataError("broken.jsonl: empty"))
    with pytest.raises(DataError, match=r"^process 1: broken.jsonl: empty$"):
        on_all(lambda: 3)
    second(rank=1, other=DataError("broken.jsonl: empty"))
    with pytest.raises(ElsewhereError):
        on_all(lambda: 3)


def test_work_may_be_what_makes_the_processes_known(
    second: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    second(rank=1, other=DataError("broken.jsonl: empty"))
    monkeypatch.setattr(processes, "launched", lambda: False)

    def start() -> None:
        monkeypatch.setattr(processes, "launched", lambda: True)
        _fail()

    with pytest.raises(ElsewhereError):
        on_all(start)


@pytest.mark.parametrize("do", [on_all, on_first])
def test_file_without_the_right_to_read_it_is_a_fault_of_the_user(do: Callable[..., Any]) -> None:
    def refuse() -> None:
        raise PermissionError(13, "Permission denied", "data/train.jsonl")

    with pytest.raises(DataError, match=r"^data/train.jsonl: may not be used \(Permission denied\); check its rights$"):
        do(refuse)


def test_first_process_works_for_all(second: Callable[..., None]) -> None:
    second(rank=1)
    assert on_first(_never) == "of the first"
    second(rank=1, other=ConfigError("in use"))
    with pytest.raises(ElsewhereError):
        on_first(_never)
    second(rank=0)
    assert on_first(lambda: "mine") == "mine"
    with pytest.raises(DataError, match=r"^broken.jsonl: empty$"):
        on_first(_fail)


def test_highest_value_of_any_process_counts(second: Callable[..., None]) -> None:
    second(value=int(signal.SIGTERM))
    assert highest(int(signal.SIGINT), torch.device("cpu")) == signal.SIGTERM
    assert highest(99, torch.device("cpu")) == 99


def test_total_is_of_all_processes(second: Callable[..., None]) -> None:
    assert total(torch.tensor([3.0, 4.0])).tolist() == [3.0, 4.0]
    second(value=2)
    assert total(torch.tensor([3.0, 4.0])).tolist() == [5.0, 6.0]


def test_process_that_is_gone_is_told_by_the_first(second: Callable[..., None]) -> None:
    second(rank=0)
    with (
        pytest.raises(Exception, match="another process of this training ended at step 7"),
        explained(DIRECTORY, lambda: 7, "batch_size"),
    ):
        raise PEER
    second(rank=1)
    with pytest.raises(ElsewhereError), explained(DIRECTORY, lambda: 7, "batch_size"):
        raise PEER
    with (
        pytest.raises(ConfigError, match=r"^process 1: .*cannot be written at step 7"),
        explained(DIRECTORY, lambda: 7, "batch_size"),
    ):
        raise OSError(28, "No space left on device")


# Two real processes.

LOADER = """
import sys, torch
from pathlib import Path
from naba.config import TrainConfig
from naba.finetuning.batches import BatchPlan
from naba.finetuning.train import _ready
from naba.finetuning.trainer import make_trainer, training_arguments
import yaml

config = TrainConfig.model_validate(yaml.safe_load(Path(sys.argv[1]).read_text()))
arguments = training_arguments(config, "cpu", "float32", config.out)
ready = _ready(config)
trainer = make_trainer(config, ready.run, ready.training, ready.validation, arguments)
read = [batch["input_ids"].tolist() for batch in trainer.accelerator.prepare(trainer.get_train_dataloader())]
plan = BatchPlan(ready.training.lengths, config.batch_size, config.epochs, config.seed)
assert len(plan) == len(read) == trainer.args.max_steps, (len(plan), len(read), trainer.args.max_steps)
for batch, rows in zip(plan.batches, read, strict=True):
    ids = [ready.training[row]["input_ids"] for row in batch[arguments.process_index :: 2]]
    assert [row[: len(wanted)] for row, wanted in zip(rows, ids, strict=True)] == ids
print(f"read {arguments.process_index} {len(read)}\\n", end="")  # in one piece: both write to one pipe
"""


@pytest.fixture
def settings(tiny_encoder: Path, tiny_run: Path, tmp_path: Path, root: Path) -> Path:
    content = {
        "labels": str(root / "configs" / "labels.yaml"),
        "train": [str(tiny_run.parent / "train.jsonl")],
        "validation": [str(tiny_run.parent / "validation.jsonl")],
        "out": str(tmp_path / "run"),
        "encoder": str(tiny_encoder),
        "max_tokens": 64,
        "epochs": 3,
        "evaluations": 6,
        "device": "cpu",
    }
    (tmp_path / "train.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "train.yaml"


def _launch(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        env=dict(os.environ, OMP_NUM_THREADS="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(process: subprocess.Popen[str]) -> tuple[int, str, list[str]]:
    """Exit code, output, and the lines of errors that are naba's."""
    out, errors = process.communicate(timeout=300)
    assert "naba/" not in errors, errors  # no traceback through naba
    return process.returncode, out, [line for line in errors.splitlines() if line.startswith(("naba: ", "WARNING"))]


@pytest.mark.slow
def test_every_process_reads_its_own_part_of_the_plan(settings: Path, tmp_path: Path) -> None:
    (tmp_path / "loader.py").write_text(LOADER)
    code, out, _ = _finish(_launch(tmp_path / "loader.py", settings))
    assert code == 0
    assert sorted(out.split("\n"))[-2:] == ["read 0 33", "read 1 33"]


@pytest.mark.slow
@pytest.mark.parametrize(("head", "precision"), [("attention", "bfloat16"), ("plain", "float32")])
def test_two_processes_train_one_run(settings: Path, tmp_path: Path, head: str, precision: str) -> None:
    changes = ["--set", f"head={head}", "--set", f"precision={precision}"]
    code, out, told = _finish(_launch("-m", "naba", "train", settings, *changes))
    assert code == 0, told
    assert len(out.strip().splitlines()) == 1
    assert [line for line in told if "no (topic, stance) pair" not in line] == []
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (record["processes"], record["steps"]) == (2, 33)
    assert record["segments"]["validation"] == record["validation"]["segments"] == 80  # in batches of 32, 32 and 16
    assert len(list((tmp_path / "run" / "tensorboard").iterdir())) == 1
    assert not (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.slow
def test_two_processes_train_the_model_that_one_trains(
    settings: Path, tiny_encoder: Path, tmp_path: Path, naba: Run
) -> None:
    encoder = shutil.copytree(tiny_encoder, tmp_path / "encoder")
    config = json.loads((encoder / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}  # each process draws its own
    (encoder / "config.json").write_text(json.dumps(config))
    changes = {"encoder": encoder, "dropout": 0, "epochs": 1, "evaluations": 1, "precision": "float32"}
    arguments = ["train", settings, *(part for key, value in changes.items() for part in ("--set", f"{key}={value}"))]
    code, _, told = _finish(_launch("-m", "naba", *arguments, "--out", tmp_path / "two"))
    assert code == 0, told
    assert naba(*arguments, "--out", "one")[0] == 0
    one, two = (json.loads((tmp_path / name / "run.json").read_text()) for name in ("one", "two"))
    assert one["steps"] == two["steps"] == 11
    first, second = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    begun = load_file(encoder / "model.safetensors")
    for name, tensor in first.items():
        assert torch.allclose(tensor, second[name], atol=2e-4), name
    moved = first["encoder.embeddings.word_embeddings.weight"] - begun["embeddings.word_embeddings.weight"]
    assert moved.abs().max() > 5e-4  # what is alike is what was learnt


@pytest.mark.slow
def test_processes_stopped_together_go_on_to_the_same_weights(settings: Path, tmp_path: Path) -> None:
    whole = ["-m", "naba", "train", settings, "--set", "epochs=20", "--set", "evaluations=20"]
    assert _finish(_launch(*whole, "--out", tmp_path / "whole"))[0] == 0
    process = _launch(*whole)
    while not list((tmp_path / "run").glob("checkpoints/*/trainer_state.json")) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    code, _, told = _finish(process)
    assert code != 0
    assert told[-1:] == ["naba: terminated; the same command goes on from the checkpoint that was saved"]
    assert not (tmp_path / "run" / "run.json").exists()
    code, _, told = _finish(_launch(*whole))
    assert code == 0
    assert sum("going on from the checkpoint" in line for line in told) == 1
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "run")]
    assert weights[0] == weights[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (["momentum=1"], "unknown key 'momentum'"),
        (["train=[none.jsonl]"], "none.jsonl: no such file"),
        (["learning_rate=1e30", "head_learning_rate=1e30", "max_grad_norm=1e30"], "lower learning_rate"),
    ],
)
def test_fault_of_all_processes_is_told_once(settings: Path, changes: list[str], says: str) -> None:
    arguments = [part for change in changes for part in ("--set", change)]
    code, out, told = _finish(_launch("-m", "naba", "train", settings, *arguments))
    assert code != 0
    assert out == ""
    assert len(told) == 1
    assert says in told[0]
