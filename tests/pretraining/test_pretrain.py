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

from naba.config import TrainConfig, load_config
from naba.errors import CheckpointError, ConfigError, DataError
from naba.finetuning.run_folder import last_whole_checkpoint
from naba.finetuning.train import train
from naba.out_folder import hold
from naba.pretraining import pretrain as module
from naba.pretraining import trainer as trainers
from naba.pretraining.config import PretrainConfig
from naba.pretraining.pretrain import pretrain
from naba.pretraining.trainer import MaskedTrainer
from tests.conftest import Run

Whole = tuple[Path, dict[str, Any]]


class KilledError(Exception):
    """Plays the kill."""


def changed(config: PretrainConfig, **values: Any) -> PretrainConfig:
    return config.model_copy(update=values)


def beside(config: PretrainConfig, name: str = "whole") -> PretrainConfig:
    return changed(config, out=config.out.parent / name)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def same_weights(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def kill_at(step: int, monkeypatch: pytest.MonkeyPatch, config: PretrainConfig) -> None:
    """Break the run off at the beginning of a step."""

    def kill(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == step:
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(module.StepBar, "on_step_begin", kill, raising=False)
        with pytest.raises(KilledError):
            pretrain(config)


def test_perplexity_falls_and_the_record_says_all(pretraining: PretrainConfig) -> None:
    record = pretrain(changed(pretraining, steps=100, head_steps=20, save_every=50, learning_rate=3e-3))
    before, after = record["held_out"]["before"], record["held_out"]["after"]
    assert after["perplexity"] < 0.5 * before["perplexity"]
    # How many of some sixty first guesses are right after a hundred steps differs from machine to machine; that they are
    # counted rightly is test_trainer.py's.
    for held_out in (before, after):
        right = held_out["accuracy"] * held_out["tokens"]
        assert 0 <= right <= held_out["tokens"] and right == pytest.approx(round(right))
    assert before["tokens"] == after["tokens"]
    out = pretraining.out
    assert json.loads((out / "pretrain.json").read_text()) == record
    assert {path.name for path in out.iterdir()} == {
        *("README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"),
        *("pretrain.json", "pretraining.json", "tensorboard"),
    }
    assert (out / "model.safetensors").stat().st_mode == (out / "config.json").stat().st_mode
    assert record["head"] == {"new": True, "steps": 20}
    assert "came without a masked-language head" in record["held_out"]["note"]
    assert [entry["step"] for entry in record["history"] if "perplexity" in entry] == [20, 50, 100]
    assert record["tokens_seen"] == 100 * 4 * 32
    assert record["versions"]["torch"]
    assert len(record["data"]) == 1
    assert record["encoder"]["fingerprint"]
    assert f"{after['perplexity']:.2f}" in (out / "README.md").read_text()


@pytest.mark.parametrize("kind", ["bert-unigram", "roberta", "xlm-roberta", "electra", "modernbert"])
def test_every_kind_of_encoder_is_pretrained(pretraining: PretrainConfig, encoders: dict[str, Path], kind: str) -> None:
    record = pretrain(changed(pretraining, encoder=str(encoders[kind]), steps=12, learning_rate=3e-3))
    assert record["held_out"]["after"]["perplexity"] < record["held_out"]["before"]["perplexity"]
    assert record["head"]["new"] == (kind in ("bert-unigram", "electra"))
    assert bool(record["held_out"]["note"]) == record["head"]["new"]


def test_training_uses_the_encoder(whole: Whole, tiny_run: Path, tmp_path: Path) -> None:
    config = TrainConfig(
        train=[tiny_run.parent / "train.jsonl"],  # type: ignore[list-item]
        validation=[tiny_run.parent / "validation.jsonl"],
        out=tmp_path / "run",
        encoder=str(whole[0]),
        max_tokens=64,
        epochs=0.2,
        device="cpu",
    )
    assert train(config)["segments"]["train"] == 160


def test_other_normalisation_than_the_encoder_s_own_is_warned_of(
    pretraining: PretrainConfig, whole: Whole, caplog: pytest.LogCaptureFixture
) -> None:
    pretrain(changed(pretraining, encoder=str(whole[0]), normalisation="arbert-1", steps=1))
    told = [message for message in caplog.messages if "normalised" in message]
    assert len(told) == 1
    assert "was trained on text normalised by standard-1, and normalisation is arbert-1" in told[0]


def test_seconds_are_those_of_all_sessions(pretraining: PretrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    config = changed(pretraining, steps=4, head_steps=0, save_every=2)
    kill_at(3, monkeypatch, config)
    spent = config.out / "checkpoints" / "checkpoint-2" / "seconds.json"
    assert 0 < json.loads(spent.read_text())["seconds"] < 300
    spent.write_text('{"seconds": 1000.0}')
    assert 1000 < pretrain(config)["seconds"] < 1300


def test_pretraining_goes_on_from_its_own_encoder(pretraining: PretrainConfig, whole: Whole) -> None:
    out, first = whole
    second = pretrain(changed(pretraining, encoder=str(out), weights="float16"))
    assert second["head"] == {"new": False, "steps": 0}
    assert second["held_out"]["note"] == ""
    assert second["held_out"]["before"] == first["held_out"]["after"]
    assert all(tensor.dtype == torch.float16 for tensor in weights(pretraining.out).values())


def test_same_seed_gives_the_same_weights_and_another_does_not(pretraining: PretrainConfig, whole: Whole) -> None:
    pretrain(pretraining)
    assert same_weights(pretraining.out, whole[0])
    pretrain(changed(pretraining, seed=2), overwrite=True)
    assert not same_weights(pretraining.out, whole[0])


def test_killed_run_goes_on_to_the_same_weights(
    pretraining: PretrainConfig, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    # While the head trains alone, at the change, and at the end; checkpoints are at 3, 6, 9 and 12.
    for step in (2, 4, 11):
        kill_at(step, monkeypatch, pretraining)
    with monkeypatch.context() as patch:
        patch.setattr(module, "_write", lambda *arguments: (_ for _ in ()).throw(KilledError))
        with pytest.raises(KilledError):
            pretrain(pretraining)
    record = pretrain(pretraining)
    assert same_weights(whole[0], pretraining.out)
    assert record["held_out"] == whole[1]["held_out"]
    assert record["history"] == whole[1]["history"]


def test_killed_bfloat16_run_goes_on_to_the_same_weights(
    pretraining: PretrainConfig, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = changed(pretraining, precision="bfloat16")
    pretrain(beside(config))
    kill_at(5, monkeypatch, config)
    kill_at(10, monkeypatch, config)
    pretrain(config)
    assert same_weights(beside(config).out, config.out)
    assert not same_weights(whole[0], config.out)


def test_broken_checkpoint_is_passed_over(
    pretraining: PretrainConfig, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_at(8, monkeypatch, pretraining)
    newest, older = (pretraining.out / "checkpoints" / f"checkpoint-{step}" for step in (6, 3))
    broken = newest / "model.safetensors"
    broken.write_bytes(broken.read_bytes()[:1000])
    assert last_whole_checkpoint(pretraining.out / "checkpoints") == str(older)
    pretrain(pretraining)
    assert same_weights(whole[0], pretraining.out)


def test_interrupt_saves_and_the_same_run_goes_on(
    pretraining: PretrainConfig, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 6:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(module.StepBar, "on_step_begin", press, raising=False)
        with pytest.raises(KeyboardInterrupt):
            pretrain(pretraining)
    assert (pretraining.out / "checkpoints" / "checkpoint-7").is_dir()
    pretrain(pretraining)
    assert same_weights(whole[0], pretraining.out)


def test_changed_articles_or_configuration_are_not_mixed_in(
    pretraining: PretrainConfig, articles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "articles.jsonl"
    shutil.copy(articles, mine)
    config = PretrainConfig.model_validate(pretraining.model_dump() | {"articles": [mine]})
    kill_at(5, monkeypatch, config)
    with pytest.raises(ConfigError, match=r"an unfinished pretraining that differs in seed; .*--overwrite"):
        pretrain(changed(config, seed=2))
    mine.write_text(mine.read_text(encoding="utf-8") * 2, encoding="utf-8")
    with pytest.raises(ConfigError, match="an unfinished pretraining that differs in data"):
        pretrain(config)


def test_fault_before_the_first_checkpoint_needs_no_overwrite(pretraining: PretrainConfig) -> None:
    with pytest.raises(DataError, match="raise validation"):
        pretrain(changed(pretraining, validation=1e-9))
    pretrain(changed(pretraining, steps=1))


def test_second_pretraining_in_the_same_folder_is_refused(
    pretraining: PretrainConfig, tmp_path: Path, naba: Run
) -> None:
    path = tmp_path / "pretrain.yaml"
    path.write_text(yaml.safe_dump(pretraining.model_dump(mode="json")), encoding="utf-8")
    with hold(pretraining.out, lambda: None):
        code, out, errors = naba("pretrain", path, "--overwrite")
    assert (code, out) == (2, "")
    assert "adapted: another naba command works there; wait for its end" in errors
    assert len(errors.splitlines()) == 1


def test_figures_are_those_of_the_weights_as_they_are_stored(pretraining: PretrainConfig) -> None:
    first = pretrain(changed(pretraining, weights="float16"))
    again = pretrain(changed(pretraining, encoder=str(pretraining.out), out=pretraining.out.parent / "again", steps=1))
    assert again["held_out"]["before"] == first["held_out"]["after"]


def test_folder_that_holds_something_else_is_never_touched(pretraining: PretrainConfig, tiny_run: Path) -> None:
    pretraining.out.mkdir()
    (pretraining.out / "thesis.txt").write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(ConfigError, match="no pretraining of naba"):
            pretrain(pretraining, overwrite=overwrite)
        with pytest.raises(ConfigError, match="no pretraining of naba"):
            pretrain(changed(pretraining, out=tiny_run), overwrite=overwrite)
    assert (pretraining.out / "thesis.txt").exists()
    with pytest.raises(ConfigError, match="is a file"):
        pretrain(changed(pretraining, out=pretraining.out / "thesis.txt"))
    with pytest.raises(ConfigError, match="is the encoder itself"):
        pretrain(changed(pretraining, out=Path(pretraining.encoder)), overwrite=True)


def test_finished_encoder_is_replaced_only_when_asked(pretraining: PretrainConfig, whole: Whole) -> None:
    shutil.copytree(whole[0], pretraining.out)
    with pytest.raises(ConfigError, match="holds a finished pretraining"):
        pretrain(pretraining)
    with pytest.raises(CheckpointError):
        pretrain(changed(pretraining, encoder="models/none"), overwrite=True)
    assert (pretraining.out / "pretrain.json").is_file()
    assert pretrain(changed(pretraining, steps=1, head_steps=0), overwrite=True)["head"]["steps"] == 0


def test_fault_of_encoder_or_files_leaves_no_folder(
    pretraining: PretrainConfig, write_rows: Callable[..., Path]
) -> None:
    with pytest.raises(DataError, match=r"none\.jsonl: no such file"):
        pretrain(changed(pretraining, held_out=[Path("none.jsonl")]))
    with pytest.raises(DataError, match=r"held\.jsonl:1: no 'text'"):
        pretrain(changed(pretraining, held_out=[write_rows("held.jsonl", [{"id": 1}])]))
    with pytest.raises(CheckpointError, match="models/none"):
        pretrain(changed(pretraining, encoder="models/none"))
    with pytest.raises(CheckpointError, match="cannot read blocks of 129"):
        pretrain(changed(pretraining, block_tokens=129))
    assert not pretraining.out.exists()


def test_loss_that_is_no_number_is_told(pretraining: PretrainConfig) -> None:
    with pytest.raises(CheckpointError, match="lower learning_rate"):
        pretrain(changed(pretraining, learning_rate=1e30, max_grad_norm=1e30))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (RuntimeError("[enforce fail at inline_container.cc] . PytorchStreamWriter failed"), "free some space"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate"), "lower batch_size"),
        (OSError(28, "No space left on device"), "free some space and start again"),
    ],
)
def test_disk_or_memory_that_runs_out_is_told_and_the_run_stays_usable(
    pretraining: PretrainConfig, whole: Whole, monkeypatch: pytest.MonkeyPatch, error: Exception, says: str
) -> None:
    saved = MaskedTrainer._save_checkpoint

    def fail(self: Any, *arguments: Any, **kwargs: Any) -> None:
        if self.state.global_step == 6:
            raise error
        saved(self, *arguments, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(MaskedTrainer, "_save_checkpoint", fail)
        with pytest.raises((ConfigError, CheckpointError), match=says):
            pretrain(pretraining)
    if isinstance(error, OSError):
        pretrain(pretraining)
        assert same_weights(whole[0], pretraining.out)


def test_unknown_words_are_warned_of(
    pretraining: PretrainConfig, write_rows: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    rows = [{"text": f"☃ قال ☂ الوزير ☃ {number}"} for number in range(40)]
    config = PretrainConfig.model_validate(pretraining.model_dump() | {"articles": [write_rows("odd.jsonl", rows)]})
    pretrain(changed(config, steps=1))
    assert "of the tokens are unknown to its tokenizer" in caplog.text


def test_command(
    pretraining: PretrainConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from naba.cli.pretrain import pretrain as command

    path = tmp_path / "pretrain.yaml"
    path.write_text(yaml.safe_dump(pretraining.model_dump(mode="json")), encoding="utf-8")
    command(path, False, ["steps=2", "head_steps=0"])
    said = capsys.readouterr().out
    assert "held-out perplexity" in said
    assert "0 dropped for held-out segments" in said
    assert "head_steps is 0" in json.loads((pretraining.out / "pretrain.json").read_text())["held_out"]["note"]


def test_shipped_configuration_loads(root: Path) -> None:
    assert load_config(PretrainConfig, root / "configs" / "pretrain.yaml").encoder == "models/naba-base"
    with pytest.raises(ConfigError, match="articles"):
        load_config(PretrainConfig, root / "configs" / "pretrain.yaml", ["articles=[]"])


@pytest.mark.slow
def test_killed_process_goes_on_to_the_same_weights(pretraining: PretrainConfig, root: Path, tmp_path: Path) -> None:
    """SIGKILL at several moments of a real process, also while a checkpoint may be half written."""
    config = changed(pretraining, steps=60, head_steps=10, save_every=5, precision="bfloat16")
    pretrain(beside(config))
    settings = tmp_path / "pretrain.yaml"
    settings.write_text(yaml.safe_dump(config.model_dump(mode="json")), encoding="utf-8")
    program = f"from pathlib import Path; from naba.cli.pretrain import pretrain; pretrain(Path({str(settings)!r}))"
    environment = dict(os.environ, PYTHONPATH=str(root / "training"))
    kills = 0
    for wait in (0.0, 0.05, 0.1, 0.2, 0.3, 0.5):
        process = subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.DEVNULL)
        saved = set(config.out.glob("checkpoints/*/trainer_state.json"))
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            if set(config.out.glob("checkpoints/*/trainer_state.json")) - saved:
                break
            time.sleep(0.005)
        time.sleep(wait)
        if process.poll() is None:
            process.kill()
            kills += 1
        process.wait(timeout=60)
    assert kills >= 3
    if not (config.out / "pretrain.json").is_file():
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=300, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert same_weights(beside(config).out, config.out)


@pytest.mark.slow
def test_two_processes_keep_the_same_weights(pretraining: PretrainConfig, root: Path, tmp_path: Path) -> None:
    config = changed(pretraining, precision="bfloat16", steps=12, save_every=3)
    program = tmp_path / "pretrain_twice.py"
    program.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from naba.config import load_config\n"
        "from naba.finetuning.processes import rank\n"
        "from naba.pretraining.config import PretrainConfig\n"
        "from naba.pretraining.pretrain import pretrain\n"
        "config = load_config(PretrainConfig, Path(sys.argv[1]))\n"
        "record = pretrain(config)\n"
        "(config.out.parent / f'rank-{rank()}').write_text(repr(record['held_out']))\n"
    )
    settings = tmp_path / "pretrain.yaml"
    settings.write_text(yaml.safe_dump(config.model_dump(mode="json")), encoding="utf-8")
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", str(program), str(settings)]
    environment = dict(os.environ, PYTHONPATH=str(root / "training"), OMP_NUM_THREADS="1")
    done = subprocess.run(launch, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads((config.out / "pretrain.json").read_text())["processes"] == 2
    # Measured by each process on its own weights: one float out of step would show.
    assert (tmp_path / "rank-0").read_text() == (tmp_path / "rank-1").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"batch_size": 3}, "batch_size = 3 cannot be shared by 2 processes"),
        ({"held_out": ["none.jsonl"]}, "none.jsonl: no such file"),
    ],
)
def test_fault_of_all_processes_is_told_once(
    pretraining: PretrainConfig, tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    settings = tmp_path / "pretrain.yaml"
    settings.write_text(yaml.safe_dump(pretraining.model_dump(mode="json") | change), encoding="utf-8")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*launch, "-m", "naba", "pretrain", str(settings)],
        env=dict(os.environ, OMP_NUM_THREADS="1"),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    told = [line for line in done.stderr.splitlines() if line.startswith("naba: ")]
    assert done.returncode != 0
    assert len(told) == 1, done.stderr
    assert says in told[0]


def test_batch_that_processes_cannot_share_is_told(
    pretraining: PretrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainers.TrainingArguments, "world_size", 3)
    with pytest.raises(ConfigError, match="batch_size = 4 cannot be shared by 3 processes"):
        trainers.training_arguments(pretraining, "cpu", "float32")
