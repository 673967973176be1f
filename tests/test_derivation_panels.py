"""The toy model, figures and panels of notebook 01."""

from __future__ import annotations

import re

import pytest
import torch

from labkit import toy
from labkit.plots.derivation import (
    best_bell_figure,
    gradient_figure,
    monte_carlo_figure,
    posterior_figure,
)
from labkit.plots.style import png
from labkit.widgets.derivation import bound_panel, gaussian_kl_panel
from labkit.widgets.panel import Panel

pytestmark = pytest.mark.slow

Z = torch.arange(-3.0, 4.0, dtype=torch.float64)
PRIOR = toy.bell(Z, 0.0, 1.0)
LIKELIHOOD = torch.softmax(
    torch.randn(2, 7, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64), dim=2
)
WORDS = ("aa", "ab", "ba", "bb")
NUMBER = r"[-−]?\d+\.\d+"


def numbers(panel: Panel) -> list[float]:
    return [float(text.replace("−", "-")) for text in re.findall(NUMBER, panel.text)]


@pytest.mark.parametrize("seed", range(5))
def test_elbo_and_gap_sum_to_the_evidence(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    q = torch.softmax(torch.randn(7, generator=generator, dtype=torch.float64), dim=0)
    for c in range(2):
        for x in range(4):
            joint = PRIOR * LIKELIHOOD[c, :, x]
            gap = toy.kl(q, joint / joint.sum())
            assert gap >= 0
            total = toy.elbo(q, PRIOR, LIKELIHOOD[c, :, x]) + gap
            torch.testing.assert_close(total, joint.sum().log())


def test_the_toy_kl_is_that_of_torch_and_minds_zeros() -> None:
    q, p = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.2, 0.3, 0.5])
    oracle = torch.distributions.kl_divergence(
        torch.distributions.Categorical(q), torch.distributions.Categorical(p)
    )
    torch.testing.assert_close(toy.kl(q, p), oracle)
    assert toy.kl(p, q) == float("inf")


@pytest.mark.parametrize(("control", "value"), [("mean", -2.0), ("width", 0.4)])
def test_dragging_q_moves_elbo_and_kl_but_not_their_sum(control: str, value: float) -> None:
    panel = bound_panel(Z, PRIOR, LIKELIHOOD, WORDS)
    picture, (elbo, gap, total, exact) = panel.image.value, numbers(panel)
    assert total == exact
    panel.controls[control].value = value
    assert panel.image.value != picture
    moved_elbo, moved_gap, *rest = numbers(panel)
    assert moved_elbo != elbo
    assert moved_gap != gap
    assert rest == [total, exact]


def test_another_word_or_tense_is_another_evidence() -> None:
    panel = bound_panel(Z, PRIOR, LIKELIHOOD, WORDS)
    first = numbers(panel)[3]
    panel.controls["x"].value = 3
    assert "“bb”, c = 0" in panel.text
    panel.controls["c"].value = 1
    assert "“bb”, c = 1" in panel.text
    assert numbers(panel)[3] == round(float((PRIOR * LIKELIHOOD[1, :, 3]).sum().log()), 3)
    assert numbers(panel)[3] != first


def test_the_gaussian_panel_splits_the_kl() -> None:
    panel = gaussian_kl_panel()
    for mean, log_var in ((0.0, 0.0), (2.0, 0.0), (0.0, -4.0), (-3.0, 2.0), (3.0, -6.0)):
        panel.controls["mean"].value, panel.controls["log_var"].value = mean, log_var
        sigma = torch.tensor(log_var / 2).exp()
        oracle = torch.distributions.kl_divergence(
            torch.distributions.Normal(mean, sigma), torch.distributions.Normal(0.0, 1.0)
        )
        *_, kl, for_mean, for_width = numbers(panel)
        assert kl == pytest.approx(float(oracle), abs=0.006)
        assert for_mean + for_width == pytest.approx(kl, abs=0.011)


def test_the_other_figures_draw() -> None:
    posterior = LIKELIHOOD / LIKELIHOOD.sum(dim=1, keepdim=True)
    counts, values = torch.tensor([10, 100]), torch.tensor([0.9, 1.0])
    dimensions = (1, 2, 4, 8)
    for figure in (
        posterior_figure(Z, PRIOR, posterior, WORDS),
        best_bell_figure(Z, [PRIOR, PRIOR], [posterior[0, :, 0], posterior[0, :, 1]], WORDS[:2]),
        monte_carlo_figure(counts, values, values / 10, 1.0),
        gradient_figure(
            torch.randn(100), torch.randn(100), 2.0, dimensions, (dimensions, dimensions)
        ),
    ):
        assert png(figure).startswith(b"\x89PNG")
