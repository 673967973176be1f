"""labkit.report2021: the report's four schedules, its numbers, and our trials beside them."""

import dataclasses
from functools import partial

import pytest

from labkit import report2021
from labkit.config import TrialConfig
from labkit.errors import RunError
from labkit.measures.catalogue import MEASURES
from labkit.measures.protocols import evaluate
from labkit.model import CVAE, new_model
from labkit.recipes import fast, fast_report, report
from labkit.report2021 import (
    REPORT_RESULTS,
    judge_both,
    load_trials,
    schedule_of,
    trial_configs,
    trial_name,
    trials_table,
)
from labkit.runs import Run
from labkit.sweeps import TrialResult, mean_and_spread
from labkit.tables import load_tables, miniature


def result(config, name="mine", **scores):
    return TrialResult(name, config.seed, config, [], {"honest": {}, "report": {}, **scores}, 2.0)


def test_the_report_has_four_trials_and_fast_a_fifth():
    report_trials = trial_configs("report")
    assert len(report_trials) == 4
    assert {schedule_of(config) for config in report_trials.values()} == REPORT_RESULTS.keys()
    assert all(c.batch_size == 1 and c.epochs == 150 for c in report_trials.values())
    ours = trial_configs("fast")
    assert list(ours) == [*report_trials, "fast"]
    assert ours["fast"] == fast()
    for name, theirs in report_trials.items():
        same = dataclasses.replace(fast(), kl=theirs.kl, forcing=theirs.forcing)
        assert ours[name] == same
    assert trial_name(0.4, 1) == "ratio 0.4, 1 cycle" and trial_name(0.8, 2) in ours


def test_a_trial_follows_the_reports_schedule_or_none():
    assert schedule_of(report(0.4, 1)) == schedule_of(fast_report(0.4, 1, epochs=7)) == (0.4, 1)
    assert schedule_of(fast()) is None
    assert schedule_of(report(0.5, 1)) is None
    almost = report(0.4, 1)
    almost = dataclasses.replace(almost, kl=dataclasses.replace(almost.kl, shape="cosine"))
    assert schedule_of(almost) is None


def test_table():
    four = report(0.4, 1)
    trials = [
        result(four, "a", honest={"bleu4": 0.5, "kl": 1.0}, report={"bleu4": 0.25}),
        result(dataclasses.replace(four, seed=1), "a", honest={"bleu4": 0.7}),
        result(fast(), "fast", honest={"bleu4": 1.0, "unseen_exact_match": None}),
    ]
    first, second = trials_table(trials)
    assert [*first] == [
        "trial",
        *(entry.title for entry in MEASURES),
        *("report's way: BLEU-4", "report's way: Gaussian", "2021: BLEU-4", "2021: Gaussian"),
        "seconds",
    ]
    average, spread = mean_and_spread([0.5, 0.7])
    assert first["BLEU-4"] == f"{average:.3f} ± {spread:.3f}"
    assert first["KL"] == "–"  # one of the two lacks it
    assert first["report's way: BLEU-4"] == "–"
    assert (first["2021: BLEU-4"], first["2021: Gaussian"]) == ("0.748", "0.060")
    assert first["seconds"] == "2 ± 0"
    assert (second["trial"], second["2021: BLEU-4"]) == ("fast", "")
    assert second["unseen exact"] == "–"


def test_stored_trials_are_those_of_the_preset_the_reports_first():
    stored = load_trials()
    names = list(dict.fromkeys(trial.name for trial in stored))
    assert names == list(trial_configs("fast"))
    assert [trial.seed for trial in stored] == [0, 1, 2] * 5
    rows = trials_table(stored)
    assert "–" not in "".join(rows[-1].values())
    ours = [trial.honest["unseen_exact_match"] for trial in stored if trial.name == "fast"]
    average, spread = mean_and_spread(ours)
    assert rows[-1]["unseen exact"] == f"{average:.3f} ± {spread:.3f}"


def test_a_folder_without_trials_is_named(tmp_path):
    with pytest.raises(RunError, match="holds no trials: make some with 'labkit trials --out"):
        load_trials(tmp_path)


def test_the_reports_way_judges_the_best_checkpoint(monkeypatch):
    asked = []

    def judge(model, tables, protocol="honest"):
        asked.append((model, protocol))
        return evaluate(model, tables, protocol, samples=3)

    monkeypatch.setattr(report2021, "evaluate", judge)
    make_model, tables = partial(CVAE, hidden=16), miniature(load_tables(), 9)
    last, best = new_model(0, make_model=make_model), new_model(1, make_model=make_model)
    honest = {"protocol": "honest", "outputs": []}
    scores = judge_both(Run(TrialConfig(), last, [], honest, best), tables)
    assert asked == [(best, "report")]
    assert scores["honest"] is honest and scores["report"]["protocol"] == "report"
    judge_both(Run(TrialConfig(), last, [], None), tables)
    assert asked[1:] == [(last, "honest"), (last, "report")]
