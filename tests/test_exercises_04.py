"""The solutions of notebook 04 against values worked out by hand."""

from typing import Any

import pytest
import torch

from labkit.batches import WordSet
from labkit.exercises import nb04
from labkit.exercises.core import all_exercises, solution_source
from labkit.language import EOS
from labkit.tables import load_tables

# The report's settings: 150 epochs, final weight 0.1. Worked by hand from its text: in a cycle of
# n epochs the weight is 0 for the first n / 5 and then rises by 0.1 / (0.8 n) an epoch.
WEIGHTS = {
    1: {0: 0, 29: 0, 30: 0, 31: 0.1 / 120, 75: 0.0375, 90: 0.05, 149: 0.1 * 119 / 120},
    2: {0: 0, 14: 0, 15: 0, 16: 0.1 / 60, 45: 0.05, 74: 0.1 * 59 / 60, 75: 0, 90: 0, 120: 0.05},
}
# Ratio 1 for 30 epochs, then final + (150 − epoch) (1 − final) / 120.
RATIOS = {
    0.4: {0: 1, 29: 1, 30: 1, 31: 0.995, 90: 0.7, 149: 0.405},
    0.8: {0: 1, 29: 1, 30: 1, 90: 0.9, 149: 0.8 + 0.2 / 120},
}


@pytest.mark.parametrize("cycles", WEIGHTS)
def test_the_weight_is_that_of_the_report(cycles: int) -> None:
    for epoch, weight in WEIGHTS[cycles].items():
        assert nb04.kl_weight(epoch, 150, cycles, 0.2, 0.1) == pytest.approx(weight, abs=1e-12)


def test_an_odd_number_of_epochs_begins_no_stray_cycle() -> None:
    weights = [nb04.kl_weight(epoch, 151, 2, 0.2, 0.1) for epoch in range(151)]
    assert [e for e in range(1, 151) if weights[e] < weights[e - 1]] == [76]
    assert weights[150] > 0.098


@pytest.mark.parametrize("final", RATIOS)
def test_the_ratio_is_that_of_the_report(final: float) -> None:
    for epoch, ratio in RATIOS[final].items():
        assert nb04.teacher_forcing_ratio(epoch, 150, final) == pytest.approx(ratio, abs=1e-12)


def test_the_loss_of_two_words() -> None:
    nll, counted = torch.tensor([[1.0, 3.0], [4.0, 9.0]]), torch.tensor([[1, 1], [1, 0]])
    kl = torch.tensor([[10.0, 20.0], [30.0, 40.0]])
    # (1 + 3) / 2 + 0.1 · 30 = 5 and 4 + 0.1 · 70 = 11
    assert float(nb04.total_loss(nll, counted.bool(), kl, 0.1)) == pytest.approx(8)


def test_sent_for_sends_counts_five_positions() -> None:
    written = torch.tensor([[18, 4, 13, 19, EOS, EOS]])
    assert nb04.counted_when_free(written, torch.tensor([6])).tolist() == [[True] * 5 + [False]]
    assert nb04.counted_when_free(written, torch.tensor([3])).sum() == 3


def test_the_solution_that_is_shown_gives_the_number_of_4_2() -> None:
    names: dict[str, Any] = {"WordSet": WordSet, "tables": load_tables()}
    exec(solution_source(next(e for e in all_exercises() if e.id == "4.2")), names)
    assert float(names["weight"]) == pytest.approx(nb04._cliff(), abs=1e-6)
    assert float(names["weight"]) == pytest.approx(0.12065, abs=1e-5)
