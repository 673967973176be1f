"""Figures of notebook 03: the whole CVAE, encoder and decoder unrolled, parameters, smoke test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, cast

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from labkit.data import ALPHABET, TENSES, Row
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

HIDDEN_COLOUR, CELL_COLOUR, TENSE_COLOUR, NOISE_COLOUR = BLUE, RED, GREEN, PURPLE
SYMBOLS = [*ALPHABET, "SOS", "EOS"]
Point = tuple[float, float]


# --- figures 1 and 2: drawings, in inches --------------------------------------------------------


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    figure, axes = new_figure(width, height)
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    axes.axis("off")
    return figure, axes


def _box(
    axes: Axes, at: Point, text: str, colour: str = GREY, width: float = 0.9, height: float = 0.5
) -> None:
    """A rounded box with its centre `at`, tinted and outlined in a colour."""
    tint = tuple(0.86 + 0.14 * part for part in to_rgb(colour))
    corner = (at[0] - width / 2, at[1] - height / 2)
    axes.add_patch(
        FancyBboxPatch(
            corner, width, height, "round,pad=0,rounding_size=0.07", fc=tint, ec=colour, lw=1.5
        )
    )
    axes.text(*at, text, ha="center", va="center", fontsize=10.5, linespacing=1.25)


def _arrow(axes: Axes, start: Point, end: Point, colour: str = BLACK, **options: Any) -> None:
    properties = {"arrowstyle": "-|>", "color": colour, "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops={**properties, **options})


def _note(
    axes: Axes, x: float, y: float, text: str, colour: str = BLACK, ha: Any = "center"
) -> None:
    axes.text(x, y, text, fontsize=10, color=colour, ha=ha, va="center")


def architecture_figure(word: str, tense: str, target: str, target_tense: str) -> Figure:
    """Figure 1: word and tense -> posterior -> latent pair -> word, with every size."""
    figure, axes = _canvas(9, 3.9)
    _box(axes, (0.5, 2.2), f"word\n“{word}”", width=0.9, height=0.6)
    _box(axes, (1.85, 2.2), "encoder\nLSTM", ORANGE, 0.95, 2.5)
    _box(axes, (7.3, 2.2), "decoder\nLSTM", ORANGE, 0.95, 2.5)
    _box(axes, (8.52, 2.2), f"word\n“{target}”", width=0.92, height=0.6)
    _arrow(axes, (0.95, 2.2), (1.37, 2.2))
    _arrow(axes, (7.78, 2.2), (8.06, 2.2))
    for name, y, colour, line in (
        ("hidden", 3.0, HIDDEN_COLOUR, "-"),
        ("cell", 1.4, CELL_COLOUR, "--"),
    ):
        look: dict[str, Any] = {"colour": colour, "linestyle": line}
        for part, dy in (("mean μ", 0.3), ("log σ²", -0.3)):
            _box(axes, (3.5, y + dy), f"{part}\n32", colour, 0.85)
            _arrow(axes, (2.33, y), (3.07, y + dy), **look)
            _arrow(axes, (3.93, y + dy), (4.36, y + dy * 0.3), **look)
        _note(axes, 2.38, y + 0.42, f"{name}\n256", colour, "left")
        _box(axes, (4.8, y), f"z {name}\n32", colour, 0.86)
        _box(axes, (6.03, y), "linear\n40→256", colour, 0.86)
        _arrow(axes, (5.23, y), (5.6, y), **look)
        _arrow(axes, (6.46, y), (6.82, y), **look)
        for x, source in ((4.8, NOISE_COLOUR), (6.03, TENSE_COLOUR)):
            side = 1 if y > 2.2 else -1
            _arrow(axes, (x, 2.2 + 0.19 * side), (x, y - 0.25 * side), source)
    _box(axes, (4.8, 2.2), "noise ε, 2 × 32", NOISE_COLOUR, 1.2, 0.38)
    _box(axes, (6.03, 2.2), f"tense {target_tense} → 8", TENSE_COLOUR, 1.12, 0.38)
    _note(axes, 3.5, 3.75, "four linear layers 256→32")
    _box(axes, (1.85, 0.3), f"tense {tense} → 8", TENSE_COLOUR, 1.08, 0.38)
    _arrow(axes, (1.85, 0.49), (1.85, 0.95), TENSE_COLOUR)
    _note(axes, 1.95, 0.7, "248 zeros + 8 = 256, twice", TENSE_COLOUR, "left")
    _note(axes, 2.5, 0.3, "both tenses are looked up in one table, 4 × 8", TENSE_COLOUR, "left")
    return figure


def _unrolled(height: float, symbols: Sequence[str], embedding: str) -> tuple[Axes, list[float]]:
    """Characters, embeddings and LSTM boxes, the states running from left to right between them."""
    _, axes = _canvas(9, height)
    first, last = 2.3, 7.05
    x = [first + (last - first) * i / (len(symbols) - 1) for i in range(len(symbols))]
    for here, symbol in zip(x, symbols, strict=True):
        _box(axes, (here, 0.35), symbol, width=0.6, height=0.42)
        _arrow(axes, (here, 0.56), (here, 0.83))
        _box(axes, (here, 1.08), embedding, SKY, 0.94)
        _arrow(axes, (here, 1.33), (here, 1.72))
        _note(axes, here + 0.08, 1.52, "256", ha="left")
        _box(axes, (here, 2.0), "LSTM", ORANGE, 0.74, 0.56)
    for here, there in pairwise(x):
        _arrow(axes, (here + 0.37, 2.13), (there - 0.37, 2.13), HIDDEN_COLOUR)
        _arrow(axes, (here + 0.37, 1.87), (there - 0.37, 1.87), CELL_COLOUR, linestyle="--")
    _note(axes, 0.62, 0.35, f"tokens\n(B, T), here T = {len(symbols)}")
    return axes, x


def _initial_states(axes: Axes, x: float, tense: str, texts: tuple[str, str]) -> None:
    """On the left: the two initial states, and the tense that goes into both."""
    _box(axes, (0.65, 2.0), f"tense {tense} → 8", TENSE_COLOUR, 1.08, 0.36)
    for text, side, colour, line in (
        (texts[0], 1, HIDDEN_COLOUR, "-"),
        (texts[1], -1, CELL_COLOUR, "--"),
    ):
        _box(axes, (0.65, 2.0 + 0.72 * side), text, colour, 1.25, 0.52)
        _arrow(axes, (0.65, 2.0 + 0.18 * side), (0.65, 2.0 + 0.46 * side), TENSE_COLOUR)
        end = (x - 0.37, 2.0 + 0.13 * side)
        _arrow(axes, (1.28, 2.0 + 0.72 * side), end, colour, linestyle=line)


def encoder_figure(word: str, tense: str) -> Figure:
    """Figure 2, left half: the encoder unrolled over one word."""
    axes, x = _unrolled(3.1, [*word, "EOS"], "embedding")
    _initial_states(axes, x[0], tense, ("hidden₀\n248 zeros + 8", "cell₀\n248 zeros + 8"))
    for name, side, colour, line in (
        ("hidden", 1, HIDDEN_COLOUR, "-"),
        ("cell", -1, CELL_COLOUR, "--"),
    ):
        _arrow(
            axes, (x[-1] + 0.37, 2 + 0.13 * side), (7.76, 2 + 0.72 * side), colour, linestyle=line
        )
        _box(axes, (8.38, 2 + 0.72 * side), f"{name} 256 →\nμ 32, log σ² 32", colour, 1.22, 0.52)
    _note(axes, x[2], 2.85, "solid: hidden state, 256 numbers", HIDDEN_COLOUR)
    _note(axes, x[2], 2.6, "dashed: cell state, 256 numbers", CELL_COLOUR)
    return cast(Figure, axes.figure)


def decoder_figure(word: str, tense: str) -> Figure:
    """Figure 2, right half: the decoder unrolled while it writes one word greedily."""
    axes, x = _unrolled(4.0, ["SOS", *word], "emb., ReLU")
    _initial_states(
        axes,
        x[0],
        tense,
        ("z hidden 32 + 8\n→ linear → 256", "z cell 32 + 8\n→ linear → 256"),
    )
    for here, symbol in zip(x, [*word, "EOS"], strict=True):
        _arrow(axes, (here, 2.28), (here, 2.62))
        _note(axes, here + 0.08, 2.46, "256", ha="left")
        _box(axes, (here, 2.86), "linear", SKY, 0.74, 0.44)
        _arrow(axes, (here, 3.08), (here, 3.5))
        _note(axes, here + 0.08, 3.28, "28", ha="left")
        _box(axes, (here, 3.72), symbol, width=0.6, height=0.42)
    for here, there in pairwise(x):  # what was written is read next
        middle = (here + there) / 2
        path = [here + 0.3, middle, middle, there - 0.37], [3.72, 3.72, 0.35, 0.35]
        axes.plot(*path, color=GREY, ls=":", lw=1.5)
        _arrow(axes, (there - 0.38, 0.35), (there - 0.3, 0.35), GREY)
    _note(axes, 8.3, 3.72, "likeliest of\n28 logits")
    _note(axes, 8.3, 0.35, "what was\nwritten, read next", GREY)
    return cast(Figure, axes.figure)


# --- numbers -------------------------------------------------------------------------------------


def parameters_figure(counts: Mapping[str, int]) -> Figure:
    """How many parameters each part has, as bars; the largest parts stand on top."""
    figure, axes = new_figure(8, 0.6 + 0.33 * len(counts))
    parts = sorted(counts, key=lambda part: counts[part])
    with style():
        axes.barh(parts, [counts[part] for part in parts], color=BLUE, height=0.7)
        for y, part in enumerate(parts):
            label_line(axes, counts[part], y, f"{counts[part]:,}", BLACK, fontsize=10)
        axes.set(xlabel="parameters", xlim=(0, 1.15 * max(counts.values())))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.grid(visible=False, axis="y")
        axes.margins(y=0.02)
    return figure


def smoke_figure(losses: Mapping[str, Sequence[float]], floor: float, floor_text: str) -> Figure:
    """Cross-entropy per character against updates, one line a model, and a floor."""
    figure, axes = new_figure(8, 3.4)
    with style():
        longest = max(map(len, losses.values()))
        for place, (name, values) in enumerate(losses.items()):
            colour = (BLUE, RED, GREEN)[place]
            axes.plot(range(1, len(values) + 1), values, color=colour, ls=LINE_STYLES[place])
            apart = (1.4, 0.7, 1.0)[place]  # two of the lines end at one point
            label_line(axes, len(values), values[-1] * apart, name, colour)
        axes.plot([1, longest], [floor, floor], color=GREY, lw=1)
        label_line(axes, 0.6 * longest, 0.9 * floor, floor_text, GREY, fontsize=10, va="top")
        lowest = min(floor, *map(min, losses.values()))
        axes.set(yscale="log", xlim=(1, 1.45 * longest), ylim=(0.4 * lowest, None))
        axes.set_xticks(range(0, longest + 1, 50))
        axes.set_xlabel("update")
        axes.set_ylabel("cross-entropy\n(nats a character, log scale)")
    return figure


def conversions_figure(rows: Sequence[Row], outputs: Mapping[str, Sequence[Row]]) -> Figure:
    """What each model writes for every word (down) in every tense (across).

    outputs: by model, a row of four words for each word of `rows`, in the same order.
    """
    words = [word for row in rows for word in row]
    figure, panels = new_figure(9, 0.7 + 0.31 * len(words), columns=len(outputs), sharey=True)
    for axes, (name, written) in zip(panels, outputs.items(), strict=True):
        for y, word in enumerate(words):
            for x, output in enumerate(written[y]):
                copied = output == word
                mark, colour = ("= ", ORANGE) if copied else ("✗ ", "white")
                if output == rows[y // 4][x]:
                    mark, colour = "✓ ", SKY
                axes.add_patch(Rectangle((x, y), 0.96, 0.9, fc=colour, ec=GREY, lw=0.5, alpha=0.5))
                axes.text(x + 0.48, y + 0.45, mark + output, ha="center", va="center", fontsize=10)
        axes.set(xlim=(0, 4), ylim=(len(words), 0), title=name, xlabel="written in the tense")
        axes.set_xticks([0.48, 1.48, 2.48, 3.48], TENSES)
        axes.set_yticks([y + 0.45 for y in range(len(words))], words)
        axes.tick_params(length=0, labelsize=10)
        axes.spines[:].set_visible(False)
        axes.grid(visible=False)
    panels[0].set_ylabel("read")
    return figure


def choice_figure(read: Sequence[str], probabilities: Sequence[float]) -> Figure:
    """One step of the decoder: what it has read, and its probability for each next character."""
    figure, axes = new_figure(9, 2.6)
    best = max(range(len(SYMBOLS)), key=lambda i: probabilities[i])
    with style():
        colours = [RED if i == best else SKY for i in range(len(SYMBOLS))]
        axes.bar(range(len(SYMBOLS)), probabilities, color=colours)
        axes.set_xticks(range(len(SYMBOLS)), [*ALPHABET, "\nSOS", "EOS"])
        axes.set(ylim=(0, 1.12), ylabel="probability", title=f"read: {' '.join(read)}")
        axes.annotate(
            f"writes {SYMBOLS[best]}",
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
