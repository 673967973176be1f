"""The warm-up's check."""

from typing import Any

import pytest
import torch

from labkit.exercises.core import find, verdict
from labkit.exercises.nb00 import third_person


def judge(answer: Any) -> tuple[str, str]:
    exercise = find("0.1")
    assert exercise is not None
    return verdict(exercise, answer)


def test_right():
    assert judge(third_person)[0] == judge(lambda verb: f"{verb}s")[0] == "right"


@pytest.mark.parametrize("blank", [None, ..., lambda verb: ...])
def test_blank(blank):
    assert judge(blank)[0] == "not attempted"


@pytest.mark.parametrize(
    ("answer", "phrase"),
    [
        (lambda verb: verb, "the verb itself"),
        (lambda verb: "walks", 'for "walk" only'),
        (lambda verb: "verbs", 'the word "verb"'),
        (lambda verb: verb + "es", "a plain s is enough"),
        (lambda verb: verb + "'s", "without the apostrophe"),
        (lambda verb: verb + " s", "without the blank"),
        (lambda verb: "s" + verb, "the s comes last"),
        (lambda verb: verb.upper() + "S", "'WALKS', expected 'walks'"),
        (lambda verb: 7, "expected a string, got the int 7"),
        (lambda verb: torch.ones(2), "a tensor of shape (2,)"),
        (lambda verb: verb - "s", "raised TypeError"),
        (lambda verb: print(end=""), "Did you print instead of return?"),
        ("walks", "expected a function"),
    ],
)
def test_slips_are_named(answer, phrase):
    status, message = judge(answer)
    assert status == "not yet"
    assert phrase in message
