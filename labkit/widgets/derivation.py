"""Panels of notebook 01: drag q on the toy model, and drag a Gaussian's mean and log variance."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from labkit import toy
from labkit.losses import kl_to_standard_normal
from labkit.plots.derivation import bound_figure, gaussian_kl_figure
from labkit.widgets.panel import Panel, dropdown, float_slider


def bound_panel(z: Tensor, prior: Tensor, likelihood: Tensor, words: Sequence[str]) -> Panel:
    """A bell-shaped q against the exact posterior of a word: ELBO + KL stays put.

    z, prior: (K,).  likelihood: (C, K, X), p(x | z, c).  words: the X words.
    """

    def draw(x: int, c: int, mean: float, width: float) -> tuple[Figure, str]:
        joint = prior * likelihood[c, :, x]
        q, posterior = toy.bell(z, mean, width), joint / joint.sum()
        bound, gap = float(toy.elbo(q, prior, likelihood[c, :, x])), float(toy.kl(q, posterior))
        figure = bound_figure(z, q, posterior, bound, gap, f"“{words[x]}”, c = {c}")
        return figure, (
            f"“{words[x]}”, c = {c}: ELBO {bound:.3f} + KL {gap:.3f} = {bound + gap:.3f} nats; "
            f"log p(x | c), summed exactly, is {float(joint.sum().log()):.3f}."
        ).replace("-", "−")

    controls = {
        "x": dropdown("word x", [(word, x) for x, word in enumerate(words)], 0),
        "c": dropdown("tense c", [(str(c), c) for c in range(len(likelihood))], 0),
        "mean": float_slider("mean of q", 1.5, -3, 3, 0.1),
        "width": float_slider("width of q", 1.0, 0.3, 3, 0.1),
    }
    return Panel(draw, controls)


def gaussian_kl_panel() -> Panel:
    """Mean and log variance of one latent dimension, against the KL that they cost."""

    def draw(mean: float, log_var: float) -> tuple[Figure, str]:
        for_mean = mean**2 / 2
        for_width = float(kl_to_standard_normal(torch.zeros(1, 1), torch.full((1, 1), log_var)))
        sigma = torch.tensor(log_var / 2).exp()
        return gaussian_kl_figure(mean, log_var), (
            f"μ = {mean:.2f}, log σ² = {log_var:.2f} (σ = {sigma:.2f}): KL = "
            f"{for_mean + for_width:.2f} nats, {for_mean:.2f} of them for the mean and "
            f"{for_width:.2f} for the width."
        ).replace("-", "−")

    controls = {
        "mean": float_slider("mean μ", 1.0, -3, 3, 0.1),
        "log_var": float_slider("log variance log σ²", -2.0, -6, 2, 0.1),
    }
    return Panel(draw, controls)
