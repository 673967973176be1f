"""Exercises of notebook 05: BLEU-4, Gaussian score, coverage, walks, the length leak, rules."""

from __future__ import annotations

import math
import operator
import random
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from labkit.exercises.calling import told_where
from labkit.exercises.core import Case, Draw, Exercise, register
from labkit.exercises.results import (
    NotAttempted,
    NotYet,
    Number,
    TensorOf,
    describe,
    short,
    text,
)
from labkit.inference import interpolate
from labkit.language import ALPHABET
from labkit.measures.baselines import apply_change, change_between
from labkit.measures.generation import coverage, gaussian_score
from labkit.tables import Row


# 5.1
def bleu4_by_hand(output: str, target: str) -> float:
    orders = 3 if len(target) == 3 else 4
    weight = 0.33 if len(target) == 3 else 0.25
    log_sum = 0.0
    for n in range(1, orders + 1):
        ours = Counter(output[i : i + n] for i in range(len(output) - n + 1))
        theirs = Counter(target[i : i + n] for i in range(len(target) - n + 1))
        matches = sum((ours & theirs).values())  # & takes the smaller count: that is clipping
        if n == 1 and matches == 0:
            return 0.0
        log_sum += weight * math.log((matches or 0.1) / max(1, sum(ours.values())))
    brevity = min(1.0, math.exp(1 - len(target) / len(output)))
    return brevity * math.exp(log_sum)


Grams = Counter[tuple[str, ...]]


def _weights(output: Sequence[str], target: Sequence[str]) -> list[float]:
    return [0.33] * 3 if len(target) == 3 else [0.25] * 4


def _geometric(precisions: list[float], weights: list[float]) -> float:
    return math.prod(p**w for p, w in zip(precisions, weights, strict=True))


def _log_mean(log: Callable[[float], float]) -> Callable[[list[float], list[float]], float]:
    """The weighted sum of logarithms of some base."""
    return lambda precisions, weights: sum(
        w * log(p) for p, w in zip(precisions, weights, strict=True)
    )


def _misscored(
    *,
    read: Callable[[str], Sequence[str]] = list,
    lost: int = 0,
    matches: Callable[[Grams, Grams], int] = lambda ours, theirs: (ours & theirs).total(),
    possible: Callable[[Grams, Grams], int] = lambda ours, theirs: ours.total(),
    precision: Callable[[int, int, int], float] = lambda n, matches, possible: (
        (matches or 0.1) / max(1, possible)
    ),
    guard: bool = True,
    weights: Callable[[Sequence[str], Sequence[str]], list[float]] = _weights,
    mean: Callable[[list[float], list[float]], float] = _geometric,
    brevity: Callable[[int, int], float] = lambda output, target: min(
        1, math.exp(1 - target / output)
    ),
    last: Callable[[float], float] = lambda score: score,
) -> Callable[[str, str], float]:
    """A wrong solution to 5.1: some part of the right one replaced.

    `lost` is the number of n-grams that are forgotten at a word's end; `brevity` is a function of
    the two lengths, `last` one of the finished score.
    """

    def grams(tokens: Sequence[str], n: int) -> Grams:
        return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1 - lost))

    def wrong(output: str, target: str) -> float:
        mine, its = read(output), read(target)
        if not mine:
            return 0.0
        precisions, shares = [], weights(mine, its)
        for n in range(1, len(shares) + 1):
            ours, theirs = grams(mine, n), grams(its, n)
            found = matches(ours, theirs)
            if n == 1 and found == 0 and guard:
                return 0.0
            precisions.append(precision(n, found, possible(ours, theirs)))
        return last(brevity(len(mine), len(its)) * mean(precisions, shares))

    return wrong


def _bleu_cases(draw: Draw) -> list[tuple[str, str]]:
    """Fifteen pairs that tell all slips apart, and thirty of invented words that begin alike."""
    cases = [
        *(("go", "go"), ("sents", "sends"), ("abandon", "abandoned"), ("eat", "ate")),
        *(("goes", "go"), ("aaaa", "abab"), ("tie", "tied"), ("a", "a"), ("xyz", "begin")),
        *(("abandonedabandoned", "abandoned"), ("", "go"), ("goe", "go"), ("goes", "goes")),
        *(("eats", "eat"), ("ea", "eat")),
    ]
    for _ in range(30):
        letters = ALPHABET[: draw.randint(2, 8)]
        target = "".join(draw.choices(letters, k=draw.randint(1, 9)))
        tail = "".join(draw.choices(letters, k=draw.randint(0, 4)))
        cases.append((target[: draw.randint(0, len(target))] + tail, target))
    return cases


register(
    Exercise(
        id="5.1",
        title="BLEU-4 of one word by hand",
        difficulty=3,
        starter="def bleu4_by_hand(output: str, target: str) -> float:\n    return ...",
        solution=bleu4_by_hand,
        result=Number("BLEU-4"),
        cases=_bleu_cases,
        slips={
            "the brevity penalty is missing: an output shorter than its target pays for it": (
                _misscored(brevity=lambda output, target: 1)
            ),
            "the brevity penalty is never above 1: a long output earns nothing by its length": (
                _misscored(brevity=lambda output, target: math.exp(1 - target / output))
            ),
            "the brevity penalty is upside down: exp(1 − target length / output length)": (
                _misscored(brevity=lambda output, target: min(1, math.exp(1 - output / target)))
            ),
            "the brevity penalty has the wrong sign: exp(1 − target length / output length)": (
                _misscored(brevity=lambda output, target: min(1, math.exp(target / output - 1)))
            ),
            "the brevity penalty is exp(1 − target length / output length), not the lengths' "
            "ratio": _misscored(brevity=lambda output, target: min(1, output / target)),
            "a precision of 0 makes all 0: smoothing method 1 counts 0.1 for 0 matches": (
                _misscored(precision=lambda n, matches, possible: matches / max(1, possible))
            ),
            "smoothing method 1 counts 0.1 for 0 matches, not 1": (
                _misscored(precision=lambda n, matches, possible: (matches or 1) / max(1, possible))
            ),
            "0.1 replaces the 0 matches, not the precision: divide it by the n-grams as well": (
                _misscored(precision=lambda n, matches, possible: matches / max(1, possible) or 0.1)
            ),
            "0.1 stands in for 0 matches only: nothing is added where there are some": (
                _misscored(
                    precision=lambda n, matches, possible: (matches + 0.1) / max(1, possible)
                )
            ),
            "adding 1 above and below is smoothing method 2: method 1 writes 0.1 for 0 matches": (
                _misscored(
                    precision=lambda n, matches, possible: (
                        matches / possible if n == 1 else (matches + 1) / (max(1, possible) + 1)
                    )
                )
            ),
            "an output too short for n-grams is not let off: 0 matches count as 0.1, 0 n-grams "
            "as 1": _misscored(
                precision=lambda n, matches, possible: (
                    (matches or 0.1) / possible if possible else 1
                )
            ),
            "an output too short for n-grams is not worthless: 0 matches count as 0.1, 0 n-grams "
            "as 1": _misscored(
                precision=lambda n, matches, possible: (
                    (matches or 0.1) / possible if possible else 0
                )
            ),
            "no letter in common is 0 at once: smoothing begins with the 2-grams": _misscored(
                guard=False
            ),
            "a letter that the output repeats counts more often than the target has it: clip each "
            "count at the target's (the & of two Counters does it)": _misscored(
                matches=lambda ours, theirs: sum(ours[gram] for gram in ours if gram in theirs)
            ),
            "an n-gram that stands twice in both words matches twice: sets forget that, Counters "
            "do not": _misscored(
                matches=lambda ours, theirs: len(ours.keys() & theirs.keys()),
                possible=lambda ours, theirs: len(ours),
            ),
            "each matching n-gram counts as often as both words have it, not once": _misscored(
                matches=lambda ours, theirs: len(ours.keys() & theirs.keys())
            ),
            "you divide by the output's *different* n-grams: repeats count too": _misscored(
                possible=lambda ours, theirs: len(ours)
            ),
            "you divide by the n-grams of the target: a precision divides by the output's own": (
                _misscored(possible=lambda ours, theirs: theirs.total())
            ),
            "you divide by the output's letters for every n: it has fewer n-grams than letters": (
                _misscored(
                    precision=lambda n, matches, possible: (matches or 0.1) / (possible + n - 1)
                )
            ),
            "output and target are swapped": lambda output, target: (
                bleu4_by_hand(target, output) if target else 0.0
            ),
            "a target of three letters has three weights of 0.33, and no 4-grams": _misscored(
                weights=lambda output, target: [0.25] * 4
            ),
            "the course's weights are 0.33, 0.33, 0.33 (not 1/3), so the last digits differ": (
                _misscored(
                    weights=lambda output, target: [1 / 3] * 3 if len(target) == 3 else [0.25] * 4
                )
            ),
            "a target of three letters has no 4-grams: three weights, not four": _misscored(
                weights=lambda output, target: [0.33 if len(target) == 3 else 0.25] * 4
            ),
            "the rule of three letters is about the *target*'s length": _misscored(
                weights=lambda output, target: _weights(target, output)
            ),
            "the rule of three letters is for exactly three, not for fewer": _misscored(
                weights=lambda output, target: [0.33] * 3 if len(target) <= 3 else [0.25] * 4
            ),
            "three weights of 0.33 are for targets of three letters alone": _misscored(
                weights=lambda output, target: [0.33] * 3
            ),
            "two weights of ½ make BLEU-2: n runs from 1 to 4": _misscored(
                weights=lambda output, target: [0.5, 0.5]
            ),
            "three weights of 1/3 make BLEU-3: n runs from 1 to 4": _misscored(
                weights=lambda output, target: [1 / 3] * 3
            ),
            "your 4-grams are missing (range(1, 4) ends with 3), and a target of three letters has "
            "weights of 0.33": _misscored(weights=lambda output, target: [0.25] * 3),
            "your 4-grams are missing: range(1, 4) ends with 3": _misscored(
                weights=lambda output, target: _weights(output, target)[:3]
            ),
            "you look at single letters alone: n runs from 1 to 4": _misscored(
                weights=lambda output, target: [1.0]
            ),
            "precisions are averaged by their logarithms (a geometric mean), not as they are": (
                _misscored(mean=lambda precisions, weights: sum(precisions) / len(precisions))
            ),
            "the weights are missing: the bare product is no mean": _misscored(
                mean=lambda precisions, weights: math.prod(precisions)
            ),
            "the last step is missing: exp turns the mean of the logarithms back": _misscored(
                mean=_log_mean(math.log)
            ),
            "exp undoes the natural logarithm, math.log, not log2": _misscored(
                mean=lambda precisions, weights: math.exp(_log_mean(math.log2)(precisions, weights))
            ),
            "exp undoes the natural logarithm, math.log, not log10": _misscored(
                mean=lambda precisions, weights: math.exp(
                    _log_mean(math.log10)(precisions, weights)
                )
            ),
            "the last n-gram is lost: a word of length L has L − n + 1": _misscored(lost=1),
            "letters, not whole words, are the tokens": _misscored(
                read=lambda word: [word] if word else []
            ),
            "that is exact match: BLEU gives a nearly right word something": (
                lambda output, target: float(output == target)
            ),
            "a score is between 0 and 1, not in percent": _misscored(
                last=lambda score: 100 * score
            ),
            "don't round, not even to four digits": _misscored(last=lambda score: round(score, 4)),
            "don't round to three digits": _misscored(last=lambda score: round(score, 3)),
            "don't round to two digits": _misscored(last=lambda score: round(score, 2)),
        },
        errors={
            "math domain": ". 0 has no logarithm: give a precision without a match 0.1 matches "
            "first",
            "expected a positive input": ". 0 has no logarithm: give a precision without a match "
            "0.1 matches first",
            "division": ". Divide by at least 1 n-gram, and give an empty output 0",
        },
        hints=(
            "For each n collect the n-grams of both words in Counters; & keeps the smaller counts.",
            "Sum weight · log(matches or 0.1, over max(1, n-grams of the output)), then multiply "
            "its exp by min(1, exp(1 − len(target) / len(output))); no common letter at all: 0.",
        ),
        why="a geometric mean of four precisions punishes one bad order hard, and the brevity "
        "penalty keeps short outputs from winning by precision alone",
    )
)


# 5.2 and 5.3
_STEMS = ["abet", "call", "float", "gloss", "jump", "kick", "learn", "open", "turn", "want"]


_LIE, _LIED = ("lie", "lies", "lying", "lay"), ("lie", "lies", "lying", "lied")


def _regular(stem: str) -> Row:
    return (stem, f"{stem}s", f"{stem}ing", f"{stem}ed")


def _near_misses(row: Row) -> list[Row]:
    """Rows of nearly these forms: one of them wrong, two of them swapped, the order turned."""
    a, b, c, d = row
    wrong = [(f"{a}e", b, c, d), (a, f"{a}es", c, d), (a, b, f"{a}eing", d), (a, b, c, f"{a}n")]
    joined_alike = [(a[:-1], a[-1] + b, c, d), (a, b, c + d[0], d[1:])]  # "walkwalks…" both
    within = [(a[1:], b, c, d), (a, b, c, d[:-1])]
    return [*wrong, (a, b, d, c), (b, a, c, d), (d, c, b, a), *joined_alike, *within]


def _generated_cases(draw: Draw) -> list[Case]:
    """(samples, training rows): first one that tells divisors apart, then traps one by one."""
    walk, heal, tick, *others = map(_regular, ("walk", "heal", "tick", *_STEMS))
    known = [walk, heal]
    first = ([walk, heal, others[0], walk, *others[1:3], walk], [*known, tick, *others[4:]])
    mixed, other = (walk[0], heal[1], walk[2], heal[3]), (heal[0], walk[1], heal[2], walk[3])
    small: list[tuple[list[Row], list[Row]]] = [
        ([heal, walk], known),  # all are known, all are covered
        ([walk, walk, tick], known),  # a repeat among the samples
        ([walk, tick], [walk, walk, heal]),  # a row that stands in the table twice
        ([mixed, other], known),  # all forms are there, in no row together
        ([_LIE, walk], [_LIE, _LIED, walk]),  # two verbs of one simple present
        ([_LIED, _LIE], [_LIE, _LIED, walk]),
        ([heal, *[walk] * 100, tick, _LIED], [*known, _LIED]),  # the first 100 are not all
        *(([walk, miss], known) for miss in [*_near_misses(walk), mixed]),
        *(([heal, miss], known) for miss in [*_near_misses(walk), mixed]),
    ]
    large = []
    for _ in range(10):
        verbs = [_regular(stem) for stem in draw.sample(_STEMS, 7)]
        train = verbs[:5] + draw.choices(verbs[:5], k=draw.randint(1, 3))
        misses = [miss for verb in verbs for miss in _near_misses(verb)]
        samples = [*verbs[:2], verbs[1], (verbs[0][0], verbs[1][1], verbs[0][2], verbs[1][3])]
        samples += draw.choices(verbs, k=draw.randint(2, 8)) + draw.choices(misses, k=8)
        draw.shuffle(samples)
        draw.shuffle(train)
        large.append((samples, train))
    return [Case(case, _words_for(*case)) for case in [first, *small, *large]]


def _words_for(samples: list[Row], train: list[Row]) -> str:
    """A few rows are shown as they are, many are counted."""
    if len(samples) > 3:
        known = sum(row in train for row in samples)
        return (
            f"for {len(samples)} samples, {known} of them known, and a table of {len(train)} rows, "
            f"{len(set(train))} of them different, your function"
        )
    return f"for samples {_listed(samples)} and a table {_listed(train)} your function"


def _listed(rows: list[Row]) -> str:
    return "; ".join(" ".join(row) for row in rows).join("()")


def _words(rows: Collection[Row]) -> set[str]:
    return {form for row in rows for form in row}


def _by(read: Callable[[Row], Any]) -> Callable[[list[Row]], list[Any]]:
    return lambda rows: list(map(read, rows))


_JUDGED_BY: dict[str, Callable[[list[Row]], list[Any]]] = {
    "the simple present alone does not count: all four forms must be right": _by(lambda r: r[0]),
    "the simple past alone does not count: all four forms must be right": _by(lambda r: r[3]),
    "you compare the first form and the last: all four must be right": _by(lambda r: (r[0], r[3])),
    "you do not look at the first form: all four must be right": _by(lambda r: r[1:]),
    "you do not look at the second form: all four must be right": _by(lambda r: (r[0], *r[2:])),
    "you do not look at the third form: all four must be right": _by(lambda r: (*r[:2], r[3])),
    "you do not look at the last form: all four must be right": _by(lambda r: r[:3]),
    "the order matters: each form must stand in its own tense's place": _by(frozenset),
    "joined without anything between them, other forms look alike: compare the rows": _by("".join),
}  # what of a row is compared: wrong in 5.2 and in 5.3


def _same_forms(row: Row, other: Row) -> int:
    return sum(map(operator.eq, row, other))


register(
    Exercise(
        id="5.2",
        title="Gaussian score",
        difficulty=2,
        starter="def gaussian_score(samples: Sequence[Row], train: Collection[Row]) -> float:\n"
        "    return ...",
        solution=gaussian_score,
        result=Number("the score"),
        cases=_generated_cases,
        slips={
            "a sample is counted once for each copy of its row in the table: ask only whether it "
            "is *in*": lambda s, t: sum(t.count(row) for row in s) / len(s),
            "a single right form does not count: all four must be those of one verb": (
                lambda s, t: sum(bool(_words([row]) & _words(t)) for row in s) / len(s)
            ),
            "a sample is a row of four, not a word: it counts as a whole or not at all": (
                lambda s, t: sum(form in _words(t) for row in s for form in row) / (4 * len(s))
            ),
            "that all four are words of the table is not enough: they must be those of one verb, "
            "each in its place": lambda s, t: sum(_words([row]) <= _words(t) for row in s) / len(s),
            "a mixture of two verbs counts nothing: the four forms must stand in the table as one "
            "row": lambda s, t: (
                sum(all(map(operator.contains, zip(*t, strict=True), row)) for row in s) / len(s)
            ),
            "three of four are not enough: all four forms must be right": lambda s, t: (
                sum(max(_same_forms(row, other) for other in t) >= 3 for row in s) / len(s)
            ),
            **{
                message: lambda s, t, read=read: gaussian_score(read(s), read(t))
                for message, read in _JUDGED_BY.items()
            },
            "you look for a sample's letters within a row's: compare the rows": lambda s, t: (
                sum(any("".join(row) in "".join(other) for other in t) for row in s) / len(s)
            ),
            "two verbs may share their simple present (lie, lay and lie, lied): don't keep one row "
            "for each": lambda s, t: (
                sum({r[0]: r for r in t}.get(row[0]) == row for row in s) / len(s)
            ),
            "only the first 100 samples are looked at": lambda s, t: gaussian_score(s[:100], t),
            "repeats among the samples count too: the score is a share of *all* samples": (
                lambda s, t: gaussian_score(list(set(s)), t)
            ),
            "repeats among the samples count too: each sample that is known counts": (
                lambda s, t: len(set(s) & set(t)) / len(s)
            ),
            "divide by all samples, repeats too, not by the different ones": (
                lambda s, t: sum(row in t for row in s) / len(set(s))
            ),
            "that is a count: divide by the number of samples": (
                lambda s, t: sum(row in t for row in s)
            ),
            "divide by the number of samples, not of training verbs (that would be nearer to "
            "coverage)": lambda s, t: sum(row in t for row in s) / len(set(t)),
            "divide by the number of samples, not of the table's rows": (
                lambda s, t: sum(row in t for row in s) / len(t)
            ),
            "the number of samples is len(samples), not always 100": (
                lambda s, t: sum(row in t for row in s) / 100
            ),
            "the number of samples is len(samples), not always 1,000": (
                lambda s, t: sum(row in t for row in s) / 1000
            ),
            "divide by the number of samples, not of their forms": (
                lambda s, t: sum(row in t for row in s) / len(s) / 4
            ),
            "a score is between 0 and 1, not in percent": lambda s, t: 100 * gaussian_score(s, t),
            "// cuts the fraction off: use /": lambda s, t: sum(row in t for row in s) // len(s),
            "that is coverage: the Gaussian score asks how many *samples* are known": coverage,
            "that is the share of the samples that are in *no* row of the table": (
                lambda s, t: 1 - gaussian_score(s, t)
            ),
            "that is the share of different rows among the samples": (
                lambda s, t: len(set(s)) / len(s)
            ),
            "no sample is ever found: a row is a tuple, which equals no list and no string": (
                lambda s, t: 0.0
            ),
        },
        hints=(
            "A sample counts if it, as a row of four, is one of the training rows.",
            "known = set(train); count the samples that are in it; divide by the number of "
            "samples.",
        ),
        why="membership in a set asks for all four forms at once, and asks each sample only once",
    )
)

register(
    Exercise(
        id="5.3",
        title="Coverage",
        difficulty=1,
        starter="def coverage(samples: Collection[Row], train: Collection[Row]) -> float:\n"
        "    return ...",
        solution=coverage,
        result=Number("the coverage"),
        cases=_generated_cases,
        slips={
            "you divide by the number of samples: coverage is a share of the training verbs": (
                lambda s, t: len(set(s) & set(t)) / len(s)
            ),
            "you divide by the different samples: coverage is a share of the training verbs": (
                lambda s, t: len(set(s) & set(t)) / len(set(s))
            ),
            "you divide by the verbs of both lists together: coverage is a share of the training "
            "verbs": lambda s, t: len(set(s) & set(t)) / len(set(s) | set(t)),
            "you count a verb each time it was generated: each counts once": (
                lambda s, t: sum(row in t for row in s) / len(set(t))
            ),
            "you count a verb each time it was generated, and divide by rows of which some stand "
            "there twice": lambda s, t: sum(row in t for row in s) / len(t),
            "a verb that stands in the table twice is still one verb: divide by the distinct "
            "rows": lambda s, t: len(set(s) & set(t)) / len(t),
            "you go through the table row by row, so a row that stands in it twice counts twice": (
                lambda s, t: sum(row in s for row in t) / len(t)
            ),
            "you count a row that stands in the table twice two times: go through set(train)": (
                lambda s, t: sum(row in s for row in t) / len(set(t))
            ),
            "you count all different samples, unknown ones too": (
                lambda s, t: len(set(s)) / len(set(t))
            ),
            "that is the number of covered verbs: divide by the number of verbs": (
                lambda s, t: len(set(s) & set(t))
            ),
            "that is the Gaussian score: coverage asks how many *training verbs* were found": (
                gaussian_score
            ),
            "these are the verbs that were *not* found": lambda s, t: 1 - coverage(s, t),
            "two verbs may share a simple present (lie, lay and lie, lied): divide by the rows": (
                lambda s, t: len(set(s) & set(t)) / len({row[0] for row in t})
            ),
            "two verbs may share their simple present (lie, lay and lie, lied): count the rows": (
                lambda s, t: len({row[0] for row in set(s) & set(t)}) / len(set(t))
            ),
            "the simple present alone does not count, and two verbs may share it: all four forms "
            "must be right": lambda s, t: (
                len({row[0] for row in s} & {row[0] for row in t}) / len(set(t))
            ),
            "only the first 100 samples are looked at": lambda s, t: coverage(s[:100], t),
            "you count words: a verb is a row of four forms, all of them right": (
                lambda s, t: len(_words(s) & _words(t)) / len(_words(t))
            ),
            "the four forms must come in one sample, not from several": lambda s, t: (
                sum(_words([row]) <= _words(s) for row in set(t)) / len(set(t))
            ),
            "three of four are not enough: all four forms must be right": lambda s, t: (
                sum(max(_same_forms(row, other) for other in s) >= 3 for row in set(t))
                / len(set(t))
            ),
            **{
                message: lambda s, t, read=read: coverage(read(s), read(t))
                for message, read in _JUDGED_BY.items()
            },
            "a share is between 0 and 1, not in percent": lambda s, t: 100 * coverage(s, t),
            "// cuts the fraction off: use /": lambda s, t: len(set(s) & set(t)) // len(set(t)),
            "no verb is ever found: a row is a tuple, which equals no list and no string": (
                lambda s, t: 0.0
            ),
        },
        hints=(
            "How many different training verbs occur among the samples?",
            "Intersect two sets, set(samples) & set(train), and divide by the size of set(train).",
        ),
        why="sets forget repeats, so a model that says one verb a thousand times covers one verb",
    )
)


# 5.4
class _Walk(TensorOf):
    """The latents of a walk, (steps, 2Z)."""

    def read(self, value: Any, right: Any) -> Any:
        if isinstance(value, list | tuple) and value and all(isinstance(z, Tensor) for z in value):
            raise NotYet("that is a list of tensors: torch.stack makes one of shape (steps, 2Z)")
        steps, size = right.shape
        rows = isinstance(value, Tensor) and value.ndim == 2 and value.shape[1] == size
        if rows and len(value) != steps:
            raise NotYet(f"{steps} latents, both ends among them, were asked for, not {len(value)}")
        return super().read(value, right)


def _walk(share: Callable[[int], Tensor]) -> Callable[[Tensor, Tensor, int], Tensor]:
    """A wrong solution to 5.4, with other shares of the way: steps -> (steps,)."""
    return lambda start, end, steps: start + share(steps)[:, None] * (end - start)


def _shares(steps: int) -> Tensor:
    return torch.linspace(0, 1, steps)


def _great_circle(start: Tensor, end: Tensor, steps: int) -> Tensor:
    angle = torch.acos(torch.cosine_similarity(start, end, dim=0))
    share = _shares(steps)[:, None]
    return (((1 - share) * angle).sin() * start + (share * angle).sin() * end) / angle.sin()


def _walks(draw: Draw) -> list[tuple[Tensor, Tensor, int]]:
    sizes = [(64, 11), (5, 2), (3, draw.randint(4, 9)), (6, 6), (2, 3)]
    return [
        (torch.tensor([1.0, 0.0]), torch.tensor([3.0, 2.0]), 3),
        (torch.tensor([1.0, -2.0, 0.5]), torch.tensor([0.0, 2.0, 1.0]), 5),
        *((4 * draw.normal(size), 4 * draw.normal(size), steps) for size, steps in sizes),
    ]


register(
    Exercise(
        id="5.4",
        title="A straight walk between two latents",
        difficulty=1,
        starter="def interpolate(start: Tensor, end: Tensor, steps: int) -> Tensor:\n"
        "    return ...",
        solution=interpolate,
        result=_Walk("the walk"),
        cases=_walks,
        slips={
            "the walk goes the wrong way: the first row is `start`, the last `end`": (
                lambda start, end, steps: interpolate(end, start, steps)
            ),
            "the end is missing: shares are k / (steps − 1), so that the last is 1": _walk(
                lambda steps: torch.arange(steps) / steps
            ),
            "the start is missing: the first share is 0": _walk(
                lambda steps: torch.arange(1, steps + 1) / steps
            ),
            "both ends are missing: the first share is 0, the last 1": _walk(
                lambda steps: torch.linspace(0, 1, steps + 2)[1:-1]
            ),
            "the walk starts at 0, not at `start`: add `start` to the way gone": (
                lambda start, end, steps: _shares(steps)[:, None] * (end - start)
            ),
            "the way is end − start, not `end` alone": (
                lambda start, end, steps: start + _shares(steps)[:, None] * end
            ),
            "the way is end − start, not start − end": (
                lambda start, end, steps: start + _shares(steps)[:, None] * (start - end)
            ),
            "the way is end − start, not their sum": (
                lambda start, end, steps: start + _shares(steps)[:, None] * (start + end)
            ),
            "the shares are not divided: they run from 0 to 1, not to steps − 1": _walk(
                lambda steps: torch.arange(steps).float()
            ),
            "the ends are right, but the steps between them are not equally long": _walk(
                lambda steps: _shares(steps) ** 2
            ),
            "the ends are right, but you slow down near them: all steps are equally long": _walk(
                lambda steps: (1 - (math.pi * _shares(steps)).cos()) / 2
            ),
            "these are points drawn at random: the steps are equally long": _walk(
                lambda steps: torch.rand(steps).sort().values
            ),
            "every row but the first is `end`: the share grows from row to row": _walk(
                lambda steps: (torch.arange(steps) > 0).float()
            ),
            "the latents are cut off at ±3: they may lie anywhere": (
                lambda start, end, steps: interpolate(start, end, steps).clamp(-3, 3)
            ),
            "every row but the last is `start`, as if // cut the fractions off": _walk(
                lambda steps: (torch.arange(steps) // (steps - 1)).float()
            ),
            "that is the middle alone, in every row": _walk(
                lambda steps: torch.full((steps,), 0.5)
            ),
            "every row is `start`: the share grows from row to row": _walk(torch.zeros),
            "that is a walk on a circle, not on a straight line": _great_circle,
            "that is (2Z, steps): a row is one latent": (
                lambda start, end, steps: interpolate(start, end, steps).T
            ),
        },
        hints=(
            "Every latent on the way is start + share · (end − start), with a share from 0 to 1.",
            "torch.linspace(0, 1, steps)[:, None] has both ends, and broadcasts against (2Z,).",
        ),
        why="linspace includes both ends, and broadcasting (steps, 1) against (2Z,) makes all rows",
    )
)


# 5.5
def answer_of(write: Callable[[int], str], source: str, target: str) -> str:
    max_length = 30  # longer than any verb, and the same for all of them
    return write(max_length)


class _Question(NamedTuple):
    source: str
    target: str
    word: str  # what the decoder writes if no limit stops it

    def told(self) -> str:
        return f"from {self.source!r} to {short(self.target)}"


class _Answer(NamedTuple):
    question: _Question
    calls: list[tuple[int, str]]  # of `write`: the limit, and what was written
    output: Any


def _decoder(word: str, calls: list[tuple[int, str]]) -> Callable[..., str]:
    """A `write` that knows what it will write, and notes its calls."""

    def write(max_length: Any = None) -> str:
        if max_length is ...:
            raise NotAttempted
        try:
            limit = operator.index(max_length)
        except TypeError:
            told = f"`write` wants a whole number of letters, not {short(max_length)}"
            raise NotYet(told) from None
        calls.append((limit, word[: max(0, limit)]))
        return calls[-1][1]

    write.__qualname__ = "write"  # what the student reads where it is called wrongly
    return write


class _Finding(NamedTuple):
    """What is to be said about an answer's limits. Two answers are alike if their kinds are."""

    kind: str
    told: str = ""


_SUITABLE = _Finding("suitable")
_MANY = 1000  # letters: a limit above it is none
_ENDLESS = 3000  # letters that stand for a word without an end


class _MaxLength:
    """The result of 5.5: what the answers to all questions say about the limit."""

    def read(self, value: Any, right: Any) -> _Finding:
        if not isinstance(value, list):
            raise NotYet(f"expected what `write` wrote, a string, got {describe(value)}")
        limits: list[tuple[_Question, int]] = []
        for question, calls, output in value:
            if not isinstance(output, str):
                raise NotYet(f"expected what `write` wrote, a string, got {describe(output)}")
            if not calls:
                return _Finding("not called", "`write` was never called")
            fitting = [limit for limit, written in calls if written == output]
            if not fitting:
                told = f"{short(output)} came back where the decoder wrote {short(calls[-1][1])}"
                return _Finding("mended", told)
            limits.append((question, fitting[-1]))
        return _judge_limits(limits)

    def same(self, a: _Finding, b: _Finding) -> bool:
        return a.kind == b.kind

    def show(self, got: _Finding, right: _Finding) -> str:
        return got.told


def _judge_limits(limits: list[tuple[_Question, int]]) -> _Finding:
    """What is wrong with the limits that an answer gave to the questions, if anything."""
    by_question: dict[_Question, set[int]] = {}
    by_source: dict[str, dict[str, int]] = {}  # source -> {target: limit}
    for question, limit in limits:
        by_question.setdefault(question, set()).add(limit)
        by_source.setdefault(question.source, {})[question.target] = limit
    for question, found in by_question.items():
        if len(found) > 1:
            one, other, *_ = sorted(found)
            told = f"for {question.target!r} the limit is now {one}, now {other}"
            return _Finding("chance", told)
    least = min(limit for question, limit in limits if len(question.word) == _ENDLESS)
    if least > _MANY:
        return _Finding("none", f"a decoder that never stops may write {least:,} letters")
    for by_target in by_source.values():
        if len(set(by_target.values())) > 1:
            return _leak(limits, by_target)
    for question, limit in limits:
        if question.word == question.target and limit < len(question.target):
            constant = len({limit for _, limit in limits}) == 1
            return _Finding(
                "few" if constant else "few by source",
                f"from {question.source!r} the decoder may write {limit} letters, but "
                f"{question.target!r} has {len(question.target)}",
            )
    return _SUITABLE


def _leak(limits: list[tuple[_Question, int]], by_target: dict[str, int]) -> _Finding:
    """What is said about limits that depend on the target; `by_target` shows how, for a source."""
    more = {limit - len(question.target) for question, limit in limits}
    times = {limit / len(question.target) for question, limit in limits}
    kind = f"target: {[limit for _, limit in limits]}"
    if len(more) == 1:
        kind = "the report's" if more == {1} else "longer or shorter by a constant"
    elif len(times) == 1:
        kind = "a multiple"
    lengths = ", ".join(str(len(target)) for target in list(by_target)[:6])
    found = ", ".join(str(limit) for limit in list(by_target.values())[:6])
    return _Finding(
        kind,
        f"for targets of {lengths} letters the decoder may write {found}, so the answer's length "
        "still leaks",
    )


def _ask(function: Callable[..., Any], questions: list[_Question]) -> Any:
    """The answers to all questions."""
    answers = []
    for question in questions:
        calls: list[tuple[int, str]] = []
        with told_where(question.told):
            output = function(_decoder(question.word, calls), question.source, question.target)
        if output is None or output is ...:
            return output
        answers.append(_Answer(question, calls, output))
    return answers


def _questions(draw: Draw) -> list[tuple[list[_Question]]]:
    """Decoders that never stop, so that the limit shows; others do, with right words and wrong."""
    invented = ["".join(draw.choices(ALPHABET, k=draw.randint(3, 15))) for _ in range(3)]
    targets = ["go", "sends", "abetting", "dramatically", "s" * 40, "s" * 300, *invented]
    endless = [
        _Question(source, target, target.ljust(_ENDLESS, "s"))
        for source in ("send", "functioning")
        for target in targets
    ]
    endless += [endless[1]] * 6  # for limits drawn at random
    converted = [  # the table's longest targets of sources of these lengths
        *(("misunderstand", "misunderstanding"), ("misunderstanding", "misunderstands")),
        *(("lit", "lighting"), ("do", "doing"), ("abet", "abetting"), ("commit", "committing")),
        *(("overlap", "overlapping"), ("transmit", "transmitting")),
        *(("accompany", "accompanying"), ("accomplish", "accomplishing")),
        *(("distinguish", "distinguishing"), ("characterize", "characterizing")),
    ]
    stopping = [_Question(source, target, target) for source, target in converted]
    stopping += [
        _Question("lit", "light", word) for word in ("lit", "", "lights", "liightss", "lighs")
    ]
    return [(endless + stopping,)]


register(
    Exercise(
        id="5.5",
        title="Find the slip: how long may the answer be?",
        difficulty=1,
        starter="def answer_of(write: Callable[[int], str], source: str, target: str) -> str:\n"
        "    max_length = ...  # the report: len(target) + 1\n"
        "    return write(max_length)",
        solution=answer_of,
        result=_MaxLength(),
        cases=_questions,
        call=_ask,
        tell=lambda case, got, right: str(got.told),
        slips={
            "that is still the target's length + 1, the report's leak": (
                lambda write, source, target: write(len(target) + 1)
            ),
            "another number more or less than the target's length tells it just as well": (
                lambda write, source, target: write(len(target))
            ),
            "a multiple of the target's length tells it just as well": (
                lambda write, source, target: write(2 * len(target))
            ),
            "max lets the target's length in again, for long ones": (
                lambda write, source, target: write(max(30, len(target) + 1))
            ),
            "min lets the target's length in again, for short ones": (
                lambda write, source, target: write(min(30, len(target) + 1))
            ),
            "the limit may not depend on the target, not for long ones alone": (
                lambda write, source, target: write(30 if len(target) < 9 else len(target) + 1)
            ),
            "the longer of source and target is often the target": (
                lambda write, source, target: write(max(len(source), len(target)) + 1)
            ),
            "the sum of both lengths tells the target's to whoever knows the source": (
                lambda write, source, target: write(len(source) + len(target))
            ),
            "cut and mend nothing: return what the decoder wrote": (
                lambda write, source, target: write(30)[: len(target)]
            ),
            "the answer is what the decoder writes": lambda write, source, target: target,
            "two calls, two limits: a test should come out alike each time": (
                lambda write, source, target: write(random.randint(20, 40))
            ),
            "too few; the longest form of the lab's tables has 16 (18 in train_large), and labkit "
            "allows 30": lambda write, source, target: write(10),
            "the source's length is no leak, but an answer may be longer by more than you think; "
            "one limit for all is safer": lambda write, source, target: write(len(source) + 3),
            "that is no limit; labkit allows 30": lambda write, source, target: write(10**9),
            "without a limit, a decoder that never stops would write for ever": (
                lambda write, source, target: write(math.inf)
            ),
        },
        hints=(
            "What does the decoder learn from max_length that it could not know in real use?",
            "Use one limit for all words, such as 30: longer than any verb of the lab.",
        ),
        why="the limit no longer depends on the target: a decoder that rambles is seen to ramble",
    )
)


# 5.6
def convert_by_rules(word: str, pairs: Sequence[tuple[str, str]]) -> str:
    for start in range(len(word) + 1):
        ending = word[start:]  # the whole word, then ever shorter endings, "" at last
        fitting = Counter(
            change_between(source, target)
            for source, target in pairs
            if source.endswith(ending) and ending.endswith(change_between(source, target)[0])
        )
        if fitting:
            return apply_change(word, fitting.most_common(1)[0][0])
    return word


def _endings(word: str) -> list[str]:
    return [word[start:] for start in range(len(word) + 1)]


def _by_rules(
    *,
    endings: Callable[[str], list[str]] = _endings,
    shares: Callable[[str, str], bool] = str.endswith,
    fits: Callable[[str, tuple[str, str]], bool] = lambda ending, change: ending.endswith(
        change[0]
    ),
    choose: Callable[[Counter[tuple[str, str]]], tuple[str, str]] = lambda n: n.most_common(1)[0][
        0
    ],
    apply: Callable[[str, tuple[str, str], str], str] = lambda word, change, ending: apply_change(
        word, change
    ),
) -> Callable[[str, Sequence[tuple[str, str]]], str]:
    """The solution, with a part of it replaced."""

    def convert(word: str, pairs: Sequence[tuple[str, str]]) -> str:
        for ending in endings(word):
            changes = [(source, change_between(source, target)) for source, target in pairs]
            fitting = Counter(
                change
                for source, change in changes
                if shares(source, ending) and fits(ending, change)
            )
            if fitting:
                return apply(word, choose(fitting), ending)
        return word

    return convert


def _analogy(word: str, pairs: Sequence[tuple[str, str]]) -> str:
    """The whole of the nearest pair's target."""

    def shared(pair: tuple[str, str]) -> int:
        return max(n for n in range(len(word) + 1) if pair[0].endswith(word[len(word) - n :]))

    return max(pairs, key=shared)[1] if pairs else word


_PAST = [
    *(("walk", "walked"), ("talk", "talked"), ("try", "tried"), ("cry", "cried")),
    *(("play", "played"), ("sleep", "slept"), ("keep", "kept"), ("seep", "seeped")),
    *(("sweep", "swept"), ("bake", "baked"), ("rake", "raked"), ("take", "took")),
    *(("go", "went"), ("dry", "dried"), ("stop", "stopped"), ("yell", "yelled")),
]
_BACK = [(past, present) for present, past in _PAST]


def _rule_cases(draw: Draw) -> list[tuple[str, list[tuple[str, str]]]]:
    cases = [
        ("stalk", _PAST),
        ("fry", _PAST),
        ("weep", _PAST),  # three to one for -ept
        ("shake", _PAST),  # two to one for -ed
        ("do", _PAST),  # "go" shares the o, but its change does not fit
        ("walk", _PAST),
        ("stalked", _BACK),
        ("fix", _PAST),  # shares no ending with any: what most of the pairs do
        ("ox", [("go", "went")]),  # nothing fits
        ("yellow", [*_PAST, ("mow", "mowed"), ("plough", "plow")]),
        ("bed", [("feed", "fed"), ("shed", "shed"), ("wed", "wed"), ("bedew", "bedewed")]),
        ("a", []),
    ]
    for _ in range(4):
        some = [pair for pair in _PAST if draw.random() < 0.8]
        draw.shuffle(some)
        clear = [pair for pair in some if pair[0] not in ("take", "go")]
        cases.append((draw.choice(["chalk", "spray", "spry", "creep", "brake", "snake"]), clear))
    return cases


register(
    Exercise(
        id="5.6",
        title="Rules without a network: the longest ending decides",
        difficulty=3,
        starter="def convert_by_rules(word: str, pairs: Sequence[tuple[str, str]]) -> str:\n"
        "    return ...",
        solution=convert_by_rules,
        result=text(),
        cases=_rule_cases,
        slips={
            "begin with the longest ending, the whole word, not with the shortest": _by_rules(
                endings=lambda word: [word[i:] for i in range(len(word), -1, -1)]
            ),
            "the ending decides which pairs count, not all of them": _by_rules(
                endings=lambda word: [""], fits=lambda ending, change: True
            ),
            "of the fitting changes take the most frequent, not the first": _by_rules(
                choose=lambda n: next(iter(n))
            ),
            "of the fitting changes take the most frequent, not the last": _by_rules(
                choose=lambda n: [*n][-1]
            ),
            "of the fitting changes take the most frequent, not the rarest": _by_rules(
                choose=lambda n: n.most_common()[-1][0]
            ),
            "the ending that goes must be cut off before the other comes": _by_rules(
                apply=lambda word, change, ending: word + change[1]
            ),
            "cut off what the change takes away, not the whole shared ending": _by_rules(
                apply=lambda word, change, ending: word.removesuffix(ending) + change[1]
            ),
            "cutting the ending off is half of the change": _by_rules(
                apply=lambda word, change, ending: word.removesuffix(change[0])
            ),
            "an ending stands at the end: `in` finds it anywhere": _by_rules(
                shares=lambda source, ending: ending in source
            ),
            "the pairs must share the word's ending, not its beginning": _by_rules(
                endings=lambda word: [word[:i] for i in range(len(word), -1, -1)],
                shares=str.startswith,
                fits=lambda ending, change: True,
            ),
            "a new word is in no pair: when the whole word is not found, shorten it": _by_rules(
                endings=lambda word: [word]
            ),
            "the last ending to try is the empty one, which every pair shares": _by_rules(
                endings=lambda word: [word[i:] for i in range(len(word))]
            ),
            "a change fits only if what it takes away lies inside the ending (from `go` nobody "
            "learns what becomes of `do`)": _by_rules(fits=lambda ending, change: True),
            "a change that takes nothing away fits as well": _by_rules(
                fits=lambda ending, change: bool(change[0]) and ending.endswith(change[0])
            ),
            "that is the nearest pair's target: change your own word as it does": _analogy,
            "that is the word itself: something is to be changed": lambda word, pairs: word,
        },
        hints=(
            "Two loops: over the endings word[0:], word[1:], …, word[len(word):], and over the "
            "pairs. Count the changes of the pairs that fit, and stop at the first ending at which "
            "any does.",
            "Counter(change_between(s, t) for s, t in pairs if s.endswith(ending) and "
            "ending.endswith(change_between(s, t)[0])), then apply_change with "
            "most_common(1)[0][0].",
        ),
        why="the longest ending that the table knows is the best evidence there is, and the most "
        "frequent change the best guess",
    )
)
