"""labkit.losses against torch.distributions and plain Python."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Categorical, Normal, kl_divergence

from labkit.losses import (
    character_nll,
    kl_of_dimensions,
    kl_to_standard_normal,
    mean_over_counted,
    reparameterize,
)


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(1, 64), st.integers(0, 1000))
def test_kl_is_that_of_torch_distributions(batch, size, seed):
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(batch, size, generator=generator)
    log_var = 2 * torch.randn(batch, size, generator=generator)
    q = Normal(mean, (log_var / 2).exp())
    expected = kl_divergence(q, Normal(torch.tensor(0.0), torch.tensor(1.0)))
    torch.testing.assert_close(kl_of_dimensions(mean, log_var), expected)
    torch.testing.assert_close(kl_to_standard_normal(mean, log_var), expected.sum(dim=1))


def test_kl_of_the_prior_itself_is_zero():
    assert kl_to_standard_normal(torch.zeros(2, 3), torch.zeros(2, 3)).tolist() == [0, 0]


def test_samples_have_the_posteriors_mean_and_variance():
    mean = torch.tensor([[1.0, -2.0]]).expand(200_000, 2)
    log_var = torch.tensor([[0.0, 2.0]]).expand(200_000, 2)
    z = reparameterize(mean, log_var, torch.Generator().manual_seed(0))
    torch.testing.assert_close(z.mean(dim=0), mean[0], atol=0.03, rtol=0)
    torch.testing.assert_close(z.var(dim=0), log_var[0].exp(), atol=0, rtol=0.02)


def test_gradients_reach_mean_and_log_var():
    mean = torch.zeros(1, 2, requires_grad=True)
    log_var = torch.zeros(1, 2, requires_grad=True)
    z = reparameterize(mean, log_var, torch.Generator().manual_seed(1))
    z.sum().backward()
    assert mean.grad.tolist() == [[1, 1]]
    torch.testing.assert_close(log_var.grad, z.detach() / 2)  # here z is ε


def test_character_nll_is_minus_log_probability():
    logits = torch.randn(3, 4, 28)
    targets = torch.randint(0, 28, (3, 4))
    expected = -Categorical(logits=logits).log_prob(targets)
    torch.testing.assert_close(character_nll(logits, targets), expected)


def test_mean_over_counted_ignores_the_rest():
    nll = torch.tensor([[1.0, 3.0, 100.0], [2.0, 100.0, 100.0]])
    counted = torch.tensor([[True, True, False], [True, False, False]])
    assert mean_over_counted(nll, counted).tolist() == pytest.approx([2, 2])
