"""What a notebook calls: check, hint, solution and progress."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from IPython.display import HTML, Markdown, display

from labkit.exercises.core import Verdict, all_exercises, find, solution_source
from labkit.exercises.runner import judge_apart
from labkit.files import write_whole

_SIGNS = {  # and ANSI colours, which nobody needs so as to understand the line
    "right": ("\033[32m", "✔"),
    "not yet": ("\033[33m", "✗"),
    "not attempted": ("", "–"),
    "stopped": ("", "–"),
}


def check(id: str, answer: Any = None) -> Verdict:
    """Judge an answer and print one line: right, not yet (with what is wrong), not attempted.

    Returns the verdict, which displays nothing by itself. Never raises.
    """
    exercise = find(id)
    if exercise is None:
        message = f"There is no exercise {str(id)[:60]!r}. There are: "
        message += ", ".join(e.id for e in all_exercises())
        print(message)
        return Verdict("not attempted", message)
    verdict, printed, more = judge_apart(exercise.id, answer)
    for line in printed:
        print(line)
    if more:
        print(f"… and {f'{more:,}' if more > 0 else 'many'} more lines")
    colour, sign = _SIGNS[verdict.status]
    line = f"{sign} {exercise.id} {verdict.status}" + (verdict.message and f": {verdict.message}")
    print(f"{colour}{line}\033[0m" if colour else line)
    sys.stdout.flush()
    if verdict.status == "right":
        _remember(exercise.id)
    return verdict


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


def progress() -> None:
    """A table of the lab's exercises, and which are done."""
    from labkit.show import html_table  # matplotlib with it: a check does without

    done, exercises = _done(), all_exercises()
    rows = [
        {
            "exercise": e.id,
            "title": e.title,
            "difficulty": "●" * e.difficulty,
            "state": "✔ done" if e.id in done else "–",
        }
        for e in exercises
    ]
    count = sum(e.id in done for e in exercises)
    display(HTML(f"{html_table(rows)}<p>{count} of {len(exercises)} done.</p>"))


# --- the file of what is done --------------------------------------------------------------------


def _progress_file() -> Path:
    """The file itself, not a link to it: a link must survive being written to."""
    return Path(os.path.realpath(os.environ.get("LABKIT_PROGRESS", ".lab_progress.json")))


def _done() -> set[str]:
    """The exercises that are done. A file that cannot be read is set aside, and that is said."""
    path = _progress_file()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, list):
            raise ValueError("not a list")
        return {id for id in found if isinstance(id, str)}
    except OSError:
        return set()
    except (ValueError, RecursionError):
        kept = path.with_name(path.name + ".bak")
        try:
            os.replace(path, kept)
            print(f"({path.name} could not be read; it is kept as {kept.name}.)")
        except OSError:
            print(f"({path.name} could not be read.)")
        return set()


def _remember(id: str) -> None:
    path = _progress_file()
    try:
        with _locked(path):
            done = _done()
            if id not in done:
                text = json.dumps(sorted(done | {id}))
                write_whole(path, lambda place: place.write_text(text, encoding="utf-8"))
    except OSError as error:
        print(f"(Your progress could not be saved: {error.strerror}.)")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other notebooks from writing the file between our reading and our writing of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(path.name + ".lock")
    give_up = time.monotonic() + 2
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            if time.monotonic() > give_up:  # left behind by a kernel that died
                break
            time.sleep(0.02)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
