"""Words side by side: padded batches, and the order of an epoch (notebook 02)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from labkit.errors import DataError
from labkit.language import ENGLISH, Language, form_number, tokenize
from labkit.tables import Row


class Batch(NamedTuple):
    """Words side by side. Positions behind a word's EOS are padding, filled with EOS."""

    tokens: Tensor  # (B, T) characters and EOS, int64
    length: Tensor  # (B,)   characters and EOS of each word
    tense: Tensor  # (B,)   the number of its form: 0..3 in English

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self))


def make_batch(words: Sequence[str], tenses: Sequence[int], language: Language = ENGLISH) -> Batch:
    """Tokenize words and pad them to the longest. Raises DataError as `tokenize` does."""
    if len(words) != len(tenses):
        raise DataError(f"{len(words)} words but {len(tenses)} tenses: expected one tense a word")
    if not words:
        raise DataError("no words: expected at least one")
    tokens = [tokenize(word, language) for word in words]
    length = torch.tensor([len(t) for t in tokens])
    longest = int(length.max())
    padded = torch.tensor([t + [language.eos] * (longest - len(t)) for t in tokens])
    numbers = [form_number(int(tense), language) for tense in tenses]
    return Batch(padded, length, torch.tensor(numbers))


def padding_mask(length: Tensor, steps: int) -> Tensor:
    """True where a position belongs to a word, False on padding: (B,) -> (B, steps)."""
    return torch.arange(steps, device=length.device) < length[:, None]


class WordSet:
    """Every (word, tense) of a table as one big padded batch, to be cut into batches."""

    def __init__(self, rows: Sequence[Row], language: Language = ENGLISH) -> None:
        words = [form for row in rows for form in row]
        self.whole = make_batch(words, [*range(len(language.forms))] * len(rows), language)

    def __len__(self) -> int:
        return len(self.whole.length)

    def take(self, chosen: Tensor) -> Batch:
        """The words at the given positions, padded no further than the longest of them."""
        length = self.whole.length[chosen]
        return Batch(self.whole.tokens[chosen, : length.max()], length, self.whole.tense[chosen])

    def epoch_order(self, batch_size: int, generator: torch.Generator) -> list[Tensor]:
        """One epoch in random order: the positions of each batch's words, of similar length.

        Sorting shuffled words by length leaves most batches without any padding; shuffling the
        batches afterwards keeps long and short words mixed in time.
        """
        order = torch.randperm(len(self), generator=generator)
        if batch_size > 1:
            order = order[self.whole.length[order].argsort(stable=True)]
        chunks = order.split(batch_size)
        return [chunks[index] for index in torch.randperm(len(chunks), generator=generator)]

    def batches(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """The batches of one epoch, in a random order drawn from the generator."""
        return map(self.take, self.epoch_order(batch_size, generator))

    def other_forms(
        self, chosen: Tensor, forms: int, share: float, generator: torch.Generator
    ) -> Tensor:
        """Positions (B,) of another form of the same verb, for a share of words drawn at random.

        The others keep their positions. Each of a verb's other forms is as likely.
        """
        moved = torch.rand(len(chosen), generator=generator) < share
        steps = torch.randint(1, forms, (len(chosen),), generator=generator) * moved
        form = chosen % forms
        return chosen - form + (form + steps) % forms
