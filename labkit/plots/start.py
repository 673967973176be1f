"""Figures of notebook 00: the lab in one picture, and one verb converted."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labkit.language import ENGLISH, Language, tokenize
from labkit.plots.drawing import arrow, box, canvas, note
from labkit.plots.style import BLACK, BLUE, GREY, RED, form_look, style

_PALE, _PALE_EDGE = "#eef4f8", "#c8c8c8"


@style()
def journey_figure(
    word: str = "went",
    form: int = 3,
    target: str = "goes",
    target_form: int = 1,
    language: Language = ENGLISH,
) -> Figure:
    """A verb's way through the model, each station with the notebook that is about it.

    The word, read as `form`, becomes `target`; both are short.
    """
    figure, axes = canvas(9, 3.4)
    y = 1.7
    tokens = " ".join(map(str, tokenize(word, language)))
    stations = (
        (0.6, word, "", 0.9),
        (2.2, f"tokens\n{tokens}", "02", 1.5),
        (3.9, "encoder", "03", 1.1),
        (5.6, "latent z\nq(z | x, c)", "01", 1.3),
        (7.2, "decoder", "03", 1.1),
        (8.5, target, "", 0.9),
    )
    for x, text, notebook, width in stations:
        box(axes, (x, y), text, GREY, width, 0.8, face=_PALE, line=1, size=11)
        _badge(axes, x, y + 0.44, notebook)
    for (x, _, _, width), (to, _, _, wide) in pairwise(stations):
        arrow(axes, (x + width / 2 + 0.04, y), (to - wide / 2 - 0.04, y))
    for x, text in (
        (3.9, f"tense read:\n{language.form_names[form]}"),
        (7.2, f"tense to write:\n{language.form_names[target_form]}"),
    ):
        note(axes, x, 3.1, text, size=11)
        arrow(axes, (x, 2.84), (x, 2.34))
    below = (
        (2.2, 1.1, "trained only to give\nback the word it reads", "04"),
        (5.6, 1.1, "or noise from the prior\np(z) = N(0, I)", "05"),
        (8.5, 0.5, "is it\nright?", "05"),
    )
    for x, left, text, notebook in below:
        note(axes, x, 0.4, text, size=11)
        _badge(axes, x - left, 0.4, notebook)
    arrow(axes, (5.6, 0.7), (5.6, 1.24))
    return figure


def _badge(axes: Axes, x: float, y: float, notebook: str) -> None:
    """The number of a notebook, white on blue."""
    if notebook:
        look = {"boxstyle": "round,pad=0.25", "facecolor": BLUE, "edgecolor": "none"}
        note(axes, x, y, notebook, "white", bbox=look)


SURE = 0.9  # a letter below this probability is marked


@style()
def conversion_figure(
    word: str,
    source: int,
    forms: Sequence[tuple[str, Sequence[float]]],
    target: int,
    language: Language = ENGLISH,
) -> Figure:
    """A verb on the left; on the right what the model makes of it, the wanted form framed.

    forms: each with the probability of its letters and of EOS. Letters of which the model was not
    sure are underlined; behind a form stands the probability of all its letters together.
    """
    step = 0.66
    height = max(2.6, 0.62 + step * (len(forms) - 1))
    figure, axes = canvas(8, height)
    middle, top = height / 2, height / 2 + step * (len(forms) - 1) / 2
    size = 14 if max(map(len, (word, *(form for form, _ in forms)))) <= 16 else 8
    box(axes, (1.4, middle), word, GREY, 2.5, 0.6, face=_PALE, line=1, size=size)
    read_as = textwrap.fill(f"read as {language.form_names[source]}", 30)
    note(axes, 1.4, middle + 0.5, read_as, GREY, size=11, va="bottom")
    arrow(axes, (2.75, middle), (3.25, middle))
    for number, ((form, chances), name) in enumerate(zip(forms, language.form_names, strict=True)):
        y = top - step * number
        wanted = number == target
        colour = form_look(number)[0] if wanted else _PALE_EDGE
        line = 3 if wanted else 1
        box(axes, (6.2, y), "", colour, 2.3, 0.5, face="white", line=line)
        spelt = note(axes, 6.2, y, form or "(nothing)", size=size)
        spelt.set_fontfamily("monospace")
        _underline(axes, 6.2, y, form, chances, size)
        note(axes, 7.42, y, f"{math.prod(chances):.2f}", GREY, "left", size=11)
        label = note(
            axes, 4.95, y, textwrap.fill(name, 20), BLACK if wanted else GREY, "right", size=11
        )
        if wanted:
            label.set_fontweight("bold")
    return figure


def _underline(
    axes: Axes, x: float, y: float, word: str, chances: Sequence[float], size: float
) -> None:
    """A red line under each letter around (x, y) of which the model was not sure."""
    width = 0.602 * size / 72  # inches: a letter of DejaVu Sans Mono is 0.602 em wide
    left = x - width * len(word) / 2
    for place, chance in enumerate(chances[: len(word)]):
        if chance < SURE:
            ends = [left + width * place, left + width * (place + 1)]
            axes.plot(ends, [y - 0.16] * 2, color=RED, lw=2.5, solid_capstyle="butt")


@style()
def sentence_figure(text: str) -> Figure:
    """A sentence in place of a figure."""
    figure, axes = canvas(8, 2.6)
    note(axes, 4, 1.3, text, size=13, wrap=True)
    return figure
