"""Where an answer is judged: a process of its own, which can be ended whatever the answer does.

The answer travels to it with cloudpickle, functions of the notebook with the globals that they use;
only the verdict and what the answer printed come back. So a loop that never ends, `exit()`, a patch
of torch or a list that eats the memory stays in there, and the student's kernel is as it was.

On Linux and macOS each check forks a fresh process from a server that has imported torch already
(0.1 s); on Windows one process is kept waiting. Importing this module starts none of them.
"""

from __future__ import annotations

import builtins
import inspect
import io
import math
import multiprocessing
import os
import pickle
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, NoReturn

import cloudpickle
import psutil
import torch

from labkit.exercises.core import Verdict, find, judge_here
from labkit.exercises.results import NotYet

CALL_LIMIT = 5.0  # seconds for one call of a student's function
CHECK_LIMIT = 20.0  # seconds for a whole check
START_LIMIT = 60.0  # seconds until a process has imported torch
MEMORY_LIMIT = 2 * 2**30  # bytes by which an answer may make its process grow
LINES = 20  # of what an answer printed are shown
WIDTH = 200  # characters of each

_FORKS = "forkserver" in multiprocessing.get_all_start_methods()


class Judged(NamedTuple):
    """A verdict, and what the answer printed meanwhile."""

    verdict: Verdict
    printed: list[str]  # the first lines
    more: int  # how many lines there were besides; -1 if nobody could count them


def judge_apart(id: str, answer: Any) -> Judged:
    """Judge an answer to exercise `id` in a process of its own. Never raises."""
    printed: list[str] = []
    child = None
    try:
        payload = _pack((id, answer, random.SystemRandom().getrandbits(32)))
        child = _spare.pop() if _spare else _Child()
        return Judged(*_follow(child, payload, printed))
    except KeyboardInterrupt:
        return Judged(Verdict("stopped", ""), printed, 0)
    except _CannotTravel as error:
        return Judged(Verdict("not yet", str(error)), printed, 0)
    except (OSError, EOFError, RuntimeError) as error:
        told = f"no process for the check could be started ({type(error).__name__}: {error})"
        return Judged(Verdict("not yet", told), printed, 0)
    finally:
        if child:
            child.end()
            _start_spare()


# --- the student's side --------------------------------------------------------------------------


class _Child:
    """A process that waits for an answer."""

    def __init__(self) -> None:
        context: Any = multiprocessing.get_context("forkserver" if _FORKS else "spawn")
        if _FORKS:
            context.set_forkserver_preload(["labkit.exercises"])
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with _without_main():
            self.process.start()
        theirs.close()  # so that the end of the process is the end of the pipe

    def end(self) -> None:
        """End it at once, whatever it is doing."""
        self.process.kill()
        self.process.join(timeout=5)
        self.connection.close()


_spare: list[_Child] = []  # where a process needs seconds to start: the next one


def _start_spare() -> None:
    if not _FORKS and not _spare:
        with suppress(OSError):
            _spare.append(_Child())


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the student's script: multiprocessing would run it anew in every process."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = type(sys)("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _follow(child: _Child, payload: bytes, printed: list[str]) -> tuple[Verdict, list[str], int]:
    """Hand over the answer and wait for the verdict, as long as the limits allow."""
    connection = child.connection
    if not connection.poll(START_LIMIT):
        raise RuntimeError(f"it was not ready after {START_LIMIT:.0f} s")
    process, memory = psutil.Process(child.process.pid), connection.recv()
    connection.send_bytes(payload)
    start, call_start = time.monotonic(), math.inf

    def stop(message: str) -> tuple[Verdict, list[str], int]:
        return Verdict("not yet", message), printed, -1 if len(printed) == LINES else 0

    look = start
    while True:
        if connection.poll(0.05):
            try:
                kind, content = connection.recv()
            except (EOFError, OSError):
                return stop(_how_it_ended(child))
            if kind == "printed":
                printed.append(content)
            elif kind == "verdict":
                status, message, more = content
                return Verdict(status, message), printed, more
            else:
                call_start = time.monotonic() if kind == "call" else math.inf
        now = time.monotonic()
        if now - call_start > CALL_LIMIT:
            return stop(
                f"your code was still running after {CALL_LIMIT:.0f} s: does a loop never end?"
            )
        if now - start > CHECK_LIMIT:
            return stop(
                f"the check was not done after {CHECK_LIMIT:.0f} s: your code is right or wrong, "
                "but too slow for all of its cases"
            )
        if now > look:
            look = now + 0.05
            with suppress(psutil.Error):
                if process.memory_info().rss - memory > MEMORY_LIMIT:
                    return stop(
                        "your code took more than 2 GiB of memory: does something grow in a loop?"
                    )


def _how_it_ended(child: _Child) -> str:
    child.process.join(timeout=5)
    code = child.process.exitcode
    if code is not None and code < 0:
        why = ": does it need very much memory?" if -code == getattr(signal, "SIGKILL", 9) else ""
        return f"your code crashed Python (signal {-code}){why}"
    return "your code ends Python (exit, quit or os._exit): leave that out, return the result"


class _CannotTravel(Exception):
    """An answer that cannot be copied into another process; the message says why."""


class _Pickler(cloudpickle.Pickler):
    """Takes answers along, and IPython's own exit and quit as Python's."""

    def reducer_override(self, obj: Any) -> Any:
        if type(obj).__name__ in ("ExitAutocall", "ZMQExitAutocall"):
            return getattr, (builtins, "exit")
        return super().reducer_override(obj)


def _pack(content: tuple[str, Any, int]) -> bytes:
    file = io.BytesIO()
    try:
        _Pickler(file).dump(content)
    except Exception as error:
        name = _what_cannot_travel(content[1])
        reason = f"{type(error).__name__}: {error}"[:200]
        raise _CannotTravel(
            f"your code uses {name}, which cannot be copied to where answers are judged "
            f"({reason}): make it inside your function, or leave it out"
        ) from None
    return file.getvalue()


def _what_cannot_travel(answer: Any) -> str:
    """The variable of a function that cannot be pickled."""
    try:
        used = inspect.getclosurevars(answer)
    except (TypeError, ValueError):
        return f"something (in a {type(answer).__name__})"
    for name, value in {**used.globals, **used.nonlocals}.items():
        try:
            _Pickler(io.BytesIO()).dump(value)
        except Exception:
            return f"`{name}` (a {type(value).__name__})"
    return "something"


# --- the other side ------------------------------------------------------------------------------


def _serve(connection: Connection) -> None:
    """Judge one answer, and report."""
    if hasattr(signal, "SIGALRM"):  # should the kernel die, this process ends by itself
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(int(CHECK_LIMIT) + 10)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the student's Interrupt is for the kernel
    torch.set_num_threads(1)
    used = psutil.Process().memory_info()
    output = _Output(connection)
    _shut_the_doors(output, getattr(used, "data", None))
    connection.send(used.rss)
    try:
        payload = connection.recv_bytes()
    except EOFError:  # the kernel is gone
        return

    @contextmanager
    def watch() -> Iterator[None]:
        connection.send(("call", None))
        try:
            yield
        finally:
            connection.send(("returned", None))

    try:
        id, answer, seed = pickle.loads(payload)
    except BaseException as error:
        told = f"your code could not be copied to where it is judged ({type(error).__name__}: "
        verdict = Verdict("not yet", f"{told}{str(error)[:200]})")
    else:
        exercise = find(id)
        assert exercise is not None
        verdict = judge_here(exercise, answer, seed, watch)
    connection.send(("verdict", (*verdict, output.close_lines())))
    os._exit(0)  # without waiting for threads that the answer may have started


class _Output(io.TextIOBase):
    """Takes what is printed: sends the first lines, and counts the rest."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._line, self._count = connection, "", 0

    def write(self, text: str) -> int:
        if self._count >= LINES:
            self._count += text.count("\n")
            return len(text)
        *lines, rest = text.split("\n", LINES)
        for line in lines:
            self._end_line(line)
        if self._count >= LINES:
            self._count += rest.count("\n")
        else:
            self._line = (self._line + rest)[: WIDTH + 1]
        return len(text)

    def _end_line(self, text: str) -> None:
        line = self._line + text
        if self._count < LINES:
            self._connection.send(("printed", line if len(line) <= WIDTH else line[:WIDTH] + "…"))
        self._line, self._count = "", self._count + 1

    def close_lines(self) -> int:
        """Send what stands in an unfinished line. Returns how many lines were not sent."""
        if self._line:
            self._end_line("")
        return max(0, self._count - LINES)


class _NoInput(io.TextIOBase):
    """A standard input that says that nobody is there."""

    def readable(self) -> bool:
        return True

    def read(self, *_: Any) -> NoReturn:
        _nobody_there()

    readline = read


def _nobody_there(*_: Any, **__: Any) -> NoReturn:
    raise NotYet("your code waits for input (input, breakpoint or pdb): use the argument instead")


def _shut_the_doors(output: _Output, data: int | None) -> None:
    """Nothing is read, what is printed is kept, and memory is limited where the system can."""
    sys.stdin, sys.stdout, sys.stderr = _NoInput(), output, output
    builtins.input = sys.breakpointhook = _nobody_there
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    if sys.platform == "linux" and data is not None:
        import resource  # there is none on Windows

        limit = data + MEMORY_LIMIT
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
