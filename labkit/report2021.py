"""The 2021 report: its schedules, what it published, and our trials beside it (notebook 04)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from labkit import recipes
from labkit.config import TrialConfig
from labkit.measures.catalogue import MEASURES, Scores, measure
from labkit.measures.protocols import evaluate
from labkit.runs import Run
from labkit.sweeps import TrialResult, by_name, load_results, mean_and_spread, summary
from labkit.tables import DATA_FOLDER, Tables

TRIALS_FOLDER = DATA_FOLDER / "trials"  # stored results behind the notebooks' figures

# The report's four schedules, (final teacher-forcing ratio, cycles), and its own results at its
# best checkpoint, chosen on the test: (BLEU-4, Gaussian score).
REPORT_RESULTS = {
    (0.4, 1): (0.7478, 0.06),
    (0.4, 2): (0.9286, 0.30),
    (0.8, 1): (0.6550, 0.28),
    (0.8, 2): (0.9286, 0.39),
}


def trial_name(ratio: float, cycles: int) -> str:
    """What a trial with one of the report's schedules is called: "ratio 0.4, 1 cycle"."""
    return f"ratio {ratio}, {cycles} cycle{'s' if cycles > 1 else ''}"


def trial_configs(preset: str, words: int | None = None) -> dict[str, TrialConfig]:
    """The trials of a preset, by name. For "fast" and "thorough" our own recipe is the fifth.

    words: how many words the list has (verbs x forms); it decides the epochs of all but "report".
    """
    own = recipes.choose(preset, words=words)[0]
    make = recipes.report if preset == "report" else partial(recipes.fast_report, epochs=own.epochs)
    configs = {trial_name(*schedule): make(*schedule) for schedule in REPORT_RESULTS}
    return configs if preset == "report" else {**configs, preset: own}


def schedule_of(config: TrialConfig) -> tuple[float, int] | None:
    """The report's schedule that a trial follows, (final ratio, cycles); None for any other."""
    schedule = (config.forcing.final_ratio, config.kl.cycles)
    if schedule not in REPORT_RESULTS:
        return None
    its = recipes.report(*schedule, epochs=config.epochs)
    return schedule if (config.kl, config.forcing) == (its.kl, its.forcing) else None


def judge_both(run: Run, tables: Tables) -> dict[str, Scores]:
    """Scores of the final weights, honest; and the report's way, of the best checkpoint: that of
    the row with the best report BLEU-4, chosen on the test pairs."""
    best = run.model if run.best_model is None else run.best_model
    honest = run.scores or evaluate(run.model, tables)
    return {"honest": honest, "report": evaluate(best, tables, "report")}


def load_trials(folder: str | Path = TRIALS_FOLDER) -> list[TrialResult]:
    """Stored trials, the report's schedules first. Raises RunError if there are none."""
    return sorted(load_results(folder), key=lambda result: schedule_of(result.config) is None)


def trials_table(results: Sequence[TrialResult]) -> list[dict[str, str]]:
    """Mean ± standard deviation over the seeds of each trial, beside the report's own numbers."""
    rows = []
    for name, group in by_name(results).items():
        schedule = schedule_of(group[0].config)
        published = REPORT_RESULTS[schedule] if schedule else None
        seconds, spread = mean_and_spread([result.seconds for result in group])
        rows.append(
            {
                "trial": name,
                **{entry.title: summary(group, entry) for entry in MEASURES},
                "report's way: BLEU-4": summary(group, measure("bleu4"), "report"),
                "report's way: Gaussian": summary(group, measure("gaussian_score"), "report"),
                "2021: BLEU-4": f"{published[0]:.3f}" if published else "",
                "2021: Gaussian": f"{published[1]:.3f}" if published else "",
                "seconds": f"{seconds:.0f} ± {spread:.0f}",
            }
        )
    return rows
