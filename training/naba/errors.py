"""Errors that are the user's to mend: one line saying what, where and what to do.

`naba.cli` prints them without a traceback and exits with 2. Anything else that escapes is a bug of naba.
"""


class NabaError(Exception):
    """Base of every error a user can cause and mend."""


class ConfigError(NabaError):
    """A configuration file or `--set` override cannot be used."""


class SchemaError(NabaError):
    """A label schema is broken, or labels do not belong to it."""


class DataError(NabaError):
    """An input file or record cannot be read as what it should be."""


class CheckpointError(NabaError):
    """A run folder or model is missing, incomplete, or made for something else."""
