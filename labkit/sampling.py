"""Which words an epoch reads, and in which form it writes them (notebook 05)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from labkit.batches import Batch, WordSet
from labkit.invented import Inventor
from labkit.tables import Tables


@dataclass(frozen=True)
class Sampling:
    """What an epoch is made of. The defaults: each word of the list once, written as it was read.

    Raises ValueError for settings that are out of range.
    """

    frequency_power: float = 0.0  # above 0: verbs are drawn by (count + 1) ** power; 0: each once
    invented: float = 0.0  # invented verbs for each verb of the list, others in every epoch
    pair_share: float = 0.0  # share of words that are written in another form than they were read

    def __post_init__(self) -> None:
        for name, low, high in (
            ("frequency_power", 0, 2),
            ("invented", 0, 1000),
            ("pair_share", 0, 1),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"Sampling: {name} must be between {low} and {high}, not {value}")


class Epoch(NamedTuple):
    """The batches of one epoch: positions in its words."""

    words: WordSet
    read: list[Tensor]  # (B,) each
    written: list[Tensor]  # (B,) each; the same tensors where no form is changed

    def batch(self, number: int) -> tuple[Batch, Batch]:
        """What batch `number` reads, and what it is to write."""
        read, written = self.read[number], self.written[number]
        batch = self.words.take(read)
        return batch, batch if written is read else self.words.take(written)


class EpochMaker:
    """Draws the epochs of a trial, each from its generator alone."""

    def __init__(self, tables: Tables, sampling: Sampling, batch_size: int) -> None:
        self.tables, self.sampling, self.batch_size = tables, sampling, batch_size
        self.words = WordSet(tables.train, tables.language)
        self.invented = round(len(tables.train) * sampling.invented)  # verbs an epoch
        heldout = [*tables.heldout_valid, *tables.heldout_test]
        self.inventor = Inventor(tables.train, {form for row in heldout for form in row})
        self.weights = [
            (tables.frequency.get(row[0], 0) + 1) ** sampling.frequency_power
            for row in tables.train
        ]

    @property
    def words_an_epoch(self) -> int:
        """How many words are read: those of the list, and the invented ones."""
        return len(self.words) + self.invented * len(self.tables.language.forms)

    def draw(self, generator: torch.Generator) -> Epoch:
        """The next epoch."""
        sampling, words = self.sampling, self.words
        if sampling.invented or sampling.frequency_power:
            rng = random.Random(int(torch.randint(2**62, (), generator=generator)))
            rows = self.tables.train
            if sampling.frequency_power:
                rows = rng.choices(rows, self.weights, k=len(rows))
            new = self.inventor.invent(self.invented, rng)
            # An epoch keeps its length also where a tiny list gives too little to invent from.
            rows = [*rows, *new, *rng.choices(rows, k=self.invented - len(new))]
            words = WordSet(rows, self.tables.language)
        read = words.epoch_order(self.batch_size, generator)
        written = read
        if sampling.pair_share:
            forms = len(self.tables.language.forms)
            written = [
                words.other_forms(chosen, forms, sampling.pair_share, generator) for chosen in read
            ]
        return Epoch(words, read, written)
