"""The figures of notebook 03 and its panel."""

from __future__ import annotations

import time

import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text

from labkit.inference import convert
from labkit.language import ENGLISH, EOS
from labkit.model import CVAE, new_model
from labkit.plots import model as figures
from labkit.plots.style import png
from labkit.tables import Row
from labkit.widgets.model import choices, writing_panel

pytestmark = pytest.mark.slow

ROWS: list[Row] = [
    ("walk", "walks", "walking", "walked"),
    ("sing", "sings", "singing", "sang"),
]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


@pytest.fixture(scope="module")
def model() -> CVAE:
    return new_model(4)


def test_the_drawings_name_every_size() -> None:
    whole = " ".join(texts(figures.architecture_figure("sang", "p", "singing", "pg")))
    for part in ("“sang”", "“singing”", "mean μ\n32", "log σ²\n32", "40→256", "248 zeros + 8"):
        assert part in whole
    encoder = texts(figures.encoder_figure("go", "sp"))
    assert [text for text in encoder if text in ("g", "o", "SOS", "EOS")] == ["g", "o", "EOS"]
    assert encoder.count("LSTM") == 3
    decoder = texts(figures.decoder_figure("go", "sp"))
    assert decoder.count("SOS") == decoder.count("EOS") == 1
    assert decoder.count("g") == decoder.count("o") == 2  # written, then read
    assert decoder.count("28") == 3


def test_the_largest_part_stands_on_top() -> None:
    figure = figures.parameters_figure({"small": 32, "large": 526_336, "middle": 7168})
    widths = [bar.get_width() for bar in figure.axes[0].patches]  # type: ignore[attr-defined]
    assert widths == [32, 7168, 526_336]
    assert {"526,336", "7,168", "32"} <= set(texts(figure))


def test_every_line_of_the_smoke_test_is_labelled() -> None:
    losses = {"right": [3.0, 0.1, 0.001], "blind": [3.0, 0.2, 0.001], "stuck": [3.0, 0.2, 0.1]}
    figure = figures.smoke_figure(losses, 0.1, "floor")
    assert {"right", "blind", "stuck", "floor"} <= set(texts(figure))
    assert len({line.get_linestyle() for line in figure.axes[0].lines[:3]}) == 3


def test_conversions_are_marked_right_copied_or_wrong() -> None:
    copies: list[Row] = [(word,) * 4 for row in ROWS for word in row]
    copies[0] = ("walk", "walks", "walk", "wolk")
    right = [row for row in ROWS for _ in row]
    found = texts(figures.conversions_figure(ROWS, {"one": copies, "other": right}))
    assert [t for t in found if t.endswith("wolk")] == ["✗ wolk"]
    assert sum(t.startswith("✓ ") for t in found) == 8 + 1 + 32
    assert sum(t.startswith("= ") for t in found) == 24 - 2


def test_choices_are_those_of_a_greedy_word(model: CVAE) -> None:
    written, probabilities = choices(model, "sang", 3, 2)
    assert probabilities.shape == (len(written), 28)
    assert torch.allclose(probabilities.sum(dim=1), torch.ones(len(written)))
    assert probabilities.argmax(dim=1).tolist() == written
    word = "".join(ENGLISH.symbols[token] for token in written if token != EOS)
    assert word.replace("SOS", "^") == convert(model, ["sang"], 3, 2)[0]


def test_the_panel_follows_its_controls(model: CVAE) -> None:
    panel = writing_panel({"one": model, "other": new_model(1)}, ROWS)
    assert "other: reads “walk”, writes it in the present progressive. Step 1" in panel.text
    seen = {panel.text: panel.image.value}
    for name, value in (("step", 3), ("word", ("sang", 3)), ("target", 0), ("model", "one")):
        panel.controls[name].value = value
        seen[panel.text] = panel.image.value
    assert len(seen) == len(set(seen.values())) == 5
    assert "one: reads “sang”, writes it in the simple present. Step 3" in panel.text
    assert "Panel(model, word, target, step): one: reads" in repr(panel)


def test_a_step_behind_the_end_of_a_word_shows_its_end() -> None:
    model = new_model(4)
    with torch.no_grad():
        model.decoder.output.bias[EOS] = 1e4  # it ends every word at once
    panel = writing_panel({"silent": model}, ROWS)
    for step in (1, 8):
        panel.controls["step"].value = step
        assert "Step 1: after SOS it is 100% sure of EOS. The word is finished: “”." in panel.text


def test_a_redraw_is_quick(model: CVAE) -> None:
    panel = writing_panel({"one": model}, ROWS)
    seconds = []
    for _ in range(5):
        start = time.process_time()
        panel.redraw()
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.5


def test_figures_become_pictures() -> None:
    assert png(figures.decoder_figure("underlining", "pg")).startswith(b"\x89PNG")
