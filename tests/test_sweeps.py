"""labkit.sweeps: many trials, stored, resumed, and ended together."""

import dataclasses
import json
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from multiprocessing import active_children

import pytest

from labkit import sweeps
from labkit.errors import RunError
from labkit.measures.catalogue import measure
from labkit.measures.protocols import evaluate
from labkit.model import CVAE
from labkit.recipes import fast
from labkit.sweeps import by_name, load_results, mean_and_spread, run_sweep, summary
from labkit.tables import Tables, load_tables

SMALL = partial(CVAE, hidden=32)


@pytest.fixture(scope="module")
def tables():
    whole = load_tables()
    return Tables(whole.folder, whole.train[:6], whole.test[:2], [], [], {})


def tiny(**changes):
    settings = {"epochs": 2, "batch_size": 12, "evaluation_samples": 3, "history_rows": 2}
    return fast(**{**settings, **changes})


def judge_twice(run, tables):
    """As report2021.judge_both does, in less time."""
    return {
        "honest": run.scores,
        "report": evaluate(run.model, tables, "report", samples=3),
    }


@pytest.fixture(scope="module")
def done(tables, tmp_path_factory):
    """Two configurations with two seeds, each trial in a process of its own."""
    out = tmp_path_factory.mktemp("trials")
    seen = []
    results = run_sweep(
        {"ratio 0.4, 1 cycle": tiny(learning_rate=1e-3), "fast": tiny()},
        tables,
        [0, 1],
        out,
        make_model=SMALL,
        judge=judge_twice,
        on_progress=lambda done, total: seen.append((done, total)),
    )
    return out, results, seen


@pytest.mark.slow
def test_results_are_stored_and_read_back(done):
    out, results, seen = done
    assert [(r.name, r.seed, r.config.seed) for r in results] == [
        ("ratio 0.4, 1 cycle", 0, 0),
        ("ratio 0.4, 1 cycle", 1, 1),
        ("fast", 0, 0),
        ("fast", 1, 1),
    ]
    assert sorted(load_results(out), key=str) == sorted(results, key=str)
    assert seen[-1] == (16, 16)
    assert results[0].honest == results[0].scores["honest"]
    assert {name: scores["protocol"] for name, scores in results[0].scores.items()} == {
        "honest": "honest",
        "report": "report",
    }
    names = {path.name for path in out.rglob("*") if path.is_file()}
    assert names == {"config.json", "history.csv", "trial.json"}
    assert [*by_name(results)] == ["ratio 0.4, 1 cycle", "fast"]
    assert by_name(results)["fast"] == results[2:]


class NoExecutor(Executor):
    def submit(self, *args):
        raise AssertionError("ran again")


@pytest.mark.slow
def test_finished_trials_are_not_run_again(done, tables):
    out, results, _ = done
    again = partial(run_sweep, tables=tables, out=out, make_model=SMALL, executor=NoExecutor())
    assert again({"fast": tiny()}, seeds=[0, 1]) == results[2:]
    with pytest.raises(RunError, match="other settings, words or another model"):
        again({"fast": tiny(learning_rate=1)}, seeds=[0])


class Here(Executor):
    """Runs what it is given at once, in this process."""

    def submit(self, function, *args):
        future = Future()
        try:
            future.set_result(function(*args))
        except OSError as error:
            future.set_exception(error)
        return future


def run_here(tables, out, executor=None, seeds=(0,), **options):
    """A sweep of small models in this process."""
    return run_sweep(
        {"fast": tiny()},
        tables,
        seeds,
        out,
        make_model=SMALL,
        executor=executor or Here(),
        **options,
    )


def test_a_result_that_could_not_be_written_is_made_again(tables, tmp_path, monkeypatch):
    def refuse(path, content):
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr("labkit.sweeps.save_json", refuse)
        with pytest.raises(OSError, match="No space left"):
            run_here(tables, tmp_path)
    with monkeypatch.context() as patch:  # what was trained is there: only judging is left
        patch.setattr("labkit.training.loss_of_batch", None)
        [result] = run_here(tables, tmp_path)
    assert result.name == "fast"


def test_a_trial_that_somebody_else_finished_meanwhile_is_left_alone(tables, tmp_path, monkeypatch):
    """Two sweeps into one folder: when the second comes to a trial, the first has done it."""
    folder = sweeps.folder_of(tmp_path, "fast", 0)
    arguments = (folder, "fast", tiny(), tables, SMALL, sweeps.judge_honestly)
    sweeps._run_one(*arguments)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert before.keys() == {"config.json", "history.csv", "trial.json"}
    monkeypatch.setattr("labkit.training.loss_of_batch", None)
    sweeps._run_one(*arguments)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before

    class Late(Executor):
        """Runs each trial twice, as if two had asked for it."""

        def submit(self, function, *args):
            function(*args)
            return Here().submit(function, *args)

    monkeypatch.undo()
    assert len(run_here(tables, tmp_path / "twice", executor=Late())) == 1


def test_after_a_failure_what_has_not_begun_is_not_begun(tables, tmp_path):
    """On an executor of one's own, too; what has begun there ends by itself."""
    begun, failed = [], threading.Event()

    def judge(run, tables):
        begun.append(run.config.seed)
        if run.config.seed == 0:
            raise ValueError("no judge today")
        failed.wait(60)  # the second trial is at work until the sweep has failed
        return sweeps.judge_honestly(run, tables)

    with ThreadPoolExecutor(1) as executor:
        with pytest.raises(ValueError, match="no judge today"):
            run_here(tables, tmp_path, executor=executor, seeds=range(8), judge=judge)
        failed.set()
        assert executor.submit(int).result() == 0, "a given executor is not shut down"
    assert len(begun) <= 2
    assert len({*tmp_path.glob("*/trial.json")}) == len(begun) - 1


def test_it_goes_on_after_a_failure(tables, tmp_path):
    asked = []

    def judge(run, tables):
        asked.append(run.config.seed)
        if asked == [0]:
            raise OSError("no judge today")
        return sweeps.judge_honestly(run, tables)

    with pytest.raises(OSError, match="no judge"):
        run_here(tables, tmp_path, judge=judge)
    assert [r.seed for r in run_here(tables, tmp_path, judge=judge)] == [0]
    assert asked == [0, 0]


@pytest.mark.slow
def test_a_trial_whose_process_is_killed_is_named(tables, tmp_path):
    with pytest.raises(RunError, match="was killed"):
        run_sweep(
            {"fast": fast(epochs=10_000)},
            tables,
            [0],
            tmp_path,
            on_progress=lambda done, total: done and [p.kill() for p in active_children()],
        )
    assert not active_children()


@pytest.mark.slow
def test_an_interruption_ends_the_trials(tables, tmp_path):
    def interrupt(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep({"fast": fast(epochs=10_000)}, tables, [0, 1, 2], tmp_path, on_progress=interrupt)
    assert not active_children()


def test_mean_and_spread():
    assert mean_and_spread([1.0]) == (1, 0)
    assert mean_and_spread([1.0, 3.0]) == pytest.approx((2, 2**0.5))


def test_measures_may_come_and_go(tables, tmp_path):
    """A stored result that lacks a measure, and has one that this labkit does not know."""
    [result] = run_here(tables, tmp_path)
    path = sweeps.folder_of(tmp_path, "fast", 0) / "trial.json"
    content = json.loads(path.read_text())
    del content["honest"]["coverage"]
    content["honest"]["of_tomorrow"] = 0.5
    path.write_text(json.dumps(content))
    [again] = load_results(tmp_path)
    assert again.honest["of_tomorrow"] == 0.5 and "coverage" not in again.honest
    assert summary([again], measure("coverage")) == "–"
    assert summary([result, again], measure("coverage")) == "–"
    assert summary([again], measure("kl")) != "–"
    same = {"coverage": result.honest["coverage"]}
    scores = {**again.honest, **same}
    del scores["of_tomorrow"]
    assert dataclasses.replace(again, scores={"honest": scores}) == result


def test_damaged_results_are_named(tables, tmp_path):
    with pytest.raises(RunError, match="holds no trials"):
        load_results(tmp_path)
    run_here(tables, tmp_path)
    path = sweeps.folder_of(tmp_path, "fast", 0) / "trial.json"
    whole = json.loads(path.read_text())
    for damage, message in [
        ({"name": "x"}, r"trial\.json is not a result of labkit"),
        ([1], r"trial\.json is not a result of labkit"),
        ({**whole, "seconds": "long"}, r"trial\.json is not a result of labkit"),
        ({**whole, "honest": 3}, r"trial\.json does not hold labkit's scores"),
        (
            {**whole, "honest": {**whole["honest"], "kl": "much"}},
            r"trial\.json does not hold labkit's scores: 'kl' is 'much'",
        ),
    ]:
        path.write_text(json.dumps(damage))
        with pytest.raises(RunError, match=message):
            load_results(tmp_path)
