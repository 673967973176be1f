"""labkit.model: shapes and details of the design, padding, greedy decoding, seeds."""

import pytest
import torch

from labkit.batches import make_batch
from labkit.language import EOS, SOS, Form, Language
from labkit.model import CVAE, lstm_over_letters, new_model, shift_right

WORDS = ["go", "abandon", "is", "functioning", "be"]
TENSES = [0, 1, 2, 3, 0]


@pytest.fixture(scope="module")
def model():
    return new_model(1).eval()


def test_parts_of_the_design(model):
    lines = [m for m in model.modules() if isinstance(m, torch.nn.LSTM)]
    assert [(m.input_size, m.hidden_size, m.num_layers) for m in lines] == [(256, 256, 1)] * 2
    assert model.tense_embedding.weight.shape == (4, 8)
    assert model.encoder.embedding.weight.shape == model.decoder.embedding.weight.shape == (28, 256)
    for name in ("hidden_to_mean", "hidden_to_log_var", "cell_to_mean", "cell_to_log_var"):
        assert getattr(model.encoder, name).weight.shape == (32, 256)
    assert model.decoder.latent_to_hidden.weight.shape == (256, 40)
    assert model.decoder.latent_to_cell.weight.shape == (256, 40)
    assert model.decoder.output.weight.shape == (28, 256)


def by_hand(model, word, tense):
    """The encoder as the report describes it, for one word, one character at a time."""
    condition = model.tense_embedding.weight[tense]
    hidden = cell = torch.cat([torch.zeros(248), condition])
    lstm = model.encoder.lstm
    for token in [ord(letter) - ord("a") for letter in word] + [27]:
        gates = (
            lstm.weight_ih_l0 @ model.encoder.embedding.weight[token]
            + lstm.bias_ih_l0
            + lstm.weight_hh_l0 @ hidden
            + lstm.bias_hh_l0
        )
        i, f, g, o = gates.chunk(4)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        hidden = o.sigmoid() * cell.tanh()
    e = model.encoder
    mean = torch.cat([e.hidden_to_mean(hidden), e.cell_to_mean(cell)])
    return mean, torch.cat([e.hidden_to_log_var(hidden), e.cell_to_log_var(cell)])


def test_encoder_is_the_one_of_the_report_and_padding_changes_nothing(model):
    with torch.no_grad():
        posterior = model.encode(make_batch(WORDS, TENSES))
        for i, (word, tense) in enumerate(zip(WORDS, TENSES, strict=True)):
            mean, log_var = by_hand(model, word, tense)
            torch.testing.assert_close(posterior.mean[i], mean, atol=1e-6, rtol=1e-4)
            torch.testing.assert_close(posterior.log_var[i], log_var, atol=1e-6, rtol=1e-4)


def test_decoder_is_the_one_of_the_report(model):
    d = model.decoder
    z, tense = torch.randn(1, 64), 2
    inputs = torch.tensor([[SOS, 3, 14]])
    with torch.no_grad():
        condition = model.tense_embedding.weight[tense]
        hidden = d.latent_to_hidden(torch.cat([z[0, :32], condition]))
        cell = d.latent_to_cell(torch.cat([z[0, 32:], condition]))
        lstm, expected = d.lstm, []
        for token in inputs[0]:
            x = d.embedding.weight[token].clamp(min=0)
            gates = lstm.weight_ih_l0 @ x + lstm.bias_ih_l0
            i, f, g, o = (gates + lstm.weight_hh_l0 @ hidden + lstm.bias_hh_l0).chunk(4)
            cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
            hidden = o.sigmoid() * cell.tanh()
            expected.append(d.output(hidden))
        logits = model.decode(z, torch.tensor([tense]), inputs)
    torch.testing.assert_close(logits[0], torch.stack(expected), atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize(("words", "characters"), [(1, 1), (3, 9), (7, 4), (7, 5), (64, 10)])
def test_reading_letters_is_the_lstm_itself_with_its_gradients(words, characters):
    random = torch.Generator().manual_seed(words)
    torch.manual_seed(words)
    lstm = torch.nn.LSTM(256, 256, batch_first=True)
    letters = torch.randn(28, 256, generator=random, requires_grad=True)
    tokens = torch.randint(0, 28, (words, characters), generator=random)
    states = tuple(torch.randn(1, words, 256, generator=random).requires_grad_() for _ in range(2))
    found = []
    for outputs, (hidden, cell) in (
        lstm_over_letters(lstm, letters, tokens, states),
        lstm(letters[tokens], states),
    ):
        loss = (outputs**3).sum() + hidden.sum() - (cell**2).sum()
        gradients = torch.autograd.grad(loss, [*lstm.parameters(), letters, *states])
        found.append([outputs, hidden, cell, *gradients])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, atol=2e-4, rtol=2e-4)


def test_reading_without_gradients_is_the_lstm_itself(model):
    tokens = torch.randint(0, 28, (40, 6), generator=torch.Generator().manual_seed(0))
    states = (torch.zeros(1, 40, 256), torch.zeros(1, 40, 256))
    lstm, letters = model.encoder.lstm, model.encoder.embedding.weight
    with torch.no_grad():
        ours, _ = lstm_over_letters(lstm, letters, tokens, states)
        theirs, _ = lstm(letters[tokens], states)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", [{"num_layers": 2}, {"bidirectional": True}, {"bias": False}])
def test_an_lstm_of_another_kind_is_not_read_wrongly(kind):
    lstm = torch.nn.LSTM(256, 256, batch_first=True, **kind)
    size = (1 if "bias" in kind else 2, 40, 256)
    states = (torch.zeros(size), torch.zeros(size))
    with pytest.raises((RuntimeError, AttributeError)):
        lstm_over_letters(lstm, torch.zeros(28, 256), torch.zeros(40, 6, dtype=int), states)


def greedy_by_hand(model, z, tense, max_length):
    """One word, one character at a time, with a single call of `decode` for each prefix."""
    written = []
    while len(written) < max_length:
        logits = model.decode(z[None], torch.tensor([tense]), torch.tensor([[SOS, *written]]))
        written.append(int(logits[0, -1].argmax()))
        if written[-1] == EOS:
            break
    return written


def test_greedy_writes_in_a_batch_what_it_writes_alone(model):
    model = new_model(3)
    with torch.no_grad():
        model.decoder.output.weight.mul_(8)  # so that words differ and end at different lengths
        model.decoder.output.bias[EOS] = 1.5
        z = 3 * torch.randn(40, 64, generator=torch.Generator().manual_seed(0))
        tense = torch.arange(40) % 4
        written = model.greedy(z, tense, max_length=12)
        lengths = set()
        for row, z_row, t in zip(written, z, tense, strict=True):
            expected = greedy_by_hand(model, z_row, int(t), 12)
            assert row[: len(expected)].tolist() == expected
            assert (row[len(expected) :] == EOS).all()
            lengths.add(len(expected))
    assert len(lengths) > 3, "the test wants words that end at different times"


def test_greedy_stops_when_every_word_has_ended(model):
    with torch.no_grad():
        ending = new_model(0)
        ending.decoder.output.bias[EOS] = 100
        assert (
            ending.greedy(torch.zeros(3, 64), torch.zeros(3, dtype=torch.long)).tolist()
            == [[EOS]] * 3
        )


def test_shift_right():
    assert shift_right(torch.tensor([[1, 2, EOS]])).tolist() == [[SOS, 1, 2]]


def test_a_seed_decides_the_weights_and_touches_nothing_else():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    a, b, c = new_model(1), new_model(1), new_model(2)
    assert torch.equal(before, torch.get_rng_state())
    weights = [m.encoder.lstm.weight_hh_l0 for m in (a, b, c)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_small_models_can_be_made():
    assert CVAE(hidden=16, condition=4, latent=2).encode(make_batch(["go"], [0])).mean.shape == (
        1,
        4,
    )


def test_a_model_has_the_tokens_and_forms_of_its_language():
    forms = tuple(Form(f"f{number}", f"form {number}") for number in range(6))
    model = CVAE(hidden=16, condition=4, latent=2, language=Language("Six", "abcäö", forms))
    assert model.tense_embedding.weight.shape == (6, 4)
    assert model.decoder.output.weight.shape == (7, 16)
    assert model.description == {
        **{"variant": "CVAE", "hidden": 16, "condition": 4, "latent": 2},
        "language": model.language.to_json(),
    }
    with torch.no_grad():
        model.decoder.output.bias[model.language.eos] = 100
        written = model.greedy(torch.zeros(2, 4), torch.tensor([0, 5]))
    assert written.tolist() == [[6], [6]]
    assert shift_right(torch.tensor([[1, 6]]), model.language).tolist() == [[5, 1]]
