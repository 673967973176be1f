"""The report's four trials, and ours: schedules and seeds side by side (notebook 04)."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch

from labkit import config as presets
from labkit.config import TrialConfig
from labkit.data import DATA_FOLDER, Tables
from labkit.evaluation import Scores, evaluate
from labkit.files import RunError, load_json, save_json
from labkit.model import CVAE
from labkit.runs import (
    HistoryRow,
    is_finished,
    load_config,
    load_history,
    load_model,
    scores_from,
)
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
    """The trials of a preset, by name. For "fast" and "thorough" our own recipe is the fifth."""
    own = presets.PRESETS[preset]()
    make: Callable[..., TrialConfig] = presets.report
    if preset != "report":
        make = partial(presets.fast_report, epochs=own.epochs)
    configs = {
        f"ratio {ratio}, {cycles} cycle{'s' if cycles > 1 else ''}": make(ratio, cycles)
        for ratio, cycles in REPORT_SCHEDULES
    }
    return configs if preset == "report" else {**configs, preset: own}


def load_pretrained() -> CVAE:
    """The model that ships with the lab, ready to convert and generate."""
    return load_model(PRETRAINED_FOLDER / "weights.pt")


def miniature(tables: Tables, verbs: int = 60) -> Tables:
    """A list so short that a trial on it takes half a minute: the test pairs' verbs, and others."""
    tested = {word for pair in tables.test for word in (pair.source, pair.target)}
    rows = [row for row in tables.train if not tested.isdisjoint(row)]
    others = [row for row in tables.train if tested.isdisjoint(row)]
    every = len(others) // max(1, verbs - len(rows)) or 1  # from a to z
    rows = [*rows, *others[::every]][:verbs]
    return replace(tables, train=rows, heldout_valid=[], heldout_test=[])


def run_trials(
    configs: Mapping[str, TrialConfig],
    tables: Tables,
    seeds: Sequence[int],
    out: str | Path,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    executor: Executor | None = None,
) -> list[TrialResult]:
    """Run every configuration with every seed, and judge each under both protocols.

    Trials are independent processes of one thread each, one for each core. Any
    `concurrent.futures.Executor` may be given instead, such as that of a Dask cluster that sees
    the same files. Each result is stored under `out` when it is done; results already there are
    not computed again, and interrupted trials go on. on_progress(updates done, updates in all)
    is called about twice a second. Raises what a failed trial raised, and RunError if its process
    was killed; the other trials end then, as after an interruption, and go on the next time.
    """
    out = Path(out)
    jobs = {
        _folder(out, name, seed): (name, replace(config, seed=seed))
        for name, config in configs.items()
        for seed in seeds
    }
    words = 4 * len(tables.train)
    updates = {
        folder: config.epochs * -(-words // config.batch_size)
        for folder, (_, config) in jobs.items()
    }
    waiting = [folder for folder in jobs if not _is_done(folder, jobs[folder][1], tables)]
    own, others = None, active_children()
    if executor is None and waiting:
        workers = min(os.cpu_count() or 1, len(waiting))
        executor = own = ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=_end_with_parent
        )
    try:
        futures = {
            executor.submit(_run_one, folder, *jobs[folder], tables)  # type: ignore[union-attr]
            for folder in waiting
        }
        while futures:
            done, futures = wait(futures, timeout=0.5, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()  # raises what a failed trial raised
            if on_progress is not None:
                counts = (_updates_done(folder, updates[folder]) for folder in jobs)
                on_progress(sum(counts), sum(updates.values()))
    except BaseException as error:  # an interruption too: no trial trains on unseen
        if own is not None:
            for worker in active_children():
                if worker not in others:
                    worker.terminate()
        if isinstance(error, BrokenProcessPool):
            raise RunError(
                "the process of a trial was killed (out of memory?): run the same again, it goes on"
            ) from None
        raise
    finally:
        if own is not None:
            own.shutdown(cancel_futures=True)
    return [_load_result(folder) for folder in jobs]


def load_trials(folder: str | Path = TRIALS_FOLDER) -> list[TrialResult]:
    """Results that `run_trials` stored, by name and seed. Raises RunError if there are none."""
    folders = sorted(path.parent for path in Path(folder).glob("*/trial.json"))
    if not folders:
        raise RunError(f"{folder} holds no trials: make some with 'labkit trials --out {folder}'")
    return [_load_result(path) for path in folders]


def mean_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation (0 for a single value)."""
    return mean(values), stdev(values) if len(values) > 1 else 0.0


def trials_table(results: Sequence[TrialResult]) -> list[dict[str, str]]:
    """Mean ± standard deviation over the seeds of each trial, beside the report's own numbers."""
    by_name: dict[str, list[TrialResult]] = {}
    for result in results:
        by_name.setdefault(result.name, []).append(result)
    rows = []
    for name, group in by_name.items():

        def cell(pick: Callable[[TrialResult], float], digits: int = 3, group: Any = group) -> str:
            average, spread = mean_and_spread([pick(result) for result in group])
            return f"{average:.{digits}f} ± {spread:.{digits}f}"

        config = group[0].config
        key = (config.final_teacher_forcing_ratio, config.kl_cycles)
        published = REPORT_RESULTS.get(key) if name.startswith("ratio") else None
        rows.append(
            {
                "trial": name,
                "honest BLEU-4": cell(lambda r: r.honest.bleu4),
                "honest exact": cell(lambda r: r.honest.exact_match, 2),
                "honest Gaussian": cell(lambda r: r.honest.gaussian_score),
                "coverage": cell(lambda r: r.honest.coverage),
                "held-out exact": cell(lambda r: r.honest.heldout_exact_match or 0.0)
                if group[0].honest.heldout_exact_match is not None
                else "–",
                "KL": cell(lambda r: r.honest.kl, 1),
                "report BLEU-4": cell(lambda r: r.report.bleu4),
                "report Gaussian": cell(lambda r: r.report.gaussian_score),
                "2021 BLEU-4": f"{published[0]:.3f}" if published else "",
                "2021 Gaussian": f"{published[1]:.3f}" if published else "",
                "seconds": cell(lambda r: r.seconds, 0),
            }
        )
    return rows


# --- one trial, in a process of its own ----------------------------------------------------------


def _folder(out: Path, name: str, seed: int) -> Path:
    return out / f"{name.replace(',', '').replace(' ', '-')}-seed-{seed}"


def _is_done(folder: Path, config: TrialConfig, tables: Tables) -> bool:
    return is_finished(folder, config, tables) and (folder / "trial.json").exists()


def _updates_done(folder: Path, updates: int) -> int:
    if (folder / "trial.json").exists():
        return updates
    try:
        return int((folder / "progress.txt").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0


def _end_with_parent() -> None:
    """In a worker: leave Ctrl-C to the parent, and end when the parent has ended, however."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _run_one(folder: Path, name: str, config: TrialConfig, tables: Tables) -> None:
    """Train and judge one trial; leave config.json, history.csv and trial.json in its folder."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    progress_file, noted = folder / "progress.txt", 0.0

    def note(progress: Progress) -> None:
        nonlocal noted
        if time.monotonic() - noted > 0.5:
            progress_file.write_text(str(progress.step), encoding="utf-8")
            noted = time.monotonic()

    run = train(config, tables, out=folder, on_progress=note)
    best = run.model if run.best_model is None else run.best_model
    content = {
        "name": name,
        "seed": config.seed,
        "honest": asdict(evaluate(run.model, tables, "honest")),
        "report": asdict(evaluate(best, tables, "report")),
        "seconds": run.history[-1]["seconds"],
    }
    save_json(folder / "trial.json", content)  # before what it was made from goes
    for name in ("weights.pt", "best.pt", "scores.json", "progress.txt"):
        (folder / name).unlink(missing_ok=True)


def _load_result(folder: Path) -> TrialResult:
    content = load_json(folder / "trial.json")
    try:
        path = folder / "trial.json"
        honest, report = (scores_from(content.pop(key), path) for key in ("honest", "report"))
        return TrialResult(
            **content,
            honest=honest,
            report=report,
            config=load_config(folder / "config.json"),
            history=load_history(folder / "history.csv"),
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise RunError(f"{folder / 'trial.json'} is not a result of labkit: {error}") from None
