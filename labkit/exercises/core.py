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
tests/exercise_answers. How the work is kept away from the student's kernel: runner.py.
"""

from __future__ import annotations

import copy
import inspect
import math
import random
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from labkit.exercises.results import Kind, NotAttempted, NotYet, describe, is_blank

LONGEST = 1000  # characters of a message
Watch = Callable[[], AbstractContextManager[None]]  # is entered around each call of an answer


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


# --- judging -------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What came of one call."""

    value: Any = None  # as the exercise's kind read it
    problem: str = ""  # or what went wrong
    key: str = ""  # and the kind of that: two outcomes with one key are alike
    changed: str = ""  # the argument that the function changed


def judge_here(
    exercise: Exercise, answer: Any, seed: int | None = None, watch: Watch = nullcontext
) -> Verdict:
    """Judge an answer in this very process, with the cases that the seed draws. Never raises."""
    seed = random.SystemRandom().getrandbits(32) if seed is None else seed
    try:
        with _own_random_numbers(seed), torch.enable_grad(), torch.inference_mode(False):
            Judge(exercise, answer, seed, watch).judge()
        return Verdict("right", exercise.why)
    except NotAttempted:
        return Verdict("not attempted", f'replace the ... (hint("{exercise.id}") helps)')
    except NotYet as error:
        told = str(error)
        return Verdict("not yet", told if len(told) <= LONGEST else told[: LONGEST - 1] + "…")
    except Exception as error:  # an answer of a kind that nobody thought of
        return Verdict("not yet", f"this could not be judged ({_name_error(error)})")


@contextmanager
def _own_random_numbers(seed: int) -> Iterator[None]:
    """Draw from this seed inside; afterwards the random numbers go on as if nothing had been."""
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        _seed(seed)
        try:
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])  # noqa: NPY002


def _seed(seed: int) -> None:
    """Seed what a student may draw from."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002


class Judge:
    """One answer to one exercise, with the cases of one seed."""

    def __init__(
        self, exercise: Exercise, answer: Any, seed: int, watch: Watch = nullcontext
    ) -> None:
        if is_blank(answer):
            raise NotAttempted
        self.exercise, self.seed, self.watch = exercise, seed, watch
        self.function: Callable[..., Any] = answer
        if exercise.answer_is_value:
            self.function = lambda: answer
        elif not callable(answer):
            raise NotYet(f"expected a function, got {describe(answer)}: pass its name, without ( )")
        self.cases = [
            case if isinstance(case, Case) else Case(case) for case in exercise.cases(Draw(seed))
        ]
        # The solution goes first: whatever an answer does to torch, these are right.
        self.right = [self._value(number) for number in range(len(self.cases))]

    def judge(self) -> None:
        """Return if the answer is right; else raise NotYet or NotAttempted."""
        got = [
            self._outcome(self.function, number, self.watch) for number in range(len(self.cases))
        ]
        if wrong := [n for n in range(len(got)) if not self._is_right(got[n], n)]:
            raise NotYet(self._message(got, wrong))
        if changed := next((outcome.changed for outcome in got if outcome.changed), None):
            raise NotYet(
                f"right, but your function changes its argument {changed} (an operation in place, "
                "such as x += 1, pop or mul_?): the caller's own is spoilt, so work on a copy"
            )
        if self.exercise.must_pass_gradients:
            self._check_gradients()
        if self.exercise.also:
            self.exercise.also(self._run)

    def differs(self, slip: Callable[..., Any]) -> bool:
        """Whether a slip is told from the solution in any of the cases."""
        return not all(
            self._is_right(self._outcome(slip, number), number) for number in range(len(self.cases))
        )

    # calling

    def _run(self, *arguments: Any) -> Any:
        """The answer's raw result; NotYet for whatever it raises."""
        try:
            with self.watch():
                result = self.function(*map(copy.deepcopy, arguments))
        except (NotAttempted, NotYet):
            raise
        except BaseException as error:
            raise NotYet(self._explain(_told(error))) from None
        return _something(result)

    def _call(self, function: Callable[..., Any], number: int) -> tuple[Any, list[Any]]:
        """The raw result, and the arguments as they are afterwards."""
        # One by one, since two arguments may be one and the same tensor.
        arguments = [copy.deepcopy(argument) for argument in self.cases[number].arguments]
        _seed(self.seed + number)
        return _something(self.exercise.call(function, *arguments)), arguments

    def _value(self, number: int) -> Any:
        raw, _ = self._call(self.exercise.solution, number)
        return self.exercise.result.read(raw, raw)

    def _outcome(
        self, function: Callable[..., Any], number: int, watch: Watch = nullcontext
    ) -> Outcome:
        try:
            with watch():
                raw, arguments = self._call(function, number)
                value = self.exercise.result.read(raw, self.right[number])
            return Outcome(value, changed=self._changed(arguments, number))
        except NotAttempted:
            raise
        except NotYet as error:
            return Outcome(problem=str(error), key=str(error))
        except BaseException as error:  # SystemExit included: nothing may end the lesson
            return Outcome(problem=_told(error), key=type(error).__name__)

    def _changed(self, arguments: list[Any], number: int) -> str:
        """Which argument is no longer what it was."""
        names = self.exercise.parameters
        for place, (before, after) in enumerate(
            zip(self.cases[number].arguments, arguments, strict=True)
        ):
            if not _unchanged(before, after):
                return f"`{names[place]}`" if place < len(names) else f"number {place + 1}"
        return ""

    # comparing and telling

    def _is_right(self, outcome: Outcome, number: int) -> bool:
        same = self.exercise.result.same
        return not outcome.problem and bool(same(outcome.value, self.right[number]))

    def _alike(self, one: Outcome, other: Outcome) -> bool:
        if one.problem or other.problem:
            return one.key == other.key
        return bool(self.exercise.result.same(one.value, other.value))

    def _message(self, got: list[Outcome], wrong: list[int]) -> str:
        slip = self._named_slip(got, wrong)
        first = wrong[0]
        told = self._explain(got[first].problem) or self._tell(first, got[first].value)
        return f"{told}: {slip}" if slip else told

    def _named_slip(self, got: list[Outcome], wrong: list[int]) -> str:
        """The slip that gives what the answer gave in all cases, else in all that went wrong.

        In the first wrong case alone it must be the only such slip.
        """
        everywhere, where_wrong, at_first = [], [], []
        for message, slip in self.exercise.slips.items():
            try:
                if not self._alike(got[wrong[0]], self._outcome(slip, wrong[0])):
                    continue
                at_first.append(message)
                agrees = [
                    self._alike(got[number], self._outcome(slip, number))
                    for number in range(len(got))
                ]
            except NotAttempted:
                continue
            if all(agrees):
                everywhere.append(message)
            elif all(agrees[number] for number in wrong):
                where_wrong.append(message)
        if got[wrong[0]].problem or len(at_first) > 1:
            at_first = []
        return next(iter([*everywhere, *where_wrong, *at_first]), "")

    def _tell(self, number: int, got: Any) -> str:
        case, right = self.cases[number], self.right[number]
        if self.exercise.tell:
            return self.exercise.tell(case, got, right)
        shown = self.exercise.result.show(got, right)
        if not case.arguments and not case.label:
            return shown
        return self._case_text(case) + (" " if shown.startswith("gave ") else ": ") + shown

    def _case_text(self, case: Case) -> str:
        """The call as the student would write it, large arguments by their names."""
        if case.label:
            return case.label
        names = self.exercise.parameters
        parts = []
        for place, argument in enumerate(case.arguments):
            shown = repr(argument) if isinstance(argument, str | int | float | list | tuple) else ""
            name = names[place] if place < len(names) else "…"
            parts.append(shown if 0 < len(shown) <= 40 else name)
        return f"{self.exercise.name}({', '.join(parts)})"

    def _explain(self, problem: str) -> str:
        """A problem, with what the exercise has to say about it."""
        more = (text for sign, text in self.exercise.errors.items() if problem and sign in problem)
        return problem + next(more, "")

    # gradients

    def _check_gradients(self) -> None:
        for number in range(min(2, len(self.cases))):
            wanted = self._slopes(self.exercise.solution, number)
            try:
                with self.watch():
                    found = self._slopes(self.function, number)
            except (NotAttempted, NotYet):
                raise
            except BaseException as error:
                raise NotYet(
                    f"right, but once the arguments ask for gradients, {_told(error)} "
                    "(numpy and operations in place break a gradient: stay in torch)"
                ) from None
            for name, slopes in wanted.items():
                for slope, other in zip(slopes, found[name], strict=True):
                    if slope is None or not slope.any():
                        continue
                    if other is None or not other.any():
                        raise NotYet(
                            f"right, but `{name}` gets no gradient: leave out detach, .data, "
                            "no_grad, numpy and numbers taken out of tensors"
                        )
                    if not torch.allclose(slope, other, rtol=1e-3, atol=1e-4):
                        raise NotYet(
                            f"right, but `{name}` gets a wrong gradient: is a part of the way cut "
                            "by detach, .data or no_grad?"
                        )

    def _slopes(self, function: Callable[..., Any], number: int) -> dict[str, list[Tensor | None]]:
        """For each argument that must get a gradient: what its tensors get."""
        arguments = [copy.deepcopy(argument) for argument in self.cases[number].arguments]
        names = self.exercise.parameters
        leaves = {
            name: [leaf.requires_grad_() for leaf in _tensors(arguments[names.index(name)])]
            for name in self.exercise.must_pass_gradients
        }
        _seed(self.seed + number)
        result = self.exercise.call(function, *arguments)
        outputs = [output for output in _tensors(result) if output.requires_grad]
        flat = [leaf for group in leaves.values() for leaf in group]
        if not outputs:
            return {name: [None] * len(group) for name, group in leaves.items()}
        weighted = [  # a sum in which every number has another weight
            (output * torch.arange(1, output.numel() + 1).cos().reshape(output.shape)).sum()
            for output in outputs
        ]
        slopes = iter(torch.autograd.grad(torch.stack(weighted).sum(), flat, allow_unused=True))
        return {name: [next(slopes) for _ in group] for name, group in leaves.items()}


def _something(result: Any) -> Any:
    """A result that is neither blank nor None."""
    if result is ...:
        raise NotAttempted
    if result is None:
        raise NotYet("your function returned None: is a return missing?")
    return result


def _told(error: BaseException) -> str:
    """What a student reads about an exception in the answer."""
    if isinstance(error, SystemExit):
        return "your code ends Python (exit, quit or sys.exit): leave that out, return the result"
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return "your code took more than 2 GiB of memory: does something grow in a loop?"
    if isinstance(error, RecursionError):
        return "your code raised RecursionError: a function calls itself and never stops"
    told = f"your code raised {_name_error(error)}"
    if "size of tensor" in told:
        told += ". Shapes that do not fit: x[:, None] makes a column of x"
    return told


def _name_error(error: BaseException) -> str:
    """The kind of an exception, and its text if it has one (the first 200 characters)."""
    try:
        text = " ".join(str(error).split())
    except BaseException:  # a student's __str__ may do anything
        text = ""
    text = text if len(text) <= 200 else text[:199] + "…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _tensors(value: Any) -> list[Tensor]:
    """All tensors of floats in a tensor, a pair of them, or a model, in order."""
    if isinstance(value, Tensor):
        return [value] if value.is_floating_point() else []
    if isinstance(value, nn.Module):
        return list(value.parameters())
    parts: Iterable[Any] = value if isinstance(value, list | tuple) else ()
    return [tensor for part in parts for tensor in _tensors(part)]


def _unchanged(before: Any, after: Any) -> bool:
    """Whether an argument still is what it was."""
    if type(before) is not type(after):
        return False
    if isinstance(before, Tensor):
        return before.shape == after.shape and torch.equal(before.nan_to_num(), after.nan_to_num())
    if isinstance(before, nn.Module):
        one, other = before.state_dict(), after.state_dict()
        return one.keys() == other.keys() and all(_unchanged(one[key], other[key]) for key in one)
    if isinstance(before, list | tuple):
        return len(before) == len(after) and all(map(_unchanged, before, after))
    if isinstance(before, float) and math.isnan(before):
        return math.isnan(after)
    return callable(before) or bool(before == after)
