"""Exercises of notebook 01: the ELBO, the report's slips, the KL, and two gradient estimators."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from labkit import losses, toy
from labkit.exercises.core import (
    Exercise,
    NotAttempted,
    NotYet,
    call,
    close,
    describe,
    expect_tensor,
    is_blank,
    register,
)

Slips = Sequence[tuple[Tensor, str]]  # what a classic slip gives, and the message that names it


def _random(*shape: int) -> Tensor:
    """Fresh numbers from N(0, 1), from a seed that nobody knows."""
    generator = torch.Generator()
    generator.seed()
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def _numbers(value: Tensor) -> str:
    """The first three of a tensor's numbers, rounded."""
    first = [f"{number:.4f}" for number in value.detach().flatten()[:3].tolist()]
    more = ", …" if value.numel() > 3 else ""
    return first[0] if value.ndim == 0 else f"[{', '.join(first)}{more}]"


def _compare(result: Any, right: Tensor, slips: Slips = (), case: str = "") -> None:
    """Raise NotYet, naming the slip whose value the result has, unless the result is right."""
    if isinstance(result, float | int) and right.ndim == 0:
        result = torch.tensor(float(result))
    for value, message in slips:  # before the shape: a slip may have another one
        if isinstance(result, Tensor) and not close(value, right) and close(result, value):
            raise NotYet(f"{message}{case}")
    result = expect_tensor(result, tuple(right.shape))
    if not close(result, right):
        raise NotYet(f"you gave {_numbers(result)}, expected {_numbers(right)}{case}")


# --- 1.1 the ELBO on the toy model ---------------------------------------------------------------


def _judge_elbo(answer: Any) -> None:
    for size in (3, 7, 1):
        q, prior = (torch.softmax(2 * _random(size), dim=0) for _ in range(2))
        likelihood = torch.sigmoid(_random(size))
        joint, fit, kl = prior * likelihood, (q * likelihood.log()).sum(), toy.kl(q, prior)
        right = (q * (joint / q).log()).sum()
        slips = (
            (fit + kl, "you added the KL: a q far from the prior costs, so subtract it"),
            (fit - toy.kl(prior, q), "your KL runs the other way: it averages log(q/p) under q"),
            ((q * likelihood).sum().log() - kl, "average the log of p(x|z,c), don't log its mean"),
            (joint.sum().log(), "this is log p(x|c) itself, without any q: the ELBO is below it"),
            (fit, "this is the first term alone: subtract KL(q‖prior)"),
            (-kl, "this is the KL alone: the average of log p(x|z,c) is missing"),
            ((q * likelihood).sum() - kl, "average the *log* of the likelihood"),
            (likelihood.log().mean() - kl, "weight each log p(x|z,c) with q, not with 1/K"),
            (right / math.log(2), "these are bits: use the natural logarithm, for nats"),
            (q * (joint / q).log(), "sum over z: the ELBO of a word is one number"),
            ((prior * likelihood.log()).sum() - kl, "average log p(x|z,c) under q, not the prior"),
            ((q * joint.log()).sum(), "− log q is missing: KL(q‖prior) is q's mean of log(q/p)"),
            (fit - toy.kl(q, joint / joint.sum()), "this KL is to the posterior, (6) to the prior"),
            (-right, "this is −ELBO, the loss: give the ELBO itself"),
        )
        _compare(call(answer, q, prior, likelihood), right, slips)
    q, prior, likelihood = torch.tensor([[0.5, 0.5, 0], [0.2, 0.3, 0.5], [0.1, 0.6, 0.3]]).double()
    result = call(answer, q, prior, likelihood)
    if isinstance(result, Tensor) and bool(result.isnan().any()):
        raise NotYet("right, but 0 · log 0 is nan where q is 0: torch.xlogy(a, b) counts it as 0")
    _compare(result, toy.elbo(q, prior, likelihood), case=" (for a q that contains a 0)")


# --- 1.2 find the slips --------------------------------------------------------------------------

_SLIPS = {"C": "1", "E": "3"}
_SOUND = {
    "A": "it is the chain rule p(X,Z|c) = p(Z|X,c) · p(X|c), in logs",
    "B": "log p(X|c) holds no Z, so averaging over any q leaves it as it is",
    "D": "it takes the four terms in pairs, and the second pair is a KL by definition",
    "F": "it joins the last two terms of a corrected line E to a KL",
}


def _judge_slips(answer: Any) -> None:
    if not isinstance(answer, dict):
        raise NotYet(f'expected a dictionary such as {{"A": 4, "B": 2}}, got {describe(answer)}')
    given = {str(line).strip().upper(): str(cure).strip() for line, cure in answer.items()}
    for line, cure in given.items():
        if line in _SOUND:
            raise NotYet(f"line {line} is sound: {_SOUND[line]}")
        if line not in _SLIPS:
            raise NotYet(f"{line!r} is no line: the lines are A to F")
        if cure != _SLIPS[line]:
            raise NotYet(f"line {line} does have a slip, but cure {cure} does not mend it")
    if len(given) < 2:
        found = f"line {next(iter(given))} and its cure are right; " if given else ""
        raise NotYet(f"{found}two of the six lines have a slip, one each")


# --- 1.3 the KL ----------------------------------------------------------------------------------


def _judge_kl(answer: Any) -> None:
    for words, size in ((5, 4), (1, 64), (3, 1)):
        mean, log_var = 1 + _random(words, size), 0.5 + _random(words, size).abs()
        square, var = mean**2, log_var.exp()
        terms = 0.5 * (var + square - 1 - log_var)
        right = kl_divergence(Normal(mean, var.sqrt()), Normal(0.0, 1.0)).sum(dim=1)
        slips = [  # σ² misread, and log σ² either misread alike or right
            (0.5 * (taken + square - 1 - log).sum(dim=1), f"you used {slip}: σ² is exp(log_var)")
            for taken, slip in (
                (log_var, "log_var as if it were the variance"),
                (log_var**2, "log_var as if it were σ"),
                (var**2, "log_var as if it were log σ"),
                (var.sqrt(), "exp(log_var / 2), which is σ, as if it were σ²"),
            )
            for log in (taken.log(), log_var)
        ]
        slips += [
            (terms.mean(dim=1), "the KL is summed over the latent dimensions, not averaged"),
            (2 * right, "the factor ½ is missing"),
            (-right, "the sign is turned round: this is −KL, and a KL is never below 0"),
            (0.5 * (var + mean - 1 - log_var).sum(dim=1), "the mean has to be squared"),
            (0.5 * (var - 1 - log_var).sum(dim=1), "μ² is missing"),
            ((terms + 0.5).sum(dim=1), "the − 1 is missing"),
            ((terms + 0.5 * log_var).sum(dim=1), "− log σ² is missing"),
            ((terms + log_var).sum(dim=1), "log σ² has the wrong sign"),
            (right.sum(), "you summed over the words too: keep one KL a word, .sum(dim=1)"),
            (right.mean(), "you averaged over the words: keep one KL a word, .sum(dim=1)"),
            (terms.sum(dim=0), "you summed over the words (dim=0), not the dimensions (dim=1)"),
            (terms, "add up the latent dimensions of each word: .sum(dim=1)"),
        ]
        _compare(call(answer, mean, log_var), right, slips)
    zeros, narrow = torch.zeros(2, 3), torch.full((2, 3), -8.0)
    _compare(call(answer, zeros, zeros), torch.zeros(2), case=" (where q is the prior itself)")
    right = kl_divergence(Normal(zeros, (narrow / 2).exp()), Normal(0.0, 1.0)).sum(dim=1)
    _compare(call(answer, zeros, narrow), right, case=" (for a log variance below 0)")


# --- 1.4 reparameterise --------------------------------------------------------------------------


def reparameterize(mean: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
    return mean + torch.exp(log_var / 2) * noise


def _judge_reparameterize(answer: Any) -> None:
    for words, size in ((4, 3), (1, 64)):
        mean, log_var, noise = (_random(words, size) for _ in range(3))
        sigma = (log_var / 2).exp()
        no_noise = "ε is missing (the slip of the report's text): every z lies one σ off the mean"
        slips = (
            (mean + sigma, no_noise),
            (mean, "this is the mean alone: nothing is sampled"),
            (mean + sigma**2 * noise, "you multiplied by the variance: σ is exp(log_var / 2)"),
            (mean + log_var * noise, "log_var is not σ: σ is exp(log_var / 2)"),
            (mean + log_var / 2 * noise, "the exp is missing: σ is exp(log_var / 2)"),
            (mean + (log_var / 2 * noise).exp(), "the noise stands outside of the exp: σ · ε"),
            (mean + sigma * noise[:1], "all words share one ε: each row needs its own"),
            (mean + sigma * noise[:, :1], "all dimensions share one ε: each needs its own"),
            (sigma * noise, "the mean is missing: z = μ + σ ε"),
            (mean - sigma * noise, "the sign of ε is turned round: z = μ + σ ε"),
            (noise, "this is ε alone, a sample of the prior"),
            ((mean + sigma) * noise, "σ alone stretches the noise; μ is added afterwards"),
            (mean + sigma + noise, "σ multiplies the noise: z = μ + σ ε"),
        )
        result, again = (call(answer, mean, log_var, noise) for _ in range(2))
        if isinstance(result, Tensor) and isinstance(again, Tensor) and not close(result, again):
            raise NotYet("two calls gave two results: use `noise` as the ε, don't draw your own")
        _compare(result, mean + sigma * noise, slips)
    drawn = {"mean": (mean.clone().requires_grad_(), log_var)}
    drawn["log_var"] = (mean, log_var.clone().requires_grad_())
    for name, inputs in drawn.items():
        if not call(answer, *inputs, noise).requires_grad:
            raise NotYet(f"right, but {name} gets no gradient: leave out detach, .data, no_grad")
    large = torch.full((1, 2), 40.0)
    _compare(call(answer, large, -large, large), large, case=" (for a very small variance)")


# --- 1.5 the score-function gradient -------------------------------------------------------------


def score_function_gradient(
    f: Tensor, z: Tensor, mean: Tensor, log_var: Tensor
) -> tuple[Tensor, Tensor]:
    var = log_var.exp()
    for_mean = f * (z - mean) / var
    for_log_var = f * 0.5 * ((z - mean) ** 2 / var - 1)
    return for_mean, for_log_var


def _judge_score_function(answer: Any) -> None:
    names = ("the mean", "log_var")
    for count in (6, 1):
        f, z = 2 * _random(count), 3 * _random(count)
        mean, log_var = _random(), 0.7 + _random().abs()
        result = call(answer, f, z, mean, log_var)
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise NotYet(f"return two things, by mean and by log_var, not {describe(result)}")
        blank = [name for part, name in zip(result, names, strict=True) if is_blank(part)]
        if len(blank) == 2:
            raise NotAttempted
        own = [value.repeat(count).requires_grad_() for value in (mean, log_var)]  # one a sample
        log_q = Normal(own[0], (own[1] / 2).exp()).log_prob(z)
        scores = torch.autograd.grad(log_q.sum(), own)
        var, distance = log_var.exp(), z - mean
        for part, score, other, name in zip(result, scores, scores[::-1], names, strict=True):
            if name in blank:
                continue
            right = f * score
            slips: list[tuple[Tensor, str]] = [
                (f * other, "this is the other parameter's: return mean first, then log_var"),
                (-right, "the sign is turned round"),
                (score, "this is the slope of log q alone: multiply it with f"),
                (right.mean(), "don't average: return the estimate of each sample"),
                (f * distance / var.sqrt(), "z − μ is divided by the variance, not by σ"),
                (f * distance / log_var, "the variance is exp(log_var)"),
                (f * distance, "z − μ is not divided by the variance yet"),
                (2 * right, "a factor ½ is missing"),
                (right + f / 2, "the − 1 is missing: log q also holds −½ log σ²"),
                (right / var, "this is the slope by σ²; by log σ² it is σ² times that"),
                (2 * right / var.sqrt(), "this is the slope by σ; by log σ² it is σ/2 times that"),
            ]
            _compare(part, right, slips, f" (gradient for {name})")
        if blank:
            raise NotYet(f"one half is right; the gradient for {blank[0]} is still blank")


register(
    Exercise(
        "1.1", "The ELBO on the toy model", 2, _judge_elbo,
        hints=(
            "Line (6): the average of log p(x|z,c) with the weights q, minus KL(q‖prior).",
            "Both terms are sums of torch.xlogy(q, …); the KL is q's average of log q − log prior.",
        ),
        solution=toy.elbo,
        why="Both terms are averages under q, and neither needs the posterior or log p(x|c).",
    ),
    Exercise(
        "1.2", "Find the slips in the derivation", 2, _judge_slips,
        hints=(
            "Under what does each integral average? Whose parameters has each density (θ or φ)?",
            "In C two terms were added that must cancel: do they? In E, whose network is q?",
        ),
        solution='slips = {"C": 1, "E": 3}',
        why="In C the two added terms must cancel, so both average under q(Z|c); in E, q has φ.",
    ),
    Exercise(
        "1.3", "KL to the standard normal", 1, _judge_kl,
        hints=(
            "The formula for one dimension, added up over the dimensions of each word.",
            "σ² is log_var.exp(), log σ² is log_var, and the sum over dimensions .sum(dim=1).",
        ),
        solution=losses.kl_to_standard_normal,
        why="The dimensions are independent in q and in p, and KLs of independent parts add up.",
    ),
    Exercise(
        "1.4", "Reparameterise, and mend the report's slip", 2, _judge_reparameterize,
        hints=(
            "Stretch a sample of N(0, 1) by σ, shift it by μ: it is a sample of N(μ, σ²).",
            "σ is the square root of exp(log_var), so exp(log_var / 2); it multiplies the noise.",
        ),
        solution=reparameterize,
        why="The randomness comes from outside, so z has derivatives. Without ε the decoder meets "
        "each word at one point only, and never sees the rest of the cloud that q stands for.",
    ),
    Exercise(
        "1.5", "The score-function gradient", 3, _judge_score_function,
        hints=(
            "Write out log q(z) = −½ log 2π − ½ log σ² − (z − μ)²/(2σ²), and differentiate it.",
            "Only the last summand holds μ; two hold log σ². In these, write 1/σ² = exp(−log σ²).",
        ),
        solution=score_function_gradient,
        why="It needs no slope of f, so f may have jumps and z be discrete; the price is noise.",
    ),
)  # fmt: skip
