"""The settings of one trial, and the presets."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

from labkit import schedules


@dataclass(frozen=True)
class TrialConfig:
    """Everything that decides a trial. The defaults are the report's recipe, to the letter."""

    seed: int = 0  # initial weights, order of words, noise and coins
    epochs: int = 150
    batch_size: int = 1  # words an update
    optimizer: str = "sgd"  # "sgd", or "adamw" (Loshchilov & Hutter 2019)
    learning_rate: float = 0.05  # the peak, where there is a warm-up
    warmup_share: float | None = None  # None: constant rate; else warm-up, then a line down to 0
    weight_decay: float = 0.0  # AdamW's
    clip_norm: float | None = None  # longest gradient allowed; None: any

    # KL weight (labkit.schedules.kl_weight)
    kl_final_weight: float = 0.1  # β ≈ 0.85 in a β-VAE: see notebook 04
    kl_cycles: int = 1
    kl_shape: str = "linear"
    kl_zero_share: float = 0.2
    kl_rise_end: float = 1.0
    kl_peak_weight: float | None = None  # None: the final weight
    kl_fall_start: float = 1.0

    # Teacher forcing (labkit.schedules.teacher_forcing_ratio)
    final_teacher_forcing_ratio: float = 0.8
    teacher_forcing_full_share: float = 0.2

    evaluate_every: int | None = 500  # iterations between history rows; None: one row an epoch
    evaluation_samples: int = 100  # prior samples behind a row's Gaussian score

    def __post_init__(self) -> None:
        def require(sound: bool, message: str) -> None:
            if not sound:
                raise ValueError(f"TrialConfig: {message}")

        for name, value in asdict(self).items():
            require(not isinstance(value, float) or math.isfinite(value), f"{name} must be finite")
        for name in ("epochs", "batch_size", "evaluation_samples", "kl_cycles", "seed"):
            whole = isinstance(getattr(self, name), int)
            require(whole, f"{name} must be a whole number, not {getattr(self, name)!r}")
        require(self.evaluation_samples >= 1, "evaluation_samples must be at least 1")
        require(self.epochs >= 1, f"epochs must be at least 1, not {self.epochs}")
        require(self.batch_size >= 1, f"batch_size must be at least 1, not {self.batch_size}")
        require(self.learning_rate > 0, f"learning_rate must be above 0, not {self.learning_rate}")
        require(self.weight_decay >= 0, "weight_decay must not be negative")
        require(
            self.optimizer in ("sgd", "adamw"),
            f"optimizer must be 'sgd' or 'adamw', not {self.optimizer!r}",
        )
        require(
            1 <= self.kl_cycles <= self.epochs,
            f"kl_cycles must be between 1 and epochs ({self.epochs}), not {self.kl_cycles}",
        )
        require(
            self.kl_shape in schedules.SHAPES,
            f"kl_shape must be one of {', '.join(schedules.SHAPES)}, not {self.kl_shape!r}",
        )
        require(
            0 <= self.kl_zero_share <= self.kl_rise_end <= self.kl_fall_start <= 1,
            "kl_zero_share, kl_rise_end and kl_fall_start must rise in this order from 0 to 1",
        )
        require(self.kl_final_weight >= 0, "kl_final_weight must not be negative")
        require((self.kl_peak_weight or 0) >= 0, "kl_peak_weight must not be negative")
        require(0 <= (self.warmup_share or 0) <= 1, "warmup_share must be between 0 and 1")
        require(self.clip_norm is None or self.clip_norm > 0, "clip_norm must be above 0")
        require(
            0 <= self.final_teacher_forcing_ratio <= 1,
            "final_teacher_forcing_ratio must be between 0 and 1, "
            f"not {self.final_teacher_forcing_ratio}",
        )
        require(
            0 <= self.teacher_forcing_full_share < 1,
            "teacher_forcing_full_share must be at least 0 and below 1",
        )
        require(
            self.evaluate_every is None or self.evaluate_every >= 1,
            "evaluate_every must be at least 1 iteration, or None for every epoch",
        )

    def kl_weight(self, epoch: int) -> float:
        """Weight of the KL term in `epoch`."""
        return schedules.kl_weight(
            epoch,
            self.epochs,
            final_weight=self.kl_final_weight,
            cycles=self.kl_cycles,
            shape=self.kl_shape,
            zero_share=self.kl_zero_share,
            rise_end=self.kl_rise_end,
            peak_weight=self.kl_peak_weight,
            fall_start=self.kl_fall_start,
        )

    def teacher_forcing_ratio(self, epoch: int) -> float:
        """Probability that a word is teacher-forced in `epoch`."""
        return schedules.teacher_forcing_ratio(
            epoch,
            self.epochs,
            final_ratio=self.final_teacher_forcing_ratio,
            full_share=self.teacher_forcing_full_share,
        )


def report(
    final_teacher_forcing_ratio: float = 0.8, cycles: int = 2, **changes: Any
) -> TrialConfig:
    """The 2021 report's recipe: batch 1, SGD 0.05, 150 epochs, a row every 500 iterations."""
    return TrialConfig(
        final_teacher_forcing_ratio=final_teacher_forcing_ratio, kl_cycles=cycles, **changes
    )


def fast(**changes: Any) -> TrialConfig:
    """Our recipe, under a minute on two cores: teacher forcing only, KL weight up, hold, down.

    The high plateau pulls the posteriors together until they cover the prior and forget the tense
    (conversion and generation come from there); the long way down then lets the spelling grow back
    into a space laid out like that.
    """
    recipe = TrialConfig(
        epochs=40,
        batch_size=128,
        optimizer="adamw",
        learning_rate=8e-3,
        warmup_share=0.05,
        weight_decay=0.05,
        clip_norm=1.0,
        kl_final_weight=0.025,
        kl_peak_weight=0.105,
        kl_zero_share=0.05,
        kl_rise_end=0.15,
        kl_fall_start=0.2,
        final_teacher_forcing_ratio=1.0,
        evaluate_every=76,  # every second epoch of data/train.txt
    )
    return replace(recipe, **changes)


def thorough(**changes: Any) -> TrialConfig:
    """`fast`, four times as long: the recipe of the pretrained model."""
    return fast(**{"epochs": 165, "evaluate_every": 190, **changes})


def fast_report(
    final_teacher_forcing_ratio: float = 0.8, cycles: int = 2, **changes: Any
) -> TrialConfig:
    """The report's schedules with the optimiser, batch and length of `fast`."""
    schedule = TrialConfig()
    return fast(
        final_teacher_forcing_ratio=final_teacher_forcing_ratio,
        kl_cycles=cycles,
        kl_final_weight=schedule.kl_final_weight,
        kl_peak_weight=None,
        kl_zero_share=schedule.kl_zero_share,
        kl_rise_end=schedule.kl_rise_end,
        kl_fall_start=schedule.kl_fall_start,
        **changes,
    )


PRESETS = {"fast": fast, "thorough": thorough, "report": report}
