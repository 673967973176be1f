"""The checks of notebook 06: solutions pass, blanks are blank, each slip is called by its name."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from labkit.exercises import nb06
from labkit.exercises.core import find, verdict
from labkit.language import EOS, SOS, detokenize, tokenize

IDS = ("6.1", "6.2")


def judge(id: str, answer: Any) -> tuple[str, str]:
    exercise = find(id)
    assert exercise is not None
    return verdict(exercise, answer)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("id", IDS)
def test_the_solution_is_right(id: str, seed: int) -> None:
    nb06._random.seed(seed)
    torch.manual_seed(seed)
    exercise = find(id)
    assert exercise is not None
    assert judge(id, exercise.solution) == ("right", exercise.why)


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("blank", [None, ..., lambda *_: ...])
def test_a_blank_is_not_attempted(id: str, blank: Any) -> None:
    assert judge(id, blank)[0] == "not attempted"


def mixture(n_words: Any = len, power: float = 0.5, noise: Any = torch.randn) -> Any:
    def sample(mean: torch.Tensor, log_var: torch.Tensor, n: int) -> torch.Tensor:
        chosen = torch.randint(n_words(mean), (n,))
        return mean[chosen] + (power * log_var[chosen]).exp() * noise(n, mean.shape[1])

    return sample


def averaged(mean: torch.Tensor, log_var: torch.Tensor, n: int) -> torch.Tensor:
    deviation = (log_var.mean(dim=0) / 2).exp()
    return mean.mean(dim=0) + deviation * torch.randn(n, mean.shape[1])


def one_word(mean: torch.Tensor, log_var: torch.Tensor, n: int) -> torch.Tensor:
    k = torch.randint(len(mean), (1,))
    return mean[k] + (log_var[k] / 2).exp() * torch.randn(n, mean.shape[1])


def first_words(mean: torch.Tensor, log_var: torch.Tensor, n: int) -> torch.Tensor:
    chosen = torch.arange(n) % len(mean)
    return mean[chosen] + (log_var[chosen] / 2).exp() * torch.randn(n, mean.shape[1])


def writer(first: Any, then: Any = None, ends: bool = True, gives: Any = None) -> Any:
    """A decoder loop with a slip: what it reads first, what it keeps, whether it stops."""

    def complete(
        model: Any, z: torch.Tensor, tense: int, prefix: str = "", max_length: int = 30
    ) -> str:
        letters = tokenize(prefix)[:-1] if prefix else []
        start = model.decoder.initial_states(z, model.tense_embedding(torch.tensor([tense])))
        states, written = start, []
        reads = torch.tensor([first(letters)])
        for _ in range(max_length - len(letters)):
            logits, states = model.decoder(reads, states)
            written.append(int(logits[0, -1].argmax()))
            if written[-1] == EOS and ends:
                break
            reads = torch.tensor([[written[-1]]])
            if then == "restart":
                states = start
        if not ends:
            written = [token for token in written if token != EOS]
        return detokenize(gives(letters, written) if gives else letters + written)

    return complete


def test_another_way_to_write_it_is_right_too() -> None:
    assert judge("6.2", writer(lambda p: [SOS, *p]))[0] == "right"


def as_list(mean: torch.Tensor, log_var: torch.Tensor, n: int) -> list[float]:
    return [0.0] * n


def two_words(mean: Tensor, log_var: Tensor, n: int) -> Tensor:
    """The mean of one word and the width of another."""
    one, other = torch.randint(len(mean), (2, n))
    return mean[one] + (log_var[other] / 2).exp() * torch.randn(n, mean.shape[1])


WRONG: list[tuple[str, Any, str]] = [
    ("6.1", mixture(noise=torch.zeros), "needs noise"),
    ("6.1", mixture(power=1.0), "scaled by exp(log_var)"),
    ("6.1", mixture(power=0.0), "scaled by 1"),
    ("6.1", mixture(noise=lambda n, z: torch.randn(1, z)), "one ε for all"),
    ("6.1", mixture(noise=lambda n, z: torch.randn(n, 1)), "one ε for all dimensions"),
    ("6.1", mixture(noise=torch.rand), "deviation"),
    ("6.1", two_words, "*one* index for both"),
    ("6.1", mixture(n_words=lambda mean: 2), "choose a word anew"),
    ("6.1", averaged, "mixture"),
    ("6.1", one_word, "choose a word anew"),
    ("6.1", first_words, "the first ones only"),
    ("6.1", lambda mean, log_var, n: mean[0].repeat(n, 1), "all latents are the same"),
    ("6.1", lambda mean, log_var, n: mean, "shape"),
    ("6.1", as_list, "tensor of shape"),
    ("6.1", torch.zeros(3), "pass its name"),
    ("6.2", writer(lambda p: p or [EOS]), "reads SOS before"),
    ("6.2", writer(lambda p: [SOS]), "begin again"),
    ("6.2", writer(lambda p: [SOS, *p, *p[-1:]]), "read twice"),
    ("6.2", writer(lambda p: [SOS, *p], gives=lambda p, w: w), "return prefix and completion"),
    ("6.2", writer(lambda p: [SOS, *p], ends=False), "over at EOS"),
    ("6.2", writer(lambda p: [SOS, *p], then="restart"), "expected"),
    ("6.2", lambda m, z, t, p="", n=30: writer(lambda q: [SOS])(m, z, t, "", n), "never forced"),
    (
        "6.2",
        lambda m, z, t, p="", n=30: writer(lambda q: [SOS, *q])(m, z, t, p, n + len(p)),
        "counts the whole word",
    ),
    ("6.2", lambda m, z, t, p="", n=30: writer(lambda q: [SOS, *q])(m, z, 0, p, n), "tense"),
    ("6.2", lambda m, z, t, p="", n=30: tokenize(p or "a"), "a string"),
    ("6.2", "walk", "pass its name"),
]


@pytest.mark.parametrize(("id", "answer", "phrase"), WRONG)
def test_a_slip_gets_its_message(id: str, answer: Any, phrase: str) -> None:
    for seed in range(3):
        nb06._random.seed(seed)
        torch.manual_seed(seed)
        status, message = judge(id, answer)
        assert status == "not yet"
        assert phrase in message
