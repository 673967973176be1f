"""Run folders: what a finished trial leaves behind, and the model that ships.

A folder holds `config.json` (settings, a digest of the words, what the weights belong to),
`history.csv`, `weights.pt`, `best.pt` and `scores.json`; `config.json` is written last.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import torch

from labkit.config import TrialConfig
from labkit.errors import DataError, RunError, short
from labkit.files import load_csv, load_json, save_csv, save_json
from labkit.language import ENGLISH, Language
from labkit.measures.catalogue import Scores
from labkit.model import CONDITION, CVAE, HIDDEN, LATENT, ModelMaker, new_model
from labkit.tables import DATA_FOLDER, Tables
from labkit.tensor_files import load_tensors, save_tensors

PRETRAINED_FOLDER = DATA_FOLDER / "pretrained"
# The models that ship, and the table of the lab's own that each was trained on.
PRETRAINED = {"by-heart": "train.txt", "by-rule": "train_large.txt", "taught": "train_large.txt"}


@dataclass(frozen=True)
class HistoryRow:
    """How far a trial is, and how good. NLL, KL and scores are of the weights at that moment."""

    step: int  # updates done
    epoch: int  # the epoch that is running: 0, 1, …
    cross_entropy: float  # nats a counted character, as trained; mean since the row before
    nll: float  # nats a word, teacher-forced
    kl: float  # nats a word
    kl_weight: float
    teacher_forcing_ratio: float
    learning_rate: float
    bleu4: float  # of the test pairs, honest protocol
    exact_match: float  # share of the test pairs, honest protocol
    bleu4_report: float  # of the test pairs, report protocol
    gaussian_score: float  # share of the prior samples
    seconds: float  # of training so far, judging included


@dataclass
class Run:
    """A trial: finished, or stopped on the way."""

    config: TrialConfig
    model: CVAE  # the final weights
    history: list[HistoryRow]
    scores: Scores | None  # of the final weights, honest protocol; None if it was stopped
    best_model: CVAE | None = None  # of the row with the best report BLEU-4: chosen on the test!


# --- what makes two trials the same --------------------------------------------------------------


def identity(config: TrialConfig, tables: Tables, model: CVAE) -> dict[str, Any]:
    """What makes two trials the same, as plain data: settings, words, and what is trained."""
    return {
        "settings": config.to_json(),
        "words": digest_of_words(tables),
        "model": model.description,
    }


def digest_of_words(tables: Tables) -> str:
    """What the words of a trial are known by in its config.json."""
    return hashlib.sha256(repr((tables.train, tables.test)).encode()).hexdigest()


def require_same_trial(path: Path, found: Any, wanted: dict[str, Any]) -> None:
    """Raise RunError, naming the file, unless it has the wanted identity."""
    try:
        same = {
            "settings": TrialConfig.from_json(found["settings"]).to_json(),
            "words": found["words"],
            "model": found.get("model", _DEFAULT_MODEL),
        } == wanted
    except (TypeError, KeyError, ValueError, AttributeError):
        same = False
    if not same:
        raise RunError(
            f"{path} belongs to a trial with other settings, words or another model: "
            "choose another folder"
        )


# What weights belong to where nothing is said: files of the first labkit.
_DEFAULT_MODEL = {
    **{"variant": "CVAE", "hidden": HIDDEN, "condition": CONDITION, "latent": LATENT},
    "language": ENGLISH.to_json(),
}


def is_finished(folder: Path, wanted: dict[str, Any]) -> bool:
    """Whether the folder holds the trial of this identity, finished.

    Raises RunError if it holds another.
    """
    path = folder / "config.json"
    if path.exists():
        require_same_trial(path, load_json(path), wanted)
    return path.exists()


# --- run folders ---------------------------------------------------------------------------------


def save_run(folder: Path, run: Run, tables: Tables) -> None:
    """Write a finished run into a folder; config.json, which says that it is finished, last."""
    save_history(folder / "history.csv", run.history)
    save_model(folder / "weights.pt", run.model)
    if run.best_model is not None:
        save_model(folder / "best.pt", run.best_model)
    if run.scores is not None:
        save_json(folder / "scores.json", run.scores)
    save_json(folder / "config.json", identity(run.config, tables, run.model))


def load_run(folder: str | Path, make_model: ModelMaker = CVAE) -> Run:
    """Read a finished run. Raises RunError with the file at fault.

    make_model: the class of the model, if the run trained a variant.
    """
    folder = Path(folder)
    config = load_config(folder / "config.json")
    best = folder / "best.pt"
    return Run(
        config=config,
        model=load_model(folder / "weights.pt", make_model=make_model),
        history=load_history(folder / "history.csv"),
        scores=scores_from(load_json(folder / "scores.json"), folder / "scores.json"),
        best_model=load_model(best, make_model=make_model) if best.exists() else None,
    )


def load_config(path: Path) -> TrialConfig:
    """Read the settings in a config.json. Raises RunError for unknown or impossible ones."""
    try:
        return TrialConfig.from_json(load_json(path)["settings"])
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        if isinstance(error, RunError):
            raise
        raise RunError(f"{path} is not a configuration of labkit: {error}") from None


def save_history(path: Path, history: list[HistoryRow]) -> None:
    """Write a history as a table, a column for each field."""
    save_csv(path, [asdict(row) for row in history])


def load_history(path: Path) -> list[HistoryRow]:
    """Read history.csv. Raises RunError if it is missing, damaged or lacks a column."""
    rows = load_csv(path)
    names = [field.name for field in fields(HistoryRow)]
    lacking = [name for name in names if name not in rows[0]]
    if lacking:
        raise RunError(f"{path} lacks the columns {', '.join(lacking)}")
    return [history_row({name: row[name] for name in names}) for row in rows]


def history_row(values: dict[str, float]) -> HistoryRow:
    """A row out of plain numbers by name."""
    step, epoch = int(values["step"]), int(values["epoch"])
    return HistoryRow(**{**values, "step": step, "epoch": epoch})  # type: ignore[arg-type]


def scores_from(content: Any, path: Path) -> Scores:
    """Scores out of JSON, with whatever measures are there.

    Raises RunError, naming the file, if they are not the scores of a model.
    """
    sound = (
        isinstance(content, dict)
        and isinstance(content.get("protocol"), str)
        and isinstance(content.get("outputs"), list)
        and all(isinstance(output, str) for output in content["outputs"])
    )
    if not sound:
        raise RunError(f"{path} does not hold labkit's scores: expected a protocol and outputs")
    for name, value in content.items():
        number = isinstance(value, float | int) and not isinstance(value, bool)
        finite = number and math.isfinite(value)
        if name not in ("protocol", "outputs") and value is not None and not finite:
            raise RunError(f"{path} does not hold labkit's scores: {short(name)} is {short(value)}")
    return dict(content)


# --- models --------------------------------------------------------------------------------------


def save_model(path: Path, model: CVAE, dtype: torch.dtype = torch.float32) -> None:
    """Write the weights, and what they belong to. float16 halves the file, and rounds."""
    weights = {name: tensor.cpu().to(dtype) for name, tensor in model.state_dict().items()}
    save_tensors(path, {"model": model.description, "weights": weights})


def load_model(
    path: str | Path, device: str | torch.device = "cpu", make_model: ModelMaker = CVAE
) -> CVAE:
    """Read weights into a model of their sizes and language.

    make_model: the class of the model. Raises RunError if the weights are those of another.
    """
    path = Path(path)
    content = load_tensors(path, device)
    described = isinstance(content.get("weights"), dict)
    found, weights = (content.get("model"), content["weights"]) if described else (None, content)
    try:
        description = dict(_DEFAULT_MODEL if found is None else found)
        variant, language = description.pop("variant"), Language.from_json(description["language"])
        sizes = {name: int(description[name]) for name in ("hidden", "condition", "latent")}
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        reason = error if isinstance(error, DataError) else "it does not say of which model"
        raise RunError(f"{path} holds weights that cannot be used: {reason}") from None
    model = new_model(0, language, partial(make_model, **sizes)).to(device)
    if type(model).__name__ != variant:
        raise RunError(
            f"{path} holds the weights of a {short(variant)}, not of a {type(model).__name__}: "
            f"pass its class as make_model"
        )
    try:
        model.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise RunError(f"{path} does not hold the weights of this model: {reason}") from None
    return model


def load_pretrained(name: str = "by-heart") -> CVAE:
    """A model that ships with the lab, ready to convert and generate: one of `PRETRAINED`.

    by-heart: trained on the 1,200 verbs of train.txt until it knew them.  by-rule: on ever new
    invented verbs as well.  taught: like by-rule, and shown conversions, as no other model is.
    """
    if name not in PRETRAINED:
        raise RunError(f"no model {short(name)} ships with the lab: use {', '.join(PRETRAINED)}")
    return load_model(PRETRAINED_FOLDER / name / "weights.pt")
