"""Many configurations with many seeds, on every core or on any executor; results by name."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from statistics import mean, stdev

import torch

from labkit.config import TrialConfig
from labkit.errors import RunError
from labkit.files import load_json, save_json
from labkit.measures.catalogue import Measure, Scores
from labkit.model import CVAE, ModelMaker, new_model
from labkit.runs import (
    HistoryRow,
    Run,
    identity,
    is_finished,
    load_config,
    load_history,
    scores_from,
)
from labkit.tables import Tables
from labkit.training import Progress, train

Judge = Callable[[Run, Tables], dict[str, Scores]]  # scores by protocol


@dataclass(frozen=True)
class TrialResult:
    """One trial, judged; weights are not kept."""

    name: str  # of its configuration
    seed: int
    config: TrialConfig
    history: list[HistoryRow]
    scores: dict[str, Scores]  # by protocol
    seconds: float  # of training, judging on the way included

    @property
    def honest(self) -> Scores:
        """The scores of the final weights under the honest protocol."""
        return self.scores["honest"]


def judge_honestly(run: Run, tables: Tables) -> dict[str, Scores]:
    """The honest scores, which `train` has found already."""
    return {"honest": run.scores or {}}


def run_sweep(
    configs: Mapping[str, TrialConfig],
    tables: Tables,
    seeds: Sequence[int],
    out: str | Path,
    *,
    make_model: ModelMaker = CVAE,
    judge: Judge = judge_honestly,
    on_progress: Callable[[int, int], None] | None = None,
    executor: Executor | None = None,
) -> list[TrialResult]:
    """Run every configuration with every seed, and judge each.

    Trials are independent processes of one thread each, one for each core. Any
    `concurrent.futures.Executor` may be given instead, such as that of a Dask cluster that sees
    the same files; make_model and judge must then be functions or classes of a module. Each result
    is stored under `out` when it is done; results already there are not computed again, and
    interrupted trials go on. on_progress(updates done, updates in all) is called about twice a
    second.

    Raises what a failed trial raised, and RunError if its process was killed. Trials that have not
    begun are then not begun; those in processes of our own end, as after an interruption, while
    those on a given executor run on. All go on when the same is run again.
    """
    if executor is None and getattr(make_model, "__module__", "") == "__main__":
        raise RunError(
            "trials run in processes of their own, which a class of a notebook or script cannot "
            "reach: put it into a file beside it, and import it from there"
        )
    out = Path(out)
    jobs = {
        folder_of(out, name, seed): (name, replace(config, seed=seed))
        for name, config in configs.items()
        for seed in seeds
    }
    model = new_model(0, tables.language, make_model)
    words = len(tables.language.forms) * len(tables.train)
    updates = {
        folder: config.epochs
        * math.ceil(words * (1 + config.sampling.invented) / config.batch_size)
        for folder, (_, config) in jobs.items()
    }
    waiting = [
        folder
        for folder, (_, config) in jobs.items()
        if not _is_done(folder, config, tables, model)
    ]
    own, others, futures = None, active_children(), set()
    if executor is None and waiting:
        workers = min(os.cpu_count() or 1, len(waiting))
        executor = own = ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=_end_with_parent
        )
    try:
        futures = {
            executor.submit(_run_one, folder, *jobs[folder], tables, make_model, judge)  # type: ignore[union-attr]
            for folder in waiting
        }
        left = futures
        while left:
            done, left = wait(left, timeout=0.5, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()  # raises what a failed trial raised
            if on_progress is not None:
                counts = (_updates_done(folder, updates[folder]) for folder in jobs)
                on_progress(sum(counts), sum(updates.values()))
    except BaseException as error:  # an interruption too: no trial trains on unseen
        for future in futures:
            future.cancel()
        if own is not None:
            for worker in active_children():
                if worker not in others:
                    worker.terminate()
        if isinstance(error, BrokenProcessPool):
            raise RunError(
                "the process of a trial was killed (out of memory?) or could not start (a script "
                'must call this under `if __name__ == "__main__":`): run the same again, it goes on'
            ) from None
        raise
    finally:
        if own is not None:
            own.shutdown(cancel_futures=True)
    return [_load_result(folder) for folder in jobs]


def load_results(folder: str | Path) -> list[TrialResult]:
    """Results that `run_sweep` stored, by name and seed. Raises RunError if there are none."""
    folders = sorted(path.parent for path in Path(folder).glob("*/trial.json"))
    if not folders:
        raise RunError(f"{folder} holds no trials: make some with 'labkit trials --out {folder}'")
    return [_load_result(path) for path in folders]


def by_name(results: Sequence[TrialResult]) -> dict[str, list[TrialResult]]:
    """The results of each configuration, one a seed, under its name."""
    groups: dict[str, list[TrialResult]] = {}
    for result in results:
        groups.setdefault(result.name, []).append(result)
    return groups


def mean_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation (0 for a single value)."""
    return mean(values), stdev(values) if len(values) > 1 else 0.0


def summary(results: Sequence[TrialResult], measure: Measure, protocol: str = "honest") -> str:
    """Mean ± standard deviation of a measure over results; "–" where one of them lacks it."""
    values = [result.scores.get(protocol, {}).get(measure.name) for result in results]
    found = [value for value in values if value is not None]
    if not found or len(found) < len(values):
        return measure.show(None)
    average, spread = mean_and_spread(found)
    return f"{measure.show(average)} ± {measure.show(spread)}"


def folder_of(out: Path, name: str, seed: int) -> Path:
    """Where the trial of this name and seed is kept."""
    return out / f"{name.replace(',', '').replace(' ', '-')}-seed-{seed}"


# --- one trial, in a process of its own ----------------------------------------------------------


def _is_done(folder: Path, config: TrialConfig, tables: Tables, model: CVAE) -> bool:
    finished = is_finished(folder, identity(config, tables, model))
    return finished and (folder / "trial.json").exists()


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


def _run_one(
    folder: Path,
    name: str,
    config: TrialConfig,
    tables: Tables,
    make_model: ModelMaker,
    judge: Judge,
) -> None:
    """Train and judge one trial; leave config.json, history.csv and trial.json in its folder."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    if _is_done(folder, config, tables, new_model(0, tables.language, make_model)):
        return  # by another process, since it was asked for
    progress_file, noted = folder / "progress.txt", 0.0

    def note(progress: Progress) -> None:
        nonlocal noted
        if time.monotonic() - noted > 0.5:
            progress_file.write_text(str(progress.step), encoding="utf-8")
            noted = time.monotonic()

    run = train(config, tables, out=folder, make_model=make_model, on_progress=note)
    content = {
        "name": name,
        "seed": config.seed,
        **judge(run, tables),
        "seconds": run.history[-1].seconds,
    }
    save_json(folder / "trial.json", content)  # before what it was made from goes
    for file in ("weights.pt", "best.pt", "scores.json", "progress.txt"):
        (folder / file).unlink(missing_ok=True)


def _load_result(folder: Path) -> TrialResult:
    path = folder / "trial.json"
    content = load_json(path)
    try:
        return TrialResult(
            name=str(content.pop("name")),
            seed=int(content.pop("seed")),
            seconds=float(content.pop("seconds")),
            scores={protocol: scores_from(scores, path) for protocol, scores in content.items()},
            config=load_config(folder / "config.json"),
            history=load_history(folder / "history.csv"),
        )
    except (TypeError, KeyError, AttributeError, ValueError, OverflowError) as error:
        if isinstance(error, RunError):
            raise
        raise RunError(f"{path} is not a result of labkit: {error}") from None
