"""Answers to the exercises of notebook 01."""

import math
from collections import OrderedDict
from fractions import Fraction

import numpy as np
import torch
from torch.distributions import Categorical, Normal, kl_divergence
from torch.nn import functional as F

from labkit import losses, toy
from labkit.exercises import nb01

# 1.1


def with_a_loop(q, prior, likelihood):
    total = 0.0
    for weight, before, fits in zip(q.tolist(), prior.tolist(), likelihood.tolist(), strict=True):
        if weight > 0:
            total += weight * (math.log(fits) - math.log(weight / before))
    return total


def with_numpy(q, prior, likelihood):
    q, prior, likelihood = q.numpy(), prior.numpy(), likelihood.numpy()
    some = q > 0
    return (q[some] * np.log(likelihood[some] * prior[some] / q[some])).sum()


def with_a_mask(q, prior, likelihood):
    some = q > 0
    q, joint = q[some], (prior * likelihood)[some]
    return q @ (joint / q).log()


def with_epsilon(q, prior, likelihood):
    return (q * (likelihood.log() + prior.log() - (q + 1e-20).log())).sum()


def with_kl_div(q, prior, likelihood):
    return torch.xlogy(q, likelihood).sum() - F.kl_div(prior.log(), q, reduction="sum")


def with_distributions(q, prior, likelihood):
    kl = kl_divergence(Categorical(probs=q), Categorical(probs=prior))
    return torch.xlogy(q, likelihood).sum() - kl


def from_the_posterior(q, prior, likelihood):
    joint = prior * likelihood
    return joint.sum().log() - toy.kl(q, joint / joint.sum())


def with_nan_to_num_of_the_terms(q, prior, likelihood):
    return (q * (prior * likelihood / q).log()).nan_to_num().sum()


def in_place_on_copies(q, prior, likelihood):
    terms = likelihood.clone().mul_(prior)
    return torch.xlogy(q, terms).sub_(torch.xlogy(q, q)).sum()


def in_place(q, prior, likelihood):
    elbo = toy.elbo(q.clone(), prior, likelihood)
    likelihood.log_()
    likelihood *= q
    return elbo


def drops_the_first_term(q, prior, likelihood):
    return toy.elbo(q[1:], prior[1:], likelihood[1:])


def normalizes_without_zeros(q, prior, likelihood):
    q = q.clamp(min=0.05)
    return toy.elbo(q / q.sum(), prior, likelihood)


# 1.3


def summed_in_a_loop(mean, log_var):
    total = torch.zeros(len(mean))
    for column in range(mean.shape[1]):
        m, v = mean[:, column], log_var[:, column]
        total = total + (v.exp() + m * m - 1 - v) / 2
    return total


def word_by_word(mean, log_var):
    pairs = zip(mean, log_var, strict=True)
    return torch.stack([-0.5 * (1 + v - m.pow(2) - torch.exp(v)).sum() for m, v in pairs])


def by_torch(mean, log_var):
    return kl_divergence(Normal(mean, (log_var / 2).exp()), Normal(0.0, 1.0)).sum(-1)


def by_einsum(mean, log_var):
    terms = log_var.exp() + mean**2 - 1 - log_var
    return torch.einsum("bz->b", terms) * 0.5


def in_doubles(mean, log_var):
    return losses.kl_to_standard_normal(mean.double(), log_var.double())


def in_place_on_a_copy(mean, log_var):
    terms = log_var.exp() + mean**2
    terms -= 1
    terms -= log_var
    return terms.sum(dim=1).mul_(0.5)


def in_place_where_a_gradient_passes(mean, log_var):
    terms = log_var.clone().exp_()
    return terms.add_(mean**2).sub_(1).sub_(log_var).sum(dim=1).mul_(0.5)


def kl_of_floats(mean, log_var):
    rows = zip(mean.tolist(), log_var.tolist(), strict=True)
    return torch.tensor(
        [
            sum(0.5 * (math.exp(v) + m * m - 1 - v) for m, v in zip(*row, strict=True))
            for row in rows
        ]
    )


def kl_of_numpy(mean, log_var):
    m, v = mean.numpy(), log_var.numpy()
    return torch.from_numpy(0.5 * (np.exp(v) + m**2 - 1 - v).sum(axis=1))


def kl_in_place(mean, log_var):
    kl = losses.kl_to_standard_normal(mean, log_var)
    mean.pow_(2)
    return kl


def kl_in_place_of_log_var(mean, log_var):
    before = log_var.clone()
    log_var.exp_()
    return 0.5 * (log_var + mean**2 - 1 - before).sum(dim=1)


def sampled_kl(mean, log_var):
    q, p = Normal(mean, (log_var / 2).exp()), Normal(0.0, 1.0)
    z = q.sample((1000,))
    return (q.log_prob(z) - p.log_prob(z)).mean(dim=0).sum(dim=1)


# 1.4


def by_root(mean, log_var, noise):
    return torch.sqrt(log_var.exp()) * noise + mean


def row_by_row(mean, log_var, noise):
    rows = zip(mean, log_var, noise, strict=True)
    return torch.stack([m + e * torch.exp(0.5 * v) for m, v, e in rows])


def by_affine(mean, log_var, noise):
    return torch.addcmul(mean, torch.exp(log_var).pow(0.5), noise)


def on_a_copy(mean, log_var, noise):
    z = noise.clone()
    z *= log_var.mul(0.5).exp()
    z += mean
    return z


def into_the_noise(mean, log_var, noise):
    noise *= (log_var / 2).exp()
    noise += mean
    return noise


def into_the_mean(mean, log_var, noise):
    mean += (log_var / 2).exp() * noise
    return mean


def secretly_into_the_mean(mean, log_var, noise):
    z = mean + (log_var / 2).exp() * noise
    mean.data.copy_(z.data)
    return z


def z_of_numpy(mean, log_var, noise):
    return torch.from_numpy(mean.numpy() + np.exp(log_var.numpy() / 2) * noise.numpy())


def keeps_the_first_noise(mean, log_var, noise, kept={}):  # noqa: B006
    kept.setdefault("noise", noise)
    same = kept["noise"].shape == noise.shape
    return nb01.reparameterize(mean, log_var, kept["noise"] if same else noise)


def from_a_seed(mean, log_var, noise):
    generator = torch.Generator().manual_seed(7)
    return mean + (log_var / 2).exp() * torch.randn(mean.shape, generator=generator)


# 1.5


def by_precision(f, z, mean, log_var):
    precision = torch.exp(-log_var)
    distance = z - mean
    return f * distance * precision, f * (-0.5 + 0.5 * distance.square() * precision)


def by_standardized(f, z, mean, log_var):
    sigma = math.exp(float(log_var) / 2)
    e = (z - mean) / sigma
    return [f * e / sigma, f * (e * e - 1) / 2]


def sample_by_sample(f, z, mean, log_var):
    m, var = mean.item(), math.exp(log_var.item())
    pairs = list(zip(f.tolist(), z.tolist(), strict=True))
    for_mean = [value * (draw - m) / var for value, draw in pairs]
    for_log_var = [value * ((draw - m) ** 2 / var - 1) / 2 for value, draw in pairs]
    return torch.tensor(for_mean), torch.tensor(for_log_var)


def filled_in(f, z, mean, log_var):
    out = torch.empty(2, len(f))
    out[0] = (z - mean) / log_var.exp()
    out[1] = ((z - mean) ** 2 / log_var.exp() - 1) / 2
    out *= f
    return out[0], out[1]


def by_numpy_and_back(f, z, mean, log_var):
    f, z, m, var = f.numpy(), z.numpy(), mean.numpy(), np.exp(log_var.numpy())
    return torch.tensor(f * (z - m) / var), torch.tensor(f / 2 * ((z - m) ** 2 / var - 1))


def by_autograd(f, z, mean, log_var):
    own = [value.repeat(len(z)).requires_grad_() for value in (mean, log_var)]
    log_q = Normal(own[0], (own[1] / 2).exp()).log_prob(z)
    return tuple(f * slope for slope in torch.autograd.grad(log_q.sum(), own))


def by_autograd_all_the_same(*arguments):
    with torch.enable_grad():
        return by_autograd(*arguments)


def by_backward(f, z, mean, log_var):
    mean = mean.repeat(len(z)).requires_grad_(True)
    log_var = log_var.repeat(len(z)).requires_grad_(True)
    (-log_var / 2 - (z - mean) ** 2 / (2 * log_var.exp())).sum().backward()
    return f * mean.grad, f * log_var.grad


def z_in_place(f, z, mean, log_var):
    result = nb01.score_function_gradient(f, z.clone(), mean, log_var)
    z -= mean
    return result


def f_in_place(f, z, mean, log_var):
    result = nb01.score_function_gradient(f.clone(), z, mean, log_var)
    f /= log_var.exp()
    return result


def halves(for_mean=None, for_log_var=None):
    """An answer to 1.5 of which a half is replaced by something of f, z, mean, log_var."""

    def answer(*arguments):
        right = nb01.score_function_gradient(*arguments)
        return (
            for_mean(*arguments) if for_mean else right[0],
            for_log_var(*arguments) if for_log_var else right[1],
        )

    return answer


RIGHT = {
    "1.1": [
        with_a_loop,
        with_numpy,
        with_a_mask,
        with_epsilon,
        with_kl_div,
        with_distributions,
        from_the_posterior,
        with_nan_to_num_of_the_terms,
        in_place_on_copies,
        lambda q, p, x: toy.elbo(q, p, x).item(),
        lambda q, p, x: toy.elbo(q, p, x).numpy(),
        lambda q, p, x: toy.elbo(q.double(), p.double(), x.double()),
        lambda q, p, x: np.float32(toy.elbo(q, p, x)),
        lambda q, p, x: Fraction(with_a_loop(q, p, x)),
        lambda q, p, x: sum(torch.xlogy(q, p * x) - torch.xlogy(q, q)),
        lambda q, p, x: -(torch.special.entr(q) * -1 - torch.xlogy(q, p * x)).sum(),
    ],
    "1.2": [
        {"E": 3, "C": 1},
        {" c": "1", "e": 3},
        {"C": 1.0, "E": 3.0},
        {"C": [1], "E": (3,)},
        {"C": "1.", "E": "cure 3"},
        {"C": "an average is taken under the wrong $q$", "E": "3. A density has the other one's"},
        {"C": "An average is taken under the wrong q.", "E": np.int64(3)},
        {"line C": 1, "Line E:": torch.tensor(3)},
        {"C": Fraction(1), "**E**": {3}},
        {"C": 1, "c": 1, "E": 3},
        OrderedDict(E=3, C=1),
    ],
    "1.3": [
        summed_in_a_loop,
        word_by_word,
        by_torch,
        by_einsum,
        in_doubles,
        in_place_on_a_copy,
        lambda m, v: -0.5 * torch.sum(1 + v - m.pow(2) - v.exp(), dim=-1),
        lambda m, v: (m.norm(dim=1) ** 2 + (v.exp() - v).sum(1) - m.shape[1]) / 2,
        lambda m, v: torch.vmap(lambda a, b: (b.exp() + a * a - 1 - b).sum() / 2)(m, v),
        lambda m, v: 0.5 * (torch.expm1(v) - v + m**2) @ torch.ones(m.shape[1]),
    ],
    "1.4": [
        by_root,
        row_by_row,
        by_affine,
        on_a_copy,
        lambda m, v, e: m + math.e ** (v / 2) * e,
        lambda m, v, e: m + e * v.exp() ** 0.5,
        lambda m, v, e: torch.lerp(m, m + (v / 2).exp(), e),
        lambda m, v, e: m - (0.5 * v).exp() * -e,
        lambda m, v, e: m.double() + (v.double() / 2).exp() * e.double(),
        lambda m, v, e: m + torch.exp(v).sqrt().mul(e),
    ],
    "1.5": [
        by_precision,
        by_standardized,
        sample_by_sample,
        filled_in,
        by_numpy_and_back,
        lambda f, z, m, v: tuple(
            f * s for s in ((z - m) / v.exp(), (z - m) ** 2 / v.exp() / 2 - 1 / 2)
        ),
        lambda f, z, m, v: nb01.score_function_gradient(f.double(), z.double(), m, v),
        lambda f, z, m, v: nb01.score_function_gradient(f, z, m.item(), v),
        lambda f, z, m, v: nb01.score_function_gradient(f, z, m[None], v[None]),
    ],
}

WRONG = {
    "1.1": [
        (in_place, "changes its argument `likelihood`"),
        (drops_the_first_term, "expected"),
        (normalizes_without_zeros, "expected"),
        (lambda q, p, x: toy.elbo(q.clamp(min=0.05), p, x), "expected"),
        (lambda q, p, x: toy.elbo(q, p, x)[None], "should have shape (), not (1,)"),
        (lambda q, p, x: "a number", "not the str 'a number'"),
        (lambda q, p, x: [with_a_loop(q, p, x)], "not the list"),
        (lambda q, p, x: (toy.elbo(q, p, x), toy.kl(q, p)), "not the tuple"),
        (toy.elbo(*torch.full((3, 2), 0.5)), "expected a function"),
        (lambda q, p, x: (q * x.log() - q * (q / p).log()).sum(), "0 · log 0 is nan"),
        (lambda q, p, x: (q * x.log()).sum() - (q * (q.log() - p.log())).sum(), "0 · log 0"),
        (lambda q, p, x: (q * x.log()).mean() - toy.kl(q, p), "first term is divided by K"),
        (
            lambda q, p, x: torch.xlogy(q, x).sum() - (q * (q / p).log()).nanmean(),
            "expected -1.27",  # where q is 0 it divides by K − 1
        ),
        (lambda q, p, x: torch.xlogy(q, x).sum() - 0.5 * toy.kl(q, p), "the KL counts half"),
        (lambda q, p, x: toy.elbo(q + 1e-3, p + 1e-3, x + 1e-3), "expected"),
        (
            lambda q, p, x: torch.xlogy(q, x).sum() - F.kl_div(p, q, reduction="sum"),
            "F.kl_div wants the *log*",
        ),
        (
            lambda q, p, x: torch.xlogy(q, x).sum() - F.kl_div(q.log(), p, reduction="sum"),
            "the other way",
        ),
        (lambda q, p, x: (q * (p * x / q).log()).sum().nan_to_num(), "nan_to_num came too late"),
        (lambda q, p, x: round(with_a_loop(q, p, x), 2), "expected"),
        (lambda q, p, x: math.log((p * x).sum()), "log p(x|c) itself"),
        (lambda q, p, x: (q * p * x).sum().log(), "expected"),
        (lambda q, p, x: torch.xlogy(q, p / q).nan_to_num().sum(), "KL alone"),
        (lambda q, p, x: toy.elbo(p, q, x), "expected"),
        (lambda q, p, x: toy.elbo(q, p, x).round(decimals=3), "expected"),
        (lambda q, p, x: (q * (x * p / (q + 1e-3)).log()).sum(), "an ε of 0.001 inside"),
        (lambda q, p, x: (q * (x * p / q.clamp(min=0.01)).log()).sum(), "expected"),
        (lambda q, p, x: toy.elbo(q[:3], p[:3], x[:3]), "values of z"),
        (lambda q, p, x: toy.elbo(q, p, x) if q.all() else q.sum(), "a q that contains a 0"),
        (lambda q, p, x: toy.elbo(q, x, p) if len(q) == 3 else 0.0, "expected"),
        (lambda q, p, x: toy.elbo(q, p, x) if len(q) == 3 else 0.0, "values of z"),
    ],
    "1.2": [
        ({"A": 1, "C": 1}, "line A is sound: it is the chain rule"),
        ({"B": 5}, "line B is sound: log p(X|c) holds no Z"),
        ({"C": 1, "D": 1, "E": 3}, "line D is sound: it takes"),
        ({"F": 3}, "corrected line E"),
        ({"C": 1}, "line C and its cure are right; two of the six lines have a slip, one each"),
        ({"E": 3}, "line E and its cure are right; two"),
        ({}, "two of the six"),
        ({"C": 1, "E": 1}, "cure 1 does not mend it: its average is under the encoder's q"),
        ({"C": 3, "E": 1}, "line C does have a slip, but cure 3 does not mend it: each p"),
        ({"C": 2, "E": 2}, "cure 2 does not mend it: the signs are right, since"),
        ({"C": 1, "E": 2}, "cure 2 does not mend it: the signs are those of"),
        ({"C": 2, "c": 1, "E": 3}, "line C stands there twice"),
        ({"G": 1}, "'G' is no line"),
        ({"CE": 1}, "'CE' is no line"),
        ({1: "C", 3: "E"}, "1 is no line: the lines are A to F, and a line comes before its cure"),
        ({"C": 6, "E": 3}, "the cure of line C should be a number, 1 to 5, not the int 6"),
        ({"C": 0, "E": 3}, "1 to 5"),
        ({"C": 1.5, "E": 3}, "1 to 5"),
        ({"C": "-1", "E": "0.3"}, "1 to 5"),
        ({"C": True, "E": 3}, "1 to 5, not the bool True"),
        ({"C": [1, 2], "E": 3}, "1 to 5, not the list [1, 2]"),
        ({"C": "1 or 2", "E": 3}, "1 to 5"),
        ({"C": "wrong q", "E": 3}, "1 to 5"),
        ({"A": None, "C": 1, "E": 3}, "the cure of line A"),
        ({"C": float("nan"), "E": 3}, "1 to 5"),
        ("CE", "dictionary"),
        (["C", "E"], "dictionary"),
        ({"C", "E"}, "dictionary"),
        ([("C", 1), ("E", 3)], "dictionary"),
        (lambda: {"C": 1, "E": 3}, "dictionary"),
    ],
    "1.3": [
        (kl_of_floats, "`mean` gets no gradient"),
        (in_place_where_a_gradient_passes, "operations in place break a gradient"),
        (kl_of_numpy, "numpy and operations in place break a gradient"),
        (torch.no_grad()(losses.kl_to_standard_normal), "gets no gradient"),
        (lambda m, v: losses.kl_to_standard_normal(m.detach(), v), "`mean` gets no gradient"),
        (lambda m, v: losses.kl_to_standard_normal(m, v.data), "`log_var` gets no gradient"),
        (lambda m, v: 0.5 * (v.exp().detach() + m**2 - 1 - v).sum(1), "`log_var` gets a wrong"),
        (kl_in_place, "changes its argument `mean`"),
        (kl_in_place_of_log_var, "changes its argument `log_var`"),
        (sampled_kl, "expected"),
        (lambda m, v: losses.kl_to_standard_normal(m, v.abs()), "expected"),
        (lambda m, v: losses.kl_to_standard_normal(m, v.relu()), "expected"),
        (lambda m, v: losses.kl_to_standard_normal(m, v.clamp(-3, 3)), "expected"),
        (lambda m, v: losses.kl_to_standard_normal(m, v.clamp(max=7)), "a large log variance"),
        (lambda m, v: losses.kl_to_standard_normal(m, v.clamp(min=-7)), "log variance below 0"),
        (lambda m, v: losses.kl_to_standard_normal(m, v).squeeze(), "(1,), not (): for a single"),
        (lambda m, v: losses.kl_to_standard_normal(m, v)[0], "averaged over the words"),
        (lambda m, v: losses.kl_to_standard_normal(m, v)[:1], "(2,), not (1,)"),
        (lambda m, v: losses.kl_to_standard_normal(m, v).tolist(), "not the list"),
        (lambda m, v: losses.kl_to_standard_normal(m, v).numpy(), "not a numpy array"),
        (lambda m, v: by_torch(m, 2 * v), "log_var is used as if it were log σ"),
        (lambda m, v: kl_divergence(Normal(m, v.exp()), Normal(0.0, 1.0)).sum(1), "were log σ"),
        (
            lambda m, v: kl_divergence(Normal(0.0, 1.0), Normal(m, (v / 2).exp())).sum(1),
            "the other way",
        ),
        (lambda m, v: kl_divergence(Normal(m, (v / 2).exp()), Normal(0.0, 1.0)), "add up"),
        (lambda m, v: -0.5 * (1 + v - m**2 - v.exp()).mean(), "one KL a word"),
        (lambda m, v: -0.5 * (1 + v - m**2 + v.exp()).sum(1), "σ² has the wrong sign"),
        (lambda m, v: 0.5 * (v.exp() + m**2 - 1 - v.exp().exp().log()).sum(1), "expected"),
        (lambda m, v: losses.kl_to_standard_normal(m, v).clamp(min=0.1), "the prior itself"),
        (lambda m, v: losses.kl_to_standard_normal(m, v) / m.shape[1], "not averaged"),
        (lambda m, v: losses.kl_to_standard_normal(m, v) / len(m), "by the number of words"),
        (lambda m, v: losses.kl_to_standard_normal(m, v).mean().expand(len(m)), "expected"),
        (lambda m, v: losses.kl_to_standard_normal(v, m), "expected"),
        (lambda m, v: 0.5 * (v.exp() + m * m.detach() - 1 - v).sum(1), "wrong gradient"),
        (lambda m, v: 1.0, "tensor of shape (2,)"),
        (lambda m: m, "raised TypeError"),
    ],
    "1.4": [
        (into_the_noise, "changes its argument `noise`"),
        (into_the_mean, "changes its argument `mean`"),
        (secretly_into_the_mean, "changes its argument `mean`"),
        (z_of_numpy, "numpy and operations in place break a gradient"),
        (lambda m, v, e: nb01.reparameterize(m, v, e).detach(), "mean` gets no gradient"),
        (lambda m, v, e: nb01.reparameterize(m.detach(), v, e), "mean` gets no gradient"),
        (lambda m, v, e: m + (v / 2).exp().detach() * e, "log_var` gets no gradient"),
        (lambda m, v, e: m + (v.data / 2).exp() * e, "log_var` gets no gradient"),
        (torch.no_grad()(nb01.reparameterize), "mean` gets no gradient"),
        (lambda m, v, e: (v / 2).exp() + m, "the report's text"),
        (lambda m, v, e: Normal(m, (v / 2).exp()).rsample(), "use `noise`, don't draw"),
        (lambda m, v, e: torch.normal(m, (v / 2).exp()), "expected"),
        (from_a_seed, "expected"),
        (keeps_the_first_noise, "expected"),
        (lambda m, v, e: nb01.reparameterize(m, v, e).squeeze(), "a dimension is lost"),
        (lambda m, v, e: m + v.sqrt() * e, "no square root"),
        (lambda m, v, e: m + (v**0.5).exp() * e, "the root is taken of the variance"),
        (lambda m, v, e: m + v.exp().sqrt() * (e + 0.1), "expected"),
        (lambda m, v, e: m + (v.abs() / 2).exp() * e, "expected"),
        (lambda m, v, e: m + (v.clamp(min=-1) / 2).exp() * e, "expected"),
        (lambda m, v, e: m + ((v / 2).exp() + 1e-3) * e, "expected"),
        (lambda m, v, e: nb01.reparameterize(m, v, e)[0], "shape (2, 2), not (2,)"),
        (lambda m, v, e: nb01.reparameterize(m, v, e).sum(), "not ()"),
        (lambda m, v, e: nb01.reparameterize(m, v, e).tolist(), "should be a tensor"),
        (lambda m, v, e: (nb01.reparameterize(m, v, e), e), "should be a tensor"),
        (lambda m, v, e: nb01.reparameterize(m, v, e.flip(0)), "expected"),
        (lambda m, v, e: nb01.reparameterize(m, v, e.clamp(-2, 2)), "expected"),
        (lambda m, v, e: m + e * v.exp() ** 1 / 2, "the ½ belongs inside"),
        (lambda m, v, e: m + (v / 2).exp() @ e, "expected"),
        (lambda m, v, e: nb01.reparameterize(v, m, e), "expected"),
        (lambda m, v, e: nb01.reparameterize(m, v, e[torch.randperm(len(e))]), "expected"),
        (lambda m, v, e: nb01.reparameterize(m[:1], v, e), "expected"),
        (lambda m, v, e: nb01.reparameterize(m, v[:1], e), "expected"),
        (lambda m, v, e: nb01.reparameterize(m, v, F.normalize(e)), "expected"),
        (lambda m, v: m, "raised TypeError"),
    ],
    "1.5": [
        (by_autograd, "Do it by hand"),
        (by_autograd_all_the_same, "Do it by hand"),
        (by_backward, "Do it by hand"),
        (z_in_place, "changes its argument `z`"),
        (f_in_place, "changes its argument `f`"),
        (halves(lambda *_: ...), "the gradient for the mean is still blank"),
        (halves(None, lambda *_: ...), "the gradient for log_var is still blank"),
        (halves(lambda *_: ..., lambda f, z, m, v: f * (z - m)), "the gradient for log_var, first"),
        (halves(lambda f, z, m, v: f * (z - m), lambda *_: ...), "not divided by the variance"),
        (halves(lambda *_: None), "the gradient for the mean is None"),
        (halves(None, lambda *_: "b"), "should be a tensor"),
        (halves(lambda f, z, m, v: f * (m - z), lambda f, z, m, v: f), "the gradient for the mean"),
        (
            halves(lambda f, z, m, v: f * (m - z) / v.exp(), lambda f, z, m, v: f),
            "the gradient for the mean, first wrong at [0], is -1.07, expected 1.07 there: the s",
        ),
        (lambda *a: nb01.score_function_gradient(*a)[::-1], "return mean first, then log_var"),
        (lambda *a: nb01.score_function_gradient(*a)[0], "return two things"),
        (lambda *a: torch.stack(nb01.score_function_gradient(*a)), "return two things"),
        (lambda *a: dict(enumerate(nb01.score_function_gradient(*a))), "return two things"),
        (lambda *a: [s.tolist() for s in nb01.score_function_gradient(*a)], "should be a tensor"),
        (lambda *a: [s.mean() for s in nb01.score_function_gradient(*a)], "don't average or add"),
        (lambda *a: [s.sum() for s in nb01.score_function_gradient(*a)], "don't average or add"),
        (lambda *a: [s[:, None] for s in nb01.score_function_gradient(*a)], "shape (3,)"),
        (lambda f, *a: nb01.score_function_gradient(f / len(f), *a), "don't divide by N"),
        (lambda f, *a: nb01.score_function_gradient(f - f.mean(), *a), "has less noise"),
        (lambda f, *a: nb01.score_function_gradient(f.abs(), *a), "expected"),
        (lambda f, *a: nb01.score_function_gradient(f[0], *a), "expected"),
        (lambda f, z, *a: nb01.score_function_gradient(f, z.abs(), *a), "expected"),
        (lambda f, z, m, v: nb01.score_function_gradient(f, z, z.mean(), v), "expected"),
        (lambda f, z, m, v: nb01.score_function_gradient(f, z, m, v.clamp(-1.9, 9)), "expected"),
        (lambda f, z, m, v: nb01.score_function_gradient(f, z, m.abs(), v), "expected"),
        (lambda f, z, m, v: nb01.score_function_gradient(f, z, m, v.abs()), "expected"),
        (lambda f, z, m, v: nb01.score_function_gradient(f, z, m, v.exp().log1p()), "expected"),
        (halves(None, lambda f, z, m, v: f * (z - m) ** 2), "the gradient for log_var"),
        (
            halves(None, lambda f, z, m, v: f / 2 * ((z * z - m * m) / v.exp() - 1)),
            "(z − μ)² is not z² − μ²",
        ),
        (
            halves(None, lambda f, z, m, v: nb01.score_function_gradient(f, z, m, v)[0]),
            "the mean's gradient once more",
        ),
        (halves(lambda f, z, m, v: f * z / v.exp()), "μ is not subtracted"),
    ],
}
