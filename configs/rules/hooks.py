"""Python rules: what takes counting. Each function gets a RuleText and returns a vote, or None to abstain.

A rule names one as `python: hooks.py:casualties`; its `find`, `unless` and so on are checked first.
"""

from naba.voting.rules.apply import RuleText
from naba.voting.rules.lexicon import Span


def casualties(text: RuleText) -> str | None:
    """A number beside the dead or wounded, fighting nearby, and no position: military action, neutral."""
    if text.has("positions", "stop", "refusal") or not text.has("strike", "clash", "hit", "assault", "war", "fighters"):
        return None
    counted = any(_number_near(text, span) for name in ("dead", "killed") for span in text.spans(name))
    return "neutral" if counted else None


def counted_loads(text: RuleText) -> str | None:
    """A number beside lorries or tons of relief, and nobody who sends or blocks them: neutral."""
    if text.has(
        "sending", "opening", "block", "blocking", "demand", "warning", "domestic", "insist", "speech", "refusal"
    ):
        return None
    if not text.has("relief", "goods", "agency", "crossing"):
        return None
    return "neutral" if any(_number_near(text, span) for span in text.spans("aid_load")) else None


def _number_near(text: RuleText, span: Span) -> bool:
    """Whether a number, in digits or in words, stands up to two words before the span or just behind it."""
    first, last = max(span[0] - 2, 0), span[1] + 1
    spelt = any(first <= start and end <= last for start, end in text.spans("number"))
    return spelt or any(word.form.isdigit() for word in text.words[first:last])
