"""The figures of notebook 02 show what they are given."""

import pytest
import torch
from matplotlib.patches import Rectangle

from labkit.batches import WordSet, make_batch
from labkit.plots import data as figures
from labkit.plots.style import png
from labkit.tables import load_tables

pytestmark = pytest.mark.slow

TRAIN = load_tables().train


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_encoder_and_decoder_read_what_they_should():
    (axes,) = figures.reading_and_writing_figure("go").axes
    assert texts(axes) == [
        *("encoder reads", "g", "6", "o", "14", "EOS", "27"),
        *("decoder reads", "SOS", "26", "g", "6", "o", "14"),
        *("decoder should write", "g", "6", "o", "14", "EOS", "27"),
        *("", "", ""),  # the arrows
    ]


def test_histogram_counts_every_verb_and_writes_the_mean():
    figure = figures.length_histogram_figure(TRAIN)
    for tense, axes in enumerate(figure.axes):
        bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
        assert sum(bar.get_height() for bar in bars) == len(TRAIN)
        mean = sum(len(row[tense]) for row in TRAIN) / len(TRAIN)
        assert f"mean {mean:.1f}" in texts(axes)[0]


def test_padding_is_hatched_and_counted():
    batches = {"two": make_batch(["go", "going"], [0, 2]), "one": make_batch(["a"], [0])}
    two, one = figures.padded_batches_figure(batches).axes
    boxes = [patch for patch in two.patches if isinstance(patch, Rectangle)]
    assert [bool(box.get_hatch()) for box in boxes] == [False] * 3 + [True] * 3 + [False] * 6
    assert two.get_title(loc="left") == "two\n3 of 12 cells are padding"
    assert one.get_title(loc="left") == "one\n0 of 2 cells are padding"


def test_figures_can_be_drawn():
    words = WordSet(TRAIN[:20])
    batch = next(words.batches(4, torch.Generator().manual_seed(0)))
    for figure in (
        figures.reading_and_writing_figure("misunderstanding"),
        figures.length_histogram_figure(TRAIN[:1]),
        figures.padded_batches_figure({"a batch": batch}),
    ):
        assert png(figure).startswith(b"\x89PNG")
