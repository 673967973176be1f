"""The checkers of notebook 01: solutions pass, blanks are not attempted, slips are named."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from labkit import losses, toy
from labkit.exercises import nb01
from labkit.exercises.core import Exercise, find, solution_source, verdict

IDS = ("1.1", "1.2", "1.3", "1.4", "1.5")


def exercise(id: str) -> Exercise:
    found = find(id)
    assert found is not None
    return found


def judge(id: str, answer: Any) -> tuple[str, str]:
    return verdict(exercise(id), answer)


def expectation(q: Tensor, values: Tensor) -> Tensor:
    return torch.xlogy(q, values).sum()


SOLUTIONS: dict[str, Any] = {
    "1.1": toy.elbo,
    "1.2": {"C": 1, "E": 3},
    "1.3": losses.kl_to_standard_normal,
    "1.4": nb01.reparameterize,
    "1.5": nb01.score_function_gradient,
}


@pytest.mark.parametrize("id", IDS)
def test_the_solution_is_right(id: str) -> None:
    for _ in range(5):  # the inputs are new each time
        assert judge(id, SOLUTIONS[id]) == ("right", exercise(id).why)


@pytest.mark.parametrize("id", IDS)
def test_the_solution_that_is_shown_is_the_one_that_passes(id: str) -> None:
    solution = exercise(id).solution
    if callable(solution):
        assert solution is SOLUTIONS[id]
    else:
        scope: dict[str, Any] = {}
        exec(solution_source(exercise(id)), scope)
        assert scope["slips"] == SOLUTIONS[id]


BLANKS: list[tuple[str, Any]] = [
    ("1.1", lambda q, prior, likelihood: ...),
    ("1.2", ...),
    ("1.3", lambda mean, log_var: ...),
    ("1.4", lambda mean, log_var, noise: ...),
    ("1.5", lambda f, z, mean, log_var: (..., ...)),
]


@pytest.mark.parametrize(("id", "answer"), BLANKS)
def test_a_blank_is_not_attempted(id: str, answer: Any) -> None:
    assert judge(id, answer)[0] == "not attempted"


def wrong(*cases: tuple[Callable[..., Any] | Any, str]) -> Any:
    return pytest.mark.parametrize(("answer", "phrase"), cases)


@wrong(
    (lambda q, p, x: expectation(q, x) + toy.kl(q, p), "subtract"),
    (lambda q, p, x: expectation(q, x) - toy.kl(p, q), "other way"),
    (lambda q, p, x: (q * x).sum().log() - toy.kl(q, p), "average the log"),
    (lambda q, p, x: (p * x).sum().log(), "log p(x|c) itself"),
    (lambda q, p, x: expectation(q, x), "first term alone"),
    (lambda q, p, x: -toy.kl(q, p), "KL alone"),
    (lambda q, p, x: (q * x).sum() - toy.kl(q, p), "the *log* of the likelihood"),
    (lambda q, p, x: x.log().mean() - toy.kl(q, p), "not with 1/K"),
    (lambda q, p, x: toy.elbo(q, p, x) / math.log(2), "bits"),
    (lambda q, p, x: expectation(p, x) - toy.kl(q, p), "not the prior"),
    (lambda q, p, x: expectation(q, x * p), "log q is missing"),
    (lambda q, p, x: expectation(q, x) - toy.kl(q, p * x / (p * x).sum()), "to the posterior"),
    (lambda q, p, x: -toy.elbo(q, p, x), "−ELBO"),
    (lambda q, p, x: q * (p * x / q).log(), "one number"),
    (lambda q, p, x: (q * (p * x / q).log()).sum(), "0 · log 0"),
    (lambda q, p, x: toy.elbo(q.clamp(min=0.05), p, x), "expected"),
    (lambda q, p, x: toy.elbo(q, p, x)[None], "shape ()"),
    (lambda q, p, x: "a number", "not the str 'a number'"),
    (toy.elbo(*torch.full((3, 2), 0.5)), "expected a function"),
    (lambda q, p, x: None, "is a return missing?"),
)
def test_the_elbo(answer: Any, phrase: str) -> None:
    status, message = judge("1.1", answer)
    assert status == "not yet"
    assert phrase in message


def test_the_elbo_as_a_plain_number_is_right() -> None:
    assert judge("1.1", lambda q, p, x: toy.elbo(q, p, x).item())[0] == "right"


@wrong(
    ({"A": 2}, "chain rule"),
    ({"B": 1}, "holds no Z"),
    ({"C": 1, "D": 1, "E": 3}, "line D is sound"),
    ({"F": 3}, "corrected line E"),
    ({"C": 1}, "two of the six"),
    ({"E": 3}, "line E and its cure are right"),
    ({"C": 1, "E": 1}, "cure 1 does not mend it"),
    ({"C": 3, "E": 1}, "line C does have a slip"),
    ({}, "two of the six"),
    ({"G": 1}, "no line"),
    ("CE", "dictionary"),
    (["C", "E"], "dictionary"),
    ({3: 1}, "no line"),
)
def test_the_slips_of_the_derivation(answer: Any, phrase: str) -> None:
    status, message = judge("1.2", answer)
    assert status == "not yet"
    assert phrase in message


def test_the_slips_may_be_written_loosely() -> None:
    assert judge("1.2", {" c": "1", "e": 3})[0] == "right"


def kl_terms(mean: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (log_var.exp() + mean**2 - 1 - log_var)


@wrong(
    (lambda m, v: 0.5 * (v + m**2 - 1 - v.log()).sum(dim=1), "as if it were the variance"),
    (lambda m, v: 0.5 * (m**2 - 1).sum(dim=1), "as if it were the variance"),
    (lambda m, v: 0.5 * (v**2 + m**2 - 1 - 2 * v.log()).sum(dim=1), "as if it were σ:"),
    (lambda m, v: 0.5 * (v**2 + m**2 - 1 - v).sum(dim=1), "as if it were σ:"),
    (lambda m, v: kl_terms(m, 2 * v).sum(dim=1), "as if it were log σ"),
    (lambda m, v: (kl_terms(m, 2 * v) + v / 2).sum(dim=1), "as if it were log σ"),
    (lambda m, v: kl_terms(m, v / 2).sum(dim=1), "as if it were σ²"),
    (lambda m, v: (kl_terms(m, v / 2) - v / 4).sum(dim=1), "as if it were σ²"),
    (lambda m, v: kl_terms(m, v).mean(dim=1), "not averaged"),
    (lambda m, v: 2 * kl_terms(m, v).sum(dim=1), "½ is missing"),
    (lambda m, v: -kl_terms(m, v).sum(dim=1), "sign"),
    (lambda m, v: (kl_terms(m, v) - (m**2 - m) / 2).sum(dim=1), "squared"),
    (lambda m, v: kl_terms(0 * m, v).sum(dim=1), "μ² is missing"),
    (lambda m, v: (kl_terms(m, v) + 0.5).sum(dim=1), "− 1 is missing"),
    (lambda m, v: (kl_terms(m, v) + v / 2).sum(dim=1), "− log σ² is missing"),
    (lambda m, v: (kl_terms(m, v) + v).sum(dim=1), "wrong sign"),
    (lambda m, v: kl_terms(m, v).sum(), "one KL a word"),
    (lambda m, v: kl_terms(m, v).sum(dim=1).mean(), "averaged over the words"),
    (lambda m, v: kl_terms(m, v).sum(dim=0), "dim=0"),
    (kl_terms, "add up"),
    (lambda m, v: kl_terms(m, v).sum(dim=1, keepdim=True), "shape (5,), not (5, 1)"),
    (lambda m, v: kl_terms(m, v.abs()).sum(dim=1), "below 0"),
    (lambda m, v: 1.0, "tensor of shape (5,)"),
    (lambda m: m, "raised TypeError"),
)
def test_the_kl(answer: Any, phrase: str) -> None:
    status, message = judge("1.3", answer)
    assert status == "not yet"
    assert phrase in message


@wrong(
    (lambda m, v, e: (v / 2).exp() + m, "the report's text"),
    (lambda m, v, e: m, "mean alone"),
    (lambda m, v, e: m + v.exp() * e, "multiplied by the variance"),
    (lambda m, v, e: m + v * e, "log_var is not σ"),
    (lambda m, v, e: m + v / 2 * e, "exp is missing"),
    (lambda m, v, e: m + (v / 2 * e).exp(), "outside of the exp"),
    (lambda m, v, e: m + (v / 2).exp() * e[:1], "all words share"),
    (lambda m, v, e: m + (v / 2).exp() * e[:, :1], "all dimensions share"),
    (lambda m, v, e: (v / 2).exp() * e, "mean is missing"),
    (lambda m, v, e: m - (v / 2).exp() * e, "sign of ε"),
    (lambda m, v, e: e, "ε alone"),
    (lambda m, v, e: (m + (v / 2).exp()) * e, "μ is added afterwards"),
    (lambda m, v, e: m + (v / 2).exp() + e, "σ multiplies the noise"),
    (lambda m, v, e: m + (v / 2).exp() * torch.randn_like(m), "don't draw your own"),
    (lambda m, v, e: (m + (v / 2).exp() * e).detach(), "mean gets no gradient"),
    (lambda m, v, e: m.detach() + (v / 2).exp() * e, "mean gets no gradient"),
    (lambda m, v, e: m + (v / 2).exp().detach() * e, "log_var gets no gradient"),
    (lambda m, v, e: m + v.exp().sqrt() * (e + 0.1), "expected"),
    (lambda m, v, e: (m + (v / 2).exp() * e)[0], "shape (4, 3)"),
    (lambda m, v, e: (m + (v / 2).exp() * e).tolist(), "should be a tensor"),
)
def test_reparameterize(answer: Any, phrase: str) -> None:
    status, message = judge("1.4", answer)
    assert status == "not yet"
    assert phrase in message


def by_mean(f: Tensor, z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return nb01.score_function_gradient(f, z, mean, log_var)[0]


def by_log_var(f: Tensor, z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return nb01.score_function_gradient(f, z, mean, log_var)[1]


@wrong(
    (lambda f, z, m, v: (f * (z - m) / (v / 2).exp(), by_log_var(f, z, m, v)), "not by σ"),
    (lambda f, z, m, v: (f * (z - m) / v, by_log_var(f, z, m, v)), "the variance is exp"),
    (lambda f, z, m, v: (f * (z - m), by_log_var(f, z, m, v)), "not divided"),
    (lambda f, z, m, v: (f * (m - z) / v.exp(), by_log_var(f, z, m, v)), "sign"),
    (
        lambda f, z, m, v: (by_mean(torch.ones_like(f), z, m, v), by_log_var(f, z, m, v)),
        "multiply it with f",
    ),
    (lambda f, z, m, v: (by_mean(f, z, m, v).mean(), by_log_var(f, z, m, v)), "don't average"),
    (lambda f, z, m, v: (by_mean(f, z, m, v), 2 * by_log_var(f, z, m, v)), "½ is missing"),
    (lambda f, z, m, v: (by_mean(f, z, m, v), by_log_var(f, z, m, v) + f / 2), "− 1 is missing"),
    (lambda f, z, m, v: (by_mean(f, z, m, v), by_log_var(f, z, m, v) / v.exp()), "slope by σ²"),
    (
        lambda f, z, m, v: (by_mean(f, z, m, v), 2 * by_log_var(f, z, m, v) / (v / 2).exp()),
        "slope by σ;",
    ),
    (lambda f, z, m, v: (by_mean(f, z, m, v), by_mean(f, z, m, v)), "gradient for log_var"),
    (lambda f, z, m, v: (by_log_var(f, z, m, v), by_mean(f, z, m, v)), "mean first, then log_var"),
    (lambda f, z, m, v: (by_mean(f, z, m, v), ...), "gradient for log_var is still blank"),
    (lambda f, z, m, v: (..., by_log_var(f, z, m, v)), "gradient for the mean is still blank"),
    (lambda f, z, m, v: (None, f * (z - m)), "(gradient for log_var)"),
    (lambda f, z, m, v: (by_mean(f, z, m, v), "b"), "should be a tensor"),
    (by_mean, "return two things"),
    (lambda f, z, m, v: (by_mean(f, z, m, v)[:, None], by_log_var(f, z, m, v)), "shape (6,)"),
)
def test_the_score_function(answer: Any, phrase: str) -> None:
    status, message = judge("1.5", answer)
    assert status == "not yet"
    assert phrase in message


@pytest.mark.parametrize("id", ["1.1", "1.3", "1.4", "1.5"])
def test_an_answer_cannot_change_what_it_is_judged_by(id: str) -> None:
    def spoil(*tensors: Tensor) -> Tensor:
        for tensor in tensors:
            tensor.zero_()
        return tensors[0]

    assert judge(id, spoil)[0] == "not yet"
