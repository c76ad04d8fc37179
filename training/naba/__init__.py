"""naba: topic and stance of Arabic news segments.

from naba import Labeller
Labeller.load().label(["…"])
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Article", "LabelSchema", "Labeller", "Prediction", "Segment", "__version__"]

if TYPE_CHECKING:
    from naba.labelling.labeller import Labeller
    from naba.records import Article, Prediction, Segment
    from naba.schema import LabelSchema

_HOMES = {
    "Article": "naba.records",
    "LabelSchema": "naba.schema",
    "Labeller": "naba.labelling.labeller",
    "Prediction": "naba.records",
    "Segment": "naba.records",
}


def __getattr__(name: str) -> Any:
    # Loaded on first use: torch and transformers take seconds, `naba --help` must not.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'naba' has no attribute {name!r}")
