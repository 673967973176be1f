"""labkit.tables: folders of tables as people really make them."""

import json
import re
from itertools import islice, product

import pytest

from labkit.errors import DataError
from labkit.language import ENGLISH
from labkit.tables import load_tables, miniature, read_table

GOOD = "walk walks walking walked\ngo goes going went\n"
PAIRS = "walk walked\nwent goes\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.txt").write_text(GOOD)
    (tmp_path / "test.txt").write_text(PAIRS)
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD.replace(" ", "\t"),
        GOOD.replace(" ", "   "),
        GOOD.rstrip("\n"),
        GOOD.replace("\n", "  \t \n"),
        "\n\n" + GOOD.replace("\n", "\n\n \n"),
        GOOD + GOOD,  # duplicate rows are dropped
    ],
)
def test_tables_as_people_save_them(folder, text):
    (folder / "train.txt").write_bytes(text.encode("utf-8"))
    assert load_tables(folder).train == [
        ("walk", "walks", "walking", "walked"),
        ("go", "goes", "going", "went"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("walk walks walking\n", 1, "found 3 words"),
        (GOOD + "a b c d e\n", 3, "found 5 words"),
        ("\n\nWalk walks walking walked\n", 3, "found 'Walk'"),
        (GOOD + "walk walks walk1ng walked\n", 3, "found 'walk1ng'"),
        (GOOD + "re-do re-does re-doing re-did\n", 3, "found 're-do'"),
        (GOOD + "fête fêtes fêting fêted\n", 3, "found 'fête'"),
    ],
)
def test_bad_rows_are_named_with_file_and_line(folder, text, line, found):
    path = folder / "train.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(f"{path}, line {line}: ")) as error:
        load_tables(folder)
    assert found in str(error.value) and "expected" in str(error.value)


def test_bad_files(folder, tmp_path):
    path = folder / "train.txt"
    path.write_text(" \n\n")
    with pytest.raises(DataError, match="train.txt is empty: expected 4 words a line"):
        load_tables(folder)
    path.write_bytes(b"walk walks walking walked\n\xff\xfe\n")
    with pytest.raises(DataError, match="not UTF-8 text"):
        load_tables(folder)
    path.unlink()
    with pytest.raises(DataError, match="train.txt is missing"):
        load_tables(folder)
    path.mkdir()
    with pytest.raises(DataError, match="train.txt is a folder: expected a text file"):
        load_tables(folder)
    with pytest.raises(DataError, match="nowhere does not exist"):
        load_tables(tmp_path / "nowhere")
    with pytest.raises(DataError, match="test.txt is not a folder"):
        load_tables(folder / "test.txt")


def test_tenses_of_test_pairs(folder):
    tables = load_tables(folder)
    assert [tuple(pair) for pair in tables.test] == [
        ("walk", "walked", 0, 3),
        ("went", "goes", 3, 1),
    ]
    (folder / "test.txt").write_text("sing sang sp p\n")
    assert tuple(load_tables(folder).test[0]) == ("sing", "sang", 0, 3)
    (folder / "test.txt").write_text("walk walked\nsing sang\n")
    with pytest.raises(
        DataError, match=r"test.txt, line 2: no row .* holds both 'sing' and 'sang'"
    ):
        load_tables(folder)
    (folder / "test.txt").write_text("sing sang sp past\n")
    with pytest.raises(DataError, match="test.txt, line 1: found the tenses 'sp past'"):
        load_tables(folder)


def test_a_folder_of_the_course_has_no_heldout_tables(folder):
    tables = load_tables(folder)
    assert tables.heldout_test == [] and tables.heldout_valid == [] and tables.alternates == {}


def test_alternates(folder):
    (folder / "alternates.tsv").write_text("lemma\ttense\tform\ndive\tp\tdove\n")
    assert load_tables(folder).alternates == {("dive", 3): frozenset({"dove"})}
    (folder / "alternates.tsv").write_text("lemma\ttense\tform\ndive\tpast\tdove\n")
    with pytest.raises(DataError, match="alternates.tsv, line 2: found tense 'past'"):
        load_tables(folder)
    (folder / "alternates.tsv").write_text("lemma\ttense\tform\ndive\tp\tDove\n")
    with pytest.raises(DataError, match="alternates.tsv, line 2: found 'Dove'"):
        load_tables(folder)


def test_alternates_need_no_header(folder):
    (folder / "alternates.tsv").write_text("dive\tp\tdove\nsneak\tp\tsnuck\n")
    assert load_tables(folder).alternates == {
        ("dive", 3): frozenset({"dove"}),
        ("sneak", 3): frozenset({"snuck"}),
    }


def test_read_table_keeps_line_numbers(folder):
    (folder / "train.txt").write_text("\n\n" + GOOD)
    assert [number for number, _ in read_table(folder / "train.txt")] == [3, 4]


@pytest.mark.parametrize("name", ["train.txt", "heldout_test.txt"])
def test_a_word_has_at_most_thirty_letters(folder, name):
    longest = "a" * 30
    (folder / name).write_text(GOOD + f"{longest} {longest} {longest} {longest}\n")
    load_tables(folder)
    (folder / name).write_text(GOOD + f"walk walks walking {longest}a\n")
    where = re.escape(f"{folder / name}, line 3: ")
    with pytest.raises(DataError, match=f"{where}found 'a+'?.*, a word of 31 letters.* at most 30"):
        load_tables(folder)


def test_a_long_word_is_not_quoted_whole(folder):
    (folder / "test.txt").write_text(PAIRS + "a" * 100_000 + " walk\n")
    with pytest.raises(DataError, match="line 3: .*100,000 letters") as error:
        load_tables(folder)
    assert len(str(error.value)) < len(str(folder)) + 200


def test_five_thousand_pairs(folder):
    """So many that looking for each in every row would take minutes."""
    verbs = ["".join(letters) for letters in islice(product("abcdefghijklmno", repeat=4), 5000)]
    rows = [(verb, verb + "s", verb + "ing", verb + "ed") for verb in verbs]
    (folder / "train.txt").write_text("".join(" ".join(row) + "\n" for row in rows))
    (folder / "test.txt").write_text("".join(f"{row[1]} {row[3]}\n" for row in reversed(rows)))
    pairs = load_tables(folder).test
    assert [(pair.source, pair.target) for pair in pairs] == [(r[1], r[3]) for r in rows[::-1]]
    assert {(pair.source_tense, pair.target_tense) for pair in pairs} == {(1, 3)}


def test_a_pair_of_equal_words_takes_the_earliest_columns(folder):
    """\"split splitting\" could be sp to pg or p to pg: the first is meant."""
    (folder / "train.txt").write_text(GOOD + "split splits splitting split\n")
    (folder / "test.txt").write_text("split splitting\nsplitting split\n")
    assert [pair[2:] for pair in load_tables(folder).test] == [(0, 2), (2, 0)]


# --- other languages -----------------------------------------------------------------------------

GERMAN = {
    "name": "Deutsch",
    "letters": "abcdefghijklmnopqrstuvwxyzäöüß",
    "forms": [
        {"code": "inf", "name": "Infinitiv"},
        {"code": "er", "name": "dritte Person"},
        {"code": "prät", "name": "Präteritum"},
    ],
}


@pytest.fixture
def german(tmp_path):
    (tmp_path / "language.json").write_text(json.dumps(GERMAN), encoding="utf-8")
    (tmp_path / "train.txt").write_text(
        "la\u0308ufen läuft lief\nessen isst aß\n", encoding="utf-8"
    )
    (tmp_path / "test.txt").write_text("isst aß\ngehen ging inf prät\n", encoding="utf-8")
    return tmp_path


def test_a_folder_may_bring_its_language(german):
    tables = load_tables(german)
    assert tables.language.name == "Deutsch" and tables.language.codes == ("inf", "er", "prät")
    assert tables.train == [("läufen", "läuft", "lief"), ("essen", "isst", "aß")]
    assert [tuple(pair) for pair in tables.test] == [
        ("isst", "aß", 1, 2),
        ("gehen", "ging", 0, 2),
    ]
    assert miniature(tables).language == tables.language
    (german / "test.txt").write_text("gehen ging\n")
    with pytest.raises(DataError, match="two more columns, such as 'inf prät'"):
        load_tables(german)


def test_without_a_language_a_folder_is_english(folder):
    assert load_tables(folder).language == ENGLISH


def test_rows_are_measured_by_the_language(german):
    (german / "train.txt").write_text(GOOD)
    with pytest.raises(DataError, match="line 1: found 4 words .*, expected 3 "):
        load_tables(german)
    (german / "train.txt").write_text("café isst aß\n", encoding="utf-8")
    with pytest.raises(DataError, match="only the letters a-z, ä, ö, ü, ß"):
        load_tables(german)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("[1]", "expected a language such as"),
        (json.dumps({**GERMAN, "letters": "aa"}), "stand twice: a"),
    ],
)
def test_a_language_that_cannot_be_used_is_named_with_its_file(german, text, message):
    (german / "language.json").write_text(text)
    with pytest.raises(DataError, match=f"{re.escape(str(german / 'language.json'))}.*{message}"):
        load_tables(german)
