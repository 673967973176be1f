"""Exercises of notebook 01: the ELBO, the report's slips, the KL, and two gradient estimators."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Normal

from labkit import losses, toy
from labkit.exercises.core import Case, Draw, Exercise, register
from labkit.exercises.results import (
    NotAttempted,
    NotYet,
    Parts,
    TensorOf,
    describe,
    is_number,
    plain,
    short,
)

Wrong = Callable[..., Tensor]


def _shown(**arguments: Any) -> Case:
    """A small case that the messages show by its numbers, so that it can be tried at home."""
    values = ", ".join(f"{name} = {value}" for name, value in arguments.items())
    return Case(tuple(map(torch.tensor, arguments.values())), f"for {values}")


# 1.1: the solution is toy.elbo
def _distributions(draw: Draw, size: int) -> Case:
    q, prior = (torch.softmax(2 * draw.normal(size), dim=0) for _ in range(2))
    return Case((q, prior, torch.sigmoid(draw.normal(size))), f"for a q over {size} values of z")


def _elbo_cases(draw: Draw) -> list[Case]:
    with_zero = _shown(
        q=[0.7, 0.0, 0.299, 0.001], prior=[0.2, 0.3, 0.4, 0.1], likelihood=[0.1, 0.6, 0.3, 0.2]
    )
    return [
        _shown(q=[0.5, 0.3, 0.2], prior=[0.2, 0.7, 0.1], likelihood=[0.9, 0.1, 0.4]),
        *(_distributions(draw, size) for size in (7, 3, draw.randint(2, 6), 1)),
        with_zero._replace(label=f"{with_zero.label}, a q that contains a 0"),
    ]


def _fit(q: Tensor, likelihood: Tensor) -> Tensor:
    """The first term: log p(x|z,c), averaged with the weights q."""
    return torch.xlogy(q, likelihood).sum()


def _cross(q: Tensor, prior: Tensor) -> Tensor:
    """log p(z), averaged with the weights q."""
    return torch.xlogy(q, prior).sum()


def _posterior(prior: Tensor, likelihood: Tensor) -> Tensor:
    return prior * likelihood / (prior * likelihood).sum()


register(
    Exercise(
        id="1.1",
        title="The ELBO on the toy model",
        difficulty=2,
        starter="def elbo(q: Tensor, prior: Tensor, likelihood: Tensor) -> Tensor:\n"
        "    # first term: the average of log p(x | z, c) under q; second: KL(q || prior)\n"
        "    return ...",
        solution=toy.elbo,
        result=TensorOf("the ELBO", number=True),
        cases=_elbo_cases,
        slips={
            "you added the KL: a q far from the prior costs, so subtract it": (
                lambda q, p, x: _fit(q, x) + toy.kl(q, p)
            ),
            "your KL runs the other way: it averages log(q/p) under q": (
                lambda q, p, x: _fit(q, x) - toy.kl(p, q)
            ),
            "this is the first term alone: subtract KL(q‖prior)": lambda q, p, x: _fit(q, x),
            "this is the KL alone: the average of log p(x|z,c) is missing": (
                lambda q, p, x: -toy.kl(q, p)
            ),
            "this is KL(q‖prior) alone: it is subtracted from the average of log p(x|z,c)": (
                lambda q, p, x: toy.kl(q, p)
            ),
            "this is −ELBO, the loss: give the ELBO itself": lambda q, p, x: -toy.elbo(q, p, x),
            "average the log of p(x|z,c), don't log its mean": (
                lambda q, p, x: (q * x).sum().log() - toy.kl(q, p)
            ),
            "average the *log* of the likelihood": lambda q, p, x: (q * x).sum() - toy.kl(q, p),
            "weight each log p(x|z,c) with q, not with 1/K": (
                lambda q, p, x: x.log().mean() - toy.kl(q, p)
            ),
            "weight each log p(x|z,c) with q": lambda q, p, x: x.log().sum() - toy.kl(q, p),
            "average log p(x|z,c) under q, not the prior": (
                lambda q, p, x: _fit(p, x) - toy.kl(q, p)
            ),
            "this is log p(x|c) itself, without any q: the ELBO is below it": (
                lambda q, p, x: (p * x).sum().log()
            ),
            "− log q is missing: KL(q‖prior) is q's mean of log(q/p)": (
                lambda q, p, x: _fit(q, x) + _cross(q, p)
            ),
            "log prior is missing: KL(q‖prior) is q's mean of log q − log prior": (
                lambda q, p, x: _fit(q, x) - torch.xlogy(q, q).sum()
            ),
            "log q has the wrong sign: the KL is q's mean of log q − log prior": (
                lambda q, p, x: _fit(q, x) + _cross(q, p) + torch.xlogy(q, q).sum()
            ),
            "log prior has the wrong sign: the KL is q's mean of log q − log prior": (
                lambda q, p, x: _fit(q, x) - _cross(q, p) - torch.xlogy(q, q).sum()
            ),
            "this KL is to the posterior, the one in (6) is to the prior": (
                lambda q, p, x: _fit(q, x) - toy.kl(q, _posterior(p, x))
            ),
            "these are bits: use the natural logarithm, for nats": (
                lambda q, p, x: toy.elbo(q, p, x) / math.log(2)
            ),
            "log10 is another unit: use the natural logarithm, for nats": (
                lambda q, p, x: toy.elbo(q, p, x) / math.log(10)
            ),
            "sum over z: the ELBO of a word is one number": (
                lambda q, p, x: torch.xlogy(q, p * x) - torch.xlogy(q, q)
            ),
            "q holds the weights of both averages: sum, for .mean() divides by K as well": (
                lambda q, p, x: toy.elbo(q, p, x) / len(q)
            ),
            "the first term is divided by K: q holds the weights, so .sum(), not .mean()": (
                lambda q, p, x: _fit(q, x) / len(q) - toy.kl(q, p)
            ),
            'the KL is divided by K: .sum(), not .mean(); F.kl_div wants reduction="sum"': (
                lambda q, p, x: _fit(q, x) - toy.kl(q, p) / len(q)
            ),
            "the KL counts half: its weight in the ELBO is 1": (
                lambda q, p, x: _fit(q, x) - toy.kl(q, p) / 2
            ),
            "an ε of 0.001 inside of the log of q is felt; torch.xlogy needs none": (
                lambda q, p, x: (q * (p * x / (q + 1e-3)).log()).sum()
            ),
            "an ε of 0.001 inside of the logs is felt; torch.xlogy needs none": (
                lambda q, p, x: (q * ((x + 1e-3).log() + (p + 1e-3).log() - (q + 1e-3).log())).sum()
            ),
            "the last value of z is lost": lambda q, p, x: toy.elbo(q[:-1], p[:-1], x[:-1]),
            "F.kl_div wants the *log* of its first argument": (
                lambda q, p, x: _fit(q, x) - torch.xlogy(q, q).sum() + (q * p).sum()
            ),
            "weight each log(q/prior) with q": lambda q, p, x: _fit(q, x) - (q / p).log().sum(),
            "weight each log(q/prior) with q, not with 1/K": (
                lambda q, p, x: _fit(q, x) - (q / p).log().mean()
            ),
            "0 · log 0 is nan where q is 0: torch.xlogy(a, b) counts it as 0": (
                lambda q, p, x: (q * (p * x / q).log()).sum()
            ),
            "nan_to_num came too late: the term where q is 0 should be 0, not the whole sum": (
                lambda q, p, x: (q * (p * x / q).log()).sum().nan_to_num()
            ),
        },
        hints=(
            "Line (6): the average of log p(x|z,c) with the weights q, minus KL(q‖prior).",
            "Both terms are sums of torch.xlogy(q, …); the KL is q's average of log q − log prior.",
        ),
        why="Both terms are averages under q, and neither needs the posterior or log p(x|c).",
    )
)


# 1.2
_CURES = (
    "an average is taken under the wrong q",
    "a term has the wrong sign",
    "a density has the other network's parameters",
    "a log belongs outside of its average",
    "an average has to be taken under the prior",
)


def _letters(text: str) -> str:
    return re.sub("[^a-z]", "", text.lower())


def _read_line(key: Any) -> str:
    """The letter of a line, of whatever way of writing it: "C", " c", "line C:"."""
    found = re.fullmatch(r"(?:LINE)?\W*([A-F])\W*", key.strip().upper()) if _is_text(key) else None
    if found is None:
        order = ", and a line comes before its cure" if is_number(plain(key)) else ""
        raise NotYet(f"{short(key)} is no line: the lines are A to F{order}")
    return found[1]


def _read_cure(value: Any, line: str) -> int:
    """The number of a cure, of whatever way of writing it: 1, 1.0, "1.", [1], its text."""
    if value is ...:
        raise NotAttempted
    if isinstance(value, list | tuple | set) and len(value) == 1:
        [value] = value
    cure = plain(value)
    if _is_text(cure):
        texts = [_letters(text) for text in _CURES]
        numbers = re.findall(r"-?\d+(?:\.\d+)?", cure)
        if _letters(cure) in texts:
            cure = texts.index(_letters(cure)) + 1
        elif len(numbers) == 1:
            cure = float(numbers[0])
    if not is_number(cure) or cure not in range(1, len(_CURES) + 1):
        raise NotYet(f"the cure of line {line} should be a number, 1 to 5, not {describe(value)}")
    return int(cure)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


class _LinesAndCures:
    """A dictionary of lines and their cures, of which the first wrong pair counts.

    It is read as that pair alone: whatever else the dictionary holds, one slip tells about it. The
    cure of a sound line makes no difference, and is read as 0.
    """

    def read(self, value: Any, right: dict[str, int]) -> dict[str, int]:
        if not isinstance(value, dict):
            raise NotYet(f'expected a dictionary such as {{"A": 4, "B": 2}}, not {describe(value)}')
        found: dict[str, int] = {}
        for key, cure in value.items():
            line = _read_line(key)
            number = _read_cure(cure, line)
            if found.setdefault(line, number) != number:
                raise NotYet(f"line {line} stands there twice, with different cures: give it one")
        for line, number in found.items():
            if line not in right:
                return {line: 0}
            if number != right[line]:
                return {line: number}
        return found

    def same(self, a: dict[str, int], b: dict[str, int]) -> bool:
        return a == b

    def show(self, got: dict[str, int], right: dict[str, int]) -> str:
        for line, cure in got.items():
            if line not in right:
                return f"line {line} is sound"
            if cure != right[line]:
                return f"line {line} does have a slip, but cure {cure} does not mend it"
        found = f"line {next(iter(got))} and its cure are right; " if got else ""
        return f"{found}two of the six lines have a slip, one each"


register(
    Exercise(
        id="1.2",
        title="Find the slips in the derivation",
        difficulty=2,
        starter="slips = ...",
        solution=lambda: {"C": 1, "E": 3},
        shown='slips = {"C": 1, "E": 3}',
        answer_is_value=True,
        result=_LinesAndCures(),
        slips={
            "it is the chain rule p(X,Z|c) = p(Z|X,c) · p(X|c), in logs": lambda: {"A": 4},
            "log p(X|c) holds no Z, so averaging over any q leaves it as it is": lambda: {"B": 1},
            "it takes the four terms in pairs, and the second pair is a KL by definition": (
                lambda: {"D": 2}
            ),
            "it joins the last two terms of a corrected line E to a KL": lambda: {"F": 2},
            "the signs are right, since what the second term takes away the third gives back": (
                lambda: {"C": 2}
            ),
            "each p has the parameters θ of the generative model, as it should": lambda: {"C": 3},
            "all four logs stand inside of their averages, as in line B": lambda: {"C": 4},
            "nothing is averaged under the prior here": lambda: {"C": 5},
            "its average is under the encoder's q, with the encoder's φ": lambda: {"E": 1},
            "the signs are those of log(p(X,Z|c) / q)": lambda: {"E": 2},
            "the logs stand inside of the average, as in 𝓛 above": lambda: {"E": 4},
            "𝓛 averages under q, and the prior comes in by its log": lambda: {"E": 5},
        },
        hints=(
            "Under what does each integral average? Whose parameters has each density (θ or φ)?",
            "In C two terms were added that must cancel: do they? In E, whose network is q?",
        ),
        why="In C the two added terms must cancel, so both average under q(Z|c); in E, q has φ.",
    )
)


# 1.3: the solution is losses.kl_to_standard_normal
def _misreckoned(
    *,
    var: Callable[[Tensor], Tensor] = torch.exp,
    mean: Callable[[Tensor], Tensor] = torch.square,
    one: float = 1.0,
    log: Callable[[Tensor], Tensor] = lambda log_var: log_var,
    total: Callable[[Tensor], Tensor] = lambda terms: terms.sum(dim=1),
) -> Wrong:
    """A wrong solution to 1.3: some part of the right one replaced."""
    return lambda m, log_var: total(0.5 * (var(log_var) + mean(m) - one - log(log_var)))


def _nothing(value: Tensor) -> Tensor:
    return torch.zeros_like(value)


def _kl_cases(draw: Draw) -> list[Case | tuple[Tensor, Tensor]]:
    return [
        # log_var is above 0 here, where a slip that takes its root or log gives numbers too
        _shown(
            mean=[[1.0, -2.0, 0.5], [3.0, 0.2, -1.0]], log_var=[[0.5, 1.2, 2.0], [0.3, 1.0, 0.8]]
        ),
        (1 + draw.normal(5, 4), draw.normal(5, 4)),
        (draw.normal(1, 64), draw.normal(1, 64)),
        (draw.normal(3, 1), 2 * draw.normal(3, 1)),
        Case((torch.zeros(2, 3), torch.zeros(2, 3)), "where q is the prior itself"),
        Case((torch.zeros(2, 3), torch.full((2, 3), -8.0)), "for a log variance below 0"),
        Case((torch.zeros(2, 3), torch.full((2, 3), 8.0)), "for a large log variance"),
    ]


register(
    Exercise(
        id="1.3",
        title="KL to the standard normal",
        difficulty=1,
        starter="def kl_to_standard_normal(mean: Tensor, log_var: Tensor) -> Tensor:\n"
        "    return ...",
        solution=losses.kl_to_standard_normal,
        result=TensorOf("the KL"),
        cases=_kl_cases,
        slips={
            "log_var is used as if it were the variance: σ² is exp(log_var)": _misreckoned(
                var=lambda v: v, log=torch.log
            ),
            "σ² and log σ² are two things here: exp(log_var) and log_var": _misreckoned(
                var=lambda v: v
            ),
            "log_var is used as if it were σ: σ² is exp(log_var)": _misreckoned(
                var=torch.square, log=lambda v: v.square().log()
            ),
            "log_var² stands where σ² should: σ² is exp(log_var)": _misreckoned(var=torch.square),
            "log_var is used as if it were log σ: σ² is exp(log_var)": _misreckoned(
                var=lambda v: (2 * v).exp(), log=lambda v: 2 * v
            ),
            "exp(log_var)² stands where σ² should: exp(log_var) is σ² already": _misreckoned(
                var=lambda v: (2 * v).exp()
            ),
            "exp(log_var / 2) and log_var / 2 are σ and log σ: σ² and log σ² are asked": (
                _misreckoned(var=lambda v: (v / 2).exp(), log=lambda v: v / 2)
            ),
            "exp(log_var / 2) is σ: σ² is exp(log_var)": _misreckoned(var=lambda v: (v / 2).exp()),
            "log_var / 2 is log σ: log σ² is log_var": _misreckoned(log=lambda v: v / 2),
            "log_var is the log already, so no .log() of it": _misreckoned(log=torch.log),
            "the KL is summed over the latent dimensions, not averaged": _misreckoned(
                total=lambda terms: terms.mean(dim=1)
            ),
            "the factor ½ is missing": _misreckoned(total=lambda terms: 2 * terms.sum(dim=1)),
            "the factor is ½, and there twice": _misreckoned(
                total=lambda terms: terms.sum(dim=1) / 2
            ),
            "the sign is turned round: this is −KL, and a KL is never below 0": _misreckoned(
                total=lambda terms: -terms.sum(dim=1)
            ),
            "the mean has to be squared": _misreckoned(mean=lambda mean: mean),
            "the mean has to be squared, not made positive": _misreckoned(mean=torch.abs),
            "μ² is missing": _misreckoned(mean=_nothing),
            "μ² has the wrong sign": _misreckoned(mean=lambda mean: -(mean**2)),
            "σ² is missing": _misreckoned(var=_nothing),
            "σ² has the wrong sign": _misreckoned(var=lambda v: -v.exp()),
            "the − 1 is missing": _misreckoned(one=0.0),
            "the − 1 has the wrong sign": _misreckoned(one=-1.0),
            "the − 1 belongs to every dimension, so inside of the sum": (
                lambda mean, v: 0.5 * ((v.exp() + mean**2 - v).sum(dim=1) - 1)
            ),
            "the ½ belongs to all four terms": lambda mean, v: (v.exp() / 2 + mean**2 - 1 - v).sum(
                dim=1
            ),
            "square each μ before you add them up": lambda mean, v: (
                0.5 * (mean.sum(dim=1) ** 2 + (v.exp() - 1 - v).sum(dim=1))
            ),
            "− log σ² is missing": _misreckoned(log=_nothing),
            "log σ² has the wrong sign": _misreckoned(log=torch.neg),
            "this is the KL the other way, from N(0, 1) to q": (
                lambda mean, v: 0.5 * ((1 + mean**2) / v.exp() - 1 + v).sum(dim=1)
            ),
            "these are bits: the formula gives nats as it is": _misreckoned(
                total=lambda terms: terms.sum(dim=1) / math.log(2)
            ),
            "you summed or averaged over the words too: keep one KL a word, .sum(dim=1)": (
                _misreckoned(total=torch.sum)
            ),
            "you summed over the words (dim=0), not the dimensions (dim=1)": _misreckoned(
                total=lambda terms: terms.sum(dim=0)
            ),
            "add up the latent dimensions of each word: .sum(dim=1)": _misreckoned(
                total=lambda terms: terms
            ),
            "leave keepdim out": _misreckoned(total=lambda terms: terms.sum(dim=1, keepdim=True)),
            "for a single word a dimension is lost: leave out squeeze": _misreckoned(
                total=lambda terms: terms.sum(dim=1).squeeze()
            ),
            "each word's KL is divided by the number of words": _misreckoned(
                total=lambda terms: terms.sum(dim=1) / len(terms)
            ),
            "all words get their mean: keep each word's own": _misreckoned(
                total=lambda terms: terms.sum(dim=1).mean().expand(len(terms))
            ),
            "mean and log_var have changed places": lambda mean, v: losses.kl_to_standard_normal(
                v, mean
            ),
        },
        must_pass_gradients=("mean", "log_var"),
        hints=(
            "The formula for one dimension, added up over the dimensions of each word.",
            "σ² is log_var.exp(), log σ² is log_var, and the sum over dimensions .sum(dim=1).",
        ),
        why="The dimensions are independent in q and in p, and KLs of independent parts add up.",
    )
)


# 1.4
def reparameterize(mean: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
    return mean + torch.exp(log_var / 2) * noise


def _scaled_by(scale: Callable[[Tensor], Tensor]) -> Wrong:
    """A wrong solution to 1.4 that takes something else for σ."""
    return lambda mean, log_var, noise: mean + scale(log_var) * noise


def _with_noise(other: Callable[[Tensor], Tensor]) -> Wrong:
    """A wrong solution to 1.4 that takes something else for ε."""
    return lambda mean, log_var, noise: reparameterize(mean, log_var, other(noise))


def _of_a_fixed_seed(noise: Tensor) -> Tensor:
    torch.manual_seed(0)
    return torch.randn(noise.shape)


def _reparameterize_cases(draw: Draw) -> list[Case | tuple[Tensor, Tensor, Tensor]]:
    large = torch.full((1, 2), 40.0)
    return [
        # log_var is above 0 here, where a slip that takes its root gives numbers too
        _shown(
            mean=[[1.0, -2.0], [0.5, 3.0]],
            log_var=[[0.4, 1.0], [2.0, 0.7]],
            noise=[[0.6, -1.5], [3.2, 0.3]],
        ),
        (draw.normal(8, 3), draw.normal(8, 3), draw.normal(8, 3)),
        (draw.normal(2, 2), draw.normal(2, 2), draw.normal(2, 2)),
        (draw.normal(1, 64), 2 * draw.normal(1, 64), draw.normal(1, 64)),
        Case((large, -large, large / 20), "for a very small variance"),
    ]


register(
    Exercise(
        id="1.4",
        title="Reparameterise, and mend the report's slip",
        difficulty=2,
        starter="def reparameterize(mean: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:\n"
        "    return ...",
        solution=reparameterize,
        result=TensorOf("z"),
        cases=_reparameterize_cases,
        slips={
            "ε is missing (the slip of the report's text): every z lies one σ off the mean": (
                _with_noise(torch.ones_like)
            ),
            "this is the mean alone: nothing is sampled": lambda mean, log_var, noise: mean,
            "you multiplied by the variance: σ is exp(log_var / 2)": _scaled_by(torch.exp),
            "log_var is not σ: σ is exp(log_var / 2)": _scaled_by(lambda v: v),
            "the exp is missing: σ is exp(log_var / 2)": _scaled_by(lambda v: v / 2),
            "the ½ belongs inside of the exp: σ is exp(log_var / 2)": _scaled_by(
                lambda v: v.exp() / 2
            ),
            "log_var is halved, not doubled, in σ = exp(log_var / 2)": _scaled_by(
                lambda v: (2 * v).exp()
            ),
            "this is 1/σ: σ is exp(log_var / 2), without a minus": _scaled_by(
                lambda v: (-v / 2).exp()
            ),
            "log_var may be below 0, where it has no square root: σ is exp(log_var / 2)": (
                _scaled_by(torch.sqrt)
            ),
            "log_var may be below 0: the root is taken of the variance, exp(log_var)": _scaled_by(
                lambda v: v.sqrt().exp()
            ),
            "σ is missing: ε is stretched by σ, exp(log_var / 2)": _scaled_by(torch.ones_like),
            "the noise stands outside of the exp: σ · ε": (
                lambda mean, log_var, noise: mean + (log_var / 2 * noise).exp()
            ),
            "σ multiplies the noise: z = μ + σ ε": (
                lambda mean, log_var, noise: mean + (log_var / 2).exp() + noise
            ),
            "σ alone stretches the noise; μ is added afterwards": (
                lambda mean, log_var, noise: (mean + (log_var / 2).exp()) * noise
            ),
            "σ stretches the noise alone; μ is added afterwards, as it is": (
                lambda mean, log_var, noise: (mean + noise) * (log_var / 2).exp()
            ),
            "μ and σ have changed places: z = μ + σ ε": (
                lambda mean, log_var, noise: mean * noise + (log_var / 2).exp()
            ),
            "σ stretches the noise, not μ: z = μ + σ ε": (
                lambda mean, log_var, noise: mean * (log_var / 2).exp() + noise
            ),
            "the mean is missing: z = μ + σ ε": (
                lambda mean, log_var, noise: (log_var / 2).exp() * noise
            ),
            "the sign of ε is turned round: z = μ + σ ε": _with_noise(torch.neg),
            "this is ε alone, a sample of the prior": lambda mean, log_var, noise: noise,
            "all words share one ε: each row needs its own": _with_noise(lambda noise: noise[:1]),
            "all dimensions share one ε: each needs its own": _with_noise(
                lambda noise: noise[:, :1]
            ),
            "all words and dimensions share one ε, a mean: each needs its own": _with_noise(
                torch.mean
            ),
            "ε may be below 0, and stays so": _with_noise(torch.abs),
            "ε is not squared": _with_noise(torch.square),
            "for a single word a dimension is lost: leave out squeeze": (
                lambda mean, log_var, noise: reparameterize(mean, log_var, noise).squeeze()
            ),
            "this ε is not the one that you were given: use `noise`, don't draw your own": (
                _with_noise(torch.randn_like)
            ),
            "this ε is uniform, from 0 to 1, and your own: use `noise`": _with_noise(
                torch.rand_like
            ),
            "this ε is drawn by numpy: use `noise`, don't draw your own": _with_noise(
                lambda noise: torch.tensor(np.random.randn(*noise.shape))  # noqa: NPY002
            ),
            "this ε is drawn from a seed of your own, the same in every call: use `noise`": (
                _with_noise(_of_a_fixed_seed)
            ),
        },
        must_pass_gradients=("mean", "log_var"),
        hints=(
            "Stretch a sample of N(0, 1) by σ, shift it by μ: it is a sample of N(μ, σ²).",
            "σ is the square root of exp(log_var), so exp(log_var / 2); it multiplies the noise.",
        ),
        why="The randomness comes from outside, so z has derivatives. Without ε the decoder meets "
        "each word at one point only, and never sees the rest of the cloud that q stands for.",
    )
)


# 1.5
def score_function_gradient(
    f: Tensor, z: Tensor, mean: Tensor, log_var: Tensor
) -> tuple[Tensor, Tensor]:
    var = log_var.exp()
    for_mean = f * (z - mean) / var
    for_log_var = f * 0.5 * ((z - mean) ** 2 / var - 1)
    return for_mean, for_log_var


class _OneAfterTheOther(Parts):
    """Parts of which the first wrong one counts: a slip is told whatever the other one is."""

    def read(self, value: Any, right: Any) -> Any:
        found, wanted = super().read(value, right), super().read(right, right)
        for place, kind in enumerate(self.kinds):
            if found[place] is not ... and not kind.same(found[place], wanted[place]):
                return [*wanted[:place], found[place], *wanted[place + 1 :]]
        return found


def _by_hand(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call it where tensors record nothing: the exercise asks for no autograd."""
    with torch.inference_mode():
        return function(*arguments)


def _in_mean(wrong: Wrong) -> Callable[..., tuple[Tensor, Tensor]]:
    """A wrong solution to 1.5, in its first half: of f, z − mean, log_var."""
    return lambda f, z, mean, log_var: (
        wrong(f, z - mean, log_var),
        score_function_gradient(f, z, mean, log_var)[1],
    )


def _in_log_var(wrong: Wrong) -> Callable[..., tuple[Tensor, Tensor]]:
    """A wrong solution to 1.5, in its second half: of f, z − mean, log_var."""
    return lambda f, z, mean, log_var: (
        score_function_gradient(f, z, mean, log_var)[0],
        wrong(f, z - mean, log_var),
    )


def _mean_score(distance: Tensor, log_var: Tensor) -> Tensor:
    return distance / log_var.exp()


def _log_var_score(distance: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (distance**2 / log_var.exp() - 1)


def _log_q(distance: Tensor, log_var: Tensor) -> Tensor:
    return Normal(0.0, (log_var / 2).exp()).log_prob(distance)


_MEAN_SLIPS = {
    "this is the other parameter's: return mean first, then log_var": _in_mean(
        lambda f, d, v: f * _log_var_score(d, v)
    ),
    "the sign is turned round: where z lies above μ, log q rises with μ": _in_mean(
        lambda f, d, v: -f * _mean_score(d, v)
    ),
    "this is the slope of log q alone: multiply it with f": _in_mean(
        lambda f, d, v: _mean_score(d, v)
    ),
    "z − μ is divided by the variance, not by σ": _in_mean(lambda f, d, v: f * d / (v / 2).exp()),
    "z − μ is divided by the variance once, not twice": _in_mean(
        lambda f, d, v: f * d / (2 * v).exp()
    ),
    "the variance is exp(log_var)": _in_mean(lambda f, d, v: f * d / v),
    "z − μ is not divided by the variance yet": _in_mean(lambda f, d, v: f * d),
    "z − μ is divided by the variance, not multiplied": _in_mean(lambda f, d, v: f * d * v.exp()),
    "½ · 2 is 1: the ½ goes when the square is differentiated": _in_mean(
        lambda f, d, v: f * _mean_score(d, v) / 2
    ),
    "½ · 2 is 1: the 2 of the square goes with the ½ before it": _in_mean(
        lambda f, d, v: f * _mean_score(d, v) * 2
    ),
    "the slope of (z − μ)² is no longer squared": _in_mean(lambda f, d, v: f * d**2 / v.exp()),
    "this is f · log q: take the slope of log q": _in_mean(lambda f, d, v: f * _log_q(d, v)),
    "μ is not subtracted yet": lambda f, z, mean, log_var: (
        f * z / log_var.exp(),
        score_function_gradient(f, z, mean, log_var)[1],
    ),
    "don't divide by N: return the estimate of each sample": _in_mean(
        lambda f, d, v: f * _mean_score(d, v) / len(f)
    ),
    "don't average or add up: return the estimate of each sample": _in_mean(
        lambda f, d, v: (f * _mean_score(d, v)).mean()
    ),
    "f minus its mean has less noise, but f alone is asked": _in_mean(
        lambda f, d, v: (f - f.mean()) * _mean_score(d, v)
    ),
}
_LOG_VAR_SLIPS = {
    "this is the mean's gradient once more": _in_log_var(lambda f, d, v: f * _mean_score(d, v)),
    "the sign is turned round: where z lies far off, log q rises with log σ²": _in_log_var(
        lambda f, d, v: -f * _log_var_score(d, v)
    ),
    "this is the slope of log q alone: multiply it with f, as for the mean": _in_log_var(
        lambda f, d, v: _log_var_score(d, v)
    ),
    "a factor ½ is missing": _in_log_var(lambda f, d, v: f * (d**2 / v.exp() - 1)),
    "the ½ is there twice": _in_log_var(lambda f, d, v: f * _log_var_score(d, v) / 2),
    "the ½ belongs to the − 1 too": _in_log_var(lambda f, d, v: f * (d**2 / v.exp() / 2 - 1)),
    "the ½ belongs to the square too": _in_log_var(lambda f, d, v: f * (d**2 / v.exp() - 0.5)),
    "the − 1 is missing: log q also holds −½ log σ²": _in_log_var(
        lambda f, d, v: f * d**2 / v.exp() / 2
    ),
    "the − 1 has the wrong sign: log q holds −½ log σ²": _in_log_var(
        lambda f, d, v: f * 0.5 * (d**2 / v.exp() + 1)
    ),
    "f belongs to both: it multiplies the − ½ too": _in_log_var(
        lambda f, d, v: f * d**2 / v.exp() / 2 - 0.5
    ),
    "f and ½ belong to both: they multiply the − 1 too": _in_log_var(
        lambda f, d, v: f * d**2 / v.exp() / 2 - 1
    ),
    "this is the −½ alone: log q's last summand holds log σ² too": _in_log_var(
        lambda f, d, v: -f / 2
    ),
    "the square has the wrong sign: the slope of −exp(−log σ²) is +exp(−log σ²)": _in_log_var(
        lambda f, d, v: f * 0.5 * (-(d**2) / v.exp() - 1)
    ),
    "(z − μ)² is not z² − μ²": lambda f, z, mean, log_var: (
        score_function_gradient(f, z, mean, log_var)[0],
        f * 0.5 * ((z**2 - mean**2) / log_var.exp() - 1),
    ),
    "μ is not subtracted, here either": lambda f, z, mean, log_var: (
        score_function_gradient(f, z, mean, log_var)[0],
        f * 0.5 * (z**2 / log_var.exp() - 1),
    ),
    "z − μ is not squared": _in_log_var(lambda f, d, v: f * 0.5 * (d / v.exp() - 1)),
    "(z − μ)² is not divided by the variance yet": _in_log_var(
        lambda f, d, v: f * 0.5 * (d**2 - 1)
    ),
    "(z − μ)² is divided by the variance, not by σ": _in_log_var(
        lambda f, d, v: f * 0.5 * (d**2 / (v / 2).exp() - 1)
    ),
    "(z − μ)² is divided by the variance once, not twice": _in_log_var(
        lambda f, d, v: f * 0.5 * (d**2 / (2 * v).exp() - 1)
    ),
    "the variance is exp(log_var), here as well": _in_log_var(
        lambda f, d, v: f * 0.5 * (d**2 / v - 1)
    ),
    "this is the slope by σ²; by log σ² it is σ² times that": _in_log_var(
        lambda f, d, v: f * _log_var_score(d, v) / v.exp()
    ),
    "this is the slope by σ; by log σ² it is σ/2 times that": _in_log_var(
        lambda f, d, v: 2 * f * _log_var_score(d, v) / (v / 2).exp()
    ),
    "this is f · log q itself: take its slope by log_var": _in_log_var(
        lambda f, d, v: f * _log_q(d, v)
    ),
    "don't divide by N here either: return the estimate of each sample": _in_log_var(
        lambda f, d, v: f * _log_var_score(d, v) / len(f)
    ),
    "don't average or add up here either: return the estimate of each sample": _in_log_var(
        lambda f, d, v: (f * _log_var_score(d, v)).mean()
    ),
    "f minus its mean has less noise, but f alone is asked, here as well": _in_log_var(
        lambda f, d, v: (f - f.mean()) * _log_var_score(d, v)
    ),
}


def _score_cases(draw: Draw) -> list[Case | tuple[Tensor, ...]]:
    return [
        _shown(f=[1.5, -2.0, 4.0], z=[0.5, 3.0, -1.0], mean=-0.8, log_var=0.6),
        (2 * draw.normal(6), 3 * draw.normal(6), draw.normal(), 2 + draw.normal().abs()),
        (2 * draw.normal(5), draw.normal(5), draw.normal(), -2 - draw.normal().abs()),
        (2 * draw.normal(1), 3 * draw.normal(1), draw.normal(), draw.normal()),
        (2 * draw.normal(3), 3 * draw.normal(3), draw.normal(), draw.normal()),
    ]


_BY_HAND = ". Do it by hand: autograd is switched off while this is judged"

register(
    Exercise(
        id="1.5",
        title="The score-function gradient",
        difficulty=3,
        starter="def score_function_gradient(\n"
        "    f: Tensor, z: Tensor, mean: Tensor, log_var: Tensor\n"
        ") -> tuple[Tensor, Tensor]:\n"
        "    # derive log q(z) by mean and by log_var; then multiply each with f\n"
        "    for_mean = ...\n"
        "    for_log_var = ...\n"
        "    return for_mean, for_log_var",
        solution=score_function_gradient,
        result=_OneAfterTheOther(
            "by mean and by log_var",
            TensorOf("the gradient for the mean"),
            TensorOf("the gradient for log_var"),
        ),
        cases=_score_cases,
        slips=_MEAN_SLIPS | _LOG_VAR_SLIPS,
        call=_by_hand,
        errors={"require grad": _BY_HAND, "requires_grad": _BY_HAND, "nference tensor": _BY_HAND},
        hints=(
            "Write out log q(z) = −½ log 2π − ½ log σ² − (z − μ)²/(2σ²), and differentiate it.",
            "Only the last summand holds μ; two hold log σ². In these, write 1/σ² = exp(−log σ²).",
        ),
        why="It needs no slope of f, so f may have jumps and z be discrete; the price is noise.",
    )
)
