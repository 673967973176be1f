"""The converter of notebook 00, and the figures beside it."""

import json
import re
from pathlib import Path

import pytest
import torch

from labkit.inference import convert, decode_with_certainty
from labkit.language import ALPHABET, EOS, SOS
from labkit.model import new_model
from labkit.plots.start import conversion_figure, journey_figure
from labkit.plots.style import RED, png
from labkit.tables import load_tables
from labkit.widgets.start import converter

pytestmark = pytest.mark.slow

ROWS = load_tables().train
MODEL, OTHER = new_model(0), new_model(1)


def test_the_panel_shows_what_convert_gives():
    panel = converter({"by heart": (MODEL, ROWS), "taught": (OTHER, ROWS[:5])})
    assert f"becomes third person: {convert(MODEL, ['went'], 'p', 'tp')[0]}. All" in panel.text
    assert "(went stands in this model's list of 1,200 verbs.)" in panel.text
    panel.move(verb=" overlook ", source=0, target=2)
    wanted = convert(MODEL, ["overlook"], "sp", "pg")[0]
    told = f"overlook, read as simple present, becomes present progressive: {wanted}. All its forms"
    assert panel.text.startswith(told)
    assert "(overlook does not stand in this model's list of 1,200 verbs.)" in panel.text


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
    panel = converter({"by heart": (MODEL, ROWS), "taught": (OTHER, ROWS[:5])})
    before = panel.image.value
    panel.controls["verb"].value = "x"
    panel.controls["verb"].value = verb
    assert phrase in panel.text
    assert panel.image.value != before
    assert panel.summary.value.count("<") == 2  # the paragraph's own
    panel.controls["verb"].value = "go"
    assert panel.text.startswith("go, read as")


def test_the_switch_asks_another_model():
    panel = converter({"by heart": (MODEL, ROWS), "taught": (OTHER, ROWS[:5])})
    panel.move(model="taught", verb="go", source=0, target=3)
    assert f"becomes simple past: {convert(OTHER, ['go'], 'sp', 'p')[0]}. All" in panel.text
    assert "(go does not stand in this model's list of 5 verbs.)" in panel.text


FORMS = [("go", [1, 1, 1]), ("goes", [1, 1, 0.5, 1, 0.8]), ("going", [1] * 6), ("went", [1] * 5)]


def test_letters_that_are_not_sure_stand_out():
    (axes,) = conversion_figure("went", 3, FORMS, 1).axes
    [line] = [line for line in axes.lines if line.get_color() == RED]  # under the e of "goes"
    middle, width = 6.2, 0.602 * 14 / 72
    assert list(line.get_xdata()) == pytest.approx([middle, middle + width])
    assert [t.get_text() for t in axes.texts if t.get_text()[:2] in ("0.", "1.")] == [
        *("1.00", "0.40", "1.00", "1.00")
    ]


def test_certainties_are_the_softmax_of_what_was_written():
    z = torch.randn(3, 2 * MODEL.latent, generator=torch.Generator().manual_seed(0))
    MODEL.requires_grad_(False)
    for index, (word, chances) in enumerate(decode_with_certainty(MODEL, z, [0, 1, 2])):
        prefix = [SOS]
        for letter, chance in zip([*map(ALPHABET.find, word), EOS], chances, strict=False):
            logits = MODEL.decode(z[index][None], torch.tensor([index]), torch.tensor([prefix]))
            assert chance == pytest.approx(float(logits[0, -1].softmax(0).max()), rel=1e-4)
            prefix.append(letter if letter >= 0 else SOS)


def test_the_wanted_tense_stands_out():
    (axes,) = conversion_figure("went", 3, FORMS, 1).axes
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
