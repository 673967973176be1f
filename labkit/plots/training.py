"""Figures of notebook 04: annealing schedules, the curves of a run, trials side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from itertools import cycle
from typing import Any

import numpy as np
import PIL.Image
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from labkit.config import TrialConfig
from labkit.plots.curves import (
    KL,
    NLL,
    SCORES,
    Y_LABELS,
    curves_of,
    draw_curve,
    draw_runs,
    epochs_done,
    limit,
    name_curves,
    prepare,
)
from labkit.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    LINE_STYLES,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    Backdrop,
    label_line,
    new_figure,
    png,
    style,
)
from labkit.runs import HistoryRow, Run
from labkit.sweeps import TrialResult, by_name

_COLOURS = (BLUE, RED, GREEN, PURPLE, ORANGE, SKY)
_DASHES = dict(zip(LINE_STYLES, ("—", "--", "-·", "···", "– –", "· ·"), strict=True))


@style()
def schedule_figure(
    weights: Mapping[str, Sequence[float]], ratios: Mapping[str, Sequence[float]]
) -> Figure:
    """Figure 3: KL weight and teacher-forcing ratio, a value an epoch, by the schedules' names."""
    figure, panels = new_figure(9, 3.4, columns=2)
    for axes, curves, title in (
        (panels[0], weights, "KL weight"),
        (panels[1], ratios, "teacher-forcing ratio"),
    ):
        names = []
        looks = cycle(zip(_COLOURS, _DASHES.items(), strict=True))
        for (name, curve), (colour, (line, dash)) in zip(curves.items(), looks, strict=False):
            axes.stairs(curve, baseline=None, color=colour, ls=line, lw=2)
            names.append((f"{dash} {name}", colour))
        axes.set(xlabel="epoch", ylabel=title, xlim=(0, None), ylim=(0, None), title=" ")
        name_curves(axes, names)
    return figure


@style()
def history_figure(
    history: Sequence[HistoryRow], epochs: int | None = None, characters: float | None = None
) -> Figure:
    """The curves of one run, up to now: the report's four panels on one x axis.

    epochs: the length of the run, where it is not over yet.
    characters: in a mean training word (`characters_a_word`); without it the NLL is left out.
    """
    curves = curves_of(characters)
    figure, grid = new_figure(8, 6.6, 4, sharex=True, height_ratios=(3, 3, 3, 2))
    panels = prepare(grid, curves)
    panels[3].set_xlabel("epochs of training")
    panels[4].set_ylabel(Y_LABELS[4])
    if history:
        draw_runs(panels, curves, [history])
        limit(panels)
    panels[3].set_xlim(0, epochs)
    return figure


@style()
def trials_figure(results: Sequence[TrialResult], characters: float | None = None) -> Figure:
    """Figure 4: the curves of every trial side by side, each seed thin and their mean thick.

    characters: in a mean training word (`characters_a_word`); without it the NLL is left out.
    """
    groups, curves = by_name(results), curves_of(characters)
    figure, grid = new_figure(
        max(4.0, 1.8 * len(groups)), 7.6, 4, len(groups), sharey="row", squeeze=False
    )
    heaviest = max(row.kl_weight for result in results for row in result.history)
    for column, (name, group) in enumerate(groups.items()):
        panels = prepare(grid[:, column], curves, named=column == 0)
        draw_runs(panels, curves, [result.history for result in group])
        panels[0].set_title(name.replace(", ", ",\n"))
        panels[4].set_ylim(0, 1.1 * heaviest)
        panels[4].tick_params(labelright=name == list(groups)[-1])
    limit(panels)
    figure.supxlabel("epochs of training", fontsize=11)
    return figure


@style()
def annealing_figure(config: TrialConfig, backdrop: np.ndarray, heaviest: float) -> Figure:
    """The schedules of `config` over an `annealing_backdrop` made for the same `heaviest`: only
    two lines are drawn, so that dragging a slider is smooth."""
    figure = Figure(figsize=_SIZE)
    figure.add_artist(Backdrop(backdrop))
    panels = _schedule_axes(figure, heaviest)
    for axes, schedule, colour in zip(panels, _schedules(config), (BLUE, PURPLE), strict=True):
        axes.axis("off")
        _draw_schedule(axes, schedule, config.epochs, color=colour, lw=2.5)
    return figure


@style()
def annealing_backdrop(stored: Sequence[TrialResult], heaviest: float) -> np.ndarray:
    """A picture: left, axes for schedules and those of a stored trial dashed; right, its curves."""
    config, histories = stored[0].config, [result.history for result in stored]
    x = [[100 * epoch / config.epochs for epoch in epochs_done(rows)] for rows in histories]
    figure = Figure(figsize=_SIZE)
    left = _schedule_axes(figure, heaviest)
    for axes, schedule in zip(left, _schedules(config), strict=True):
        _draw_schedule(axes, schedule, config.epochs, color=GREY, ls="--", lw=1.5)
    left[0].set(title="KL weight")
    left[0].yaxis.set_major_locator(MaxNLocator(4))
    left[1].set(title="teacher-forcing ratio", xlabel="% of training", yticks=(0, 0.5, 1))
    right = figure.subplots(2, gridspec_kw={**_ROWS, "left": 0.525, "right": 0.978})
    right[0].set_yscale("log")
    for axes, curves in zip(right, ((KL, NLL), SCORES), strict=True):
        for curve in curves:
            draw_curve(axes, x, curve, histories)
        name_curves(axes, [(curve.name, curve.colour) for curve in curves])
    for axes in (*left, *right):
        axes.set(xlim=(0, 100), xticks=range(0, 101, 25))
    right[0].yaxis.set_minor_locator(NullLocator())
    right[1].set(ylim=(0, 1.05), yticks=(0, 0.5, 1))
    right[1].set_xlabel(f"% of training of the stored “{stored[0].name}”")
    return np.asarray(PIL.Image.open(BytesIO(png(figure))))


_SIZE, _ROWS = (9, 4.6), {"bottom": 0.11, "top": 0.94, "hspace": 0.3}


def _schedule_axes(figure: Figure, heaviest: float) -> Sequence[Axes]:
    top, bottom = figure.subplots(2, gridspec_kw={**_ROWS, "left": 0.065, "right": 0.436})
    top.set(xlim=(0, 100), ylim=(0, heaviest))
    bottom.set(xlim=(0, 100), ylim=(0, 1.05))
    return top, bottom


def _schedules(config: TrialConfig) -> Sequence[Callable[[int], float]]:
    return config.kl_weight, config.teacher_forcing_ratio


def _draw_schedule(axes: Axes, schedule: Callable[[int], float], epochs: int, **look: Any) -> None:
    """A value an epoch against the share of training, in percent."""
    edges = [100 * epoch / epochs for epoch in range(epochs + 1)]
    axes.stairs([*map(schedule, range(epochs))], edges, baseline=None, clip_on=False, **look)


@style()
def rate_distortion_figure(results: Sequence[TrialResult], verbs: int) -> Figure:
    """Where each trial ends: KL (rate) against teacher-forced NLL (distortion), nats a word.

    verbs: how many rows the training table has; no model can go below rate + distortion =
    ln(verbs), the entropy of a word given its tense.
    """
    floor = math.log(verbs)
    figure, axes = new_figure(8, 4.2)
    looks = cycle(zip(_COLOURS, "os^DvX", "●■▲◆▼✖", strict=True))
    for row, (name, group) in enumerate(by_name(results).items()):
        colour, mark, sign = next(looks)
        ends = [(result.honest["kl"], result.honest["nll"]) for result in group]
        axes.plot(*zip(*ends, strict=True), mark, color=colour, ms=7)
        beside = (1.02, 0.95 - 0.08 * row)
        axes.annotate(f"{sign} {name}", beside, xycoords="axes fraction", color=colour)
    axes.plot([0, floor], [floor, 0], color=BLACK, ls="--", lw=1.5)
    bound = f"no model can be here:\nrate + distortion\n≥ ln {verbs} = {floor:.1f}"
    axes.annotate(bound, (0.04 * floor, 0.06 * floor))
    axes.set(xlabel="rate: KL, nats a word", ylabel="distortion: NLL, nats a word")
    axes.set(xlim=(0, None), ylim=(0, None))
    return figure


@style()
def collapse_figure(runs: Sequence[Run], weight: float, indifferent: float) -> Figure:
    """How the KL of each run went, and where it ended against the run's constant KL weight.

    weight: the weight that is pointed at. indifferent: the weight at which β = 1.
    """
    figure, (left, right) = new_figure(9, 3.4, columns=2, sharey=True)
    named: list[float] = []  # heights of the labels, so that none stands on another
    for run, colour in zip(runs, _COLOURS * len(runs), strict=False):
        w = run.config.kl.final_weight
        steps, kl = [row.step for row in run.history], [row.kl for row in run.history]
        left.plot(steps, kl, color=colour)
        right.plot(w, kl[-1], "o", color=colour, ms=9)
        if all(abs(math.log(kl[-1] / other)) > 0.7 for other in named):
            label_line(left, steps[-1], kl[-1], f"w = {w:g}", colour)
            named.append(kl[-1])
    left.set(yscale="log", xlabel="updates", ylabel="KL, nats a word", title="during training")
    right.axvline(indifferent, color=BLACK, ls="--", lw=1.5)
    right.axvline(weight, color=GREY, lw=1.5)
    right.set(xlabel="KL weight w (grey: the slider)", title="at the end", xlim=(0, 0.31))
    label_line(right, indifferent, left.get_ylim()[1], "β = 1", BLACK, va="top")
    return figure
