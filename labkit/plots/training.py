"""Figures of notebook 04: annealing schedules, the curves of a run, trials side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import PIL.Image
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter, NullLocator

from labkit.config import TrialConfig
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
from labkit.trials import TrialResult

CHARACTERS = 8.3  # in a mean training word, EOS included: nats a word as nats a character
_COLOURS = (BLUE, RED, GREEN, PURPLE, ORANGE)
_DASHES = dict(zip(LINE_STYLES, ("—", "--", "-·", "···"), strict=True))

# Panel, history column, factor, name, colour, line style or marker.
_CURVES = (
    (0, "kl", 1.0, "KL", BLUE, "-"),
    (1, "cross_entropy", 1.0, "— cross-entropy", RED, "-"),
    (1, "nll", 1 / CHARACTERS, f"-- teacher-forced NLL / {CHARACTERS}", SKY, "--"),
    (2, "bleu4", 1.0, "● BLEU-4", GREEN, "o"),
    (2, "bleu4_report", 1.0, "× with z sampled", PURPLE, "x"),
    (2, "gaussian_score", 1.0, "▲ Gaussian score", ORANGE, "^"),
    (3, "teacher_forcing_ratio", 1.0, "— teacher-forcing ratio", PURPLE, "-"),
    (4, "kl_weight", 1.0, "-- KL weight (right)", BLUE, "--"),
)
_Y_LABELS = ("KL, nats a word", "nats a character", "score", "ratio", "weight")


def schedule_figure(
    weights: Mapping[str, Sequence[float]], ratios: Mapping[str, Sequence[float]]
) -> Figure:
    """Figure 3: KL weight and teacher-forcing ratio, a value an epoch, by the schedules' names."""
    with style():
        figure, panels = new_figure(9, 3.4, columns=2)
        for axes, curves, title in (
            (panels[0], weights, "KL weight"),
            (panels[1], ratios, "teacher-forcing ratio"),
        ):
            names = []
            for (name, curve), colour, (line, dash) in zip(
                curves.items(), _COLOURS, _DASHES.items(), strict=False
            ):
                axes.stairs(curve, baseline=None, color=colour, ls=line, lw=2)
                names.append((f"{dash} {name}", colour))
            axes.set(xlabel="epoch", ylabel=title, xlim=(0, None), ylim=(0, None), title=" ")
            _name_curves(axes, names)
    return figure


def history_figure(history: Sequence[HistoryRow], epochs: int | None = None) -> Figure:
    """The curves of one run, up to now: the report's four panels on one x axis.

    epochs: the length of the run, where it is not over yet.
    """
    with style():
        figure, grid = new_figure(8, 6.6, 4, sharex=True, height_ratios=(3, 3, 3, 2))
        panels = _prepare(grid, named=True)
        panels[3].set_xlabel("epochs of training")
        panels[4].set_ylabel(_Y_LABELS[4])
        if history:
            _draw_runs(panels, [history])
            _limit(panels)
        panels[3].set_xlim(0, epochs)
    return figure


def trials_figure(results: Sequence[TrialResult]) -> Figure:
    """Figure 4: the curves of every trial side by side, each seed thin and their mean thick."""
    groups = _by_name(results)
    with style():
        figure, grid = new_figure(
            max(4.0, 1.8 * len(groups)), 7.6, 4, len(groups), sharey="row", squeeze=False
        )
        heaviest = max(row["kl_weight"] for result in results for row in result.history)
        for column, (name, group) in enumerate(groups.items()):
            panels = _prepare(grid[:, column], named=column == 0)
            _draw_runs(panels, [result.history for result in group])
            panels[0].set_title(name.replace(", ", ",\n"))
            panels[4].set_ylim(0, 1.1 * heaviest)
            panels[4].tick_params(labelright=name == list(groups)[-1])
        _limit(panels)
        figure.supxlabel("epochs of training", fontsize=11)
    return figure


def _by_name(results: Sequence[TrialResult]) -> dict[str, list[TrialResult]]:
    groups: dict[str, list[TrialResult]] = {}
    for result in results:
        groups.setdefault(result.name, []).append(result)
    return groups


def _prepare(panels: Sequence[Axes], named: bool) -> list[Axes]:
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
    for axes, text in zip(five[:4] if named else [], _Y_LABELS, strict=False):
        axes.set_ylabel(text)
    for panel in (1, 2, 3):
        five[panel].set_title(" ")  # room for the names
        _name_curves(five[panel], _names_in(panel) if named else [])
    return five


def _names_in(panel: int) -> list[tuple[str, str]]:
    """Names and colours of a panel's curves; the fourth panel's are those of the fifth too."""
    return [(name, colour) for p, *_, name, colour, _ in _CURVES if min(p, 3) == panel]


def _name_curves(axes: Axes, names: Sequence[tuple[str, str]]) -> None:
    """Write names side by side above the axes, each in its curve's colour."""
    place: dict[str, Any] = {"xy": (0, 1), "xycoords": "axes fraction", "xytext": (0, 5)}
    for name, colour in names:
        text = axes.annotate(
            name, **place, textcoords="offset points", color=colour, va="bottom", fontsize=11
        )
        text.set_in_layout(False)
        place = {"xy": (1, 0), "xycoords": text, "xytext": (12, 0)}


def _epochs(history: Sequence[HistoryRow]) -> list[float]:
    """How many epochs of training each row has behind it."""
    updates_per_epoch = max(row["step"] / (row["epoch"] + 1) for row in history)
    return [row["step"] / updates_per_epoch for row in history]


def _limit(panels: Sequence[Axes]) -> None:
    """Let no scale be so narrow that noise looks large; after all has been drawn."""
    low, high = panels[0].get_ylim()
    panels[0].set_ylim(min(low, 0.5), max(high, 200))
    panels[1].set_ylim(bottom=0)
    panels[4].set_ylim(bottom=0)


def _draw_runs(panels: Sequence[Axes], histories: Sequence[Sequence[HistoryRow]]) -> None:
    for panel, key, factor, _, colour, mark in _CURVES:
        curves = [[factor * row[key] for row in history] for history in histories]
        _draw_curves(panels[panel], [*map(_epochs, histories)], curves, colour, mark)


def _draw_curves(
    axes: Axes, x: Sequence[Sequence[float]], curves: Sequence[Any], colour: str, mark: str
) -> None:
    """One curve as a line or, for a marker, as points; of several, each thin and the mean thick."""
    many = len(curves) > 1
    look: dict[str, Any] = {"ls": mark, "lw": 0.8 if many else 2, "alpha": 0.6 if many else 1}
    if mark in "o^x":
        look |= {"ls": "", "marker": mark, "ms": 3 if many else 4, "clip_on": False}
    for positions, curve in zip(x, curves, strict=True):
        axes.plot(positions, curve, color=colour, **look)
    if many:
        mean = [sum(values) / len(values) for values in zip(*curves, strict=False)]
        line = mark if mark not in "o^x" else "-"
        axes.plot(x[0][: len(mean)], mean, color=colour, ls=line, lw=1.2 if mark in "o^x" else 2.2)


def annealing_figure(config: TrialConfig, backdrop: np.ndarray, heaviest: float) -> Figure:
    """The schedules of `config` over an `annealing_backdrop` made for the same `heaviest`: only
    two lines are drawn, so that dragging a slider is smooth."""
    with style():
        figure = Figure(figsize=_SIZE)
        figure.add_artist(Backdrop(backdrop))
        panels = _schedule_axes(figure, heaviest)
        for axes, schedule, colour in zip(panels, _schedules(config), (BLUE, PURPLE), strict=True):
            axes.axis("off")
            _draw_schedule(axes, schedule, config.epochs, color=colour, lw=2.5)
    return figure


def annealing_backdrop(stored: Sequence[TrialResult], heaviest: float) -> np.ndarray:
    """A picture: left, axes for schedules and those of a stored trial dashed; right, its curves."""
    config, histories = stored[0].config, [result.history for result in stored]
    x = [[100 * epoch / config.epochs for epoch in _epochs(rows)] for rows in histories]
    with style():
        figure = Figure(figsize=_SIZE)
        left = _schedule_axes(figure, heaviest)
        for axes, schedule in zip(left, _schedules(config), strict=True):
            _draw_schedule(axes, schedule, config.epochs, color=GREY, ls="--", lw=1.5)
        left[0].set(title="KL weight")
        left[0].yaxis.set_major_locator(MaxNLocator(4))
        left[1].set(title="teacher-forcing ratio", xlabel="% of training", yticks=(0, 0.5, 1))
        right = figure.subplots(2, gridspec_kw={**_ROWS, "left": 0.525, "right": 0.978})
        right[0].set_yscale("log")
        for panel, key, _, _, colour, mark in _CURVES:
            if key in ("kl", "nll") or panel == 2:
                curves = [[row[key] for row in rows] for rows in histories]
                _draw_curves(right[panel // 2], x, curves, colour, mark)
        _name_curves(right[0], [("— KL", BLUE), ("-- teacher-forced NLL, nats a word", SKY)])
        _name_curves(right[1], _names_in(2))
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


def rate_distortion_figure(results: Sequence[TrialResult], verbs: int) -> Figure:
    """Where each trial ends: KL (rate) against teacher-forced NLL (distortion), nats a word.

    verbs: how many rows the training table has; no model can go below rate + distortion =
    ln(verbs), the entropy of a word given its tense.
    """
    floor = math.log(verbs)
    with style():
        figure, axes = new_figure(8, 4.2)
        looks = zip(_COLOURS, "os^Dv", "●■▲◆▼", strict=True)
        for row, (name, group) in enumerate(_by_name(results).items()):
            colour, mark, sign = next(looks)
            ends = [(result.honest.kl, result.honest.nll) for result in group]
            axes.plot(*zip(*ends, strict=True), mark, color=colour, ms=7)
            place = (1.02, 0.95 - 0.08 * row)
            axes.annotate(f"{sign} {name}", place, xycoords="axes fraction", color=colour)
        axes.plot([0, floor], [floor, 0], color=BLACK, ls="--", lw=1.5)
        bound = f"no model can be here:\nrate + distortion\n≥ ln {verbs} = {floor:.1f}"
        axes.annotate(bound, (0.04 * floor, 0.06 * floor))
        axes.set(xlabel="rate: KL, nats a word", ylabel="distortion: NLL, nats a word")
        axes.set(xlim=(0, None), ylim=(0, None))
    return figure


def collapse_figure(runs: Sequence[Run], weight: float, indifferent: float) -> Figure:
    """How the KL of each run went, and where it ended against the run's constant KL weight.

    weight: the weight that is pointed at. indifferent: the weight at which β = 1.
    """
    with style():
        figure, (left, right) = new_figure(9, 3.4, columns=2, sharey=True)
        named: list[float] = []  # heights of the labels, so that none stands on another
        for run, colour in zip(runs, _COLOURS * len(runs), strict=False):
            w = run.config.kl_final_weight
            steps, kl = ([row[key] for row in run.history] for key in ("step", "kl"))
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
