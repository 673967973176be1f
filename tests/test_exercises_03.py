"""The checks of notebook 03: solutions pass, blanks are blank, each slip is called by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from labkit.batches import make_batch
from labkit.exercises import nb03
from labkit.exercises.core import find, verdict
from labkit.language import EOS, SOS, tokenize
from labkit.model import CVAE, Decoder, new_model

SOLUTIONS: dict[str, Any] = {
    "3.1": nb03.initial_states,
    "3.2": nb03.posterior_mean,
    "3.3": nb03.decoder_step,
    "3.4": nb03.write_word,
    "3.5": nb03.tense_reaches_decoder,
}


def judge(id: str, answer: Any) -> tuple[str, str]:
    exercise = find(id)
    assert exercise is not None
    return verdict(exercise, answer)


# --- answers, right and wrong --------------------------------------------------------------------


def starts(build: Callable[[Tensor, int], Tensor]) -> Callable[[Tensor, int], tuple[Tensor, ...]]:
    """An answer to 3.1 that builds one state and uses it twice."""
    return lambda condition, hidden: (build(condition, hidden), build(condition, hidden))


def zeros(condition: Tensor, size: int) -> Tensor:
    return torch.zeros(len(condition), size)


def reader(
    *, sos: bool = False, eos: bool = True, cell: bool = True, tense_first: bool = False
) -> Callable[[CVAE, str, int], Tensor]:
    """An answer to 3.2, with slips."""

    def posterior_mean(model: CVAE, word: str, tense: int) -> Tensor:
        tokens = [SOS] * sos + tokenize(word)[: None if eos else -1]
        condition = model.tense_embedding(torch.tensor([tense]))
        parts = [torch.zeros(1, model.encoder.zeros), condition]
        start = torch.cat(parts[::-1] if tense_first else parts, dim=1)[None]
        inputs = model.encoder.embedding(torch.tensor([tokens]))
        states = (start, start if cell else torch.zeros_like(start))
        _, (hidden, last_cell) = model.encoder.lstm(inputs, states)
        heads = model.encoder.hidden_to_mean(hidden[0]), model.encoder.cell_to_mean(last_cell[0])
        return torch.cat(heads, dim=1)

    return posterior_mean


def step(
    *, relu: bool = True, carried: bool = True, given: bool = True, keep_time: bool = False
) -> Callable[..., Any]:
    """An answer to 3.3, with slips."""

    def decoder_step(decoder: Decoder, character: Tensor, states: Any) -> Any:
        inputs = decoder.embedding(character[:, None])
        inputs = inputs.relu() if relu else inputs
        outputs, new = decoder.lstm(inputs, states) if given else decoder.lstm(inputs)
        logits = decoder.output(outputs)
        return (logits if keep_time else logits[:, 0]), (new if carried else states)

    return decoder_step


def writer(
    *,
    first: int = SOS,
    stop: bool = True,
    with_eos: bool = False,
    with_sos: bool = False,
    carried: bool = True,
    longer: int = 0,
) -> Callable[..., list[int]]:
    """An answer to 3.4, with slips."""

    def write_word(model: CVAE, z: Tensor, tense: Tensor, max_length: int) -> list[int]:
        start = states = model.decoder.initial_states(z, model.tense_embedding(tense))
        character, written = first, [SOS] if with_sos else []
        for _ in range(max_length + longer):
            logits, after = model.decoder(torch.tensor([[character]]), states)
            states = after if carried else start
            character = int(logits.argmax())
            if character == EOS and stop:
                return [*written, EOS] if with_eos else written
            written.append(character)
        return written

    return write_word


def differing_words(model: CVAE) -> bool:
    z = torch.zeros(1, 2 * model.latent)
    words = [model.greedy(z, torch.tensor([tense])).tolist() for tense in range(4)]
    return words[0] != words[1]


def differing_posteriors(model: CVAE) -> bool:
    batch = make_batch(["walk", "walk"], [0, 1])
    one, other = model.encode(batch).mean
    return not torch.equal(one, other)


def first_states(model: CVAE, tense: int) -> tuple[Any, Any]:
    """The decoder's hidden and cell state at z = 1, without any look at logits."""
    z = torch.ones(1, 2 * model.latent)
    return model.decoder.initial_states(z, model.tense_embedding(torch.tensor([tense])))


def hidden_states_differ(model: CVAE) -> bool:
    return not torch.allclose(first_states(model, 0)[0], first_states(model, 1)[0])


def cell_states_differ(model: CVAE) -> bool:
    return not torch.allclose(first_states(model, 0)[1], first_states(model, 1)[1])


def two_latents(model: CVAE) -> bool:
    one, other = (
        model.decode(torch.randn(1, 2 * model.latent), torch.tensor([t]), torch.tensor([[SOS]]))
        for t in (0, 1)
    )
    return not torch.equal(one, other)


def coarse(model: CVAE) -> bool:
    z, inputs = torch.randn(1, 2 * model.latent), torch.tensor([[SOS]])
    one, other = (model.decode(z, torch.tensor([t]), inputs) for t in (0, 1))
    return bool(((one - other).abs() > 0.2).any())


RIGHT_TOO: dict[str, list[Any]] = {
    "3.1": [
        lambda c, h: [nn.functional.pad(c, (h - c.shape[1], 0))[None]] * 2,
    ],
    "3.2": [
        lambda model, word, tense: model.encode(make_batch([word], [tense])).mean,
        reader(),
    ],
    "3.3": [step(), lambda d, c, s: (d(c[:, None], s)[0].squeeze(1), list(d(c[:, None], s)[1]))],
    "3.4": [
        writer(),
        lambda m, z, t, n: torch.tensor(writer()(m, z, t, n)),
        lambda m, z, t, n: [i for i in m.greedy(z, t, n)[0].tolist() if i != EOS],
    ],
    "3.5": [
        lambda m: not torch.allclose(
            *(m.decode(torch.ones(1, 2 * m.latent), torch.tensor([t]), torch.tensor([[SOS, 4]]))
              for t in (0, 3))
        ),
        lambda m: not torch.allclose(
            *m.decode(
                torch.ones(2, 2 * m.latent), torch.tensor([1, 2]), torch.full((2, 1), SOS)
            )
        ),
        lambda m: (
            m.decode(torch.ones(2, 2 * m.latent), torch.tensor([1, 2]), torch.full((2, 1), SOS))
            .diff(dim=0)
            .abs()
            .max()
            > 1e-6
        ),
    ],
}  # fmt: skip

WRONG: list[tuple[str, Any, str]] = [
    ("3.1", starts(lambda c, h: torch.cat([c, zeros(c, h - c.shape[1])], 1)[None]), "zeros come"),
    ("3.1", starts(lambda c, h: torch.cat([zeros(c, h), c], 1)[None]), "256 + 8 = 264"),
    ("3.1", starts(lambda c, h: torch.cat([zeros(c, h), c], 1)), "256 + 8 = 264"),
    (
        "3.1",
        lambda c, h: (nb03.initial_states(c, h)[0], torch.zeros(1, len(c), h)),
        "cell state is all zeros",
    ),
    ("3.1", lambda c, h: nb03.initial_states(c, h)[0], "two things, the hidden and the cell"),
    ("3.1", starts(lambda c, h: nb03.initial_states(c, h)[0][0]), "(1, 3, 256), not (3, 256)"),
    ("3.1", starts(lambda c, h: torch.randn(1, len(c), h)), "it should end"),
    (
        "3.1",
        starts(lambda c, h: nb03.initial_states(c[:1].repeat(len(c), 1), h)[0]),
        "of the hidden state ends",
    ),
    ("3.1", starts(lambda c, h: torch.cat([torch.zeros(3, 248), c], 1)[None]), "RuntimeError"),
    ("3.2", reader(sos=True, cell=False), "neither slip"),
    ("3.2", reader(sos=True), "still reads SOS"),
    ("3.2", reader(cell=False), "cell state still starts without"),
    ("3.2", reader(eos=False), "EOS too"),
    ("3.2", reader(tense_first=True), "yours begins"),
    ("3.2", lambda m, w, t: m.encode(make_batch([w], [t])), "should be a tensor"),
    ("3.2", lambda m, w, t: m.encode(make_batch([w], [t])).mean[0], "(1, 6), not (6,)"),
    ("3.3", step(relu=False), "no ReLU"),
    ("3.3", step(given=False), "not given the states"),
    ("3.3", step(carried=False), "hidden state you return is still the old one"),
    ("3.3", step(keep_time=True), "(3, 28), not (3, 1, 28)"),
    ("3.3", lambda *args: (step()(*args)[0].softmax(dim=1), step()(*args)[1]), "probabilities"),
    ("3.3", lambda *args: step()(*args)[0], "the logits and the new states"),
    ("3.3", lambda *args: (step()(*args)[0], step()(*args)[1][0]), "the hidden and the cell"),
    ("3.4", writer(stop=False), "goes on after EOS"),
    ("3.4", writer(first=EOS), "should be SOS (26), not EOS (27)"),
    ("3.4", writer(with_eos=True), "EOS is in the list"),
    ("3.4", writer(with_sos=True), "SOS is in the list"),
    ("3.4", writer(carried=False), "carry the new ones"),
    ("3.4", writer(longer=3), "max_length is 8"),
    ("3.4", writer(longer=-1), "expected"),
    ("3.4", lambda *_: "sang", "list of tokens (numbers), not the str 'sang'"),
    ("3.4", lambda *_: [[1, 2]], "list of tokens"),
    ("3.5", hidden_states_differ, "cell state alone"),
    ("3.5", cell_states_differ, "hidden state alone"),
    ("3.5", lambda _: True, "True of a model whose decoder never sees"),
    ("3.5", lambda _: False, "False of labkit's own model"),
    ("3.5", differing_posteriors, "not at the encoder"),
    ("3.5", two_latents, "same z"),
    ("3.5", coarse, "too blunt"),
    ("3.5", lambda m: torch.ones(2, 28) != 0, "return True or False"),
    ("3.5", lambda m: "yes", "return True or False, not the str 'yes'"),
]


# --- the tests -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("id", SOLUTIONS)
def test_the_solution_is_right(id: str, seed: int) -> None:
    torch.manual_seed(seed)
    assert judge(id, SOLUTIONS[id])[0] == "right"


@pytest.mark.parametrize("id", SOLUTIONS)
@pytest.mark.parametrize("blank", [None, ..., lambda *_: ...])
def test_a_blank_is_not_attempted(id: str, blank: Any) -> None:
    assert judge(id, blank)[0] == "not attempted"


@pytest.mark.parametrize("id", ["3.1", "3.3"])
def test_half_a_blank_is_not_attempted(id: str) -> None:
    assert judge(id, lambda *_: (..., ...))[0] == "not attempted"


@pytest.mark.parametrize(("id", "answer"), [(id, a) for id in RIGHT_TOO for a in RIGHT_TOO[id]])
def test_another_right_answer_is_right(id: str, answer: Any) -> None:
    assert judge(id, answer) == ("right", find(id).why)  # type: ignore[union-attr]


@pytest.mark.parametrize(("id", "answer", "phrase"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(id: str, answer: Any, phrase: str) -> None:
    torch.manual_seed(0)
    status, message = judge(id, answer)
    assert status == "not yet"
    assert phrase in message


@pytest.mark.parametrize("id", SOLUTIONS)
@pytest.mark.parametrize("answer", [3, "sang", torch.zeros(2), lambda: 1, lambda *_: 1 / 0])
def test_another_kind_of_thing_is_told_kindly(id: str, answer: Any) -> None:
    status, message = judge(id, answer)
    assert status == "not yet"
    assert "could not be judged" not in message


def test_words_alone_do_not_tell_whether_the_tense_arrives() -> None:
    verdicts = [judge("3.5", differing_words) for _ in range(5)]
    assert {status for status, _ in verdicts} == {"not yet"}
    assert all("False of" in message for _, message in verdicts)


def test_the_answer_to_3_5_holds_for_the_full_model() -> None:
    assert nb03.tense_reaches_decoder(new_model(0))
