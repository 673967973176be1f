"""The settings of one trial."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from labkit.sampling import Sampling
from labkit.schedules import ForcingSchedule, KLSchedule, learning_rate_factor


@dataclass(frozen=True)
class TrialConfig:
    """Everything that decides a trial. The defaults are the report's recipe, to the letter.

    Raises ValueError for settings that are out of range.
    """

    seed: int = 0  # initial weights, order of words, noise and coins
    epochs: int = 150
    batch_size: int = 1  # words an update
    optimizer: str = "sgd"  # "sgd", or "adamw" (Loshchilov & Hutter 2019)
    learning_rate: float = 0.05  # the peak, where there is a warm-up
    warmup_share: float | None = None  # None: constant rate; else warm-up, then a line down to 0
    weight_decay: float = 0.0  # AdamW's
    clip_norm: float | None = None  # longest gradient allowed; None: any
    kl: KLSchedule = KLSchedule()
    forcing: ForcingSchedule = ForcingSchedule()
    sampling: Sampling = Sampling()

    # When a history row is written: one of the two is given. Counting rows suits any list.
    evaluate_every: int | None = 500  # updates between rows, as the report counts
    history_rows: int | None = None  # how many rows, spread evenly over the training
    evaluation_samples: int = 100  # prior samples behind a row's Gaussian score

    def __post_init__(self) -> None:
        def require(sound: bool, message: str) -> None:
            if not sound:
                raise ValueError(f"TrialConfig: {message}")

        for field in fields(self):
            value = getattr(self, field.name)
            finite = not isinstance(value, float) or math.isfinite(value)
            require(finite, f"{field.name} must be finite")
        for name in ("epochs", "batch_size", "evaluation_samples", "seed"):
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
            self.kl.cycles <= self.epochs,
            f"kl.cycles must be between 1 and epochs ({self.epochs}), not {self.kl.cycles}",
        )
        require(0 <= (self.warmup_share or 0) <= 1, "warmup_share must be between 0 and 1")
        require(self.clip_norm is None or self.clip_norm > 0, "clip_norm must be above 0")
        require(
            (self.evaluate_every is None) != (self.history_rows is None),
            "give evaluate_every or history_rows, and None for the other",
        )
        require(
            (self.evaluate_every or self.history_rows or 0) >= 1,
            "evaluate_every and history_rows must be at least 1, or None",
        )

    def kl_weight(self, epoch: int) -> float:
        """Weight of the KL term in `epoch`."""
        return self.kl.weight(epoch, self.epochs)

    def teacher_forcing_ratio(self, epoch: int) -> float:
        """Probability that a word is teacher-forced in `epoch`."""
        return self.forcing.ratio(epoch, self.epochs)

    def rate_at(self, step: int, steps: int) -> float:
        """Learning rate of update `step` (0, 1, …) of `steps`."""
        if self.warmup_share is None:
            return self.learning_rate
        factor = learning_rate_factor(step, steps, warmup_share=self.warmup_share)
        return self.learning_rate * factor

    def completes_a_row(self, step: int, steps: int) -> bool:
        """Whether a history row is due after `step` (1, 2, …) of `steps` updates."""
        if step == steps:
            return True
        if self.evaluate_every is not None:
            return step % self.evaluate_every == 0
        rows = self.history_rows or 1
        return step * rows // steps > (step - 1) * rows // steps

    def to_json(self) -> dict[str, Any]:
        """Plain data, as in config.json."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Any) -> TrialConfig:
        """The settings that `to_json` wrote, or an earlier labkit (flat names such as `kl_cycles`).

        Raises ValueError or TypeError if they are no settings.
        """
        if not isinstance(content, Mapping):
            raise TypeError(f"expected settings by name, not {type(content).__name__}")
        settings = dict(content)
        kl, forcing = dict(settings.pop("kl", {})), dict(settings.pop("forcing", {}))
        for name in [*settings]:
            if name.startswith("kl_"):
                kl[name.removeprefix("kl_")] = settings.pop(name)
        for old, new in (
            ("final_teacher_forcing_ratio", "final_ratio"),
            ("teacher_forcing_full_share", "full_share"),
        ):
            if old in settings:
                forcing[new] = settings.pop(old)
        sampling = Sampling(**settings.pop("sampling", {}))
        return cls(
            **settings,
            kl=KLSchedule(**kl),
            forcing=ForcingSchedule(**forcing),
            sampling=sampling,
        )
