"""Figures of notebook 06: the report's three observations in our curves, seeds side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from labkit.plots.style import BLACK, BLUE, GREY, ORANGE, RED, label_line, new_figure, style
from labkit.sweeps import TrialResult, by_name

_RATIO_LOOK = {0.4: (ORANGE, "o"), 0.8: (BLUE, "s"), 1.0: (BLACK, "^")}  # by final ratio


def _look(ratio: float) -> tuple[str, str]:
    return _RATIO_LOOK.get(ratio, (GREY, "D"))


def _panel_a_trial(
    results: Sequence[TrialResult], curves: Sequence[tuple[str, float, str, str]]
) -> tuple[Figure, dict[str, Axes]]:
    """Columns of the histories by epoch: one panel a trial, by its name, a line a seed.

    curves: (column, factor, colour, line style) each.
    """
    groups = by_name(results)
    figure, grid = new_figure(8.6, 3.1, columns=len(groups), sharey=True, squeeze=False)
    panels = dict(zip(groups, grid[0], strict=True))
    for name, axes in panels.items():
        for result in groups[name]:
            epochs = [row.epoch + 1 for row in result.history]
            for column, factor, colour, line in curves:
                values = [factor * getattr(row, column) for row in result.history]
                axes.plot(epochs, values, color=colour, ls=line, lw=1.4)
        axes.set(title=name, xlabel="epoch")
    return figure, panels


@style()
def two_measures_figure(results: Sequence[TrialResult], characters: float) -> Figure:
    """Training cross-entropy and teacher-forced NLL by epoch, one panel a trial, a line a seed.

    characters: in a mean training word, EOS included; `characters_a_word` finds it.
    """
    curves = (("cross_entropy", 1.0, RED, "-"), ("nll", 1 / characters, BLUE, "--"))
    figure, panels = _panel_a_trial(results, curves)
    first = next(iter(panels.values()))
    first.set_ylabel("nats a character")
    inside: dict[str, Any] = {"xycoords": "axes fraction", "ha": "center"}
    first.annotate("— cross-entropy, as trained", (0.52, 0.92), color=RED, **inside)
    text = f"-- teacher-forced NLL / {characters:.1f}"
    first.annotate(text, (0.52, 0.82), color=BLUE, **inside)
    return figure


@style()
def around_the_restart_figure(results: Sequence[TrialResult]) -> Figure:
    """BLEU-4 by epoch in trials of two cycles, by the posterior mean and with z sampled."""
    curves = (("bleu4", 1.0, BLUE, "-"), ("bleu4_report", 1.0, ORANGE, "--"))
    figure, panels = _panel_a_trial(results, curves)
    for name, axes in panels.items():
        config = by_name(results)[name][0].config
        restart = config.epochs / config.kl.cycles
        axes.axvspan(restart + 0.5, restart * (1 + config.kl.zero_share) + 0.5, color="#ececec")
        axes.set_ylim(0, 1.05)
    first = next(iter(panels.values()))
    inside: dict[str, Any] = {"xycoords": "axes fraction", "ha": "right"}
    first.annotate("— posterior mean", (0.98, 0.12), color=BLUE, **inside)
    first.annotate("-- z sampled", (0.98, 0.03), color=ORANGE, **inside)
    first.set_ylabel("BLEU-4")
    figure.supxlabel("grey: the second cycle's epochs at KL weight 0", fontsize=10)
    return figure


@style()
def score_and_rate_figure(results: Sequence[TrialResult], step: float = 2.0) -> Figure:
    """Gaussian score against KL through training (left) and against coverage at the end (right).

    Left: one mark a history row in which the KL weight is on, and the mean of the rows in each
    `step` of nats as a line. Colour and mark tell the final teacher-forcing ratio.
    """
    figure, (left, right) = new_figure(8.6, 3.6, columns=2)
    for ratio in sorted({result.config.forcing.final_ratio for result in results}):
        group = [r for r in results if r.config.forcing.final_ratio == ratio]
        colour, mark = _look(ratio)
        rows = [row for r in group for row in r.history if row.kl_weight > 0]
        points = [(row.kl, row.gaussian_score) for row in rows if row.kl < 20]
        left.plot(*zip(*points, strict=True), mark, color=colour, ms=3.5, alpha=0.4)
        bins: dict[int, list[float]] = {}
        for kl, score in points:
            bins.setdefault(int(kl // step), []).append(score)
        middles = [(k + 0.5) * step for k in sorted(bins)]
        means = [sum(bins[k]) / len(bins[k]) for k in sorted(bins)]
        left.plot(middles, means, "-" if ratio > 0.5 else "--", color=colour, lw=2.5)
        ends = [(r.honest["coverage"], r.honest["gaussian_score"]) for r in group]
        right.plot(
            *zip(*ends, strict=True), mark, color=colour, ms=8, label=f"final ratio {ratio:g}"
        )
    left.set(xlabel="KL, nats a word", ylabel="Gaussian score", title="through training")
    right.set(xlabel="coverage of the training verbs", title="at the end of training")
    for axes in (left, right):
        axes.set(ylim=(0, 1.06 * axes.get_ylim()[1]), xlim=(0, 1.06 * axes.get_xlim()[1]))
    right.xaxis.set_major_locator(MaxNLocator(5))
    right.legend(fontsize=10)
    return figure


@style()
def compare_seeds_figure(values: Mapping[str, Sequence[float]], xlabel: str) -> Figure:
    """One line a configuration, a dot a seed, a bar at their mean."""
    figure, axes = new_figure(8, 1.0 + 0.5 * len(values))
    for y, seeds in enumerate(values.values()):
        mean = sum(seeds) / len(seeds)
        axes.plot(seeds, [y] * len(seeds), "o", color=BLUE, ms=8, alpha=0.8)
        axes.plot([mean, mean], [y - 0.25, y + 0.25], color=BLACK)
        label_line(axes, max(seeds), y, f" mean {mean:.3f}", BLACK)
    axes.set_yticks(range(len(values)), list(values))
    largest = max(max(seeds) for seeds in values.values())
    axes.set(xlabel=xlabel, ylim=(len(values) - 0.5, -0.5), xlim=(0, 1.3 * largest or 1))
    axes.grid(axis="y", visible=False)
    return figure
