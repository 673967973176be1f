"""Using a trained model: convert a verb, invent verbs, walk between two words (notebook 05)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from labkit.batches import Batch, make_batch
from labkit.errors import DataError
from labkit.language import MAX_LENGTH, Language, detokenize, form_number
from labkit.losses import reparameterize
from labkit.model import CVAE, Posterior, shift_right
from labkit.tables import Row

PORTION = 4096  # words that are read or written at once: memory stays bounded


@torch.no_grad()
def encode(model: CVAE, words: Sequence[str], tenses: Sequence[int]) -> Posterior:
    """The posterior of each word given its tense: 2 x (B, 2Z). Raises DataError for bad words."""
    batch = make_batch(words, tenses, model.language).to(model.device)
    portions = zip(*(tensor.split(PORTION) for tensor in batch), strict=True)
    parts = [model.encode(Batch(*portion)) for portion in portions]
    return Posterior(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))


@torch.no_grad()
def decode(
    model: CVAE, z: Tensor, tenses: Sequence[int] | Tensor, max_length: int = MAX_LENGTH
) -> list[str]:
    """The word that each latent spells in its tense: (B, 2Z), (B,) -> B strings, greedily."""
    tense = torch.as_tensor(tenses, device=model.device)
    return [
        detokenize(row, model.language)
        for part, its_tense in zip(z.split(PORTION), tense.split(PORTION), strict=True)
        for row in model.greedy(part, its_tense, max_length).tolist()
    ]


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
    number (0..3; other languages have other forms). The latent is the posterior mean; with a
    generator as `sample` it is drawn from the posterior instead. Raises DataError for bad words or
    tenses.
    """
    asked = list(zip(words, _numbers(source, len(words), model.language), strict=True))
    distinct = list(dict.fromkeys(asked))  # a word wanted in three tenses is read once
    posterior = encode(model, [word for word, _ in distinct], [tense for _, tense in distinct])
    row_of = {word: row for row, word in enumerate(distinct)}
    mean, log_var = (part[[row_of[word] for word in asked]] for part in posterior)
    z = mean if sample is None else reparameterize(mean, log_var, sample)
    return decode(model, z, _numbers(target, len(words), model.language), max_length)


def decode_all_tenses(model: CVAE, z: Tensor) -> list[Row]:
    """Each latent written in every form: (B, 2Z) -> B rows, of four words in English."""
    count = len(model.language.forms)
    words = decode(model, z.repeat_interleave(count, dim=0), [*range(count)] * len(z))
    return [tuple(words[first : first + count]) for first in range(0, len(words), count)]


@torch.no_grad()
def decode_with_certainty(
    model: CVAE, z: Tensor, tenses: Sequence[int] | Tensor
) -> list[tuple[str, list[float]]]:
    """Like `decode`, with the probability that the model gave to each letter it wrote.

    The last probability is that of EOS, which ends the word, if it did end.
    """
    tense = torch.as_tensor(tenses, device=model.device)
    written = model.greedy(z, tense)  # (B, T)
    logits = model.decode(z, tense, shift_right(written, model.language))
    chances = logits.softmax(dim=2).gather(2, written[:, :, None])[:, :, 0]  # (B, T)
    words = [detokenize(row, model.language) for row in written.tolist()]
    return [(word, row[: len(word) + 1]) for word, row in zip(words, chances.tolist(), strict=True)]


def generate(
    model: CVAE, n: int, generator: torch.Generator, temperature: float = 1.0
) -> list[Row]:
    """n verbs from noise: z ~ N(0, temperature² I), each z written in all forms."""
    z = torch.randn(n, 2 * model.latent, generator=generator) * temperature
    return decode_all_tenses(model, z.to(model.device))


def interpolate(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Latents on the straight line from start to end, both included: 2 x (2Z,) -> (steps, 2Z)."""
    share = torch.linspace(0, 1, steps, device=start.device)[:, None]
    return start + share * (end - start)


def _numbers(tenses: Sequence[str | int] | str | int, count: int, language: Language) -> list[int]:
    if isinstance(tenses, str | int):
        return [form_number(tenses, language)] * count
    if len(tenses) != count:
        raise DataError(f"{count} words but {len(tenses)} tenses: expected as many, or one for all")
    return [form_number(tense, language) for tense in tenses]
