"""Figures of notebook 01: toy posteriors, the bound, Gaussian KL, gradient estimators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from labkit.losses import kl_to_standard_normal
from labkit.plots.style import BLACK, BLUE, GREY, ORANGE, RED, SKY, label_line, new_figure, style


@style()
def posterior_figure(z: Tensor, prior: Tensor, posterior: Tensor, words: Sequence[str]) -> Figure:
    """Exact posteriors (C, K, X) of every word in every tense, over the prior's outline (K,)."""
    tenses = len(posterior)
    figure, axes = new_figure(8.6, 4.2, tenses, len(words), sharex=True, sharey=True)
    for c in range(tenses):
        for x, word in enumerate(words):
            ax = axes[c, x]
            ax.bar(z.tolist(), posterior[c, :, x].tolist(), color=SKY, width=0.8)
            ax.step(z, prior, where="mid", color=BLACK, linewidth=1.3, linestyle="--")
            ax.set_title(f"“{word}”, c = {c}")
    axes[0, 1].annotate("prior", (0, 0.4), (0, 4), textcoords="offset points", ha="center")
    figure.supxlabel("z", fontsize=11)
    figure.supylabel("probability", fontsize=11)
    return figure


def _fix_axes(figure: Figure, left: Axes, right: Axes, right_start: float) -> None:
    """Fixed places for two axes: nothing jumps while a slider moves, and drawing is quicker."""
    figure.set_layout_engine("none")
    left.set_position((0.075, 0.16, 0.395, 0.73))
    right.set_position((right_start, 0.16, 0.98 - right_start, 0.73))


def _bars(ax: Axes, z: Tensor, q: Tensor, posterior: Tensor) -> None:
    """q beside the exact posterior, hatched; all (K,)."""
    ax.bar((z - 0.2).tolist(), q.tolist(), 0.4, color=BLUE, label="q(z | x, c)")
    ax.bar(
        (z + 0.2).tolist(), posterior.tolist(), 0.4, color=ORANGE, hatch="//", label="p(z | x, c)"
    )
    ax.set_xlabel("z")


@style()
def best_bell_figure(
    z: Tensor, bells: Sequence[Tensor], posteriors: Sequence[Tensor], words: Sequence[str]
) -> Figure:
    """For each word the bell nearest to its exact posterior, side by side: tensors of (K,)."""
    figure, axes = new_figure(8.6, 3.2, 1, len(words), sharey=True)
    for ax, q, posterior, word in zip(axes, bells, posteriors, words, strict=True):
        _bars(ax, z, q, posterior)
        ax.set_title(f"“{word}”, c = 0")
    axes[0].set_ylabel("probability")
    axes[-1].legend(loc="upper right")
    return figure


@style()
def bound_figure(
    z: Tensor, q: Tensor, posterior: Tensor, elbo: float, gap: float, title: str
) -> Figure:
    """q beside the exact posterior (both (K,)), and ELBO + gap = log p as three bars, in nats."""
    evidence = elbo + gap
    figure, (left, right) = new_figure(8.6, 3.2, 1, 2)
    _bars(left, z, q, posterior)
    left.set(ylabel="probability", ylim=(0, 1.05), title=title)
    left.legend(loc="upper left" if float(q @ z) > 0 else "upper right")
    for height, start, width, colour in (
        (2, 0.0, elbo, BLUE),
        (1, elbo, gap, RED),
        (0, 0.0, evidence, BLACK),
    ):
        right.barh(height, width, left=start, color=colour, height=0.55)
        right.annotate(
            f"{width:.3f}".replace("-", "−"),
            (min(start, start + width), height),
            (-5, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            color=colour,
        )
    right.axvline(evidence, color=BLACK, linestyle=":", linewidth=1.5)
    right.set_yticks((2, 1, 0), ("ELBO", "KL(q ‖ posterior)", "their sum"))
    right.set(xlim=(-17, 0), xlabel="nats", title="line (4)")
    right.set_xticks((-15, -10, -5, 0))
    right.grid(axis="y", visible=False)
    _fix_axes(figure, left, right, 0.66)
    return figure


@style()
def gaussian_kl_figure(mean: float, log_var: float) -> Figure:
    """The densities q and p of one dimension, and where (mean, log_var) lies on the KL's map."""
    x = torch.linspace(-5, 5, 401)
    spread = torch.tensor(log_var / 2).exp()
    q, p = (torch.distributions.Normal(m, s).log_prob(x).exp() for m, s in ((mean, spread), (0, 1)))
    means, log_vars = torch.meshgrid(
        torch.linspace(-3, 3, 61), torch.linspace(-6, 2, 61), indexing="xy"
    )
    surface = kl_to_standard_normal(means.reshape(-1, 1), log_vars.reshape(-1, 1))
    figure, (left, right) = new_figure(8.6, 3.4, 1, 2)
    left.fill_between(x, q, color=BLUE, alpha=0.3)
    left.plot(x, q, color=BLUE, label="q")
    left.plot(x, p, color=BLACK, linestyle="--", label="prior p")
    left.legend(loc="upper right" if mean < 0.5 else "upper left")
    left.set(xlabel="z (one dimension)", ylabel="density", ylim=(0, max(0.5, 1.1 * float(q.max()))))
    lines = right.contour(
        means,
        log_vars,
        surface.reshape(means.shape),
        levels=[0.1, 0.5, 1, 2, 3, 5],
        colors=GREY,
        linewidths=1,
    )
    right.clabel(lines, fontsize=10, fmt="%g")
    right.plot(0, 0, "+", color=BLACK, markersize=12, markeredgewidth=2)
    right.plot(mean, log_var, "o", color=BLUE, markersize=11, clip_on=False)
    right.set(xlabel="mean μ", ylabel="log σ²", title="KL(q ‖ p), in nats")
    right.grid(visible=False)
    _fix_axes(figure, left, right, 0.56)
    return figure


@style()
def monte_carlo_figure(counts: Tensor, estimates: Tensor, errors: Tensor, exact: float) -> Figure:
    """Monte Carlo estimates of a KL with their standard errors, against the exact value.

    counts, estimates, errors: (N,), one for each number of samples.
    """
    figure, (left, right) = new_figure(8.6, 3.3, 1, 2)
    left.axhline(exact, color=BLACK, linestyle="--")
    left.annotate(
        "closed form", (counts[-1], exact), (0, -18), textcoords="offset points", ha="right"
    )
    left.errorbar(counts, estimates, errors, color=BLUE, fmt="o", capsize=4)
    left.set(xscale="log", xlabel="samples n", ylabel="KL, nats", title="estimate ± std. error")
    right.plot(counts, errors, "o", color=BLUE)
    guide = errors[-1] * (counts[-1] / counts) ** 0.5
    right.plot(counts, guide, color=RED, linestyle="--")
    label_line(right, float(counts[1]), float(guide[1]) * 1.5, "slope of 1/√n", RED)
    right.set(xscale="log", yscale="log", xlabel="samples n", ylabel="nats")
    right.set_title("standard error")
    return figure


@style()
def gradient_figure(
    pathwise: Tensor,
    score: Tensor,
    exact: float,
    dimensions: Sequence[int],
    spreads: tuple[Sequence[float], Sequence[float]],
) -> Figure:
    """Two unbiased gradient estimators: one-sample estimates (N,) each, and their standard
    deviations (pathwise, score) against the number of latent dimensions."""
    figure, (left, right) = new_figure(8.6, 3.5, 1, 2, width_ratios=(5, 4))
    bins = torch.linspace(-4, 20, 73).tolist()
    left.hist(score, bins, density=True, color=RED, alpha=0.6)
    left.hist(pathwise, bins, density=True, color=BLUE, alpha=0.6, hatch="//")
    left.axvline(exact, color=BLACK, linestyle="--", linewidth=1.5)
    top = left.get_ylim()[1]
    left.annotate(
        f"true gradient {exact:g}", (exact, top), (7, -10), va="top", textcoords="offset points"
    )
    left.annotate("reparameterised", (exact + 1.5, top * 0.55), color=BLUE)
    left.annotate("score function", (7, top * 0.16), color=RED)
    left.set(xlabel="one-sample estimate of the gradient", ylabel="density")
    left.set_title("one latent dimension")
    for values, colour, mark in zip(spreads, (BLUE, RED), ("o-", "s--"), strict=True):
        right.plot(dimensions, values, mark, color=colour)
    beside: dict[str, Any] = {"textcoords": "offset points", "ha": "center"}
    at = dimensions[3]
    right.annotate("reparameterised", (at, spreads[0][3]), (0, 10), color=BLUE, **beside)
    right.annotate("score function", (at, spreads[1][3]), (-35, 12), color=RED, **beside)
    right.set(xscale="log", yscale="log", xlabel="latent dimensions", title="noise")
    right.set_xticks(dimensions, [str(d) for d in dimensions])
    right.minorticks_off()
    right.set_ylabel("std. deviation of an estimate")
    return figure
