"""The open challenge: verbs never seen, without attention, against the suffix rules (notebook 06).

The rule of the lists: `heldout_valid` chooses, as often as one likes; `heldout_test` judges, once.
"""

from __future__ import annotations

import csv
import hashlib
from functools import partial
from pathlib import Path

from labkit.errors import DataError, RunError
from labkit.files import save_csv, unreadable
from labkit.measures.baselines import Converter, baselines
from labkit.measures.breakdown import by_kind, convert_all, interval_over_verbs
from labkit.measures.conversion import convert_pairs
from labkit.runs import Run, load_run
from labkit.tables import DATA_FOLDER, Tables

LEADERBOARD = DATA_FOLDER / "leaderboard.csv"  # our own entries, the baselines among them
COLUMNS = (
    *("name", "heldout_test", "low", "high", "regular", "irregular", "heldout_valid"),
    *("gaussian_score", "parameters", "minutes", "pair_share", "recipe", "weights"),
)

Entry = dict[str, str]


def load_leaderboard(path: Path = LEADERBOARD) -> list[Entry]:
    """The entries of a leaderboard, the best first. Raises RunError for a damaged file."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError("it has other columns than labkit writes")
        return sorted(rows, key=lambda row: -float(row["heldout_test"]))
    except OSError as error:
        raise unreadable(path, error) from None
    except (ValueError, TypeError, csv.Error) as error:
        raise RunError(f"{path} is not a leaderboard: {error}") from None


def submit(folder: Path, tables: Tables, path: Path, name: str = "") -> tuple[Entry, bool]:
    """Judge a finished run on `heldout_test` and write its entry; (entry, whether it was judged).

    Weights that the file at `path` knows already are not judged again: the entry is what it was.
    Raises DataError if there is nothing to judge on, RunError if the folder holds no finished run.
    """
    if not tables.heldout_test:
        raise DataError(f"{tables.folder} has no heldout_test.txt: there is nothing to judge on")
    run = load_run(folder)
    digest = hashlib.sha256()
    for key, weights in run.model.state_dict().items():
        digest.update(key.encode() + weights.numpy().tobytes())
    entries = load_leaderboard(path) if path.exists() else []
    for entry in entries:
        if entry["weights"] == digest.hexdigest()[:16]:
            return entry, False
    entry = {
        "name": name or folder.resolve().name,
        **_judged(partial(convert_pairs, run.model), tables),
        "gaussian_score": _number((run.scores or {}).get("gaussian_score")),
        "parameters": str(sum(weights.numel() for weights in run.model.parameters())),
        "minutes": f"{run.history[-1].seconds / 60:.1f}" if run.history else "",
        "pair_share": f"{run.config.sampling.pair_share:g}",
        "recipe": recipe_in_words(run),
        "weights": digest.hexdigest()[:16],
    }
    save_csv(path, [*entries, entry])
    return entry, True


def submit_baselines(tables: Tables, path: Path, table: str) -> None:
    """Write the entries of what needs no model, judged in the same way; `table`: what it read."""
    entries = load_leaderboard(path) if path.exists() else []
    for name, convert in baselines(tables.train).items():
        called = name if name == "copy" else f"{name}, {table}"
        if called not in [entry["name"] for entry in entries]:
            blank = dict.fromkeys(COLUMNS, "")
            entries.append({**blank, "name": called, **_judged(convert, tables)})
    save_csv(path, entries)


def recipe_in_words(run: Run) -> str:
    """A run's settings in a line: what differs from recipe to recipe."""
    config, sampling = run.config, run.config.sampling
    peak = max(config.kl_weight(epoch) for epoch in range(config.epochs))
    parts = [
        f"{config.epochs} epochs",
        f"batch {config.batch_size}",
        f"{config.optimizer} {config.learning_rate:g}",
        f"KL weight {peak:g} to {config.kl_weight(config.epochs - 1):g}",
    ]
    if sampling.invented:
        parts.append(f"{sampling.invented:g} invented verbs a real one")
    if sampling.frequency_power:
        parts.append(f"drawn by frequency^{sampling.frequency_power:g}")
    return ", ".join(parts)


def _judged(convert: Converter, tables: Tables) -> Entry:
    done = convert_all(convert, tables.heldout_test, tables.alternates)
    kinds, (low, high) = by_kind(done), interval_over_verbs(done)
    valid = by_kind(convert_all(convert, tables.heldout_valid, tables.alternates))
    return {
        "heldout_test": _number(kinds["all"]),
        "low": _number(low),
        "high": _number(high),
        "regular": _number(kinds["regular"]),
        "irregular": _number(kinds["irregular"]),
        "heldout_valid": _number(valid["all"]),
    }


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
