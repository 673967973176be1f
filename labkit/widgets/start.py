"""The panel of notebook 00: type a verb, choose two tenses, see what the model makes of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import ipywidgets as w
from matplotlib.figure import Figure

from labkit.inference import decode_all_tenses, encode
from labkit.language import ENGLISH, MAX_LENGTH, Language
from labkit.model import CVAE
from labkit.plots.start import conversion_figure, sentence_figure
from labkit.tables import Row
from labkit.widgets.panel import Panel, dropdown

# (verb, its form, the form wanted) to begin with. Other languages begin with their first verb.
_FIRST = {ENGLISH: ("went", 3, 1)}


def converter(
    model: CVAE,
    rows: Sequence[Row],
    verb: str | None = None,
    source: int | None = None,
    target: int | None = None,
) -> Panel:
    """A verb and two forms to choose, above the verb in all its forms. `rows`: the training verbs.

    It begins with `verb`, read as form number `source`, and the form number `target`; where they
    are not given, with an English example, or the first verb from its first form to its second.
    """
    language = model.language
    training_words = {form for row in rows for form in row}
    names = [(name, code) for code, name in enumerate(language.form_names)]
    first = _FIRST[language] if language in _FIRST else (rows[0][0], 0, 1)

    def draw(verb: str, source: int, target: int) -> tuple[Figure, str]:
        word = unicodedata.normalize("NFC", verb.strip())
        if problem := what_is_wrong_with(word, language):
            return sentence_figure(f"{_wanted(language)}."), problem
        forms = decode_all_tenses(model, encode(model, [word], [source]).mean)[0]
        known = "is" if word in training_words else "is not"
        text = (
            f"{word}, read as {language.form_names[source]}, becomes "
            f"{language.form_names[target]}: {forms[target]}. All its forms: {', '.join(forms)}. "
            f"({word} {known} among the training words.)"
        )
        return conversion_figure(word, source, forms, target, language), text

    field = w.Text(
        value=first[0] if verb is None else verb,
        description="verb",
        style={"description_width": "150px"},
        layout=w.Layout(width="360px"),
    )
    return Panel(
        draw,
        {
            "verb": field,
            "source": dropdown("it is in", names, first[1] if source is None else source),
            "target": dropdown("write it in", names, first[2] if target is None else target),
        },
    )


def what_is_wrong_with(word: str, language: Language = ENGLISH) -> str:
    """A kind sentence if a model of this language cannot read the word, else an empty one."""
    if not word:
        return f"{_wanted(language)}."
    if bad := list(dict.fromkeys(letter for letter in word if letter not in language.letters)):
        shown = ", ".join("a space" if letter == " " else letter for letter in bad[:5])
        letters = f"The model knows the letters {language.letters_in_words} only"
        return f"{letters}, not: {shown}. Try {_one_word(language)}."
    if len(word) > MAX_LENGTH:
        return f"That word has {len(word)} letters. Try one of {MAX_LENGTH} at most."
    return ""


def _wanted(language: Language) -> str:
    return f"Type {_one_word(language)} of the letters {language.letters_in_words}"


def _one_word(language: Language) -> str:
    return "one lower-case word" if language.letters.islower() else "one word"
