"""Where inputs are looked for: the current folder first, then naba's own checkout.

So `naba label seeds` and `encoder: models/naba-base` mean the same from any folder. Outputs are never redirected.
"""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
"""The folder that holds configs/, data/, models/, seeds/ when naba runs from a checkout."""

SHIPPED_MODEL = CHECKOUT / "models" / "naba-news"


def find(path: Path) -> Path:
    """`path` as given if it exists there or is absolute; else the same path in the checkout if that exists; else as given."""
    if path.is_absolute() or path.exists():
        return path
    shipped = CHECKOUT / path
    return shipped if shipped.exists() else path
