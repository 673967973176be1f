"""What changes while a trial runs: saved whole, so that a trial can go on where it stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from labkit.batches import Batch
from labkit.config import TrialConfig
from labkit.errors import RunError
from labkit.model import CVAE, ModelMaker, new_model
from labkit.runs import HistoryRow, history_row, identity, require_same_trial
from labkit.sampling import Epoch, EpochMaker
from labkit.tables import Tables
from labkit.tensor_files import load_tensors, save_tensors

LAYOUT = 3  # of a saved state


class TrialState:
    """Weights, optimiser, random numbers, and the place that a trial has come to.

    Made for one trial on one device: its settings, its words, its model.
    """

    def __init__(
        self,
        config: TrialConfig,
        tables: Tables,
        device: torch.device,
        make_model: ModelMaker = CVAE,
    ) -> None:
        self.config = config
        self.model = new_model(config.seed, tables.language, make_model).to(device)
        self.identity = identity(config, tables, self.model)
        self.optimizer = make_optimizer(config, self.model)
        self.generator = torch.Generator().manual_seed(config.seed)  # order, coins, noise
        self.epochs = EpochMaker(tables, config.sampling, config.batch_size)
        self.epoch = 0
        self.drawn: Epoch | None = None  # this epoch's batches, once it has begun
        self.before_epoch = self.generator.get_state()  # from which it can be drawn again
        self.batch = 0  # how many of its batches are done
        self.step = 0  # updates done
        self.loss_sum = 0.0  # cross-entropy per character, summed over the words since a row
        self.loss_words = 0
        self.history: list[HistoryRow] = []
        self.best_bleu4 = -1.0
        self.best_weights: dict[str, Tensor] | None = None
        self._seconds_before = 0.0
        self._started = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Time spent on this trial, that of earlier, interrupted sittings included."""
        return self._seconds_before + time.perf_counter() - self._started

    def batches_left(self) -> Iterator[tuple[Batch, Batch]]:
        """What is still to come in this epoch: batches to read, and what each is to write.

        A new epoch is drawn first.
        """
        if self.drawn is None:
            self.before_epoch = self.generator.get_state()
            self.drawn = self.epochs.draw(self.generator)
        while self.batch < len(self.drawn.read):
            yield self.drawn.batch(self.batch)

    def count(self, cross_entropy: Tensor) -> None:
        """Take note of an update: cross_entropy (B,), nats a character of each word."""
        self.step += 1
        self.batch += 1
        self.loss_sum += float(cross_entropy.detach().sum())
        self.loss_words += len(cross_entropy)

    def end_epoch(self) -> None:
        """Go on to the next epoch, which is still to be drawn."""
        self.epoch, self.batch, self.drawn = self.epoch + 1, 0, None

    def keep(self, row: HistoryRow) -> None:
        """Append a history row, and keep the weights if they are the best by report BLEU-4."""
        self.history.append(row)
        self.loss_sum, self.loss_words = 0.0, 0
        if row.bleu4_report > self.best_bleu4:
            self.best_bleu4 = row.bleu4_report
            self.best_weights = {name: w.clone() for name, w in self.model.state_dict().items()}

    _PLAIN = ("epoch", "batch", "step", "loss_sum", "loss_words", "best_bleu4", "best_weights")

    def save(self, path: Path) -> None:
        """Write the state whole; call it between two updates."""
        content = {name: getattr(self, name) for name in self._PLAIN}
        content |= {
            "layout": LAYOUT,
            "identity": self.identity,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "before_epoch": None if self.drawn is None else self.before_epoch,
            "history": [asdict(row) for row in self.history],
            "seconds": self.seconds,
        }
        save_tensors(path, content)

    def load(self, path: Path) -> None:
        """Go on from a saved state. Raises RunError if it is damaged, or that of another trial."""
        try:
            content = load_tensors(path)
        except RunError as error:
            raise RunError(f"{error}. Delete it to start this trial again") from None
        if content.get("layout") != LAYOUT:
            raise RunError(
                f"{path} was saved by another version of labkit, which alone can go on from it: "
                "delete it to start this trial again"
            )
        require_same_trial(path, content.get("identity"), self.identity)
        try:
            self.model.load_state_dict(content["model"])
            self._load_optimizer(content["optimizer"])
            if content["before_epoch"] is not None:  # in the middle of an epoch: draw it again
                self.before_epoch = content["before_epoch"]
                self.generator.set_state(self.before_epoch)
                self.drawn = self.epochs.draw(self.generator)
            self.generator.set_state(content["generator"])
            for name in self._PLAIN:
                setattr(self, name, content[name])
            self.history = [history_row(row) for row in content["history"]]
            self._seconds_before = float(content["seconds"])
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError):
            raise RunError(f"{path} is damaged: delete it to start this trial again") from None

    def _load_optimizer(self, content: dict[str, Any]) -> None:
        """Raises ValueError for moments of other shapes: the fused AdamW would write past them."""
        weights = list(self.model.parameters())
        for number, moments in content["state"].items():
            for name, value in moments.items():
                shape = torch.Size() if name == "step" else weights[number].shape
                if isinstance(value, Tensor) and value.shape != shape:
                    raise ValueError(f"{name} of weight {number} has shape {tuple(value.shape)}")
        self.optimizer.load_state_dict(content)


def make_optimizer(config: TrialConfig, model: CVAE) -> torch.optim.Optimizer:
    """The optimiser of a trial, at its peak learning rate."""
    if config.optimizer == "sgd":
        return torch.optim.SGD(model.parameters(), config.learning_rate)
    return torch.optim.AdamW(
        model.parameters(),
        config.learning_rate,
        betas=(0.9, 0.97),  # a short memory for the size of gradients: our runs are short
        weight_decay=config.weight_decay,
        fused=True,
    )
