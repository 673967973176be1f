"""The checks of notebook 05: solutions pass, blanks are blank, each slip is called by its name."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
import torch
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from labkit.exercises import nb05
from labkit.exercises.core import find, verdict

IDS = ("5.1", "5.2", "5.3", "5.4", "5.5")


def judge(id: str, answer: Any) -> tuple[str, str]:
    exercise = find(id)
    assert exercise is not None
    return verdict(exercise, answer)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("id", IDS)
def test_the_solution_is_right(id: str, seed: int) -> None:
    nb05._random.seed(seed)
    torch.manual_seed(seed)
    exercise = find(id)
    assert exercise is not None
    assert judge(id, exercise.solution) == ("right", exercise.why)


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("blank", [None, ..., lambda *_: ...])
def test_a_blank_is_not_attempted(id: str, blank: Any) -> None:
    assert judge(id, blank)[0] == "not attempted"


def leaky_starter(write: Any, source: str, target: str) -> Any:
    max_length: Any = ...
    return write(max_length)


def test_the_starter_of_the_length_leak_is_not_attempted() -> None:
    assert judge("5.5", leaky_starter)[0] == "not attempted"


def grams(word: str, n: int) -> Counter[str]:
    return Counter(word[i : i + n] for i in range(len(word) - n + 1))


def bleu(output: str, target: str, clip: bool = True, smooth: bool = True, **no: bool) -> float:
    three = len(target) == 3 and no.get("three", True)
    weight, total = (0.33 if three else 0.25), 0.0
    for n in (1, 2, 3) if three else (1, 2, 3, 4):
        ours, theirs = grams(output, n), grams(target, n)
        matches: float = sum((ours & theirs).values())
        if not clip:
            matches = sum(count for gram, count in ours.items() if gram in theirs)
        if matches == 0 and n == 1 and no.get("guard", True):
            return 0.0
        if matches == 0 and not smooth:
            return 0.0
        precision = (matches or 0.1) / max(1, len(output) - n + 1)
        total += weight * math.log(0.1 if matches == 0 and no.get("precision") else precision)
    ratio = len(target) / len(output)
    penalty = math.exp(1 - ratio) if no.get("bonus") else min(1.0, math.exp(1 - ratio))
    return math.exp(total) * (1 if no.get("brevity") else penalty)


def mean_of_precisions(output: str, target: str) -> float:
    shared = [(sum((grams(output, n) & grams(target, n)).values())) for n in (1, 2, 3, 4)]
    return sum(m / max(1, len(output) - n) for n, m in enumerate(shared)) / 4


def nltk(output: str, target: str) -> float:
    weights = [0.33] * 3 if len(target) == 3 else [0.25] * 4
    smoothing = SmoothingFunction().method1
    return sentence_bleu([list(target)], list(output), weights, smoothing_function=smoothing)


def test_nltk_is_right_too() -> None:
    assert judge("5.1", nltk)[0] == "right"


def share_of(counted: Any, divisor: Any) -> Any:
    return lambda samples, train: counted(samples, train) / divisor(samples, train)


def line(shift: int, steps_more: int = 0) -> Any:
    def walk(start: torch.Tensor, end: torch.Tensor, steps: int) -> torch.Tensor:
        share = torch.arange(shift, steps + shift)[:, None] / (steps - 1 + steps_more)
        return start + share * (end - start)

    return walk


def by_columns(samples: Any, train: Any) -> float:
    """Every form is somewhere in its own column, not all of them in one row."""
    columns = list(zip(*train, strict=True))
    hits = [all(row[k] in columns[k] for k in range(4)) for row in samples]
    return sum(hits) / len(hits)


WRONG: list[tuple[str, Any, str]] = [
    ("5.1", lambda o, t: bleu(o, t, brevity=True) if o else 0.0, "brevity penalty is missing"),
    ("5.1", lambda o, t: bleu(o, t, bonus=True) if o else 0.0, "never above 1"),
    ("5.1", lambda o, t: bleu(o, t, smooth=False) if o else 0.0, "smoothing method 1"),
    ("5.1", lambda o, t: bleu(o, t, clip=False) if o else 0.0, "clip each"),
    ("5.1", lambda o, t: bleu(o, t, precision=True) if o else 0.0, "replaces the 0"),
    ("5.1", lambda o, t: bleu(o, t, guard=False) if o else 0.0, "no letter in common"),
    ("5.1", lambda o, t: bleu(o, t, three=False) if o else 0.0, "three weights of 0.33"),
    ("5.1", lambda o, t: math.log(bleu(o, t, smooth=False)), "no logarithm"),
    ("5.1", lambda o, t: len(t) / len(o) and bleu(o, t), "an empty output 0"),
    ("5.1", lambda o, t: 1 / sum(grams(o, 4).values()), "at least 1 n-gram"),
    ("5.1", lambda o, t: float(o == t), "expected"),
    ("5.1", mean_of_precisions, "expected"),
    ("5.1", lambda o, t: "0.3", "one number"),
    ("5.1", lambda o, t: torch.zeros(4), "one number"),
    ("5.1", 0.316, "pass its name"),
    ("5.2", share_of(lambda s, t: sum(map(t.count, s)), lambda s, t: len(s)), "each copy"),
    ("5.2", share_of(lambda s, t: sum(r in t for r in set(s)), lambda s, t: len(set(s))), "*all*"),
    ("5.2", share_of(lambda s, t: sum(r in t for r in s), lambda s, t: len(set(t))), "coverage"),
    ("5.2", lambda s, t: sum(r in t for r in s), "that is a count"),
    (
        "5.2",
        lambda s, t: sum(any(f in {w for r in t for w in r} for f in row) for row in s) / len(s),
        "all four must be",
    ),
    ("5.2", lambda s, t: sum(r[0] in {q[0] for q in t} for r in s) / len(s), "simple present"),
    ("5.2", by_columns, "a mixture of two verbs"),
    ("5.2", lambda s, t: [r in t for r in s], "one number"),
    ("5.2", lambda s, t: True, "one number"),
    ("5.3", lambda s, t: len(set(s) & set(t)) / len(s), "number of samples"),
    ("5.3", lambda s, t: sum(r in t for r in s) / len(set(t)), "counts once"),
    ("5.3", lambda s, t: len(set(s) & set(t)) / len(t), "twice is still one verb"),
    ("5.3", lambda s, t: sum(r in t for r in s) / len(s), "Gaussian score"),
    ("5.3", lambda s, t: sum(r in s for r in t) / len(t), "row by row"),
    ("5.3", lambda s, t: set(s) & set(t), "one number"),
    ("5.4", line(0, 1), "the end is missing"),
    ("5.4", lambda a, b, n: line(0)(b, a, n), "the wrong way"),
    ("5.4", line(1, 1), "the start is missing"),
    ("5.4", lambda a, b, n: torch.linspace(0, 1, n)[:, None] * (b - a), "starts at 0"),
    ("5.4", lambda a, b, n: torch.linspace(0, 1, n)[:, None] ** 2 * (b - a) + a, "equally long"),
    ("5.4", lambda a, b, n: line(0)(a, b, n + 1)[: n + 1], "both ends among them"),
    ("5.4", lambda a, b, n: list(line(0)(a, b, n)), "torch.stack"),
    ("5.4", lambda a, b, n: a + b, "shape"),
    ("5.4", lambda a, b, n: 0.5, "tensor of shape"),
    ("5.5", lambda write, s, t: write(len(t) + 1), "still the target's length + 1"),
    ("5.5", lambda write, s, t: write(len(t)), "depends on the target"),
    ("5.5", lambda write, s, t: write(30)[: len(t)], "cut and mend nothing"),
    ("5.5", lambda write, s, t: write(len(s) + 10), "source's length"),
    ("5.5", lambda write, s, t: write(8), "too few"),
    ("5.5", lambda write, s, t: t, "never called"),
    ("5.5", lambda write, s, t: 30, "expected what"),
    ("5.5", 30, "pass its name"),
]  # fmt: skip


@pytest.mark.parametrize(("id", "answer", "phrase"), WRONG)
def test_a_slip_gets_its_message(id: str, answer: Any, phrase: str) -> None:
    for seed in range(3):
        nb05._random.seed(seed)
        torch.manual_seed(seed)
        status, message = judge(id, answer)
        assert status == "not yet"
        assert phrase in message
