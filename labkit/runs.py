"""A trial's state and results, and the folder they are kept in."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from labkit.config import TrialConfig
from labkit.data import Batch, Tables, WordSet
from labkit.evaluation import Scores
from labkit.files import (
    RunError,
    load_csv,
    load_json,
    load_tensors,
    save_csv,
    save_json,
    save_tensors,
)
from labkit.model import CVAE, new_model

HistoryRow = dict[str, float]
HISTORY_COLUMNS = (
    *("step", "epoch", "cross_entropy", "nll", "kl", "kl_weight", "teacher_forcing_ratio"),
    *("learning_rate", "bleu4", "exact_match", "bleu4_report", "gaussian_score", "seconds"),
)


@dataclass
class Run:
    """A trial: finished, or stopped on the way."""

    config: TrialConfig
    model: CVAE  # the final weights
    history: list[HistoryRow]
    scores: Scores | None  # of the final weights, honest protocol; None if it was stopped
    best_model: CVAE | None = None  # of the row with the best report BLEU-4: chosen on the test!


class TrialState:
    """Everything that changes while a trial runs; saved whole, so that a trial can go on."""

    def __init__(self, config: TrialConfig, tables: Tables, device: torch.device) -> None:
        self.config = config
        self.identity = identity(config, tables)
        self.model = new_model(config.seed).to(device)
        weights, rate = self.model.parameters(), config.learning_rate
        self.optimizer: torch.optim.Optimizer
        if config.optimizer == "sgd":
            self.optimizer = torch.optim.SGD(weights, rate)
        else:
            # A short memory for the size of gradients (0.999 is usual): our runs are short.
            self.optimizer = torch.optim.AdamW(
                weights, rate, betas=(0.9, 0.97), weight_decay=config.weight_decay, fused=True
            )
        self.generator = torch.Generator().manual_seed(config.seed)
        self.epoch = 0
        self.batch = 0  # batches of this epoch that are done
        self.epoch_start = self.generator.get_state()  # what its order of words is drawn from
        self.step = 0
        self.history: list[HistoryRow] = []
        self.loss_sum = 0.0  # cross-entropy per character, summed over the words since a row
        self.loss_words = 0
        self.best_bleu4 = -1.0
        self.best_weights: dict[str, torch.Tensor] | None = None
        self._seconds_before = 0.0
        self._started = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Time spent on this trial, that of earlier, interrupted sittings included."""
        return self._seconds_before + time.perf_counter() - self._started

    def batches_left(self, words: WordSet) -> Iterator[Batch]:
        """The batches of this epoch that are still to come, those of an interrupted one too."""
        now = self.generator.get_state()
        batches = words.batches(self.config.batch_size, self.generator)  # draws when first asked
        if self.batch == 0:
            self.epoch_start = now
        else:  # draw this epoch's order again, and pass over what is done
            self.generator.set_state(self.epoch_start)
            for _ in range(self.batch):
                next(batches)
            self.generator.set_state(now)
        return batches

    _PLAIN = ("epoch", "batch", "epoch_start", "step", "history", "loss_sum", "loss_words",
              "best_bleu4", "best_weights")  # fmt: skip

    def save(self, path: Path) -> None:
        """Write the state whole; call it between two updates."""
        content = {name: getattr(self, name) for name in self._PLAIN}
        content |= {
            "identity": self.identity,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "seconds": self.seconds,
        }
        save_tensors(path, content)

    def load(self, path: Path) -> None:
        """Go on from a saved state. Raises RunError if it is damaged, or that of another trial."""
        try:
            content = load_tensors(path)
        except RunError as error:
            raise RunError(f"{error}. Delete it to start this trial again") from None
        _require_same_trial(path, content.get("identity"), self.identity)
        try:
            self.model.load_state_dict(content["model"])
            self.optimizer.load_state_dict(content["optimizer"])
            self.generator.set_state(content["generator"])
            for name in self._PLAIN:
                setattr(self, name, content[name])
            self._seconds_before = float(content["seconds"])
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError):
            raise RunError(f"{path} is damaged: delete it to start this trial again") from None


def identity(config: TrialConfig, tables: Tables) -> dict[str, Any]:
    """What makes two trials the same: their settings and their words."""
    words = hashlib.sha256(repr((tables.train, tables.test)).encode()).hexdigest()
    return {"settings": asdict(config), "words": words}


def _require_same_trial(path: Path, found: Any, wanted: dict[str, Any]) -> None:
    if found != wanted:
        raise RunError(
            f"{path} belongs to a trial with other settings or words: choose another folder, or "
            f"delete {path.parent}"
        )


def is_finished(folder: Path, config: TrialConfig, tables: Tables) -> bool:
    """Whether the folder holds this very trial, finished. Raises RunError if it holds another."""
    path = folder / "config.json"
    if path.exists():
        _require_same_trial(path, load_json(path), identity(config, tables))
    return path.exists()


def save_run(folder: Path, run: Run, tables: Tables) -> None:
    """Write a finished run: history.csv, weights.pt, best.pt, scores.json, and last config.json."""
    save_csv(folder / "history.csv", run.history)
    save_model(folder / "weights.pt", run.model)
    if run.best_model is not None:
        save_model(folder / "best.pt", run.best_model)
    if run.scores is not None:
        save_json(folder / "scores.json", asdict(run.scores))
    save_json(folder / "config.json", identity(run.config, tables))


def load_run(folder: str | Path) -> Run:
    """Read a finished run. Raises RunError with the file at fault."""
    folder = Path(folder)
    config = load_config(folder / "config.json")
    best = folder / "best.pt"
    scores = scores_from(load_json(folder / "scores.json"), folder / "scores.json")
    return Run(
        config=config,
        model=load_model(folder / "weights.pt"),
        history=load_history(folder / "history.csv"),
        scores=scores,
        best_model=load_model(best) if best.exists() else None,
    )


def load_history(path: Path) -> list[HistoryRow]:
    """Read history.csv. Raises RunError if it is missing, damaged or lacks a column."""
    rows = load_csv(path)
    lacking = [column for column in HISTORY_COLUMNS if column not in rows[0]]
    if lacking:
        raise RunError(f"{path} lacks the columns {', '.join(lacking)}")
    return rows


def scores_from(content: Any, path: Path) -> Scores:
    """Scores out of JSON. Raises RunError, naming the file, if they are not whole."""
    try:
        scores = Scores(**{**content, "outputs": tuple(content["outputs"])})
    except (TypeError, KeyError) as error:
        raise RunError(f"{path} does not hold labkit's scores: {error}") from None
    for name, value in asdict(scores).items():
        known = name in ("protocol", "outputs") or isinstance(value, float | int)
        if not known and (name, value) != ("heldout_exact_match", None):
            raise RunError(f"{path} does not hold labkit's scores: {name} is {value!r}")
    return scores


def load_config(path: Path) -> TrialConfig:
    """Read a configuration. Raises RunError for unknown settings or impossible values."""
    try:
        return TrialConfig(**load_json(path)["settings"])
    except (TypeError, KeyError, ValueError) as error:
        raise RunError(f"{path} is not a configuration of labkit: {error}") from None


def save_model(path: Path, model: CVAE) -> None:
    """Write the weights."""
    save_tensors(path, {name: tensor.cpu() for name, tensor in model.state_dict().items()})


def load_model(path: str | Path, device: str | torch.device = "cpu") -> CVAE:
    """Read weights into a model. Raises RunError if they are not those of a CVAE."""
    weights = load_tensors(Path(path), device)
    model = new_model(0).to(device)
    try:
        model.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        reason = str(error).replace("\n", " ")[:160]
        raise RunError(f"{path} does not hold the weights of this model: {reason}") from None
    return model
