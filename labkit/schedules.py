"""Annealing schedules: how two knobs move from epoch to epoch (notebook 04).

Both are plain functions of the epoch (0, 1, …), so a slider, a test and the training loop all ask
the same code. They change once an epoch, as the report's do.
"""

from __future__ import annotations

import math

SHAPES = ("linear", "sigmoid", "cosine", "constant")


def ramp(x: float, shape: str) -> float:
    """A rise from 0 at x = 0 to 1 at x = 1 (Fu et al. 2019, "Cyclical Annealing Schedule")."""
    x = min(max(x, 0.0), 1.0)
    if shape == "linear":
        return x
    if shape == "cosine":
        return (1 - math.cos(math.pi * x)) / 2
    if shape == "sigmoid":
        # A logistic curve over [-6, 6], stretched so that it starts at exactly 0 and ends at 1.
        low, high = 1 / (1 + math.exp(6)), 1 / (1 + math.exp(-6))
        return (1 / (1 + math.exp(6 - 12 * x)) - low) / (high - low)
    raise ValueError(f"shape {shape!r} is unknown: use one of {', '.join(SHAPES)}")


def kl_weight(
    epoch: int,
    epochs: int,
    *,
    final_weight: float = 0.1,
    cycles: int = 1,
    shape: str = "linear",
    zero_share: float = 0.2,
    rise_end: float = 1.0,
    peak_weight: float | None = None,
    fall_start: float = 1.0,
) -> float:
    """Weight of the KL term in `epoch` of `epochs`.

    The epochs are split into `cycles` equal cycles, and each cycle, with its position x running
    from 0 to 1, goes through up to four parts:

        x < zero_share    0: an autoencoder lays out the latent space
        x < rise_end      a ramp of the given shape from 0 to the peak
        x < fall_start    the peak
        otherwise         down geometrically from the peak to `final_weight` at x = 1

    Without a `peak_weight` the peak is `final_weight`, and nothing falls: that is the report's
    schedule (zero_share 0.2, linear, 1 or 2 cycles). `peak_weight=0.1, rise_end=0.3,
    fall_start=0.6, final_weight=0.01` is "up, hold, down". The shape "constant" is `final_weight`
    throughout. Cycles need not divide the epochs: a remainder never begins a further cycle.
    """
    _check(epoch, epochs)
    if cycles < 1:
        raise ValueError(f"cycles must be at least 1, not {cycles}")
    if shape == "constant":
        return final_weight
    x = (epoch * cycles % epochs) / epochs
    if x < zero_share:
        return 0.0
    peak = final_weight if peak_weight is None else peak_weight
    if x < rise_end:
        return peak * ramp((x - zero_share) / (rise_end - zero_share), shape)
    if x < fall_start or peak == final_weight:
        return peak
    down = (x - fall_start) / (1 - fall_start)
    if final_weight <= 0:  # a geometric fall never arrives at 0: fall in a straight line
        return peak + (final_weight - peak) * down
    # peak · (final / peak) ** down, written so that a tiny peak cannot overflow
    return peak ** (1 - down) * final_weight**down


def teacher_forcing_ratio(
    epoch: int, epochs: int, *, final_ratio: float, full_share: float = 0.2
) -> float:
    """Probability that a word is teacher-forced in `epoch` of `epochs`.

    1 for the first `full_share` of training, then a straight line towards `final_ratio`, which it
    would reach at epoch number `epochs` (the last epoch, `epochs - 1`, is one step short of it).
    """
    _check(epoch, epochs)
    x = epoch / epochs
    if x < full_share:
        return 1.0
    return final_ratio + (1 - final_ratio) * (1 - x) / (1 - full_share)


def learning_rate_factor(step: int, steps: int, *, warmup_share: float) -> float:
    """Share of the peak learning rate at `step` of `steps`: a straight line up, then one down
    to 0 (Defazio et al. 2023, "Optimal Linear Decay Learning Rate Schedules")."""
    warmup = max(1, round(steps * warmup_share))
    if step < warmup:
        return (step + 1) / warmup
    return 1 - (step - warmup) / max(1, steps - warmup)


def _check(epoch: int, epochs: int) -> None:
    if not 0 <= epoch < epochs:
        raise ValueError(f"epoch {epoch} is outside 0..{epochs - 1} ({epochs} epochs)")
