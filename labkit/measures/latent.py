"""Looking inside a trained model: what its latents keep, and what its decoder does (05 and 06)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from labkit.batches import WordSet
from labkit.language import ENGLISH, MAX_LENGTH, detokenize, tokenize
from labkit.losses import (
    character_nll,
    kl_of_dimensions,
    kl_to_standard_normal,
    reparameterize,
)
from labkit.model import CVAE, Posterior, shift_right
from labkit.tables import Row


@torch.no_grad()
def rate_and_distortion(
    model: CVAE, words: WordSet, generator: torch.Generator, limit: int = 1024
) -> tuple[float, float]:
    """(KL, teacher-forced NLL) in nats a word, at a sampled latent, over a fixed set of words.

    The NLL is summed over a word's characters: it is −log p(word | z), the distortion, and unlike
    the training loss it does not depend on the teacher-forcing ratio. At most `limit` words are
    used: a random choice that depends on the table alone.
    """
    order = torch.randperm(len(words), generator=torch.Generator().manual_seed(0))[:limit]
    kl = nll = 0.0
    lengths = words.whole.length[order]
    for length in lengths.unique():  # one length at a time: no padding to mask
        batch = words.take(order[lengths == length]).to(model.device)
        posterior = model.encode(batch)
        z = reparameterize(posterior.mean, posterior.log_var, generator)
        logits = model.decode(z, batch.tense, shift_right(batch.tokens, model.language))
        nll += float(character_nll(logits, batch.tokens).sum())
        kl += float(kl_to_standard_normal(*posterior).sum())
    return kl / len(order), nll / len(order)


@torch.no_grad()
def posterior_of_table(model: CVAE, rows: Sequence[Row]) -> Posterior:
    """The posterior of every form of every verb: 2 x (forms * rows, 2Z), verb by verb, and of each
    verb form by form."""
    return model.encode(WordSet(rows, model.language).whole.to(model.device))


def kl_per_dimension(posterior: Posterior) -> Tensor:
    """Nats that each latent dimension costs, averaged over the words: (B, 2Z) -> (2Z,).

    The sum over dimensions is the KL of the loss. A dimension near 0 carries nothing.
    """
    return kl_of_dimensions(*posterior).mean(dim=0)


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


def tense_probe(latents: Tensor, forms: int = len(ENGLISH.forms)) -> float:
    """How well a linear classifier reads the form off the latents; 1 / forms is guessing.

    latents (forms * rows, 2Z), in the order of `posterior_of_table`. Least squares on the first
    half of the verbs; returns the share of the other half's words whose form it names.
    """
    tense = torch.arange(len(latents), device=latents.device) % forms
    features = torch.cat([latents, torch.ones_like(latents[:, :1])], dim=1)
    half = len(latents) // forms // 2 * forms
    wanted = torch.nn.functional.one_hot(tense[:half], forms).to(latents.dtype)
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
    sos, eos = model.language.sos, model.language.eos
    letters = tokenize(prefix, model.language)[:-1] if prefix else []  # without EOS
    with torch.no_grad():
        condition = model.tense_embedding(torch.tensor([tense], device=z.device))
        states = model.decoder.initial_states(z, condition)
        reads = torch.tensor([[sos, *letters]], device=z.device)  # (1, T)
        while len(letters) < max_length:
            logits, states = model.decoder(reads, states)
            character = int(logits[0, -1].argmax())
            if character == eos:
                break
            letters.append(character)
            reads = torch.tensor([[character]], device=z.device)
    return detokenize(letters, model.language)
