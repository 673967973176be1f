"""The converter of notebook 00, and the figures beside it."""

import json
import re
from pathlib import Path

import pytest

from labkit.inference import convert
from labkit.model import new_model
from labkit.plots.start import conversion_figure, journey_figure
from labkit.plots.style import png
from labkit.tables import load_tables
from labkit.widgets.start import converter

pytestmark = pytest.mark.slow

ROWS = load_tables().train
MODEL = new_model(0)


def test_the_panel_shows_what_convert_gives():
    panel = converter(MODEL, ROWS)
    assert f"becomes third person: {convert(MODEL, ['went'], 'p', 'tp')[0]}. All" in panel.text
    assert "(went is among the training words.)" in panel.text
    panel.move(verb=" overlook ", source=0, target=2)
    wanted = convert(MODEL, ["overlook"], "sp", "pg")[0]
    told = f"overlook, read as simple present, becomes present progressive: {wanted}. All its forms"
    assert panel.text.startswith(told)
    assert "(overlook is not among the training words.)" in panel.text


@pytest.mark.parametrize(
    ("verb", "phrase"),
    [
        ("", "Type one lower-case word"),
        ("   ", "Type one lower-case word"),
        ("Went", "letters a-z only, not: W."),
        ("give up", "not: a space."),
        ("naïve", "not: ï."),
        ("<b>", "not: <, >."),
        ("行く $x^$", "not: 行, く, a space, $, ^."),
        ("a" * 31, "31 letters"),
    ],
)
def test_bad_input_gets_a_kind_sentence(verb, phrase):
    panel = converter(MODEL, ROWS)
    before = panel.image.value
    panel.controls["verb"].value = "x"
    panel.controls["verb"].value = verb
    assert phrase in panel.text
    assert panel.image.value != before
    assert panel.summary.value.count("<") == 2  # the paragraph's own
    panel.controls["verb"].value = "go"
    assert panel.text.startswith("go, read as")


def test_the_wanted_tense_stands_out():
    (axes,) = conversion_figure("went", 3, ("go", "goes", "going", "went"), 1).axes
    bold = [text.get_text() for text in axes.texts if text.get_weight() == "bold"]
    assert bold == ["third person"]


def test_the_journey_names_each_notebook():
    figure = journey_figure()
    shown = {text.get_text() for text in figure.axes[0].texts}
    assert {"01", "02", "03", "04", "05"} <= shown
    assert png(figure).startswith(b"\x89PNG")


FOLDER = Path(__file__).resolve().parent.parent / "notebooks"


def prose(name):
    """The text cells of a notebook."""
    notebook = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown"]


@pytest.mark.parametrize(
    "name", [path.stem for path in sorted(FOLDER.glob("*.ipynb")) if path.stem[:2] != "00"]
)
def test_the_map_has_the_minutes_that_each_notebook_states(name):
    own = re.search(r"read (\d+).* exercises (\d+)", prose(name)[0])
    assert own, "say: read N · run … · exercises N"
    line = rf"\({name}\.ipynb\) \|[^|]*\| (\d+) min \| (\d+) min \|"
    mapped = re.search(line, "\n".join(prose("00_start_here")))
    assert mapped
    assert mapped.groups() == own.groups()
