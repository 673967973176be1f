"""The two terms of the loss, and the sampling step between them (notebooks 01 and 04)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def reparameterize(mean: Tensor, log_var: Tensor, generator: torch.Generator) -> Tensor:
    """A sample z = mean + exp(log_var / 2) · ε with ε ~ N(0, I): (B, 2Z).

    ε is drawn on the CPU, so that a seed means the same noise on every device.
    Kingma & Welling 2013, section 2.4. Built in notebook 01.
    """
    noise = torch.randn(mean.shape, generator=generator).to(mean)
    return mean + torch.exp(log_var / 2) * noise


def kl_of_dimensions(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL( N(mean, exp(log_var)) || N(0, 1) ) of each latent dimension, in nats: (B, 2Z).

    mean, log_var: (B, 2Z).  Closed form: Kingma & Welling 2013, appendix B. Built in notebook 01.
    """
    return 0.5 * (log_var.exp() + mean**2 - 1 - log_var)


def kl_to_standard_normal(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL( N(mean, exp(log_var)) || N(0, I) ) of each word, in nats: 2 x (B, 2Z) -> (B,).

    The dimensions are independent, so their KLs add up.
    """
    return kl_of_dimensions(mean, log_var).sum(dim=1)


def character_nll(logits: Tensor, targets: Tensor) -> Tensor:
    """−log p(character) at every position, in nats: (B, T, V), (B, T) -> (B, T)."""
    return F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")


def mean_over_counted(nll: Tensor, counted: Tensor) -> Tensor:
    """Cross-entropy per character of each word: the mean over its counted positions, (B,).

    nll: (B, T).  counted: (B, T) bool, False on padding and behind a free-running word's own EOS.
    """
    return (nll * counted).sum(dim=1) / counted.sum(dim=1)
