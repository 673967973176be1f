"""labkit.schedules against values of the report's own formulas, and properties."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.config import report
from labkit.schedules import SHAPES, kl_weight, learning_rate_factor, ramp, teacher_forcing_ratio

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
        assert kl_weight(epoch, 150, cycles=cycles) == pytest.approx(weight, abs=1e-12)
        assert report(0.4, cycles).kl_weight(epoch) == pytest.approx(weight, abs=1e-12)


@pytest.mark.parametrize("final", [0.4, 0.8])
def test_teacher_forcing_ratio_of_the_report(final):
    for epoch, ratio in RATIO_TABLE[final].items():
        assert teacher_forcing_ratio(epoch, 150, final_ratio=final) == pytest.approx(ratio)
        assert report(final, 1).teacher_forcing_ratio(epoch) == pytest.approx(ratio)


def test_an_odd_number_of_epochs_starts_no_stray_cycle():
    weights = [kl_weight(epoch, 151, cycles=2) for epoch in range(151)]
    restarts = [e for e in range(1, 151) if weights[e] < weights[e - 1]]
    assert restarts == [76]
    assert weights[150] > 0.098  # the last epoch is one step short of the second top


@given(st.integers(1, 400), st.integers(1, 10))
def test_every_cycle_restarts_once(epochs, cycles):
    if epochs < 10 * cycles:
        return
    weights = [kl_weight(e, epochs, cycles=cycles) for e in range(epochs)]
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
    for epoch in range(epochs):
        weight = kl_weight(
            epoch,
            epochs,
            final_weight=final,
            cycles=cycles,
            shape=shape,
            zero_share=zero,
            rise_end=0.5,
            peak_weight=peak or None,
            fall_start=0.7,
        )
        assert 0 <= weight <= max(final, peak) + 1e-12


def test_up_hold_down():
    def weight(epoch):
        return kl_weight(
            epoch, 100, zero_share=0.1, rise_end=0.3, fall_start=0.6, peak_weight=0.1,
            final_weight=0.001,
        )  # fmt: skip

    assert weight(9) == 0 and weight(20) == pytest.approx(0.05)
    assert weight(30) == weight(45) == weight(59) == weight(60) == 0.1
    assert weight(80) == pytest.approx(0.01)  # half-way down, geometrically
    assert weight(99) == pytest.approx(0.001 * 100 ** (1 / 40))


def test_a_peak_next_to_nothing_does_not_overflow():
    weights = [
        kl_weight(e, 4, peak_weight=2e-313, final_weight=1, rise_end=0.5, fall_start=0.5)
        for e in range(4)
    ]
    assert max(weights) <= 1


def test_a_fall_to_zero_is_a_straight_line():
    down = [
        kl_weight(e, 10, peak_weight=0.1, final_weight=0, fall_start=0.5, rise_end=0.5)
        for e in range(10)
    ]
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


@pytest.mark.parametrize("epoch", [-1, 10])
def test_epochs_outside_the_run_are_refused(epoch):
    with pytest.raises(ValueError, match="outside 0..9"):
        kl_weight(epoch, 10)
    with pytest.raises(ValueError, match="outside 0..9"):
        teacher_forcing_ratio(epoch, 10, final_ratio=0.5)


def test_unknown_shapes_and_cycles_are_refused():
    with pytest.raises(ValueError, match="use one of linear"):
        kl_weight(5, 10, shape="square")
    with pytest.raises(ValueError, match="at least 1"):
        kl_weight(5, 10, cycles=0)


def test_learning_rate_warms_up_then_falls_to_zero():
    factors = [learning_rate_factor(step, 100, warmup_share=0.1) for step in range(100)]
    assert factors[0] == pytest.approx(0.1) and factors[9] == factors[10] == 1
    assert factors[55] == pytest.approx(0.5)
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[99] == pytest.approx(1 / 90)
    assert learning_rate_factor(0, 1, warmup_share=0.05) == 1
