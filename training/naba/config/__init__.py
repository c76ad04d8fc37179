"""The configuration of every command: one pydantic model each, read from YAML, changed by `--set key.sub=value`.

    config = load_config(TrainConfig, Path("configs/train.yaml"), ["epochs=2"])

Paths in a configuration are relative to the folder the command is started in. Unknown keys are errors.
"""

from naba.config.base import Config, load_config
from naba.config.building import BuildConfig, ResolveConfig, SplitConfig
from naba.config.reading import ArticleSource, Columns, ReadConfig
from naba.config.training import TrainConfig, TrainingSource
from naba.config.using import CompareConfig, EvaluateConfig, ExportConfig, LabelConfig, QuickstartConfig, RayConfig

__all__ = [
    "ArticleSource",
    "BuildConfig",
    "Columns",
    "CompareConfig",
    "Config",
    "EvaluateConfig",
    "ExportConfig",
    "LabelConfig",
    "QuickstartConfig",
    "RayConfig",
    "ReadConfig",
    "ResolveConfig",
    "SplitConfig",
    "TrainConfig",
    "TrainingSource",
    "load_config",
]
