"""What runs in the process of its own: takes one answer, judges it, reports, and ends."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, NoReturn

import psutil
import torch

from labkit.exercises.core import Verdict, find
from labkit.exercises.judging import judge_here
from labkit.exercises.results import NotYet

CHECK_LIMIT = 20.0  # seconds for a whole check
MEMORY_LIMIT = 2 * 2**30  # bytes by which an answer may make its process grow
LINES = 20  # of what an answer printed are shown
WIDTH = 200  # characters of each


def serve(connection: Connection) -> None:
    """Judge one answer, and report."""
    if hasattr(signal, "SIGALRM"):  # should the kernel die, this process ends by itself
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(int(CHECK_LIMIT) + 10)
    _adopt_orphans()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the student's Interrupt is for the kernel
    torch.set_num_threads(1)
    used = psutil.Process().memory_info()
    output = Output(connection)
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
    end_children(psutil.Process())
    os._exit(0)  # without waiting for threads that the answer may have started


def _adopt_orphans() -> None:
    """On Linux: let whatever an answer starts stay a child of this process, even if it forks twice
    and begins a session of its own, so that it can be ended."""
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def end_children(process: psutil.Process) -> None:
    """End the processes that an answer has started, and those that they start meanwhile."""
    with suppress(psutil.Error):
        for _ in range(5):
            children = process.children(recursive=True)
            children = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
            if not children:
                return
            for child in children:
                with suppress(psutil.Error):
                    child.kill()


class Output(io.TextIOBase):
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


def _shut_the_doors(output: Output, data: int | None) -> None:
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
