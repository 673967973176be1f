"""Figures of notebook 05: parts of BLEU, noise of a score, latent walks, many runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from labkit.data import TENSE_NAMES, Row
from labkit.evaluation import wilson_interval
from labkit.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    SKY,
    TENSE_COLOURS,
    new_figure,
    style,
)
from labkit.trials import TrialResult

_BANDS = ("#e3eff7", "#f6e9d2")  # two pale fills that alternate along a walk

# --- scores --------------------------------------------------------------------------------------


def bleu_parts(words: Sequence[tuple[str, str, Sequence[float], Sequence[int], float]]) -> Figure:
    """The four n-gram precisions behind BLEU-4, one panel a word.

    Each word: (output, target, precisions, matches, BLEU-4). Precisions without a single match
    are hatched: smoothing made them.
    """
    with style():
        figure, panels = new_figure(8.6, 2.9, columns=len(words), sharey=True)
        for axes, (output, target, precisions, matches, score) in zip(panels, words, strict=True):
            bars = axes.bar(range(1, 5), precisions, color=BLUE, width=0.75)
            for bar, matched in zip(bars, matches, strict=True):
                if not matched:
                    bar.set(facecolor="white", edgecolor=RED, hatch="////")
            axes.set_title(f"{output} → {target}\nBLEU-4 {score:.3f}", fontsize=11)
            axes.set(xticks=range(1, 5), ylim=(0, 1.02))
            axes.grid(axis="x", visible=False)
        panels[0].set_ylabel("precision")
        figure.supxlabel("letters in a row, n  (hatched: 0 matches, smoothed to 0.1)", fontsize=11)
    return figure


def sampled_scores(scores: Sequence[float], mean_score: float) -> Figure:
    """How often an evaluation with sampled latents gave which BLEU-4, beside the mean's one."""
    with style():
        figure, axes = new_figure(8, 2.9)
        low = min(*scores, mean_score)
        counts, _, _ = axes.hist(scores, torch.linspace(low - 0.01, 1.0, 31).tolist(), color=ORANGE)
        axes.axvline(mean_score, color=BLUE, linestyle="--")
        axes.annotate(
            f"posterior mean: {mean_score:.3f}, every time", (mean_score, 1), (-6, -12),
            xycoords=("data", "axes fraction"), textcoords="offset points", ha="right", color=BLUE,
        )  # fmt: skip
        axes.set(xlabel="BLEU-4 of the ten pairs", ylabel="evaluations")
        axes.set_ylim(0, 1.35 * float(max(counts)))
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.set_title(f"{len(scores)} evaluations with a sampled latent")
    return figure


def score_intervals(scores: Mapping[str, tuple[float, int]], xlabel: str) -> Figure:
    """Shares with their 95 % intervals, one line each: {name: (share, number of samples)}."""
    with style():
        figure, axes = new_figure(8, 0.9 + 0.38 * len(scores))
        for y, (share, samples) in enumerate(scores.values()):
            low, high = wilson_interval(share * samples, samples)
            axes.plot([low, high], [y, y], color=BLUE, lw=3, solid_capstyle="butt")
            axes.plot(share, y, "o", color=BLACK, ms=7)
            axes.annotate(f"{share:.2f}", (share, y), (0, 6), textcoords="offset points",
                          ha="center", fontsize=10)  # fmt: skip
        axes.set_yticks(range(len(scores)), list(scores))
        axes.set(xlabel=xlabel, ylim=(len(scores) - 0.5, -0.7), xlim=(0, None))
        axes.grid(axis="y", visible=False)
    return figure


def share_bars(shares: Mapping[str, float], xlabel: str) -> Figure:
    """Shares between 0 and 1 as labelled horizontal bars, the first on top."""
    with style():
        figure, axes = new_figure(8, 0.9 + 0.36 * len(shares))
        axes.barh(range(len(shares)), list(shares.values()), color=SKY, height=0.65)
        for y, share in enumerate(shares.values()):
            axes.annotate(f"{share:.3f}", (share, y), (5, 0), textcoords="offset points",
                          va="center")  # fmt: skip
        axes.set_yticks(range(len(shares)), list(shares))
        axes.set(xlabel=xlabel, ylim=(len(shares) - 0.5, -0.5), xlim=(0, 1.12))
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
        axes.grid(axis="y", visible=False)
    return figure


# --- the latent space ----------------------------------------------------------------------------


def latent_map(
    panels: Mapping[str, tuple[Tensor, Tensor]], verbs: Sequence[str], reach: float = 1.0
) -> Figure:
    """Posteriors of every form of some verbs, in a plane: an ellipse of `reach` deviations each.

    panels: {title: (means (4 * verbs, 2), covariances (4 * verbs, 2, 2))}, one a model; the forms
    in the order of the tenses.
    """
    with style():
        figure, grid = new_figure(8.6, 4.6, columns=len(panels))
        for axes, (title, (means, covariances)) in zip(grid, panels.items(), strict=True):
            values, vectors = torch.linalg.eigh(covariances)
            for k, mean in enumerate(means.tolist()):
                height, width = (2 * reach * values[k].sqrt()).tolist()
                angle = math.degrees(math.atan2(*vectors[k, :, 1].flip(0).tolist()))
                colour = TENSE_COLOURS[k % len(TENSE_COLOURS)]
                axes.add_patch(
                    Ellipse(mean, width, height, angle=angle, fc=colour, alpha=0.22, lw=0)
                )
                axes.plot(*mean, "osD^"[k % 4], color=colour, ms=4)
            forms = means.reshape(len(verbs), -1, 2)
            span = float((means.amax(dim=0) - means.amin(dim=0)).max())
            taken = means.clone()  # where no label should lie: on marks, on other labels
            for i, verb in enumerate(verbs):
                axes.plot(*forms[i].T, color="#b0b0b0", lw=0.8, zorder=1)
                up = torch.tensor([0.0, 0.05 * span])
                places = torch.cat([forms[i] + up, forms[i] - up])
                wide = torch.tensor([0.4, 1.0])  # a label is wider than high
                clear = torch.cdist(places * wide, taken * wide).amin(dim=1)
                place = places[clear.argmax()]
                taken = torch.cat([taken, place[None]])
                axes.annotate(verb, place.tolist(), ha="center", va="center", fontsize=10, zorder=5)
            axes.margins(x=0.12)
            axes.set(title=title, xticks=[], yticks=[])
            axes.set_aspect("equal", adjustable="datalim")
        marks = zip("osD^", TENSE_COLOURS, TENSE_NAMES, strict=True)
        handles = [Line2D([], [], marker=m, color=c, ls="", ms=6, label=n) for m, c, n in marks]
        figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _strip(axes: Axes, words: Sequence[str], low: float, high: float, at: float) -> None:
    """A walk as one band: a stretch for each run of equal words, and a mark at the position."""
    step = (high - low) / (len(words) - 1)
    starts = [i for i in range(len(words)) if i == 0 or words[i] != words[i - 1]]
    inches = axes.get_window_extent().width / axes.figure.get_dpi()
    for number, (first, end) in enumerate(zip(starts, [*starts[1:], len(words)], strict=True)):
        left, right = (max(low, low + (i - 0.5) * step) for i in (first, end))
        right = min(right, high)
        axes.axvspan(left, right, color=_BANDS[number % 2], lw=0)
        room = (right - left) / (high - low) * inches
        turned = 90 if room < 0.095 * len(words[first]) + 0.1 else 0
        if room > 0.11:
            axes.text((left + right) / 2, 0.5, words[first], ha="center", va="center", size=10,
                      rotation=turned, clip_on=True, zorder=5)  # fmt: skip
    axes.axvline(at, color=BLACK, lw=2.5, zorder=1)
    axes.set(xlim=(low, high), ylim=(0, 1), yticks=[])
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)


def _four_forms(figure: Figure, row: Row, x: float, top: float, step: float) -> None:
    """The four forms of one latent, big, each beside the name of its tense (shares of the figure).

    Plain text: axes to stand in would take as long to draw as all the rest.
    """
    for k, (name, word, colour) in enumerate(zip(TENSE_NAMES, row, TENSE_COLOURS, strict=True)):
        y = top - step * k
        figure.text(x - 0.015, y, name, ha="right", va="center", size=11, color=GREY)
        figure.text(x + 0.02, y, word, va="center", size=19, color=colour)


def latent_walk(path: Sequence[Row], position: float, start: str, end: str) -> Figure:
    """Where a walk from one verb (0) to another (1) stands: its four forms, and the whole path."""
    with style():
        figure = Figure(figsize=(8, 3.1))
        _four_forms(figure, path[_nearest(position, len(path))], 0.43, 0.915, 0.135)
        axes = figure.add_axes((0.03, 0.1, 0.94, 0.3))
        _strip(axes, [row[0] for row in path], 0, 1, position)
        axes.set_xticks([0, 0.5, 1], [start, "halfway", end])
        axes.get_xticklabels()[0].set_horizontalalignment("left")
        axes.get_xticklabels()[-1].set_horizontalalignment("right")
    return figure


def latent_dimension(
    kl: Tensor, chosen: int, path: Sequence[Row], value: float, low: float, high: float
) -> Figure:
    """One latent dimension moved alone: its place among all, the four forms, the words on the way.

    kl: (2Z,) nats of each dimension.
    """
    order = kl.argsort(descending=True)
    place = int((order == chosen).nonzero())
    position = (value - low) / (high - low)
    with style():
        figure = Figure(figsize=(8, 3.9))
        axes = figure.add_axes((0.08, 0.55, 0.4, 0.38))
        axes.vlines(range(len(kl)), 0, kl[order], color=SKY, lw=2.5)
        axes.vlines(place, 0, kl[chosen], color=BLACK, lw=3)
        axes.set(xlabel="dimension, costliest first", ylabel="KL, nats", ylim=(0, None))
        axes.plot(place, float(kl[chosen]), "v", color=BLACK, ms=7, clip_on=False)
        _four_forms(figure, path[_nearest(position, len(path))], 0.69, 0.905, 0.115)
        strip = figure.add_axes((0.03, 0.12, 0.94, 0.24))
        _strip(strip, [row[0] for row in path], low, high, value)
        strip.set_xlabel(f"value of dimension {chosen}")
    return figure


def _nearest(position: float, count: int) -> int:
    return min(max(round(position * (count - 1)), 0), count - 1)


def temperature_figure(
    temperatures: Sequence[float],
    known: Sequence[float],
    distinct: Sequence[float],
    temperature: float,
    verbs: Sequence[tuple[str, bool]],
) -> Figure:
    """Share of known and of distinct verbs by temperature, and some of the verbs at the chosen one.

    verbs: (simple present, whether all four forms are a row of the training table).
    """
    with style():
        figure = Figure(figsize=(8.4, 3.3))
        axes = figure.add_axes((0.07, 0.16, 0.37, 0.8))
        axes.plot(temperatures, known, color=BLUE)
        axes.plot(temperatures, distinct, color=ORANGE, linestyle="--")
        axes.axvline(temperature, color=BLACK, lw=1.5)
        last = len(temperatures) - 1
        for values, name, colour in ((known, "known", BLUE), (distinct, "distinct", ORANGE)):
            axes.annotate(name, (temperatures[last], values[last]), (14, 0),
                          textcoords="offset points", va="center", color=colour)  # fmt: skip
        axes.set(xlabel="temperature T", ylabel="share of the samples", ylim=(0, 1.03))
        rows = math.ceil(len(verbs) / 2)
        for i, (verb, is_known) in enumerate(verbs):
            text, colour = (f"✓ {verb}", GREEN) if is_known else (f"·  {verb}", GREY)
            x, y = 0.54 + 0.23 * (i // rows), 0.93 - 0.93 * (i % rows) / rows
            figure.text(x, y, text, size=11, color=colour, va="center")
    return figure


# --- many runs -----------------------------------------------------------------------------------


def price_of_generation(results: Sequence[TrialResult]) -> Figure:
    """Gaussian score against exact match on held-out verbs at the end of training, a mark a run."""
    names = dict.fromkeys(result.name for result in results)
    marks = zip(names, (BLUE, ORANGE, GREEN, RED, BLACK), "osD^*", strict=False)
    looks = {name: (colour, mark) for name, colour, mark in marks}
    with style():
        figure, axes = new_figure(8, 3.6)
        for result in results:
            if result.honest.heldout_exact_match is not None:
                colour, mark = looks[result.name]
                axes.plot(result.honest.heldout_exact_match, result.honest.gaussian_score, mark,
                          color=colour, ms=8, alpha=0.8, label=result.name)  # fmt: skip
        axes.set(xlabel="exact match, held-out verbs", ylabel="Gaussian score")
        axes.set(xlim=(0, 1.1 * axes.get_xlim()[1]), ylim=(0, 1.1 * axes.get_ylim()[1]))
        handles, labels = axes.get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        figure.legend(unique.values(), unique.keys(), loc="outside right upper", fontsize=10)
    return figure
