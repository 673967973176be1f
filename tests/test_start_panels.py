"""The converter of notebook 00, and the figures beside it."""

import pytest

from labkit.data import load_tables
from labkit.inference import convert
from labkit.model import new_model
from labkit.plots.start import conversion, journey
from labkit.plots.style import png
from labkit.widgets.start import converter

ROWS = load_tables().train
MODEL = new_model(0)


def test_the_panel_shows_what_convert_gives():
    panel = converter(MODEL, ROWS)
    assert convert(MODEL, ["went"], "p", "tp")[0] in panel.text
    assert "(went is among the training words.)" in panel.text
    panel.move(verb=" overlook ", source=0, target=2)
    assert convert(MODEL, ["overlook"], "sp", "pg")[0] in panel.text
    assert panel.text.startswith("overlook, read as simple present, becomes present progressive:")
    assert "(overlook is not among the training words.)" in panel.text


@pytest.mark.parametrize(
    ("verb", "phrase"),
    [
        ("", "Type a verb"),
        ("   ", "Type a verb"),
        ("Went", "letters a to z only, not: W."),
        ("give up", "not: a space."),
        ("naïve", "not: ï."),
        ("<b>", "not: < >."),
        ("a" * 31, "31 letters"),
    ],
)
def test_bad_input_gets_a_kind_sentence(verb, phrase):
    panel = converter(MODEL, ROWS)
    before = panel.image.value
    panel.controls["verb"].value = verb or " "
    panel.controls["verb"].value = verb
    assert phrase in panel.text
    assert panel.image.value != before
    assert "<b>" not in panel.summary.value
    panel.controls["verb"].value = "go"
    assert panel.text.startswith("go, read as")


def test_the_wanted_tense_stands_out():
    (axes,) = conversion("went", 3, ("go", "goes", "going", "went"), 1).axes
    bold = [text.get_text() for text in axes.texts if text.get_weight() == "bold"]
    assert bold == ["third person"]


def test_the_journey_names_each_notebook():
    figure = journey()
    shown = {text.get_text() for text in figure.axes[0].texts}
    assert {"01", "02", "03", "04", "05"} <= shown
    assert png(figure).startswith(b"\x89PNG")
