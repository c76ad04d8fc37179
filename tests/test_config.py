from pathlib import Path

import pytest

from naba.cascade.config import CascadeConfig
from naba.config import (
    BuildConfig,
    CompareConfig,
    Config,
    EvaluateConfig,
    ExportConfig,
    LabelConfig,
    QuickstartConfig,
    TrainConfig,
    load_config,
)
from naba.errors import ConfigError
from naba.experiments.search_space import SearchConfig
from naba.importing.mapping import ImportConfig
from naba.pretraining.config import PretrainConfig

KINDS = {
    "cascade.yaml": CascadeConfig,
    "export.yaml": ExportConfig,
    "build.yaml": BuildConfig,
    "articles.yaml": BuildConfig,
    "import.yaml": ImportConfig,
    "pretrain.yaml": PretrainConfig,
    "search.yaml": SearchConfig,
    "train.yaml": TrainConfig,
    "naba-news.yaml": TrainConfig,
    "naba-news-start.yaml": TrainConfig,
    "evaluate.yaml": EvaluateConfig,
    "compare.yaml": CompareConfig,
    "label.yaml": LabelConfig,
    "quickstart.yaml": QuickstartConfig,
}

RUN = ["train=[a.jsonl]", "validation=[b.jsonl]", "out=run"]


@pytest.mark.parametrize(
    ("overrides", "given", "says"),
    [
        ([], {"runner": "spark"}, "command line: runner = 'spark'"),
        (["runner=spark"], {}, "--set: runner = 'spark'"),
        (["read.encoding=utf8x"], {}, "--set: read.encoding = 'utf8x': no such encoding; for example utf-8"),
        (["read.encoding=base64"], {}, "no such encoding"),
    ],
)
def test_fault_names_where_the_value_was_given(
    root: Path, overrides: list[str], given: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(LabelConfig, root / "configs" / "label.yaml", overrides, given)
    assert says in str(error.value)


def test_every_shipped_configuration_loads(root: Path) -> None:
    files = {path.name for path in (root / "configs").glob("*.yaml")} - {"labels.yaml"}
    assert files == set(KINDS)
    for name, kind in KINDS.items():
        load_config(kind, root / "configs" / name)


def test_rates_written_in_scientific_notation_are_numbers(tmp_path: Path) -> None:
    # PyYAML reads 2e-5 as a string.
    path = tmp_path / "train.yaml"
    path.write_text("train: [a]\nvalidation: [b]\nout: c\nlearning_rate: 2e-5\n")
    assert load_config(TrainConfig, path).learning_rate == 2e-5


def test_override_reaches_nested_keys() -> None:
    config = load_config(LabelConfig, None, ["read.columns.text=body", "shard=8"])
    assert config.read.columns.text == "body"
    assert config.shard == 8


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("epoch=3", "unknown key 'epoch'.*epochs"),
        ("read.max_word=3", "unknown key 'read.max_word'.*max_words"),
        ("shard=none", "shard = 'none'"),
        ("shard=0", "shard = 0"),
        ("shard", "expected key=value"),
        ("read.max_words.x=1", "max_words"),
        ("shard=[", "not YAML"),
    ],
)
def test_bad_override_names_key_and_value(override: str, says: str) -> None:
    kind = TrainConfig if override.startswith("epoch") else LabelConfig
    with pytest.raises(ConfigError, match=says):
        load_config(kind, None, ["read.max_words=90", override] if kind is LabelConfig else [override])


@pytest.mark.parametrize("key", ["epochs", "learning_rate", "weight_decay", "stance_weight", "max_grad_norm"])
@pytest.mark.parametrize("value", [".inf", ".nan"])
def test_number_that_is_none_is_refused(key: str, value: str) -> None:
    with pytest.raises(ConfigError, match=rf"{key} = (inf|nan): Input should be a finite number"):
        load_config(TrainConfig, None, [*RUN, f"{key}={value}"])


def test_weight_and_seed_are_numbers_that_can_be_used() -> None:
    for override, says in {
        "train=[{path: a.jsonl, weight: .inf}]": "train.0.weight = inf",
        "seed=-1": "seed = -1",
        f"seed={2**32}": "seed = 4294967296",
    }.items():
        with pytest.raises(ConfigError, match=says):
            load_config(TrainConfig, None, [*RUN, override])
    assert load_config(TrainConfig, None, [*RUN, f"seed={2**32 - 1}"]).seed == 2**32 - 1


def test_missing_file_missing_key_and_broken_yaml_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such configuration file"):
        load_config(TrainConfig, tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="'train' is missing"):
        load_config(TrainConfig, None)
    (tmp_path / "broken.yaml").write_text("train: [a\n")
    with pytest.raises(ConfigError, match="not YAML"):
        load_config(TrainConfig, tmp_path / "broken.yaml")
    (tmp_path / "list.yaml").write_text("- a\n")
    with pytest.raises(ConfigError, match="expected keys"):
        load_config(TrainConfig, tmp_path / "list.yaml")


def test_day_that_no_calendar_has_is_a_fault_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "build.yaml"
    path.write_text("out: x\nsplit: {method: time, test_from: 2024-02-30}\n")
    with pytest.raises(ConfigError, match=r"build\.yaml: not YAML"):
        load_config(BuildConfig, path)
    with pytest.raises(ConfigError, match=r"--set split\.test_from=2024-02-30"):
        load_config(BuildConfig, None, ["split.test_from=2024-02-30"])


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("epoch=3", "^--set: unknown key 'epoch'; known: "),
        ("epochs=-1", "^--set: epochs = -1"),
        ("train=[{path: a.jsonl, weight: 0}]", "^--set: train.0.weight = 0"),
    ],
)
def test_mistake_of_set_is_not_laid_to_the_file(tmp_path: Path, override: str, says: str) -> None:
    path = tmp_path / "train.yaml"
    path.write_text("train: [a]\nvalidation: [b]\nout: c\n")
    with pytest.raises(ConfigError, match=says):
        load_config(TrainConfig, path, [override])
    path.write_text("train: [a]\nvalidation: [b]\nout: c\nepochs: -1\n")
    with pytest.raises(ConfigError, match=r"train\.yaml: epochs = -1"):
        load_config(TrainConfig, path, ["seed=2"])


def test_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder; name a configuration file"):
        load_config(TrainConfig, tmp_path)


def test_recorded_values_are_changed_by_set_and_stay_as_they_were() -> None:
    recorded = {"train": ["a"], "validation": ["b"], "out": "c", "epochs": 3}
    config = load_config(TrainConfig, None, ["epochs=1"], {"out": Path("d")}, recorded)
    assert (config.epochs, config.out, config.validation) == (1, Path("d"), [Path("b")])
    assert recorded["epochs"] == 3


@pytest.mark.parametrize("kind", [TrainConfig, PretrainConfig])
def test_every_key_says_what_it_means(kind: type[Config]) -> None:
    silent = [name for name, field in kind.model_fields.items() if not field.description]
    assert silent == []
