"""Verbs from noise, judged: Gaussian score and coverage (notebook 05)."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from labkit.tables import Row


def gaussian_score(samples: Sequence[Row], train: Collection[Row]) -> float:
    """Share of the generated rows that are a row of the training table in all their forms.

    Each sample counts once, however often its row stands in the table.
    """
    known = set(train)
    return sum(row in known for row in samples) / len(samples)


def coverage(samples: Collection[Row], train: Collection[Row]) -> float:
    """Share of the training verbs that appear among the generated rows, all forms right."""
    known = set(train)
    return len(known & set(samples)) / len(known)


def wilson_interval(successes: float, trials: int) -> tuple[float, float]:
    """95 % confidence interval of a share (Wilson 1927): (low, high)."""
    z = 1.959964
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    spread = z / (1 + z * z / trials)
    spread *= math.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    return max(0.0, centre - spread), min(1.0, centre + spread)
