"""The panel of notebook 00: type a verb, choose two tenses, see what the model makes of it."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as w
from matplotlib.figure import Figure

from labkit.data import ALPHABET, TENSE_NAMES, Row
from labkit.inference import MAX_LENGTH, decode_all_tenses, encode
from labkit.model import CVAE
from labkit.plots.start import conversion, sentence
from labkit.widgets.panel import Panel, dropdown


def converter(
    model: CVAE, rows: Sequence[Row], verb: str = "went", source: int = 3, target: int = 1
) -> Panel:
    """A verb and two tenses to choose, above the verb in all four. `rows`: the training verbs."""
    training_words = {form for row in rows for form in row}

    def draw(verb: str, source: int, target: int) -> tuple[Figure, str]:
        word = verb.strip()
        if problem := what_is_wrong_with(word):
            return sentence("Type one lower-case word of the letters a to z."), problem
        forms = decode_all_tenses(model, encode(model, [word], [source]).mean)[0]
        known = "is" if word in training_words else "is not"
        text = (
            f"{word}, read as {TENSE_NAMES[source]}, becomes {TENSE_NAMES[target]}: "
            f"{forms[target]}. All four tenses: {', '.join(forms)}. "
            f"({word} {known} among the training words.)"
        )
        return conversion(word, source, forms, target), text

    names = [(name, code) for code, name in enumerate(TENSE_NAMES)]
    field = w.Text(
        value=verb,
        description="verb",
        style={"description_width": "150px"},
        layout=w.Layout(width="360px"),
    )
    return Panel(
        draw,
        {
            "verb": field,
            "source": dropdown("it is in", names, source),
            "target": dropdown("write it in", names, target),
        },
    )


def what_is_wrong_with(word: str) -> str:
    """A kind sentence if the model cannot read this word, else an empty one."""
    if not word:
        return "Type a verb, such as went."
    if bad := list(dict.fromkeys(letter for letter in word if letter not in ALPHABET)):
        shown = ", ".join("a space" if letter == " " else letter for letter in bad[:5])
        return f"The model knows the letters a to z only, not: {shown}. Try one lower-case word."
    if len(word) > MAX_LENGTH:
        return f"That word has {len(word)} letters. Try one of {MAX_LENGTH} at most."
    return ""
