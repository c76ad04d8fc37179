"""A share of segments with its interval.

Share(3, 12).value, Share(3, 12).interval     # 0.25, (0.089, 0.532)
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

Z = NormalDist().inv_cdf(0.975)
"""Of a two-sided 95 % interval."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many; of nothing there is no share."""

    hits: int
    total: int

    @property
    def value(self) -> float | None:
        """In [0, 1]; None of nothing."""
        return self.hits / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval, low to high; None of nothing.

        Wilson 1927; Brown, Cai and DasGupta 2001, equation 4. It takes segments for independent. In closed form, where
        `naba.evaluation.reliability.wilson` asks scipy: a table of days and outlets has a million of them.
        """
        if not self.total:
            return None
        weight = self.total + Z * Z
        centre = (self.hits + Z * Z / 2) / weight
        half = Z / weight * math.sqrt(self.hits * (self.total - self.hits) / self.total + Z * Z / 4)
        low = 0.0 if self.hits == 0 else centre - half
        high = 1.0 if self.hits == self.total else centre + half
        return low, high
