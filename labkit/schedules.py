"""Annealing schedules: how two knobs move from epoch to epoch (notebook 04).

Each is a small frozen object that is asked for its value in an epoch (0, 1, …) of so many, so that
a slider, a test and the training loop all ask the same code. They change once an epoch, as the
report's do.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

SHAPES = ("linear", "sigmoid", "cosine", "constant")


@dataclass(frozen=True)
class KLSchedule:
    """The weight of the KL term. The defaults are the report's, in one cycle.

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
    Raises ValueError for settings that are out of range.
    """

    final_weight: float = 0.1  # β ≈ 0.85 in a β-VAE: see notebook 04
    cycles: int = 1
    shape: str = "linear"
    zero_share: float = 0.2
    rise_end: float = 1.0
    peak_weight: float | None = None  # None: the final weight
    fall_start: float = 1.0

    def __post_init__(self) -> None:
        _require_finite(self)
        _require(self, self.final_weight >= 0, "final_weight must not be negative")
        _require(self, (self.peak_weight or 0) >= 0, "peak_weight must not be negative")
        whole = isinstance(self.cycles, int) and self.cycles >= 1
        _require(self, whole, f"cycles must be a whole number from 1 on, not {self.cycles!r}")
        _require(
            self,
            self.shape in SHAPES,
            f"shape must be one of {', '.join(SHAPES)}, not {self.shape!r}",
        )
        _require(
            self,
            0 <= self.zero_share <= self.rise_end <= self.fall_start <= 1,
            "zero_share, rise_end and fall_start must rise in this order from 0 to 1",
        )

    def weight(self, epoch: int, epochs: int) -> float:
        """Weight of the KL term in `epoch` of `epochs`."""
        _check(epoch, epochs)
        if self.shape == "constant":
            return self.final_weight
        x = (epoch * self.cycles % epochs) / epochs
        if x < self.zero_share:
            return 0.0
        peak = self.final_weight if self.peak_weight is None else self.peak_weight
        if x < self.rise_end:
            return peak * ramp(
                (x - self.zero_share) / (self.rise_end - self.zero_share), self.shape
            )
        if x < self.fall_start or peak == self.final_weight:
            return peak
        down = (x - self.fall_start) / (1 - self.fall_start)
        if self.final_weight <= 0:  # a geometric fall never arrives at 0: fall in a straight line
            return peak + (self.final_weight - peak) * down
        # peak · (final / peak) ** down, written so that a tiny peak cannot overflow
        return float(peak ** (1 - down) * self.final_weight**down)


@dataclass(frozen=True)
class ForcingSchedule:
    """The probability that a word is teacher-forced. Raises ValueError for shares out of range.

    1 for the first `full_share` of training, then a straight line towards `final_ratio`, which it
    would reach at epoch number `epochs` (the last epoch, `epochs - 1`, is one step short of it).
    """

    final_ratio: float = 0.8
    full_share: float = 0.2

    def __post_init__(self) -> None:
        _require_finite(self)
        _require(
            self,
            0 <= self.final_ratio <= 1,
            f"final_ratio must be between 0 and 1, not {self.final_ratio}",
        )
        _require(self, 0 <= self.full_share < 1, "full_share must be at least 0 and below 1")

    def ratio(self, epoch: int, epochs: int) -> float:
        """Probability that a word is teacher-forced in `epoch` of `epochs`."""
        _check(epoch, epochs)
        x = epoch / epochs
        if x < self.full_share:
            return 1.0
        return self.final_ratio + (1 - self.final_ratio) * (1 - x) / (1 - self.full_share)


def ramp(x: float, shape: str) -> float:
    """A rise from 0 at x = 0 to 1 at x = 1 (Fu et al. 2019, "Cyclical Annealing Schedule")."""
    x = min(max(x, 0.0), 1.0)
    if shape == "cosine":
        return (1 - math.cos(math.pi * x)) / 2
    if shape == "sigmoid":
        # A logistic curve over [-6, 6], stretched so that it starts at exactly 0 and ends at 1.
        low, high = 1 / (1 + math.exp(6)), 1 / (1 + math.exp(-6))
        return (1 / (1 + math.exp(6 - 12 * x)) - low) / (high - low)
    return x


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


def _require(schedule: Any, sound: bool, message: str) -> None:
    if not sound:
        raise ValueError(f"{type(schedule).__name__}: {message}")


def _require_finite(schedule: Any) -> None:
    for name, value in asdict(schedule).items():
        finite = not isinstance(value, float) or math.isfinite(value)
        _require(schedule, finite, f"{name} must be finite")
