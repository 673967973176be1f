"""The checks of notebook 02: solutions pass, blanks are blank, each slip is called by its name."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from labkit.exercises import nb02
from labkit.exercises.core import find, verdict
from labkit.language import ALPHABET, EOS, SOS

SOLUTIONS: dict[str, Any] = {
    "2.1": nb02.tokenise,
    "2.2": nb02.detokenise,
    "2.3": nb02.one_hot,
    "2.4": nb02.mask,
    "2.5": nb02.seen,
}


def judge(id: str, answer: Any) -> tuple[str, str]:
    exercise = find(id)
    assert exercise is not None
    return verdict(exercise, answer)


def letters(word: str) -> list[int]:
    return [ord(c) - 97 for c in word]


def all_forms(rows: Any) -> set[str]:
    return {form for row in rows for form in row}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("id", SOLUTIONS)
def test_the_solution_is_right(id: str, seed: int) -> None:
    nb02._random.seed(seed)
    assert judge(id, SOLUTIONS[id])[0] == "right"


@pytest.mark.parametrize("id", SOLUTIONS)
@pytest.mark.parametrize("blank", [None, ..., lambda *_: ...])
def test_a_blank_is_not_attempted(id: str, blank: Any) -> None:
    assert judge(id, blank)[0] == "not attempted"


RIGHT_TOO: dict[str, list[Any]] = {
    "2.1": [
        lambda w: [range(26)[ALPHABET.index(c)] for c in w] + [27],
    ],
    "2.2": [lambda t: "".join(ALPHABET[i] for i in (t[: t.index(27)] if 27 in t else t))],
    "2.3": [lambda t: torch.eye(28)[t]],
    "2.4": [lambda t, n: (t == EOS).cumsum(1) - (t == EOS).long() == 0],
    "2.5": [lambda p, r: len([1 for x in p if {x.source, x.target} <= all_forms(r)])],
}


@pytest.mark.parametrize("id", RIGHT_TOO)
def test_other_right_answers_pass(id: str) -> None:
    for answer in RIGHT_TOO[id]:
        assert judge(id, answer)[0] == "right"


def in_own_columns(pairs: Any, rows: Any) -> int:
    columns = list(zip(*rows, strict=True))
    return sum(
        p.source in columns[p.source_tense] and p.target in columns[p.target_tense] for p in pairs
    )


SLIPS: list[tuple[str, Any, str]] = [
    ("2.1", lambda w: [ALPHABET.index(c) for c in w], "EOS (27) is missing"),
    ("2.1", lambda w: [SOS, *nb02.tokenise(w)], "no part of the word's tokens"),
    ("2.1", lambda w: [SOS, *letters(w)], "SOS does not belong here"),
    ("2.1", lambda w: [*letters(w), SOS], "26 is SOS"),
    ("2.1", lambda w: [t + 1 for t in letters(w)] + [EOS], "count from 1"),
    ("2.1", lambda w: [ord(c) for c in w] + [EOS], "subtract it"),
    ("2.1", lambda w: [*letters(w), EOS], "'Go' became [-26, 14, 27]"),
    ("2.1", lambda w: [ALPHABET.find(c) for c in w] + [EOS], "raise a ValueError"),
    ("2.1", lambda w: nb02.tokenise(w.lower()), "'Go' became"),
    ("2.1", lambda w: [6, 14, 27], "expected [0, 27]"),
    (
        "2.1",
        lambda w: [{c: i for i, c in enumerate(ALPHABET)}[c] for c in w] + [27],
        "'Go' raised a KeyError",
    ),
    (
        "2.1",
        lambda w: ValueError(w) if w.strip(ALPHABET) else nb02.tokenise(w),
        "'Go' became Go: ",
    ),
    ("2.1", lambda w: torch.tensor(nb02.tokenise(w)), "plain list"),
    ("2.1", lambda w: w, "list of whole numbers, got the str"),
    ("2.2", lambda t: "".join(chr(97 + i) for i in t), "no character of it"),
    ("2.2", lambda t: "".join(ALPHABET[i] for i in t), "stop before it"),
    ("2.2", lambda t: "".join(ALPHABET[i] for i in t if i != EOS), "the *first* EOS"),
    ("2.2", lambda t: "".join(ALPHABET[i] for i in t[:-1]), "keep it"),
    ("2.2", lambda t: "".join(ALPHABET[i] for i in t[: t.index(27)]), "need not be an EOS"),
    ("2.2", lambda t: [ALPHABET[i] for i in t if i < 26], "expected a string"),
    ("2.2", lambda t: "go", "expected"),
    ("2.3", lambda t: t, "still one number a character"),
    ("2.3", lambda t: t.tolist(), "still one number a character"),
    ("2.3", lambda t: F.one_hot(t), ".float()"),
    ("2.3", lambda t: F.one_hot(t).float(), "num_classes"),
    ("2.3", lambda t: F.one_hot(t, 28), ".float()"),
    ("2.3", lambda t: torch.eye(27)[t], "V is 28: EOS, token 27"),
    ("2.3", lambda t: F.one_hot(t, 27), "V is 28"),
    ("2.3", lambda t: t @ 1, "raised"),
    ("2.3", lambda t: torch.zeros(28).scatter(0, t, 1.0), "its order lost"),
    ("2.3", lambda t: torch.eye(28)[t].T, "turned by 90"),
    ("2.3", lambda t: torch.eye(28)[t - 1], "one column off"),
    ("2.3", lambda t: torch.ones(len(t), 28), "is not 0 in columns"),
    ("2.3", lambda t: torch.eye(28)[t].tolist(), "should be a tensor"),
    ("2.3", lambda t: torch.zeros(len(t), 28, 1), "shape"),
    ("2.4", lambda t, n: t != EOS, "own EOS got False, but"),
    ("2.4", lambda t, n: torch.arange(t.shape[1]) < n[:, None] - 1, "own EOS got False, but"),
    ("2.4", lambda t, n: torch.arange(t.shape[1]) >= n[:, None], "upside down"),
    ("2.4", lambda t, n: torch.arange(t.shape[1]) <= n[:, None], "one True too many"),
    ("2.4", lambda t, n: torch.ones_like(t).bool(), "nothing is masked"),
    ("2.4", lambda t, n: nb02.mask(t, n).float(), "torch.bool"),
    ("2.4", lambda t, n: torch.arange(t.shape[1]) < torch.cat([n, n, n, n]), "makes a column"),
    ("2.4", lambda t, n: nb02.mask(t, n).T, "turned by 90"),
    ("2.4", lambda t, n: nb02.mask(t, n)[:, :-1], "shape"),
    ("2.4", lambda t, n: nb02.mask(t, n).tolist(), "should be a tensor"),
    ("2.4", lambda t, n: n, "the mask, (B, T), should have shape (3, "),
    ("2.5", lambda p, r: 2 * nb02.seen(p, r), "counts once"),
    ("2.5", lambda p, r: sum({x.source, x.target} <= {w[0] for w in r} for x in p), "all four"),
    ("2.5", lambda p, r: sum(x.source in {w[0] for w in r} for x in p), "all four"),
    ("2.5", lambda p, r: sum(x.source in all_forms(r) for x in p), "the target must"),
    ("2.5", lambda p, r: sum(x.target in all_forms(r) for x in p), "the source must"),
    ("2.5", lambda p, r: sum(bool({x.source, x.target} & all_forms(r)) for x in p), "both words"),
    (
        "2.5",
        lambda p, r: sum(x.source in str(r) and x.target in str(r) for x in p),
        "compare words",
    ),
    ("2.5", lambda p, r: [x for x in p if {x.source, x.target} <= all_forms(r)], "len("),
    ("2.5", lambda p, r: True, "expected a number"),
    ("2.5", lambda p, r: nb02.seen(p, r) / 7, "expected 5"),
    ("2.5", in_own_columns, "not in each word's own"),
    ("2.5", lambda p, r: nb02.seen(p, r) / max(1, len(p)), "that is the share"),
    ("2.5", lambda p, r: len(p), "how many pairs there are"),
    (
        "2.5",
        lambda p, r: sum(x.source in row and x.target in row for x in p for row in r),
        "in however many rows",
    ),
    (
        "2.5",
        lambda p, r: sum(any(x.source in row and x.target in row for row in r) for x in p),
        "need not be in the same row",
    ),
    (
        "2.5",
        lambda p, r: sum(x.source in r and x.target in r for x in p),
        "A word may be in a row, never in `rows`",
    ),
    ("2.5", lambda p, r: 0, "you return 0 for any pairs"),
    ("2.5", lambda p, r: 10, "you return 10 for any pairs, and even for none"),
]


@pytest.mark.parametrize(("id", "answer", "phrase"), SLIPS)
def test_a_slip_is_named(id: str, answer: Any, phrase: str) -> None:
    status, message = judge(id, answer)
    assert status == "not yet"
    assert phrase in message


@pytest.mark.parametrize("id", SOLUTIONS)
@pytest.mark.parametrize(
    "answer",
    [
        *(42, "go", [1, 2], lambda: 0, lambda *_: 1 / 0, lambda *_: {}),
        *(lambda *_: torch.ones(3), lambda *_: None),
    ],
)
def test_nonsense_is_told_kindly(id: str, answer: Any) -> None:
    status, message = judge(id, answer)
    assert status == "not yet"
    assert "could not be judged" not in message
