"""The checks of notebook 04: solutions pass, blanks are blank, each slip is called by its name."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from labkit import schedules
from labkit.batches import WordSet, padding_mask
from labkit.exercises import nb04
from labkit.exercises.core import find, verdict
from labkit.language import EOS
from labkit.tables import load_tables

LENGTH = WordSet(load_tables().train).whole.length.double()
SOLUTIONS: dict[str, Any] = {
    "4.1": nb04.total_loss,
    "4.2": 1 / LENGTH.mean(),
    "4.3": nb04.counted_when_free,
    "4.4": nb04.teacher_forcing_ratio,
    "4.5": nb04.kl_weight,
}


def judge(id: str, answer: Any) -> tuple[str, str]:
    exercise = find(id)
    assert exercise is not None
    return verdict(exercise, answer)


# --- answers, right and wrong --------------------------------------------------------------------


def loss(nll: Any, counted: Any, kl: Any, w: float, *, slip: str = "") -> Any:
    """An answer to 4.1, with slips."""
    total, number, rate = (nll * counted).sum(1), counted.sum(1), kl.sum(1)
    if slip == "dimensions averaged":
        rate = kl.mean(1)
    if slip == "pad":
        total, number = nll.sum(1), torch.full_like(number, nll.shape[1])
    if slip == "divide by T":
        number = torch.full_like(number, nll.shape[1])
    if slip == "characters summed":
        number = torch.ones_like(number)
    parts = total / number + (1 if slip == "no weight" else w) * rate
    if slip == "pooled":
        return total.sum() / number.sum() + w * rate.mean()
    return parts.sum() if slip == "words summed" else parts.mean()


def with_loop(written: Any, length: Any) -> Any:
    counted = torch.zeros_like(written, dtype=torch.bool)
    for row, word in enumerate(written.tolist()):
        for place in range(int(length[row])):
            counted[row, place] = True
            if word[place] == EOS:
                break
    return counted


def not_before_eos(written: Any, length: Any) -> Any:
    counted = (written == EOS).cumsum(1) == 0
    return counted & padding_mask(length, written.shape[1])


def no_padding_mask(written: Any, _length: Any) -> Any:
    is_eos = (written == EOS).long()
    return is_eos.cumsum(1) - is_eos == 0


def float_cycle(epoch: int, epochs: int, cycles: int, zero: float, final: float) -> float:
    length = epochs / cycles
    x = (epoch % length) / length
    return max(0.0, (x - zero) / (1 - zero)) * final


def stray_cycle(epoch: int, epochs: int, cycles: int, zero: float, final: float) -> float:
    epochs //= cycles
    epoch %= epochs
    return float_cycle(epoch, epochs, 1, zero, final)


def reports_ratio(epoch: int, epochs: int, final_ratio: float) -> float:
    if epoch < 0.2 * epochs:
        return 1.0
    r = final_ratio
    +(epochs - epoch) * (1 - final_ratio) / (0.8 * epochs)
    return r


RIGHT_TOO: list[tuple[str, Any]] = [
    ("4.1", loss),
    ("4.1", lambda *args: float(loss(*args))),
    ("4.2", 0.1206),
    ("4.2", float(1 / LENGTH.mean())),
    ("4.3", with_loop),
    ("4.3", lambda *args: with_loop(*args).long()),
    ("4.4", lambda e, n, final: schedules.teacher_forcing_ratio(e, n, final_ratio=final)),
    ("4.4", lambda e, n, final: torch.tensor(nb04.teacher_forcing_ratio(e, n, final)).double()),
]

WRONG: list[tuple[str, Any, str]] = [
    ("4.1", lambda *a: loss(*a, slip="dimensions averaged"), "KL is averaged over dimensions"),
    ("4.1", lambda *a: loss(*a, slip="pad"), "do not count are counted"),
    ("4.1", lambda *a: loss(*a, slip="divide by T"), "divide by what is counted"),
    ("4.1", lambda *a: loss(*a, slip="characters summed"), "average its characters"),
    ("4.1", lambda *a: loss(*a, slip="no weight"), "not multiplied by w"),
    ("4.1", lambda *a: loss(*a, slip="pooled"), "long words weigh more"),
    ("4.1", lambda *a: loss(*a, slip="words summed"), "words are summed"),
    ("4.1", lambda nll, counted, kl, w: loss(nll, counted, 0 * kl, w), "KL is missing"),
    ("4.1", lambda nll, counted, kl, w: loss(nll, counted, -kl, w), "it is a price"),
    ("4.1", lambda nll, counted, kl, w: w * loss(nll, counted, kl, 1), "the KL alone"),
    ("4.2", 0.12, "three digits"),
    ("4.1", lambda nll, counted, kl, w: (nll * counted).sum(1), "should have shape ()"),
    ("4.2", 1, "1 is the β"),
    ("4.2", LENGTH.mean(), "that is the mean length"),
    ("4.2", 1 / (LENGTH - 1).mean(), "EOS is a character too"),
    ("4.2", 1 / 64, "the 64 dimensions"),
    ("4.2", (1 / LENGTH).mean(), "mean of 1/T"),
    ("4.2", 0.3, "what then stands before the KL"),
    ("4.2", "a lot", "expected a number"),
    ("4.3", not_before_eos, "its own EOS must count"),
    ("4.3", lambda w, n: padding_mask(n, w.shape[1]), "was never emitted"),
    ("4.3", no_padding_mask, "have no target"),
    ("4.3", lambda w, n: ~with_loop(w, n), "upside down"),
    ("4.3", lambda w, n: with_loop(w, n)[:, :-1], "should have shape"),
    ("4.3", lambda w, n: with_loop(w, n).tolist(), "should be a tensor"),
    ("4.4", reports_ratio, "never *declines*"),
    ("4.4", lambda e, n, f: 1.0, "expected"),
    ("4.4", lambda e, n, f: f + (n - e) * (1 - f) / (0.8 * n), "expected 1"),
    ("4.4", lambda e, n, f: 1 if e < 0.2 * n else (n - e) * (1 - f) / (0.8 * n), "falls to 0"),
    ("4.4", lambda e, n, f: 1 if e < 0.2 * n else f + (n - e) * (1 - f) / n, "jumps at 20 %"),
    ("4.4", lambda e, n, f: 1 if e < 0.2 * n else f + e * (1 - f) / (0.8 * n), "it rises"),
    ("4.4", lambda e, n, f: [1.0], "expected a number"),
    ("4.5", stray_cycle, "stray"),
    ("4.5", float_cycle, "no exact float"),
    ("4.5", lambda e, n, m, z, f: float_cycle(e, n, 1, z, f), "never starts again"),
    ("4.5", lambda e, n, m, z, f: float_cycle(e, n, m, 0, f), "share at zero is ignored"),
    ("4.5", lambda e, n, m, z, f: max(0.0, f * (e * m % n / n - z)), "stays short of"),
    ("4.5", lambda e, n, m, z, f: f * (e * m % n / n) * (e * m % n / n >= z), "it jumps: where"),
    ("4.5", lambda e, n, m, z, f: f * (e * m % n / n >= z), "straight line"),
    ("4.5", lambda e, n, m, z, f: True, "expected a number"),
]


# --- the tests -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("id", SOLUTIONS)
def test_the_solution_is_right(id: str, seed: int) -> None:
    torch.manual_seed(seed)
    assert judge(id, SOLUTIONS[id])[0] == "right"


def test_the_solution_that_is_shown_gives_the_number_of_4_2() -> None:
    names: dict[str, Any] = {"WordSet": WordSet, "tables": load_tables()}
    exec(str(find("4.2").solution), names)  # type: ignore[union-attr]
    assert judge("4.2", names["weight"])[0] == "right"


@pytest.mark.parametrize("id", SOLUTIONS)
@pytest.mark.parametrize("blank", [None, ...])
def test_a_blank_is_not_attempted(id: str, blank: Any) -> None:
    assert judge(id, blank)[0] == "not attempted"


@pytest.mark.parametrize("id", ["4.1", "4.3", "4.4", "4.5"])
def test_a_function_with_a_blank_is_not_attempted(id: str) -> None:
    assert judge(id, lambda *_: ...)[0] == "not attempted"


def test_half_a_blank_is_not_attempted() -> None:
    assert judge("4.4", lambda e, n, f: 1.0 if e < 0.2 * n else ...)[0] == "not attempted"
    assert judge("4.5", lambda e, n, m, z, f: 0.0 if e < 0.2 * n else ...)[0] == "not attempted"


@pytest.mark.parametrize(("id", "answer"), RIGHT_TOO)
def test_another_right_answer_is_right(id: str, answer: Any) -> None:
    assert judge(id, answer) == ("right", find(id).why)  # type: ignore[union-attr]


@pytest.mark.parametrize(("id", "answer", "phrase"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(id: str, answer: Any, phrase: str) -> None:
    status, message = judge(id, answer)
    assert status == "not yet"
    assert phrase in message


@pytest.mark.parametrize("id", SOLUTIONS)
@pytest.mark.parametrize("answer", ["sang", torch.zeros(2), lambda: 1, lambda *_: 1 / 0])
def test_another_kind_of_thing_is_told_kindly(id: str, answer: Any) -> None:
    status, message = judge(id, answer)
    assert status == "not yet"
    assert "could not be judged" not in message
