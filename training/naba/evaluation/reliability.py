"""Whether a probability means what it says, and above which confidence labels need no person.

Probabilities are those after the temperatures of `naba.calibration`; nothing is fitted here, so that the figures are as
honest as the data they are given.

    reliability(gold, topic_probability, stance_probability, schema)["topics"]["oil"].ece
    confidence, right = segment_confidence(gold, predicted, topic_probability, stance_probability, schema)
    recommend(confidence, right, target=0.05)      # label above .threshold by machine, send the rest to people
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from naba.errors import DataError
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Floats, Ints, Labels, exact

BINS = 10

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a reliability diagram."""

    count: int
    confidence: float
    """Mean probability of the bin's answers."""
    accuracy: float
    """Share of them that are right."""
    low: float
    """Wilson's 95 % interval of the share, low to high."""
    high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well one probability is calibrated; every score None where nothing was judged."""

    support: int
    ece: float | None
    """Expected calibration error over bins of equal width."""
    ece_equal_mass: float | None
    """The same over bins of equally many answers, which empty bins and crowded ends do not bend."""
    brier: float | None
    """Mean squared error of the probabilities; for stances summed over the stances, so at most 2."""
    bins: tuple[Bin, ...]
    """Bins of equal width that hold any answer, by rising probability."""


@dataclass(frozen=True)
class RiskCoverage:
    """Error among the answers kept, as the confidence asked for falls; one point a distinct confidence."""

    threshold: Floats  # [K], falling
    coverage: Floats  # [K]
    """Share of the answers at or above the threshold."""
    risk: Floats  # [K]
    """Share of those that are wrong."""
    aurc: float | None
    """Area under risk over coverage; lower is better. None without answers."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Label by machine at or above `threshold`, send the rest to people."""

    threshold: float
    coverage: float
    """Share of the segments that the machine labels."""
    automatic: int
    wrong: int
    error: float
    """Expected share of wrong ones among the machine's."""
    low: float
    """Clopper-Pearson's two-sided interval of the error at the same level, low to high."""
    high: float
    bound: float
    """Upper one-sided bound of the error; at most the target."""


def reliability(
    gold: Labels, topic_probability: Floats, stance_probability: Floats, schema: LabelSchema, *, bins: int = BINS
) -> dict[str, dict[str, Any]]:
    """Calibration of every topic's presence, of its likeliest stance, and of each of its stances.

    Args:
        topic_probability: [N, T]; stance_probability: [N, T, S], given that the topic is present.

    Returns:
        `topics` {topic: Calibration} over segments where the topic was judged; `stances` {topic: Calibration} of the
        likeliest stance, and `per_stance` {topic: {stance: Calibration}}, over segments where the stance was judged.

    Raises:
        DataError: a shape does not fit, or a value is no probability.
    """
    _check(gold, topic_probability, stance_probability, schema)
    found: dict[str, dict[str, Any]] = {"topics": {}, "stances": {}, "per_stance": {}}
    for t, topic in enumerate(schema.topic_ids):
        known = gold.presence[:, t] != UNKNOWN
        found["topics"][topic] = calibration(topic_probability[known, t], gold.presence[known, t] == 1, bins=bins)
        judged = (gold.presence[:, t] == 1) & (gold.stance[:, t] != UNKNOWN)
        probability, truth = stance_probability[judged, t], gold.stance[judged, t]  # [n, S], [n]
        right = probability.argmax(axis=1) == truth
        brier = brier_score(probability, truth) if len(truth) else None
        found["stances"][topic] = calibration(probability.max(axis=1), right, bins=bins, brier=brier)
        found["per_stance"][topic] = {
            stance: calibration(probability[:, s], truth == s, bins=bins) for s, stance in enumerate(schema.stance_ids)
        }
    return found


def calibration(probability: Floats, right: Flags, *, bins: int = BINS, brier: float | None = None) -> Calibration:
    """Calibration of one probability [n] that an answer is right [n]; `brier` where it is of more than this one."""
    if not len(right):
        return Calibration(0, None, None, None, ())
    if brier is None:
        brier = float(((probability - right) ** 2).mean())
    return Calibration(
        len(right),
        calibration_error(probability, right, bins=bins),
        calibration_error(probability, right, bins=bins, equal_mass=True),
        brier,
        tuple(reliability_bins(probability, right, bins=bins)),
    )


def reliability_bins(probability: Floats, right: Flags, *, bins: int = BINS, equal_mass: bool = False) -> list[Bin]:
    """The bars of a reliability diagram, empty ones left out (DeGroot and Fienberg 1983; Guo et al. 2017, section 2)."""
    found = []
    for members in _members(probability, bins, equal_mass):
        hits = int(right[members].sum())
        low, high = wilson(hits, len(members))
        found.append(Bin(len(members), float(probability[members].mean()), hits / len(members), low, high))
    return found


def calibration_error(probability: Floats, right: Flags, *, bins: int = BINS, equal_mass: bool = False) -> float:
    """Expected calibration error: |accuracy − confidence| of the bins, weighted by their size; 0 without answers.

    Bins of equal width: Naeini, Cooper and Hauskrecht 2015; of equal mass: Nixon et al. 2019, "adaptive".
    """
    found = reliability_bins(probability, right, bins=bins, equal_mass=equal_mass)
    return sum(bar.count * abs(bar.accuracy - bar.confidence) for bar in found) / max(1, len(right))


def brier_score(probability: Floats, truth: Ints) -> float:
    """Mean over answers of the squared error summed over classes, 0 to 2 (Brier 1950): [n, S] and class indices [n]."""
    return float(((probability - np.eye(probability.shape[1])[truth]) ** 2).sum(axis=1).mean())


def wilson(hits: int, total: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share (Wilson 1927; Brown, Cai and DasGupta 2001); (0, 1) of nothing."""
    if not total:
        return 0.0, 1.0
    interval = stats.binomtest(hits, total).proportion_ci(level, method="wilson")
    return float(interval.low), float(interval.high)


def segment_confidence(
    gold: Labels, predicted: Labels, topic_probability: Floats, stance_probability: Floats, schema: LabelSchema
) -> tuple[Floats, Flags]:
    """Confidence that a segment's whole answer is right, and whether it is, over the fully judged segments [n], [n].

    The confidence is the product over topics of the probability of what was answered: of absence, or of presence times
    that of the stance. It takes topics for independent; only its order matters to a threshold found on data.
    """
    _check(gold, topic_probability, stance_probability, schema)
    whole, right = exact(gold, predicted, schema)
    return confidence(predicted, topic_probability, stance_probability)[whole], right[whole]


def confidence(predicted: Labels, topic_probability: Floats, stance_probability: Floats) -> Floats:
    """The confidence of `segment_confidence` for segments without gold [N]: what a recommended threshold is put to."""
    stance = np.take_along_axis(stance_probability, predicted.stance[..., None], axis=-1)[..., 0]  # [N, T]
    answered = np.where(predicted.presence == 1, topic_probability * stance, 1 - topic_probability)
    return np.asarray(answered.prod(axis=1))


def risk_coverage(confidence: Floats, right: Flags) -> RiskCoverage:
    """Risk over coverage as the threshold falls (Geifman and El-Yaniv 2017); AURC: Geifman, Uziel and El-Yaniv 2019.

    AURC is the mean over n = 1 … N of the risk among the n surest. Answers of equal confidence cannot be told apart by
    any threshold, and all count with the risk at the end of their group.
    """
    ordered, ends, wrong = _groups(confidence, right)
    kept = ends + 1
    risk = wrong[ends] / kept
    sizes = np.diff(kept, prepend=0)
    aurc = float((risk * sizes).sum() / len(ordered)) if len(ordered) else None
    return RiskCoverage(ordered[ends], kept / max(1, len(ordered)), risk, aurc)


def recommend(
    confidence: Floats, right: Flags, *, target: float = 0.05, level: float = 0.95, candidates: int | None = None
) -> Recommendation | None:
    """The lowest confidence threshold whose error is below `target` with this certainty; None where none is.

    The bound is Clopper and Pearson's 1934, upper and one-sided, at each threshold by itself. Picking the lowest of many
    thresholds favours luck, if little where risk falls with confidence: in simulations the true error was above the
    target in 2 to 6 % of the recommendations, and 8 % with a useless confidence and an error just above the target.
    `candidates` keeps the promise in every case, and recommends far less: only that many coverages, evenly spaced, are
    tried, each at level 1 − (1 − level) / candidates (Bonferroni, as Geifman and El-Yaniv 2017, section 3).

    Args:
        confidence: [n]; right: [n], of answers the threshold's model was not fitted on. Answers are taken for
            independent: with many from the same article the true error is less sure than the bound says.

    Raises:
        DataError: target or level is not between 0 and 1, or fewer than one candidate.
    """
    if not 0 < target < 1 or not 0 < level < 1 or (candidates is not None and candidates < 1):
        raise DataError(
            f"target = {target}, level = {level}, candidates = {candidates}: expected shares between 0 and 1, and at least one candidate"
        )
    ordered, ends, wrong = _groups(confidence, right)
    slack = 1 - level
    if candidates is not None and len(ends):
        wanted = np.ceil(len(ordered) * np.arange(1, candidates + 1) / candidates) - 1
        ends, slack = ends[np.unique(np.searchsorted(ends, wanted))], slack / candidates
    kept, errors = ends + 1, wrong[ends]
    bounds = _upper(errors, kept, slack)
    good = np.flatnonzero(bounds <= target)
    if not len(good):
        return None
    best = int(good[-1])
    automatic, failed = int(kept[best]), int(errors[best])
    both = stats.binomtest(failed, automatic).proportion_ci(level, method="exact")
    return Recommendation(
        float(ordered[ends[best]]),
        automatic / len(ordered),
        automatic,
        failed,
        failed / automatic,
        float(both.low),
        float(both.high),
        float(bounds[best]),
    )


def _upper(errors: Ints, total: Ints, slack: float) -> Floats:
    """Clopper-Pearson's upper one-sided bound at level 1 − slack."""
    certain = errors >= total
    bound = stats.beta.ppf(1 - slack, errors + 1, np.where(certain, 1, total - errors))
    return np.asarray(np.where(certain, 1.0, bound))


def _groups(confidence: Floats, right: Flags) -> tuple[Floats, Ints, Ints]:
    """Confidences falling [n], the last index of each run of equal ones [K], and the wrong answers up to each [n]."""
    if confidence.shape != right.shape or not np.isfinite(confidence).all():
        raise DataError(
            f"confidences of shape {confidence.shape} for answers of shape {right.shape}, or not finite: give one for each answer"
        )
    order = np.argsort(-confidence, kind="stable")
    ordered = confidence[order]
    ends = np.flatnonzero(np.append(ordered[:-1] > ordered[1:], True)[: len(ordered)])
    return ordered, ends, np.cumsum(~right[order].astype(bool))


def _members(probability: Floats, bins: int, equal_mass: bool) -> list[Ints]:
    """The indices in each bin that holds any."""
    if equal_mass:
        parts = np.array_split(np.argsort(probability, kind="stable"), bins)
    else:
        # Right-closed as in Guo et al. 2017; 0 goes into the first.
        of = np.clip(np.ceil(probability * bins).astype(int) - 1, 0, bins - 1)
        parts = [np.flatnonzero(of == number) for number in range(bins)]
    return [part for part in parts if len(part)]


def _check(gold: Labels, topic: Floats, stance: Floats, schema: LabelSchema) -> None:
    shape = gold.presence.shape
    if topic.shape != shape or stance.shape != (*shape, len(schema.stance_ids)):
        raise DataError(f"probabilities of shape {topic.shape} and {stance.shape} for labels of shape {shape}")
    if not all(((values >= 0) & (values <= 1)).all() for values in (topic, stance)):
        raise DataError("a probability is below 0, above 1 or no number: give probabilities, not logits")
