"""What converts verbs without any network: the bar that a model has to clear (notebook 05)."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import extract

from labkit.measures.conversion import all_pairs
from labkit.tables import Pair, Row

Converter = Callable[[Sequence[Pair]], list[str]]  # what becomes of each pair's source

Change = tuple[str, str]  # an ending that goes, the ending that comes: ("y", "ied")


def change_between(source: str, target: str) -> Change:
    """What differs behind the common beginning: change_between("try", "tried") == ("y", "ied")."""
    common = len(os.path.commonprefix([source, target]))
    return source[common:], target[common:]


def apply_change(word: str, change: Change) -> str:
    """The word with its ending changed. It must end in the ending that goes."""
    gone, come = change
    return word.removesuffix(gone) + come


def copy(pairs: Sequence[Pair]) -> list[str]:
    """Each source as it is."""
    return [pair.source for pair in pairs]


class SuffixRules:
    """Rules about endings, counted in a table: for each pair of forms, what becomes of an ending.

    A word is changed as most of the table's words with its longest known ending are. So -ing after
    "-ake" loses the e, and "-ank" has whatever past most of its verbs have. No verb is excepted.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        counts: dict[tuple[int, int, str], Counter[Change]] = defaultdict(Counter)
        for pair in all_pairs(rows):
            change = change_between(pair.source, pair.target)
            # Every ending that holds what goes: of "try" -> "tried" these are y, ry and try.
            for start in range(len(pair.source) - len(change[0]) + 1):
                counts[pair.source_tense, pair.target_tense, pair.source[start:]][change] += 1
        self.rules = {ending: changes.most_common(1)[0][0] for ending, changes in counts.items()}

    def __call__(self, pairs: Sequence[Pair]) -> list[str]:
        """What becomes of each source: a `Converter`."""
        return [self._convert(pair) for pair in pairs]

    def _convert(self, pair: Pair) -> str:
        forms = pair.source_tense, pair.target_tense
        for start in range(len(pair.source) + 1):
            change = self.rules.get((*forms, pair.source[start:]))
            if change is not None:
                return apply_change(pair.source, change)
        return pair.source


class NearestVerb:
    """Changes a word as the verb of the table does whose source is nearest by edit distance.

    Of the nearest it is the first whose change fits the word's ending.
    """

    CANDIDATES = 20

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = list(rows)

    def __call__(self, pairs: Sequence[Pair]) -> list[str]:
        """What becomes of each source: a `Converter`."""
        columns = [[row[form] for row in self.rows] for form in range(len(self.rows[0]))]
        nearest = {
            (word, form): [
                index
                for _, _, index in extract(
                    word, columns[form], scorer=Levenshtein.distance, limit=self.CANDIDATES
                )
            ]
            for word, form in {(pair.source, pair.source_tense) for pair in pairs}
        }
        return [self._convert(pair, nearest[pair.source, pair.source_tense]) for pair in pairs]

    def _convert(self, pair: Pair, nearest: list[int]) -> str:
        for index in nearest:
            row = self.rows[index]
            change = change_between(row[pair.source_tense], row[pair.target_tense])
            if pair.source.endswith(change[0]):
                return apply_change(pair.source, change)
        return pair.source


def baselines(rows: Sequence[Row]) -> dict[str, Converter]:
    """The baselines by name, the two that learn from a table with these rows."""
    return {
        "copy": copy,
        "nearest verb": NearestVerb(rows),
        "suffix rules": SuffixRules(rows),
    }
