"""Figures of notebook 03: the whole CVAE, encoder and decoder unrolled, parameters, smoke test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, pairwise
from typing import Any, cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from labkit.language import ENGLISH, Language
from labkit.model import CONDITION, HIDDEN, LATENT
from labkit.plots.drawing import arrow, box, canvas, note
from labkit.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    LINE_STYLES,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    label_line,
    new_figure,
    style,
)
from labkit.tables import Row

HIDDEN_COLOUR, CELL_COLOUR, TENSE_COLOUR, NOISE_COLOUR = BLUE, RED, GREEN, PURPLE
H, C, Z = HIDDEN, CONDITION, LATENT

# --- figures 1 and 2: drawings, in inches --------------------------------------------------------


@style()
def architecture_figure(
    word: str, tense: str, target: str, target_tense: str, language: Language = ENGLISH
) -> Figure:
    """Figure 1: word and tense -> posterior -> latent pair -> word, with every size."""
    figure, axes = canvas(9, 3.9, margin=0.08)
    box(axes, (0.5, 2.2), f"word\n“{word}”", width=0.9, height=0.6)
    box(axes, (1.85, 2.2), "encoder\nLSTM", ORANGE, 0.95, 2.5)
    box(axes, (7.3, 2.2), "decoder\nLSTM", ORANGE, 0.95, 2.5)
    box(axes, (8.52, 2.2), f"word\n“{target}”", width=0.92, height=0.6)
    arrow(axes, (0.95, 2.2), (1.37, 2.2))
    arrow(axes, (7.78, 2.2), (8.06, 2.2))
    for name, y, colour, line in (
        ("hidden", 3.0, HIDDEN_COLOUR, "-"),
        ("cell", 1.4, CELL_COLOUR, "--"),
    ):
        look: dict[str, Any] = {"colour": colour, "linestyle": line}
        for part, dy in (("mean μ", 0.3), ("log σ²", -0.3)):
            box(axes, (3.5, y + dy), f"{part}\n{Z}", colour, 0.85)
            arrow(axes, (2.33, y), (3.07, y + dy), **look)
            arrow(axes, (3.93, y + dy), (4.36, y + dy * 0.3), **look)
        note(axes, 2.38, y + 0.42, f"{name}\n{H}", colour, "left")
        box(axes, (4.8, y), f"z {name}\n{Z}", colour, 0.86)
        box(axes, (6.03, y), f"linear\n{Z + C}→{H}", colour, 0.86)
        arrow(axes, (5.23, y), (5.6, y), **look)
        arrow(axes, (6.46, y), (6.82, y), **look)
        for x, source in ((4.8, NOISE_COLOUR), (6.03, TENSE_COLOUR)):
            side = 1 if y > 2.2 else -1
            arrow(axes, (x, 2.2 + 0.19 * side), (x, y - 0.25 * side), source)
    box(axes, (4.8, 2.2), f"noise ε, 2 × {Z}", NOISE_COLOUR, 1.2, 0.38)
    box(axes, (6.03, 2.2), f"tense {target_tense} → {C}", TENSE_COLOUR, 1.12, 0.38)
    note(axes, 3.5, 3.75, f"four linear layers {H}→{Z}")
    box(axes, (1.85, 0.3), f"tense {tense} → {C}", TENSE_COLOUR, 1.08, 0.38)
    arrow(axes, (1.85, 0.49), (1.85, 0.95), TENSE_COLOUR)
    note(axes, 1.95, 0.7, f"{H - C} zeros + {C} = {H}, twice", TENSE_COLOUR, "left")
    table = f"{len(language.forms)} × {C}"
    note(axes, 2.5, 0.3, f"both tenses are looked up in one table, {table}", TENSE_COLOUR, "left")
    return figure


def _unrolled(height: float, symbols: Sequence[str], embedding: str) -> tuple[Axes, list[float]]:
    """Characters, embeddings and LSTM boxes, the states running from left to right between them."""
    _, axes = canvas(9, height, margin=0.08)
    first, last = 2.3, 7.05
    x = [first + (last - first) * i / (len(symbols) - 1) for i in range(len(symbols))]
    for here, symbol in zip(x, symbols, strict=True):
        box(axes, (here, 0.35), symbol, width=0.6, height=0.42)
        arrow(axes, (here, 0.56), (here, 0.83))
        box(axes, (here, 1.08), embedding, SKY, 0.94)
        arrow(axes, (here, 1.33), (here, 1.72))
        note(axes, here + 0.08, 1.52, str(H), ha="left")
        box(axes, (here, 2.0), "LSTM", ORANGE, 0.74, 0.56)
    for here, there in pairwise(x):
        arrow(axes, (here + 0.37, 2.13), (there - 0.37, 2.13), HIDDEN_COLOUR)
        arrow(axes, (here + 0.37, 1.87), (there - 0.37, 1.87), CELL_COLOUR, linestyle="--")
    note(axes, 0.62, 0.35, f"tokens\n(B, T), here T = {len(symbols)}")
    return axes, x


def _initial_states(axes: Axes, x: float, tense: str, texts: tuple[str, str]) -> None:
    """On the left: the two initial states, and the tense that goes into both."""
    box(axes, (0.65, 2.0), f"tense {tense} → {C}", TENSE_COLOUR, 1.08, 0.36)
    for text, side, colour, line in (
        (texts[0], 1, HIDDEN_COLOUR, "-"),
        (texts[1], -1, CELL_COLOUR, "--"),
    ):
        box(axes, (0.65, 2.0 + 0.72 * side), text, colour, 1.25, 0.52)
        arrow(axes, (0.65, 2.0 + 0.18 * side), (0.65, 2.0 + 0.46 * side), TENSE_COLOUR)
        end = (x - 0.37, 2.0 + 0.13 * side)
        arrow(axes, (1.28, 2.0 + 0.72 * side), end, colour, linestyle=line)


@style()
def encoder_figure(word: str, tense: str) -> Figure:
    """Figure 2, left half: the encoder unrolled over one word."""
    zeros = f"{H - C} zeros + {C}"
    axes, x = _unrolled(3.1, [*word, "EOS"], "embedding")
    _initial_states(axes, x[0], tense, (f"hidden₀\n{zeros}", f"cell₀\n{zeros}"))
    for name, side, colour, line in (
        ("hidden", 1, HIDDEN_COLOUR, "-"),
        ("cell", -1, CELL_COLOUR, "--"),
    ):
        arrow(
            axes, (x[-1] + 0.37, 2 + 0.13 * side), (7.76, 2 + 0.72 * side), colour, linestyle=line
        )
        box(axes, (8.38, 2 + 0.72 * side), f"{name} {H} →\nμ {Z}, log σ² {Z}", colour, 1.22, 0.52)
    note(axes, x[2], 2.85, f"solid: hidden state, {H} numbers", HIDDEN_COLOUR)
    note(axes, x[2], 2.6, f"dashed: cell state, {H} numbers", CELL_COLOUR)
    return cast(Figure, axes.figure)


@style()
def decoder_figure(word: str, tense: str, language: Language = ENGLISH) -> Figure:
    """Figure 2, right half: the decoder unrolled while it writes one word greedily."""
    size, inputs = str(language.vocabulary_size), f"{Z} + {C}\n→ linear → {H}"
    axes, x = _unrolled(4.0, ["SOS", *word], "emb., ReLU")
    _initial_states(
        axes,
        x[0],
        tense,
        (f"z hidden {inputs}", f"z cell {inputs}"),
    )
    for here, symbol in zip(x, [*word, "EOS"], strict=True):
        arrow(axes, (here, 2.28), (here, 2.62))
        note(axes, here + 0.08, 2.46, str(H), ha="left")
        box(axes, (here, 2.86), "linear", SKY, 0.74, 0.44)
        arrow(axes, (here, 3.08), (here, 3.5))
        note(axes, here + 0.08, 3.28, size, ha="left")
        box(axes, (here, 3.72), symbol, width=0.6, height=0.42)
    for here, there in pairwise(x):  # what was written is read next
        middle = (here + there) / 2
        path = [here + 0.3, middle, middle, there - 0.37], [3.72, 3.72, 0.35, 0.35]
        axes.plot(*path, color=GREY, ls=":", lw=1.5)
        arrow(axes, (there - 0.38, 0.35), (there - 0.3, 0.35), GREY)
    note(axes, 8.3, 3.72, f"likeliest of\n{size} logits")
    note(axes, 8.3, 0.35, "what was\nwritten, read next", GREY)
    return cast(Figure, axes.figure)


# --- numbers -------------------------------------------------------------------------------------


@style()
def parameters_figure(counts: Mapping[str, int]) -> Figure:
    """How many parameters each part has, as bars; the largest parts stand on top."""
    figure, axes = new_figure(8, 0.6 + 0.33 * len(counts))
    parts = sorted(counts, key=lambda part: counts[part])
    axes.barh(parts, [counts[part] for part in parts], color=BLUE, height=0.7)
    for y, part in enumerate(parts):
        label_line(axes, counts[part], y, f"{counts[part]:,}", BLACK, fontsize=10)
    axes.set(xlabel="parameters", xlim=(0, 1.15 * max(counts.values())))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(visible=False, axis="y")
    axes.margins(y=0.02)
    return figure


@style()
def smoke_figure(losses: Mapping[str, Sequence[float]], floor: float, floor_text: str) -> Figure:
    """Cross-entropy per character against updates, one line a model, and a floor."""
    figure, axes = new_figure(8, 3.4)
    longest = max(map(len, losses.values()))
    looks = cycle(zip((BLUE, RED, GREEN), LINE_STYLES, (1.4, 0.7, 1.0), strict=False))
    for (name, values), (colour, line, apart) in zip(losses.items(), looks, strict=False):
        axes.plot(range(1, len(values) + 1), values, color=colour, ls=line)
        # `apart`: two of the lines end at one point
        label_line(axes, len(values), values[-1] * apart, name, colour)
    axes.plot([1, longest], [floor, floor], color=GREY, lw=1)
    label_line(axes, 0.6 * longest, 0.9 * floor, floor_text, GREY, fontsize=10, va="top")
    lowest = min(floor, *map(min, losses.values()))
    axes.set(yscale="log", xlim=(1, 1.45 * longest), ylim=(0.4 * lowest, None))
    axes.set_xticks(range(0, longest + 1, 50))
    axes.set_xlabel("update")
    axes.set_ylabel("cross-entropy\n(nats a character, log scale)")
    return figure


@style()
def conversions_figure(
    rows: Sequence[Row], outputs: Mapping[str, Sequence[Row]], language: Language = ENGLISH
) -> Figure:
    """What each model writes for every word (down) in every tense (across).

    outputs: by model, a row with every form for each word of `rows`, in the same order.
    """
    forms = len(language.forms)
    words = [word for row in rows for word in row]
    figure, grid = new_figure(
        max(9.0, 0.6 + 1.05 * forms * len(outputs)),
        0.7 + 0.31 * len(words),
        columns=len(outputs),
        sharey=True,
        squeeze=False,
    )
    panels = grid[0]
    for axes, (name, written) in zip(panels, outputs.items(), strict=True):
        for y, word in enumerate(words):
            for x, output in enumerate(written[y]):
                copied = output == word
                mark, colour = ("= ", ORANGE) if copied else ("✗ ", "white")
                if output == rows[y // forms][x]:
                    mark, colour = "✓ ", SKY
                axes.add_patch(Rectangle((x, y), 0.96, 0.9, fc=colour, ec=GREY, lw=0.5, alpha=0.5))
                axes.text(x + 0.48, y + 0.45, mark + output, ha="center", va="center", fontsize=10)
        axes.set(xlim=(0, forms), ylim=(len(words), 0), title=name, xlabel="written in the tense")
        axes.set_xticks([x + 0.48 for x in range(forms)], language.codes)
        axes.set_yticks([y + 0.45 for y in range(len(words))], words)
        axes.tick_params(length=0, labelsize=10)
        axes.spines[:].set_visible(False)
        axes.grid(visible=False)
    panels[0].set_ylabel("read")
    return figure


@style()
def choice_figure(
    read: Sequence[str], probabilities: Sequence[float], language: Language = ENGLISH
) -> Figure:
    """One step of the decoder: what it has read, and its probability for each next character."""
    symbols = language.symbols
    figure, axes = new_figure(max(9.0, 0.3 * len(symbols)), 2.6)
    best = max(range(len(symbols)), key=lambda i: probabilities[i])
    colours = [RED if i == best else SKY for i in range(len(symbols))]
    axes.bar(range(len(symbols)), probabilities, color=colours)
    axes.set_xticks(range(len(symbols)), [*language.letters, "\nSOS", "EOS"])
    axes.set(ylim=(0, 1.12), ylabel="probability", title=f"read: {' '.join(read)}")
    axes.annotate(
        f"writes {symbols[best]}",
        (best, probabilities[best]),
        (0, 3),
        ha="center",
        color=RED,
        textcoords="offset points",
        fontsize=10,
    )
    axes.tick_params(axis="x", length=0)
    axes.grid(visible=False, axis="x")
    return figure
