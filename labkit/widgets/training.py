"""Panels of notebook 04: the schedules, and a posterior collapse at will."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from statistics import mean
from typing import Any

import ipywidgets as w
from matplotlib.figure import Figure

from labkit.config import TrialConfig, fast_report
from labkit.data import Tables
from labkit.inference import convert
from labkit.plots.training import annealing_backdrop, annealing_figure, collapse_figure
from labkit.runs import Run
from labkit.trials import TrialResult
from labkit.widgets.live import Trainer
from labkit.widgets.panel import Panel, dropdown, float_slider, int_slider

# A run on `trials.miniature` tables that shows the whole story in about half a minute.
SHORT: dict[str, Any] = {
    "epochs": 60,
    "batch_size": 32,
    "evaluate_every": 20,
    "evaluation_samples": 50,
}


_UP, _UP_HOLD_DOWN = "up (the report's)", "up, hold, down"
_ONLY_WITH_HOLD = ("peak_weight", "rise_end", "fall_start")


def schedule_panel(results: Sequence[TrialResult], tables: Tables) -> Panel:
    """Both schedules under sliders, the nearest stored trial beside them, and a training button.

    tables: small ones, for the short training (`trials.miniature`).
    """
    controls: dict[str, w.Widget] = {
        "form": dropdown("form", [_UP, _UP_HOLD_DOWN], _UP),
        "shape": dropdown("shape", ["linear", "cosine", "sigmoid", "constant"], "linear"),
        "cycles": int_slider("cycles", 2, 1, 6),
        "zero_share": float_slider("share at zero", 0.2, 0, 0.6, 0.05),
        "final_weight": float_slider("final weight", 0.1, 0, 0.3, 0.005),
        "final_ratio": float_slider("final ratio", 0.8, 0, 1, 0.05),
        "peak_weight": float_slider("peak weight", 0.1, 0.005, 0.3, 0.005),
        "rise_end": float_slider("top from", 0.3, 0, 0.95, 0.05),
        "fall_start": float_slider("down from", 0.6, 0.05, 0.95, 0.05),
    }
    names = list(dict.fromkeys(result.name for result in results))
    recipe = dropdown("sliders as in", ["…", *names], "…")
    for name, control in controls.items():  # before Panel puts number fields beside them
        narrow = name not in ("form", "shape")
        control.layout = w.Layout(width="290px" if narrow else "380px")
        control.style.description_width = "100px"
    recipe.layout, recipe.style.description_width = w.Layout(width="380px"), "100px"

    def config() -> TrialConfig:
        return _short(**{name: control.value for name, control in controls.items()})

    backdrops: dict[tuple[str, float], Any] = {}

    def draw(**values: Any) -> tuple[Figure, str]:
        wanted = _short(**values)
        stored = _nearest(wanted, results)
        heaviest = _scale_for(wanted, stored[0].config)
        key = (stored[0].name, heaviest)
        if key not in backdrops:
            backdrops[key] = annealing_backdrop(stored, heaviest)
        return annealing_figure(wanted, backdrops[key], heaviest), _summary(wanted, stored)

    in_time = [controls[name] for name in ("zero_share", "rise_end", "fall_start")]

    def keep_order(change: dict[str, Any]) -> None:
        place = in_time.index(change["owner"])
        if place > 0:  # each pushes its neighbour along, who pushes the next
            in_time[place - 1].value = min(in_time[place - 1].value, change["new"])
        if place < 2:
            in_time[place + 1].value = max(in_time[place + 1].value, change["new"])

    for control in in_time:  # before Panel watches them, so that it never sees them out of order
        control.observe(keep_order, names="value")
    trainer = Trainer("train with this schedule", config, tables)
    panel = Panel(draw, controls)
    rows = dict(zip(controls, panel.children, strict=False))

    def follow_form(_change: object = None) -> None:
        for name in _ONLY_WITH_HOLD:
            hidden = controls["form"].value == _UP
            rows[name].layout.display = "none" if hidden else None

    def follow_recipe(change: dict[str, Any]) -> None:
        chosen = next((r.config for r in results if r.name == change["new"]), None)
        if chosen is not None:
            panel.move(**_values(chosen))

    controls["form"].observe(follow_form, names="value")
    recipe.observe(follow_recipe, names="value")
    follow_form()
    left = [recipe, *(rows[name] for name in ("form", "shape"))]
    left += [rows[name] for name in _ONLY_WITH_HOLD]
    right = [rows[name] for name in ("cycles", "zero_share", "final_weight", "final_ratio")]
    panel.children = (w.HBox([w.VBox(left), w.VBox(right)]), panel.image, panel.summary, trainer)
    return panel


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
    config = replace(
        fast_report(final_ratio, cycles, **SHORT),
        kl_shape=shape,
        kl_zero_share=zero_share,
        kl_final_weight=final_weight,
    )
    if form == _UP:
        return config
    return replace(
        config, kl_peak_weight=peak_weight, kl_rise_end=rise_end, kl_fall_start=fall_start
    )


def _values(config: TrialConfig) -> dict[str, Any]:
    """The sliders' values for a configuration."""
    values = {
        "form": _UP if config.kl_peak_weight is None else _UP_HOLD_DOWN,
        "shape": config.kl_shape,
        "cycles": config.kl_cycles,
        "zero_share": config.kl_zero_share,
        "final_weight": config.kl_final_weight,
        "final_ratio": config.final_teacher_forcing_ratio,
    }
    if config.kl_peak_weight is not None:
        values |= {"peak_weight": config.kl_peak_weight}
        values |= {"rise_end": config.kl_rise_end, "fall_start": config.kl_fall_start}
    return values


def _scale_for(*configs: TrialConfig) -> float:
    """Where the axis of KL weights ends: few choices, so that it rests while one drags."""
    highest = max(config.kl_weight(epoch) for config in configs for epoch in range(config.epochs))
    return next(scale for scale in (0.12, 0.2, 0.32) if highest <= scale)


def _nearest(config: TrialConfig, results: Sequence[TrialResult]) -> list[TrialResult]:
    """All seeds of the stored trial whose two schedules differ least, on average over a run."""

    def distance(result: TrialResult) -> float:
        other, total = result.config, 0.0
        for share in range(100):
            mine, theirs = share * config.epochs // 100, share * other.epochs // 100
            total += abs(config.kl_weight(mine) - other.kl_weight(theirs)) / 0.1
            total += abs(config.teacher_forcing_ratio(mine) - other.teacher_forcing_ratio(theirs))
        return total

    name = min({result.name: result for result in results}.values(), key=distance).name
    return [result for result in results if result.name == name]


def _summary(config: TrialConfig, stored: Sequence[TrialResult]) -> str:
    weights = [config.kl_weight(epoch) for epoch in range(config.epochs)]
    same = _schedule(config) == _schedule(stored[0].config)
    at_zero = sum(weight == 0 for weight in weights) / len(weights)
    ends = {
        name: mean(getattr(result.honest, name) for result in stored)
        for name in ("kl", "nll", "bleu4", "gaussian_score")
    }
    return (
        f"KL weight: zero in {at_zero:.0%} of training, at most {max(weights):.3f}, at the end "
        f"{weights[-1]:.3f}; ratio at the end {config.teacher_forcing_ratio(len(weights) - 1):.2f}."
        f" {'Stored with just these settings' if same else 'The nearest stored trial'}: "
        f"“{stored[0].name}” (dashed), which ended at KL {ends['kl']:.1f}, NLL {ends['nll']:.1f} "
        f"nats a word, BLEU-4 {ends['bleu4']:.2f}, Gaussian score {ends['gaussian_score']:.2f}."
    )


def _schedule(config: TrialConfig) -> dict[str, Any]:
    """Both schedules. Rounded, as a browser sends 0.105 back as 0.10500000000000001."""
    settings = asdict(config).items()
    schedule = {k: v for k, v in settings if k.startswith("kl_") or "teacher" in k}
    return {k: round(v, 6) if isinstance(v, float) else v for k, v in schedule.items()}


def collapse_panel(runs: Sequence[Run], tables: Tables, indifferent: float) -> Panel:
    """A slider over the KL weight, the runs so far, and a button that adds one.

    runs: trained on `tables`, with a constant KL weight each.  indifferent: the weight of β = 1.
    """
    kept = list(runs)
    words = [row[0] for row in tables.train[:4]]
    slider = float_slider("KL weight w", 0.05, 0.005, 0.3, 0.005)

    def config() -> TrialConfig:
        return replace(runs[0].config, kl_final_weight=slider.value)

    def draw(weight: float) -> tuple[Figure, str]:
        run = min(reversed(kept), key=lambda run: abs(run.config.kl_final_weight - weight))
        written = convert(run.model, words, "sp", "sp")
        pairs = ", ".join(f"{word} → {out}" for word, out in zip(words, written, strict=True))
        text = (
            f"Of the runs so far, the one with w = {run.config.kl_final_weight:g} is nearest: it "
            f"ended at KL {run.history[-1]['kl']:.2f} nats a word. Asked to copy, it writes "
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
