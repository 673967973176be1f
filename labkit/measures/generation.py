"""Verbs from noise, judged: Gaussian score and coverage (notebook 05)."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from labkit.measures.baselines import SuffixRules
from labkit.tables import Pair, Row


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


def expected_coverage(score: float, samples: int, verbs: int) -> float:
    """What an even sampler covers: one that draws each of `verbs` verbs as often as any other.

    Of its samples the share `score` are known verbs, so n = score · samples of them count, and a
    verb is missed by all of these with probability (1 − 1/verbs)^n. Even a perfect sampler covers
    only 0.57 of 1,200 verbs with 1,000 samples: compare a coverage with this, not with 1.
    """
    return 1 - (1 - 1 / verbs) ** (score * samples)


def kinds_of_rows(samples: Sequence[Row], train: Sequence[Row]) -> dict[str, int]:
    """How many generated rows are of which kind.

    "a training verb": all forms of one, in their places. "forms of different verbs": each form
    stands in its column of the table, but not in one row. "new, by the rules": some form is new,
    and all are what suffix rules counted in the table make of the first. "new, mixed": the rest.
    """
    known, columns = set(train), [set(column) for column in zip(*train, strict=True)]
    rules = SuffixRules(train)
    counts = dict.fromkeys(
        ("a training verb", "forms of different verbs", "new, by the rules", "new, mixed"), 0
    )
    for row in samples:
        if row in known:
            kind = "a training verb"
        elif all(form in column for form, column in zip(row, columns, strict=True)):
            kind = "forms of different verbs"
        else:
            wanted = rules([Pair(row[0], "", 0, form) for form in range(1, len(row))])
            kind = "new, by the rules" if wanted == [*row[1:]] else "new, mixed"
        counts[kind] += 1
    return counts


def wilson_interval(successes: float, trials: int) -> tuple[float, float]:
    """95 % confidence interval of a share (Wilson 1927): (low, high)."""
    z = 1.959964
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    spread = z / (1 + z * z / trials)
    spread *= math.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    return max(0.0, centre - spread), min(1.0, centre + spread)
