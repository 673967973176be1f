"""One look for every figure: palette, sizes, and how a figure is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import RLock
from typing import Any, cast

import matplotlib as mpl
import numpy as np
import PIL.Image
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe & Ito 2008: told apart by colour-blind readers too. Line styles differ besides.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, RED, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY = "#666666"
LINE_STYLES = ("-", "--", "-.", ":", (0, (8, 2)), (0, (1, 3)))

_FORMS = ((BLUE, "o"), (RED, "s"), (GREEN, "D"), (PURPLE, "^"), (ORANGE, "v"), (SKY, "P"))

_STYLE: dict[str, Any] = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.labelsize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e5e5e5",
    "axes.axisbelow": True,
    "lines.linewidth": 2,
    "legend.frameon": False,
    "figure.facecolor": "white",
}
_DPI = 96  # a figure of 8 x 4 inches is 768 x 384 pixels on the page
_SHARPNESS = 1.5  # drawn with more pixels than it is shown with


_ONE_AT_A_TIME = RLock()  # matplotlib's settings are global, and live curves draw in a thread


@contextmanager
def style() -> Iterator[None]:
    """The lab's settings inside a with block, or in the function under `@style()`; only there."""
    with _ONE_AT_A_TIME, mpl.rc_context(cast(Any, _STYLE)):
        yield


def form_look(form: int) -> tuple[str, str]:
    """Colour and mark of a verb's form by its number. From the seventh on they come again."""
    return _FORMS[form % len(_FORMS)]


@style()
def new_figure(
    width: float = 8, height: float = 3.6, rows: int = 1, columns: int = 1, **subplots: Any
) -> tuple[Figure, Any]:
    """A figure without pyplot, and its axes as `Figure.subplots` gives them. Sizes in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **subplots)


class Backdrop(Artist):
    """A ready picture behind all else in a figure of its size, copied pixel by pixel: `figimage`
    would resample it, which takes longer than drawing a few lines."""

    def __init__(self, picture: np.ndarray) -> None:
        super().__init__()
        self.picture = picture

    def draw(self, renderer: Any) -> None:
        """Copy the picture. matplotlib's images begin at the bottom."""
        renderer.draw_image(renderer.new_gc(), 0, 0, self.picture[::-1])


def label_line(axes: Axes, x: float, y: float, text: str, colour: str, **options: Any) -> None:
    """Write a line's name beside it, in its colour: quicker to read than a legend."""
    options = {"fontsize": 11, "va": "center", **options}
    axes.annotate(text, (x, y), (6, 0), textcoords="offset points", color=colour, **options)


@style()
def png(figure: Figure, sharpness: float = _SHARPNESS) -> bytes:
    """The figure as a PNG file."""
    buffer = BytesIO()
    # Squeezing hard takes as long as drawing; `with_palette` does it for what is stored.
    quick = {"compress_level": 1}
    figure.savefig(buffer, format="png", dpi=_DPI * sharpness, pil_kwargs=quick)
    return buffer.getvalue()


def with_palette(picture: bytes) -> bytes:
    """The same PNG in 256 colours: a third of the size, for pictures that are stored."""
    buffer = BytesIO()
    whole = PIL.Image.open(BytesIO(picture)).convert("RGB")
    whole.quantize(256, dither=PIL.Image.Dither.NONE).save(buffer, "png", optimize=True)
    return buffer.getvalue()


def pixels(figure: Figure) -> tuple[int, int]:
    """(width, height) of the figure on the page."""
    width, height = figure.get_size_inches()
    return round(width * _DPI), round(height * _DPI)
