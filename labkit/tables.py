"""Verb tables: what a folder of words holds, read with care (notebook 02).

A *verb table* is a list of rows. A row holds the forms of one verb in the order of the language's
forms; in English: simple present, third person, present progressive, simple past.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from labkit.errors import DataError, short
from labkit.files import read_text
from labkit.language import ENGLISH, MAX_LENGTH, Language, form_number

DATA_FOLDER = Path(__file__).resolve().parent.parent / "data"

Row = tuple[str, ...]  # a verb's forms; the first is its lemma
Alternates = Mapping[tuple[str, int], frozenset[str]]  # (lemma, form) -> further accepted words


class Pair(NamedTuple):
    """One test case: `source` in `source_tense` should become `target` in `target_tense`."""

    source: str
    target: str
    source_tense: int
    target_tense: int


@dataclass(frozen=True)
class Tables:
    """All tables of one folder. A folder without held-out tables has empty lists there."""

    folder: Path
    train: list[Row]
    test: list[Pair]
    heldout_valid: list[Row]
    heldout_test: list[Row]
    alternates: Alternates
    language: Language = ENGLISH
    frequency: Mapping[str, int] = field(default_factory=dict)  # lemma -> how often texts use it


class Fault(NamedTuple):
    """Why a line of a table cannot be used."""

    line: int
    kind: str  # "columns", "letters" or "length"
    message: str  # what was found, and what was expected


def scan_table(
    path: Path,
    columns: Sequence[int] = (4,),
    words: int | None = None,
    language: Language = ENGLISH,
) -> tuple[list[tuple[int, list[str]]], list[Fault]]:
    """(line number, cells) of each sound row of a text table, and the faults of the others.

    Cells are separated by blanks or tabs; blank lines are skipped; CRLF, a byte-order mark and a
    missing last newline are fine. The first `words` cells (all, if it is None) must be words of the
    language. Raises DataError for a file that cannot be read as text.
    """
    wanted = " or ".join(map(str, columns))
    text = read_text(path, f"a text file, {wanted} words a line")
    rows, faults = [], []
    letters = set(language.letters)
    for number, line in enumerate(unicodedata.normalize("NFC", text).split("\n"), start=1):
        cells = line.split()
        if not cells:
            continue
        if len(cells) not in columns:
            parted = (
                f" between blanks or tabs ({', '.join(language.codes)})" if words is None else ""
            )
            found = f"found {len(cells)} word{'s' * (len(cells) != 1)} ({short(line.strip())})"
            faults.append(Fault(number, "columns", f"{found}, expected {wanted}{parted}"))
            continue
        checked = cells[:words]
        fault = None
        if (
            not letters.issuperset("".join(checked))
            or max(map(len, checked), default=0) > MAX_LENGTH
        ):
            fault = next(filter(None, (_fault(word, letters, language) for word in checked)), None)
        if fault is None:
            rows.append((number, cells))
        else:
            faults.append(Fault(number, *fault))
    return rows, faults


def read_table(
    path: Path,
    columns: Sequence[int] = (4,),
    words: int | None = None,
    language: Language = ENGLISH,
) -> list[tuple[int, list[str]]]:
    """The rows of `scan_table`. Raises DataError, naming file and line, if one has a fault."""
    rows, faults = scan_table(path, columns, words, language)
    if faults:
        more = f" ({len(faults)} lines have faults: see 'labkit words check {path.parent}')"
        first = f"{path}, line {faults[0].line}: {faults[0].message}"
        raise DataError(first + (more if len(faults) > 1 else ""))
    if not rows:
        wanted = " or ".join(map(str, columns))
        raise DataError(f"{path} is empty: expected {wanted} words a line")
    return rows


def _fault(word: str, letters: set[str], language: Language) -> tuple[str, str] | None:
    """(kind, message) if this cannot be a word of the language."""
    if len(word) > MAX_LENGTH:
        found = f"found {short(word)}, a word of {len(word):,} letters"
        return "length", f"{found}, expected at most {MAX_LENGTH}"
    if not letters.issuperset(word):
        hint = " (no capitals, digits, hyphens or accents)" if language == ENGLISH else ""
        expected = f"expected only the letters {language.letters_in_words}{hint}"
        return "letters", f"found {short(word)}, {expected}"
    return None


def _read_rows(path: Path, language: Language) -> list[Row]:
    """The verbs of a table; of rows that are alike, one."""
    rows = read_table(path, columns=(len(language.forms),), language=language)
    return list(dict.fromkeys(tuple(words) for _, words in rows))


def read_pairs(path: Path, known: Sequence[Row], language: Language) -> list[Pair]:
    """Test pairs. The file names no tenses: they are those of the row of `known` that holds both
    words, the earliest columns first ("split splitting" is sp → pg). A verb that no table holds
    needs its tenses as two more columns ("grok grokked sp p")."""
    rows = read_table(path, columns=(2, 4), words=2, language=language)
    wanted = {(cells[0], cells[1]) for _, cells in rows}
    tenses: dict[tuple[str, str], tuple[int, int]] = {}
    for row in known:
        for i, source in enumerate(row):
            for j, target in enumerate(row):
                if i != j and (source, target) in wanted:
                    tenses.setdefault((source, target), (i, j))
    pairs = []
    for number, (source, target, *codes) in rows:
        where, choices = f"{path}, line {number}", ", ".join(language.codes)
        if codes:
            try:
                found = form_number(codes[0], language), form_number(codes[1], language)
            except DataError:
                raise DataError(
                    f"{where}: found the tenses {short(' '.join(codes))}, expected two of {choices}"
                ) from None
        elif (source, target) in tenses:
            found = tenses[source, target]
        else:
            raise DataError(
                f"{where}: no row of the tables holds both {source!r} and {target!r}, so their "
                "tenses are unknown; add them as two more columns, such as "
                f"'{language.codes[0]} {language.codes[-1]}'"
            )
        pairs.append(Pair(source, target, *found))
    return pairs


def read_alternates(path: Path, language: Language) -> Alternates:
    """Further accepted words by (lemma, form); a first line that names the columns is passed over.

    Raises DataError, naming file and line, for an unknown form or a word of other letters.
    """
    found: dict[tuple[str, int], set[str]] = {}
    letters = set(language.letters)
    for position, (number, (lemma, code, form)) in enumerate(read_table(path, (3,), words=0)):
        where = f"{path}, line {number}"
        if code not in language.codes:
            if position == 0:  # the names of the columns
                continue
            raise DataError(
                f"{where}: found tense {short(code)}, expected one of {', '.join(language.codes)}"
            )
        fault = _fault(lemma, letters, language) or _fault(form, letters, language)
        if fault is not None:
            raise DataError(f"{where}: {fault[1]}")
        found.setdefault((lemma, form_number(code, language)), set()).add(form)
    return {key: frozenset(forms) for key, forms in found.items()}


def read_frequency(path: Path) -> dict[str, int]:
    """How often texts use each verb, by lemma; a first line that names the columns is passed over.

    Raises DataError, naming file and line, for a count that is no whole number.
    """
    found = {}
    for position, (number, (lemma, count)) in enumerate(read_table(path, (2,), words=0)):
        if count.isascii() and count.isdigit():
            found[lemma] = int(count)
        elif position > 0:
            raise DataError(
                f"{path}, line {number}: found the count {short(count)}, expected a whole number"
            )
    return found


def load_language(folder: Path) -> Language:
    """The language of a folder: its language.json, or else English.

    Raises DataError, naming the file, if that does not describe a language.
    """
    path = folder / "language.json"
    if not path.exists():
        return ENGLISH
    text = read_text(path, "a description of a language")
    try:
        return Language.from_json(json.loads(text))
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read as JSON: {error}") from None


def load_tables(folder: str | Path = DATA_FOLDER, train: str = "train.txt") -> Tables:
    """Read a folder of verb tables in the course's layout.

    `train` (a column for each form: four in English) and test.txt (two columns) must be there;
    heldout_valid.txt, heldout_test.txt (as `train`), alternates.tsv, frequency.tsv and
    language.json may be.
    Duplicate rows are dropped. Raises DataError with file, line, what was found and what was
    expected.
    """
    folder = Path(folder)
    if not folder.is_dir():
        state = "is not a folder" if folder.exists() else "does not exist"
        raise DataError(f"{folder} {state}: expected a folder with {train} and test.txt")
    language = load_language(folder)

    def optional(name: str) -> list[Row]:
        return _read_rows(folder / name, language) if (folder / name).exists() else []

    rows = _read_rows(folder / train, language)
    valid, test = optional("heldout_valid.txt"), optional("heldout_test.txt")
    alternates, frequency = folder / "alternates.tsv", folder / "frequency.tsv"
    return Tables(
        folder=folder,
        train=rows,
        test=read_pairs(folder / "test.txt", rows + valid + test, language),
        heldout_valid=valid,
        heldout_test=test,
        alternates=read_alternates(alternates, language) if alternates.exists() else {},
        language=language,
        frequency=read_frequency(frequency) if frequency.exists() else {},
    )


def characters_a_word(rows: Sequence[Row]) -> float:
    """Mean characters of a word, EOS included: what turns nats a word into nats a character."""
    lengths = [len(form) + 1 for row in rows for form in row]
    return sum(lengths) / len(lengths)


def miniature(tables: Tables, verbs: int = 60) -> Tables:
    """A list so short that a trial on it takes half a minute: the test pairs' verbs, and others.

    The others are taken at equal distances, from the whole of the alphabet.
    """
    tested = {word for pair in tables.test for word in (pair.source, pair.target)}
    rows = [row for row in tables.train if not tested.isdisjoint(row)]
    others = [row for row in tables.train if tested.isdisjoint(row)]
    distance = max(1, len(others) // max(1, verbs - len(rows)))
    rows = [*rows, *others[::distance]][:verbs]
    return replace(tables, train=rows, heldout_valid=[], heldout_test=[])
