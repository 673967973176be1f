"""labkit.config and labkit.recipes: settings, their checks, their files, and our presets."""

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit import recipes
from labkit.config import TrialConfig
from labkit.recipes import choose, fast, fast_report, report, thorough
from labkit.schedules import ForcingSchedule, KLSchedule
from labkit.tables import load_tables


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"epochs": 1.5}, "epochs must be a whole number"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"learning_rate": 0}, "learning_rate must be above 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be finite"),
        ({"optimizer": "adam"}, "'sgd' or 'adamw'"),
        ({"kl": KLSchedule(cycles=3), "epochs": 2}, r"kl.cycles must be between 1 and epochs \(2"),
        ({"evaluate_every": 0}, "evaluate_every and history_rows must be at least 1"),
        ({"evaluate_every": None, "history_rows": 0}, "must be at least 1"),
        ({"evaluate_every": 5, "history_rows": 5}, "give evaluate_every or history_rows"),
        ({"evaluate_every": None}, "give evaluate_every or history_rows"),
        ({"evaluation_samples": 0}, "evaluation_samples must be at least 1"),
        ({"weight_decay": -0.1}, "weight_decay must not be negative"),
        ({"clip_norm": 0}, "clip_norm must be above 0"),
        ({"warmup_share": 1.5}, "warmup_share must be between 0 and 1"),
    ],
)
def test_impossible_settings_are_refused_in_one_sentence(changes, message):
    with pytest.raises(ValueError, match=f"^TrialConfig: .*{message}"):
        TrialConfig(**changes)


@pytest.mark.parametrize("config", [TrialConfig(), fast(), thorough(seed=3), report(0.4, 1)])
def test_json_holds_all_settings(config):
    assert TrialConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_settings_of_the_first_labkit_are_read():
    """Its config.json named all of them in one list."""
    old = {
        **{"seed": 2, "epochs": 10, "batch_size": 128, "optimizer": "adamw"},
        **{"learning_rate": 0.008, "warmup_share": 0.05, "weight_decay": 0.05, "clip_norm": 1.0},
        **{"kl_final_weight": 0.025, "kl_cycles": 2, "kl_shape": "cosine", "kl_zero_share": 0.05},
        **{"kl_rise_end": 0.15, "kl_peak_weight": 0.105, "kl_fall_start": 0.2},
        **{"final_teacher_forcing_ratio": 0.9, "teacher_forcing_full_share": 0.1},
        **{"evaluate_every": 76, "evaluation_samples": 100},
    }
    kl = KLSchedule(0.025, 2, "cosine", 0.05, 0.15, 0.105, 0.2)
    assert TrialConfig.from_json(old) == fast(
        seed=2, epochs=10, kl=kl, forcing=ForcingSchedule(0.9, 0.1), evaluate_every=76
    )


@pytest.mark.parametrize("content", [None, [], {"epoch": 3}, {"kl": {"peak": 1}}, {"kl": 3}])
def test_what_is_no_settings(content):
    with pytest.raises((TypeError, ValueError)):
        TrialConfig.from_json(content)


@given(st.integers(1, 500), st.integers(1, 60))
def test_rows_are_spread_evenly_and_the_last_update_has_one(steps, rows):
    config = fast(history_rows=rows)
    due = [step for step in range(1, steps + 1) if config.completes_a_row(step, steps)]
    assert due[-1] == steps and len(due) == min(rows, steps)
    gaps = {after - before for before, after in zip([0, *due], due, strict=False)}
    assert max(gaps) - min(gaps) <= 1


# --- presets -------------------------------------------------------------------------------------


def test_the_report_preset_is_the_reports_recipe():
    config = report(0.4, 1)
    assert config == TrialConfig(kl=KLSchedule(cycles=1), forcing=ForcingSchedule(0.4))
    assert (config.batch_size, config.optimizer, config.learning_rate) == (1, "sgd", 0.05)
    assert (config.epochs, config.evaluate_every, config.kl.final_weight) == (150, 500, 0.1)
    assert (config.warmup_share, config.clip_norm) == (None, None)


def test_fast_has_twenty_rows_as_many_as_before_on_our_table():
    config = fast()
    updates = config.epochs * math.ceil(4 * len(load_tables().train) / config.batch_size)
    due = [step for step in range(1, updates + 1) if config.completes_a_row(step, updates)]
    assert due == [*range(76, updates + 1, 76)] and len(due) == 20


def test_a_preset_counts_rows_one_way_at_a_time():
    assert fast(evaluate_every=7).history_rows is None
    assert report(history_rows=7).evaluate_every is None
    assert thorough(seed=1).history_rows == 33


def test_the_reports_schedules_with_our_optimiser():
    ours, theirs = fast_report(0.4, 1), report(0.4, 1)
    assert (ours.kl, ours.forcing) == (theirs.kl, theirs.forcing)
    assert dataclasses.replace(ours, kl=fast().kl, forcing=fast().forcing) == fast()


@pytest.mark.parametrize(
    ("options", "config", "name"),
    [
        (("fast", {}), fast(), "fast-seed-0"),
        (("thorough", {"seed": 2}), thorough(seed=2), "thorough-seed-2"),
        (("report", {}), report(), "report-seed-0"),
        (("report", {"cycles": 1}), report(0.8, 1), "report-seed-0-cycles-1"),
        (("fast", {"cycles": 1}), fast_report(0.8, 1), "fast-seed-0-cycles-1"),
        (("fast", {"final_ratio": 0.0}), fast_report(0.0, 2), "fast-seed-0-ratio-0.0"),
        (("report", {"epochs": 1}), report(0.8, 1, epochs=1), "report-seed-0-epochs-1"),
        (("fast", {"epochs": 3}), fast(epochs=3), "fast-seed-0-epochs-3"),
    ],
)
def test_options_choose_among_the_presets(options, config, name):
    preset, others = options
    assert choose(preset, **others) == (config, name)


def test_every_preset_can_be_made():
    assert all(
        isinstance(preset.recipe(seed=4), TrialConfig) for preset in recipes.PRESETS.values()
    )
