"""Lists of one's own: what `labkit words` says of them, and makes of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from labkit.cli import main
from labkit.errors import DataError, RunError
from labkit.language import ENGLISH
from labkit.tables import load_tables
from labkit.wordcheck import check_folder, check_table, short_form
from labkit.wordimport import import_words, split, write_folder

LISTS = Path(__file__).parent / "data"
REGULAR = [
    f"{verb} {verb}s {verb}ing {verb}ed" for verb in ("walk", "jump", "call", "help", "open")
]
MORE = [f"{verb} {verb}s {verb}ing {verb}ed" for verb in ("turn", "play", "show", "need", "want")]


def folder_with(folder: Path, train: str, test: str = "walk walked\n") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "train.txt").write_text(train, encoding="utf-8")
    (folder / "test.txt").write_text(test, encoding="utf-8")
    return folder


def told(folder: Path) -> str:
    return "\n".join(check_folder(folder)[0])


# --- check ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["deutsch", "espanol", "ellinika"])
def test_the_lists_of_other_languages_are_sound(name: str) -> None:
    lines, sound = check_folder(LISTS / name)
    assert sound and not any("✘" in line for line in lines)


def test_the_labs_own_list_is_sound_and_every_table_is_described() -> None:
    lines, sound = check_folder(load_tables().folder)
    text = "\n".join(lines)
    assert sound
    for part in ("train.txt: 1,200 verbs", "heldout_test.txt: 150 verbs", "test.txt: 10 pairs"):
        assert part in text
    assert "alternates.tsv: 181 further accepted words" in text


def test_all_faults_are_counted_with_the_first_of_each_kind(tmp_path: Path) -> None:
    lines = [
        *REGULAR,
        "Go goes going went",
        "abide,abode,abode",
        "see sees seeing",
        "Do does doing did",
    ]
    text = told(folder_with(tmp_path, "\n".join(lines)))
    assert "2 lines have other letters; first: line 6: found 'Go'" in text
    assert "2 lines have another number of words; first: line 7: found 1 word" in text
    assert "expected 4 between blanks or tabs (sp, tp, pg, p)" in text


def test_an_overlong_word_is_named_with_its_length(tmp_path: Path) -> None:
    long = "a" * 10_000
    text = told(folder_with(tmp_path, f"walk walks walking walked\n{long} b c d\n"))
    assert "line 2" in text and "10,000 letters, expected at most 30" in text and len(text) < 1000


def test_odd_rows_are_pointed_at(tmp_path: Path) -> None:
    rows = [
        *REGULAR,
        *MORE,
        "walk walks walked walking",
        "put puts putting put",
        "go goes going went",
    ]
    text = told(folder_with(tmp_path, "infinitive present participle past\n" + "\n".join(rows)))
    assert "look like the names of columns: take the line away; first: line 1" in text
    assert "two of their columns were exchanged; first: line 12" in text
    assert "1 hold one word in two forms (as put and put); first: line 13" in text
    assert "forms that do not begin alike" in text


def test_columns_in_another_order_are_noticed(tmp_path: Path) -> None:
    swapped = [" ".join(row.split()[k] for k in (0, 3, 2, 1)) for row in [*REGULAR, *MORE]]
    assert "too few that end in -s for the third person" in told(
        folder_with(tmp_path, "\n".join(swapped))
    )


def test_a_sound_list_raises_no_doubt(tmp_path: Path) -> None:
    assert "?" not in told(folder_with(tmp_path, "\n".join([*REGULAR, *MORE])))


def test_doubles_are_counted(tmp_path: Path) -> None:
    report = check_table(folder_with(tmp_path, "\n".join([*REGULAR, *REGULAR])) / "train.txt")
    assert len(report.rows) == 5 and report.doubles == [6, 7, 8, 9, 10]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("walk walks walking walked\n".encode("utf-16"), "Set-Content -Encoding utf8"),
        ("walk walks walking walked\ncafé x y z\n".encode("cp1252"), "line 2: this is not UTF-8"),
    ],
)
def test_encodings_are_named_with_line_and_remedy(
    tmp_path: Path, content: bytes, words: str
) -> None:
    folder = folder_with(tmp_path, "")
    (folder / "train.txt").write_bytes(content)
    assert words in told(folder)


def test_the_short_form_says_what_was_read(tmp_path: Path) -> None:
    text = short_form(folder_with(tmp_path, "\n".join([*REGULAR, "put puts putting put"])))
    assert "6 verbs, first: walk walks walking walked" in text
    assert "1 test pairs; no held-out verbs" in text and "labkit words check" in text


def test_the_command_ends_with_status_1_for_a_list_to_mend(tmp_path: Path) -> None:
    run = CliRunner()
    good = folder_with(tmp_path / "good", "\n".join(REGULAR))
    bad = folder_with(tmp_path / "bad", "walk walks\n")
    assert run.invoke(main, ["words", "check", str(good)]).exit_code == 0
    result = run.invoke(main, ["words", "check", str(bad)])
    assert result.exit_code == 1 and "✘" in result.output
    assert run.invoke(main, ["words", "check", str(tmp_path / "none")]).exit_code == 2


# --- import --------------------------------------------------------------------------------------

GERMAN = """Infinitive;Present;Past
gehen;geht;ging
Kommen;kommt;kam
backen;backt/bäckt;backte/buk
abmachen;macht ab;machte ab
tun;tut
rufen;ruft;
gehen;geht;ging
"""


def test_semicolons_a_header_alternates_and_what_is_left_out(tmp_path: Path) -> None:
    source = tmp_path / "verbs.csv"
    source.write_text(GERMAN, encoding="utf-8")
    found = import_words(source, name="Deutsch")
    assert found.rows == [
        ("backen", "backt", "backte"),
        ("gehen", "geht", "ging"),
        ("kommen", "kommt", "kam"),
    ]
    assert found.language.codes == ("infinitive", "present", "past")
    assert found.language.letters.startswith(ENGLISH.letters) and "ä" in found.language.letters
    assert found.alternates == {("backen", 1): ["bäckt"], ("backen", 2): ["buk"]}
    assert sum(found.left_out.values()) == 4  # of several words, too few cells, empty, double
    assert found.changed["written in small letters"] == 1
    written = write_folder(found, tmp_path / "de")
    assert any("train.txt: 3 lines" in line for line in written)
    tables = load_tables(tmp_path / "de")
    assert tables.language == found.language and len(tables.test) == 3
    assert tables.alternates[("backen", 2)] == {"buk"}


def test_a_unimorph_list_needs_its_tags_and_names_the_commonest(tmp_path: Path) -> None:
    source = tmp_path / "deu"
    source.write_text(
        "gehen\tgeht\tV;IND;PRS;3;SG\ngehen\tging\tV;PST;3;SG\nbacken\tbackt\tV;IND;PRS;3;SG\n"
        "backen\tbäckt\tV;IND;PRS;3;SG\nbacken\tbuk\tV;PST;3;SG\nx\ty\tV;PST;3;SG\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError, match=r"commonest tags are .*V;PST;3;SG \(3\)"):
        import_words(source)
    found = import_words(
        source, tags={"er": "V;IND;PRS;3;SG", "prät": "V;PST;3;SG"}, name="Deutsch"
    )
    assert found.rows == [("backt", "buk"), ("geht", "ging")]
    assert found.alternates == {("backt", 0): ["bäckt"]}
    assert found.left_out == {"lack one of the forms": 1}


@pytest.mark.parametrize("separator", [" ", "\t", ",", ";", ", "])
def test_any_separator_gives_english_from_four_plain_columns(
    tmp_path: Path, separator: str
) -> None:
    source = tmp_path / "list"
    source.write_text("\n".join(separator.join(row.split()) for row in REGULAR), encoding="utf-8")
    found = import_words(source)
    assert found.language == ENGLISH and len(found.rows) == 5 and not found.left_out


def test_a_filled_folder_is_refused(tmp_path: Path) -> None:
    source = folder_with(tmp_path / "list", "\n".join(REGULAR)) / "train.txt"
    with pytest.raises(RunError, match="not an empty folder"):
        write_folder(import_words(source), tmp_path / "list")


@given(
    st.lists(
        st.tuples(*[st.text("abc", min_size=1, max_size=3)] * 3),
        min_size=1,
        max_size=40,
        unique=True,
    ),
    st.floats(0, 0.4),
)
def test_verbs_that_share_a_form_stay_together_and_none_is_lost(
    rows: list[tuple[str, ...]], share: float
) -> None:
    parts = split(rows, share)
    assert sorted(row for part in parts for row in part) == sorted(rows)
    assert all(len(part) <= share * len(rows) for part in parts[1:])
    forms = [{word for row in part for word in row} for part in parts]
    assert not (forms[0] & forms[1] or forms[0] & forms[2] or forms[1] & forms[2])


def test_the_import_command_counts_and_says_what_comes_next(tmp_path: Path) -> None:
    source = tmp_path / "verbs.csv"
    source.write_text(GERMAN, encoding="utf-8")
    out = tmp_path / "de"
    result = CliRunner().invoke(
        main, ["words", "import", str(source), "--out", str(out), "--name", "Deutsch"]
    )
    assert result.exit_code == 0, result.output
    assert "3 verbs of 3 forms" in result.output and "left out: 1 repeat" in result.output
    assert f"labkit train --data {out}" in result.output
    assert json.loads((out / "language.json").read_text(encoding="utf-8"))["name"] == "Deutsch"
