"""labkit.training: the batched loss against a plain loop, one update, seeds, learning."""

import copy
import math
import random
from dataclasses import replace
from functools import partial

import pytest
import torch
import torch.nn.functional as F

from labkit import training
from labkit.batches import make_batch
from labkit.errors import RunError
from labkit.language import EOS, SOS
from labkit.measures.protocols import evaluate
from labkit.model import CVAE
from labkit.recipes import fast, report
from labkit.runs import load_run
from labkit.schedules import KLSchedule
from labkit.state import TrialState
from labkit.tables import Tables, load_tables, miniature
from labkit.training import StopTraining, loss_of_batch, update


@pytest.fixture(scope="module")
def tables():
    whole = load_tables()
    return Tables(whole.folder, whole.train[:8], whole.test[:2], [], whole.heldout_test[:1], {})


# A thousand samples of a model that knows no EOS yet take longer than all else here.
SMALL = partial(CVAE, hidden=32, latent=8)
train = partial(training.train, judge=partial(evaluate, samples=20), make_model=SMALL)


def small(**changes):
    """Four updates an epoch on the tables above, and a row after each epoch."""
    settings = {"epochs": 3, "batch_size": 8, "evaluation_samples": 5, "history_rows": 3}
    return fast(**{**settings, **changes})


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


def test_an_update_by_hand():
    """The rate is set, one coin a word, one step down the loss's gradient."""
    tables = miniature(load_tables(), 3)
    state = TrialState(small(optimizer="sgd", clip_norm=None), tables, torch.device("cpu"))
    batch = make_batch(["go", "went"], [0, 3])
    model, generator = copy.deepcopy(state.model), torch.Generator()
    generator.set_state(state.generator.get_state())
    forced = torch.rand(2, generator=generator) < 0.5
    expected = loss_of_batch(model, batch, forced, 0.1, generator)
    expected.total.backward()

    loss = update(state, batch, 0.1, 0.5, 0.25)
    assert torch.equal(loss.total, expected.total)
    for new, old in zip(state.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(new, old - 0.25 * old.grad)


def test_long_gradients_are_clipped():
    tables = miniature(load_tables(), 3)
    state = TrialState(small(optimizer="sgd", clip_norm=0.01), tables, torch.device("cpu"))
    before = [weight.detach().clone() for weight in state.model.parameters()]
    update(state, make_batch(["go", "went"], [0, 3]), 0.1, 1.0, 1.0)
    weights = zip(state.model.parameters(), before, strict=True)
    length = sum(float((new - old).detach().pow(2).sum()) for new, old in weights) ** 0.5
    assert length == pytest.approx(0.01, rel=1e-3)


def test_a_weight_of_zero_makes_even_an_endless_kl_free():
    """The report's schedules begin with a weight of 0, while log variances may still run away."""
    torch.manual_seed(0)
    model = CVAE(hidden=16, latent=2)
    with torch.no_grad():
        model.encoder.hidden_to_mean.bias.fill_(1e30)  # its square is inf
    batch, forced = make_batch(["go"], [0]), torch.tensor([True])
    loss = loss_of_batch(model, batch, forced, 0.0, torch.Generator().manual_seed(0))
    assert loss.kl.item() == math.inf
    assert loss.total.item() == loss.cross_entropy.item() and loss.total.isfinite()
    loss.total.backward()
    priced = loss_of_batch(model, batch, forced, 0.1, torch.Generator().manual_seed(0))
    assert priced.total.item() == math.inf


def test_a_loss_that_is_no_number_ends_the_trial_with_advice(tables, tmp_path):
    config = small(optimizer="sgd", learning_rate=1e4, clip_norm=None, warmup_share=None)
    message = (
        r"^the loss is (nan|inf) at update \d+, with a learning rate of 1e\+04 and a KL weight of "
        r"[\d.e-]+: training cannot go on"
    )
    with pytest.raises(RunError, match=message):
        train(config, tables, out=tmp_path)
    assert not (tmp_path / "config.json").exists()


def numbers(history):
    """All but the seconds."""
    return [replace(row, seconds=0) for row in history]


def test_the_same_seed_gives_the_same_history(tables):
    torch.manual_seed(99)
    before = torch.get_rng_state()
    first, second = train(small(), tables), train(small(), tables)
    assert torch.equal(before, torch.get_rng_state())
    assert numbers(first.history) == numbers(second.history)
    assert numbers(first.history) != numbers(train(small(seed=1), tables).history)


def test_rows_come_every_so_many_iterations(tables):
    rows = []
    config = report(0.8, 2, epochs=2, evaluate_every=20, evaluation_samples=3)
    run = train(config, tables, on_progress=lambda p: rows.append(p.row))
    assert [i + 1 for i, row in enumerate(rows) if row] == [20, 40, 60, 64]
    assert [row.step for row in run.history] == [20, 40, 60, 64]
    assert [row.epoch for row in run.history] == [0, 1, 1, 1]
    assert len(rows) == 2 * 32


def test_rows_may_be_counted_by_number(tables):
    run = train(small(history_rows=5), tables)
    assert [row.step for row in run.history] == [3, 5, 8, 10, 12]


def test_a_run_folder_holds_the_run(tmp_path, tables):
    run = train(small(), tables, out=tmp_path)
    names = {"config.json", "history.csv", "weights.pt", "best.pt", "scores.json"}
    assert {p.name for p in tmp_path.iterdir()} == names
    again = load_run(tmp_path, SMALL)
    assert again.config == run.config
    assert again.scores == run.scores
    assert again.history == run.history
    for ours, read in ((run.model, again.model), (run.best_model, again.best_model)):
        for a, b in zip(ours.parameters(), read.parameters(), strict=True):
            assert torch.equal(a, b)


def test_a_finished_run_is_read_back_and_never_overwritten(tmp_path, tables):
    run = train(small(), tables, out=tmp_path)

    def fail(progress):
        raise AssertionError("trained again")

    assert train(small(), tables, out=tmp_path, on_progress=fail).scores == run.scores
    with pytest.raises(RunError, match="other settings, words"):
        train(small(seed=7), tables, out=tmp_path)
    with pytest.raises(RunError, match="or another model"):
        train(small(), tables, out=tmp_path, make_model=CVAE)
    fewer = Tables(tables.folder, tables.train[:3], tables.test, [], [], {})
    with pytest.raises(RunError, match="other settings, words"):
        train(small(), fewer, out=tmp_path)


def test_a_callback_can_stop_a_run(tables):
    def stop(progress):
        if progress.step == 6:
            raise StopTraining

    run = train(small(), tables, on_progress=stop)
    assert run.scores is None
    assert [row.step for row in run.history] == [4]  # four updates an epoch: one row was done


def test_best_model_is_the_one_with_the_best_row(tables):
    run = train(small(learning_rate=1e-2), tables)
    best = max(run.history, key=lambda row: row.bleu4_report)
    assert best.step < run.history[-1].step or run.best_model is not None
    assert run.best_model is not None


def test_eight_words_can_be_learned_by_heart():
    rows = load_tables().train[:2]
    tables = Tables(load_tables().folder, rows, load_tables().test[:1], [], [], {})
    config = fast(epochs=150, batch_size=8, kl=KLSchedule(1e-4), evaluate_every=75)
    last = train(config, tables, make_model=CVAE).history[-1]
    assert last.cross_entropy < 0.05
    assert last.nll < 0.5


def test_the_judge_is_asked_once_about_the_final_weights(tables):
    asked = []

    def judge(model, of):
        asked.append((model, of))
        return {"protocol": "mine", "outputs": []}

    run = train(small(epochs=1), tables, judge=judge)
    assert asked == [(run.model, tables)] and run.scores == judge(*asked[0])
