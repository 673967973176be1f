"""Answers to the exercises of notebook 03."""

import copy
import itertools

import numpy as np
import torch
from torch import nn

from labkit.batches import make_batch
from labkit.exercises import nb03
from labkit.inference import encode
from labkit.language import EOS, SOS, tokenize


def padded(condition, hidden):
    return [nn.functional.pad(condition, (hidden - condition.shape[1], 0))[None]] * 2


def filled_in(condition, hidden):
    state = condition.new_zeros(1, len(condition), hidden)
    state[0, :, -condition.shape[1] :] = condition
    return state, state.clone()


def in_doubles(condition, hidden):
    zeros = torch.from_numpy(np.zeros((len(condition), hidden - condition.shape[1])))
    return (torch.cat([zeros, condition], dim=1)[None],) * 2


def from_list(condition, hidden):
    return nb03.initial_states(torch.tensor(condition.tolist()), hidden)


def by_data(condition, hidden):
    return nb03.initial_states(condition.data, hidden)


def one_cut(condition, hidden):
    states = nb03.initial_states(condition, hidden)
    return states[0], states[1].detach()


def zeroed(condition, hidden):
    states = nb03.initial_states(condition.clone(), hidden)
    condition.zero_()
    return states


def kept_by_shape(condition, hidden, kept={}):  # noqa: B006
    key = tuple(condition.shape), hidden
    if key not in kept:
        kept[key] = nb03.initial_states(condition, hidden)
    return kept[key]


def kept_by_word(model, word, tense, kept={}):  # noqa: B006
    if word not in kept:
        kept[word] = by_encode(model, word, tense)
    return kept[word]


def by_encode(model, word, tense):
    return model.encode(make_batch([word], [tense])).mean


def letter_by_letter(model, word, tense):
    encoder = model.encoder
    states = nb03.initial_states(model.tense_embedding(torch.tensor([tense])), encoder.zeros + 4)
    for token in tokenize(word):
        _, states = encoder.lstm(encoder.embedding(torch.tensor([[token]])), states)
    return torch.cat(
        [encoder.hidden_to_mean(states[0][0]), encoder.cell_to_mean(states[1][0])], dim=1
    )


def by_labkit(decoder, character, states):
    logits, (hidden, cell) = decoder(character[:, None], states)
    return [logits.squeeze(1), [hidden, cell]]


def kept_by_character(decoder, character, states, kept={}):  # noqa: B006
    key = tuple(character.tolist())
    if key not in kept:
        kept[key] = nb03.decoder_step(decoder, character, states)
    return kept[key]


@torch.no_grad()
def without_gradient(decoder, character, states):
    return nb03.decoder_step(decoder, character, states)


def cut_states(decoder, character, states):
    logits, (hidden, cell) = nb03.decoder_step(decoder, character, states)
    return logits, (hidden.detach(), cell.detach())


def spoilt_states(decoder, character, states):
    logits, new = nb03.decoder_step(decoder, character, (states[0].clone(), states[1]))
    states[0].copy_(new[0])
    return logits, new


def relu_in_the_weights(decoder, character, states):
    result = nb03.decoder_step(decoder, character, states)
    decoder.embedding.weight.data.relu_()
    return result


def filters_eos(model, z, tense, max_length):
    states = model.decoder.initial_states(z, model.tense_embedding(tense))
    character, written = torch.tensor([SOS]), []
    for _ in range(max_length):
        logits, states = model.decoder(character[:, None], states)
        character = logits[:, 0].argmax(dim=1)
        written.append(int(character))
    return [token for token in written if token != EOS]


def endless_generator(model, z, tense, max_length):
    while True:
        yield 3


def as_tensors(model, z, tense, max_length):
    return [torch.tensor([token]) for token in nb03.write_word(model, z, tense, max_length)]


def while_loop(model, z, tense, max_length):
    states, written = model.decoder.initial_states(z, model.tense_embedding(tense)), [SOS]
    while len(written) <= max_length:
        logits, states = model.decoder(torch.tensor([written[-1:]]), states)
        if (token := logits.argmax().item()) == EOS:
            break
        written.append(token)
    return written[1:]


def writes_one_at_least(model, z, tense, max_length):
    return nb03.write_word(model, z, tense, max(max_length, 1))


def compare(model, z, tense=(0, 1)):
    inputs = torch.tensor([[SOS, 4]])
    return [model.decode(z, torch.tensor([t]), inputs) for t in tense]


def by_states(model):
    z = torch.ones(1, 2 * model.latent)
    states = [
        model.decoder.initial_states(z, model.tense_embedding(torch.tensor([t]))) for t in (0, 1)
    ]
    return any(not torch.equal(one, other) for one, other in zip(*states, strict=True))


def zeroes_the_embedding(model):
    found = nb03.tense_reaches_decoder(model)
    model.tense_embedding.weight.data.zero_()
    return found


def batch_of_two(model):
    logits = model.decode(
        torch.ones(2, 2 * model.latent), torch.tensor([1, 2]), torch.full((2, 1), SOS)
    )
    return logits.diff(dim=0).abs().max() > 1e-6


def rows(model, z, *tenses):
    count = len(tenses)
    return model.decode(z.expand(count, -1), torch.tensor(tenses), torch.full((count, 1), SOS))


def two_equal_rows(model):
    logits = rows(model, torch.randn(1, 2 * model.latent), 0, 3)
    return not torch.equal(logits[0], logits[1])


def four_rows(model):
    logits = rows(model, torch.randn(1, 2 * model.latent), 0, 1, 2, 3)
    return bool((logits - logits[:1]).abs().max() > 1e-5)


def by_gradient(model):
    own = copy.deepcopy(model).requires_grad_()
    logits = rows(own, torch.randn(1, 2 * model.latent), 0, 1)
    (logits * torch.randn_like(logits)).sum().backward()
    slope = own.tense_embedding.weight.grad[:2]
    return bool(slope.abs().max() > 0) and bool((logits[0] - logits[1]).abs().max() > 1e-5)


def by_numpy(model):
    one, other = (logits.numpy() for logits in compare(model, torch.ones(1, 2 * model.latent)))
    return np.any(one != other)


RIGHT = {
    "3.1": [padded, filled_in],
    "3.2": [by_encode, letter_by_letter],
    "3.3": [by_labkit],
    "3.4": [
        as_tensors,
        while_loop,
        lambda *args: list(np.array(nb03.write_word(*args), dtype=int)),
        lambda *args: list(torch.tensor(nb03.write_word(*args), dtype=torch.long)),
        lambda m, z, t, n: [i for i in m.greedy(z, t, n)[0].tolist() if i != EOS],
    ],
    "3.5": [
        batch_of_two,
        by_numpy,
        by_gradient,
        four_rows,
        lambda m: not torch.allclose(*compare(m, torch.ones(1, 2 * m.latent), (0, 3))),
        lambda m: not torch.allclose(*compare(m, torch.randn(1, 2 * m.latent)), 1e-5, 1e-4),
    ],
}

WRONG = {
    "3.1": [
        (in_doubles, "float64: an LSTM and its states must be of one type"),
        (from_list, "`condition` gets no gradient"),
        (by_data, "`condition` gets no gradient"),
        (one_cut, "`condition` gets a wrong gradient"),
        (zeroed, "changes its argument `condition`"),
        (lambda c, h: nb03.initial_states(c, h)[0], "two things, the hidden and the cell"),
        (lambda c, h: (nb03.initial_states(c, h)[0], None), "the cell state is None"),
        (lambda c, h: (nb03.initial_states(c, h)[0], ...), "the cell state is still blank"),
        (lambda c, h: torch.cat([torch.zeros(len(c), h), c], 1)[None].repeat(2, 1, 1), "two thi"),
        (
            lambda c, h: (
                (torch.cat([c.new_zeros(len(c), max(1, h - c.shape[1])), c], 1)[None],) * 2
            ),
            "with condition of shape (2, 5): the hidden state should have shape (1, 2, 5)",
        ),
        (
            lambda c, h: (
                (nn.functional.pad(c, (h - c.shape[1], 0))[None, :, -h or None :] * (h > 5),) * 2
            ),
            "no room for zeros",
        ),
        (kept_by_shape, "remembers an earlier call"),
    ],
    "3.2": [
        (lambda m, w, t: encode(m, [w], [t]).mean, "`model` gets no gradient"),
        (kept_by_word, "remembers an earlier call"),
        (lambda m, w, t: m.encode(make_batch([w], [t])), "should be a tensor"),
        (lambda m, w, t: m.encode(make_batch([w], [t])).mean[0], "(1, 6), not (6,)"),
    ],
    "3.3": [
        (kept_by_character, "expected"),
        (without_gradient, "gets no gradient"),
        (cut_states, "gets a wrong gradient"),
        (lambda *args: (by_labkit(*args)[0].squeeze(), by_labkit(*args)[1]), "squeeze(1)"),
        (lambda *args: nb03.decoder_step(*args)[::-1], "the logits come first"),
        (spoilt_states, "changes its argument `states`"),
        (relu_in_the_weights, "changes its argument `decoder`"),
        (lambda *args: nb03.decoder_step(*args)[0], "the logits and the new states"),
        (lambda *args: (by_labkit(*args)[0], by_labkit(*args)[1][0]), "the hidden and the cell"),
    ],
    "3.4": [
        (filters_eos, "the word is over there"),
        (writes_one_at_least, "max_length may be 0"),
        (lambda *args: torch.tensor(nb03.write_word(*args)), "return a list of tokens (whole"),
        (lambda *args: np.array(nb03.write_word(*args)), "not a numpy array"),
        (lambda *args: tuple(nb03.write_word(*args)), "(whole numbers), not the tuple ("),
        (lambda *args: [float(t) for t in nb03.write_word(*args)], "(whole numbers), not the list"),
        (lambda *_: [float("nan"), float("inf")], "not the list [nan, inf]"),
        (lambda m, z, t, n: nb03.write_word(m, z, t, min(n, 20)), "with max_length = 33"),
        (endless_generator, "not a generator"),
        (lambda *_: itertools.count(), "return a list of tokens"),
        (lambda *_: "sang", "list of tokens (whole numbers), not the str 'sang'"),
        (lambda *_: [[1, 2]], "list of tokens"),
        (lambda *_: [0.5], "list of tokens"),
        (lambda *_: [0] * 3 * 10**6, "gave [0, 0, 0"),
    ],
    "3.5": [
        (by_states, "you look at the initial states"),
        (two_equal_rows, "by rounding: use one z, and torch.allclose"),
        (lambda m: not torch.allclose(*compare(m, torch.zeros(1, 6))), "use a z drawn at random"),
        (lambda m: not torch.allclose(*compare(m, torch.ones(1, 6)), atol=1e-3), "too wide"),
        (zeroes_the_embedding, "changes its argument `model`"),
        (lambda m: not torch.allclose(*compare(m, torch.ones(1, 6)), 1e-5, 0.01), "too wide"),
        (lambda m: torch.ones(2, 28) != 0, "expected True or False"),
        (lambda m: "yes", "expected True or False, got the str 'yes'"),
    ],
}
