"""Looking inside a trained model: what its latents keep, and what its decoder does (05 and 06)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from labkit.data import EOS, SOS, TENSES, Row, WordSet, detokenize, tokenize
from labkit.inference import MAX_LENGTH
from labkit.losses import reparameterize
from labkit.model import CVAE, Posterior


@torch.no_grad()
def posterior_of_table(model: CVAE, rows: Sequence[Row]) -> Posterior:
    """The posterior of every form of every verb: 2 x (4 * rows, 2Z), tense by tense, row by row."""
    return model.encode(WordSet(rows).all.to(model.device))


def kl_per_dimension(posterior: Posterior) -> Tensor:
    """Nats that each latent dimension costs, averaged over the words: (B, 2Z) -> (2Z,).

    The sum over dimensions is the KL of the loss. A dimension near 0 carries nothing.
    """
    mean, log_var = posterior
    return 0.5 * (log_var.exp() + mean**2 - 1 - log_var).mean(dim=0)


def active_units(posterior: Posterior, threshold: float = 0.01) -> Tensor:
    """Which dimensions move with the word: variance of the posterior mean above `threshold`.

    (B, 2Z) -> (2Z,) bool. Burda, Grosse & Salakhutdinov 2015, section 5.2.
    """
    return posterior.mean.var(dim=0) > threshold


def sample_aggregated(posterior: Posterior, n: int, generator: torch.Generator) -> Tensor:
    """n latents from the aggregated posterior q(z), the average of all words' posteriors: (n, 2Z).

    A word is chosen at random for each latent, then z is drawn from that word's posterior.
    Hoffman & Johnson 2016. Built in notebook 06.
    """
    chosen = torch.randint(len(posterior.mean), (n,), generator=generator)
    return reparameterize(posterior.mean[chosen], posterior.log_var[chosen], generator)


def tense_probe(latents: Tensor) -> float:
    """How well a linear classifier reads the tense off the latents; 0.25 is guessing.

    latents (4 * rows, 2Z), in the order of `posterior_of_table`. Least squares on the first half
    of the verbs; returns the share of the other half's words whose tense it names.
    """
    count = len(TENSES)
    tense = torch.arange(len(latents), device=latents.device) % count
    features = torch.cat([latents, torch.ones_like(latents[:, :1])], dim=1)
    half = len(latents) // count // 2 * count
    wanted = torch.nn.functional.one_hot(tense[:half], count).to(latents.dtype)
    weights = torch.linalg.lstsq(features[:half], wanted).solution
    guesses = (features[half:] @ weights).argmax(dim=1)
    return float((guesses == tense[half:]).float().mean())


def complete(
    model: CVAE, z: Tensor, tense: int, prefix: str = "", max_length: int = MAX_LENGTH
) -> str:
    """The word that the decoder writes when its first letters are forced to be `prefix`.

    z: (1, 2Z). The decoder reads SOS and the prefix, whatever it would have written itself, then
    goes on greedily from its own characters, up to max_length letters in all.
    Built in notebook 06.
    """
    letters = tokenize(prefix)[:-1] if prefix else []  # without EOS
    with torch.no_grad():
        condition = model.tense_embedding(torch.tensor([tense], device=z.device))
        states = model.decoder.initial_states(z, condition)
        reads = torch.tensor([[SOS, *letters]], device=z.device)  # (1, T)
        while len(letters) < max_length:
            logits, states = model.decoder(reads, states)
            character = int(logits[0, -1].argmax())
            if character == EOS:
                break
            letters.append(character)
            reads = torch.tensor([[character]], device=z.device)
    return detokenize(letters)
