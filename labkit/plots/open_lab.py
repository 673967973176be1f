"""Figures of notebook 06: the report's three observations in our curves, seeds side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from labkit.plots.style import BLACK, BLUE, GREY, ORANGE, RED, SKY, label_line, new_figure, style
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
                axes.plot(epochs, nll, color=SKY, lw=1.4, linestyle="--")
            axes.set(title=name, xlabel="epoch")
        first = grid[0][0]
        first.set_ylabel("nats a character")
        place = {"xycoords": "axes fraction", "ha": "center"}
        first.annotate("— cross-entropy, as trained", (0.52, 0.92), color=RED, **place)
        first.annotate("-- teacher-forced NLL", (0.52, 0.82), color=BLUE, **place)
    return figure


def around_the_restart(results: Sequence[TrialResult], key: str, ylabel: str) -> Figure:
    """A score by epoch in trials of two cycles, one panel a trial, and where the cycle restarts."""
    groups = _panels(results)
    with style():
        figure, grid = new_figure(8.6, 2.9, columns=len(groups), sharey=True, squeeze=False)
        for axes, (name, group) in zip(grid[0], groups.items(), strict=True):
            for result in group:
                epochs = [row["epoch"] + 1 for row in result.history]
                axes.plot(epochs, [row[key] for row in result.history], "o-", color=BLUE, lw=0.8,
                          ms=3)  # fmt: skip
            restart = group[0].config.epochs / 2
            axes.axvspan(restart, 1.2 * restart, color="#f6e9d2")
            axes.set(title=name, xlabel="epoch", ylim=(0, 1.05))
        grid[0][0].set_ylabel(ylabel)
        figure.supxlabel("shaded: the second cycle's epochs at KL weight 0", fontsize=10)
    return figure


def score_and_rate(results: Sequence[TrialResult]) -> Figure:
    """Gaussian score against KL through training (left) and against coverage at the end (right).

    Left: one mark a history row in which the KL weight is on and the forcing ratio has begun to
    fall. Colour and mark tell the final teacher-forcing ratio.
    """
    with style():
        figure, (left, right) = new_figure(8.6, 3.6, columns=2)
        for result in results:
            ratio = result.config.final_teacher_forcing_ratio
            colour, mark = _look(ratio)
            rows = [r for r in result.history if r["kl_weight"] > 0 and r["kl"] < 20]
            left.plot([r["kl"] for r in rows], [r["gaussian_score"] for r in rows], mark,
                      color=colour, ms=4, alpha=0.6)  # fmt: skip
            right.plot(result.honest.coverage, result.honest.gaussian_score, mark, color=colour,
                       ms=8, label=f"final ratio {ratio:g}")  # fmt: skip
        left.set(xlabel="KL, nats a word", ylabel="Gaussian score", title="through training")
        right.set(xlabel="coverage of the training verbs", title="at the end of training")
        for axes in (left, right):
            axes.set(ylim=(0, 1.06 * axes.get_ylim()[1]), xlim=(0, 1.06 * axes.get_xlim()[1]))
        handles, labels = right.get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        right.legend(unique.values(), unique.keys(), fontsize=10)
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
