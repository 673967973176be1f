"""Figures of notebook 05: parts of BLEU, noise of a score, many runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from labkit.measures.generation import wilson_interval
from labkit.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    SKY,
    new_figure,
    style,
)
from labkit.sweeps import TrialResult, by_name

UNSEEN = "unseen_exact_match"  # the measure of verbs never seen: of the list that may choose

# --- scores --------------------------------------------------------------------------------------


@style()
def bleu_parts_figure(
    words: Sequence[tuple[str, str, Sequence[float], Sequence[int], float]],
) -> Figure:
    """The four n-gram precisions behind BLEU-4, one panel a word.

    Each word: (output, target, precisions, matches, BLEU-4). Precisions without a single match
    are hatched: smoothing made them.
    """
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


@style()
def sampled_scores_figure(scores: Sequence[float], mean_score: float) -> Figure:
    """How often an evaluation with sampled latents gave which BLEU-4, beside the mean's one."""
    figure, axes = new_figure(8, 2.9)
    low = min(*scores, mean_score)
    counts, _, _ = axes.hist(scores, torch.linspace(low - 0.01, 1.0, 31).tolist(), color=ORANGE)
    axes.axvline(mean_score, color=BLUE, linestyle="--")
    axes.annotate(
        f"posterior mean: {mean_score:.3f}, every time",
        (mean_score, 1),
        (-6, -12),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="right",
        color=BLUE,
    )
    axes.set(xlabel="BLEU-4 of the ten pairs", ylabel="evaluations")
    axes.set_ylim(0, 1.35 * float(max(counts)))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.set_title(f"{len(scores)} evaluations with a sampled latent")
    return figure


@style()
def score_intervals_figure(scores: Mapping[str, tuple[float, int]], xlabel: str) -> Figure:
    """Shares with their 95 % intervals, one line each: {name: (share, number of samples)}."""
    figure, axes = new_figure(8, 0.9 + 0.38 * len(scores))
    for y, (share, samples) in enumerate(scores.values()):
        low, high = wilson_interval(share * samples, samples)
        axes.plot([low, high], [y, y], color=BLUE, lw=3, solid_capstyle="butt")
        axes.plot(share, y, "o", color=BLACK, ms=7)
        axes.annotate(
            f"{share:.2f}", (share, y), (0, 6), textcoords="offset points", ha="center", fontsize=10
        )
    axes.set_yticks(range(len(scores)), list(scores))
    axes.set(xlabel=xlabel, ylim=(len(scores) - 0.5, -0.7), xlim=(0, None))
    axes.grid(axis="y", visible=False)
    return figure


@style()
def share_bars_figure(shares: Mapping[str, float], xlabel: str) -> Figure:
    """Shares between 0 and 1 as labelled horizontal bars, the first on top."""
    figure, axes = new_figure(8, 0.9 + 0.36 * len(shares))
    axes.barh(range(len(shares)), list(shares.values()), color=SKY, height=0.65)
    for y, share in enumerate(shares.values()):
        axes.annotate(f"{share:.3f}", (share, y), (5, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(shares)), list(shares))
    axes.set(xlabel=xlabel, ylim=(len(shares) - 0.5, -0.5), xlim=(0, 1.12))
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.grid(axis="y", visible=False)
    return figure


# --- many runs -----------------------------------------------------------------------------------


@style()
def price_of_generation_figure(
    results: Sequence[TrialResult],
    models: Mapping[str, tuple[float, float]] | None = None,
    rules: float | None = None,
) -> Figure:
    """Gaussian score against exact match on unseen verbs at the end of training, a mark a run.

    models: further points by name, (exact match, Gaussian score).  rules: the exact match of rules
    that need no model, a line.
    """
    looks = cycle(zip((BLUE, ORANGE, GREEN, RED, BLACK), "osD^*", strict=True))
    figure, axes = new_figure(8, 3.6)
    for (name, group), (colour, mark) in zip(by_name(results).items(), looks, strict=False):
        for result in group:
            exact = result.honest.get(UNSEEN)
            if exact is not None:
                score = result.honest["gaussian_score"]
                axes.plot(exact, score, mark, color=colour, ms=8, alpha=0.8, label=name)
    height = 7
    for name, (exact, score) in (models or {}).items():
        axes.plot(exact, score, "P", color=BLACK, ms=11)
        right = exact > 0.5  # there a name stands to the left, each above the one before
        height += 16 if right else 0
        axes.annotate(
            name,
            (exact, score),
            (-9 if right else 9, height),
            textcoords="offset points",
            ha="right" if right else "left",
        )
    if rules is not None:
        axes.axvline(rules, color=GREY, linestyle="--", label="suffix rules")
    axes.set(xlabel="exact match, verbs never seen", ylabel="Gaussian score")
    end = 1.0 if models else 1.1 * axes.get_xlim()[1]
    axes.set(xlim=(-0.01 * end, end), ylim=(-0.01, 1.1 * axes.get_ylim()[1]))
    handles, labels = axes.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    figure.legend(unique.values(), unique.keys(), loc="outside right upper", fontsize=10)
    return figure


# --- conversions taken apart ---------------------------------------------------------------------


@style()
def by_forms_figure(
    tables: Mapping[str, Sequence[Sequence[float]]], codes: Sequence[str]
) -> Figure:
    """Share right from each form (row) to each form (column), a square a converter."""
    figure, panels = new_figure(8.6, 2.9, columns=len(tables))
    panels = [panels] if len(tables) == 1 else panels
    for axes, (name, shares) in zip(panels, tables.items(), strict=True):
        axes.imshow(torch.tensor(shares), cmap="cividis", vmin=0, vmax=1)
        for i, row in enumerate(shares):
            for j, share in enumerate(row):
                text = "" if share != share else f"{share:.2f}".removeprefix("0")
                colour = "white" if share < 0.6 else BLACK
                axes.text(j, i, text, ha="center", va="center", color=colour, fontsize=11)
        axes.set_title(name, fontsize=11)
        axes.set_xticks(range(len(codes)), codes)
        axes.set_yticks(range(len(codes)), codes if axes is panels[0] else [""] * len(codes))
        axes.grid(visible=False)
    panels[0].set_ylabel("from")
    figure.supxlabel("to", fontsize=11)
    return figure


@style()
def seen_unseen_figure(shares: Mapping[str, Mapping[str, float]]) -> Figure:
    """Shares right, a line for each converter and a mark for each kind of verbs."""
    figure, axes = new_figure(8.6, 0.9 + 0.42 * len(shares))
    looks = zip((BLUE, GREEN, ORANGE, RED), "osD^", strict=True)
    kinds = list(next(iter(shares.values())))
    for kind, (colour, mark) in zip(kinds, looks, strict=False):
        values = [found[kind] for found in shares.values()]
        axes.plot(values, range(len(shares)), mark, color=colour, ms=9, alpha=0.85, label=kind)
    axes.set_yticks(range(len(shares)), list(shares))
    axes.set(xlim=(-0.03, 1.03), ylim=(len(shares) - 0.5, -0.5))
    axes.set_xlabel("share of all 12 conversions that are right")
    figure.legend(loc="outside upper center", ncols=len(kinds), fontsize=10)
    return figure


@style()
def pair_share_figure(rows: Sequence[Mapping[str, float]], kinds: Mapping[str, str]) -> Figure:
    """What conversions shown in training buy: a line for each kind, a mark for each run.

    rows: runs, with `pair_share` and the columns of kinds.  kinds: column -> its name.
    """
    figure, axes = new_figure(8.6, 3.6)
    shares = sorted({row["pair_share"] for row in rows})
    looks = zip((BLUE, SKY, GREEN, ORANGE, RED), "osD^v", strict=True)
    for (column, name), (colour, mark) in zip(kinds.items(), looks, strict=False):
        groups = [[row[column] for row in rows if row["pair_share"] == share] for share in shares]
        means = [sum(group) / len(group) for group in groups]
        axes.plot(range(len(shares)), means, color=colour, label=name, lw=2)
        for place, group in enumerate(groups):
            axes.plot([place] * len(group), group, mark, color=colour, ms=7, alpha=0.7)
    axes.set_xticks(range(len(shares)), [f"{100 * share:g} %" for share in shares])
    axes.set(
        xlabel="share of training words that are conversions", ylabel="share", ylim=(-0.03, 1.03)
    )
    figure.legend(loc="outside right upper", fontsize=10)
    return figure
