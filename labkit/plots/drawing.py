"""Drawings of boxes and arrows (notebooks 00 and 03). All lengths are in inches."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text

from labkit.plots.style import BLACK, GREY, new_figure

Point = tuple[float, float]


def canvas(width: float, height: float, margin: float = 0.0) -> tuple[Figure, Axes]:
    """A sheet of this size, and a margin around it; (0, 0) is the sheet's lower left corner."""
    figure, axes = new_figure(width + 2 * margin, height + 2 * margin)
    figure.set_layout_engine("none")  # nothing to arrange, and much quicker without
    axes.set_position((0, 0, 1, 1))
    axes.set(xlim=(-margin, width + margin), ylim=(-margin, height + margin))
    axes.axis("off")
    return figure, axes


def box(
    axes: Axes,
    at: Point,
    text: str,
    colour: str = GREY,
    width: float = 0.9,
    height: float = 0.5,
    *,
    face: Any = None,
    line: float = 1.5,
    size: float = 10.5,
) -> None:
    """A rounded box with its centre `at`, outlined in a colour; without a face, tinted in it."""
    tint = tuple(0.86 + 0.14 * part for part in to_rgb(colour))
    axes.add_patch(
        FancyBboxPatch(
            (at[0] - width / 2, at[1] - height / 2),
            width,
            height,
            "round,pad=0,rounding_size=0.07",
            facecolor=tint if face is None else face,
            edgecolor=colour,
            linewidth=line,
        )
    )
    axes.text(*at, text, ha="center", va="center", size=size, linespacing=1.25)


def arrow(axes: Axes, start: Point, end: Point, colour: str = BLACK, **options: Any) -> None:
    """An arrow from point to point; options are those of matplotlib's arrows."""
    properties = {"arrowstyle": "-|>", "color": colour, "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops={**properties, **options})


def note(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    colour: str = BLACK,
    ha: Any = "center",
    **options: Any,
) -> Text:
    """Text on its own, its middle at the height y; options are those of matplotlib's texts."""
    options = {"size": 10, "va": "center", **options}
    return axes.text(x, y, text, color=colour, ha=ha, **options)
