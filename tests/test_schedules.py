"""labkit.schedules against values of the report's own formulas, and properties."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.recipes import report
from labkit.schedules import SHAPES, ForcingSchedule, KLSchedule, learning_rate_factor, ramp

# The report's settings: 150 epochs, final weight 0.1. Worked by hand from its text: in a cycle of
# n epochs the weight is 0 for the first n / 5 and then rises by 0.1 / (0.8 n) an epoch.
KL_TABLE = {
    1: {0: 0, 29: 0, 30: 0, 31: 0.1 / 120, 75: 0.0375, 90: 0.05, 149: 0.1 * 119 / 120},
    2: {
        0: 0,
        14: 0,
        15: 0,
        16: 0.1 / 60,
        45: 0.05,
        74: 0.1 * 59 / 60,
        75: 0,
        90: 0,
        149: 0.1 * 59 / 60,
    },
}
# ratio 1 for 30 epochs, then final + (150 - epoch) (1 - final) / 120.
RATIO_TABLE = {
    0.4: {0: 1, 29: 1, 30: 1, 31: 0.995, 90: 0.7, 149: 0.405},
    0.8: {0: 1, 29: 1, 30: 1, 90: 0.9, 149: 0.8 + 0.2 / 120},
}


@pytest.mark.parametrize("cycles", [1, 2])
def test_kl_weight_of_the_report(cycles):
    for epoch, weight in KL_TABLE[cycles].items():
        assert KLSchedule(cycles=cycles).weight(epoch, 150) == pytest.approx(weight, abs=1e-12)
        assert report(0.4, cycles).kl_weight(epoch) == pytest.approx(weight, abs=1e-12)


@pytest.mark.parametrize("final", [0.4, 0.8])
def test_teacher_forcing_ratio_of_the_report(final):
    for epoch, ratio in RATIO_TABLE[final].items():
        assert ForcingSchedule(final).ratio(epoch, 150) == pytest.approx(ratio)
        assert report(final, 1).teacher_forcing_ratio(epoch) == pytest.approx(ratio)


def test_an_odd_number_of_epochs_starts_no_stray_cycle():
    weights = [KLSchedule(cycles=2).weight(epoch, 151) for epoch in range(151)]
    restarts = [e for e in range(1, 151) if weights[e] < weights[e - 1]]
    assert restarts == [76]
    assert weights[150] > 0.098  # the last epoch is one step short of the second top


@given(st.integers(1, 400), st.integers(1, 10))
def test_every_cycle_restarts_once(epochs, cycles):
    if epochs < 10 * cycles:
        return
    weights = [KLSchedule(cycles=cycles).weight(e, epochs) for e in range(epochs)]
    assert sum(b < a for a, b in pairwise(weights)) == cycles - 1
    assert weights[0] == 0 and min(weights) >= 0 and max(weights) < 0.1


@given(
    st.integers(1, 300),
    st.sampled_from(SHAPES),
    st.integers(1, 5),
    st.floats(0, 0.5),
    st.floats(0.001, 1),
    st.floats(0, 1),
)
def test_the_weight_stays_between_zero_and_the_peak(epochs, shape, cycles, zero, final, peak):
    schedule = KLSchedule(
        final_weight=final,
        cycles=cycles,
        shape=shape,
        zero_share=zero,
        rise_end=0.5,
        peak_weight=peak or None,
        fall_start=0.7,
    )
    for epoch in range(epochs):
        assert 0 <= schedule.weight(epoch, epochs) <= max(final, peak) + 1e-12


def test_up_hold_down():
    schedule = KLSchedule(
        zero_share=0.1, rise_end=0.3, fall_start=0.6, peak_weight=0.1, final_weight=0.001
    )

    def weight(epoch):
        return schedule.weight(epoch, 100)

    assert weight(9) == 0 and weight(20) == pytest.approx(0.05)
    assert weight(30) == weight(45) == weight(59) == weight(60) == 0.1
    assert weight(80) == pytest.approx(0.01)  # half-way down, geometrically
    assert weight(99) == pytest.approx(0.001 * 100 ** (1 / 40))


def test_a_peak_next_to_nothing_does_not_overflow():
    schedule = KLSchedule(peak_weight=2e-313, final_weight=1, rise_end=0.5, fall_start=0.5)
    assert max(schedule.weight(epoch, 4) for epoch in range(4)) <= 1


def test_a_fall_to_zero_is_a_straight_line():
    schedule = KLSchedule(peak_weight=0.1, final_weight=0, fall_start=0.5, rise_end=0.5)
    down = [schedule.weight(epoch, 10) for epoch in range(10)]
    assert down[5:] == pytest.approx([0.1, 0.08, 0.06, 0.04, 0.02])


@pytest.mark.parametrize("shape", ["linear", "sigmoid", "cosine"])
def test_ramps_rise_from_0_to_1_symmetrically(shape):
    points = [ramp(i / 20, shape) for i in range(21)]
    assert points[0] == pytest.approx(0) and points[-1] == pytest.approx(1)
    assert points == sorted(points)
    assert points[10] == pytest.approx(0.5)
    assert ramp(-1, shape) == pytest.approx(0) and ramp(2, shape) == pytest.approx(1)


def test_ramps_by_hand():
    assert ramp(0.25, "cosine") == pytest.approx(0.1464466)
    assert ramp(0.25, "linear") == 0.25
    assert ramp(0.25, "sigmoid") == pytest.approx(
        0.0474259 - 0.00247262 * (1 - 2 * 0.0474259), abs=1e-3
    )


def test_a_constant_weight_is_the_final_one():
    schedule = KLSchedule(final_weight=0.03, peak_weight=0.5, shape="constant")
    assert {schedule.weight(epoch, 10) for epoch in range(10)} == {0.03}


@pytest.mark.parametrize("epoch", [-1, 10])
def test_epochs_outside_the_run_are_refused(epoch):
    with pytest.raises(ValueError, match="outside 0..9"):
        KLSchedule().weight(epoch, 10)
    with pytest.raises(ValueError, match="outside 0..9"):
        ForcingSchedule(0.5).ratio(epoch, 10)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": "square"}, "shape must be one of linear, .*, not 'square'"),
        ({"cycles": 0}, "cycles must be a whole number from 1 on, not 0"),
        ({"cycles": 1.5}, "cycles must be a whole number from 1 on, not 1.5"),
        ({"zero_share": 0.5, "rise_end": 0.3}, "must rise in this order"),
        ({"final_weight": -1}, "final_weight must not be negative"),
        ({"peak_weight": -1}, "peak_weight must not be negative"),
        ({"final_weight": float("nan")}, "final_weight must be finite"),
    ],
)
def test_impossible_weights_are_refused_in_one_sentence(changes, message):
    with pytest.raises(ValueError, match=f"^KLSchedule: .*{message}"):
        KLSchedule(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"final_ratio": 1.5}, "final_ratio must be between 0 and 1, not 1.5"),
        ({"full_share": 1}, "full_share must be at least 0 and below 1"),
        ({"final_ratio": float("inf")}, "final_ratio must be finite"),
    ],
)
def test_impossible_ratios_are_refused_in_one_sentence(changes, message):
    with pytest.raises(ValueError, match=f"^ForcingSchedule: .*{message}"):
        ForcingSchedule(**changes)


def test_learning_rate_warms_up_then_falls_to_zero():
    factors = [learning_rate_factor(step, 100, warmup_share=0.1) for step in range(100)]
    assert factors[0] == pytest.approx(0.1) and factors[9] == factors[10] == 1
    assert factors[55] == pytest.approx(0.5)
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[99] == pytest.approx(1 / 90)
    assert learning_rate_factor(0, 1, warmup_share=0.05) == 1
