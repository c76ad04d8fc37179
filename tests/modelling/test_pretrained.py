"""Encoders that cannot be used are told in one line; the Hub is played by a server on this machine."""

import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from naba.errors import CheckpointError
from naba.modelling.checkpoint import from_encoder
from naba.modelling.pretrained import encoder_mark
from naba.run import describe_encoder
from naba.schema import LabelSchema
from tests.modelling.encoders import READS

Copy = Callable[..., Path]


@pytest.fixture
def copy(encoder: Callable[[str], Path], tmp_path: Path) -> Copy:
    """A tiny encoder's folder to break: `copy("roberta-bpe", config={"pad_token_id": 0})`; None removes a key."""

    def make(family: str, **changes: dict[str, Any]) -> Path:
        folder = tmp_path / "encoder"
        shutil.copytree(encoder(family), folder)
        for name, values in changes.items():
            path = folder / f"{name}.json"
            content = json.loads(path.read_text()) | values
            path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
        return folder

    return make


@pytest.fixture
def load(schema: LabelSchema) -> Callable[..., Any]:
    def run(folder: Path | str, max_tokens: int = READS, head: str = "attention") -> Any:
        return from_encoder(
            str(folder), schema, normalisation="standard-1", head=head, max_tokens=max_tokens, dropout=0.1
        )

    return run


@pytest.mark.parametrize("family", ["bert-wordpiece", "roberta-bpe", "xlm-roberta-unigram", "modernbert-bpe"])
def test_longest_input_stops_at_the_last_position_that_holds_a_token(
    encoder: Callable[[str], Path], load: Callable[..., Any], family: str
) -> None:
    # RoBERTa's family has two rows more than tokens: 66 in config.json, as the published ones have 514 for 512.
    for beyond in (READS + 1, READS + 2):
        with pytest.raises(CheckpointError, match=f"reads at most {READS} tokens, max_tokens is {beyond}"):
            load(encoder(family), beyond)
    assert load(encoder(family), READS).max_tokens == READS


def test_positions_that_rounding_up_would_pass_are_not_promised(load: Callable[..., Any], tmp_path: Path) -> None:
    import torch
    from transformers import BertConfig, BertModel

    from tests.modelling.encoders import build

    build("bert-wordpiece", tmp_path / "encoder")
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=400, max_position_embeddings=60, **sizes)).save_pretrained(tmp_path / "encoder")
    with pytest.raises(CheckpointError, match="reads at most 56 tokens"):  # batches are rounded up to a multiple of 8
        load(tmp_path / "encoder", 57)
    assert load(tmp_path / "encoder", 56)


@pytest.mark.parametrize(
    ("family", "changes", "says"),
    [
        ("modernbert-bpe", {"tokenizer_config": {"pad_token": None}}, "tokenizer has no pad_token"),
        ("roberta-bpe", {"config": {"pad_token_id": 0}}, "tokenizer pads with 1, its config.json with 0"),
        ("bert-wordpiece", {"config": {"num_hidden_layers": 3}}, "its weights lack encoder.layer.2"),
        ("bert-wordpiece", {"config": {"hidden_size": 32}}, "or have it in another size"),
        ("bert-wordpiece", {"config": {"hidden_size": "wide"}}, "expected int, got str"),
        ("bert-wordpiece", {"config": {"model_type": "no-such"}}, "model type `no-such`"),
        (
            "bert-wordpiece",
            {"config": {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}}},
            "comes with code of its own, which is never run",
        ),
    ],
)
def test_faults_of_an_encoder_are_named(
    copy: Copy, load: Callable[..., Any], family: str, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(CheckpointError, match=says) as caught:
        load(copy(family, **changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("tokenizer.json", b"{", "cannot be loaded as an encoder"),
        ("config.json", b"{", "not a valid JSON"),
        ("model.safetensors", b"half", "cannot be loaded as an encoder"),
    ],
)
def test_damaged_files_of_an_encoder_are_told(
    copy: Copy, load: Callable[..., Any], name: str, content: bytes, says: str
) -> None:
    folder = copy("roberta-bpe")
    (folder / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=says):
        load(folder)


def test_tokenizer_of_another_model_is_told(copy: Copy, encoder: Callable[[str], Path], load: Any) -> None:
    folder = copy("bert-wordpiece")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"] |= {f"word{number}": 400 + number for number in range(3)}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(CheckpointError, match="its tokenizer has 403 pieces, its weights 400"):
        load(folder)


def test_folder_without_a_tokenizer_is_told_not_given_an_empty_one(copy: Copy, load: Callable[..., Any]) -> None:
    folder = copy("bert-wordpiece")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(CheckpointError, match="has no tokenizer"):
        load(folder)


def test_word_list_alone_is_a_tokenizer(copy: Copy, load: Callable[..., Any], encoder: Callable[[str], Path]) -> None:
    # CAMeLBERT, ARBERTv2 and MARBERTv2 are published so.
    folder = copy("bert-wordpiece")
    pieces = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in sorted(pieces, key=pieces.__getitem__)))
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": false, "max_len": 64}')
    text = "وقال الوزير: غارة"
    whole = load(encoder("bert-wordpiece")).tokenizer(text)["input_ids"]
    assert load(folder).tokenizer(text)["input_ids"] == whole


def test_sentencepiece_model_alone_says_what_is_missing(copy: Copy, load: Callable[..., Any]) -> None:
    folder = copy("xlm-roberta-unigram")
    (folder / "tokenizer.json").unlink()
    (folder / "sentencepiece.bpe.model").write_bytes(b"not read here")
    with pytest.raises(CheckpointError, match=r"SentencePiece model alone; pip install sentencepiece"):
        load(folder)


def test_length_that_the_tokenizer_advises_against_is_warned_of(
    copy: Copy, load: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="naba"):
        load(copy("bert-wordpiece", tokenizer_config={"model_max_length": 32}))
    assert "its tokenizer is made for 32 tokens, max_tokens is 64" in caplog.text


def test_head_for_other_labels_is_replaced(copy: Copy, load: Callable[..., Any], tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = copy("bert-wordpiece")
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=5)
    model.save_pretrained(tmp_path / "sentiment")
    AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path / "sentiment")
    assert load(tmp_path / "sentiment", head="plain").model.config.num_labels == 12


def test_pickled_weights_are_refused_with_the_command_that_converts_them(copy: Copy, load: Callable[..., Any]) -> None:
    folder = copy("bert-wordpiece")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"pickled weights are never read; convert .* python -c"):
        load(folder)


@pytest.mark.slow
def test_the_converting_command_converts(copy: Copy, load: Callable[..., Any], tmp_path: Path) -> None:
    import shlex

    import torch
    from safetensors.torch import load_file

    folder = copy("bert-unigram")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError) as caught:
        load(folder)
    command = shlex.split(str(caught.value).partition("new folder: ")[2])
    subprocess.run([sys.executable, *command[1:]], check=True, cwd=tmp_path, capture_output=True, timeout=120)
    assert load(tmp_path / "models" / "encoder-safe")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("models/none", "models/none: no such folder"),
        ("./none", "no such folder"),
        ("a/b/c", "no such folder"),
        ("two words", "neither a folder here nor a public model"),
        ("README.md", "is a file; an encoder is a folder or a Hub name"),
    ],
)
def test_what_is_no_encoder_at_all_is_told(load: Callable[..., Any], name: str, says: str) -> None:
    with pytest.raises(CheckpointError, match=says):
        load(name)


def test_model_that_decodes_too_is_refused(copy: Copy, load: Callable[..., Any]) -> None:
    from transformers import T5Config, T5Model

    folder = copy("bert-unigram")
    T5Model(T5Config(vocab_size=400, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2)).save_pretrained(folder)
    with pytest.raises(CheckpointError, match=r"encodes and decodes \(t5\)"):
        load(folder)


class Hub(BaseHTTPRequestHandler):
    """Answers as the Hub does for files of three repositories."""

    folders: ClassVar[dict[str, Path]] = {}

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *arguments: Any) -> None:
        pass

    def _answer(self, body: bool) -> None:
        name, _, file = self.path.strip("/").removeprefix("api/models/").partition("/resolve/main/")
        name = "/".join(name.split("/")[:2])
        folder = self.folders.get(name)
        if name == "somebody/gated":
            self._send(403, {"X-Error-Code": "GatedRepo"})
        elif folder is None:
            self._send(404, {"X-Error-Code": "RepoNotFound"})
        elif not file or not (folder / file).is_file():
            self._send(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": "0" * 40})
        else:
            content = (folder / file).read_bytes()
            tags = {"ETag": f'"{len(content)}-{file}"', "Content-Length": str(len(content))}
            self._send(200, tags | {"X-Repo-Commit": "0" * 40}, content if body else b"")

    def _send(self, status: int, headers: dict[str, str], content: bytes = b"") -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def hub(copy: Copy, tmp_path: Path) -> Iterator[str]:
    whole = copy("xlm-roberta-unigram")
    pickled = shutil.copytree(whole, tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    Hub.folders = {"somebody/whole": whole, "somebody/pickled": pickled, "somebody/empty": tmp_path / "nothing"}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


CODE = """
import sys, time
from pathlib import Path
from naba.errors import CheckpointError
from naba.modelling.checkpoint import from_encoder
from naba.modelling.pretrained import encoder_mark
from naba.schema import LabelSchema
schema = LabelSchema.load(Path(sys.argv[1]))
for name in sys.argv[2:]:
    started = time.perf_counter()
    try:
        from_encoder(name, schema, normalisation="standard-1", head="attention", max_tokens=64, dropout=0.1)
        said = f"loaded {encoder_mark(name, loaded=True)['commit']}"
    except CheckpointError as error:
        said = str(error)
    print(f"{time.perf_counter() - started:.1f}", said, sep="\\t")
"""


def from_hub(endpoint: str, cache: Path, root: Path, *names: str) -> list[tuple[float, str]]:
    """Load Hub names in a process of its own; gives seconds and what was said of each."""
    environment = dict(os.environ, HF_ENDPOINT=endpoint, HF_HUB_CACHE=str(cache), PYTHONPATH=str(root / "training"))
    environment |= {"DISABLE_SAFETENSORS_CONVERSION": "1", "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"}
    environment.pop("HF_HUB_OFFLINE", None)
    command = [sys.executable, "-c", CODE, str(root / "configs" / "labels.yaml"), *names]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=True)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    return [(float(seconds), said) for seconds, said in lines]


def test_hub_gives_an_encoder_and_each_refusal_of_its_is_told_apart(hub: str, tmp_path: Path, root: Path) -> None:
    names = ["whole", "pickled", "empty", "gated", "unheard-of"]
    said = dict(zip(names, from_hub(hub, tmp_path / "cache", root, *(f"somebody/{n}" for n in names)), strict=True))
    assert said["whole"][1] == f"loaded {'0' * 40}"  # the commit, which a run records
    assert "has no model.safetensors, and pickled weights are never read" in said["pickled"][1]
    assert "M.from_pretrained('somebody/pickled').save_pretrained('models/pickled')" in said["pickled"][1]
    assert "no config.json on the Hub" in said["empty"][1]
    assert "is gated; accept its terms at https://huggingface.co/somebody/gated" in said["gated"][1]
    assert "neither a folder here nor a public model" in said["unheard-of"][1]
    # And once it no longer answers: what was fetched works on, the rest is told in seconds.
    gone = from_hub("http://127.0.0.1:9", tmp_path / "cache", root, "somebody/whole", "somebody/unheard-of")
    assert gone[0][1] == f"loaded {'0' * 40}"
    assert "the Hub does not answer" in gone[1][1]
    assert all(seconds < 20 for seconds, _ in gone)


def test_folder_is_marked_by_its_content(encoder: Callable[[str], Path], tmp_path: Path) -> None:
    folder = encoder("bert-wordpiece")
    for loaded in (False, True):
        assert encoder_mark(str(folder), loaded=loaded) == describe_encoder(str(folder), None)
    with pytest.raises(CheckpointError, match="no such folder"):
        encoder_mark(str(tmp_path / "none"))
