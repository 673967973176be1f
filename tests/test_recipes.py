"""Which settings a command's options stand for, and how long a list's training is."""

from __future__ import annotations

import math

import pytest

from labkit import recipes
from labkit.report2021 import REPORT_RESULTS, schedule_of, trial_configs
from labkit.schedules import KLSchedule


def updates(config: recipes.TrialConfig, words: int) -> int:
    return config.epochs * math.ceil(words / config.batch_size)


def test_without_options_a_preset_is_itself_on_our_own_list() -> None:
    for name, preset in recipes.PRESETS.items():
        assert recipes.choose(name) == (preset.recipe(), f"{name}-seed-0")


@pytest.mark.parametrize("preset", ["fast", "thorough"])
@pytest.mark.parametrize("words", [40, 240, 1_200, 4_800, 12_000])
def test_every_list_gets_about_as_many_updates(preset: str, words: int) -> None:
    wanted = updates(recipes.PRESETS[preset].recipe(), recipes.OUR_WORDS)
    found = updates(recipes.choose(preset, words=words)[0], words)
    assert 0.9 * wanted < found < 1.35 * wanted


def test_a_long_list_keeps_enough_epochs_for_its_schedules() -> None:
    config, _ = recipes.choose("fast", words=80_000)
    assert config.epochs == 20
    assert max(map(config.kl_weight, range(20))) > 0.1  # the plateau is there


def test_the_reports_recipe_keeps_its_own_length() -> None:
    assert recipes.choose("report", words=240)[0] == recipes.report()


def test_epochs_that_are_given_are_kept() -> None:
    assert recipes.choose("fast", words=240, epochs=7)[0].epochs == 7
    assert recipes.choose("report", epochs=1)[0].kl.cycles == 1


def test_cycles_and_ratio_choose_the_reports_schedules() -> None:
    config, name = recipes.choose("thorough", cycles=1, final_ratio=0.4, seed=3)
    assert schedule_of(config) == (0.4, 1)
    assert (config.optimizer, config.epochs, config.seed) == ("adamw", 165, 3)
    assert name == "thorough-seed-3-cycles-1-ratio-0.4"
    assert schedule_of(recipes.choose("fast", cycles=1)[0]) == (0.8, 1)
    assert schedule_of(recipes.choose("fast", final_ratio=0.4)[0]) == (0.4, 2)


def test_more_cycles_than_epochs_are_refused() -> None:
    with pytest.raises(ValueError, match=r"kl.cycles must be between 1 and epochs \(2\), not 3"):
        recipes.choose("fast", cycles=3, epochs=2)


def test_a_smaller_batch_keeps_the_number_of_updates() -> None:
    config, name = recipes.choose("fast", words=240, batch_size=32)
    assert (config.batch_size, name) == (32, "fast-seed-0-batch-32")
    assert updates(config, 240) == pytest.approx(updates(recipes.fast(), 4800), rel=0.1)


def test_of_two_ways_to_count_rows_the_one_that_is_given_counts() -> None:
    assert recipes.fast(evaluate_every=5).history_rows is None
    assert recipes.report(history_rows=5).evaluate_every is None
    config = recipes.fast()
    assert sum(config.completes_a_row(step, 1520) for step in range(1, 1521)) == 20


def test_trials_are_the_four_schedules_and_ours() -> None:
    configs = trial_configs("fast")
    assert [schedule_of(config) for config in configs.values()] == [*REPORT_RESULTS, None]
    assert list(configs)[-1] == "fast" and configs["fast"] == recipes.fast()
    assert trial_configs("fast", words=240)["fast"].epochs > 500
    assert len(trial_configs("report")) == 4


def test_a_schedule_of_ones_own_is_not_the_reports() -> None:
    own = recipes.fast(kl=KLSchedule(cycles=2, zero_share=0.3))
    assert schedule_of(own) is None
