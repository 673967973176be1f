"""check, hint, solution and progress: the machinery under the exercises.

An exercise knows how to judge an answer. Its judge calls the student's code through `call`, which
guards against blanks, exceptions, endless loops and runaway memory, and rejects a wrong answer by
raising `NotYet` with a message that shows what is wrong.
"""

from __future__ import annotations

import copy
import ctypes
import inspect
import json
import os
import textwrap
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from IPython.display import HTML, Markdown, display

from labkit.files import write_whole

TIME_LIMIT = 5.0  # seconds that one call of a student's function may take
MEMORY_LIMIT = 2 * 2**30  # bytes by which it may make the process grow

Curve = Callable[..., float]  # a schedule: (epoch, epochs, settings…) -> value


class NotAttempted(Exception):
    """The answer is still blank."""


class NotYet(Exception):
    """The answer is wrong; the message says what, with the values that show it."""


@dataclass(frozen=True)
class Exercise:
    """One exercise of a notebook."""

    id: str  # "3.2": the second exercise of notebook 03
    title: str
    difficulty: int  # 1 a line, 2 a few lines, 3 real work
    judge: Callable[[Any], None]  # returns if the answer is right, else raises NotYet
    hints: tuple[str, str]  # a nudge, then nearly the answer
    solution: Callable[..., Any] | str  # a function (its source is shown), or text
    why: str  # a sentence: why the solution is right


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


# --- for judges ----------------------------------------------------------------------------------


def is_blank(value: Any) -> bool:
    """Whether a value is what an untouched starter holds: ... or None."""
    return value is ... or value is None


def call(answer: Any, *args: Any) -> Any:
    """The result of a student's function on copies of the arguments.

    Raises NotAttempted if the result is ..., and NotYet if the answer is not a function, raises,
    returns None, runs for more than TIME_LIMIT seconds, or eats more than MEMORY_LIMIT bytes.
    """
    if not callable(answer):
        raise NotYet(f"expected a function, got {describe(answer)}: pass its name, without ( )")
    outcome: dict[str, Any] = {}

    def work() -> None:
        try:
            outcome["result"] = answer(*copy.deepcopy(args))
        except _Interrupted:
            pass
        except BaseException as error:  # SystemExit included: nothing may end the lesson
            outcome["error"] = error

    thread = threading.Thread(target=work, daemon=True)
    process = psutil.Process()
    memory, start = process.memory_info().rss, time.monotonic()
    thread.start()
    while True:
        thread.join(timeout=0.05)
        if not thread.is_alive():
            break
        if time.monotonic() - start > TIME_LIMIT:
            _interrupt(thread)
            raise NotYet(
                f"your code was still running after {TIME_LIMIT:.0f} s: does a loop never end?"
            )
        if process.memory_info().rss - memory > MEMORY_LIMIT:
            _interrupt(thread)
            raise NotYet("your code took more than 2 GiB of memory: does something grow in a loop?")
    if "error" in outcome:
        error = outcome["error"]
        told = f"your code raised {type(error).__name__}: {error}"
        if "size of tensor" in str(error):
            told += ". Shapes that do not fit: x[:, None] makes a column of x"
        raise NotYet(told)
    result = outcome.get("result")
    if result is ...:
        raise NotAttempted
    if result is None:
        raise NotYet("your function returned None: is a return missing?")
    return result


class _Interrupted(BaseException):
    """Thrown into a student's function that runs too long."""


def _interrupt(thread: threading.Thread) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Interrupted)
    )


def describe(value: Any) -> str:
    """A value in a few words: the shape of a tensor, else its type and beginning."""
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if callable(value):
        return "a function"
    text = repr(value)
    return f"the {type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"


def expect_tensor(value: Any, shape: tuple[int, ...], what: str = "the result") -> torch.Tensor:
    """The value, if it is a tensor of this shape; else NotYet says what it is instead."""
    if not isinstance(value, torch.Tensor):
        raise NotYet(f"{what} should be a tensor of shape {shape}, not {describe(value)}")
    if tuple(value.shape) != shape:
        raise NotYet(f"{what} should have shape {shape}, not {tuple(value.shape)}")
    return value


def expect_pair(value: Any, what: str) -> Any:
    """The value, if it is a pair without blanks; `what` names its two parts."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise NotYet(f"return two things, {what}, not {describe(value)}")
    if any(is_blank(part) for part in value):
        raise NotAttempted
    return value


def close(a: Any, b: Any, tolerance: float = 1e-4) -> bool:
    """Whether two tensors or numbers of the same shape agree."""
    a, b = torch.as_tensor(a, dtype=torch.float64), torch.as_tensor(b, dtype=torch.float64)
    return a.shape == b.shape and torch.allclose(a, b, rtol=tolerance, atol=tolerance)


def name_slip(found: Any, slips: Mapping[str, Any]) -> None:
    """Raise NotYet with the first message whose result, that of a known slip, is what was found."""
    for message, result in slips.items():
        if close(found, result):
            raise NotYet(message)


def judge_curve(
    answer: Any, oracle: Curve, slips: dict[str, Curve], cases: list[tuple[Any, ...]], names: str
) -> None:
    """Compare a schedule with the oracle, epoch by epoch, for cases of (epochs, settings…)."""
    call(answer, 0, *cases[0])  # a blank, something that is no function, an error at once
    for epochs, *settings in cases:

        def curve(schedule: Curve, epochs: int = epochs, settings: Any = settings) -> list[Any]:
            return [schedule(epoch, epochs, *settings) for epoch in range(epochs)]

        got, right = call(lambda c=curve: c(answer)), curve(oracle)
        if any(map(is_blank, got)):
            raise NotAttempted
        for value in got:
            if isinstance(value, bool) or not isinstance(value, int | float | torch.Tensor):
                raise NotYet(f"expected a number for every epoch, got {describe(value)}")
            if isinstance(value, torch.Tensor):
                expect_tensor(value, (), "the value")
        got = [float(value) for value in got]
        epoch = next((e for e in range(epochs) if not close(got[e], right[e], 1e-6)), None)
        if epoch is None:
            continue
        given = ", ".join(map(str, settings))
        told = (
            f"at epoch {epoch} of {epochs} ({names} {given}) you give {got[epoch]:.6g}, "
            f"expected {right[epoch]:.6g}: "
        )
        for message, slip in slips.items():
            if close(got, curve(slip), 1e-6):
                raise NotYet(told + message)
        raise NotYet(told + "work this one out by hand, and compare step by step")


# --- for notebooks -------------------------------------------------------------------------------


def check(id: str, answer: Any = None) -> None:
    """Judge an answer and print one of: right, not yet (with what is wrong), not attempted."""
    exercise = find(id)
    if exercise is None:
        print(f"There is no exercise {id!r}. There are: {', '.join(e.id for e in all_exercises())}")
        return
    with torch.random.fork_rng(devices=[]):
        status, message = verdict(exercise, answer)
    print(f"{id} {status}" + (f": {message}" if message else ""))
    if status == "right":
        _remember(id)


def verdict(exercise: Exercise, answer: Any) -> tuple[str, str]:
    """("right" | "not yet" | "not attempted", message); never raises."""
    try:
        if is_blank(answer):
            raise NotAttempted
        exercise.judge(answer if callable(answer) else copy.deepcopy(answer))
    except NotAttempted:
        return "not attempted", f'replace the ... (hint("{exercise.id}") helps)'
    except NotYet as error:
        return "not yet", str(error)
    except Exception as error:  # an answer of a kind that the judge did not think of
        return "not yet", f"this could not be judged ({type(error).__name__}: {error})"
    return "right", exercise.why


def hint(id: str, number: int = 1) -> None:
    """Print the first (a nudge) or the second hint (nearly the answer)."""
    exercise = find(id)
    if exercise is None or number not in (1, 2):
        print(f"There is no hint {number} for exercise {id!r}: hints are 1 and 2.")
        return
    more = f'\n(A second one: hint("{id}", 2).)' if number == 1 else ""
    print(f"Hint {number} of 2. {exercise.hints[number - 1]}{more}")


def solution(id: str) -> None:
    """Show the solution as highlighted code, and say why it is right."""
    exercise = find(id)
    if exercise is None:
        print(f"There is no exercise {id!r}.")
        return
    display(Markdown(f"```python\n{solution_source(exercise)}\n```\n{exercise.why}"))


def solution_source(exercise: Exercise) -> str:
    """The text of the solution."""
    if isinstance(exercise.solution, str):
        return exercise.solution
    return textwrap.dedent(inspect.getsource(exercise.solution)).strip()


def progress() -> None:
    """A table of the lab's exercises, and which are done."""
    done = _done()
    rows = "".join(
        f"<tr><td>{e.id}</td><td style='text-align:left'>{e.title}</td>"
        f"<td>{'●' * e.difficulty}</td><td>{'✔ done' if e.id in done else '–'}</td></tr>"
        for e in all_exercises()
    )
    count = sum(e.id in done for e in all_exercises())
    head = "<tr><th>exercise</th><th>title</th><th>difficulty</th><th>state</th></tr>"
    display(HTML(f"<table>{head}{rows}</table><p>{count} of {len(_EXERCISES)} done.</p>"))


def _progress_file() -> Path:
    return Path(os.environ.get("LABKIT_PROGRESS", ".lab_progress.json"))


def _done() -> set[str]:
    try:
        return set(json.loads(_progress_file().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return set()


def _remember(id: str) -> None:
    text = json.dumps(sorted(_done() | {id}))
    try:
        write_whole(_progress_file(), lambda path: path.write_text(text, encoding="utf-8"))
    except OSError as error:
        print(f"(Your progress could not be saved: {error.strerror}.)")
