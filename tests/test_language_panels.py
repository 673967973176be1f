"""Figures and panels for languages with other letters, and with three or six forms of a verb."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import NamedTuple

import ipywidgets as w
import PIL.Image
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text

from labkit.batches import make_batch
from labkit.language import Form, Language
from labkit.model import CVAE, new_model
from labkit.plots import data, latent, start
from labkit.plots import model as drawings
from labkit.plots.style import form_look, png
from labkit.tables import Row
from labkit.widgets.evaluation import dimension_panel, temperature_panel, walk_panel
from labkit.widgets.model import writing_panel
from labkit.widgets.panel import Panel
from labkit.widgets.start import converter, what_is_wrong_with

pytestmark = pytest.mark.slow


class Case(NamedTuple):
    """A language, some verbs of it, and a model that knows none of them."""

    language: Language
    rows: list[Row]
    model: CVAE


def case(name: str, letters: str, forms: dict[str, str], verbs: str) -> Case:
    language = Language(name, letters, tuple(Form(*form) for form in forms.items()))
    rows: list[Row] = [tuple(line.split()) for line in verbs.strip().splitlines()]
    model = new_model(0, language)
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(3)  # so that words and forms differ in what becomes of them
        model.decoder.output.bias[language.sos] = -1e9
    return Case(language, rows, model)


GERMAN = case(
    "Deutsch",
    "abcdefghijklmnopqrstuvwxyzäöüß",
    {"inf": "Infinitiv", "prt": "Präteritum, dritte Person Singular", "pp": "Partizip II"},
    """
    gehen ging gegangen
    grüßen grüßte gegrüßt
    missverstehen missverstand missverstanden
    """,
)
LATIN = case(
    "Latina",
    "abcdefghilmnopqrstuvx",
    {
        "1s": "first singular",
        "2s": "second singular",
        "3s": "third singular",
        "1p": "first plural",
        "2p": "second plural",
        "3p": "third plural",
    },
    """
    amo amas amat amamus amatis amant
    moneo mones monet monemus monetis monent
    intellego intellegis intellegit intellegimus intellegitis intellegunt
    """,
)
CASES = pytest.mark.parametrize("case", [GERMAN, LATIN], ids=["three forms", "six forms"])

PANELS: dict[str, Callable[[Case], Panel]] = {
    "converter": lambda case: converter({"one": (case.model, case.rows)}),
    "writing": lambda case: writing_panel({"one": case.model}, case.rows),
    "walk": lambda case: walk_panel(case.model, [row[0] for row in case.rows]),
    "dimension": lambda case: dimension_panel(case.model, case.rows),
    "temperature": lambda case: temperature_panel(case.model, case.rows, samples=8),
}


def texts(figure: Figure) -> list[str]:
    found = [text.get_text() for text in figure.findobj(Text) if text.get_text()]
    return [" ".join(text.split()) for text in found]


@CASES
@pytest.mark.parametrize("name", PANELS)
def test_every_panel_draws_and_follows_its_controls(name: str, case: Case) -> None:
    panel = PANELS[name](case)
    for control in panel.controls.values():
        text = panel.text
        if isinstance(control, w.Text):
            control.value = case.rows[1][0]
        elif isinstance(control, w.Dropdown) and len(control.options) > 1:
            control.index = 0 if control.index else len(control.options) - 1
        elif not isinstance(control, w.Dropdown):
            control.value = control.max
        else:
            continue
        assert panel.text != text
    assert bytes(panel.image.value).startswith(b"\x89PNG")


@CASES
def test_the_converter_begins_with_the_first_verb(case: Case) -> None:
    panel = converter({"one": (case.model, case.rows)})
    first, second = case.language.form_names[:2]
    assert panel.text.startswith(f"{case.rows[0][0]}, read as {first}, becomes {second}: ")
    panel.move(verb=f" {case.rows[1][-1]} ", source=len(case.language.forms) - 1, target=0)
    assert f"({case.rows[1][-1]} stands in this model's list" in panel.text


def test_letters_typed_in_two_parts_are_read_as_one() -> None:
    panel = converter({"one": (GERMAN.model, GERMAN.rows)}, verb="gru\u0308ßen")
    assert panel.text.startswith("grüßen, read as Infinitiv")
    assert "grüßen stands in" in panel.text


def test_foreign_letters_are_named() -> None:
    assert what_is_wrong_with("müßig", GERMAN.language) == ""
    assert "letters a-z, ä, ö, ü, ß only, not: é." in what_is_wrong_with("née", GERMAN.language)
    assert "not: w, k." in what_is_wrong_with("walk", LATIN.language)
    capitals = Language("Shouting", "ABC", (Form("a", "one"), Form("b", "two")))
    assert what_is_wrong_with("", capitals) == "Type one word of the letters A, B, C."


def sure(row: tuple[str, ...]) -> list[tuple[str, list[float]]]:
    return [(form, [0.5, *[1.0] * len(form)]) for form in row]


@CASES
def test_every_form_has_its_name_its_word_and_a_look_of_its_own(case: Case) -> None:
    language, row = case.language, case.rows[1]
    looks = {form_look(form) for form in range(len(language.forms))}
    assert len(looks) == len({colour for colour, _ in looks}) == len(language.forms)
    kl = torch.rand(64, generator=torch.Generator().manual_seed(0))
    for figure in (
        start.conversion_figure(row[1], 1, sure(row), 2, language),
        latent.latent_walk_figure(case.rows, 0.5, "a", "b", language),
        latent.latent_dimension_figure(kl, 3, case.rows, 0.0, -3, 3, language),
    ):
        assert {*language.form_names, *row} <= set(texts(figure))


@CASES
def test_no_text_is_cut_or_lies_on_another(case: Case) -> None:
    """In the figures that place their texts by hand."""
    language, row = case.language, case.rows[2]
    kl = torch.rand(64, generator=torch.Generator().manual_seed(0))
    for figure in (
        start.conversion_figure(row[1], 1, sure(row), 1, language),
        latent.latent_walk_figure(case.rows, 1.0, row[0], row[0], language),
        latent.latent_dimension_figure(kl, 3, case.rows, 3.0, -3, 3, language),
    ):
        figure.canvas.draw()
        whole = figure.bbox
        shown = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
        shown = [text for text in shown if text.get_text()]  # an arrow is a text without one
        boxes = [text.get_window_extent() for text in shown]
        for box in boxes:
            assert whole.x0 <= box.x0 < box.x1 <= whole.x1
            assert whole.y0 <= box.y0 < box.y1 <= whole.y1
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@CASES
def test_the_data_figures_show_the_languages_letters_and_forms(case: Case) -> None:
    language, word = case.language, case.rows[1][0]
    read = texts(data.reading_and_writing_figure(word, language))
    assert [text for text in read if text in language.letters] == [*word] * 3
    assert read.count(str(language.sos)) == 1
    assert read.count(str(language.eos)) == 2
    lengths = data.length_histogram_figure(case.rows, language)
    assert len(lengths.axes) == len(language.forms)
    batch = make_batch(case.rows[0], range(len(language.forms)), language)
    padded = texts(data.padded_batches_figure({"one": batch}, language))
    assert sum(text in language.letters for text in padded) == sum(map(len, case.rows[0]))


@CASES
def test_the_drawings_count_the_languages_characters_and_forms(case: Case) -> None:
    language, forms = case.language, len(case.language.forms)
    codes = language.codes
    whole = texts(drawings.architecture_figure("a", codes[0], "b", codes[1], language))
    assert f"both tenses are looked up in one table, {forms} × 8" in whole
    assert (
        texts(drawings.decoder_figure("go", codes[0], language)).count(
            str(language.vocabulary_size)
        )
        == 3
    )
    right: list[Row] = [row for row in case.rows for _ in row]
    found = texts(drawings.conversions_figure(case.rows, {"one": right}, language))
    assert sum(text.startswith("✓ ") for text in found) == forms * forms * len(case.rows)
    assert texts(start.journey_figure("ging", 1, "geht", 0, GERMAN.language))[:3]


@CASES
def test_posteriors_of_every_form_have_their_marks(case: Case) -> None:
    count = len(case.language.forms) * 2
    means, spread = torch.randn(count, 2), torch.eye(2).repeat(count, 1, 1) / 4
    figure = latent.latent_map_figure({"one": (means, spread)}, ["a", "b"], language=case.language)
    marks = [line.get_marker() for line in figure.axes[0].lines if line.get_marker() != "None"]
    assert len(set(marks[: count // 2])) == count // 2
    assert marks[: count // 2] == marks[count // 2 :]
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(case.language.form_names)
    assert PIL.Image.open(io.BytesIO(png(figure))).width > 100
