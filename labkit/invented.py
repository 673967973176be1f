"""Invented verbs: new beginnings on the endings of real ones, so that a list never ends.

A model that reads the same few thousand verbs again and again can learn each by heart. Verbs that
it sees once and never again leave it only what they have in common: how endings go. Work on
inflection calls this "data hallucination" (Anastasopoulos & Neubig 2019).
"""

from __future__ import annotations

import os
import random
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

from labkit.language import MAX_LENGTH
from labkit.tables import Row

KEPT = (2, 3)  # letters of a real stem's end that stay
LONGEST_BEGINNING = 6
SHORTEST_STEM = 3  # of a real verb: below it, as in give/gave, endings are not endings but the verb
LONGEST_ENDING = 4
_START = "^^"


class Inventor:
    """Invents verbs like those of a table.

    rows: the real verbs.  forbidden: words that no invented verb may have among its forms, such as
    those of held-out verbs. The words of `rows` are never written either: an invented *comed* would
    contradict the real *came*.
    """

    def __init__(self, rows: Sequence[Row], forbidden: Collection[str] = ()) -> None:
        self.forbidden = {*forbidden, *(form for row in rows for form in row)}
        self.patterns: list[tuple[str, list[str]]] = []  # a real stem, the endings of its forms
        follows: dict[str, Counter[str]] = defaultdict(Counter)
        for row in rows:
            stem = os.path.commonprefix(list(row))
            endings = [form[len(stem) :] for form in row]
            if len(stem) >= SHORTEST_STEM and max(map(len, endings)) <= LONGEST_ENDING:
                self.patterns.append((stem, endings))
            spelt = _START + row[0]
            for at in range(2, len(spelt)):
                follows[spelt[at - 2 : at]][spelt[at]] += 1
        # Two letters -> the letters that follow them in lemmas, and how often: a trigram model.
        self.follows = {two: (list(n), list(n.values())) for two, n in follows.items()}

    def invent(self, count: int, rng: random.Random) -> list[Row]:
        """So many invented verbs; fewer, or none, if the table has too little to make them from."""
        rows: list[Row] = []
        tries = 100 * count if self.patterns else 0
        while len(rows) < count and tries > 0:
            tries -= 1
            stem, endings = rng.choice(self.patterns)
            new = self._beginning(rng) + stem[-rng.choice(KEPT) :]
            row = tuple(new + ending for ending in endings)
            fits = len(row[0]) >= SHORTEST_STEM and max(map(len, row)) <= MAX_LENGTH
            if fits and self.forbidden.isdisjoint(row):
                rows.append(row)
        return rows

    def _beginning(self, rng: random.Random) -> str:
        letters = _START
        for _ in range(rng.randint(0, LONGEST_BEGINNING)):
            if letters[-2:] not in self.follows:
                break
            letters += rng.choices(*self.follows[letters[-2:]])[0]
        return letters.removeprefix(_START)
