"""The panel of notebook 00: type a verb, choose two tenses, see what the model makes of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

import ipywidgets as w
from matplotlib.figure import Figure

from labkit.inference import decode_with_certainty, encode
from labkit.language import ENGLISH, MAX_LENGTH, Language
from labkit.model import CVAE
from labkit.plots.start import SURE, conversion_figure, sentence_figure
from labkit.tables import Row
from labkit.widgets.panel import Panel, dropdown

# (verb, its form, the form wanted) to begin with. Other languages begin with their first verb.
_FIRST = {ENGLISH: ("went", 3, 1)}


def converter(
    models: Mapping[str, tuple[CVAE, Sequence[Row]]],
    verb: str | None = None,
    source: int | None = None,
    target: int | None = None,
) -> Panel:
    """A verb and two forms to choose, above the verb in all its forms; and which model writes them.

    models: by name, each with the verbs that it was trained on; all of one language.
    It begins with `verb`, read as form number `source`, and the form number `target`; where they
    are not given, with an English example, or the first verb from its first form to its second.
    """
    model, rows = next(iter(models.values()))
    language = model.language
    lists = {name: {form for row in rows for form in row} for name, (_, rows) in models.items()}
    names = [(name, code) for code, name in enumerate(language.form_names)]
    first = _FIRST[language] if language in _FIRST else (rows[0][0], 0, 1)

    def draw(verb: str, model: str, source: int, target: int) -> tuple[Figure, str]:
        word = unicodedata.normalize("NFC", verb.strip())
        if problem := what_is_wrong_with(word, language):
            return sentence_figure(f"{_wanted(language)}."), problem
        chosen = models[model][0]
        count = len(language.forms)
        z = encode(chosen, [word], [source]).mean.repeat(count, 1)
        forms = decode_with_certainty(chosen, z, range(count))
        known = "stands" if word in lists[model] else "does not stand"
        text = (
            f"{word}, read as {language.form_names[source]}, becomes "
            f"{language.form_names[target]}: {forms[target][0]}. All its forms: "
            f"{', '.join(form for form, _ in forms)}. ({word} {known} in this model's list of "
            f"{len(models[model][1]):,} verbs.) The numbers: how sure the model is of each word; "
            f"underlined, letters of which it is less than {SURE:.0%} sure."
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
            "model": dropdown("model", [*models], next(iter(models))),
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
