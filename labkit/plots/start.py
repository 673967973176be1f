"""Figures of notebook 00: the lab in one picture, and one verb converted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from labkit.data import TENSE_NAMES
from labkit.plots.style import BLACK, GREY, TENSE_COLOURS, new_figure, style

_PALE = "#eef4f8"


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of this size, in inches, without axes; its coordinates are tenths of an inch."""
    figure, axes = new_figure(width, height)
    axes.set(xlim=(0, 10 * width), ylim=(0, 10 * height))
    axes.axis("off")
    figure.set_layout_engine("none")  # nothing to arrange, and much quicker without
    axes.set_position((0, 0, 1, 1))
    return figure, axes


def _box(
    axes: Axes, x: float, y: float, text: str, width: float = 12, height: float = 6, **look: Any
) -> None:
    """A box with text around (x, y)."""
    look = {"facecolor": _PALE, "edgecolor": GREY, "linewidth": 1, "size": 11, **look}
    size = look.pop("size")
    corner = (x - width / 2, y - height / 2)
    axes.add_patch(FancyBboxPatch(corner, width, height, boxstyle="round,pad=0.2", **look))
    axes.text(x, y, text, ha="center", va="center", size=size, linespacing=1.3)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": BLACK, "lw": 1.5})


def journey() -> Figure:
    """A verb's way through the model, each station with the notebook that is about it."""
    with style():
        figure, axes = _canvas(9, 3.4)
        y = 17
        stations = (
            (6, "went", "", 9),
            (22, "tokens\n22 4 13 19 27", "02", 15),
            (39, "encoder", "03", 11),
            (56, "latent z\nq(z | x, c)", "01", 13),
            (72, "decoder", "03", 11),
            (85, "goes", "", 9),
        )
        for x, text, notebook, width in stations:
            _box(axes, x, y, text, width, 8)
            _badge(axes, x, y + 4.4, notebook)
        for (x, _, _, width), (to, _, _, wide) in zip(stations, stations[1:], strict=False):
            _arrow(axes, (x + width / 2 + 0.4, y), (to - wide / 2 - 0.4, y))
        for x, text in ((39, "tense read:\nsimple past"), (72, "tense to write:\nthird person")):
            axes.text(x, 31, text, ha="center", va="center")
            _arrow(axes, (x, 28.4), (x, 23.4))
        below = (
            (22, 11, "trained only to give\nback the word it reads", "04"),
            (56, 11, "or noise from the prior\np(z) = N(0, I)", "05"),
            (85, 5, "is it\nright?", "05"),
        )
        for x, left, text, notebook in below:
            axes.text(x, 4, text, ha="center", va="center")
            _badge(axes, x - left, 4, notebook)
        _arrow(axes, (56, 7), (56, 12.4))
    return figure


def _badge(axes: Axes, x: float, y: float, notebook: str) -> None:
    """The number of a notebook, white on blue."""
    look = {"boxstyle": "round,pad=0.25", "facecolor": TENSE_COLOURS[0], "edgecolor": "none"}
    if notebook:
        axes.text(x, y, notebook, ha="center", va="center", color="white", size=10, bbox=look)


def conversion(word: str, source: int, forms: Sequence[str], target: int) -> Figure:
    """A verb on the left; on the right what the model makes of it, the wanted tense framed."""
    with style():
        figure, axes = _canvas(8, 2.6)
        size = 14 if max(map(len, (word, *forms))) <= 16 else 10
        _box(axes, 14, 13, word, 25, 6, size=size)
        axes.text(14, 18.5, f"read as {TENSE_NAMES[source]}", ha="center", color=GREY)
        _arrow(axes, (27.5, 13), (32.5, 13))
        for tense, form in enumerate(forms):
            y = 23 - 6.6 * tense
            wanted = tense == target
            colour = TENSE_COLOURS[tense] if wanted else "#c8c8c8"
            look = {"edgecolor": colour, "linewidth": 3 if wanted else 1}
            _box(axes, 65, y, form or "(nothing)", 28, 5, size=size, facecolor="white", **look)
            name = axes.text(49.5, y, TENSE_NAMES[tense], ha="right", va="center", color=GREY)
            if wanted:
                name.set(color=BLACK, weight="bold")
    return figure


def sentence(text: str) -> Figure:
    """A sentence in place of a figure."""
    with style():
        figure, axes = _canvas(8, 2.6)
        axes.text(40, 13, text, ha="center", va="center", size=13, wrap=True)
    return figure
