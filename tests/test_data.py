"""labkit.data: the tokenizer, folders of tables as people really make them, and batches."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labkit.data import (
    ALPHABET,
    EOS,
    DataError,
    WordSet,
    detokenize,
    load_tables,
    make_batch,
    padding_mask,
    read_table,
    tense_code,
    tokenize,
)

words = st.text(alphabet=ALPHABET, min_size=1, max_size=15)
GOOD = "walk walks walking walked\ngo goes going went\n"
PAIRS = "walk walked\nwent goes\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.txt").write_text(GOOD)
    (tmp_path / "test.txt").write_text(PAIRS)
    return tmp_path


@given(words)
def test_detokenize_is_the_inverse_of_tokenize(word):
    tokens = tokenize(word)
    assert detokenize(tokens) == word
    assert tokens.count(EOS) == 1 and tokens[-1] == EOS and len(tokens) == len(word) + 1


def test_tokens_by_hand():
    assert tokenize("go") == [6, 14, 27]
    assert detokenize([6, 14, 27, 0, 1]) == "go"
    assert detokenize([26, 6]) == "^g"


@pytest.mark.parametrize("word", ["", "Go", "naïve", "re-do", "go ", "w0rd", "ß"])
def test_words_that_cannot_be_tokenized(word):
    with pytest.raises(DataError, match="a-z"):
        tokenize(word)


@pytest.mark.parametrize("tense", ["past", "", 4, -1, "SP", None, 1.5])
def test_unknown_tenses(tense):
    with pytest.raises(DataError, match="use one of sp, tp, pg, p"):
        tense_code(tense)


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
    with pytest.raises(DataError, match="alternates.tsv, line 2"):
        load_tables(folder)


def test_read_table_keeps_line_numbers(folder):
    (folder / "train.txt").write_text("\n\n" + GOOD)
    assert [number for number, _ in read_table(folder / "train.txt")] == [3, 4]


@given(st.lists(words, min_size=1, max_size=8))
def test_batches_hold_every_word_and_pad_with_eos(batch_words):
    batch = make_batch(batch_words, [0] * len(batch_words))
    mask = padding_mask(batch.length, batch.tokens.shape[1])
    assert [detokenize(row) for row in batch.tokens.tolist()] == batch_words
    assert mask.sum(dim=1).tolist() == [len(word) + 1 for word in batch_words]
    assert (batch.tokens[~mask] == EOS).all()


def test_make_batch_refuses_nonsense():
    with pytest.raises(DataError, match="2 words but 1 tenses"):
        make_batch(["a", "b"], [0])
    with pytest.raises(DataError, match="no words"):
        make_batch([], [])


@pytest.mark.parametrize("batch_size", [1, 7, 64, 10_000])
def test_an_epoch_holds_every_word_once(batch_size):
    words = WordSet(load_tables().train[:50])
    seen = []
    for batch in words.batches(batch_size, torch.Generator().manual_seed(3)):
        assert batch.tokens.shape[1] == batch.length.max()
        seen += [
            (detokenize(row), tense)
            for row, tense in zip(batch.tokens.tolist(), batch.tense.tolist(), strict=True)
        ]
    wanted = [(form, tense) for row in words.rows for tense, form in enumerate(row)]
    assert sorted(seen) == sorted(wanted)


def test_batches_are_shuffled_by_the_generator_alone():
    words = WordSet(load_tables().train[:50])

    def epoch(seed):
        return [b.tokens.tolist() for b in words.batches(8, torch.Generator().manual_seed(seed))]

    assert epoch(1) == epoch(1) != epoch(2)
