"""Every exercise: solutions pass, blanks are blank, each slip is called by its name."""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib
import re
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from labkit.exercises import judging
from labkit.exercises.calling import Outcome
from labkit.exercises.core import Draw, Exercise, all_exercises
from labkit.exercises.judging import LONGEST, Judge, judge_here
from labkit.language import MAX_LENGTH

pytestmark = pytest.mark.slow


def with_remembered_cases(exercise: Exercise) -> Exercise:
    """The same exercise, whose cases are drawn once a seed: most of a check's time goes there."""
    drawn = functools.cache(lambda seed: exercise.cases(Draw(seed)))
    return replace(exercise, cases=lambda draw: drawn(draw.start))


class RememberingJudge(Judge):
    """A judge that asks each slip once a case and a seed, for all answers: it answers alike."""

    known: ClassVar[dict[tuple[Any, ...], Outcome]] = {}

    def _outcome(self, function: Any, number: int, watch: Any = contextlib.nullcontext) -> Outcome:
        if all(function is not slip for slip in self.exercise.slips.values()):
            return super()._outcome(function, number, watch)
        key = self.exercise.id, self.seed, function, number
        if key not in self.known:
            self.known[key] = super()._outcome(function, number, watch)
        return self.known[key]


@pytest.fixture(autouse=True)
def _remember(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "Judge", RememberingJudge)


ALL = [with_remembered_cases(exercise) for exercise in all_exercises()]
IDS = [exercise.id for exercise in ALL]
WITH_FUNCTIONS = [exercise.id for exercise in ALL if not exercise.answer_is_value]
SLIPS = [(exercise.id, message) for exercise in ALL for message in exercise.slips]

_notebooks = sorted({f"nb0{id[0]}" for id in IDS})
_answers = [importlib.import_module(f"exercise_answers.{name}") for name in _notebooks]
RIGHT = [(id, a) for module in _answers for id, group in module.RIGHT.items() for a in group]
WRONG = [(id, *a) for module in _answers for id, group in module.WRONG.items() for a in group]


def seeds(id: str, many: int) -> range:
    """So many runs; few of the exercises whose check takes a second."""
    return range(2 if id in ("3.4", "3.5", "6.1", "6.2") else many)


def the(id: str) -> Exercise:
    return next(exercise for exercise in ALL if exercise.id == id)


def refused(id: str, answer: Any, seed: int = 0) -> str:
    """The message to a wrong answer, which must be a kind and a short one."""
    status, message = judge_here(the(id), answer, seed)
    assert status == "not yet", message
    assert "could not be judged" not in message
    assert len(message) <= LONGEST
    assert not re.search(r": *$", message)
    for got, expected in re.findall(r"(\S+), expected (\S+?)(?=[\s:]|$)", message):
        assert got != expected, message
    return message


# --- what every exercise must do -----------------------------------------------------------------


@pytest.mark.parametrize("id", IDS)
def test_it_is_complete(id: str) -> None:
    exercise = the(id)
    assert exercise.difficulty in (1, 2, 3)
    assert all(len(text) > 5 for text in (*exercise.hints, exercise.title, exercise.why))
    assert len(exercise.slips) >= 8
    assert set(exercise.must_pass_gradients) <= set(exercise.parameters)


@pytest.mark.parametrize("id", IDS)
def test_the_solution_is_right(id: str) -> None:
    exercise = the(id)
    answer = exercise.solution() if exercise.answer_is_value else exercise.solution
    for seed in seeds(id, 10):
        assert judge_here(exercise, answer, seed) == ("right", exercise.why), seed


@pytest.mark.parametrize("id", ["1.4", "1.5", "2.2", "5.6", "6.1"])
def test_luck_decides_nothing(id: str) -> None:
    """The same verdict over 200 seeds, where cases are drawn or draws are judged."""
    exercise = the(id)
    verdicts = {judge_here(exercise, exercise.solution, seed).status for seed in range(200)}
    assert verdicts == {"right"}


@pytest.mark.parametrize("id", IDS)
def test_a_blank_is_not_attempted(id: str) -> None:
    exercise = the(id)
    for blank in (..., None):
        assert judge_here(exercise, blank, 0).status == "not attempted"


@pytest.mark.parametrize("id", IDS)
def test_the_starter_is_not_attempted(id: str) -> None:
    exercise = the(id)
    names: dict[str, Any] = {"MAX_LENGTH": MAX_LENGTH}  # a default value, and so looked up
    exec("from __future__ import annotations\n" + exercise.starter, names)
    for seed in range(3):
        assert judge_here(exercise, names[exercise.name], seed).status == "not attempted"


@pytest.mark.parametrize(("id", "message"), SLIPS)
def test_a_slip_is_called_by_its_name(id: str, message: str) -> None:
    slip = the(id).slips[message]
    answer = slip() if the(id).answer_is_value else slip
    told = refused(id, answer)
    assert message in told, told


@pytest.mark.parametrize("id", IDS)
def test_every_slip_shows_in_every_run(id: str) -> None:
    exercise = the(id)
    for seed in seeds(id, 10):
        torch.manual_seed(seed)
        judge = Judge(exercise, exercise.solution, seed)
        for message, slip in exercise.slips.items():
            assert judge.differs(slip), (seed, message)


class Strange:
    """A result whose every use raises."""

    def __getattr__(self, name: str) -> Any:
        raise ValueError("no")

    def __repr__(self) -> str:
        raise SystemExit


def endless() -> Any:
    while True:
        yield 1


NONSENSE = [
    *(0, 1.5, True, 1j, float("nan"), np.float64(2)),
    *("x", b"x", "x" * 10**6, list(range(10**5))),
    *([], {}, (), (1, 2), [[1], 2], [None], (None, None)),
    *(torch.zeros(0), torch.zeros(2, 3, 4, 5), torch.ones(3, 28) > 0, torch.zeros(1).to_sparse()),
    *(np.zeros(3), object(), print, Strange()),
]


@pytest.mark.parametrize("id", WITH_FUNCTIONS)
def test_results_of_a_wrong_kind_are_told_kindly(id: str) -> None:
    for nonsense in NONSENSE:
        refused(id, lambda *_, value=nonsense: value)
    refused(id, lambda *_: endless())


@pytest.mark.parametrize("id", WITH_FUNCTIONS)
def test_what_is_no_such_function_is_told_kindly(id: str) -> None:
    for nonsense in (3, "sang", torch.zeros(2), [], object()):
        assert "expected a function" in refused(id, nonsense)
    assert "is a return missing?" in refused(id, lambda *_: None)
    assert "raised TypeError" in refused(id, lambda: 1)
    assert "raised ZeroDivisionError" in refused(id, lambda *_: 1 / 0)


def spoil(value: Any) -> bool:
    """Change a value in place, if it can be."""
    if isinstance(value, Tensor):
        value.copy_(~value if value.dtype == torch.bool else value + 1)
    elif isinstance(value, nn.Module):
        for weight in value.parameters():
            weight.data.add_(1)
    elif isinstance(value, list):
        value.clear() if value else value.append(0)
    elif isinstance(value, dict | set):
        value.clear()
    elif isinstance(value, tuple):
        return any(list(map(spoil, value)))  # all of them
    else:
        return False
    return True


@pytest.mark.parametrize("id", WITH_FUNCTIONS)
def test_a_changed_argument_is_refused(id: str) -> None:
    solution, spoilt = the(id).solution, False

    def answer(*args: Any) -> Any:
        nonlocal spoilt
        result = solution(*copy.deepcopy(args))
        spoilt = any(list(map(spoil, args))) or spoilt
        return result

    status, message = judge_here(the(id), answer, 0)
    if spoilt:
        assert status == "not yet"
        assert "changes its argument" in message


def detached(result: Any) -> Any:
    if isinstance(result, Tensor):
        return result.detach()
    return tuple(detached(part) for part in result)


@pytest.mark.parametrize("id", [e.id for e in ALL if e.must_pass_gradients])
def test_a_broken_gradient_is_refused(id: str) -> None:
    solution = the(id).solution
    assert "gets no gradient" in refused(id, lambda *args: detached(solution(*args)))
    assert "gets no gradient" in refused(id, torch.no_grad()(lambda *args: solution(*args)))


@pytest.mark.parametrize("id", IDS)
def test_switched_off_gradients_do_no_harm(id: str) -> None:
    exercise = the(id)
    answer = exercise.solution() if exercise.answer_is_value else exercise.solution
    with torch.no_grad():
        assert judge_here(exercise, answer, 0).status == "right"
    with torch.inference_mode():
        assert judge_here(exercise, answer, 0).status == "right"


# --- answers of tests/exercise_answers -----------------------------------------------------------


@pytest.mark.parametrize(("id", "answer"), RIGHT)
def test_another_right_answer_is_right(id: str, answer: Any) -> None:
    for seed in seeds(id, 3):
        assert judge_here(the(id), answer, seed) == ("right", the(id).why)


@pytest.mark.parametrize(("id", "answer", "phrase"), WRONG)
def test_another_wrong_answer_is_told_what_is_wrong(id: str, answer: Any, phrase: str) -> None:
    assert phrase in refused(id, answer)
