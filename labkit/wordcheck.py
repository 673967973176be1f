"""What a folder of words holds, and what looks wrong with it: behind `labkit words check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from labkit.errors import DataError
from labkit.language import ENGLISH, Language
from labkit.tables import (
    Fault,
    Row,
    load_language,
    load_tables,
    read_alternates,
    read_frequency,
    read_pairs,
    scan_table,
)

_COLUMN_NAMES = {"lemma", "infinitive", "present", "past", "participle", "verb", "form", "word"}
_ENGLISH_ENDINGS = (None, "s", "ing", "ed")  # of most words in each column


@dataclass
class TableReport:
    """What one verb table holds. Lines are numbers, counted from 1."""

    path: Path
    rows: list[tuple[int, Row]]  # line and forms of each sound row, doubles left out
    doubles: list[int]  # lines that repeat an earlier row
    faults: list[Fault]  # lines that cannot be used
    oddities: dict[str, list[int]] = field(default_factory=dict)  # what looks wrong -> lines

    @property
    def summary(self) -> str:
        """One line: how many verbs, and the first."""
        first = f", first: {' '.join(self.rows[0][1])}" if self.rows else ""
        doubles = f", {len(self.doubles):,} doubles left out" if self.doubles else ""
        return f"{self.path.name}: {len(self.rows):,} verbs{doubles}{first}"


def check_table(path: Path, language: Language = ENGLISH) -> TableReport:
    """Read one verb table and look at every row. Raises DataError if it cannot be read as text."""
    scanned, faults = scan_table(path, (len(language.forms),), language=language)
    lines: dict[Row, int] = {}
    doubles = []
    for line, cells in scanned:
        row = tuple(cells)
        if row in lines:
            doubles.append(line)
        lines.setdefault(row, line)
    report = TableReport(path, [(line, row) for row, line in lines.items()], doubles, faults)
    report.oddities = _oddities(report.rows, language)
    return report


def _oddities(rows: Sequence[tuple[int, Row]], language: Language) -> dict[str, list[int]]:
    unlike = [line for line, row in rows if len({word[0] for word in row}) > 1]
    twice = [line for line, row in rows if len(set(row)) < len(row)]
    found = {}
    if rows:
        line, first = rows[0]
        names = {*_COLUMN_NAMES, *language.codes, *" ".join(language.form_names).lower().split()}
        if any(word in names for word in first) and (line in unlike or names.issuperset(first)):
            found["look like the names of columns: take the line away"] = [line]
    if swapped := _swapped(rows):
        found["look as if two of their columns were exchanged"] = swapped
    if language == ENGLISH and len(rows) > 5:
        for column, ending in enumerate(_ENGLISH_ENDINGS):
            seen = sum(row[column].endswith(ending or "") for _, row in rows)
            if ending and seen < len(rows) / 2:
                name = language.form_names[column]
                found[
                    f"are too few that end in -{ending} for the {name} in column {column + 1}"
                ] = [line for line, row in rows if not row[column].endswith(ending)]
    found["hold forms that do not begin alike (as go and went)"] = unlike
    found["hold one word in two forms (as put and put)"] = twice
    return {text: lines for text, lines in found.items() if lines}


def _swapped(rows: Sequence[tuple[int, Row]]) -> list[int]:
    """Lines in which two words have each the ending of the other's column, and not of its own."""
    if len(rows) < 10:
        return []
    columns = list(zip(*(row for _, row in rows), strict=True))
    endings: list[str | None] = []
    for column in columns:
        common = None
        for length in (1, 2, 3):
            ending, count = Counter(word[-length:] for word in column).most_common(1)[0]
            common = ending if count > 0.6 * len(rows) else common
        endings.append(common)
    pairs = [
        (i, j, endings[i], endings[j])
        for i in range(len(columns))
        for j in range(len(columns))
        if i != j and endings[i] and endings[j] and endings[i] != endings[j]
    ]
    return [
        line
        for line, row in rows
        if any(
            i < j
            and row[i].endswith(theirs or "")
            and row[j].endswith(own or "")
            and not (row[i].endswith(own or "") or row[j].endswith(theirs or ""))
            for i, j, own, theirs in pairs
        )
    ]


def describe(report: TableReport) -> Iterator[str]:
    """A table's report in lines of text: what was read, every kind of fault, what looks odd."""
    yield report.summary
    kinds: dict[str, list[Fault]] = {}
    for fault in report.faults:
        kinds.setdefault(fault.kind, []).append(fault)
    names = {
        "columns": "another number of words",
        "letters": "other letters",
        "length": "overlong words",
    }
    for kind, faults in kinds.items():
        first = faults[0]
        yield f"  ✘ {_lines(len(faults))} {names[kind]}; first: line {first.line}: {first.message}"
    for text, lines in report.oddities.items():
        example = dict(report.rows)[lines[0]]
        yield f"  ? {len(lines):,} {text}; first: line {lines[0]}: {' '.join(example)}"


def _lines(count: int) -> str:
    return f"{count:,} line{'s have' if count > 1 else ' has'}"


def check_folder(folder: Path) -> tuple[list[str], bool]:
    """All tables of a folder, or one table, described; and whether they can be used.

    Raises DataError if there is nothing of the kind.
    """
    if not folder.exists():
        raise DataError(f"{folder} does not exist: expected a folder of verb tables, or one table")
    place = folder if folder.is_dir() else folder.parent
    language = load_language(place)
    forms = ", ".join(f"{form.code} {form.name}" for form in language.forms)
    lines = [
        f"{language.name}: letters {language.letters_in_words}",
        f"{len(language.forms)} columns: {forms}",
    ]
    names = ("train.txt", "train_large.txt", "heldout_valid.txt", "heldout_test.txt")
    there = [place / name for name in names if (place / name).exists()]
    known: list[Row] = []
    sound = True
    for path in there if folder.is_dir() else [folder]:
        try:
            report = check_table(path, language)
        except DataError as error:
            lines.append(f"{path.name}: ✘ {error}")
            sound = False
            continue
        lines += describe(report)
        known += [row for _, row in report.rows]
        sound = sound and bool(report.rows) and not report.faults
    if folder.is_dir():
        if folder / "train.txt" not in there:
            lines.append(f"✘ {folder / 'train.txt'} is missing")
            sound = False
        for name, look_at in (
            ("test.txt", _pairs),
            ("alternates.tsv", _alternates),
            ("frequency.tsv", _frequency),
        ):
            if name == "test.txt" or (folder / name).exists():
                try:
                    lines.append(f"{name}: {look_at(folder / name, known, language)}")
                except DataError as error:
                    lines.append(f"{name}: ✘ {error}")
                    sound = False
    return lines, sound


def _pairs(path: Path, known: Sequence[Row], language: Language) -> str:
    pairs = read_pairs(path, known, language)
    source, target, i, j = pairs[0]
    codes = language.codes
    return f"{len(pairs):,} pairs, first: {source} → {target} ({codes[i]} → {codes[j]})"


def _alternates(path: Path, _known: Sequence[Row], language: Language) -> str:
    return f"{sum(map(len, read_alternates(path, language).values())):,} further accepted words"


def _frequency(path: Path, known: Sequence[Row], _language: Language) -> str:
    counts = read_frequency(path)
    listed = sum(row[0] in counts for row in known)
    return f"how often {listed:,} of the verbs are used"


def short_form(folder: Path) -> str:
    """What training says of a list before it begins. Raises DataError as reading does."""
    tables = load_tables(folder)
    report = check_table(folder / "train.txt", tables.language)
    heldout = len(tables.heldout_test)
    odd = sum(map(len, report.oddities.values()))
    hint = f" {odd:,} odd rows: see 'labkit words check {folder}'." if odd else ""
    return (
        f"{report.summary}; {len(tables.test):,} test pairs; "
        f"{f'{heldout:,} held-out verbs' if heldout else 'no held-out verbs'}.{hint}"
    )
