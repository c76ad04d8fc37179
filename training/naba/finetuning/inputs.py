"""Whether what a training is to read is there: asked before seconds go into loading what trains.

check_inputs(config)
"""

from naba.config import TrainConfig
from naba.errors import ConfigError, DataError
from naba.paths import find
from naba.schema import LabelSchema
from naba.text import normaliser


def check_inputs(config: TrainConfig) -> None:
    """Look for data files, label schema and normalisation preset.

    Raises:
        ConfigError: no file is named, or the preset is unknown.
        DataError: a data file is not there, or is a folder.
        SchemaError: there is no label schema, or it is broken.
    """
    parts = {"train": [source.path for source in config.train], "validation": config.validation}
    for name, paths in parts.items():
        if not paths:
            raise ConfigError(
                f"{name}: names no file; `naba build` makes both parts, and the checkpoint is chosen on validation"
            )
        for path in paths:
            if find(path).is_dir():
                raise DataError(f"{path}: is a folder; name under {name!r} the JSONL files in it")
            if not find(path).is_file():
                raise DataError(f"{path}: no such file, named under {name!r}")
    LabelSchema.load(find(config.labels))
    normaliser(config.normalisation)
