"""labkit.trials: the report's four schedules, stored, resumed, and tabulated."""

import dataclasses
import json
from concurrent.futures import Executor, Future
from multiprocessing import active_children

import pytest

from labkit.config import TrialConfig, fast
from labkit.data import Tables, load_tables
from labkit.files import RunError
from labkit.trials import (
    REPORT_RESULTS,
    load_trials,
    mean_and_spread,
    run_trials,
    trial_configs,
    trials_table,
)


@pytest.fixture(scope="module")
def tables():
    whole = load_tables()
    return Tables(whole.folder, whole.train[:6], whole.test[:2], [], [], {})


def tiny(**changes):
    return fast(epochs=2, batch_size=12, evaluation_samples=3, evaluate_every=None, **changes)


@pytest.fixture(scope="module")
def done(tables, tmp_path_factory):
    out = tmp_path_factory.mktemp("trials")
    seen = []
    results = run_trials(
        {"ratio 0.4, 1 cycle": tiny(final_teacher_forcing_ratio=0.4), "fast": tiny()},
        tables,
        [0, 1],
        out,
        on_progress=lambda done, total: seen.append((done, total)),
    )
    return out, results, seen


def test_results_are_stored_and_read_back(done):
    out, results, seen = done
    assert [(r.name, r.seed) for r in results] == [
        ("ratio 0.4, 1 cycle", 0), ("ratio 0.4, 1 cycle", 1), ("fast", 0), ("fast", 1),
    ]  # fmt: skip
    again = load_trials(out)
    assert sorted(again, key=str) == sorted(results, key=str)
    assert seen[-1] == (16, 16)
    assert results[0].honest.protocol == "honest"
    assert results[0].report.protocol == "report"
    names = {path.name for path in out.rglob("*") if path.is_file()}
    assert names == {"config.json", "history.csv", "trial.json"}


def test_finished_trials_are_not_run_again(done, tables):
    out, results, _ = done

    class NoExecutor:
        def submit(self, *args):
            raise AssertionError("ran again")

    configs = {"fast": tiny()}
    assert run_trials(configs, tables, [0, 1], out, executor=NoExecutor()) == results[2:]
    with pytest.raises(RunError, match="other settings or words"):
        run_trials({"fast": tiny(learning_rate=1)}, tables, [0], out)


class Here(Executor):
    """Runs what it is given at once, in this process."""

    def submit(self, function, *args):
        future = Future()
        try:
            future.set_result(function(*args))
        except OSError as error:
            future.set_exception(error)
        return future


def test_a_result_that_could_not_be_written_is_made_again(tables, tmp_path, monkeypatch):
    def refuse(path, content):
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr("labkit.trials.save_json", refuse)
        with pytest.raises(OSError, match="No space left"):
            run_trials({"fast": tiny()}, tables, [0], tmp_path, executor=Here())
    with monkeypatch.context() as patch:  # what was trained is there: only judging is left
        patch.setattr("labkit.training.loss_of_batch", None)
        [result] = run_trials({"fast": tiny()}, tables, [0], tmp_path, executor=Here())
    assert result.name == "fast"


def test_a_trial_whose_process_is_killed_is_named(tables, tmp_path):
    with pytest.raises(RunError, match="was killed"):
        run_trials(
            {"fast": fast(epochs=10_000)},
            tables,
            [0],
            tmp_path,
            on_progress=lambda done, total: done and [p.kill() for p in active_children()],
        )
    assert not active_children()


def test_an_interruption_ends_the_trials(tables, tmp_path):
    def interrupt(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_trials(
            {"fast": fast(epochs=10_000)}, tables, [0, 1, 2], tmp_path, on_progress=interrupt
        )
    assert not active_children()


def test_the_report_has_four_trials_and_fast_a_fifth():
    report = trial_configs("report")
    assert len(report) == 4
    assert {
        (c.final_teacher_forcing_ratio, c.kl_cycles) for c in report.values()
    } == REPORT_RESULTS.keys()
    assert all(c.batch_size == 1 and c.epochs == 150 for c in report.values())
    ours = trial_configs("fast")
    assert list(ours)[-1] == "fast"
    plain = TrialConfig()
    for name, config in list(ours.items())[:4]:
        assert config.batch_size == fast().batch_size and config.epochs == fast().epochs
        theirs = report[name]
        for field in dataclasses.fields(TrialConfig):
            if field.name.startswith("kl_") or "teacher" in field.name:
                assert getattr(config, field.name) == getattr(theirs, field.name)
        assert config.kl_peak_weight is plain.kl_peak_weight


def test_table(done):
    _, results, _ = done
    rows = trials_table(results)
    assert [row["trial"] for row in rows] == ["ratio 0.4, 1 cycle", "fast"]
    average, spread = mean_and_spread([r.honest.bleu4 for r in results[:2]])
    assert rows[0]["honest BLEU-4"] == f"{average:.3f} ± {spread:.3f}"
    assert rows[0]["held-out exact"] == "–"  # these tables have no held-out verbs
    assert rows[0]["2021 BLEU-4"] == "0.748"
    assert rows[1]["2021 BLEU-4"] == ""
    stored = [result for result in load_trials() if result.name == "fast"]
    average, spread = mean_and_spread([r.honest.heldout_exact_match for r in stored])
    assert trials_table(stored)[0]["held-out exact"] == f"{average:.3f} ± {spread:.3f}"


def test_mean_and_spread():
    assert mean_and_spread([1.0]) == (1, 0)
    assert mean_and_spread([1.0, 3.0]) == pytest.approx((2, 2**0.5))


def test_damaged_results_are_named(done, tmp_path):
    with pytest.raises(RunError, match="holds no trials"):
        load_trials(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "trial.json").write_text(json.dumps({"name": "x"}))
    with pytest.raises(RunError, match=r"trial\.json is not a result"):
        load_trials(tmp_path)
