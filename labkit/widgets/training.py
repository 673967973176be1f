"""Panels of notebook 04: the schedules, and a posterior collapse at will."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import mean
from typing import Any, TypeVar

import ipywidgets as w
import numpy as np
from matplotlib.figure import Figure

from labkit.config import TrialConfig
from labkit.inference import convert
from labkit.plots.training import annealing_backdrop, annealing_figure, collapse_figure
from labkit.recipes import fast
from labkit.runs import Run
from labkit.schedules import SHAPES, ForcingSchedule, KLSchedule
from labkit.sweeps import TrialResult, by_name
from labkit.tables import Tables
from labkit.widgets.live import Trainer
from labkit.widgets.panel import Panel, dropdown, float_slider, int_slider

Schedule = TypeVar("Schedule", KLSchedule, ForcingSchedule)

# A run on `miniature` tables that shows the whole story in about half a minute.
SHORT: dict[str, Any] = {
    "epochs": 60,
    "batch_size": 32,
    "history_rows": 24,
    "evaluation_samples": 50,
}

_UP, _UP_HOLD_DOWN = "up (the report's)", "up, hold, down"
_ONLY_WITH_HOLD = ("peak_weight", "rise_end", "fall_start")
_IN_TIME = ("zero_share", "rise_end", "fall_start")  # these three rise in this order


def schedule_panel(results: Sequence[TrialResult], tables: Tables) -> SchedulePanel:
    """Both schedules under sliders, the nearest stored trial beside them, and a training button.

    tables: small ones, for the short training (`miniature`).
    """
    return SchedulePanel(results, tables)


class SchedulePanel(Panel):
    """What `schedule_panel` makes."""

    def __init__(self, results: Sequence[TrialResult], tables: Tables) -> None:
        self._results = list(results)
        self._backdrops: dict[tuple[str, float], np.ndarray] = {}
        sliders = _sliders()
        # Panel and its number fields watch the sliders from `super().__init__` on. What keeps them
        # in order watches before: so the others never see them out of order.
        self._in_time = [sliders[name] for name in _IN_TIME]
        for slider in self._in_time:
            slider.observe(self._keep_order, names="value")
        super().__init__(self._draw_schedules, sliders)

        self.recipe = dropdown("sliders as in", ["…", *by_name(results)], "…")
        _narrow(self.recipe, "380px")
        self.trainer = Trainer("train with this schedule", self.config, tables)
        left = [self.recipe, *self._rows_of("form", "shape", *_ONLY_WITH_HOLD)]
        right = self._rows_of("cycles", "zero_share", "final_weight", "final_ratio")
        sides = w.HBox([w.VBox(left), w.VBox(right)])
        self.children = (sides, self.image, self.summary, self.trainer)
        sliders["form"].observe(self._follow_form, names="value")
        self.recipe.observe(self._follow_recipe, names="value")
        self._follow_form()

    def config(self) -> TrialConfig:
        """The short run that the sliders stand for."""
        return _short(**{name: control.value for name, control in self.controls.items()})

    def _draw_schedules(self, **values: Any) -> tuple[Figure, str]:
        wanted = _short(**values)
        stored = _nearest(wanted, self._results)
        heaviest = _scale_for(wanted, stored[0].config)
        key = (stored[0].name, heaviest)
        if key not in self._backdrops:
            self._backdrops[key] = annealing_backdrop(stored, heaviest)
        figure = annealing_figure(wanted, self._backdrops[key], heaviest)
        return figure, _summary(wanted, stored)

    def _keep_order(self, change: dict[str, Any]) -> None:
        """Each pushes its neighbour along, who pushes the next."""
        index = self._in_time.index(change["owner"])
        if index > 0:
            before = self._in_time[index - 1]
            before.value = min(before.value, change["new"])
        if index < len(self._in_time) - 1:
            after = self._in_time[index + 1]
            after.value = max(after.value, change["new"])

    def _follow_form(self, _change: object = None) -> None:
        hidden = self.controls["form"].value == _UP
        for row in self._rows_of(*_ONLY_WITH_HOLD):
            row.layout.display = "none" if hidden else None

    def _follow_recipe(self, change: dict[str, Any]) -> None:
        chosen = by_name(self._results).get(change["new"])
        if chosen is not None:
            self.move(**_values(chosen[0].config))

    def _rows_of(self, *names: str) -> list[w.Widget]:
        return [self.rows[name] for name in names]


def _sliders() -> dict[str, w.Widget]:
    """The controls of the schedules, narrow enough for two columns."""
    sliders: dict[str, w.Widget] = {
        "form": dropdown("form", [_UP, _UP_HOLD_DOWN], _UP),
        "shape": dropdown("shape", list(SHAPES), "linear"),
        "cycles": int_slider("cycles", 2, 1, 6),
        "zero_share": float_slider("share at zero", 0.2, 0, 0.6, 0.05),
        "final_weight": float_slider("final weight", 0.1, 0, 0.3, 0.005),
        "final_ratio": float_slider("final ratio", 0.8, 0, 1, 0.05),
        "peak_weight": float_slider("peak weight", 0.1, 0.005, 0.3, 0.005),
        "rise_end": float_slider("top from", 0.3, 0, 0.95, 0.05),
        "fall_start": float_slider("down from", 0.6, 0.05, 0.95, 0.05),
    }
    for name, slider in sliders.items():
        _narrow(slider, "380px" if name in ("form", "shape") else "290px")
    return sliders


def _narrow(control: w.Widget, width: str) -> None:
    control.layout, control.style.description_width = w.Layout(width=width), "100px"


def _short(
    form: str,
    shape: str,
    cycles: int,
    zero_share: float,
    final_weight: float,
    final_ratio: float,
    peak_weight: float,
    rise_end: float,
    fall_start: float,
) -> TrialConfig:
    """The short run that the sliders stand for."""
    kl = KLSchedule(final_weight, cycles, shape, zero_share)
    if form == _UP_HOLD_DOWN:
        kl = replace(kl, peak_weight=peak_weight, rise_end=rise_end, fall_start=fall_start)
    return fast(kl=kl, forcing=ForcingSchedule(final_ratio), **SHORT)


def _values(config: TrialConfig) -> dict[str, Any]:
    """The sliders' values for a configuration."""
    kl = config.kl
    values = {
        "form": _UP if kl.peak_weight is None else _UP_HOLD_DOWN,
        "shape": kl.shape,
        "cycles": kl.cycles,
        "zero_share": kl.zero_share,
        "final_weight": kl.final_weight,
        "final_ratio": config.forcing.final_ratio,
    }
    if kl.peak_weight is not None:
        values |= {name: getattr(kl, name) for name in _ONLY_WITH_HOLD}
    return values


def _scale_for(*configs: TrialConfig) -> float:
    """Where the axis of KL weights ends: few choices, so that it rests while one drags."""
    highest = max(config.kl_weight(epoch) for config in configs for epoch in range(config.epochs))
    return next((scale for scale in (0.12, 0.2, 0.32) if highest <= scale), highest)


def _nearest(config: TrialConfig, results: Sequence[TrialResult]) -> list[TrialResult]:
    """All seeds of the stored trial whose two schedules differ least, on average over a run."""

    def distance(group: list[TrialResult]) -> float:
        other, total = group[0].config, 0.0
        for share in range(100):
            mine, theirs = share * config.epochs // 100, share * other.epochs // 100
            total += abs(config.kl_weight(mine) - other.kl_weight(theirs)) / 0.1
            total += abs(config.teacher_forcing_ratio(mine) - other.teacher_forcing_ratio(theirs))
        return total

    return min(by_name(results).values(), key=distance)


def _summary(config: TrialConfig, stored: Sequence[TrialResult]) -> str:
    weights = [config.kl_weight(epoch) for epoch in range(config.epochs)]
    same = _rounded(config) == _rounded(stored[0].config)
    at_zero = sum(weight == 0 for weight in weights) / len(weights)
    ends = {
        name: mean(result.honest[name] for result in stored)
        for name in ("kl", "nll", "bleu4", "gaussian_score")
    }
    return (
        f"KL weight: zero in {at_zero:.0%} of training, at most {max(weights):.3f}, at the end "
        f"{weights[-1]:.3f}; ratio at the end {config.teacher_forcing_ratio(len(weights) - 1):.2f}."
        f" {'Stored with just these settings' if same else 'The nearest stored trial'}: "
        f"“{stored[0].name}” (dashed), which ended at KL {ends['kl']:.1f}, NLL {ends['nll']:.1f} "
        f"nats a word, BLEU-4 {ends['bleu4']:.2f}, Gaussian score {ends['gaussian_score']:.2f}."
    )


def _rounded(config: TrialConfig) -> tuple[KLSchedule, ForcingSchedule]:
    """Both schedules, rounded: a browser sends 0.105 back as 0.10500000000000001."""
    return _round_fields(config.kl), _round_fields(config.forcing)


def _round_fields(schedule: Schedule) -> Schedule:
    numbers: dict[str, Any] = {k: v for k, v in vars(schedule).items() if isinstance(v, float)}
    return replace(schedule, **{name: round(number, 6) for name, number in numbers.items()})


def collapse_panel(runs: Sequence[Run], tables: Tables, indifferent: float) -> Panel:
    """A slider over the KL weight, the runs so far, and a button that adds one.

    runs: trained on `tables`, with a constant KL weight each.  indifferent: the weight of β = 1.
    """
    kept = list(runs)
    words = [row[0] for row in tables.train[:4]]
    slider = float_slider("KL weight w", 0.05, 0.005, 0.3, 0.005)

    def config() -> TrialConfig:
        return replace(runs[0].config, kl=replace(runs[0].config.kl, final_weight=slider.value))

    def draw(weight: float) -> tuple[Figure, str]:
        run = min(reversed(kept), key=lambda run: abs(run.config.kl.final_weight - weight))
        written = convert(run.model, words, 0, 0)
        pairs = ", ".join(f"{word} → {out}" for word, out in zip(words, written, strict=True))
        text = (
            f"Of the runs so far, the one with w = {run.config.kl.final_weight:g} is nearest: it "
            f"ended at KL {run.history[-1].kl:.2f} nats a word. Asked to copy, it writes "
            f"{pairs}."
        )
        return collapse_figure(kept, weight, indifferent), text

    def keep(run: Run) -> None:
        kept.append(run)
        panel.redraw()

    trainer = Trainer("train with this w", config, tables, keep)
    panel = Panel(draw, {"weight": slider})
    panel.children = (*panel.children, trainer)
    return panel
