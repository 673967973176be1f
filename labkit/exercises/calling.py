"""What came of a call: errors in words, and whether arguments are still what they were."""

from __future__ import annotations

import copy
import inspect
import math
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from labkit.exercises.results import NotAttempted, NotYet

WHERE = "labkit_where"  # of an exception: in which of several calls it was raised


@contextmanager
def told_where(text: Callable[[], str]) -> Iterator[None]:
    """What is raised in here is told with this text: for a case of several calls."""
    try:
        yield
    except Exception as error:
        with suppress(Exception):  # an exception of a student's may refuse it
            setattr(error, WHERE, text())
        raise


def something(result: Any) -> Any:
    """A result that is neither blank nor None."""
    if result is ...:
        raise NotAttempted
    if inspect.iscoroutine(result):
        result.close()  # without a warning that nobody awaited it
        raise NotYet("your function returned a coroutine: leave async out")
    if result is None:
        raise NotYet("your function returned None: is a return missing?")
    return result


def told_of(error: BaseException) -> str:
    """What a student reads about an exception in the answer."""
    if isinstance(error, SystemExit):
        return "your code ends Python (exit, quit or sys.exit): leave that out, return the result"
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return "your code took more than 2 GiB of memory: does something grow in a loop?"
    if isinstance(error, RecursionError):
        return "your code raised RecursionError: a function calls itself and never stops"
    told = f"your code raised {name_error(error)}"
    if where := getattr(error, WHERE, ""):
        told += f" ({where})"
    if "size of tensor" in told:
        told += ". Shapes that do not fit: x[:, None] makes a column of x"
    return told


def name_error(error: BaseException) -> str:
    """The kind of an exception, and its text if it has one (the first 200 characters)."""
    try:
        text = " ".join(str(error).split())
    except BaseException:  # a student's __str__ may do anything
        text = ""
    text = text if len(text) <= 200 else text[:199] + "…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def copied(value: Any) -> Any:
    """A copy for an answer to work on. A model's takes a tenth of the time of deepcopy's."""
    return _copied_module(value) if isinstance(value, nn.Module) else copy.deepcopy(value)


def _copied_module(module: nn.Module) -> nn.Module:
    new = module.__class__.__new__(module.__class__)
    # Hooks, settings and the like: each dictionary is a new one, should an answer add to it.
    new.__dict__.update(
        {k: v.copy() if isinstance(v, dict) else v for k, v in vars(module).items()}
    )
    for name, weight in module._parameters.items():
        if weight is not None:
            new._parameters[name] = nn.Parameter(weight.detach().clone(), weight.requires_grad)
    for name, buffer in module._buffers.items():
        new._buffers[name] = copy.deepcopy(buffer)
    for name, part in module._modules.items():
        new._modules[name] = part and _copied_module(part)
    if isinstance(new, nn.RNNBase):  # it keeps its weights in a list as well
        new._init_flat_weights()
    return new


def tensors_in(value: Any) -> list[Tensor]:
    """All tensors of floats in a tensor, a pair of them, or a model, in order."""
    if isinstance(value, Tensor):
        return [value] if value.is_floating_point() else []
    if isinstance(value, nn.Module):
        return list(value.parameters())
    parts: Iterable[Any] = value if isinstance(value, list | tuple) else ()
    return [tensor for part in parts for tensor in tensors_in(part)]


def unchanged(before: Any, after: Any) -> bool:
    """Whether an argument still is what it was."""
    if type(before) is not type(after):
        return False
    if isinstance(before, Tensor):
        if before.shape != after.shape:
            return False
        return torch.equal(before, after) or torch.equal(before.nan_to_num(), after.nan_to_num())
    if isinstance(before, nn.Module):
        one, other = before.state_dict(), after.state_dict()
        return one.keys() == other.keys() and all(unchanged(one[key], other[key]) for key in one)
    if isinstance(before, list | tuple):
        return len(before) == len(after) and all(map(unchanged, before, after))
    if isinstance(before, float) and math.isnan(before):
        return math.isnan(after)
    return callable(before) or bool(before == after)


class Outcome(NamedTuple):
    """What came of one call."""

    value: Any = None  # as the exercise's kind read it
    problem: str = ""  # or what went wrong
    key: str = ""  # and the kind of that: two outcomes with one key are alike
    raised: bool = False  # whether the answer raised it
    changed: str = ""  # the argument that the function changed


@contextmanager
def own_random_numbers(seed: int) -> Iterator[None]:
    """Draw from this seed inside; afterwards the random numbers go on as if nothing had been."""
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        seed_all(seed)
        try:
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])  # noqa: NPY002


def seed_all(seed: int) -> None:
    """Seed what a student may draw from."""
    # torch.manual_seed notes a whole traceback for each kind of GPU, which took most of a check.
    torch.default_generator.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
