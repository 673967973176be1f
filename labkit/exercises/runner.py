"""Where an answer is judged: a process of its own, which can be ended whatever the answer does.

The answer travels to it with cloudpickle, functions of the notebook with the globals that they use;
only the verdict and what the answer printed come back. So a loop that never ends, `exit()`, a patch
of torch or a list that eats the memory stays in there, and the student's kernel is as it was.

On Linux and macOS each check forks a fresh process from a server that has imported torch already
(0.1 s); on Windows one process is kept waiting. The server starts when a notebook imports
labkit.exercises, elsewhere with the first check.
"""

from __future__ import annotations

import builtins
import functools
import inspect
import io
import math
import multiprocessing
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import cloudpickle
import psutil

from labkit.exercises.child import CHECK_LIMIT, LINES, MEMORY_LIMIT, end_children, serve
from labkit.exercises.core import Verdict

CALL_LIMIT = 5.0  # seconds for one call of a student's function
START_LIMIT = 60.0  # seconds until a process has imported torch

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
    except Exception as error:  # an answer may have broken what reports on it, too
        told = f"the check's process did not report ({type(error).__name__}: {error})"[:300]
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
        _preload()
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs,), daemon=True)
        with _without_main():
            self.process.start()
        theirs.close()  # so that the end of the process is the end of the pipe

    def end(self) -> None:
        """End it at once, whatever it is doing, and what its answer has started."""
        with suppress(psutil.Error, OSError):
            process = psutil.Process(self.process.pid)
            process.suspend()  # it starts no more of them
            end_children(process)
        self.process.kill()
        self.process.join(timeout=5)
        self.connection.close()


def _preload() -> None:
    if _FORKS:
        multiprocessing.set_forkserver_preload(["labkit.exercises"])


def warm_up() -> None:
    """In a notebook: start the server that forks, so that the first check need not wait for it.

    It imports torch meanwhile, which takes seconds; the cell that imports labkit does not wait.
    """
    if _FORKS and "ipykernel" in sys.modules:
        from multiprocessing import forkserver

        _preload()
        with suppress(OSError):
            forkserver.ensure_running()


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
    """Takes answers along: IPython's own exit and quit as Python's, cached functions anew."""

    def reducer_override(self, obj: Any) -> Any:
        if type(obj).__name__ in ("ExitAutocall", "ZMQExitAutocall"):
            return getattr, (builtins, "exit")
        if isinstance(obj, functools._lru_cache_wrapper):  # of a notebook: found by name otherwise
            return functools.cache, (obj.__wrapped__,)
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
