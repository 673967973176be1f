"""What an answer may return: how each kind of result is read, compared and shown.

A kind has three methods. `read(value, right)` turns what the answer returned into a plain form, or
raises NotYet with what is wrong about its type or shape (`right` is the solution's own result);
`same(a, b)` compares two values that were read; `show(got, right)` tells how two of them differ,
and never with the same digits twice.
"""

from __future__ import annotations

import inspect
import math
import reprlib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor


class NotAttempted(Exception):
    """The answer is still blank."""


class NotYet(Exception):
    """The answer is wrong; the message says what, with the values that show it."""


class Kind(Protocol):
    """A kind of result; see the module's docstring."""

    def read(self, value: Any, right: Any) -> Any: ...

    def same(self, a: Any, b: Any) -> bool: ...

    def show(self, got: Any, right: Any) -> str: ...


# --- helpers, for kinds of an exercise's own as well ----------------------------------------------

_SHORT = reprlib.Repr()  # shortens before it writes, so that a giant costs nothing
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxset = _SHORT.maxdict = _SHORT.maxarray = 20
_SHORT.maxstring = _SHORT.maxother = 60


def is_blank(value: Any) -> bool:
    """Whether a value is what an untouched starter holds: ... or None."""
    return value is ... or value is None


def short(value: Any) -> str:
    """The beginning of a value's repr, at most 60 characters, on one line; never raises."""
    try:
        text = " ".join(_SHORT.repr(value).split())
    except BaseException:  # a student's __repr__ may do anything
        return "(cannot be shown)"
    return text if len(text) <= 60 else text[:59] + "…"


def describe(value: Any) -> str:
    """A value in a few words: the shape of a tensor, else its type and beginning."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, np.ndarray):
        return f"a numpy array of shape {value.shape}"
    if inspect.isgenerator(value):
        return "a generator (`return` ends a function with a value, `yield` does not)"
    return "a function" if callable(value) else f"the {type(value).__name__} {short(value)}"


def plain(value: Any) -> Any:
    """Python's own number of a numpy number, a tensor or array of one, a fraction, a Decimal."""
    one = isinstance(value, Tensor) and value.numel() == 1
    if one or (isinstance(value, np.generic | np.ndarray) and value.size == 1):
        return value.item()
    return float(value) if isinstance(value, Fraction | Decimal) else value


def is_number(value: Any) -> bool:
    """Whether this is an int or a float; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def differing(got: float, right: float) -> tuple[str, str]:
    """Both numbers, with as many digits as it takes to tell them apart (three at least)."""
    for digits in range(3, 18):
        texts = f"{got:.{digits}g}", f"{right:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


# --- the kinds -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Number:
    """One number, of whatever number type; equal within the tolerance, relative and absolute."""

    what: str = "the result"
    tolerance: float = 1e-6

    def read(self, value: Any, right: Any) -> Any:
        value = plain(value)
        if not is_number(value):
            raise NotYet(f"{self.what} should be one number, not {describe(value)}")
        return float(value)

    def same(self, a: Any, b: Any) -> bool:
        close = math.isclose(a, b, rel_tol=self.tolerance, abs_tol=self.tolerance)
        return close or (math.isnan(a) and math.isnan(b))

    def show(self, got: Any, right: Any) -> str:
        return "gave {}, expected {}".format(*differing(got, right))


@dataclass(frozen=True)
class Exact:
    """A value of this type, compared by ==: text, True or False."""

    type: type
    name: str  # "a string", "True or False"

    def read(self, value: Any, right: Any) -> Any:
        value = plain(value) if self.type is bool else value
        if not isinstance(value, self.type):
            raise NotYet(f"expected {self.name}, got {describe(value)}")
        return self.type(value)

    def same(self, a: Any, b: Any) -> bool:
        return bool(a == b)

    def show(self, got: Any, right: Any) -> str:
        return _two(got, right)


def text() -> Exact:
    """A string."""
    return Exact(str, "a string")


def truth() -> Exact:
    """True or False."""
    return Exact(bool, "True or False")


@dataclass(frozen=True)
class Tokens:
    """A list of whole numbers, of whatever number type."""

    def read(self, value: Any, right: Any) -> Any:
        if not isinstance(value, list):  # nothing else is asked for its items: it may never end
            raise NotYet(f"return a list of tokens (whole numbers), not {describe(value)}")
        items = [plain(item) for item in value[: len(right) + 50]]
        if not all(is_number(item) and isinstance(item, int) for item in items):
            raise NotYet(f"return a list of tokens (whole numbers), not {describe(value)}")
        return items

    def same(self, a: Any, b: Any) -> bool:
        return bool(a == b)

    def show(self, got: Any, right: Any) -> str:
        return _two(got, right)


def _two(got: Any, right: Any) -> str:
    """Both values; where only their beginnings fit and are alike, from the first difference on."""
    shown = short(got), short(right)
    if shown[0] == shown[1]:
        place = next((i for i, (a, b) in enumerate(zip(got, right, strict=False)) if a != b), None)
        place = min(len(got), len(right)) if place is None else place
        shown = short(got[place : place + 8]), short(right[place : place + 8])
        return f"gave {shown[0]} from place {place} on, expected {shown[1]} there"
    return f"gave {shown[0]}, expected {shown[1]}"


@dataclass(frozen=True)
class TensorOf:
    """A tensor of the shape that the solution's has; values equal within the tolerance.

    Any dtype will do, unless `dtype` names the one that is needed and `dtype_why` says for what.
    Where the shape is (), `number` lets a plain number pass for a tensor.
    """

    what: str = "the result"
    dtype: torch.dtype | None = None
    dtype_why: str = ""
    tolerance: float = 1e-4
    number: bool = False

    def read(self, value: Any, right: Any) -> Any:
        shape = tuple(right.shape)
        if self.number and shape == () and not isinstance(value, Tensor):
            value = plain(value)
            value = torch.tensor(value, dtype=torch.float64) if is_number(value) else value
        if not isinstance(value, Tensor):
            raise NotYet(f"{self.what} should be a tensor of shape {shape}, not {describe(value)}")
        if tuple(value.shape) != shape:
            raise NotYet(f"{self.what} should have shape {shape}, not {tuple(value.shape)}")
        if value.is_complex():
            raise NotYet(f"{self.what} should hold real numbers, not complex ones")
        if self.dtype is not None and value.dtype != self.dtype:
            why = f": {self.dtype_why}" if self.dtype_why else ""
            raise NotYet(f"{self.what} should be of type {self.dtype}, not {value.dtype}{why}")
        return value.detach().cpu().to_dense().to(torch.float64, copy=True)

    def same(self, a: Any, b: Any) -> bool:
        # A slip may give nan, and an answer that gives the same nan is to be called by its name.
        return torch.allclose(a, b, rtol=self.tolerance, atol=self.tolerance, equal_nan=True)

    def show(self, got: Any, right: Any) -> str:
        wrong = ~torch.isclose(got, right, rtol=self.tolerance, atol=self.tolerance)
        place = tuple(wrong.nonzero()[0].tolist())
        numbers = "{}, expected {}".format(*differing(float(got[place]), float(right[place])))
        if not place:
            return f"{self.what} is {numbers}"
        return f"{self.what}, first wrong at {list(place)}, is {numbers} there"


class Parts:
    """A tuple or list of several results, each of its own kind; `what` names them in a row.

    Parts may be blank one by one: the others are judged, and what is still blank is told.
    """

    def __init__(self, what: str, *kinds: Kind, names: Iterable[str] = ()) -> None:
        self.what, self.kinds = what, kinds
        self.names = tuple(names) or tuple(getattr(kind, "what", "a part") for kind in kinds)

    def read(self, value: Any, right: Any) -> Any:
        count = len(self.kinds)
        if not isinstance(value, tuple | list) or len(value) != count:
            number = {2: "two", 3: "three"}.get(count, str(count))
            raise NotYet(f"return {number} things, {self.what}, not {describe(value)}")
        if all(part is ... for part in value):
            raise NotAttempted
        for part, name in zip(value, self.names, strict=True):
            if part is None:
                raise NotYet(f"{name} is None: a part of the result is missing")
        return [
            ... if part is ... else kind.read(part, wanted)
            for kind, part, wanted in zip(self.kinds, value, right, strict=True)
        ]

    def same(self, a: Any, b: Any) -> bool:
        triples = zip(self.kinds, a, b, strict=True)
        return all(x is not ... and y is not ... and kind.same(x, y) for kind, x, y in triples)

    def show(self, got: Any, right: Any) -> str:
        blank = ""
        for kind, name, x, y in zip(self.kinds, self.names, got, right, strict=True):
            if x is ...:
                blank = f"the rest is right; {name} is still blank"
            elif not kind.same(x, y):
                return kind.show(x, y)
        return blank
