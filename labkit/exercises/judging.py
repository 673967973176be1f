"""How an answer is judged: run on every case, compared with the solution, its slip named."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import torch
from torch import Tensor

from labkit.exercises import calling
from labkit.exercises.calling import Outcome, name_error, own_random_numbers, seed_all, told_of
from labkit.exercises.core import Case, Draw, Exercise, Verdict
from labkit.exercises.results import NotAttempted, NotYet, describe, is_blank

LONGEST = 1000  # characters of a message
Watch = Callable[[], AbstractContextManager[None]]  # is entered around each call of an answer


def judge_here(
    exercise: Exercise, answer: Any, seed: int | None = None, watch: Watch = nullcontext
) -> Verdict:
    """Judge an answer in this very process, with the cases that the seed draws. Never raises."""
    seed = random.SystemRandom().getrandbits(32) if seed is None else seed
    try:
        with own_random_numbers(seed), torch.enable_grad(), torch.inference_mode(False):
            Judge(exercise, answer, seed, watch).judge()
            if not exercise.answer_is_value:
                Judge(exercise, answer, seed + 1, watch).judge_again()
            if exercise.must_pass_gradients:  # last, so that a cache is called a cache
                Judge(exercise, answer, seed + 2, watch).check_gradients()
        return Verdict("right", exercise.why)
    except NotAttempted:
        return Verdict("not attempted", f'replace the ... (hint("{exercise.id}") helps)')
    except NotYet as error:
        told = str(error)
        return Verdict("not yet", told if len(told) <= LONGEST else told[: LONGEST - 1] + "…")
    except Exception as error:  # an answer of a kind that nobody thought of
        return Verdict("not yet", f"this could not be judged ({name_error(error)})")


class Judge:
    """One answer to one exercise, with the cases of one seed."""

    def __init__(
        self, exercise: Exercise, answer: Any, seed: int, watch: Watch = nullcontext
    ) -> None:
        if is_blank(answer):
            raise NotAttempted
        self.exercise, self.seed, self.watch = exercise, seed, watch
        self.names = exercise.parameters
        self.function: Callable[..., Any] = answer
        if exercise.answer_is_value:
            self.function = lambda: answer
        elif inspect.iscoroutinefunction(answer) or inspect.isasyncgenfunction(answer):
            raise NotYet("your function is an `async def`: write it with def alone")
        elif not callable(answer):
            raise NotYet(f"expected a function, got {describe(answer)}: pass its name, without ( )")
        self.cases = [
            case if isinstance(case, Case) else Case(case) for case in exercise.cases(Draw(seed))
        ]
        self._copies: dict[int, list[Any]] = {}  # of a case's arguments, for the next slip
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
        if self.exercise.also:
            self.exercise.also(self._run)

    def judge_again(self) -> None:
        """Other values of the same kinds, after those that were right: a result that is kept from
        an earlier call (by its shape, in a global, in a default argument) shows itself."""
        for number in range(len(self.cases)):
            outcome = self._outcome(self.function, number, self.watch)
            if not self._is_right(outcome, number):
                raise NotYet(
                    f"right for the first values, but not for others: "
                    f"{self._told(outcome, number)}. (If it remembers an "
                    "earlier call, in a cache or a global, leave that out.)"
                )

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
                result = self.function(*map(calling.copied, arguments))
        except (NotAttempted, NotYet):
            raise
        except BaseException as error:
            raise NotYet(self._explain(told_of(error))) from None
        return calling.something(result)

    def _call(self, function: Callable[..., Any], number: int) -> tuple[Any, list[Any]]:
        """The raw result, and the arguments as they are afterwards."""
        arguments = self._copies.pop(number, None)
        if arguments is None:
            # One by one, since two arguments may be one and the same tensor.
            arguments = [calling.copied(argument) for argument in self.cases[number].arguments]
        seed_all(self.seed + number)
        return calling.something(self.exercise.call(function, *arguments)), arguments

    def _value(self, number: int) -> Any:
        raw, arguments = self._call(self.exercise.solution, number)
        value = self.exercise.result.read(raw, raw)
        self._copies[number] = arguments
        return value

    def _outcome(
        self, function: Callable[..., Any], number: int, watch: Watch = nullcontext
    ) -> Outcome:
        returned = False
        try:
            with watch():
                raw, arguments = self._call(function, number)
                returned = True
                value = self.exercise.result.read(raw, self.right[number])
            changed = self._changed(arguments, number)
            if not changed and function is not self.function:  # copying a model takes its time
                self._copies[number] = arguments
            return Outcome(value, changed=changed)
        except NotAttempted:
            raise
        except NotYet as error:
            return Outcome(problem=str(error), key=str(error))
        except BaseException as error:  # SystemExit included: nothing may end the lesson
            told = told_of(error)
            if returned and told.startswith("your code raised"):  # by an object of the student's
                told = f"your result could not be looked at ({name_error(error)})"
            return Outcome(problem=told, key=type(error).__name__, raised=True)

    def _changed(self, arguments: list[Any], number: int) -> str:
        """Which argument is no longer what it was."""
        names = self.names
        for place, (before, after) in enumerate(
            zip(self.cases[number].arguments, arguments, strict=True)
        ):
            if not calling.unchanged(before, after):
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
        slip, first = self._named_slip(got, wrong[0]), wrong[0]
        only_some = not all(outcome.problem for outcome in got)
        told = self._told(got[first], first, only_some)
        return told + (" " if told.endswith("?") else ": ") + slip if slip else told

    def _named_slip(self, got: list[Outcome], first: int) -> str:
        """The slip that gives what the answer gave, in every case.

        What agrees with it in some cases alone is another slip, even if these are all the wrong
        ones: to name it would be untrue. The first wrong case is asked first, as most differ there.
        """
        numbers = [first, *(number for number in range(len(got)) if number != first)]
        for message, slip in self.exercise.slips.items():
            with suppress(NotAttempted):
                if all(self._alike(got[n], self._outcome(slip, n)) for n in numbers):
                    return message
        return ""

    def _told(self, outcome: Outcome, number: int, where: bool = True) -> str:
        """What is wrong about the outcome of a case."""
        if not outcome.problem:
            return self._tell(number, outcome.value)
        told, text = self._explain(outcome.problem), self._where(self.cases[number])
        return f"{text}: {told}" if text and (where or outcome.raised) else told

    def _tell(self, number: int, got: Any) -> str:
        case, right = self.cases[number], self.right[number]
        if self.exercise.tell:
            return self.exercise.tell(case, got, right)
        shown = self.exercise.result.show(got, right)
        if not case.arguments and not case.label:
            return shown
        return (
            self._case_text(case)
            + (" " if shown.startswith(("gave ", "raised ", "returned ")) else ": ")
            + shown
        )

    def _case_text(self, case: Case) -> str:
        """The call as the student would write it, large arguments by their names."""
        if case.label:
            return case.label
        names = self.names
        parts = []
        for place, argument in enumerate(case.arguments):
            shown = repr(argument) if isinstance(argument, str | int | float | list | tuple) else ""
            name = names[place] if place < len(names) else "…"
            parts.append(shown if 0 < len(shown) <= 40 else name)
        return f"{self.exercise.name}({', '.join(parts)})"

    def _where(self, case: Case) -> str:
        """The arguments of a call that went wrong, the shapes of tensors among them."""
        if self.exercise.answer_is_value:
            return ""
        if case.label:
            text = case.label.partition(": ")[0]
            return text.removesuffix(" your function").removesuffix(",")
        shapes = [
            f"{name} of shape {tuple(argument.shape)}"
            for name, argument in zip(self.names, case.arguments, strict=False)
            if isinstance(argument, Tensor)
        ]
        text = self._case_text(case)
        return f"{text}, with {', '.join(shapes)}" if shapes else text

    def _explain(self, problem: str) -> str:
        """A problem, with what the exercise has to say about it."""
        more = (text for sign, text in self.exercise.errors.items() if problem and sign in problem)
        return problem + next(more, "")

    # gradients

    def check_gradients(self) -> None:
        """Raise NotYet if an argument does not get the gradient that the solution gives it."""
        for number in range(min(2, len(self.cases))):
            wanted = self._slopes(self.exercise.solution, number)
            try:
                with self.watch():
                    found = self._slopes(self.function, number)
            except (NotAttempted, NotYet):
                raise
            except BaseException as error:
                raise NotYet(
                    f"right, but once the arguments ask for gradients, {told_of(error)} "
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
        arguments = [calling.copied(argument) for argument in self.cases[number].arguments]
        names = self.names
        leaves = {
            name: [
                leaf.requires_grad_() for leaf in calling.tensors_in(arguments[names.index(name)])
            ]
            for name in self.exercise.must_pass_gradients
        }
        seed_all(self.seed + number)
        result = self.exercise.call(function, *arguments)
        outputs = [output for output in calling.tensors_in(result) if output.requires_grad]
        flat = [leaf for group in leaves.values() for leaf in group]
        if not outputs:
            return {name: [None] * len(group) for name, group in leaves.items()}
        weighted = [  # a sum in which every number has another weight
            (output * torch.arange(1, output.numel() + 1).cos().reshape(output.shape)).sum()
            for output in outputs
        ]
        slopes = iter(torch.autograd.grad(torch.stack(weighted).sum(), flat, allow_unused=True))
        return {name: [next(slopes) for _ in group] for name, group in leaves.items()}
