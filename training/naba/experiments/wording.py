"""Counts in plain words, as messages and tables have them.

counted(1, "cluster")          # 1 cluster
counted(1200, "cluster")       # 1,200 clusters
"""


def counted(number: int, one: str, many: str | None = None) -> str:
    """The number and the word for so many; its plural takes an s where none is given."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
