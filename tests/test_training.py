"""labkit.training: the batched loss against a plain loop, seeds, interruptions, learning."""

import random
from functools import partial

import pytest
import torch
import torch.nn.functional as F

from labkit.config import TrialConfig, fast, fast_report, report
from labkit.data import EOS, SOS, Tables, load_tables, make_batch
from labkit.evaluation import evaluate
from labkit.files import RunError, load_csv
from labkit.model import CVAE
from labkit.runs import load_run
from labkit.training import StopTraining, loss_of_batch, train


@pytest.fixture(scope="module")
def tables():
    whole = load_tables()
    return Tables(whole.folder, whole.train[:8], whole.test[:2], [], whole.heldout_test[:1], {})


@pytest.fixture(autouse=True)
def _fewer_final_samples(monkeypatch):
    """A thousand samples of a model that knows no EOS yet take longer than all else here."""
    monkeypatch.setattr("labkit.training.evaluate", partial(evaluate, samples=20))


def small(**changes):
    return fast(epochs=3, batch_size=8, evaluation_samples=5, evaluate_every=None, **changes)


def report_loss_of_word(model, word, tense, noise, forced, kl_weight):
    """The report's loop: one word, one character at a time, nothing shared with labkit's loss."""
    tokens = [ord(letter) - ord("a") for letter in word] + [EOS]
    condition = model.tense_embedding(torch.tensor([tense]))
    start = torch.cat([torch.zeros(1, model.encoder.zeros), condition], dim=1)[None]
    _, (hidden, cell) = model.encoder.lstm(
        model.encoder.embedding(torch.tensor([tokens])), (start, start)
    )
    e, d = model.encoder, model.decoder
    parts = []
    for state, to_mean, to_log_var, epsilon in (
        (hidden[0], e.hidden_to_mean, e.hidden_to_log_var, noise[: model.latent]),
        (cell[0], e.cell_to_mean, e.cell_to_log_var, noise[model.latent :]),
    ):
        mean, log_var = to_mean(state), to_log_var(state)
        kl = -0.5 * torch.sum(1 + log_var - mean**2 - log_var.exp())
        parts.append((mean + (0.5 * log_var).exp() * epsilon, kl))
    (z_hidden, kl_hidden), (z_cell, kl_cell) = parts
    states = (
        d.latent_to_hidden(torch.cat([z_hidden, condition], dim=1))[None],
        d.latent_to_cell(torch.cat([z_cell, condition], dim=1))[None],
    )
    losses = []
    character = SOS
    for target in tokens:
        x = F.relu(d.embedding(torch.tensor([[character]])))
        output, states = d.lstm(x, states)
        logits = d.output(output[:, 0])
        losses.append(F.cross_entropy(logits, torch.tensor([target])))
        guess = int(logits.argmax())
        if not forced and guess == EOS:
            break
        character = target if forced else guess
    return torch.stack(losses).mean() + kl_weight * (kl_hidden + kl_cell), len(losses)


@pytest.mark.parametrize("seed", range(4))
def test_a_batch_is_the_mean_of_the_reports_word_by_word_loop(seed):
    words = ["go", "abandon", "is", "functioning", "send", "be", "split", "heal", "expends", "a"]
    rng = random.Random(seed)
    tenses = [rng.randrange(4) for _ in words]
    forced = torch.tensor([rng.random() < 0.4 for _ in words])
    torch.manual_seed(seed)
    model = CVAE(hidden=24, condition=8, latent=5)
    with torch.no_grad():
        model.decoder.output.weight.mul_(12)  # so that free runs end at many lengths
        model.decoder.output.bias[EOS] = 0.7
    noise = torch.randn(len(words), 10, generator=torch.Generator().manual_seed(seed))

    plain = [
        report_loss_of_word(model, *args, kl_weight=0.07)
        for args in zip(words, tenses, noise, forced.tolist(), strict=True)
    ]
    lengths = {count for (_, count), f in zip(plain, forced.tolist(), strict=True) if not f}
    assert len(lengths) > 1, "the test wants free runs of several lengths"
    expected = torch.stack([loss for loss, _ in plain]).mean()
    expected.backward()
    gradients = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()

    loss = loss_of_batch(
        model, make_batch(words, tenses), forced, 0.07, torch.Generator().manual_seed(seed)
    )
    loss.total.backward()
    torch.testing.assert_close(loss.total, expected, atol=1e-5, rtol=1e-5)
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, atol=1e-5, rtol=1e-5)


def numbers(history):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history]


def test_the_same_seed_gives_the_same_history(tables):
    torch.manual_seed(99)
    before = torch.get_rng_state()
    first, second = train(small(), tables), train(small(), tables)
    assert torch.equal(before, torch.get_rng_state())
    assert numbers(first.history) == numbers(second.history)
    assert numbers(first.history) != numbers(train(small(seed=1), tables).history)


@pytest.mark.parametrize("make", [fast, lambda **k: fast_report(0.4, 2, **k)])
@pytest.mark.parametrize("stop_at", [1, 3, 4, 5, 11])  # four updates an epoch
def test_an_interrupted_run_goes_on(tmp_path, tables, monkeypatch, make, stop_at):
    config = make(epochs=3, batch_size=8, evaluation_samples=5)
    whole = train(config, tables)
    monkeypatch.setattr("labkit.training.SAVE_SECONDS", 0)

    def interrupt(progress):
        if progress.step == stop_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, tables, out=tmp_path, on_progress=interrupt)
    assert (tmp_path / "state.pt").exists() == (stop_at > 1)
    steps = []
    resumed = train(config, tables, out=tmp_path, on_progress=lambda p: steps.append(p.step))
    assert steps[0] == stop_at  # it was interrupted before this update was saved
    assert numbers(resumed.history) == numbers(whole.history)
    for a, b in zip(resumed.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not (tmp_path / "state.pt").exists()


def test_the_report_preset_is_the_reports_recipe():
    config = report(0.4, 1)
    assert (config.batch_size, config.optimizer, config.learning_rate) == (1, "sgd", 0.05)
    assert (config.epochs, config.evaluate_every, config.kl_final_weight) == (150, 500, 0.1)
    assert (config.warmup_share, config.clip_norm) == (None, None)


def test_rows_come_every_so_many_iterations(tables):
    rows = []
    config = report(0.8, 2, epochs=2, evaluate_every=20, evaluation_samples=3)
    run = train(config, tables, on_progress=lambda p: rows.append(p.row))
    assert [i + 1 for i, row in enumerate(rows) if row] == [20, 40, 60, 64]
    assert [row["step"] for row in run.history] == [20, 40, 60, 64]
    assert [row["epoch"] for row in run.history] == [0, 1, 1, 1]
    assert len(rows) == 2 * 32


def test_a_run_folder_holds_the_run(tmp_path, tables):
    run = train(small(), tables, out=tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {
        "config.json", "history.csv", "weights.pt", "best.pt", "scores.json",
    }  # fmt: skip
    again = load_run(tmp_path)
    assert again.config == run.config
    assert again.scores == run.scores
    assert again.history == run.history == load_csv(tmp_path / "history.csv")
    for a, b in zip(again.model.parameters(), run.model.parameters(), strict=True):
        assert torch.equal(a, b)
    for row in run.history:
        assert set(row) >= {
            "step", "epoch", "cross_entropy", "nll", "kl", "kl_weight", "teacher_forcing_ratio",
            "learning_rate", "bleu4", "gaussian_score", "seconds",
        }  # fmt: skip


def test_a_finished_run_is_read_back_and_never_overwritten(tmp_path, tables):
    run = train(small(), tables, out=tmp_path)

    def fail(progress):
        raise AssertionError("trained again")

    assert train(small(), tables, out=tmp_path, on_progress=fail).scores == run.scores
    with pytest.raises(RunError, match="other settings or words"):
        train(small(seed=7), tables, out=tmp_path)
    fewer = Tables(tables.folder, tables.train[:3], tables.test, [], [], {})
    with pytest.raises(RunError, match="other settings or words"):
        train(small(), fewer, out=tmp_path)


def test_a_callback_can_stop_a_run(tables):
    def stop(progress):
        if progress.step == 6:
            raise StopTraining

    run = train(small(), tables, on_progress=stop)
    assert run.scores is None
    assert len(run.history) == 1  # four updates an epoch: one row was done


def test_best_model_is_the_one_with_the_best_row(tables):
    run = train(small(learning_rate=1e-2), tables)
    best = max(run.history, key=lambda row: row["bleu4_report"])
    assert best["step"] < run.history[-1]["step"] or run.best_model is not None
    assert run.best_model is not None


def test_eight_words_can_be_learned_by_heart():
    rows = load_tables().train[:2]
    tables = Tables(load_tables().folder, rows, load_tables().test[:1], [], [], {})
    config = fast(
        epochs=150, batch_size=8, kl_peak_weight=1e-4, kl_final_weight=1e-4, evaluate_every=75
    )
    last = train(config, tables).history[-1]
    assert last["cross_entropy"] < 0.05
    assert last["nll"] < 0.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"learning_rate": 0}, "learning_rate must be above 0"),
        ({"optimizer": "adam"}, "'sgd' or 'adamw'"),
        ({"kl_cycles": 0}, "kl_cycles must be between 1 and epochs"),
        ({"kl_cycles": 3, "epochs": 2}, "kl_cycles must be between 1 and epochs"),
        ({"kl_shape": "square"}, "kl_shape must be one of"),
        ({"kl_zero_share": 0.5, "kl_rise_end": 0.3}, "must rise in this order"),
        ({"kl_final_weight": -1}, "kl_final_weight must not be negative"),
        ({"final_teacher_forcing_ratio": 1.5}, "between 0 and 1"),
        ({"teacher_forcing_full_share": 1}, "below 1"),
        ({"evaluate_every": 0}, "evaluate_every must be at least 1"),
        ({"weight_decay": -0.1}, "weight_decay must not be negative"),
    ],
)
def test_impossible_settings_are_refused_in_one_sentence(changes, message):
    with pytest.raises(ValueError, match=message):
        TrialConfig(**changes)
