"""A Hub name works like a folder. The Hub is played by a cache folder as `huggingface_hub` keeps it, read offline."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

CODE = """
from naba.modelling.checkpoint import from_encoder
from naba.schema import LabelSchema
from pathlib import Path
import sys
schema = LabelSchema.load(Path(sys.argv[1]))
run = from_encoder(sys.argv[2], schema, normalisation="standard-1", head="attention", max_tokens=64, dropout=0.1)
print(run.model.config.hidden_size, len(run.tokenizer))
"""


def load(name: str, cache: Path, root: Path) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, HF_HUB_CACHE=str(cache), HF_HUB_OFFLINE="1", PYTHONPATH=str(root / "training"))
    command = [sys.executable, "-c", CODE, str(root / "configs" / "labels.yaml"), name]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


def test_encoder_is_loaded_by_its_hub_name(tiny_encoder: Path, tmp_path: Path, root: Path) -> None:
    repository = tmp_path / "models--somebody--tiny-arabic-bert"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    shutil.copytree(tiny_encoder, repository / "snapshots" / ("0" * 40))
    done = load("somebody/tiny-arabic-bert", tmp_path, root)
    assert done.stdout.split() == ["32", "600"], done.stderr


def test_hub_name_that_cannot_be_reached_is_one_clear_error(tmp_path: Path, root: Path) -> None:
    done = load("somebody/no-such-model", tmp_path, root)
    assert "CheckpointError: somebody/no-such-model: cannot be loaded as an encoder" in done.stderr
