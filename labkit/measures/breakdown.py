"""Conversions, taken apart: by form, by kind of verb, by kind of error (notebook 05)."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from labkit.measures.baselines import Converter
from labkit.measures.conversion import all_pairs
from labkit.measures.regular import is_irregular
from labkit.tables import Alternates, Pair, Row


class Conversion(NamedTuple):
    """One conversion of one verb, judged."""

    row: Row
    pair: Pair
    output: str
    right: bool  # the target, or another accepted form


def convert_all(
    convert: Converter, rows: Sequence[Row], alternates: Alternates | None = None
) -> list[Conversion]:
    """Every conversion between two forms of each verb: 12 a verb in English."""
    pairs = all_pairs(rows)
    accepted = alternates or {}
    each = [row for row in rows for _ in range(len(row) * (len(row) - 1))]
    return [
        Conversion(
            row,
            pair,
            output,
            output == pair.target or output in accepted.get((row[0], pair.target_tense), ()),
        )
        for row, pair, output in zip(each, pairs, convert(pairs), strict=True)
    ]


def share_right(conversions: Sequence[Conversion]) -> float:
    """Share of the conversions that are right; nan if there are none."""
    return sum(c.right for c in conversions) / len(conversions) if conversions else math.nan


def interval_over_verbs(conversions: Sequence[Conversion]) -> tuple[float, float]:
    """95 % interval of `share_right`, with verbs as the sample: mean ± 1.96 standard errors.

    A verb's conversions succeed or fail together, so 150 verbs are 150 observations, not 1,800.
    """
    by_verb: dict[Row, list[bool]] = {}
    for conversion in conversions:
        by_verb.setdefault(conversion.row, []).append(conversion.right)
    shares = [statistics.fmean(right) for right in by_verb.values()]
    mean = statistics.fmean(shares)
    if len(shares) < 2:
        return 0.0, 1.0
    half = 1.96 * statistics.stdev(shares) / math.sqrt(len(shares))
    return max(0.0, mean - half), min(1.0, mean + half)


def by_forms(conversions: Sequence[Conversion], forms: int) -> list[list[float]]:
    """Share right from each form (row) to each form (column); nan where nothing was converted."""
    return [
        [
            share_right(
                [c for c in conversions if (c.pair.source_tense, c.pair.target_tense) == (i, j)]
            )
            for j in range(forms)
        ]
        for i in range(forms)
    ]


def by_kind(conversions: Sequence[Conversion]) -> dict[str, float]:
    """Share right of all verbs, of regular and of irregular English ones."""
    irregular = [c for c in conversions if is_irregular(c.row)]
    regular = [c for c in conversions if not is_irregular(c.row)]
    return {
        "all": share_right(conversions),
        "regular": share_right(regular),
        "irregular": share_right(irregular),
    }


def edit_distance(conversions: Sequence[Conversion]) -> float:
    """Mean number of letters to insert, delete or replace (Levenshtein); 0 for what is right."""
    return statistics.fmean(
        0 if c.right else Levenshtein.distance(c.output, c.pair.target) for c in conversions
    )


_ENDINGS = {1: ("s",), 2: ("ing",), 3: ("ed",)}  # of regular third persons, -ing forms and pasts


def kind_of_error(conversion: Conversion) -> str:
    """What went wrong in a conversion of an English verb, in the words of a spelling book."""
    (lemma, *_), pair, output, _ = conversion
    target = pair.target
    if output == pair.source:
        return "not changed"
    if is_irregular(conversion.row) and 3 in (pair.source_tense, pair.target_tense):
        regular = pair.target_tense != 3 or output.endswith(_ENDINGS[3])
        return "irregular made regular" if regular else "irregular, another way"
    stem = lemma.removesuffix("e").removesuffix("y")
    if not output.startswith(stem):
        return "stem changed"
    doubled = stem + stem[-1:]
    if output.startswith(doubled) != target.startswith(doubled):
        return "doubling"
    if lemma.endswith("y") and output[len(stem) :] != target[len(stem) :]:
        return "y and i"
    if target == lemma + "es" and output == lemma + "s":
        return "-es"
    if output.replace("e", "") == target.replace("e", ""):
        return "silent e"
    return "another ending"


def errors_by_kind(
    conversions: Sequence[Conversion], kind: Callable[[Conversion], str] = kind_of_error
) -> dict[str, list[Conversion]]:
    """The wrong conversions by kind, the commonest kind first."""
    wrong = [c for c in conversions if not c.right]
    order = Counter(kind(c) for c in wrong)
    return {name: [c for c in wrong if kind(c) == name] for name, _ in order.most_common()}
