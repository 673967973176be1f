"""Exercises of notebook 05: BLEU-4, Gaussian score, coverage, interpolation, the length leak."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from operator import contains
from typing import Any

import torch
from torch import Tensor

from labkit.exercises.core import Exercise, NotYet, call, close, describe, expect_tensor, register
from labkit.inference import interpolate
from labkit.language import ALPHABET
from labkit.measures.conversion import bleu4
from labkit.measures.generation import coverage, gaussian_score
from labkit.tables import Row

_random = random.Random()  # of our own: a check leaves the student's random numbers alone


def _number(value: Any, what: str) -> float:
    """The value as a float, if it is one number; else NotYet says what it is instead."""
    value = value.item() if isinstance(value, Tensor) and value.numel() == 1 else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotYet(f"{what} should be one number, not {describe(value)}")
    return float(value)


# --- 5.1


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


def _bleu_with_slip(output: str, target: str, slip: str) -> float:
    """What BLEU-4 comes to with one of the classic slips."""
    three = len(target) == 3 and slip != "three"
    orders, weight = (3, 1 / 3 if slip == "third" else 0.33) if three else (4, 0.25)
    precisions = []
    for n in range(1, orders + 1):
        ours = Counter(output[i : i + n] for i in range(len(output) - n + 1))
        theirs = Counter(target[i : i + n] for i in range(len(target) - n + 1))
        counted = {k: v if slip == "clip" else min(v, theirs[k]) for k, v in ours.items()}
        matches: float = sum(v for k, v in counted.items() if k in theirs)
        possible = sum((theirs if slip == "recall" else ours).values())
        if matches == 0 and slip != "smooth":
            if n == 1 and slip != "guard":
                return 0.0
            matches = 0.1 * (max(1, possible) if slip == "precision" else 1)
        precisions.append(matches / max(1, possible))
    ratio = len(target) / len(output) if len(output) else math.inf
    ratio = 1 / ratio if slip == "inverted" else ratio
    brevity = 1.0 if slip == "brevity" else math.exp(min(0.0, 1 - ratio))
    brevity = math.exp(1 - ratio) if slip == "bonus" else brevity
    if slip == "arithmetic":
        return brevity * sum(precisions) / len(precisions)
    return brevity * math.prod(precision**weight for precision in precisions)


_BLEU_SLIPS = {
    "brevity": "the brevity penalty is missing: an output shorter than its target pays for it",
    "bonus": "the brevity penalty is never above 1: a long output earns nothing by its length",
    "inverted": "the brevity penalty is upside down: exp(1 − target length / output length)",
    "smooth": "a precision of 0 makes all 0: smoothing method 1 counts 0.1 for 0 matches",
    "precision": "0.1 replaces the 0 matches, not the precision: divide it by the n-grams as well",
    "guard": "no letter in common is 0 at once: smoothing begins with the 2-grams",
    "clip": "a letter that the output repeats counts more often than the target has it: clip each "
    "count at the target's (the & of two Counters does it)",
    "three": "a target of three letters has three weights of 0.33, and no 4-grams",
    "third": "the course's weights are 0.33, 0.33, 0.33 (not 1/3), so the last digits differ",
    "recall": "you divide by the n-grams of the target: a precision divides by the output's own",
    "arithmetic": "precisions are averaged by their logarithms (a geometric mean), not as they are",
}


def _judge_bleu4(answer: Any) -> None:
    cases = [("go", "go"), ("sents", "sends"), ("abandon", "abandoned"), ("eat", "ate"),
             ("goes", "go"), ("aaaa", "abab"), ("tie", "tied"), ("a", "a"), ("xyz", "begin"),
             ("abandonedabandoned", "abandoned"), ("", "go"), ("goe", "go")]  # fmt: skip
    for _ in range(30):
        letters = ALPHABET[: _random.randint(2, 8)]
        target = "".join(_random.choices(letters, k=_random.randint(1, 9)))
        cut = _random.randint(0, len(target))
        tail = "".join(_random.choices(letters, k=_random.randint(0, 4)))
        cases.append((target[:cut] + tail, target))
    for output, target in cases:
        where, right = f"{output!r} for {target!r}", bleu4(output, target)
        try:
            got = _number(call(answer, output, target), "BLEU-4")
        except NotYet as error:
            reason = ""
            if "math domain" in str(error):
                reason = ". 0 has no logarithm: give a precision without a match 0.1 matches first"
            elif "division" in str(error):
                reason = ". Divide by at least 1 n-gram, and give an empty output 0"
            raise NotYet(f"{where}: {error}{reason}") from None
        if close(got, right, 1e-6):
            continue
        for slip, message in _BLEU_SLIPS.items():
            if close(got, _bleu_with_slip(output, target, slip), 1e-6):
                raise NotYet(f"{where} scored {got:.3f}, expected {right:.3f}: {message}")
        raise NotYet(f"{where} scored {got:.3f}, expected {right:.3f}")


# --- 5.2 and 5.3

_FORMS = [(v, f"{v}s", f"{v}ing", f"{v}ed") for v in ("walk", "heal", "abet", "tick", "gloss")]


def _generated_rows() -> tuple[list[Row], list[Row]]:
    """(samples, training rows): repeats on both sides, and near misses among the samples."""
    train = _random.sample(_FORMS, 4)
    train += [train[0], train[0]]  # the course's table has rows that stand in it twice
    wrong = [(v, f"{v}s", f"{v}ing", f"{v}n") for v, _, _, _ in _FORMS]
    swapped = [(a, b, d, c) for a, b, c, d in _FORMS]
    misspelt = [(f"{a}e", b, c, d) for a, b, c, d in _FORMS]
    mixed = (train[0][0], train[1][1], train[0][2], train[1][3])  # of two known verbs
    samples = [*train[:2], train[1], mixed, *_random.choices(wrong + swapped + misspelt, k=8)]
    samples += _random.choices(_FORMS, k=_random.randint(1, 6))
    _random.shuffle(samples)
    return samples, train


_Slip = tuple[str, Callable[[list[Row], list[Row]], float]]

_GAUSSIAN_SLIPS: list[_Slip] = [
    ("a sample is counted once for each copy of its row in the table: ask only whether it is *in*",
     lambda s, t: sum(t.count(row) for row in s) / len(s)),
    ("a single right form does not count: all four must be those of one verb",
     lambda s, t: sum(any(w in {f for r in t for f in r} for w in row) for row in s) / len(s)),
    ("the simple present alone does not count: all four forms must be right",
     lambda s, t: sum(row[0] in {r[0] for r in t} for row in s) / len(s)),
    ("a mixture of two verbs counts nothing: the four forms must stand in the table as one row",
     lambda s, t: sum(all(map(contains, zip(*t, strict=True), row)) for row in s) / len(s)),
    ("the order matters: each form must stand in its own tense's place",
     lambda s, t: sum(any(set(row) == set(r) for r in t) for row in s) / len(s)),
    ("repeats among the samples count too: the score is a share of *all* samples",
     lambda s, t: sum(row in t for row in set(s)) / len(set(s))),
    ("repeats among the samples count too: each sample that is known counts",
     lambda s, t: sum(row in t for row in set(s)) / len(s)),
    ("that is a count: divide by the number of samples", lambda s, t: sum(row in t for row in s)),
    ("divide by the number of samples, not of training verbs (that would be nearer to coverage)",
     lambda s, t: sum(row in t for row in s) / len(set(t))),
]  # fmt: skip

_COVERAGE_SLIPS: list[_Slip] = [
    ("you divide by the number of samples: coverage is a share of the training verbs",
     lambda s, t: len(set(s) & set(t)) / len(s)),
    ("you count a verb each time it was generated: each counts once",
     lambda s, t: sum(row in t for row in s) / len(set(t))),
    ("a verb that stands in the table twice is still one verb: divide by the distinct rows",
     lambda s, t: len(set(s) & set(t)) / len(t)),
    ("you go through the table row by row, so a row that stands in it twice counts twice",
     lambda s, t: sum(row in s for row in t) / len(t)),
    ("that is the number of covered verbs: divide by the number of verbs",
     lambda s, t: len(set(s) & set(t))),
    ("that is the Gaussian score: coverage asks how many *training verbs* were found",
     lambda s, t: sum(row in t for row in s) / len(s)),
]  # fmt: skip


def _judge_rows(answer: Any, oracle: Callable[..., float], slips: list[_Slip]) -> None:
    cases = [_generated_rows() for _ in range(12)]
    got = [_number(call(answer, *case), "the score") for case in cases]
    right = [oracle(*case) for case in cases]
    if close(got, right, 1e-6):
        return
    k = next(k for k in range(len(cases)) if not close(got[k], right[k], 1e-6))
    samples, train = cases[k]
    reason = f"for {len(samples)} samples, {sum(row in train for row in samples)} of them known"
    for message, slip in slips:
        if close(got, [slip(*case) for case in cases], 1e-6):
            reason = message
            break
    raise NotYet(f"got {got[k]:.3f}, expected {right[k]:.3f}: {reason}")


# --- 5.4


def _judge_interpolate(answer: Any) -> None:
    for size, steps in ((2, 3), (64, 11), (5, 2), (3, _random.randint(4, 9))):
        start, end = torch.randn(size), torch.randn(size)
        got = call(answer, start, end, steps)
        right = torch.stack([torch.lerp(start, end, k / (steps - 1)) for k in range(steps)])
        if isinstance(got, list) and got and all(isinstance(z, Tensor) for z in got):
            raise NotYet("that is a list of tensors: torch.stack makes one of shape (steps, 2Z)")
        if isinstance(got, Tensor) and got.shape in ((steps + 1, size), (steps - 1, size)):
            raise NotYet(f"{steps} latents, both ends among them, were asked for, not {len(got)}")
        got = expect_tensor(got, (steps, size))
        if close(got, right):
            continue
        if close(got, right.flip(0)):
            raise NotYet("the walk goes the wrong way: the first row is `start`, the last `end`")
        if close(got[0], start) and not close(got[-1], end):
            raise NotYet("the end is missing: shares are k / (steps − 1), so that the last is 1")
        if close(got[-1], end) and not close(got[0], start):
            raise NotYet("the start is missing: the first share is 0")
        if close(got[0], torch.zeros(size)):
            raise NotYet("the walk starts at 0, not at `start`: add `start` to the way gone")
        if close(got[0], start) and close(got[-1], end):
            raise NotYet("the ends are right, but the steps between them are not equally long")
        raise NotYet(f"the first row is {got[0, :2].tolist()} …, expected {start[:2].tolist()} …")


# --- 5.5


def answer_of(write: Callable[[int], str], source: str, target: str) -> str:
    max_length = 30  # longer than any verb, and the same for all of them
    return write(max_length)


def _judge_answer_of(answer: Any) -> None:
    limits: dict[tuple[str, str], Any] = {}

    def judged(source: str, target: str, wordy: str) -> Any:
        def write(max_length: Any) -> Any:
            limits[source, target] = max_length
            return ... if max_length is ... else wordy[:max_length]

        return answer(write, source, target)

    for source in ("send", "functioning"):
        for target in ("go", "sends", "abetting"):
            wordy = target + "s" * 40  # a decoder that never stops
            got = call(judged if callable(answer) else answer, source, target, wordy)
            if not isinstance(got, str):
                raise NotYet(f"expected what `write` wrote, a string, got {describe(got)}")
            if (source, target) not in limits:
                raise NotYet("`write` was never called: the answer is what the decoder writes")
            if got != wordy[: limits[source, target]]:
                raise NotYet(f"{got!r} is not all that the decoder wrote: cut and mend nothing")
    by_target = [limits["send", target] for target in ("go", "sends", "abetting")]
    shown = "for targets of 2, 5 and 8 letters the decoder may write {}, {} and {} letters: "
    shown = shown.format(*by_target)
    if by_target == [3, 6, 9]:
        raise NotYet(shown + "that is still the target's length + 1, the report's leak")
    if len(set(by_target)) > 1:
        raise NotYet(shown + "that depends on the target, so the answer's length still leaks")
    if limits["send", "go"] != limits["functioning", "go"]:
        told = "the limit depends on the source's length: no leak, but who says that it is enough"
        raise NotYet(f"{told} for every verb (lit → lighting)? One limit for all is safer")
    if by_target[0] < 20:
        raise NotYet(f"{by_target[0]} letters are too few for the longest verbs; labkit allows 30")


register(
    Exercise(
        "5.1", "BLEU-4 of one word by hand", 3, _judge_bleu4,
        ("For each n collect the n-grams of both words in Counters; & keeps the smaller counts.",
         "Sum weight · log(matches or 0.1, over max(1, n-grams of the output)), then multiply its "
         "exp by min(1, exp(1 − len(target) / len(output))); no common letter at all: 0."),
        bleu4_by_hand,
        "a geometric mean of four precisions punishes one bad order hard, and the brevity penalty "
        "keeps short outputs from winning by precision alone",
    ),
    Exercise(
        "5.2", "Gaussian score", 2, lambda a: _judge_rows(a, gaussian_score, _GAUSSIAN_SLIPS),
        ("A sample counts if it, as a row of four, is one of the training rows.",
         "known = set(train); count the samples that are in it; divide by the number of samples."),
        gaussian_score,
        "membership in a set asks for all four forms at once, and asks each sample only once",
    ),
    Exercise(
        "5.3", "Coverage", 1, lambda a: _judge_rows(a, coverage, _COVERAGE_SLIPS),
        ("How many different training verbs occur among the samples?",
         "Intersect two sets, set(samples) & set(train), and divide by the size of set(train)."),
        coverage,
        "sets forget repeats, so a model that says one verb a thousand times covers one verb",
    ),
    Exercise(
        "5.4", "A straight walk between two latents", 1, _judge_interpolate,
        ("Every latent on the way is start + share · (end − start), with a share from 0 to 1.",
         "torch.linspace(0, 1, steps)[:, None] has both ends, and broadcasts against (2Z,)."),
        interpolate,
        "linspace includes both ends, and broadcasting (steps, 1) against (2Z,) makes all rows",
    ),
    Exercise(
        "5.5", "Find the slip: how long may the answer be?", 1, _judge_answer_of,
        ("What does the decoder learn from max_length that it could not know in real use?",
         "Use one limit for all words, such as 30: longer than any verb of the lab."),
        answer_of,
        "the limit no longer depends on the target: a decoder that rambles is seen to ramble",
    ),
)  # fmt: skip
