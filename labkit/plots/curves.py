"""The curves of a history: which columns are drawn in which panel, and how (notebook 04)."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter

from labkit.plots.style import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    SKY,
)
from labkit.runs import HistoryRow


class Curve(NamedTuple):
    """A column of the history, drawn in one of five panels."""

    panel: int
    column: str
    name: str
    colour: str
    mark: str  # line style or marker
    factor: float = 1.0


KL = Curve(0, "kl", "— KL", BLUE, "-")
_CROSS_ENTROPY = Curve(1, "cross_entropy", "— cross-entropy", RED, "-")
NLL = Curve(1, "nll", "-- teacher-forced NLL, nats a word", SKY, "--")
SCORES = (
    Curve(2, "bleu4", "● BLEU-4", GREEN, "o"),
    Curve(2, "bleu4_report", "× with z sampled", PURPLE, "x"),
    Curve(2, "gaussian_score", "▲ Gaussian score", ORANGE, "^"),
)
_SCHEDULES = (
    Curve(3, "teacher_forcing_ratio", "— teacher-forcing ratio", PURPLE, "-"),
    Curve(4, "kl_weight", "-- KL weight (right)", BLUE, "--"),
)
Y_LABELS = ("KL, nats a word", "nats a character", "score", "ratio", "weight")


def curves_of(characters: float | None) -> list[Curve]:
    """All curves of a run; the NLL among them if one knows what it is for each character."""
    nll = []
    if characters is not None:
        name = f"-- teacher-forced NLL / {characters:.1f}"
        nll = [NLL._replace(name=name, factor=1 / characters)]
    return [KL, _CROSS_ENTROPY, *nll, *SCORES, *_SCHEDULES]


def prepare(panels: Sequence[Axes], curves: Sequence[Curve], named: bool = True) -> list[Axes]:
    """Scales of the four panels, and a fifth over the fourth: the KL weight's, on the right.

    named: write what each panel's curves are above it, in their colours.
    """
    five = [*panels, panels[3].twinx()]
    five[4].grid(visible=False)
    five[4].spines["right"].set_visible(True)
    five[0].set_yscale("log")
    five[0].yaxis.set_minor_formatter(NullFormatter())
    five[3].xaxis.set_major_locator(MaxNLocator(5, integer=True))
    five[2].set_ylim(0, 1.05)
    five[3].set_ylim(0, 1.1)
    for axes in five[:3]:
        axes.tick_params(labelbottom=False)
    for axes, text in zip(five[:4] if named else [], Y_LABELS, strict=False):
        axes.set_ylabel(text)
    for panel in (1, 2, 3):
        five[panel].set_title(" ")  # room for the names
        inside = [c for c in curves if min(c.panel, 3) == panel]  # the fourth's and fifth's as one
        name_curves(five[panel], [(c.name, c.colour) for c in inside] if named else [])
    return five


def name_curves(axes: Axes, names: Sequence[tuple[str, str]]) -> None:
    """Write names side by side above the axes, each in its curve's colour."""
    corner: dict[str, Any] = {"xy": (0, 1), "xycoords": "axes fraction", "xytext": (0, 5)}
    for name, colour in names:
        text = axes.annotate(
            name, **corner, textcoords="offset points", color=colour, va="bottom", fontsize=11
        )
        text.set_in_layout(False)
        corner = {"xy": (1, 0), "xycoords": text, "xytext": (12, 0)}


def epochs_done(history: Sequence[HistoryRow]) -> list[float]:
    """How many epochs of training each row has behind it."""
    updates_per_epoch = max(row.step / (row.epoch + 1) for row in history)
    return [row.step / updates_per_epoch for row in history]


def limit(panels: Sequence[Axes]) -> None:
    """Let no scale be so narrow that noise looks large; after all has been drawn."""
    low, high = panels[0].get_ylim()
    panels[0].set_ylim(min(low, 0.5), max(high, 200))
    panels[1].set_ylim(bottom=0)
    panels[4].set_ylim(bottom=0)


def draw_runs(
    panels: Sequence[Axes], curves: Sequence[Curve], histories: Sequence[Sequence[HistoryRow]]
) -> None:
    x = [*map(epochs_done, histories)]
    for curve in curves:
        draw_curve(panels[curve.panel], x, curve, histories)


def draw_curve(
    axes: Axes,
    x: Sequence[Sequence[float]],
    curve: Curve,
    histories: Sequence[Sequence[HistoryRow]],
) -> None:
    """A curve as a line or, for a marker, as points; of several runs, each thin, the mean thick."""
    many, colour, mark = len(histories) > 1, curve.colour, curve.mark
    look: dict[str, Any] = {"ls": mark, "lw": 0.8 if many else 2, "alpha": 0.6 if many else 1}
    if mark in "o^x":
        look |= {"ls": "", "marker": mark, "ms": 3 if many else 4, "clip_on": False}
    values = [[curve.factor * getattr(row, curve.column) for row in rows] for rows in histories]
    for positions, heights in zip(x, values, strict=True):
        axes.plot(positions, heights, color=colour, **look)
    if many:
        means = [fmean(heights) for heights in zip(*values, strict=False)]
        line, width = ("-", 1.2) if mark in "o^x" else (mark, 2.2)
        axes.plot(x[0][: len(means)], means, color=colour, ls=line, lw=width)
