"""Where inputs are looked for: the current folder first, then naba's own checkout.

So `naba label seeds` and `encoder: models/naba-base` mean the same from any folder. Outputs are never redirected.
"""

import errno
from contextlib import suppress
from pathlib import Path

from naba.errors import DataError

CHECKOUT = Path(__file__).resolve().parents[2]
"""The folder that holds configs/, data/, models/, seeds/ when naba runs from a checkout."""

SHIPPED_MODEL = CHECKOUT / "models" / "naba-news"


def find(path: Path) -> Path:
    """`path` as given if it exists there or is absolute; else the same path in the checkout if that exists; else as given.

    Raises DataError for a path that is longer than any file's, or that lies where it may not be looked for.
    """
    try:
        if path.exists() or path.is_absolute():
            return path
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise DataError(f"{str(path)[:80]}…: no such file or folder ({error.strerror})") from None
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the rights of its folders") from None
    shipped = CHECKOUT / path
    with suppress(OSError):
        if shipped.exists():
            return shipped
    return path
