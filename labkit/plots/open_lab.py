"""Figures of notebook 06: the report's three observations in our curves, seeds side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from labkit.plots.style import BLACK, BLUE, GREY, ORANGE, RED, label_line, new_figure, style
from labkit.plots.training import CHARACTERS
from labkit.trials import TrialResult

_RATIO_LOOK = {0.4: (ORANGE, "o"), 0.8: (BLUE, "s"), 1.0: (BLACK, "^")}  # by final ratio


def _look(ratio: float) -> tuple[str, str]:
    return _RATIO_LOOK.get(ratio, (GREY, "D"))


def _panels(results: Sequence[TrialResult]) -> dict[str, list[TrialResult]]:
    groups: dict[str, list[TrialResult]] = {}
    for result in results:
        groups.setdefault(result.name, []).append(result)
    return groups


def two_measures(results: Sequence[TrialResult]) -> Figure:
    """Training cross-entropy and teacher-forced NLL by epoch, one panel a trial, a line a seed."""
    groups = _panels(results)
    with style():
        figure, grid = new_figure(8.6, 3.1, columns=len(groups), sharey=True, squeeze=False)
        for axes, (name, group) in zip(grid[0], groups.items(), strict=True):
            for result in group:
                epochs = [row["epoch"] + 1 for row in result.history]
                loss = [row["cross_entropy"] for row in result.history]
                nll = [row["nll"] / CHARACTERS for row in result.history]
                axes.plot(epochs, loss, color=RED, lw=1.4)
                axes.plot(epochs, nll, color=BLUE, lw=1.4, linestyle="--")
            axes.set(title=name, xlabel="epoch")
        first = grid[0][0]
        first.set_ylabel("nats a character")
        place = {"xycoords": "axes fraction", "ha": "center"}
        first.annotate("— cross-entropy, as trained", (0.52, 0.92), color=RED, **place)
        first.annotate("-- teacher-forced NLL", (0.52, 0.82), color=BLUE, **place)
    return figure


def around_the_restart(results: Sequence[TrialResult]) -> Figure:
    """BLEU-4 by epoch in trials of two cycles, by the posterior mean and with z sampled."""
    groups = _panels(results)
    with style():
        figure, grid = new_figure(8.6, 3.1, columns=len(groups), sharey=True, squeeze=False)
        for axes, (name, group) in zip(grid[0], groups.items(), strict=True):
            for result in group:
                epochs = [row["epoch"] + 1 for row in result.history]
                for key, colour, line in (("bleu4", BLUE, "-"), ("bleu4_report", ORANGE, "--")):
                    axes.plot(epochs, [row[key] for row in result.history], line, color=colour,
                              lw=1.4)  # fmt: skip
            half = group[0].config.epochs / 2
            axes.axvspan(half + 0.5, half * 1.2 + 0.5, color="#ececec")
            axes.set(title=name, xlabel="epoch", ylim=(0, 1.05))
        place = {"xycoords": "axes fraction", "ha": "right"}
        grid[0][0].annotate("— posterior mean", (0.98, 0.12), color=BLUE, **place)
        grid[0][0].annotate("-- z sampled", (0.98, 0.03), color=ORANGE, **place)
        grid[0][0].set_ylabel("BLEU-4")
        figure.supxlabel("grey: the second cycle's epochs at KL weight 0", fontsize=10)
    return figure


def score_and_rate(results: Sequence[TrialResult], step: float = 2.0) -> Figure:
    """Gaussian score against KL through training (left) and against coverage at the end (right).

    Left: one mark a history row in which the KL weight is on, and the mean of the rows in each
    `step` of nats as a line. Colour and mark tell the final teacher-forcing ratio.
    """
    with style():
        figure, (left, right) = new_figure(8.6, 3.6, columns=2)
        for ratio in sorted({result.config.final_teacher_forcing_ratio for result in results}):
            group = [r for r in results if r.config.final_teacher_forcing_ratio == ratio]
            colour, mark = _look(ratio)
            rows = [row for r in group for row in r.history if row["kl_weight"] > 0]
            points = [(row["kl"], row["gaussian_score"]) for row in rows if row["kl"] < 20]
            left.plot(*zip(*points, strict=True), mark, color=colour, ms=3.5, alpha=0.4)
            bins: dict[int, list[float]] = {}
            for kl, score in points:
                bins.setdefault(int(kl // step), []).append(score)
            middles = [(k + 0.5) * step for k in sorted(bins)]
            means = [sum(bins[k]) / len(bins[k]) for k in sorted(bins)]
            left.plot(middles, means, "-" if ratio > 0.5 else "--", color=colour, lw=2.5)
            ends = [(r.honest.coverage, r.honest.gaussian_score) for r in group]
            right.plot(*zip(*ends, strict=True), mark, color=colour, ms=8,
                       label=f"final ratio {ratio:g}")  # fmt: skip
        left.set(xlabel="KL, nats a word", ylabel="Gaussian score", title="through training")
        right.set(xlabel="coverage of the training verbs", title="at the end of training")
        for axes in (left, right):
            axes.set(ylim=(0, 1.06 * axes.get_ylim()[1]), xlim=(0, 1.06 * axes.get_xlim()[1]))
        right.xaxis.set_major_locator(MaxNLocator(5))
        right.legend(fontsize=10)
    return figure


def compare_seeds(values: Mapping[str, Sequence[float]], xlabel: str) -> Figure:
    """One line a configuration, a dot a seed, a bar at their mean."""
    with style():
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
