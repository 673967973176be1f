"""What an exercise is, and how an answer to it is judged.

How to write an exercise. All of it stands in one place, below the solution function:

    def third_person(verb: str) -> str:
        return verb + "s"

    register(
        Exercise(
            id="0.1",
            title="Warm-up: she walks",
            difficulty=1,
            starter="def third_person(verb: str) -> str:\\n    return ...",
            solution=third_person,
            result=text(),
            cases=lambda draw: [("walk",), ("jump",), (draw.choice(VERBS),)],
            slips={
                "that is the verb itself: something is to be added": lambda verb: verb,
                "the s comes last": lambda verb: "s" + verb,
            },
            hints=("a nudge", "nearly the answer"),
            why="a sentence that says why the solution is right",
        )
    )

An answer is right if it gives what the solution gives, in every case. So:

- `cases(draw)` is a list of argument tuples: small and fixed ones first (the first that differs is
  shown to the student), then some drawn from `draw`, a `random.Random` that draws tensors too. They
  must tell every slip from the solution in *every* run: where chance could hide a slip, fix a case
  or draw until it shows. `Case(arguments, label)` names a case that cannot be shown by its values.
- `slips` maps a message to a wrong solution, a function of the same arguments. It may raise, or
  return a result of a wrong shape or type: an answer that does the same is called by its name. Two
  slips may not be alike. Before each call of the answer, the solution or a slip the random numbers
  of torch, numpy and Python are seeded alike, so that a slip may draw: an answer that draws the
  same is found to be the same.
- `result` is the kind of result: Number, text(), truth(), Tokens, TensorOf, Parts, or an own one
  with the three methods of results.Kind. It says what is wrong with the type or the shape.

What a few exercises need as well:

- `must_pass_gradients=("mean",)`: arguments (a tensor, a pair of them, a model) that must get the
  gradient that the solution gives them.
- `errors={"IndexError": ". 27 is EOS …"}`: what to add to a message that contains the key.
- `tell(case, got, right)`: the first half of a message, for a case that differs.
- `call(function, *case)`: how the function is called, where it is not `function(*case)`: several
  times, with a callback, or inside a `try`. Solution and slips are called in the same way.
- `also(run)`: a last look of its own, at an answer that is right in all cases; `run(*arguments)`
  is the answer, called with care. It raises NotYet.
- `answer_is_value=True`: the student passes a value, not a function. Solution and slips are then
  functions without arguments, `cases` may be left out, and `shown` is the solution's text.

tests/test_exercises.py asks all this of every exercise, and feeds each with the answers of
tests/exercise_answers. How an answer is judged: judging.py; where: runner.py and child.py.
"""

from __future__ import annotations

import inspect
import random
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple

import torch
from torch import Tensor

from labkit.exercises.results import Kind


class Verdict(NamedTuple):
    """What came of a check. As the last value of a cell it displays nothing of its own."""

    status: str  # "right", "not yet", "not attempted" or "stopped"
    message: str

    def _ipython_display_(self) -> None:
        pass


class Case(NamedTuple):
    """The arguments of one call, and words for them where their values cannot be shown."""

    arguments: tuple[Any, ...]
    label: str = ""


class Draw(random.Random):
    """The source of a check's random cases: Python's random methods, and two for tensors."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.start = seed
        self._generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape: int) -> Tensor:
        """Numbers from N(0, 1)."""
        return torch.randn(shape, generator=self._generator)

    def integers(self, end: int, *shape: int) -> Tensor:
        """Whole numbers from 0 to end − 1."""
        return torch.randint(end, shape, generator=self._generator)


def _one_case(draw: Draw) -> Sequence[tuple[Any, ...]]:
    return [()]


def _plain_call(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One exercise of a notebook; the module's docstring says how to write one."""

    id: str  # "3.2": the second exercise of notebook 03
    title: str
    difficulty: int  # 1 a line, 2 a few lines, 3 real work
    starter: str  # what the notebook's cell holds before check(...)
    solution: Callable[..., Any]
    result: Kind
    slips: Mapping[str, Callable[..., Any]]  # message -> the wrong solution that it names
    hints: tuple[str, str]  # a nudge, then nearly the answer
    why: str  # a sentence: why the solution is right
    cases: Callable[[Draw], Sequence[tuple[Any, ...]]] = _one_case
    must_pass_gradients: tuple[str, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    tell: Callable[[Case, Any, Any], str] | None = None
    call: Callable[..., Any] = _plain_call
    also: Callable[[Callable[..., Any]], None] | None = None
    answer_is_value: bool = False
    shown: str = ""  # the solution's text, where it is not the function's source

    @property
    def name(self) -> str:
        """The name of the function or of the value that the student writes."""
        found = re.findall(r"^def (\w+)|^(\w+) = \.\.\.", self.starter, re.MULTILINE)
        return max(found[-1]) if found else "the answer"

    @property
    def parameters(self) -> list[str]:
        """The names of the arguments, in order."""
        return list(inspect.signature(self.solution).parameters)


_EXERCISES: dict[str, Exercise] = {}


def register(*exercises: Exercise) -> None:
    """Make exercises known to check, hint, solution and progress."""
    _EXERCISES.update({exercise.id: exercise for exercise in exercises})


def find(id: str) -> Exercise | None:
    """The exercise with this id, if there is one."""
    return _EXERCISES.get(str(id))


def all_exercises() -> list[Exercise]:
    """Every exercise of the lab, in order."""
    return sorted(_EXERCISES.values(), key=lambda e: tuple(map(int, e.id.split("."))))


def solution_source(exercise: Exercise) -> str:
    """The text of the solution."""
    return exercise.shown or textwrap.dedent(inspect.getsource(exercise.solution)).strip()


def told_apart(cases: Sequence[tuple[Any, ...]], functions: Iterable[Callable[..., Any]]) -> bool:
    """Whether any two of the functions differ (by ==) in one of the cases.

    For `cases` that draw until this is so of the solution and the slips that chance could hide.
    """

    @cache
    def result(function: Callable[..., Any], number: int) -> Any:
        return function(*cases[number])

    return all(
        any(result(one, number) != result(other, number) for number in range(len(cases)))
        for one, other in combinations(functions, 2)
    )
