"""The report's four trials, and ours: several schedules, several seeds, side by side (notebook 04)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, stdev

import torch

from labkit import config as presets
from labkit.config import TrialConfig
from labkit.data import DATA_FOLDER, Tables, load_tables
from labkit.evaluation import Scores, evaluate
from labkit.files import RunError, load_csv, load_json, save_csv, save_json
from labkit.model import CVAE
from labkit.runs import HistoryRow, load_config, load_model
from labkit.training import Progress, train

TRIALS_FOLDER = DATA_FOLDER / "trials"  # stored results behind the notebooks' figures
PRETRAINED_FOLDER = DATA_FOLDER / "pretrained"

# The four schedules of the report: (final teacher-forcing ratio, cycles).
REPORT_SCHEDULES = ((0.4, 1), (0.4, 2), (0.8, 1), (0.8, 2))

# The report's own results at its best checkpoint, chosen on the test: (BLEU-4, Gaussian score).
REPORT_RESULTS = {
    (0.4, 1): (0.7478, 0.06),
    (0.4, 2): (0.9286, 0.30),
    (0.8, 1): (0.6550, 0.28),
    (0.8, 2): (0.9286, 0.39),
}


@dataclass(frozen=True)
class TrialResult:
    """One trial judged under both protocols; weights are not kept."""

    name: str  # "ratio 0.4, 1 cycle", … or the preset's name for our own recipe
    seed: int
    config: TrialConfig
    history: list[HistoryRow]
    honest: Scores  # of the final weights
    report: Scores  # of the row with the best report BLEU-4, chosen on the test pairs
    seconds: float  # of training, its evaluations included


def trial_configs(preset: str) -> dict[str, TrialConfig]:
    """The trials of a preset, by name. For "fast" our own recipe is the fifth."""
    make = presets.report if preset == "report" else presets.fast_report
    configs = {
        f"ratio {ratio}, {cycles} cycle{'s' if cycles > 1 else ''}": make(ratio, cycles)
        for ratio, cycles in REPORT_SCHEDULES
    }
    if preset != "report":
        configs[preset] = presets.PRESETS[preset]()
    return configs


def load_pretrained() -> CVAE:
    """The model that ships with the lab, ready to convert and generate."""
    return load_model(PRETRAINED_FOLDER / "weights.pt")


def load_trials(folder: str | Path = TRIALS_FOLDER) -> list[TrialResult]:
    """Results that `run_trials` stored, by name and seed. Raises RunError if there are none."""
    folders = sorted(path.parent for path in Path(folder).glob("*/trial.json"))
    if not folders:
        raise RunError(f"{folder} holds no trials: make some with 'labkit trials --out {folder}'")
    return [_load_result(path) for path in folders]


def mean_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation (0 for a single value)."""
    return mean(values), stdev(values) if len(values) > 1 else 0.0
