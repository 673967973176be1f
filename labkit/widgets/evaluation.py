"""Slider panels of notebook 05: a walk between verbs, one latent dimension, temperature.

Each decodes a whole path at once and keeps it, so that moving a slider only draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from matplotlib.figure import Figure

from labkit.data import Row
from labkit.diagnostics import active_units, kl_per_dimension, posterior_of_table
from labkit.inference import decode_all_tenses, encode, interpolate
from labkit.model import CVAE
from labkit.plots.evaluation import latent_dimension, latent_walk, temperature_figure
from labkit.widgets.panel import Panel, dropdown, float_slider

STEPS = 50  # of a walk: one more positions
_REACH = 3.0  # how far a single dimension moves, in standard deviations of the prior


def walk_panel(model: CVAE, verbs: Sequence[str], start: str, end: str) -> Panel:
    """A straight walk from the posterior mean of one verb (simple present) to that of another."""

    @cache
    def path(first: str, last: str) -> list[Row]:
        ends = encode(model, [first, last], [0, 0]).mean
        return decode_all_tenses(model, interpolate(ends[0], ends[1], STEPS + 1))

    def draw(first: str, last: str, position: float) -> tuple[Figure, str]:
        rows = path(first, last)
        here = rows[round(position * STEPS)]
        count = len({row[0] for row in rows})
        text = (
            f"{position:.0%} of the way from {first} to {last}: {', '.join(here)}. "
            f"The walk meets {count} different words."
        )
        return latent_walk(rows, position, first, last), text

    return Panel(
        draw,
        {
            "first": dropdown("from", list(verbs), start),
            "last": dropdown("to", list(verbs), end),
            "position": float_slider("position", 0.3, 0.0, 1.0, 1 / STEPS),
        },
    )


def dimension_panel(model: CVAE, rows: Sequence[Row], verbs: Sequence[str]) -> Panel:
    """One number of a verb's latent moved from -3 to 3 while the other 63 stay."""
    posterior = posterior_of_table(model, rows)
    kl = kl_per_dimension(posterior)
    active = int(active_units(posterior).sum())
    order = kl.argsort(descending=True).tolist()
    values = torch.linspace(-_REACH, _REACH, STEPS + 1)

    @cache
    def path(verb: str, dimension: int) -> list[Row]:
        z = encode(model, [verb], [0]).mean.repeat(len(values), 1)
        z[:, dimension] = values
        return decode_all_tenses(model, z)

    def draw(verb: str, dimension: int, value: float) -> tuple[Figure, str]:
        words = path(verb, dimension)
        here = words[round((value + _REACH) / (2 * _REACH) * STEPS)]
        count = len({row[0] for row in words})
        text = (
            f"{verb} with dimension {dimension} at {value:.2f}: {', '.join(here)}. The dimension "
            f"costs {kl[dimension]:.2f} nats and passes {count} word{'s' if count > 1 else ''}; "
            f"{active} of {len(kl)} are active."
        )
        return latent_dimension(kl, dimension, words, value, -_REACH, _REACH), text

    places = [0, 1, 2, 3, 5, 8, 12, 16, 24, 40, len(order) - 1]
    options = [(f"cost no. {k + 1}: dimension {order[k]}", order[k]) for k in places]
    return Panel(
        draw,
        {
            "verb": dropdown("verb", list(verbs), verbs[0]),
            "dimension": dropdown("dimension", options, order[0]),
            "value": float_slider("value", 1.0, -_REACH, _REACH, 2 * _REACH / STEPS),
        },
    )


def temperature_panel(model: CVAE, rows: Sequence[Row], samples: int = 100, seed: int = 0) -> Panel:
    """Verbs from noise of another width: z ~ N(0, T² I), the same noise at every T."""
    temperatures = [round(0.1 * k, 1) for k in range(1, 16)]
    noise = torch.randn(samples, 2 * model.latent, generator=torch.Generator().manual_seed(seed))
    latents = torch.cat([t * noise for t in temperatures]).to(model.device)
    decoded = decode_all_tenses(model, latents)
    at = [decoded[k * samples : (k + 1) * samples] for k in range(len(temperatures))]
    training = set(rows)
    known = [sum(row in training for row in verbs) / samples for verbs in at]
    distinct = [len(set(verbs)) / samples for verbs in at]

    def draw(temperature: float) -> tuple[Figure, str]:
        k = min(max(round(10 * temperature) - 1, 0), len(at) - 1)
        shown = [(row[0], row in training) for row in at[k][:26]]
        text = (
            f"At T = {temperatures[k]:.1f}, {known[k]:.0%} of {samples} samples are known verbs "
            f"with all four forms right, and {distinct[k]:.0%} are different from one another."
        )
        figure = temperature_figure(temperatures, known, distinct, temperatures[k], shown)
        return figure, text

    return Panel(draw, {"temperature": float_slider("temperature T", 1.0, 0.1, 1.5, 0.1)})
