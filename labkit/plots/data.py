"""Figures of notebook 02: what the two networks read, word lengths, padded batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from labkit.batches import Batch, padding_mask
from labkit.language import ENGLISH, Language, tokenize
from labkit.plots.style import BLACK, GREY, ORANGE, YELLOW, form_look, new_figure, style
from labkit.tables import Row

_LETTER, _PADDING = "#dceefa", "#f2f2f2"  # a pale SKY, and a paler grey
_MARKS = {"SOS": YELLOW, "EOS": ORANGE}


def _cell(axes: Axes, x: float, y: float, symbol: str, *, padding: bool = False) -> None:
    """One position of a word: a box around its character. Padding is hatched, its text grey."""
    face = _MARKS.get(symbol, _LETTER)
    edge, hatch = ("#c8c8c8", "////") if padding else ("white", None)
    if padding:
        face = _PADDING
    axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fc=face, ec=edge, hatch=hatch, lw=1.5))
    size, colour = 10 if symbol in _MARKS else 13, GREY if padding else BLACK
    axes.text(x, y, symbol, ha="center", va="center", size=size, color=colour)


def _bare(axes: Axes, columns: float, rows: float) -> None:
    """Axes for cells: no ticks, no frame, the first row on top, square cells."""
    axes.set(xlim=(-0.55, columns - 0.45), ylim=(rows - 0.4, -0.6), aspect="equal")
    axes.axis("off")


@style()
def reading_and_writing_figure(word: str, language: Language = ENGLISH) -> Figure:
    """What the encoder reads, what the decoder reads and what it should write, step by step."""
    target = tokenize(word, language)
    rows = {
        "encoder reads": (0.0, target),
        "decoder reads": (2.0, [language.sos, *target[:-1]]),
        "decoder should write": (3.9, target),
    }
    figure, axes = new_figure(7, 3.9)
    _bare(axes, len(target), 5)
    axes.set_xlim(-3.6, len(target) - 0.4)
    for name, (y, tokens) in rows.items():
        axes.text(-0.8, y, name, ha="right", va="center", size=12)
        for x, token in enumerate(tokens):
            _cell(axes, x, y, language.symbols[token])
            axes.text(x, y + 0.68, str(token), ha="center", va="center", size=10, color=GREY)
    for x in range(len(target)):
        axes.annotate("", (x, 3.35), (x, 2.9), arrowprops={"arrowstyle": "->", "lw": 1.5})
    return figure


@style()
def length_histogram_figure(rows: Sequence[Row], language: Language = ENGLISH) -> Figure:
    """How many verbs have a form of so many letters, one panel a form."""
    forms = len(language.forms)
    columns = [[len(row[form]) for row in rows] for form in range(forms)]
    longest = max(map(max, columns))
    figure, panels = new_figure(8, 0.4 + 1.2 * forms, rows=forms, sharex=True, sharey=True)
    for form, (axes, lengths, name) in enumerate(
        zip(panels, columns, language.form_names, strict=True)
    ):
        count = Counter(lengths)
        mean = sum(lengths) / len(lengths)
        axes.bar(list(count), list(count.values()), color=form_look(form)[0], width=0.8)
        axes.axvline(mean, color=BLACK, linestyle="--", lw=1.5)
        axes.annotate(
            f"{name}: mean {mean:.1f}", (0.99, 0.82), xycoords="axes fraction", ha="right"
        )
        axes.grid(axis="x", visible=False)
    panels[-1].set(xlabel="letters in the word", xticks=range(1, longest + 1))
    figure.supylabel("verbs", fontsize=11)
    return figure


@style()
def padded_batches_figure(batches: Mapping[str, Batch], language: Language = ENGLISH) -> Figure:
    """Batches side by side under their titles: letters, EOS, and hatched padding."""
    ratios = [batch.tokens.shape[1] for batch in batches.values()]
    most = max(len(batch.length) for batch in batches.values())
    figure, panels = new_figure(
        9, 0.9 + 0.34 * most, columns=len(batches), width_ratios=ratios, squeeze=False
    )
    for axes, (title, batch) in zip(panels[0], batches.items(), strict=True):
        count, steps = batch.tokens.shape
        real = padding_mask(batch.length, steps)
        _bare(axes, steps, count)
        for y in range(count):
            for x in range(steps):
                symbol = language.symbols[int(batch.tokens[y, x])]
                _cell(axes, x, y, symbol, padding=not real[y, x])
        axes.set_title(f"{title}\n{int((~real).sum())} of {count * steps} cells are padding")
    return figure
