"""Figures and panels of notebook 04: schedules, live curves, training by a button, collapse."""

from __future__ import annotations

import threading
from dataclasses import fields, replace
from functools import partial
from io import BytesIO
from typing import Any

import ipywidgets as w
import numpy as np
import PIL.Image
import pytest

from labkit.config import TrialConfig
from labkit.measures.catalogue import Scores
from labkit.plots import curves
from labkit.plots import training as figures
from labkit.plots.style import png
from labkit.recipes import fast, fast_report
from labkit.report2021 import trial_configs
from labkit.runs import HistoryRow, Run, history_row
from labkit.schedules import KLSchedule
from labkit.sweeps import TrialResult
from labkit.tables import characters_a_word, load_tables, miniature
from labkit.training import Progress, train
from labkit.widgets import live
from labkit.widgets import training as panels
from labkit.widgets.live import LiveCurves, Trainer
from labkit.widgets.panel import Panel

pytestmark = pytest.mark.slow

TABLES = miniature(load_tables(), 9)
TINY = fast(epochs=2, batch_size=36, evaluate_every=1, evaluation_samples=2)


@pytest.fixture(autouse=True)
def no_final_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand samples of an untrained model take longer than all else here."""
    quick = partial(train, judge=lambda *_: TRIALS[0].honest)
    monkeypatch.setattr(live, "train", quick)


def row(step: int, epoch: int, value: float = 0.5) -> HistoryRow:
    numbers = {field.name: value for field in fields(HistoryRow)}
    return history_row({**numbers, "step": step, "epoch": epoch})


def result(name: str, config: TrialConfig, seed: int = 0, kl: float = 5.0) -> TrialResult:
    scores: Scores = {"protocol": "honest", "outputs": [], "bleu4": 0.9, "gaussian_score": 0.3}
    scores |= {"kl": kl, "nll": 3.0}
    history = [row(10 * (epoch + 1), epoch, kl) for epoch in range(config.epochs)]
    return TrialResult(name, seed, config, history, {"honest": scores}, seconds=60.0)


TRIALS = [
    result(name, replace(config, seed=seed), seed, kl=5.0 + seed)
    for name, config in trial_configs("fast").items()
    for seed in (0, 1)
]


def drawn(figure: Any) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.fixture
def panel() -> Panel:
    return panels.schedule_panel(TRIALS, TABLES)


@pytest.fixture
def run() -> Run:
    config = replace(TINY, kl=KLSchedule(0.01, shape="constant"))
    return train(config, TABLES, judge=lambda *_: TRIALS[0].honest)


# --- figures -------------------------------------------------------------------------------------


def test_epochs_are_counted_by_updates() -> None:
    history = [row(5, 0), row(10, 1), row(15, 1), row(16, 1)]  # 8 updates an epoch
    assert curves.epochs_done(history) == [5 / 8, 10 / 8, 15 / 8, 2.0]
    assert curves.epochs_done([row(75, 0), row(150, 1)]) == [1.0, 2.0]


def test_a_schedule_is_drawn_epoch_by_epoch_and_named() -> None:
    weights = {"one": [0.0, 0.1, 0.2], "two": [0.2, 0.1, 0.0]}
    figure = figures.schedule_figure(weights, {"down": [1.0, 0.9, 0.8]})
    left, right = figure.axes
    assert [list(patch.get_data().values) for patch in left.patches] == list(weights.values())  # type: ignore[attr-defined]
    assert len(right.patches) == 1
    assert [text.split()[-1] for text in drawn(figure)] == ["one", "two", "down"]


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_a_history_can_be_drawn_from_its_first_moment(rows: int) -> None:
    figure = figures.history_figure([row(i + 1, i) for i in range(rows)], epochs=10)
    assert png(figure)
    assert figure.axes[3].get_xlim() == (0, 10)


def test_the_nll_is_drawn_for_each_character_of_a_mean_word() -> None:
    assert characters_a_word([("go", "goes"), ("be", "been")]) == 4.0
    named = figures.history_figure([row(1, 0, 6.0)], characters=4.0)
    assert "-- teacher-forced NLL / 4.0" in drawn(named)
    heights: list[Any] = [line.get_ydata() for line in named.axes[1].lines]
    assert [height[0] for height in heights] == [6.0, 1.5]
    assert not any("NLL" in text for text in drawn(figures.history_figure([row(1, 0)])))


def test_every_trial_has_its_column_every_seed_its_line() -> None:
    figure = figures.trials_figure(TRIALS)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    titles = [title.replace("\n", " ") for title in titles if title.strip()]
    assert titles == list(trial_configs("fast"))
    heights: list[Any] = [line.get_ydata() for line in figure.axes[0].lines]
    assert [height[0] for height in heights] == [5.0, 6.0, 5.5]  # two seeds, and their mean
    assert png(figures.trials_figure(TRIALS[:1]))


def test_the_sliders_lines_lie_over_the_ready_picture() -> None:
    config = fast_report(0.4, 2)
    picture = np.full((round(4.6 * 144), 9 * 144, 4), 255, np.uint8)
    picture[::7, :, :3] = 0  # black lines, which a resampling would blur
    figure = figures.annealing_figure(config, picture, 0.12)
    weights = figure.axes[0].patches[0].get_data().values  # type: ignore[attr-defined]
    assert list(weights) == [config.kl_weight(epoch) for epoch in range(config.epochs)]
    right = np.asarray(PIL.Image.open(BytesIO(png(figure))))[:, 700:]  # beside both lines
    assert (right == picture[:, 700:]).all()


def test_rate_and_distortion_have_their_bound() -> None:
    texts = drawn(figures.rate_distortion_figure(TRIALS, verbs=1200))
    assert "≥ ln 1200 = 7.1" in texts[-1]
    assert [text[2:] for text in texts[:-1]] == list(trial_configs("fast"))


# --- live curves and the training button ---------------------------------------------------------


def test_live_curves_follow_a_training() -> None:
    curves = LiveCurves(TINY)
    empty = curves.image.value
    done = train(TINY, TABLES, judge=lambda *_: TRIALS[0].honest, on_progress=curves)
    assert curves.history == done.history
    assert curves.image.value != empty
    assert curves.bar.value == curves.bar.max == 2
    assert "2 of 2 updates" in curves.line.value
    curves.begin(TINY)
    assert curves.history == []
    assert curves.bar.value == 0


def test_the_button_trains_in_the_background() -> None:
    runs: list[Run] = []
    trainer = Trainer("train", lambda: TINY, TABLES, runs.append)
    assert trainer.live.layout.display == "none"
    trainer.start.click()
    assert trainer.thread is not None
    assert trainer.thread is not threading.current_thread()
    trainer.thread.join(60)
    assert "finished" in trainer.message.value
    assert len(runs) == 1
    assert runs[0].scores is not None
    assert trainer.live.layout.display is None
    assert (trainer.start.disabled, trainer.stop.disabled) == (False, True)


def test_stop_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer("train", lambda: replace(TINY, epochs=10_000), TABLES)
    under_way = threading.Event()
    monkeypatch.setattr(trainer, "live", Watch(under_way))
    trainer.start.click()
    assert under_way.wait(60)
    trainer.stop.click()
    assert trainer.thread is not None
    trainer.thread.join(60)
    assert not trainer.thread.is_alive()
    assert "stopped" in trainer.message.value


class Watch(w.VBox):
    """Live curves that only say that a training is under way."""

    def __init__(self, under_way: threading.Event) -> None:
        super().__init__()
        self.under_way = under_way

    def begin(self, config: TrialConfig) -> None: ...

    def __call__(self, progress: Progress) -> None:
        self.under_way.set()


def test_one_training_at_a_time() -> None:
    first, second = (Trainer("train", lambda: TINY, TABLES) for _ in range(2))
    with Trainer._one_at_a_time:
        second.start.click()
    assert second.thread is None
    assert "Another training is running" in second.message.value
    first.start.click()
    assert first.thread is not None
    first.thread.join(60)
    assert "finished" in first.message.value


def test_a_training_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer("train", lambda: TINY, TABLES)

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no memory left")

    monkeypatch.setattr(live, "train", fail)
    trainer.start.click()
    assert trainer.thread is not None
    trainer.thread.join(60)
    assert "RuntimeError: no memory left" in trainer.message.value
    assert not trainer.start.disabled
    with Trainer._one_at_a_time:
        pass  # free again


# --- the schedules -------------------------------------------------------------------------------


def test_sliders_begin_at_a_report_trial_and_every_one_redraws(panel: Panel) -> None:
    assert "Stored with just these settings: “ratio 0.8, 2 cycles”" in panel.text
    for name, control in panel.controls.items():
        if isinstance(control, w.FloatSlider | w.IntSlider):
            if name == "peak_weight":
                panel.controls["form"].value = "up, hold, down"
            before = panel.image.value
            control.value = control.min
            assert panel.image.value != before, name
            control.value = (control.min + control.max) / 2 if name != "cycles" else 3
    assert "The nearest stored trial" in panel.text


def test_the_summary_says_what_is_drawn(panel: Panel) -> None:
    panel.move(cycles=1, zero_share=0.5, final_weight=0.2, final_ratio=0.4)
    assert "zero in 52% of training" in panel.text  # of 60 epochs, 0 to 30 are at zero
    assert "at the end 0.193" in panel.text
    assert "“ratio 0.4, 1 cycle” (dashed), which ended at KL 5.5" in panel.text


def test_a_stored_trial_sets_the_sliders(panel: Panel) -> None:
    columns = panel.children[0].children
    recipe = columns[0].children[0]
    recipe.value = "fast"
    assert "Stored with just these settings: “fast”" in panel.text
    assert panel.controls["form"].value == "up, hold, down"
    assert panel.controls["peak_weight"].value == fast().kl.peak_weight
    panel.controls["peak_weight"].value += 1e-15  # as a browser sends it back
    assert "Stored with just these settings: “fast”" in panel.text
    recipe.value = "ratio 0.4, 1 cycle"
    assert "Stored with just these settings: “ratio 0.4, 1 cycle”" in panel.text


def test_sliders_of_the_plateau_are_there_when_it_is(panel: Panel) -> None:
    left = panel.children[0].children[0].children
    assert [row.layout.display for row in left[-3:]] == ["none"] * 3
    panel.controls["form"].value = "up, hold, down"
    assert [row.layout.display for row in left[-3:]] == [None] * 3


def test_any_setting_of_the_sliders_can_be_trained(panel: Panel) -> None:
    trainer = panel.children[-1]
    panel.move(form="up, hold, down", zero_share=0.6, cycles=6)
    assert trainer.config().kl.rise_end == trainer.config().kl.fall_start == 0.6  # pushed along
    panel.controls["fall_start"].value = 0.05
    assert trainer.config().kl.zero_share == trainer.config().kl.rise_end == 0.05
    panel.move(final_weight=0.0, final_ratio=0.0)
    assert trainer.config().kl.final_weight == 0


def test_the_nearest_trial_is_near() -> None:
    for name, config in trial_configs("fast").items():
        assert {r.name for r in panels._nearest(replace(config, epochs=61), TRIALS)} == {name}
    steep = fast_report(0.75, kl=KLSchedule(0.12, cycles=2))
    assert panels._nearest(steep, TRIALS)[0].name == "ratio 0.8, 2 cycles"


# --- collapse ------------------------------------------------------------------------------------


def test_the_collapse_panel_points_at_a_run_and_adds_runs(run: Run) -> None:
    panel = panels.collapse_panel([run], TABLES, indifferent=0.12)
    assert "the one with w = 0.01 is nearest" in panel.text
    assert f"{TABLES.train[0][0]} →" in panel.text
    before = panel.image.value
    panel.controls["weight"].value = 0.2
    assert panel.image.value != before
    assert "w = 0.01 is nearest" in panel.text
    trainer = panel.children[-1]
    trainer.start.click()
    trainer.thread.join(60)
    assert "finished" in trainer.message.value
    assert "w = 0.2 is nearest" in panel.text
