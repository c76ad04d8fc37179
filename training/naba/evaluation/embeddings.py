"""Texts as unit vectors of a frozen encoder, for the baselines that ask what it knows before it is fine-tuned.

The vector is the mean of the last layer's token states, at length one, as the encoders made for sentences are read
(Reimers and Gurevych 2019, "Sentence-BERT", section 3). A text is run through the encoder once: vectors are kept in memory,
and in a file where a folder for it is given, so that another run from the same encoder need not make them again.

    embedder = Embedder.load(EncoderSource("models/naba-base", cache=Path("data/built/embeddings")))
    embedder.embed(["…"])  # [1, D]

Between `naba.modelling.pretrained` and `naba.evaluation.encoder_baselines`.
"""

import logging
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
import torch
import xxhash
import yaml
from numpy.typing import NDArray

from naba.errors import CheckpointError
from naba.fingerprint import fingerprint_of
from naba.modelling.device import pick_device, pick_precision
from naba.modelling.encode import pad
from naba.modelling.pretrained import check_reach, load_pretrained
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.records import segment_id
from naba.scores import Floats
from naba.text import normaliser

BATCH = 64
_FORMAT = 1
"""Raise it when the same text gets another vector."""
_E5 = re.compile(r"(^|[-_/])e5([-_/]|$)", re.IGNORECASE)
E5_PREFIX = "query: "
"""What E5 was trained to see before a text whose vector is a feature or is compared with its like (Wang et al. 2022, and
the model's card)."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EncoderSource:
    """An encoder, and how texts are put to it."""

    name: str
    """A folder or a Hub name."""
    normalisation: str = "standard-1"
    max_tokens: int = 192
    """Longer texts are read in pieces of this many tokens, and the mean is over all of them."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    prefix: str | None = None
    """Put before every text; None: `E5_PREFIX` for an E5 or an encoder whose card names one as its base, else nothing."""
    cache: Path | None = None
    """Folder where vectors are kept, under hashes of the texts; it may be removed at any time."""


class Embedder:
    """A loaded encoder. Make one with `Embedder.load`."""

    def __init__(
        self,
        tokenizer: Any,
        backbone: Any,
        normalise: Callable[[str], str],
        max_tokens: int,
        prefix: str = "",
        file: Path | None = None,
    ) -> None:
        """Wrap a loaded encoder; `file` is where its vectors are kept."""
        self.prefix = prefix
        self._tokenizer, self._backbone, self._normalise, self._max_tokens = tokenizer, backbone, normalise, max_tokens
        self._file = file
        self._known = _read(file) if file else {}

    @classmethod
    def load(cls, source: EncoderSource) -> "Embedder":
        """Load an encoder, in bfloat16 where the processor multiplies it natively.

        Raises:
            CheckpointError: it is not there, cannot be reached, or cannot read `max_tokens` tokens.
            ConfigError: the normalisation is unknown, or CUDA asked for and absent.
        """
        normalise = normaliser(source.normalisation)
        device = pick_device(source.device)
        precision = pick_precision("auto", device)
        tokenizer, backbone = load_pretrained(source.name, head="attention", labels=0, dropout=0.0)
        check_reach(source.name, tokenizer, backbone, source.max_tokens)
        prefix = _prefix(source.name) if source.prefix is None else source.prefix
        file = None
        if source.cache:
            marks = [_FORMAT, _mark(tokenizer, backbone), precision, source.normalisation, source.max_tokens, prefix]
            file = source.cache / f"{fingerprint_of(marks)}.npz"
        backbone.eval().to(device=device, dtype=getattr(torch, precision))
        return cls(tokenizer, backbone, normalise, source.max_tokens, prefix, file)

    def embed(self, texts: Sequence[str], *, progress: Progress = SILENT) -> Floats:
        """Unit vectors [N, D] float32 of texts, each distinct one run once; rounded to float16, as they are kept.

        Raises CheckpointError where the encoder gives values that are no numbers.
        """
        ids = [segment_id(text) for text in texts]
        missing = {key: text for key, text in zip(ids, texts, strict=True) if key not in self._known}
        if missing:
            vectors = self._run(list(missing.values()), progress)
            self._known |= dict(zip(missing, vectors, strict=True))
            if self._file:
                _write(self._file, self._known)
        if not ids:
            return np.zeros((0, self._backbone.config.hidden_size), dtype=np.float32)
        return np.stack([self._known[key] for key in ids]).astype(np.float32)

    def _run(self, texts: Sequence[str], progress: Progress) -> NDArray[np.float16]:
        encoded = self._tokenizer(
            [self.prefix + self._normalise(text) for text in texts],
            truncation=True,
            max_length=self._max_tokens,
            return_overflowing_tokens=True,
        )
        pieces, owners = encoded["input_ids"], np.array(encoded["overflow_to_sample_mapping"])
        total = np.zeros((len(texts), self._backbone.config.hidden_size), dtype=np.float64)
        with torch.inference_mode(), progress.task("embedding", len(pieces), "segments") as advance:
            for rows in _batches(pieces):
                np.add.at(total, owners[rows], self._summed([pieces[row] for row in rows]))
                advance(len(rows), "")
        # The length of the mean is that of the sum, once both are scaled to one.
        length = np.linalg.norm(total, axis=1, keepdims=True)
        if not np.isfinite(length).all() or not length.all():
            raise CheckpointError("the encoder gives values that are no numbers; it cannot be used as it is")
        return np.asarray((total / length).astype(np.float16))

    def _summed(self, pieces: Sequence[Sequence[int]]) -> Floats:
        """Sum of the token states of each piece [B, D]."""
        device = next(self._backbone.parameters()).device
        batch = {name: tensor.to(device) for name, tensor in pad(pieces, self._tokenizer.pad_token_id).items()}
        states = self._backbone(**batch).last_hidden_state.float()  # [B, L, D]
        return np.asarray((states * batch["attention_mask"][..., None]).sum(dim=1).cpu().numpy())


def _batches(pieces: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Rows of like length together, longest first."""
    order = sorted(range(len(pieces)), key=lambda row: len(pieces[row]), reverse=True)
    return (order[start : start + BATCH] for start in range(0, len(order), BATCH))


def _prefix(name: str) -> str:
    """The prefix an encoder wants, by its name or by the base model that the head of its card states."""
    names = (name, *_bases(find(Path(name)) / "README.md"))
    return E5_PREFIX if any(_E5.search(Path(one).name) for one in names) else ""


def _bases(card: Path) -> list[str]:
    if not card.is_file():
        return []
    head = card.read_text(encoding="utf-8", errors="replace").removeprefix("---").partition("\n---")[0]
    try:
        stated = yaml.safe_load(head)["base_model"]
    except (yaml.YAMLError, KeyError, TypeError):
        return []  # a card without a head, or with another
    return [str(base) for base in (stated if isinstance(stated, list) else [stated])]


def _mark(tokenizer: Any, backbone: Any) -> str:
    """A mark of what the vectors follow from, wherever it was loaded from: weights as loaded, and tokenizer."""
    digest = xxhash.xxh3_128(tokenizer.backend_tokenizer.to_str().encode())
    for name, tensor in sorted(backbone.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def _read(file: Path) -> dict[str, NDArray[np.float16]]:
    if not file.is_file():
        return {}
    try:
        with np.load(file, allow_pickle=False) as kept:
            return dict(zip(kept["ids"].tolist(), kept["vectors"], strict=True))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        logger.warning("%s: cannot be read (%s); the vectors are made again", file, error)
        return {}


def _write(file: Path, known: dict[str, NDArray[np.float16]]) -> None:
    """Keep vectors; a disk that is full or closed costs the next run some minutes, not this one its result."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".", suffix=".tmp", delete=False) as temporary:
            path = Path(temporary.name)
            try:
                np.savez(temporary, ids=np.array(list(known)), vectors=np.stack(list(known.values())))
                temporary.close()
                path.replace(file)
            finally:
                path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("%s: cannot be written (%s); the vectors are not kept", file, error.strerror or error)
