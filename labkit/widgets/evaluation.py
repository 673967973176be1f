"""Slider panels of notebook 05: a walk between verbs, one latent dimension, temperature.

Each decodes a whole path at once and keeps it, so that moving a slider only draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from matplotlib.figure import Figure

from labkit.inference import decode_all_tenses, encode, interpolate
from labkit.measures.latent import active_units, kl_per_dimension, posterior_of_table
from labkit.model import CVAE
from labkit.plots.latent import latent_dimension_figure, latent_walk_figure, temperature_figure
from labkit.tables import Row
from labkit.widgets.panel import Panel, dropdown, float_slider

STEPS = 50  # of a walk: one more positions
_SHOWN = 26  # verbs that stand beside the curves of temperature
_REACH = 3.0  # how far a single dimension moves, in standard deviations of the prior


def walk_panel(
    model: CVAE, verbs: Sequence[str], start: str | None = None, end: str | None = None
) -> Panel:
    """A straight walk from the posterior mean of one verb (its first form) to that of another.

    It begins with a walk from `start` to `end`, or else from the first of `verbs` to the last.
    """

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
        return latent_walk_figure(rows, position, first, last, model.language), text

    return Panel(
        draw,
        {
            "first": dropdown("from", list(verbs), start or verbs[0]),
            "last": dropdown("to", list(verbs), end or verbs[-1]),
            "position": float_slider("position", 0.3, 0.0, 1.0, 1 / STEPS),
        },
    )


def dimension_panel(model: CVAE, rows: Sequence[Row], verbs: Sequence[str] | None = None) -> Panel:
    """One number of a verb's latent moved from -3 to 3 while the others stay.

    verbs: those to choose from, in their first form; the first five of `rows` if not given.
    """
    chosen = [row[0] for row in rows[:5]] if verbs is None else list(verbs)
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
        figure = latent_dimension_figure(
            kl, dimension, words, value, -_REACH, _REACH, model.language
        )
        return figure, text

    last = len(order) - 1
    ranks = [rank for rank in (0, 1, 2, 3, 5, 8, 12, 16, 24, 40) if rank < last]
    options = [(f"cost no. {k + 1}: dimension {order[k]}", order[k]) for k in (*ranks, last)]
    return Panel(
        draw,
        {
            "verb": dropdown("verb", chosen, chosen[0]),
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
        shown = [(row[0], row in training) for row in at[k][:_SHOWN]]
        text = (
            f"At T = {temperatures[k]:.1f}, {known[k]:.0%} of {samples} samples are known verbs "
            f"with all forms right, and {distinct[k]:.0%} are different from one another."
        )
        figure = temperature_figure(temperatures, known, distinct, temperatures[k], shown)
        return figure, text

    return Panel(draw, {"temperature": float_slider("temperature T", 1.0, 0.1, 1.5, 0.1)})
