"""The configurations of the commands that use a run: `naba evaluate`, `naba export`, `naba label`, and the quickstart."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from naba.config.base import Config
from naba.config.building import BuildConfig
from naba.config.reading import ReadConfig
from naba.config.training import TrainConfig


class EvaluateConfig(Config):
    """`naba evaluate`: a run against labelled segments."""

    data: list[Path]
    """JSONL of labelled segments that the run has not seen."""
    mapping: Path | None = None
    """What the labels of a text classifier of another make mean; see configs/mappings/example.yaml."""
    compare: list[str] = []
    """Other runs, scored on the same segments."""
    train: list[Path] = []
    """What the baselines are fitted on and leaks are looked for in; the run's own training files where not given."""
    validation: list[Path] = []
    """What operating points are chosen on; the run's own validation files where not given."""
    baselines: Literal["all", "fast", "none"] = "all"
    """fast: those that need seconds; all: with those that put the training segments through the encoder."""
    behaviour: Path | None = None
    """Folder of behaviour tests that are run too, such as configs/behaviour; none where not given."""
    rules: Path = Path("configs/rules")
    """Folder of the labelling rules that are one of the baselines."""
    encoder: str | None = None
    """The encoder of the baselines; the one that the run was fine-tuned from where not given."""
    cache: Path | None = Path("data/built/embeddings")
    """Folder where the encoder's vectors are kept, under hashes of the texts; it may be removed at any time."""
    out: Path | None = None
    """Folder of the report; the run folder where not given."""
    texts: bool = True
    """Show the words of the segments that are listed; false: ids only, for a report of texts that may not be passed on."""
    shown: int = Field(50, ge=0)
    """So many mistakes, and so many suspected labels, are listed one by one."""
    slice_fields: list[str] = ["register"]
    """Fields of the rows to slice by, besides what every row has."""
    drop_seen: bool = False
    """Leave out the segments that share an article or text with the training data."""
    allow_leak: bool = False
    """Score segments that the run was trained or chosen on; the report is marked."""
    resamples: int = Field(2000, ge=200)
    """Bootstrap resamples behind every interval."""
    target_error: float = Field(0.1, gt=0, lt=1)
    """Share of wrong ones allowed among the segments that the recommended confidence lets the machine label."""
    batch_size: int = Field(32, ge=1)
    """Segments a forward pass."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """auto: CUDA where there is one."""


class CompareConfig(Config):
    """`naba compare`: runs on the same labelled segments."""

    data: list[Path]
    """JSONL of labelled segments that the runs have not seen."""
    mapping: Path | None = None
    """What the labels of text classifiers of another make mean; see configs/mappings/example.yaml."""
    drop_seen: bool = False
    """Leave out the segments that share an article or text with the training data of any of the runs."""
    allow_leak: bool = False
    """Score segments that a run was trained or chosen on; the comparison is marked."""
    resamples: int = Field(2000, ge=200)
    """Bootstrap resamples behind every interval, and swaps behind every test."""
    out: Path = Path("comparison")
    """Folder of comparison.json, .md and .html."""
    batch_size: int = Field(32, ge=1)
    """Segments a forward pass."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """auto: CUDA where there is one."""


class ExportConfig(Config):
    """`naba export`: a run's int8 form, made and checked."""

    data: list[Path] = []
    """JSONL of labelled segments that the exported form is compared with the run on; the run's own validation files where not given."""
    float32: bool = False
    """Keep the float32 graph too (onnx/float32.onnx, four times as large), for programs of your own."""


class RayConfig(Config):
    """`naba label --runner ray`: how a Ray cluster is used."""

    address: str | None = None
    """auto: the cluster that this machine is a node of; HOST:PORT: of the cluster's head; null: Ray is started on this machine for this job alone."""
    actors: int | None = Field(None, ge=1)
    """At most so many processes hold the model; as many as the cluster has room for where not given."""
    cpus_per_actor: int = Field(1, ge=1)
    """CPU cores, and threads, of each of them."""
    gpus_per_actor: float = Field(0, ge=0)
    """GPUs of each of them; 0.5 where two are to share one, so that it computes while one of them reads and writes."""
    readers: int | None = Field(None, ge=1)
    """At most so many files are read at once; one for every eight actors, or four for each on a GPU, where not given."""


class LabelConfig(Config):
    """`naba label`: articles in, labelled articles out."""

    model: str | None = None
    """A run folder; the shipped model where not given."""
    read: ReadConfig = ReadConfig()
    formats: list[Literal["jsonl", "csv", "parquet"]] = Field(["jsonl"], min_length=1)
    """What is written into a folder; the ending of an output file says its own."""
    shard: int = Field(500, ge=1)
    """Records, or files of one article each, that are read, labelled and written together."""
    engine: Literal["auto", "int8", "bfloat16", "float16", "float32"] = "auto"
    """int8: the form that naba export makes; the others are PyTorch's; auto: the fastest here of those that answer alike."""
    batch_tokens: int | None = Field(None, ge=8)
    """Tokens a batch, padding counted; what the engine is fast with where not given."""
    cascade: float | None = Field(None, gt=0, lt=1)
    """A recall, such as 0.99, that naba cascade certified: the model reads only what the run's first stage passes on; none: all."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """auto: CUDA where there is one."""
    runner: Literal["local", "ray"] = "local"
    """local: this process; ray: Ray Data, on this machine or on a cluster, into a folder that all its nodes share. Both write the same."""
    ray: RayConfig = RayConfig()

    @field_validator("formats")
    @classmethod
    def _each_once(cls, formats: list[str]) -> list[str]:
        return list(dict.fromkeys(formats))


class QuickstartConfig(Config):
    """`naba quickstart`: the whole path on the shipped data."""

    articles: list[Path]
    build: BuildConfig
    train: TrainConfig
    out: Path
