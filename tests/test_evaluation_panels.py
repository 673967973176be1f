"""What notebooks 05 and 06 draw and measure: latents, figures, slider panels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from matplotlib.figure import Figure

from labkit import inference
from labkit.language import SOS
from labkit.losses import kl_to_standard_normal
from labkit.measures import latent
from labkit.measures.catalogue import Scores
from labkit.model import CVAE, Posterior, new_model
from labkit.plots import evaluation as figures
from labkit.plots import open_lab
from labkit.plots.latent import latent_map_figure
from labkit.plots.style import png
from labkit.recipes import fast_report
from labkit.runs import HistoryRow
from labkit.sweeps import TrialResult
from labkit.tables import load_tables
from labkit.widgets.evaluation import dimension_panel, temperature_panel, walk_panel
from labkit.widgets.panel import Panel

pytestmark = pytest.mark.slow

ROWS = load_tables().train[:12]
VERBS = [row[0] for row in ROWS]


@pytest.fixture(scope="module")
def model() -> CVAE:
    """An untrained model whose posteriors differ from word to word."""
    model = new_model(3)
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(3)
        model.decoder.output.bias[SOS] = -1e9
    return model


# --- what latents keep


def test_kl_per_dimension_adds_up_to_the_kl_of_the_loss(model: CVAE) -> None:
    posterior = latent.posterior_of_table(model, ROWS)
    whole = kl_to_standard_normal(posterior.mean, posterior.log_var).mean()
    torch.testing.assert_close(latent.kl_per_dimension(posterior).sum(), whole)


def test_posteriors_of_a_table_are_those_of_its_words_in_order(model: CVAE) -> None:
    posterior = latent.posterior_of_table(model, ROWS)
    alone = inference.encode(model, [ROWS[5][2]], [2])
    torch.testing.assert_close(posterior.mean[4 * 5 + 2], alone.mean[0], rtol=1e-4, atol=1e-5)


def test_a_unit_is_active_if_its_mean_moves() -> None:
    mean = torch.zeros(100, 3)
    mean[:, 1] = torch.linspace(-1, 1, 100)
    mean[:, 2] = torch.linspace(-0.1, 0.1, 100)  # variance 0.003
    posterior = Posterior(mean, torch.zeros(100, 3))
    assert latent.active_units(posterior).tolist() == [False, True, False]


def test_the_aggregated_posterior_has_the_moments_of_the_mixture() -> None:
    mean = torch.tensor([[-2.0], [4.0], [1.0]])
    log_var = torch.tensor([[0.0], [1.0], [-1.0]])
    generator = torch.Generator().manual_seed(0)
    z = latent.sample_aggregated(Posterior(mean, log_var), 200_000, generator)
    assert z.shape == (200_000, 1)
    assert float(z.mean()) == pytest.approx(1.0, abs=0.02)
    variance = float(log_var.exp().mean() + mean.var(correction=0))
    assert float(z.var()) == pytest.approx(variance, rel=0.01)


def test_the_probe_reads_a_tense_that_is_there_and_guesses_one_that_is_not() -> None:
    noise = torch.randn(800, 8, generator=torch.Generator().manual_seed(0))
    assert latent.tense_probe(noise) == pytest.approx(0.25, abs=0.08)
    written = noise.clone()
    written[:, :4] += 5 * torch.eye(4).repeat(200, 1)
    assert latent.tense_probe(written) > 0.95


def test_completing_nothing_is_decoding(model: CVAE) -> None:
    z = inference.encode(model, VERBS, [0] * len(VERBS)).mean
    alone = [latent.complete(model, z[k : k + 1], 2) for k in range(len(VERBS))]
    assert alone == inference.decode(model, z, [2] * len(VERBS))


def test_completing_keeps_the_prefix_and_the_limit(model: CVAE) -> None:
    word = latent.complete(model, torch.zeros(1, 64), 0, "quar", max_length=6)
    assert word.startswith("quar")
    assert len(word) <= 6
    assert latent.complete(model, torch.zeros(1, 64), 0, "quar", max_length=4) == "quar"


def test_completing_what_it_would_have_written_changes_nothing(model: CVAE) -> None:
    z = torch.randn(1, 64, generator=torch.Generator().manual_seed(1))
    [free] = inference.decode(model, z, [0], 8)
    assert latent.complete(model, z, 0, free[:2], 8) == free


# --- panels


PANELS: dict[str, Callable[[CVAE], Panel]] = {
    "walk": lambda model: walk_panel(model, VERBS, VERBS[0], VERBS[4]),
    "dimension": lambda model: dimension_panel(model, ROWS, VERBS[:3]),
    "temperature": lambda model: temperature_panel(model, ROWS, samples=10),
}


@pytest.mark.parametrize("name", PANELS)
def test_every_control_redraws_the_image_and_its_text(name: str, model: CVAE) -> None:
    panel = PANELS[name](model)
    for control in panel.controls.values():
        for value in _other_values(control):
            image, text = panel.image.value, panel.text
            control.value = value
            assert panel.image.value != image
            assert panel.text != text
            assert repr(panel).endswith(panel.text)


def _other_values(control: object) -> list[object]:
    if hasattr(control, "options"):
        options = [o[1] if isinstance(o, tuple) else o for o in control.options]
        return [options[-1]]
    return [getattr(control, "min"), getattr(control, "max")]  # noqa: B009


def test_a_walk_begins_and_ends_where_it_should(model: CVAE) -> None:
    panel = walk_panel(model, VERBS, VERBS[0], VERBS[4])
    for position, verb in ((0.0, VERBS[0]), (1.0, VERBS[4])):
        panel.controls["position"].value = position
        z = inference.encode(model, [verb], [0]).mean
        [row] = inference.decode_all_tenses(model, z)
        assert ", ".join(row) in panel.text


def test_one_dimension_moves_and_the_others_stay(model: CVAE) -> None:
    panel = dimension_panel(model, ROWS, VERBS[:3])
    base = inference.encode(model, [VERBS[0]], [0]).mean
    panel.controls["value"].value = 3.0
    changed = 0
    for _, dimension in panel.controls["dimension"].options:
        panel.controls["dimension"].value = dimension
        z = base.clone()
        z[0, dimension] = 3.0
        [moved], [still] = (inference.decode_all_tenses(model, one) for one in (z, base))
        assert ", ".join(moved) in panel.text
        changed += moved != still
    assert changed


def test_the_temperature_of_the_prior_is_the_gaussian_score(model: CVAE) -> None:
    panel = temperature_panel(model, ROWS, samples=10, seed=4)
    rows = inference.generate(model, 10, torch.Generator().manual_seed(4))
    assert f"{len(set(rows)) / 10:.0%} are different" in panel.text


# --- figures


@pytest.fixture(scope="module")
def results() -> list[TrialResult]:
    """Two trials of two seeds, made up."""
    scores: Scores = {
        "gaussian_score": 0.3,
        "coverage": 0.3,
        "unseen_exact_match": 0.1,
        "kl": 8.0,
        "nll": 1.0,
    }
    made = []
    for ratio, name in ((0.4, "ratio 0.4, 2 cycles"), (0.8, "ratio 0.8, 2 cycles")):
        config = fast_report(ratio, 2, epochs=10)
        history = [
            HistoryRow(
                step=75 * (e + 1),
                epoch=e,
                cross_entropy=1.0 / (e + 1),
                nll=8.0 / (e + 1),
                kl=6.0 + e,
                kl_weight=config.kl_weight(e),
                teacher_forcing_ratio=config.teacher_forcing_ratio(e),
                learning_rate=0.001,
                bleu4=0.09 * e,
                exact_match=0.05 * e,
                bleu4_report=0.05 * e,
                gaussian_score=0.03 * e,
                seconds=1.0 * e,
            )
            for e in range(10)
        ]
        for seed in (0, 1):
            own = replace(config, seed=seed)
            made.append(TrialResult(name, seed, own, history, {"honest": scores}, seconds=1.0))
    return made


def test_every_figure_draws(results: list[TrialResult]) -> None:
    shares = {"one": 0.3, "two": 0.9}
    means, spread = torch.randn(8, 2), torch.eye(2).repeat(8, 1, 1) / 4
    drawn = [
        figures.bleu_parts_figure([("go", "go", [1, 1, 0.1, 0.1], [2, 1, 0, 0], 0.316)] * 2),
        figures.sampled_scores_figure([0.5, 0.6, 0.6], 0.9),
        figures.score_intervals_figure({"one": (0.3, 100), "two": (0.0, 10)}, "score"),
        figures.share_bars_figure(shares, "share"),
        latent_map_figure({"a": (means, spread), "b": (means, spread)}, ["go", "be"]),
        figures.price_of_generation_figure(results),
        open_lab.two_measures_figure(results, characters=8.3),
        open_lab.around_the_restart_figure(results),
        open_lab.score_and_rate_figure(results),
        open_lab.compare_seeds_figure({"a": [0.1, 0.2], "b": [0.3]}, "Gaussian score"),
    ]
    for figure in drawn:
        assert isinstance(figure, Figure)
        assert png(figure, sharpness=0.5).startswith(b"\x89PNG")


def test_ellipses_lie_where_the_covariance_says() -> None:
    """A long thin posterior along the diagonal: the ellipse must be turned by 45 degrees."""
    along = torch.tensor([[1.0, 0.99], [0.99, 1.0]]).repeat(4, 1, 1)
    figure = latent_map_figure({"one": (torch.zeros(4, 2), along)}, ["go"])
    ellipse = figure.axes[0].patches[0]
    assert ellipse.width == pytest.approx(2 * math.sqrt(1.99))  # type: ignore[attr-defined]
    assert ellipse.height == pytest.approx(2 * math.sqrt(0.01), abs=1e-3)  # type: ignore[attr-defined]
    assert ellipse.angle % 180 == pytest.approx(45)  # type: ignore[attr-defined]
