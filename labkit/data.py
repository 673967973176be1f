"""Words: tenses, the tokenizer, verb tables and batches (notebook 02).

A *verb table* is a list of rows of four inflected forms of one verb, in the order of `TENSES`:
simple present, third person, present progressive, simple past.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
SOS = 26  # start of sequence: the first thing the decoder reads
EOS = 27  # end of sequence: the last thing the encoder reads and the decoder writes
VOCABULARY_SIZE = 28

TENSES = ("sp", "tp", "pg", "p")
TENSE_NAMES = ("simple present", "third person", "present progressive", "simple past")

DATA_FOLDER = Path(__file__).resolve().parent.parent / "data"

Row = tuple[str, str, str, str]


class DataError(ValueError):
    """A table or a word that cannot be used; the message says what, where and how to mend it."""


class Pair(NamedTuple):
    """One test case: `source` in `source_tense` should become `target` in `target_tense`."""

    source: str
    target: str
    source_tense: int
    target_tense: int


class Batch(NamedTuple):
    """Words side by side. Positions behind a word's EOS are padding, filled with EOS."""

    tokens: Tensor  # (B, T) characters and EOS, int64
    length: Tensor  # (B,)   characters and EOS of each word
    tense: Tensor  # (B,)   0..3

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self))


@dataclass(frozen=True)
class Tables:
    """All tables of one folder. A folder without held-out tables has empty lists there."""

    folder: Path
    train: list[Row]
    test: list[Pair]
    heldout_valid: list[Row]
    heldout_test: list[Row]
    alternates: dict[tuple[str, int], frozenset[str]]  # (lemma, tense) -> other accepted forms


# --- tokenizer -----------------------------------------------------------------------------------


def tense_code(tense: str | int) -> int:
    """0..3 of a tense given as "sp", "tp", "pg", "p" or already as its number."""
    if isinstance(tense, str) and tense in TENSES:
        return TENSES.index(tense)
    if isinstance(tense, int) and 0 <= tense < len(TENSES):
        return tense
    raise DataError(f"{tense!r} is not a tense: use one of {', '.join(TENSES)} (or 0 to 3)")


def tokenize(word: str) -> list[int]:
    """Tokens of a word, EOS included: tokenize("go") == [6, 14, 27].

    Raises DataError for a word that is empty or has characters other than a-z.
    """
    if not word:
        raise DataError("an empty word: expected one or more of the letters a-z")
    if bad := sorted({letter for letter in word if letter not in ALPHABET}):
        raise DataError(
            f"{word!r} contains {', '.join(map(repr, bad))}: expected only the letters a-z"
        )
    return [ALPHABET.index(letter) for letter in word] + [EOS]


def detokenize(tokens: Sequence[int]) -> str:
    """The word that `tokens` spell, up to the first EOS; the inverse of `tokenize`.

    SOS inside a word, which an untrained decoder may write, is shown as "^".
    """
    letters = []
    for token in tokens:
        if token == EOS:
            break
        letters.append("^" if token == SOS else ALPHABET[token])
    return "".join(letters)


# --- tables --------------------------------------------------------------------------------------


def read_table(path: Path, columns: Sequence[int] = (4,)) -> list[tuple[int, list[str]]]:
    """(line number, words) of each row of a text table; blank lines are skipped.

    Words are separated by blanks or tabs; CRLF, a byte-order mark and a missing last newline are
    fine. Raises DataError, naming file and line, for anything that is not a table of words a-z
    with one of the given numbers of columns.
    """
    wanted = " or ".join(map(str, columns))
    if path.is_dir():
        raise DataError(f"{path} is a folder: expected a text file with {wanted} words a line")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path} is missing: expected a text file, {wanted} words a line") from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 text ({error.reason} at byte {error.start})"
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.split()
        if not words:
            continue
        if len(words) not in columns:
            raise DataError(
                f"{path}, line {number}: found {len(words)} words ({line.strip()[:60]!r}), "
                f"expected {wanted}"
            )
        for word in words:
            if not re.fullmatch("[a-z]+", word):
                raise DataError(
                    f"{path}, line {number}: found {word!r}, expected only the letters a-z "
                    "(no capitals, digits, hyphens or accents)"
                )
        rows.append((number, words))
    if not rows:
        raise DataError(f"{path} is empty: expected {wanted} words a line")
    return rows


def _read_rows(path: Path) -> list[Row]:
    """The verbs of a four-column table, first copies only."""
    rows = ((sp, tp, pg, p) for _, (sp, tp, pg, p) in read_table(path))
    return list(dict.fromkeys(rows))


def _read_pairs(path: Path, known: Sequence[Row]) -> list[Pair]:
    """Test pairs. The file names no tenses: they are those of the row of `known` that holds both
    words, the earliest columns first ("split splitting" is sp → pg). A verb that no table holds
    needs its tenses as two more columns ("grok grokked sp p")."""
    pairs = []
    for number, (source, target, *tenses) in read_table(path, columns=(2, 4)):
        where = f"{path}, line {number}"
        if tenses:
            try:
                pairs.append(Pair(source, target, tense_code(tenses[0]), tense_code(tenses[1])))
            except DataError:
                raise DataError(
                    f"{where}: found the tenses {' '.join(tenses)!r}, expected two of sp, tp, pg, p"
                ) from None
            continue
        found = (
            Pair(source, target, i, j)
            for row in known
            for i in range(4)
            for j in range(4)
            if i != j and row[i] == source and row[j] == target
        )
        pair = next(found, None)
        if pair is None:
            raise DataError(
                f"{where}: no row of the tables holds both {source!r} and {target!r}, so their "
                "tenses are unknown; add them as two more columns, such as 'sp p'"
            )
        pairs.append(pair)
    return pairs


def _read_alternates(path: Path) -> dict[tuple[str, int], frozenset[str]]:
    found: dict[tuple[str, int], set[str]] = {}
    for number, (lemma, tense, form) in read_table(path, columns=(3,))[1:]:
        if tense not in TENSES:
            raise DataError(
                f"{path}, line {number}: found tense {tense!r}, expected one of {TENSES}"
            )
        found.setdefault((lemma, TENSES.index(tense)), set()).add(form)
    return {key: frozenset(forms) for key, forms in found.items()}


def load_tables(folder: str | Path = DATA_FOLDER, train: str = "train.txt") -> Tables:
    """Read a folder of verb tables in the course's layout.

    `train` (four columns) and test.txt (two columns) must be there; heldout_valid.txt,
    heldout_test.txt (four columns) and alternates.tsv may be. Duplicate rows are dropped.
    Raises DataError with file, line, what was found and what was expected.
    """
    folder = Path(folder)
    if not folder.is_dir():
        state = "is not a folder" if folder.exists() else "does not exist"
        raise DataError(f"{folder} {state}: expected a folder with {train} and test.txt")

    def optional(name: str) -> list[Row]:
        return _read_rows(folder / name) if (folder / name).exists() else []

    rows = _read_rows(folder / train)
    valid, test = optional("heldout_valid.txt"), optional("heldout_test.txt")
    alternates = folder / "alternates.tsv"
    return Tables(
        folder=folder,
        train=rows,
        test=_read_pairs(folder / "test.txt", rows + valid + test),
        heldout_valid=valid,
        heldout_test=test,
        alternates=_read_alternates(alternates) if alternates.exists() else {},
    )


# --- batches -------------------------------------------------------------------------------------


def make_batch(words: Sequence[str], tenses: Sequence[int]) -> Batch:
    """Tokenize words and pad them to the longest. Raises DataError as `tokenize` does."""
    if len(words) != len(tenses):
        raise DataError(f"{len(words)} words but {len(tenses)} tenses: expected one tense a word")
    if not words:
        raise DataError("no words: expected at least one")
    tokens = [tokenize(word) for word in words]
    length = torch.tensor([len(t) for t in tokens])
    padded = torch.full((len(words), int(length.max())), EOS)
    for row, word in zip(padded, tokens, strict=True):
        row[: len(word)] = torch.tensor(word)
    return Batch(padded, length, torch.tensor([tense_code(int(t)) for t in tenses]))


def padding_mask(length: Tensor, steps: int) -> Tensor:
    """True where a position belongs to a word, False on padding: (B,) -> (B, steps)."""
    return torch.arange(steps, device=length.device) < length[:, None]


@dataclass(frozen=True)
class WordSet:
    """Every (word, tense) of a table as one big padded batch, to be cut into batches."""

    rows: Sequence[Row]
    all: Batch = field(init=False)

    def __post_init__(self) -> None:
        words = [form for row in self.rows for form in row]
        object.__setattr__(self, "all", make_batch(words, list(range(4)) * len(self.rows)))

    def __len__(self) -> int:
        return len(self.all.length)

    def take(self, chosen: Tensor) -> Batch:
        """The words at the given positions, padded no further than the longest of them."""
        length = self.all.length[chosen]
        return Batch(self.all.tokens[chosen, : length.max()], length, self.all.tense[chosen])

    def batches(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """One epoch in random order, in batches of words of similar length.

        Sorting shuffled words by length leaves most batches without any padding; shuffling the
        batches afterwards keeps long and short words mixed in time.
        """
        order = torch.randperm(len(self), generator=generator)
        if batch_size > 1:
            order = order[self.all.length[order].argsort(stable=True)]
        chunks = order.split(batch_size)
        for index in torch.randperm(len(chunks), generator=generator).tolist():
            yield self.take(chunks[index])
