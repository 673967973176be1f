"""Using a trained model: convert a verb, invent verbs, walk between two words (notebook 05)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from labkit.data import TENSES, DataError, Row, detokenize, make_batch, tense_code
from labkit.losses import reparameterize
from labkit.model import CVAE, Posterior

MAX_LENGTH = 30


@torch.no_grad()
def encode(model: CVAE, words: Sequence[str], tenses: Sequence[int]) -> Posterior:
    """The posterior of each word given its tense: 2 x (B, 2Z). Raises DataError for bad words."""
    return model.encode(make_batch(words, tenses).to(model.device))


@torch.no_grad()
def decode(
    model: CVAE, z: Tensor, tenses: Sequence[int] | Tensor, max_length: int = MAX_LENGTH
) -> list[str]:
    """The word that each latent spells in its tense: (B, 2Z), (B,) -> B strings, greedily."""
    tense = torch.as_tensor(tenses, device=model.device)
    return [detokenize(row) for row in model.greedy(z, tense, max_length).tolist()]


def convert(
    model: CVAE,
    words: Sequence[str],
    source: Sequence[str | int] | str | int,
    target: Sequence[str | int] | str | int,
    *,
    max_length: int = MAX_LENGTH,
    sample: torch.Generator | None = None,
) -> list[str]:
    """Each word, read in its source tense, written in its target tense.

    source, target: a tense for each word or one for all, as a code ("sp", "tp", "pg", "p") or a
    number (0..3). The latent is the posterior mean; with a generator as `sample` it is drawn from
    the posterior instead. Raises DataError for bad words or tenses.
    """
    asked = list(zip(words, _codes(source, len(words)), strict=True))
    distinct = list(dict.fromkeys(asked))  # a word wanted in three tenses is read once
    posterior = encode(model, [word for word, _ in distinct], [tense for _, tense in distinct])
    place = {word: number for number, word in enumerate(distinct)}
    mean, log_var = (part[[place[word] for word in asked]] for part in posterior)
    z = mean if sample is None else reparameterize(mean, log_var, sample)
    return decode(model, z, _codes(target, len(words)), max_length)


def decode_all_tenses(model: CVAE, z: Tensor) -> list[Row]:
    """Each latent written in all four tenses: (B, 2Z) -> B rows of four forms."""
    count = len(TENSES)
    words = decode(model, z.repeat_interleave(count, dim=0), list(range(count)) * len(z))
    return [
        (words[i], words[i + 1], words[i + 2], words[i + 3]) for i in range(0, len(words), count)
    ]


def generate(
    model: CVAE, n: int, generator: torch.Generator, temperature: float = 1.0
) -> list[Row]:
    """n verbs from noise: z ~ N(0, temperature² I), each z written in all four tenses."""
    z = torch.randn(n, 2 * model.latent, generator=generator) * temperature
    return decode_all_tenses(model, z.to(model.device))


def interpolate(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Latents on the straight line from start to end, both included: 2 x (2Z,) -> (steps, 2Z)."""
    share = torch.linspace(0, 1, steps, device=start.device)[:, None]
    return start + share * (end - start)


def _codes(tenses: Sequence[str | int] | str | int, count: int) -> list[int]:
    if isinstance(tenses, str | int):
        return [tense_code(tenses)] * count
    if len(tenses) != count:
        raise DataError(f"{count} words but {len(tenses)} tenses: expected as many, or one for all")
    return [tense_code(tense) for tense in tenses]
