"""Exercises of notebook 03: initial states, an encoder to mend, decoding, a test of a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from labkit.batches import make_batch
from labkit.exercises.core import Case, Draw, Exercise, register, told_apart
from labkit.exercises.results import Parts, TensorOf, Tokens, truth
from labkit.language import EOS, SOS, tokenize
from labkit.model import CVAE, Decoder, shift_right

States = tuple[Tensor, Tensor]


def _small_model(scale: float = 2.0) -> CVAE:
    """A small model with fresh random weights; with a larger scale it writes livelier words."""
    model = CVAE(hidden=20, condition=4, latent=3).requires_grad_(False)
    for weight in model.parameters():
        weight.mul_(scale)
    return model


def _state(what: str) -> TensorOf:
    return TensorOf(what, torch.float32, "an LSTM and its states must be of one type")


# 3.1
def initial_states(condition: Tensor, hidden: int) -> States:
    zeros = torch.zeros(len(condition), hidden - condition.shape[1])
    start = torch.cat([zeros, condition], dim=1)[None]
    return start, start


def _twice(build: Callable[[Tensor, int], Tensor]) -> Callable[[Tensor, int], States]:
    """A wrong solution to 3.1 that builds one state, (B, hidden), and uses it twice."""
    return lambda condition, hidden: (build(condition, hidden)[None],) * 2


def _room(condition: Tensor, hidden: int) -> Tensor:
    """As many zeros as the condition leaves room for."""
    return torch.zeros(len(condition), hidden - condition.shape[1])


register(
    Exercise(
        id="3.1",
        title="The encoder's initial states",
        difficulty=1,
        starter="def initial_states(condition: Tensor, hidden: int) -> States:\n    return ...",
        solution=initial_states,
        result=Parts(
            "the hidden and the cell state", _state("the hidden state"), _state("the cell state")
        ),
        cases=lambda draw: [
            (draw.normal(3, 8), 256),
            (draw.normal(1, 8), 256),
            (draw.normal(4, 5), 12),
            (draw.normal(2, 7), draw.randint(9, 40)),
            (draw.normal(2, 5), 5),  # no room for zeros
        ],
        slips={
            "the condition is part of the `hidden` numbers, so there are hidden − C zeros": _twice(
                lambda c, h: torch.cat([torch.zeros(len(c), h), c], dim=1)
            ),
            "it begins with the condition: the zeros come first": _twice(
                lambda c, h: torch.cat([c, _room(c, h)], dim=1)
            ),
            "the cell state is all zeros: the tense goes into it as well": (
                lambda c, h: (initial_states(c, h)[0], torch.zeros(1, len(c), h))
            ),
            "the hidden state is all zeros: the tense goes into it as well": (
                lambda c, h: (torch.zeros(1, len(c), h), initial_states(c, h)[0])
            ),
            "both states are all zeros: where does the condition go?": _twice(
                lambda c, h: torch.zeros(len(c), h)
            ),
            "the number of layers is missing in front: [None] adds it": (
                lambda c, h: (initial_states(c, h)[0][0],) * 2
            ),
            "nn.LSTM wants the number of layers first, then the batch, even if batch_first": (
                lambda c, h: (initial_states(c, h)[0].transpose(0, 1),) * 2
            ),
            "these are ones where zeros should be": _twice(
                lambda c, h: torch.cat([_room(c, h) + 1, c], dim=1)
            ),
            "these are random numbers where zeros should be": _twice(
                lambda c, h: torch.cat([torch.randn_like(_room(c, h)), c], dim=1)
            ),
            "all rows have the first one's condition: each word has its own": _twice(
                lambda c, h: torch.cat([_room(c, h), c[:1].expand(len(c), -1)], dim=1)
            ),
            "248 stands in your code: that is hidden − C for 256 and 8 only": _twice(
                lambda c, h: torch.cat([torch.zeros(len(c), 248), c], dim=1)
            ),
            "a batch is not always of three words: len(condition) is its size": _twice(
                lambda c, h: torch.cat([torch.zeros(3, h - c.shape[1]), c], dim=1)
            ),
            "where hidden is C there is no room for zeros: the state is the condition": (
                _twice(
                    lambda c, h: (
                        initial_states(c, h)[0][0] if h > c.shape[1] else torch.zeros(len(c), h)
                    )
                )
            ),
            "the condition fills the state again and again: it stands once, behind zeros": _twice(
                lambda c, h: c.repeat(1, h)[:, -h:]
            ),
        },
        must_pass_gradients=("condition",),
        hints=(
            "How many zeros leave room for the condition? torch.cat glues along a dimension.",
            "torch.cat([zeros, condition], dim=1)[None], with zeros (B, hidden - C); use it twice.",
        ),
        why="248 zeros and 8 numbers of tense make 256, in the hidden and in the cell state.",
    )
)


# 3.2
def posterior_mean(model: CVAE, word: str, tense: int) -> Tensor:
    encoder = model.encoder
    tokens = torch.tensor([tokenize(word)])  # EOS at its end, no SOS
    condition = model.tense_embedding(torch.tensor([tense]))
    start = torch.cat([torch.zeros(1, encoder.zeros), condition], dim=1)[None]
    _, (hidden, cell) = encoder.lstm(encoder.embedding(tokens), (start, start))
    return torch.cat([encoder.hidden_to_mean(hidden[0]), encoder.cell_to_mean(cell[0])], dim=1)


def _misread(
    *,
    tokens: Callable[[list[int]], list[int]] = lambda tokens: tokens,
    embedded: Callable[[Tensor], Tensor] = lambda embedded: embedded,
    tense: Callable[[int], int] = lambda tense: tense,
    start: Callable[[Tensor, int], Tensor] = lambda condition, hidden: initial_states(
        condition, hidden
    )[0],
    in_hidden: float = 1.0,
    in_cell: float = 1.0,
    heads: str = "mean",
    order: int = 1,
) -> Callable[[CVAE, str, int], Tensor]:
    """A wrong solution to 3.2: some part of the right one replaced."""

    def wrong(model: CVAE, word: str, given_tense: int) -> Tensor:
        encoder = model.encoder
        condition = model.tense_embedding(torch.tensor([tense(given_tense)]))
        state = start(condition, encoder.lstm.hidden_size)
        inputs = embedded(encoder.embedding(torch.tensor([tokens(tokenize(word))])))
        _, (hidden, cell) = encoder.lstm(inputs, (state * in_hidden, state * in_cell))
        from_hidden = getattr(encoder, f"hidden_to_{heads}")(hidden[0])
        from_cell = getattr(encoder, f"cell_to_{heads}")(cell[0])
        return torch.cat([from_hidden, from_cell][::order], dim=1)

    return wrong


def _read_out(
    read: Callable[[CVAE, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]],
) -> Callable[[CVAE, str, int], Tensor]:
    """A wrong solution to 3.2 with other halves: `read` gets the LSTM's outputs, (1, T, H), and
    its last hidden and cell state, (1, H) each."""

    def wrong(model: CVAE, word: str, tense: int) -> Tensor:
        encoder = model.encoder
        start = initial_states(
            model.tense_embedding(torch.tensor([tense])), encoder.lstm.hidden_size
        )
        inputs = encoder.embedding(torch.tensor([tokenize(word)]))
        outputs, (hidden, cell) = encoder.lstm(inputs, start)
        return torch.cat(read(model, outputs, hidden[0], cell[0]), dim=1)

    return wrong


def _sampled(model: CVAE, word: str, tense: int) -> Tensor:
    mean, log_var = model.encode(make_batch([word], [tense]))
    return mean + (log_var / 2).exp() * torch.randn_like(mean)


register(
    Exercise(
        id="3.2",
        title="Find the two slips in an encoder",
        difficulty=2,
        starter="def posterior_mean(model: nn.Module, word: str, tense: int) -> Tensor:\n"
        "    return ...",
        solution=posterior_mean,
        result=TensorOf("the mean"),
        cases=lambda draw: [
            (_small_model(), "a", 0),
            (_small_model(), "sang", 3),
            (_small_model(), "underlining", 2),
            (_small_model(), "begging", 2),
            (_small_model(), "".join(draw.choices("abcdefghij", k=5)), 1),
        ],
        slips={
            "neither slip is mended: compare what the LSTM reads, and the two states it starts "
            "from, with figure 2": _misread(tokens=lambda tokens: [SOS, *tokens], in_cell=0),
            "it still reads SOS, which says nothing about the word": _misread(
                tokens=lambda tokens: [SOS, *tokens]
            ),
            "what it reads is right now, but the cell state still starts without the tense": (
                _misread(in_cell=0)
            ),
            "now the hidden state starts without the tense: both states begin with it": _misread(
                in_hidden=0
            ),
            "both states start without the tense": _misread(in_hidden=0, in_cell=0),
            "the encoder reads the word's EOS too": _misread(tokens=lambda tokens: tokens[:-1]),
            "SOS stands in for EOS, and the encoder reads no EOS": _misread(
                tokens=lambda tokens: [SOS, *tokens[:-1]]
            ),
            "it reads EOS twice: tokenize has put it there already": _misread(
                tokens=lambda tokens: [*tokens, EOS]
            ),
            "it reads the word backwards": _misread(tokens=lambda tokens: tokens[::-1]),
            "the ReLU is the decoder's: the encoder's LSTM reads the embeddings as they are": (
                _misread(embedded=torch.relu)
            ),
            "the tense makes no difference: embed the one that is given": _misread(
                tense=lambda tense: 0
            ),
            "the states begin with the condition: the zeros come first": _misread(
                start=lambda c, h: torch.cat([c, _room(c, h)], dim=1)[None]
            ),
            "248 stands in your code: encoder.zeros is right for a model of any size": _misread(
                start=lambda c, h: torch.cat([torch.zeros(1, 248), c], dim=1)[None]
            ),
            "these are the log variances: the mean has two linear layers of its own": _misread(
                heads="log_var"
            ),
            "the half from the hidden state comes first, then the cell's": _misread(order=-1),
            "the heads are crossed: hidden_to_mean reads the hidden state, cell_to_mean the cell "
            "state": _read_out(
                lambda m, outputs, hidden, cell: (
                    m.encoder.hidden_to_mean(cell),
                    m.encoder.cell_to_mean(hidden),
                )
            ),
            "both halves come from the hidden state: the second is the cell state's": _read_out(
                lambda m, outputs, hidden, cell: (
                    m.encoder.hidden_to_mean(hidden),
                    m.encoder.cell_to_mean(hidden),
                )
            ),
            "both halves come from the cell state: the first is the hidden state's": _read_out(
                lambda m, outputs, hidden, cell: (
                    m.encoder.hidden_to_mean(cell),
                    m.encoder.cell_to_mean(cell),
                )
            ),
            "the hidden state is the one after the last character, not the mean of all outputs": (
                _read_out(
                    lambda m, outputs, hidden, cell: (
                        m.encoder.hidden_to_mean(outputs.mean(dim=1)),
                        m.encoder.cell_to_mean(cell),
                    )
                )
            ),
            "the hidden state is the one after the last character, not after the first": _read_out(
                lambda m, outputs, hidden, cell: (
                    m.encoder.hidden_to_mean(outputs[:, 0]),
                    m.encoder.cell_to_mean(cell),
                )
            ),
            "this is a sample of the posterior: its mean has no noise": _sampled,
        },
        must_pass_gradients=("model",),
        tell=lambda case, got, right: (
            f"for “{case.arguments[1]}” {TensorOf('the mean').show(got, right)}"
        ),
        hints=(
            "One slip is in what the LSTM reads, the other in where it starts from.",
            "tokenize(word) has its EOS already, and no SOS; both initial states are `start`.",
        ),
        why="the encoder reads the characters and EOS, and both of its states begin with the "
        "tense.",
    )
)


# 3.3
def decoder_step(decoder: Decoder, character: Tensor, states: States) -> tuple[Tensor, States]:
    inputs = torch.relu(decoder.embedding(character[:, None]))  # (B, 1, H)
    outputs, states = decoder.lstm(inputs, states)
    return decoder.output(outputs)[:, 0], states


def _misstep(
    *,
    embedded: Callable[[Tensor], Tensor] = torch.relu,
    read: Callable[[States], States | None] = lambda states: states,
    output: Callable[[Tensor], Tensor] = lambda output: output,
    logits: Callable[[Tensor], Tensor] = lambda logits: logits[:, 0],
    carried: Callable[[States, States], Any] = lambda old, new: new,
) -> Callable[[Decoder, Tensor, States], Any]:
    """A wrong solution to 3.3: some part of the right one replaced."""

    def wrong(decoder: Decoder, character: Tensor, states: States) -> Any:
        inputs = embedded(decoder.embedding(character[:, None]))
        outputs, new = decoder.lstm(inputs, read(states))
        return logits(decoder.output(output(outputs))), carried(states, new)

    return wrong


def _swapped(states: States) -> States:
    return states[1], states[0]


def _from_cell(decoder: Decoder, character: Tensor, states: States) -> tuple[Tensor, States]:
    _, new = decoder_step(decoder, character, states)
    return decoder.output(new[1][0]), new


def _relu_behind(decoder: Decoder, character: Tensor, states: States) -> tuple[Tensor, States]:
    outputs, new = decoder.lstm(decoder.embedding(character[:, None]), states)
    return decoder.output(torch.relu(outputs))[:, 0], new


def _time_for_batch(decoder: Decoder, character: Tensor, states: States) -> tuple[Tensor, States]:
    outputs, new = decoder.lstm(torch.relu(decoder.embedding(character[None])), states)
    return decoder.output(outputs)[0], new


def _steps(draw: Draw) -> list[tuple[Any, ...]]:
    sizes = (1, 3, draw.randint(2, 5))
    steps: list[tuple[Any, ...]] = [
        (
            _small_model().decoder,
            draw.integers(28, size),
            (draw.normal(1, size, 20), draw.normal(1, size, 20)),
        )
        for size in sizes
    ]
    # The first characters once more, with another decoder and other states.
    states = draw.normal(1, 1, 20), draw.normal(1, 1, 20)
    return [*steps, (_small_model().decoder, steps[0][1], states)]


register(
    Exercise(
        id="3.3",
        title="One step of the decoder",
        difficulty=2,
        starter="def decoder_step(decoder: Decoder, character: Tensor, states: States) "
        "-> tuple[Tensor, States]:\n    return ...",
        solution=decoder_step,
        result=Parts(
            "the logits and the new states",
            TensorOf("the logits"),
            Parts(
                "the hidden and the cell state, after the logits",
                _state("the new hidden state"),
                _state("the new cell state"),
            ),
            names=("the logits", "the new states"),
        ),
        cases=_steps,
        slips={
            "there is no ReLU between embedding and LSTM": _misstep(embedded=lambda x: x),
            "between embedding and LSTM is a ReLU, not tanh": _misstep(embedded=torch.tanh),
            "the LSTM was not given the states": _misstep(read=lambda states: None),
            "the LSTM wants (hidden, cell), not (cell, hidden)": _misstep(read=_swapped),
            "these are probabilities: return the logits as they are": _misstep(
                logits=lambda logits: logits[:, 0].softmax(dim=1)
            ),
            "these are log probabilities: return the logits as they are": _misstep(
                logits=lambda logits: logits[:, 0].log_softmax(dim=1)
            ),
            "the ReLU stands before the LSTM, none behind the output layer": _misstep(
                logits=lambda logits: logits[:, 0].relu()
            ),
            "the ReLU stands before the LSTM, none behind it": _misstep(output=torch.relu),
            "the ReLU stands between embedding and LSTM, not behind the LSTM": _relu_behind,
            "the logits come from the LSTM's output, not from its cell state": _from_cell,
            "for a batch of one word a dimension is lost: squeeze(1), or [:, 0]": _misstep(
                logits=torch.squeeze
            ),
            "logits and states are in the wrong order: the logits come first": (
                lambda decoder, character, states: decoder_step(decoder, character, states)[::-1]
            ),
            "the time of one step is still in there: [:, 0] takes it out": _misstep(
                logits=lambda logits: logits
            ),
            "nn.LSTM wants (B, T, H): character[:, None] is a batch of words of one character": (
                _time_for_batch
            ),
            "the states you return are still the old ones": _misstep(carried=lambda old, new: old),
            "the hidden state you return is still the old one": _misstep(
                carried=lambda old, new: (old[0], new[1])
            ),
            "the cell state you return is still the old one": _misstep(
                carried=lambda old, new: (new[0], old[1])
            ),
            "the states you return are (cell, hidden): hidden comes first": _misstep(
                carried=lambda old, new: _swapped(new)
            ),
        },
        must_pass_gradients=("decoder", "states"),
        hints=(
            "Embedding, ReLU, LSTM, linear. nn.LSTM wants (B, T, H), and here T is 1.",
            "decoder.lstm reads torch.relu(decoder.embedding(character[:, None])) and states.",
        ),
        why="one character in, 28 logits out; the states carry all the rest to the next step.",
    )
)


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


def _until_eos(tokens: list[int]) -> list[int]:
    return tokens[: [*tokens, EOS].index(EOS)]


def _miswritten(
    *,
    first: int = SOS,
    given: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] = lambda z, tense: (z, tense),
    steps: Callable[[int], int] = lambda max_length: max_length,
    choose: Callable[[Tensor], Tensor] = lambda logits: logits.argmax(),
    carried: bool = True,
    fed_back: bool = True,
    end: Callable[[list[int]], list[int]] = _until_eos,
) -> Callable[[CVAE, Tensor, Tensor, int], list[int]]:
    """A wrong solution to 3.4: some part of the right one replaced.

    `end` makes the result of all that was written, EOS and what comes behind it included.
    """

    def wrong(model: CVAE, z: Tensor, tense: Tensor, max_length: int) -> list[int]:
        z, tense = given(z, tense)
        start = states = model.decoder.initial_states(z, model.tense_embedding(tense))
        character, written = first, []
        for _ in range(steps(max_length)):
            logits, after = model.decoder(torch.tensor([[character]]), states)
            written.append(int(choose(logits[0, 0])))
            states = after if carried else start
            character = written[-1] if fed_back else character
        return end(written)

    return wrong


_ENDED_WRONG = {
    "EOS is in the list: it ends the word and is no part of it": _miswritten(
        end=lambda all: all[: [*all, EOS].index(EOS) + 1]
    ),
    "SOS is in the list: it is read, not written": _miswritten(
        end=lambda all: [SOS, *_until_eos(all)]
    ),
    "the loop goes on after EOS": _miswritten(end=lambda all: all),
    "the list goes on behind max_length: stop there": _miswritten(
        steps=lambda max_length: max_length + 40
    ),
    "one character more than max_length": _miswritten(steps=lambda max_length: max_length + 1),
    "one character less than max_length": _miswritten(steps=lambda max_length: max_length - 1),
    "8 stands in your code: use max_length": _miswritten(steps=lambda max_length: 8),
    "30 stands in your code: use max_length": _miswritten(steps=lambda max_length: 30),
    "the first character is lost": _miswritten(end=lambda all: _until_eos(all)[1:]),
    "argmin is the *un*likeliest character": _miswritten(choose=lambda logits: logits.argmin()),
    "max_length may be 0, and then nothing is written": _miswritten(
        steps=lambda max_length: max(1, max_length)
    ),
    "30 in your code is another limit besides: max_length may be larger": _miswritten(
        steps=lambda max_length: min(30, max_length)
    ),
}
_READ_WRONG = {  # these may write the right word by chance, or one another's
    "only the first character comes back: is the return inside the loop?": _miswritten(
        end=lambda all: _until_eos(all)[:1]
    ),
    "the loop goes on after EOS, and you only leave the EOS out: the word is over there": (
        _miswritten(end=lambda all: [token for token in all if token != EOS])
    ),
    "the first character read should be SOS (26), not EOS (27)": _miswritten(first=EOS),
    "the first character read should be SOS (26), not 0, which is the letter a": _miswritten(
        first=0
    ),
    "each step starts from the initial states: carry the new ones on": _miswritten(carried=False),
    "every step reads SOS: it should read what was just written": _miswritten(fed_back=False),
    "neither the states nor the character are carried on": _miswritten(
        carried=False, fed_back=False
    ),
    "the tense makes no difference: embed the one that is given": _miswritten(
        given=lambda z, tense: (z, 0 * tense)
    ),
    "z makes no difference: the initial states need it": _miswritten(
        given=lambda z, tense: (0 * z, tense)
    ),
    "this is drawn at random: greedy takes the likeliest, argmax": _miswritten(
        choose=lambda logits: torch.multinomial(logits.softmax(dim=0), 1)
    ),
}


def _writing_cases(draw: Draw) -> Sequence[tuple[Any, ...]]:
    """A lively model, and latents from which it writes words of 0, 1, ... letters, one endless."""
    while True:
        model = _small_model(5.0)
        model.decoder.output.bias[EOS] += 4
        model.decoder.output.bias[SOS] = -1e9  # no word holds SOS, so it matters to none
        z, tense = 3 * draw.normal(100, 6), draw.integers(4, 100)
        lengths = (model.greedy(z, tense, 40) != EOS).sum(dim=1).tolist()
        longer = sorted(set(lengths) & {2, 3, 4, 5, 6}, key=lambda length: abs(length - 3))
        if not {0, 1, 40} <= set(lengths) or len(longer) < 2:
            continue
        chosen = [(lengths.index(length), 8) for length in (*longer[:3], 1, 0)]
        chosen += [(lengths.index(40), limit) for limit in (8, 5, 33, 1, 0)]
        cases = [(model, z[[i]], tense[[i]], limit) for i, limit in chosen]
        if told_apart(cases, [write_word, *_READ_WRONG.values()]):
            return cases


def _tell_written(case: Case, got: list[int], right: list[int]) -> str:
    return f"with max_length = {case.arguments[3]}, your function {Tokens().show(got, right)}"


register(
    Exercise(
        id="3.4",
        title="Greedy decoding",
        difficulty=2,
        starter="def write_word(model: nn.Module, z: Tensor, tense: Tensor, max_length: int) "
        "-> list[int]:\n    return ...",
        solution=write_word,
        result=Tokens(),
        cases=_writing_cases,
        tell=_tell_written,
        slips=_ENDED_WRONG | _READ_WRONG,
        hints=(
            "Begin with SOS and the initial states. Each time: read, take the argmax; EOS? stop.",
            "In a loop: logits, states = model.decoder(character[:, None], states); append argmax.",
        ),
        why="the model reads what it has just written, from SOS on, and ends the word by writing "
        "EOS.",
    )
)


# 3.5
def tense_reaches_decoder(model: CVAE) -> bool:
    z, inputs = torch.randn(1, 2 * model.latent), torch.tensor([[SOS]])
    one, other = (model.decode(z, torch.tensor([tense]), inputs) for tense in (0, 1))
    return not torch.allclose(one, other)


def _first_states(model: CVAE, tense: int) -> States:
    z = torch.ones(1, 2 * model.latent)
    return model.decoder.initial_states(z, model.tense_embedding(torch.tensor([tense])))


def _state_differs(which: int) -> Callable[[CVAE], bool]:
    return lambda model: (
        not torch.allclose(_first_states(model, 0)[which], _first_states(model, 1)[which])
    )


def _difference(model: CVAE, zs: Sequence[Tensor] | None = None) -> float:
    """The largest difference that tense 1 makes to the logits of tense 0."""
    one, other = zs or [torch.ones(1, 2 * model.latent)] * 2
    inputs = torch.tensor([[SOS]])
    logits = model.decode(one, torch.tensor([0]), inputs)
    return float((logits - model.decode(other, torch.tensor([1]), inputs)).abs().max())


def _spread(model: CVAE) -> float:
    """The largest difference that any two tenses make to the logits, at several z."""
    z, inputs = torch.randn(8, 2 * model.latent), torch.full((8, 1), SOS)
    logits = torch.stack([model.decode(z, torch.full((8,), t), inputs) for t in range(4)])
    return float((logits.amax(dim=0) - logits.amin(dim=0)).max())


def _words_differ(model: CVAE) -> bool:
    z = torch.ones(1, 2 * model.latent)
    one, other = (model.greedy(z, torch.tensor([tense])).tolist() for tense in (0, 1))
    return bool(one != other)


def _posteriors_differ(model: CVAE) -> bool:
    one, other = model.encode(make_batch(["walk", "walk"], [0, 1])).mean
    return not torch.equal(one, other)


def _trained_logits_differ(model: CVAE) -> bool:
    """Teacher forcing for two tenses, each from the latent that the encoder made with it."""
    batch = make_batch(["walk", "walk"], [0, 1])
    one, other = model.decode(model.encode(batch).mean, batch.tense, shift_right(batch.tokens))
    return not torch.allclose(one, other)


def _models(draw: Draw) -> list[Case]:
    healthy, steady, faint, blind, deaf, same, hidden, cell, by_z = (
        _small_model() for _ in range(9)
    )
    for model in (blind, hidden):
        model.decoder.latent_to_cell.weight[:, 3:] = 0  # behind the 3 latent numbers is the tense
    for model in (blind, cell):
        model.decoder.latent_to_hidden.weight[:, 3:] = 0
    blind.decoder.output.bias.add_(10)  # far from 0, where torch.allclose forgives rounding
    deaf.decoder.output.weight.zero_()
    same.tense_embedding.weight.copy_(same.tense_embedding.weight[:1].clone().expand(4, -1))
    same.decoder.output.bias.add_(10)
    for model in (steady, faint):
        model.decoder.output.bias[0] += 100  # it writes "aaa…" whatever the tense
    faint.tense_embedding.weight *= 0.01
    faint.tense_embedding.weight *= 7e-4 / _spread(faint)  # to be seen by an atol of 1e-4
    # The tense moves the forget gate alone, and with it what z put into the cell: nothing, if z is
    # 0. No input enters the cell (its gate is shut), and no tense either.
    by_z.decoder.latent_to_cell.weight[:, 3:] = 0
    by_z.decoder.latent_to_cell.bias.zero_()
    dict(by_z.named_parameters())["decoder.lstm.bias_ih_l0"][:20] = -1e4
    labels = {
        "a model whose decoder never sees the tense: compare two tenses at one and the same z and "
        "inputs, with torch.allclose; look at the decoder, not at the encoder": blind,
        "labkit's own model, in which the tense does reach the decoder": healthy,
        "a model that writes one and the same word in all tenses: compare logits": steady,
        "a model in which the tense moves the logits only a little: compare logits; written words, "
        "or a wide tolerance, are too blunt": faint,
        "a model whose hidden state alone gets the tense: compare logits": hidden,
        "a model whose cell state alone gets the tense: compare logits": cell,
        "a model whose output layer drops all that the states hold: compare logits": deaf,
        "a model that embeds all tenses alike: compare logits": same,
        "a model in which the tense only acts on what z says, and so not at all at z = 0": by_z,
    }
    return [Case((model,), label) for label, model in labels.items()]


register(
    Exercise(
        id="3.5",
        title="The test that the smoke test forgot",
        difficulty=2,
        starter="def tense_reaches_decoder(model: nn.Module) -> bool:\n    return ...",
        solution=tense_reaches_decoder,
        result=truth(),
        cases=_models,
        slips={
            "you say True of every model": lambda model: True,
            "you say False of every model: do both runs get one and the same tense?": (
                lambda model: False
            ),
            "it is upside down: equal logits mean that the tense does not arrive": (
                lambda model: not tense_reaches_decoder(model)
            ),
            "the encoder and the tense embedding know the tense, but that is not asked": (
                _posteriors_differ
            ),
            "two different z make different logits by themselves, and one z may do so in the last "
            "digit, by rounding: use one z, and torch.allclose": lambda model: (
                _difference(model, torch.randn(2, 1, 2 * model.latent).unbind()) > 1e-5
            ),
            "use a z drawn at random": lambda model: (
                _difference(model, [torch.zeros(1, 2 * model.latent)] * 2) > 1e-5
            ),
            "the encoder's z holds the tense too: use one z, not an encoded one": (
                _trained_logits_differ
            ),
            "you look at the hidden state alone": _state_differs(0),
            "you look at the cell state alone": _state_differs(1),
            "you look at the initial states: what they hold must still reach the logits": (
                lambda model: _state_differs(0)(model) or _state_differs(1)(model)
            ),
            "you ask for a difference in both states: either is enough": (
                lambda model: _state_differs(0)(model) and _state_differs(1)(model)
            ),
            "the words that are written are a blunt measure": _words_differ,
            "the tolerance is too wide": lambda model: _difference(model) > 0.001,
        },
        tell=lambda case, got, right: f"you say {got} of {case.label}",
        hints=(
            "Keep everything the same but the tense. Which output of the decoder must then differ?",
            "torch.allclose of model.decode(z, tense, inputs) for two tenses, one random z, SOS?",
        ),
        why="with z and inputs held fixed, only the tense can make the logits differ.",
    )
)
