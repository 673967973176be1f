"""The bound on a latent that takes only K values, so that every sum is exact (notebook 01).

All arguments are tensors of probabilities over the K values of z; all results are in nats.
"""

from __future__ import annotations

import torch
from torch import Tensor


def kl(q: Tensor, p: Tensor) -> Tensor:
    """KL(q || p) of two distributions over the K values of z: 2 x (K,) -> scalar.

    Where q is 0 the term counts as 0 (0 · log 0 = 0), which is what `xlogy` does.
    """
    return (torch.xlogy(q, q) - torch.xlogy(q, p)).sum()


def elbo(q: Tensor, prior: Tensor, likelihood: Tensor) -> Tensor:
    """E_q[log p(x|z,c)] − KL(q || p(z)) of one word x in one tense c: 3 x (K,) -> scalar.

    likelihood[k] is p(x | z_k, c), prior[k] is p(z_k), q[k] is q(z_k | x, c).
    """
    reconstruction = torch.xlogy(q, likelihood).sum()
    kl_to_prior = (torch.xlogy(q, q) - torch.xlogy(q, prior)).sum()
    return reconstruction - kl_to_prior


def bell(z: Tensor, mean: float, width: float) -> Tensor:
    """A bell-shaped distribution over the values z: a Gaussian's density, rescaled to sum to 1."""
    return torch.softmax(-((z - mean) ** 2) / (2 * width**2), dim=0)
