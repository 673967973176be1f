"""The verb tables of `data/`: their form, their size, and that what is held out is held out."""

import csv
import importlib.util
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from labkit.measures.regular import is_irregular

DATA = Path(__file__).resolve().parent.parent / "data"
TRAIN = ["train.txt", "train_large.txt"]
HELDOUT = ["heldout_valid.txt", "heldout_test.txt"]
TENSES = ["sp", "tp", "pg", "p"]  # the columns' order

COURSE_ROWS = """
abandon abandons abandoning abandoned
abet abets abetting abetted
begin begins beginning began
expend expends expending expended
flare flares flaring flared
function functions functioning functioned
heal heals healing healed
send sends sending sent
split splits splitting split
"""
TEST_PAIRS = """\
abandon abandoned
abet abetting
begin begins
expend expends
sent sends
split splitting
flared flare
functioning function
functioning functioned
healing heals
"""
TEST_TENSES = ["sp p", "sp pg", "sp tp", "sp tp", "p tp", "sp pg", "p sp", "pg sp", "pg p", "pg tp"]

_spec = importlib.util.spec_from_file_location("data_build", DATA / "build.py")
assert _spec is not None
assert _spec.loader is not None
build = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(build)


def text(name: str) -> str:
    return (DATA / name).read_bytes().decode("ascii")


def rows(name: str) -> list[list[str]]:
    return [line.split(" ") for line in text(name).splitlines()]


def surfaces(*names: str) -> set[str]:
    return {form for name in names for row in rows(name) for form in row}


def alternates() -> list[list[str]]:
    return list(csv.reader(text("alternates.tsv").splitlines(), delimiter="\t"))


@pytest.mark.parametrize("name", TRAIN + HELDOUT)
def test_each_line_is_four_lower_case_words(name: str) -> None:
    assert re.fullmatch(r"([a-z]+ [a-z]+ [a-z]+ [a-z]+\n)+", text(name))


@pytest.mark.parametrize("name", TRAIN + HELDOUT)
def test_no_row_and_no_lemma_twice_and_sorted(name: str) -> None:
    lemmas = [row[0] for row in rows(name)]
    assert [lemma for lemma, count in Counter(lemmas).items() if count > 1] == []
    assert lemmas == sorted(lemmas)


@pytest.mark.parametrize("name", TRAIN + HELDOUT)
def test_forms_end_as_their_tense_does(name: str) -> None:
    odd = [row for row in rows(name) if not (row[1].endswith("s") and row[2].endswith("ing"))]
    assert odd == []


@pytest.mark.parametrize(
    ("name", "fewest", "most", "least_irregular", "most_irregular"),
    [
        ("train.txt", 1150, 1250, 0.10, 0.13),
        ("train_large.txt", 4000, 4800, 0.03, 0.05),
        ("heldout_valid.txt", 150, 150, 0.08, 0.13),
        ("heldout_test.txt", 150, 150, 0.23, 0.27),
    ],
)
def test_sizes_and_share_of_irregular_verbs(
    name: str, fewest: int, most: int, least_irregular: float, most_irregular: float
) -> None:
    table = rows(name)
    irregular = [row for row in table if is_irregular(tuple(row))]
    assert fewest <= len(table) <= most
    assert least_irregular <= len(irregular) / len(table) <= most_irregular


def test_train_is_part_of_train_large() -> None:
    assert set(text("train.txt").splitlines()) < set(text("train_large.txt").splitlines())


@pytest.mark.parametrize("name", HELDOUT)
def test_no_held_out_form_is_trained_on(name: str) -> None:
    assert surfaces(name) & surfaces(*TRAIN) == set()


def test_the_two_held_out_tables_share_no_form() -> None:
    assert surfaces(HELDOUT[0]) & surfaces(HELDOUT[1]) == set()


def test_accepted_forms_of_held_out_verbs_are_not_trained_on_either() -> None:
    held = {row[0] for name in HELDOUT for row in rows(name)}
    accepted = {form for lemma, _, form in alternates()[1:] if lemma in held}
    trained = {form for lemma, _, form in alternates()[1:] if lemma not in held}
    assert accepted & (surfaces(*TRAIN) | trained) == set()


def test_families_of_irregular_verbs_are_not_split() -> None:
    """Found again here from the tables alone, by plain prefixes, apart from the script's way."""
    side = {row[0]: (name, row[3]) for name in ["train_large.txt", *HELDOUT] for row in rows(name)}
    irregular = {
        row[0] for name in TRAIN + HELDOUT for row in rows(name) if is_irregular(tuple(row))
    }
    prefixes = ["a", "be", "broad", "for", "fore", "in", "inter", "mis", "off", "out", "over"]
    prefixes += ["re", "type", "un", "under", "up", "with"]
    pairs = [
        (prefix + base, base)
        for base, (_, past) in side.items()
        for prefix in prefixes
        if base in irregular and side.get(prefix + base, ("", ""))[1] == prefix + past
    ]
    assert len(pairs) > 30
    assert [(verb, base) for verb, base in pairs if side[verb][0] != side[base][0]] == []


def test_the_nine_course_verbs_have_their_right_forms() -> None:
    wanted = COURSE_ROWS.strip().splitlines()
    assert len(wanted) == 9
    assert set(wanted) <= set(text("train.txt").splitlines())


def test_the_ten_pairs_in_their_order() -> None:
    assert text("test.txt") == TEST_PAIRS


def test_the_ten_pairs_follow_from_training_rows() -> None:
    for (source, target), tenses in zip(rows("test.txt"), TEST_TENSES, strict=True):
        i, j = (TENSES.index(tense) for tense in tenses.split())
        assert any(row[i] == source and row[j] == target for row in rows("train.txt")), source


def test_alternates_are_other_forms_of_verbs_in_the_tables() -> None:
    header, *lines = alternates()
    table = {row[0]: row for name in TRAIN + HELDOUT for row in rows(name)}
    assert header == ["lemma", "tense", "form"]
    assert len({tuple(line) for line in lines}) == len(lines) > 100
    for lemma, tense, form in lines:
        assert lemma in table
        assert re.fullmatch("[a-z]+", form), form
        assert form != table[lemma][TENSES.index(tense)], lemma
    assert {("travel", "p", "travelled"), ("dive", "p", "dove"), ("kneel", "p", "kneeled")} <= {
        tuple(line) for line in lines
    }


@pytest.mark.parametrize(
    ("lemma", "past", "irregular"),
    [
        ("walk", "walked", False),
        ("bake", "baked", False),
        ("agree", "agreed", False),
        ("try", "tried", False),
        ("stop", "stopped", False),
        ("quiz", "quizzed", False),
        ("mimic", "mimicked", False),
        ("play", "played", False),
        ("pay", "paid", True),
        ("go", "went", True),
        ("put", "put", True),
        ("bleed", "bled", True),
        ("keep", "kept", True),
    ],
)
def test_what_counts_as_irregular(lemma: str, past: str, irregular: bool) -> None:
    assert is_irregular((lemma, "", "", past)) is irregular


def test_the_tables_are_what_the_lexicons_give() -> None:
    for package in ("lemminflect", "pyinflect"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"rebuilding needs {package}; the top of data/build.py says how to install")
    for folder in (build.SCOWL, build.WORDNET):
        if not folder.is_dir():
            pytest.skip(f"rebuilding needs {folder}; the top of data/build.py says how to install")
    command = [sys.executable, str(DATA / "build.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
