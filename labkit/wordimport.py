"""A list of words from elsewhere, made into a folder of verb tables: `labkit words import`.

Reads CSV, TSV, semicolons and blanks, with or without the columns' names, and UniMorph's files
(lemma, form, tags). Nothing is left out without being counted.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path

from labkit.errors import DataError, RunError, short
from labkit.files import read_text, write_whole
from labkit.language import ENGLISH, MAX_LENGTH, Form, Language
from labkit.tables import Row

TEST_PAIRS = 10
_OTHERS = re.compile(r"\s*[/|]\s*")  # between the forms of a cell such as got/gotten
_NAMES = {"lemma", "infinitive", "present", "past", "participle", "verb", "word", "base"}


@dataclass
class Import:
    """What became of a list."""

    language: Language
    rows: list[Row]
    alternates: dict[tuple[str, int], list[str]]  # (lemma, form) -> further words
    left_out: Counter[str] = field(default_factory=Counter)  # reason -> rows
    changed: Counter[str] = field(default_factory=Counter)  # what was done -> words


def read_cells(path: Path) -> list[list[str]]:
    """The cells of every line, whatever separates them: tabs, semicolons, commas or blanks.

    Raises DataError if it is no UTF-8 text, or empty.
    """
    text = unicodedata.normalize("NFC", read_text(path, "a list of words"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise DataError(f"{path} is empty: expected a list of words")
    for delimiter in "\t;,":
        if sum(delimiter in line for line in lines) > len(lines) / 2:
            rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
            return [[" ".join(cell.split()) for cell in row] for row in rows]
    return [line.split() for line in lines]


def is_unimorph(cells: Sequence[Sequence[str]]) -> bool:
    """Whether the lines are UniMorph's: lemma, form, and tags such as V;PST."""
    tagged = sum(len(row) == 3 and bool(re.fullmatch("[A-Z0-9./+;()-]+", row[2])) for row in cells)
    return tagged > 0.9 * len(cells)


def columns_of_unimorph(
    cells: Sequence[Sequence[str]], tags: Mapping[str, str]
) -> tuple[list[list[str]], Counter[str]]:
    """Rows of a verb each out of UniMorph's lines, a column for each of `tags` (code -> tags).

    Further forms under the same tags stand behind a slash. Returns the rows, and how many lemmas
    lack a form. Raises DataError for tags that no line has, with the commonest that there are.
    """
    known = Counter(row[2] for row in cells if len(row) == 3)
    if not tags or any(tag not in known for tag in tags.values()):
        absent = ", ".join(tag for tag in tags.values() if tag not in known)
        common = ", ".join(f"{tag} ({count:,})" for tag, count in known.most_common(12))
        raise DataError(
            f"{f'no line has the tags {absent}' if absent else 'this is a UniMorph list'}: choose "
            f"two or more columns, --form CODE=TAGS each; the commonest tags are {common}"
        )
    forms: dict[str, dict[str, list[str]]] = {}
    for lemma, form, tag in (row for row in cells if len(row) == 3):
        words = forms.setdefault(lemma, {}).setdefault(tag, [])
        if form not in words:
            words.append(form)
    rows = [
        ["/".join(found[tag]) for tag in tags.values()]
        for found in forms.values()
        if all(tag in found for tag in tags.values())
    ]
    return rows, Counter({"lack one of the forms": len(forms) - len(rows)})


def import_words(
    path: Path,
    *,
    name: str | None = None,
    codes: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
    letters: str = "auto",
) -> Import:
    """Read a list of any of these kinds.

    codes: the columns' codes; else those of the first line, if it names columns; else English, if
    there are four columns of the letters a-z. letters: the alphabet, or "auto", all that occur.
    Raises DataError for a list that has no columns to use.
    """
    cells = read_cells(path)
    left_out: Counter[str] = Counter()
    if is_unimorph(cells):
        cells, left_out = columns_of_unimorph(cells, tags or {})
        codes = [*(tags or {})]
    elif tags:
        raise DataError(f"{path} is not a UniMorph list of lemma, form, tags: leave --form out")
    elif _names_columns(cells):
        header, *cells = cells
        codes = codes or ["-".join(cell.lower().split()) for cell in header]
    width = len(codes) or Counter(map(len, cells)).most_common(1)[0][0]
    if width < 2 or not cells:
        raise DataError(f"{path}: found {width} column of words, expected two or more")
    left_out["have another number of columns"] = sum(len(row) != width for row in cells)
    cells = [row for row in cells if len(row) == width]

    changed: Counter[str] = Counter()
    table: list[list[list[str]]] = []  # verb, form, the first word and others accepted
    for row in cells:
        words = [[word for word in _OTHERS.split(cell) if word] for cell in row]
        if not all(words):
            left_out["have an empty cell"] += 1
            continue
        changed["written in small letters"] += sum(w != w.lower() for form in words for w in form)
        table.append([[word.lower() for word in form] for form in words])
    language = _language(name, list(codes), width, letters, table)
    allowed = set(language.letters)
    found: dict[Row, None] = {}
    alternates: dict[tuple[str, int], list[str]] = {}
    for forms in table:
        firsts = tuple(form[0] for form in forms)
        reason = _unfit(firsts, allowed)
        if reason or firsts in found:
            left_out[reason or "repeat an earlier row"] += 1
            continue
        found[firsts] = None
        for number, (_, *others) in enumerate(forms):
            fit = [word for word in others if not _unfit((word,), allowed)]
            changed["kept as an alternate"] += len(fit)
            if fit:
                alternates.setdefault((firsts[0], number), []).extend(fit)
    if not found:
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in left_out.items() if count)
        raise DataError(f"{path}: no row can be used ({reasons})")
    return Import(language, sorted(found), alternates, +left_out, +changed)


def _names_columns(cells: Sequence[Sequence[str]]) -> bool:
    first = {word.lower() for cell in cells[0] for word in re.split(r"[\s_-]", cell)}
    codes = {*ENGLISH.codes, *" ".join(ENGLISH.form_names).split()}
    return bool(first & (_NAMES | codes))


def _language(
    name: str | None, codes: list[str], width: int, letters: str, table: list[list[list[str]]]
) -> Language:
    words = [word for row in table for form in row for word in form]
    if letters == "auto":
        seen = {letter for word in words for letter in word if letter.isalpha()}
        latin = ENGLISH.letters if seen & set(ENGLISH.letters) else ""  # whole, for words to come
        letters = latin + "".join(sorted(seen - set(latin)))
    english = width == len(ENGLISH.forms) and set(letters) <= set(ENGLISH.letters)
    if english and name is None and (not codes or codes == [*ENGLISH.codes]):
        return ENGLISH
    codes = codes or [f"f{number + 1}" for number in range(width)]
    return Language(name or "own words", letters, tuple(Form(code, code) for code in codes))


def _unfit(words: Row, allowed: set[str]) -> str | None:
    """Why these cannot be the forms of a verb, or None."""
    if any(" " in word for word in words):
        return "have a form of several words"
    if any(len(word) > MAX_LENGTH for word in words):
        return f"have a word of more than {MAX_LENGTH} letters"
    if not allowed.issuperset("".join(words)):
        return "have other letters"
    return None


# --- writing -------------------------------------------------------------------------------------


def split(rows: Sequence[Row], share: float) -> tuple[list[Row], list[Row], list[Row]]:
    """(train, valid, test): each held-out table gets `share` of the verbs.

    Verbs that share a form stay together. The order of a hash decides: nothing is random.
    """
    family: dict[str, int] = {}  # form -> number of its family
    members: dict[int, list[Row]] = {}
    for number, row in enumerate(rows):
        joined = {family[word] for word in row if word in family}
        members[number] = [row]
        for other in joined:
            members[number] += members.pop(other)
        for verb in members[number]:
            family.update(dict.fromkeys(verb, number))
    order = sorted(members.values(), key=lambda verbs: _digest(min(verbs)[0]))
    parts: tuple[list[Row], list[Row], list[Row]] = ([], [], [])
    room = int(share * len(rows))
    for verbs in order:
        part = next((k for k in (1, 2) if len(parts[k]) + len(verbs) <= room), 0)
        parts[part].extend(verbs)
    return sorted(parts[0]), sorted(parts[1]), sorted(parts[2])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def pair_lines(rows: Sequence[Row], codes: Sequence[str]) -> list[str]:
    """Ten test pairs: ten verbs from the whole list, conversions in turn."""
    ways = list(permutations(range(len(codes)), 2))
    step = max(1, len(rows) // TEST_PAIRS)
    lines = []
    for number, row in enumerate(rows[::step][:TEST_PAIRS]):
        i, j = ways[number * (len(ways) // 2 + 1) % len(ways)]
        lines.append(f"{row[i]} {row[j]} {codes[i]} {codes[j]}")
    return lines


def write_folder(found: Import, out: Path, heldout: float = 0.0) -> list[str]:
    """Write the tables into a new folder. Returns what was written, a line a file.

    Raises RunError if there is something in the folder already.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunError(f"{out} is not an empty folder: choose another name with --out")
    train, valid, test = split(found.rows, heldout)
    files = {"train.txt": train, "heldout_valid.txt": valid, "heldout_test.txt": test}
    texts = {name: [" ".join(row) for row in rows] for name, rows in files.items() if rows}
    texts["test.txt"] = pair_lines(train, found.language.codes)
    if found.alternates:
        texts["alternates.tsv"] = ["lemma\ttense\tform"] + [
            f"{lemma}\t{found.language.codes[form]}\t{word}"
            for (lemma, form), words in found.alternates.items()
            for word in words
        ]
    if found.language != ENGLISH:
        content = json.dumps(found.language.to_json(), ensure_ascii=False, indent=2)
        texts["language.json"] = [content]
    for name, lines in texts.items():
        _write_text(out / name, "\n".join(lines) + "\n")
    return [
        f"{out / name}: {len(lines):,} lines, first: {short(lines[0])}"
        for name, lines in texts.items()
        if name != "language.json"
    ]


def _write_text(path: Path, text: str) -> None:
    write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
