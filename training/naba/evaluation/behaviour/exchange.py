"""Exchanging names within groups, all at once: Khartoum becomes Sanaa while Sanaa becomes Goma.

Whoever acts stays one actor throughout a text, and a name gets another of its group, whose gender and number the
author of the group answers for. Arabic's attached particles are kept (وبالسودان، للسودان).

    exchange_names("زار وفد للسودان قطر", [["السودان", "اليمن"]])      # "زار وفد لليمن قطر"
"""

import re
from collections.abc import Sequence

_LETTER = "\u0621-\u063a\u0641-\u064a"
_ARTICLE = "ال"


def exchange_names(text: str, groups: Sequence[Sequence[str]], step: int = 1) -> str:
    """Put in place of every name of a group the one `step` further on in it, round and round."""
    other = {name: group[(place + step) % len(group)] for group in groups for place, name in enumerate(group)}
    longest_first = sorted(other, key=len, reverse=True)
    names = "|".join(map(re.escape, longest_first))
    # ل before the article swallows its alef: ل + السودان = للسودان.
    bare = {name.removeprefix(_ARTICLE): name for name in longest_first if name.startswith(_ARTICLE)}
    contracted = "|".join(map(re.escape, bare)) or "(?!)"
    pattern = re.compile(
        f"(?<![{_LETTER}])(?:(?P<before>[وف]?[بكل]?)(?P<name>{names})|(?P<joined>[وف]?)لل(?P<bare>{contracted}))(?![{_LETTER}])"
    )

    def replace(match: re.Match[str]) -> str:
        if match["bare"]:
            return match["joined"] + _with_lam(other[bare[match["bare"]]])
        before, name = match["before"], other[match["name"]]
        return before[:-1] + _with_lam(name) if before.endswith("ل") else before + name

    return pattern.sub(replace, text)


def _with_lam(name: str) -> str:
    return "لل" + name.removeprefix(_ARTICLE) if name.startswith(_ARTICLE) else "ل" + name
