"""Figures of notebook 05: the latent space, and walks in it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse
from torch import Tensor

from labkit.language import ENGLISH, Language
from labkit.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    SKY,
    form_look,
    new_figure,
    style,
)
from labkit.tables import Row

_BANDS = ("#e3eff7", "#f6e9d2")  # two pale fills that alternate along a walk


@style()
def latent_map_figure(
    panels: Mapping[str, tuple[Tensor, Tensor]],
    verbs: Sequence[str],
    reach: float = 1.0,
    language: Language = ENGLISH,
) -> Figure:
    """Posteriors of every form of some verbs, in a plane: an ellipse of `reach` deviations each.

    panels: {title: (means (forms * verbs, 2), covariances (forms * verbs, 2, 2))}, one a model,
    in the order of `posterior_of_table`.
    """
    count = len(language.forms)
    figure, grid = new_figure(8.6, 4.6, columns=len(panels), squeeze=False)
    for axes, (title, (means, covariances)) in zip(grid[0], panels.items(), strict=True):
        values, vectors = torch.linalg.eigh(covariances)
        for k, mean in enumerate(means.tolist()):
            height, width = (2 * reach * values[k].sqrt()).tolist()
            angle = math.degrees(math.atan2(*vectors[k, :, 1].flip(0).tolist()))
            colour, mark = form_look(k % count)
            axes.add_patch(Ellipse(mean, width, height, angle=angle, fc=colour, alpha=0.22, lw=0))
            axes.plot(*mean, mark, color=colour, ms=4)
        forms = means.reshape(len(verbs), -1, 2)
        span = float((means.amax(dim=0) - means.amin(dim=0)).max())
        taken = means.clone()  # where no label should lie: on marks, on other labels
        for i, verb in enumerate(verbs):
            axes.plot(*forms[i].T, color="#b0b0b0", lw=0.8, zorder=1)
            up = torch.tensor([0.0, 0.05 * span])
            spots = torch.cat([forms[i] + up, forms[i] - up])
            wide = torch.tensor([0.4, 1.0])  # a label is wider than high
            clear = torch.cdist(spots * wide, taken * wide).amin(dim=1)
            spot = spots[clear.argmax()]
            taken = torch.cat([taken, spot[None]])
            axes.annotate(verb, spot.tolist(), ha="center", va="center", fontsize=10, zorder=5)
        axes.margins(x=0.12)
        axes.set(title=title, xticks=[], yticks=[])
        axes.set_aspect("equal", adjustable="datalim")
    handles = []
    for k, name in enumerate(language.form_names):
        colour, mark = form_look(k)
        handles.append(Line2D([], [], marker=mark, color=colour, ls="", ms=6, label=name))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4, count))
    return figure


def _strip(axes: Axes, words: Sequence[str], low: float, high: float, at: float) -> None:
    """A walk as one band: a stretch for each run of equal words, and a mark at the position."""
    step = (high - low) / (len(words) - 1)
    starts = [i for i in range(len(words)) if i == 0 or words[i] != words[i - 1]]
    box = axes.get_window_extent()
    width, height = box.width / axes.figure.get_dpi(), box.height / axes.figure.get_dpi()
    for number, (first, end) in enumerate(zip(starts, [*starts[1:], len(words)], strict=True)):
        left, right = (max(low, low + (i - 0.5) * step) for i in (first, end))
        right = min(right, high)
        axes.axvspan(left, right, color=_BANDS[number % 2], lw=0)
        room = (right - left) / (high - low) * width
        turned = 90 if room < 0.095 * len(words[first]) + 0.1 else 0
        size = _fitting(10, words[first], height) if turned else 10
        if room > 0.11:
            axes.text(
                (left + right) / 2,
                0.5,
                words[first],
                ha="center",
                va="center",
                size=size,
                rotation=turned,
                clip_on=True,
                zorder=5,
            )
    axes.axvline(at, color=BLACK, lw=2.5, zorder=1)
    axes.set(xlim=(low, high), ylim=(0, 1), yticks=[])
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)


def _all_forms(
    figure: Figure, row: Row, language: Language, x: float, top: float, step: float
) -> None:
    """Every form of one latent, big, each beside its name. Lengths are in inches; x is where the
    words begin, `top` how far below the upper edge the first stands.

    Plain text: axes to stand in would take as long to draw as all the rest.
    """
    width, height = figure.get_size_inches()
    for k, (name, word) in enumerate(zip(language.form_names, row, strict=True)):
        y = 1 - (top + step * k) / height
        label = textwrap.fill(name, 20)
        figure.text((x - 0.28) / width, y, label, ha="right", va="center", size=11, color=GREY)
        size = _fitting(19, word, width - x)
        figure.text(x / width, y, word, va="center", size=size, color=form_look(k)[0])


def _fitting(size: float, word: str, inches: float) -> float:
    """The size, or a smaller one in which the word is no longer than that."""
    return min(size, 110 * inches / max(1, len(word)))


@style()
def latent_walk_figure(
    path: Sequence[Row], position: float, start: str, end: str, language: Language = ENGLISH
) -> Figure:
    """Where a walk from one verb (0) to another (1) stands: all its forms, and the whole path."""
    height = 1.42 + 0.42 * len(language.forms)
    figure = Figure(figsize=(8, height))
    here = path[_nearest(position, len(path))]
    _all_forms(figure, here, language, x=3.6, top=0.26, step=0.42)
    axes = figure.add_axes((0.03, 0.31 / height, 0.94, 0.93 / height))
    _strip(axes, [row[0] for row in path], 0, 1, position)
    axes.set_xticks([0, 0.5, 1], [start, "halfway", end])
    axes.get_xticklabels()[0].set_horizontalalignment("left")
    axes.get_xticklabels()[-1].set_horizontalalignment("right")
    return figure


@style()
def latent_dimension_figure(
    kl: Tensor,
    chosen: int,
    path: Sequence[Row],
    value: float,
    low: float,
    high: float,
    language: Language = ENGLISH,
) -> Figure:
    """One latent dimension moved alone: its rank among all, every form, the words on the way.

    kl: (2Z,) nats of each dimension.
    """
    order = kl.argsort(descending=True)
    rank = int((order == chosen).nonzero())
    position = (value - low) / (high - low)
    height = max(3.9, 2.1 + 0.45 * len(language.forms))
    figure = Figure(figsize=(8, height))
    axes = figure.add_axes((0.08, 2.14 / height, 0.4, 1 - 2.42 / height))
    axes.vlines(range(len(kl)), 0, kl[order], color=SKY, lw=2.5)
    axes.vlines(rank, 0, kl[chosen], color=BLACK, lw=3)
    axes.set(xlabel="dimension, costliest first", ylabel="KL, nats", ylim=(0, None))
    axes.plot(rank, float(kl[chosen]), "v", color=BLACK, ms=7, clip_on=False)
    here = path[_nearest(position, len(path))]
    _all_forms(figure, here, language, x=5.68, top=0.37, step=0.45)
    strip = figure.add_axes((0.03, 0.47 / height, 0.94, 0.94 / height))
    _strip(strip, [row[0] for row in path], low, high, value)
    strip.set_xlabel(f"value of dimension {chosen}")
    return figure


def _nearest(position: float, count: int) -> int:
    return min(max(round(position * (count - 1)), 0), count - 1)


@style()
def temperature_figure(
    temperatures: Sequence[float],
    known: Sequence[float],
    distinct: Sequence[float],
    temperature: float,
    verbs: Sequence[tuple[str, bool]],
) -> Figure:
    """Share of known and of distinct verbs by temperature, and some of the verbs at the chosen one.

    verbs: (first form, whether all forms are a row of the training table).
    """
    figure = Figure(figsize=(8.4, 3.3))
    axes = figure.add_axes((0.07, 0.16, 0.37, 0.8))
    axes.plot(temperatures, known, color=BLUE)
    axes.plot(temperatures, distinct, color=ORANGE, linestyle="--")
    axes.axvline(temperature, color=BLACK, lw=1.5)
    last = len(temperatures) - 1
    for values, name, colour in ((known, "known", BLUE), (distinct, "distinct", ORANGE)):
        axes.annotate(
            name,
            (temperatures[last], values[last]),
            (14, 0),
            textcoords="offset points",
            va="center",
            color=colour,
        )
    axes.set(xlabel="temperature T", ylabel="share of the samples", ylim=(0, 1.03))
    rows = math.ceil(len(verbs) / 2)
    for i, (verb, is_known) in enumerate(verbs):
        text, colour = (f"✓ {verb}", GREEN) if is_known else (f"·  {verb}", GREY)
        x, y = 0.54 + 0.23 * (i // rows), 0.93 - 0.93 * (i % rows) / rows
        size = _fitting(11, text, 1.85)
        figure.text(x, y, text, size=size, color=colour, va="center")
    return figure
