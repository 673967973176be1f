"""labkit.state: interrupted trials go on where they were, or say why they cannot."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from labkit import training
from labkit.errors import RunError
from labkit.measures.protocols import evaluate
from labkit.model import CVAE
from labkit.recipes import fast, fast_report, report
from labkit.sampling import Sampling
from labkit.state import TrialState
from labkit.tables import Tables, load_tables
from labkit.tensor_files import load_tensors, save_tensors
from labkit.training import StopTraining, update

SMALL = partial(CVAE, hidden=32, latent=8)
train = partial(training.train, judge=partial(evaluate, samples=5), make_model=SMALL)
CPU = torch.device("cpu")
RECIPES = {
    "batches": fast(epochs=3, batch_size=8, evaluation_samples=5, history_rows=4),
    "free runs": fast_report(0.4, 2, epochs=3, batch_size=8, evaluation_samples=5, history_rows=3),
    "taught": fast(
        **{"epochs": 3, "batch_size": 16, "evaluation_samples": 5, "history_rows": 3},
        sampling=Sampling(frequency_power=0.5, invented=1.0, pair_share=0.75),
    ),
    "one word": report(0.4, 2, epochs=2, evaluate_every=20, evaluation_samples=5),
}


@pytest.fixture(scope="module")
def tables():
    whole = load_tables()
    return Tables(whole.folder, whole.train[:8], whole.test[:2], [], [], {})


@pytest.fixture
def state(tables):
    """In the middle of the first epoch: two of four updates are done."""
    state = TrialState(RECIPES["batches"], tables, CPU, SMALL)
    for batch, target in state.batches_left():
        state.count(update(state, batch, 0.01, 1.0, 0.01, target).cross_entropy)
        if state.step == 2:
            break
    return state


@pytest.fixture(scope="module")
def whole_runs(tables):
    """Each recipe, not interrupted."""
    return {name: train(config, tables) for name, config in RECIPES.items()}


def assert_same(run, other):
    """Bit for bit, seconds apart."""
    for ours, theirs in zip(run.history, other.history, strict=True):
        assert replace(ours, seconds=0) == replace(theirs, seconds=0)
    for a, b in zip(run.model.parameters(), other.model.parameters(), strict=True):
        assert torch.equal(a, b)
    for a, b in zip(run.best_model.parameters(), other.best_model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert run.scores == other.scores


@pytest.mark.parametrize(
    ("recipe", "stop_at", "error"),
    [
        *(("batches", step, KeyboardInterrupt) for step in (1, 3, 4, 5, 11)),  # four an epoch
        *(("free runs", step, KeyboardInterrupt) for step in (3, 5)),
        *(("taught", step, KeyboardInterrupt) for step in (3, 6, 10)),  # four an epoch
        *(("one word", step, KeyboardInterrupt) for step in (12, 33)),  # 32 an epoch
        ("batches", 6, StopTraining),
    ],
)
def test_an_interrupted_trial_goes_on(
    tmp_path, tables, monkeypatch, whole_runs, recipe, stop_at, error
):
    monkeypatch.setattr("labkit.training.SAVE_SECONDS", 0)
    config = RECIPES[recipe]

    def interrupt(progress):
        if progress.step == stop_at:
            raise error

    if error is StopTraining:
        assert train(config, tables, out=tmp_path, on_progress=interrupt).scores is None
    else:
        with pytest.raises(KeyboardInterrupt):
            train(config, tables, out=tmp_path, on_progress=interrupt)
    assert (tmp_path / "state.pt").exists() == (stop_at > 1)
    steps = []
    resumed = train(config, tables, out=tmp_path, on_progress=lambda p: steps.append(p.step))
    assert steps[0] == stop_at  # it was interrupted before this update was saved
    assert_same(resumed, whole_runs[recipe])
    assert not (tmp_path / "state.pt").exists()


def test_an_epoch_that_had_begun_is_drawn_again(tmp_path, tables, state):
    """Its order, its invented verbs, its targets: from the generator as it was before."""
    state.save(tmp_path / "state.pt")
    again = TrialState(state.config, tables, CPU, SMALL)
    again.load(tmp_path / "state.pt")
    assert again.batch == 2
    assert len(again.drawn.read) == len(state.drawn.read) == 4
    for ours, theirs in zip(again.drawn.read, state.drawn.read, strict=True):
        assert torch.equal(ours, theirs)
    (batch, _), (other, _) = next(again.batches_left()), next(state.batches_left())
    assert torch.equal(batch.tokens, other.tokens)
    assert torch.equal(again.generator.get_state(), state.generator.get_state())


def test_between_two_epochs_nothing_is_drawn(tmp_path, tables, state):
    state.end_epoch()
    state.save(tmp_path / "state.pt")
    again = TrialState(state.config, tables, CPU, SMALL)
    again.load(tmp_path / "state.pt")
    assert (again.epoch, again.batch, again.drawn) == (1, 0, None)


def test_seconds_go_on_too(tmp_path, tables, state):
    state._seconds_before = 1000.0
    state.save(tmp_path / "state.pt")
    again = TrialState(state.config, tables, CPU, SMALL)
    again.load(tmp_path / "state.pt")
    assert 1000 <= again.seconds < 1600


# --- states that cannot be used ------------------------------------------------------------------


GONE = object()


def changed(path, **changes):
    """Write the saved state anew with some of its values changed, or GONE."""
    content = {**load_tensors(path), **changes}
    save_tensors(path, {name: value for name, value in content.items() if value is not GONE})


def test_a_state_whose_values_are_the_same_is_sound(tmp_path, tables, state):
    """So that the refusals below are due to what was changed."""
    state.save(tmp_path / "state.pt")
    changed(tmp_path / "state.pt", seconds=3.0)
    TrialState(state.config, tables, CPU, SMALL).load(tmp_path / "state.pt")


@pytest.mark.parametrize("layout", [GONE, 1, 2, 4, "3"])
def test_a_state_of_another_layout_is_left_to_its_version(tmp_path, tables, state, layout):
    state.save(tmp_path / "state.pt")
    changed(tmp_path / "state.pt", layout=layout)
    with pytest.raises(RunError, match=r"state\.pt was saved by another version of labkit.*delete"):
        train(state.config, tables, out=tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("history", GONE),
        ("history", [{"step": 1}]),
        ("history", 3),
        ("model", {}),
        ("optimizer", {}),
        ("generator", torch.zeros(3)),
        ("seconds", "long"),
        ("before_epoch", GONE),
        ("before_epoch", torch.zeros(3)),
        ("epoch", GONE),
    ],
)
def test_a_damaged_state_says_how_to_start_again(tmp_path, tables, state, name, value):
    state.save(tmp_path / "state.pt")
    changed(tmp_path / "state.pt", **{name: value})
    with pytest.raises(RunError, match=r"state\.pt is damaged: delete it to start"):
        train(state.config, tables, out=tmp_path)


@pytest.mark.parametrize("shape", [(), (1,), (28, 31), (32, 28)])
def test_moments_of_another_shape_are_damage(tmp_path, tables, state, shape):
    """The fused AdamW would write behind them without a word."""
    state.save(tmp_path / "state.pt")
    optimizer = load_tensors(tmp_path / "state.pt")["optimizer"]
    optimizer["state"][1]["exp_avg"] = torch.zeros(shape)
    changed(tmp_path / "state.pt", optimizer=optimizer)
    with pytest.raises(RunError, match=r"state\.pt is damaged"):  # before any update
        TrialState(state.config, tables, CPU, SMALL).load(tmp_path / "state.pt")


def test_a_state_that_is_no_file_of_tensors(tmp_path, tables):
    (tmp_path / "state.pt").write_bytes(b"")
    with pytest.raises(RunError, match="Delete it to start this trial again"):
        train(RECIPES["batches"], tables, out=tmp_path)


def test_the_state_of_another_trial_is_not_gone_on_with(tmp_path, tables, state):
    state.save(tmp_path / "state.pt")
    for config, make_model in (
        (replace(state.config, seed=9), SMALL),
        (state.config, partial(SMALL, latent=9)),
    ):
        with pytest.raises(RunError, match="other settings, words or another model"):
            train(config, tables, out=tmp_path, make_model=make_model)
