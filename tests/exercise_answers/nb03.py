"""Answers to the exercises of notebook 03."""

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


def by_numpy(model):
    one, other = (logits.numpy() for logits in compare(model, torch.ones(1, 2 * model.latent)))
    return np.any(one != other)


RIGHT = {
    "3.1": [padded, filled_in],
    "3.2": [by_encode, letter_by_letter],
    "3.3": [by_labkit],
    "3.4": [
        as_tensors,
        lambda *args: torch.tensor(nb03.write_word(*args), dtype=torch.long),
        lambda *args: np.array(nb03.write_word(*args), dtype=int),
        lambda *args: tuple(nb03.write_word(*args)),
        lambda m, z, t, n: [i for i in m.greedy(z, t, n)[0].tolist() if i != EOS],
    ],
    "3.5": [
        batch_of_two,
        by_numpy,
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
    ],
    "3.2": [
        (lambda m, w, t: encode(m, [w], [t]).mean, "`model` gets no gradient"),
        (lambda m, w, t: m.encode(make_batch([w], [t])), "should be a tensor"),
        (lambda m, w, t: m.encode(make_batch([w], [t])).mean[0], "(1, 6), not (6,)"),
    ],
    "3.3": [
        (without_gradient, "gets no gradient"),
        (cut_states, "gets a wrong gradient"),
        (spoilt_states, "changes its argument `states`"),
        (relu_in_the_weights, "changes its argument `decoder`"),
        (lambda *args: nb03.decoder_step(*args)[0], "the logits and the new states"),
        (lambda *args: (by_labkit(*args)[0], by_labkit(*args)[1][0]), "the hidden and the cell"),
    ],
    "3.4": [
        (filters_eos, "the word is over there"),
        (endless_generator, "not a generator"),
        (lambda *_: itertools.count(), "return a list of tokens"),
        (lambda *_: "sang", "list of tokens (numbers), not the str 'sang'"),
        (lambda *_: [[1, 2]], "list of tokens"),
        (lambda *_: [0.5], "list of tokens"),
        (lambda *_: torch.zeros(3 * 10**6), "gave [0, 0, 0"),
    ],
    "3.5": [
        (by_states, "you look at the initial states"),
        (zeroes_the_embedding, "changes its argument `model`"),
        (lambda m: not torch.allclose(*compare(m, torch.ones(1, 6)), 1e-5, 0.01), "too wide"),
        (lambda m: torch.ones(2, 28) != 0, "expected True or False"),
        (lambda m: "yes", "expected True or False, got the str 'yes'"),
    ],
}
