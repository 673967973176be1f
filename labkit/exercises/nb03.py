"""Exercises of notebook 03: initial states, an encoder to mend, decoding, a test of a model."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from labkit.batches import make_batch
from labkit.exercises.core import (
    Exercise,
    NotYet,
    call,
    close,
    describe,
    expect_pair,
    expect_tensor,
    name_slip,
    register,
)
from labkit.language import EOS, SOS, tokenize
from labkit.model import CVAE, Decoder

States = tuple[Tensor, Tensor]


def _small_model(scale: float = 2.0) -> CVAE:
    """A small model with fresh random weights; with a larger scale it writes livelier words."""
    model = CVAE(hidden=20, condition=4, latent=3).requires_grad_(False)
    for weight in model.parameters():
        weight.mul_(scale)
    return model


def _few(values: Tensor) -> str:
    return "[" + ", ".join(f"{value:.2f}" for value in values.tolist()) + "]"


# 3.1
def initial_states(condition: Tensor, hidden: int) -> States:
    zeros = torch.zeros(len(condition), hidden - condition.shape[1])
    start = torch.cat([zeros, condition], dim=1)[None]
    return start, start


def _judge_initial_states(answer: Any) -> None:
    for batch, size, hidden in ((3, 8, 256), (1, 8, 256), (4, 5, 12)):
        condition = torch.randn(batch, size)
        right, _ = initial_states(condition, hidden)
        found = expect_pair(call(answer, condition, hidden), "the hidden and the cell state")
        for name, state in zip(("hidden state", "cell state"), found, strict=True):
            if isinstance(state, Tensor) and state.shape[-1:] == (hidden + size,):
                raise NotYet(
                    f"the {name} has {hidden} + {size} = {hidden + size} numbers: the condition is "
                    f"part of the {hidden}, so there are {hidden - size} zeros"
                )
            expect_tensor(state, (1, batch, hidden), f"the {name}")
            order = f"the {name} begins with the condition: the zeros come first"
            empty = f"the {name} is all zeros: the tense goes into it as well"
            name_slip(state, {order: right.roll(size, 2), empty: 0 * right})
            if not close(state, right):
                row = int((state - right).abs().sum(dim=2).argmax())  # the worst
                ends = f"{_few(state[0, row, -3:])}, it should end {_few(right[0, row, -3:])}"
                raise NotYet(f"row {row} of the {name} ends {ends} (zeros, then the condition)")


# 3.2
def posterior_mean(model: CVAE, word: str, tense: int) -> Tensor:
    encoder = model.encoder
    tokens = torch.tensor([tokenize(word)])  # EOS at its end, no SOS
    condition = model.tense_embedding(torch.tensor([tense]))
    start = torch.cat([torch.zeros(1, encoder.zeros), condition], dim=1)[None]
    _, (hidden, cell) = encoder.lstm(encoder.embedding(tokens), (start, start))
    return torch.cat([encoder.hidden_to_mean(hidden[0]), encoder.cell_to_mean(cell[0])], dim=1)


def _read(model: CVAE, tokens: list[int], tense: int, in_cell: float = 1.0) -> Tensor:
    """The posterior mean after any tokens, with (1) or without (0) the tense in the cell."""
    encoder = model.encoder
    start, _ = initial_states(model.tense_embedding(torch.tensor([tense])), 20)
    inputs = encoder.embedding(torch.tensor([tokens]))
    _, (hidden, cell) = encoder.lstm(inputs, (start, start * in_cell))
    return torch.cat([encoder.hidden_to_mean(hidden[0]), encoder.cell_to_mean(cell[0])], dim=1)


def _judge_posterior_mean(answer: Any) -> None:
    for word, tense in (("sang", 3), ("a", 0), ("underlining", 2)):
        model, tokens = _small_model(), tokenize(word)
        mean = model.encode(make_batch([word], [tense])).mean
        found = expect_tensor(call(answer, model, word, tense), (1, 6), "the mean of a small model")
        with_sos = [SOS, *tokens]
        slips = {
            "neither slip is mended: compare what the LSTM reads, and the two states it starts "
            "from, with figure 2": _read(model, with_sos, tense, in_cell=0),
            "it still reads SOS, which says nothing about the word": _read(model, with_sos, tense),
            "what it reads is right now, but the cell state still starts without the tense": _read(
                model, tokens, tense, in_cell=0
            ),
            "the encoder reads the word's EOS too": _read(model, tokens[:-1], tense),
        }
        if not close(found, mean):
            name_slip(found, slips)
            beginnings = f"{_few(mean[0, :3])}, yours begins {_few(found[0, :3])}"
            raise NotYet(f"for “{word}” the mean begins {beginnings}")


# 3.3
def decoder_step(decoder: Decoder, character: Tensor, states: States) -> tuple[Tensor, States]:
    inputs = torch.relu(decoder.embedding(character[:, None]))  # (B, 1, H)
    outputs, states = decoder.lstm(inputs, states)
    return decoder.output(outputs)[:, 0], states


def _judge_decoder_step(answer: Any) -> None:
    for batch in (3, 1):
        decoder, character = _small_model().decoder, torch.randint(28, (batch,))
        states = (torch.randn(1, batch, 20), torch.randn(1, batch, 20))
        right, after = decoder(character[:, None], states)
        right, result = right[:, 0], call(answer, decoder, character, states)
        logits, carried = expect_pair(result, "the logits and the new states")
        expect_tensor(logits, (batch, 28), "the logits")
        embedded = decoder.embedding(character[:, None])
        bare, stateless = decoder.lstm(embedded, states)[0], decoder.lstm(embedded.relu())[0]
        slips = {
            "there is no ReLU between embedding and LSTM": decoder.output(bare)[:, 0],
            "the LSTM was not given the states": decoder.output(stateless)[:, 0],
            "these are probabilities: return the logits as they are": right.softmax(dim=1),
        }
        if not close(logits, right):
            name_slip(logits, slips)
            raise NotYet(f"the logits should begin {_few(right[0, :3])}, not {_few(logits[0, :3])}")
        carried = expect_pair(carried, "the hidden and the cell state, after the logits")
        for name, state, old, new in zip(("hidden", "cell"), carried, states, after, strict=True):
            if not close(expect_tensor(state, (1, batch, 20), f"the new {name} state"), new):
                name_slip(state, {f"the {name} state you return is still the old one": old})
                raise NotYet(f"the new {name} state is not the one that nn.LSTM returns")


# 3.4
def write_word(model: CVAE, z: Tensor, tense: Tensor, max_length: int) -> list[int]:
    states = model.decoder.initial_states(z, model.tense_embedding(tense))
    character, written = torch.tensor([SOS]), []
    for _ in range(max_length):
        logits, states = model.decoder(character[:, None], states)
        character = logits[:, 0].argmax(dim=1)
        if character == EOS:
            break
        written.append(int(character))
    return written


def _eight(model: CVAE, z: Tensor, tense: Tensor, at: int = SOS, carry: bool = True) -> list[int]:
    """Eight characters, EOS or not, read from `at` on, the states carried or not."""
    start = model.decoder.initial_states(z, model.tense_embedding(tense))
    states, character, written = start, at, []
    for _ in range(8):
        logits, after = model.decoder(torch.tensor([[character]]), states)
        written.append(int(logits.argmax()))
        states = after if carry else start
        character = written[-1]
    return written


def _before_eos(tokens: list[int]) -> list[int]:
    return tokens[: [*tokens, EOS].index(EOS)]


def _writing_cases() -> list[tuple[CVAE, Tensor, Tensor]]:
    """A lively model, and latents from which it writes words of 0, 1, ... letters, one endless."""
    while True:
        model = _small_model(5.0)
        model.decoder.output.bias[EOS] += 4
        z, tense = 3 * torch.randn(300, 6), torch.randint(4, (300,))
        lengths = (model.greedy(z, tense, 30) != EOS).sum(dim=1).tolist()
        kinds = sorted(set(lengths) & {0, 1, 2, 3, 4, 5, 6, 30}, key=lambda kind: abs(kind - 3))
        if {0, 1, 30} <= set(kinds) and len(kinds) >= 5:
            return [(model, z[[i]], tense[[i]]) for i in map(lengths.index, kinds)]


def _judge_write_word(answer: Any) -> None:
    for case in _writing_cases():
        endless = _eight(*case)
        right = _before_eos(endless)
        found = call(answer, *case, 8)
        try:
            found = [int(token) for token in found]
        except (TypeError, ValueError):
            raise NotYet(f"return a list of tokens (numbers), not {describe(found)}") from None
        if found == right:
            continue
        from_eos = _before_eos(_eight(*case, at=EOS))
        from_start = _before_eos(_eight(*case, carry=False))
        slips = {
            "EOS is in the list: it ends the word and is no part of it": [*right, EOS],
            "SOS is in the list: it is read, not written": [SOS, *right],
            "the loop goes on after EOS": endless,
            "the first character read should be SOS (26), not EOS (27)": from_eos,
            "each step starts from the initial states: carry the new ones on": from_start,
            "max_length is 8: stop there": [*right, *found[8:]],
        }
        for message, slip in slips.items():
            if found == slip:
                raise NotYet(f"{message} ({found}, not {right})")
        raise NotYet(f"expected {right}, you returned {found}")


# 3.5
def tense_reaches_decoder(model: CVAE) -> bool:
    z, inputs = torch.randn(1, 2 * model.latent), torch.tensor([[SOS]])
    one, other = (model.decode(z, torch.tensor([tense]), inputs) for tense in (0, 1))
    return not torch.allclose(one, other)


def _judge_tense_reaches_decoder(answer: Any) -> None:
    healthy, faint, blind, hidden, cell = (_small_model() for _ in range(5))
    faint.tense_embedding.weight *= 0.01
    faint.decoder.output.bias[0] += 100  # it writes "aaa…" whatever the tense
    for model in (blind, hidden):
        model.decoder.latent_to_cell.weight[:, 3:] = 0  # behind the 3 latent numbers is the tense
    for model in (blind, cell):
        model.decoder.latent_to_hidden.weight[:, 3:] = 0
    blind.decoder.output.bias.add_(10)  # far from 0, where torch.allclose forgives rounding
    cases = {
        "True of a model whose decoder never sees the tense: compare two tenses at one and the "
        "same z and inputs, with torch.allclose; look at the decoder, not at the encoder": blind,
        "False of labkit's own model, in which the tense does reach the decoder": healthy,
        "False of a model in which the tense moves the logits only a little: compare logits; "
        "written words, or a wide tolerance, are too blunt": faint,
        "False of a model whose hidden state alone gets the tense: compare logits": hidden,
        "False of a model whose cell state alone gets the tense: compare logits": cell,
    }
    for complaint, model in cases.items():
        found = call(answer, model)
        if isinstance(found, Tensor) and found.numel() == 1:
            found = found.item()
        if not isinstance(found, bool):
            raise NotYet(f"return True or False, not {describe(found)}")
        if found == (model is blind):
            raise NotYet(f"you say {complaint}")


register(
    Exercise(
        "3.1", "The encoder's initial states", 1, _judge_initial_states,
        (
            "How many zeros leave room for the condition? torch.cat glues along a dimension.",
            "torch.cat([zeros, condition], dim=1)[None], with zeros (B, hidden - C); use it twice.",
        ),
        initial_states,
        "248 zeros and 8 numbers of tense make 256, in the hidden and in the cell state.",
    ),
    Exercise(
        "3.2", "Find the two slips in an encoder", 2, _judge_posterior_mean,
        (
            "One slip is in what the LSTM reads, the other in where it starts from.",
            "tokenize(word) has its EOS already, and no SOS; both initial states are `start`.",
        ),
        posterior_mean,
        "the encoder reads the characters and EOS, and both of its states begin with the tense.",
    ),
    Exercise(
        "3.3", "One step of the decoder", 2, _judge_decoder_step,
        (
            "Embedding, ReLU, LSTM, linear. nn.LSTM wants (B, T, H), and here T is 1.",
            "decoder.lstm reads torch.relu(decoder.embedding(character[:, None])) and states.",
        ),
        decoder_step,
        "one character in, 28 logits out; the states carry all the rest to the next step.",
    ),
    Exercise(
        "3.4", "Greedy decoding", 2, _judge_write_word,
        (
            "Begin with SOS and the initial states. Each time: read, take the argmax; EOS? stop.",
            "In a loop: logits, states = model.decoder(character[:, None], states); append argmax.",
        ),
        write_word,
        "the model reads what it has just written, from SOS on, and ends the word by writing EOS.",
    ),
    Exercise(
        "3.5", "The test that the smoke test forgot", 2, _judge_tense_reaches_decoder,
        (
            "Keep everything the same but the tense. Which output of the decoder must then differ?",
            "torch.allclose of model.decode(z, tense, inputs) for two tenses, one random z, SOS?",
        ),
        tense_reaches_decoder,
        "with z and inputs held fixed, only the tense can make the logits differ.",
    ),
)  # fmt: skip
