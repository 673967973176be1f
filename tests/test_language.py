"""labkit.language: letters and forms, and the tokenizer, for English and for any other language."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import DataError
from labkit.language import (
    ALPHABET,
    ENGLISH,
    EOS,
    MAX_LENGTH,
    SOS,
    TENSE_NAMES,
    TENSES,
    Form,
    Language,
    detokenize,
    form_number,
    tokenize,
)

FORMS = (Form("inf", "Infinitiv"), Form("prät", "Präteritum"))
GERMAN = Language("Deutsch", "abcdefghijklmnopqrstuvwxyzäöüß", FORMS)


def is_letter(character):
    """Whether a language may have this letter: written as one character, and visible."""
    composed = unicodedata.normalize("NFC", character) == character
    return composed and character.isprintable() and character not in " ^"


letters = st.characters(exclude_categories=["C", "Z", "M"]).filter(is_letter)
codes = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=4)
forms = st.lists(codes, min_size=2, max_size=6, unique=True).map(
    lambda found: tuple(Form(code, f"the form {code}") for code in found)
)
alphabets = (
    st.lists(letters, min_size=1, max_size=40, unique=True)
    .map("".join)
    .filter(lambda text: unicodedata.normalize("NFC", text) == text)
)
languages = st.builds(Language, st.text(max_size=10), alphabets, forms)


def words_of(language):
    """Words of a language; letters that melt into one when composed do not stand side by side."""
    words = st.text(language.letters, min_size=1, max_size=MAX_LENGTH)
    return words.filter(lambda word: unicodedata.normalize("NFC", word) == word)


@given(st.just(ENGLISH) | st.just(GERMAN) | languages, st.data())
def test_detokenize_is_the_inverse_of_tokenize(language, data):
    word = data.draw(words_of(language))
    tokens = tokenize(word, language)
    assert detokenize(tokens, language) == word
    assert tokens.count(language.eos) == 1 and tokens[-1] == language.eos
    assert len(tokens) == len(word) + 1
    assert max(tokens) < language.vocabulary_size


@given(languages)
def test_json_holds_the_whole_language(language):
    assert Language.from_json(language.to_json()) == language


def test_tokens_by_hand():
    assert tokenize("go") == [6, 14, 27]
    assert detokenize([6, 14, 27, 0, 1]) == "go"
    assert detokenize([26, 6]) == "^g"
    assert tokenize("ß", GERMAN) == [29, 31]
    assert detokenize([GERMAN.sos, 29], GERMAN) == "^ß"


def test_the_english_constants_are_those_of_english():
    assert (ALPHABET, SOS, EOS) == ("abcdefghijklmnopqrstuvwxyz", 26, 27)
    assert TENSES == ("sp", "tp", "pg", "p")
    assert TENSE_NAMES[3] == "simple past"
    assert ENGLISH.vocabulary_size == len(ENGLISH.symbols) == 28


def test_a_letter_and_its_accent_are_one_letter():
    """Some keyboards, and file systems, write ä as an a and two dots."""
    assert tokenize("la\u0308uft", GERMAN) == tokenize("läuft", GERMAN)
    assert len(tokenize("a\u0308" * MAX_LENGTH, GERMAN)) == MAX_LENGTH + 1


@pytest.mark.parametrize("word", ["", "Go", "naïve", "re-do", "go ", "w0rd", "ß", "^"])
def test_words_that_cannot_be_tokenized(word):
    with pytest.raises(DataError, match="a-z"):
        tokenize(word)


def test_messages_name_the_letters_of_the_language():
    with pytest.raises(DataError, match="'é': expected only the letters a-z, ä, ö, ü, ß$"):
        tokenize("café", GERMAN)
    assert Language("x", "abdxyz", FORMS).letters_in_words == "a, b, d, x, y, z"


def test_a_word_may_have_thirty_letters():
    assert len(tokenize("a" * 30)) == 31
    with pytest.raises(DataError, match="has 31 letters: expected at most 30"):
        tokenize("a" * 31)


@pytest.mark.parametrize("tense", ["past", "", 4, -1, "SP", None, 1.5])
def test_unknown_tenses(tense):
    with pytest.raises(DataError, match="is not a tense: use one of sp, tp, pg, p"):
        form_number(tense)


def test_forms_by_code_and_by_number():
    assert [form_number(code) for code in TENSES] == [0, 1, 2, 3] == [*map(form_number, range(4))]
    assert form_number("prät", GERMAN) == 1
    with pytest.raises(DataError, match=r"'p' is not a form of Deutsch: use one of inf, prät \(or"):
        form_number("p", GERMAN)


@pytest.mark.parametrize(
    ("letters", "forms", "message"),
    [
        ("", FORMS, "it has no letters"),
        ("abab", FORMS, "these letters stand twice: a, b$"),
        ("ab ", FORMS, "these cannot be letters: ' '$"),
        ("a^", FORMS, r"these cannot be letters: '\^'$"),
        ("a\n", FORMS, r"these cannot be letters: '\\n'$"),
        ("ba\u0308", FORMS, "composed form"),
        ("ab", (), "at least two forms"),
        ("ab", FORMS[:1], "at least two forms"),
        ("ab", (FORMS[0], FORMS[0]), "two of its forms have the same code"),
        ("ab", (Form("a", "x"), Form("b", "x")), "two of its forms have the same name"),
        ("ab", (Form("", "x"), Form("b", "y")), "one of its forms has no code"),
        ("ab", (Form("a", ""), Form("b", "y")), "one of its forms has no name"),
        ("ab", (Form("a b", "x"), Form("b", "y")), "a form's code is one word, not 'a b'"),
    ],
)
def test_impossible_languages_are_refused_in_one_sentence(letters, forms, message):
    with pytest.raises(DataError, match=f"^language 'Test': .*{message}"):
        Language("Test", letters, forms)


GOOD = GERMAN.to_json()


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        "Deutsch",
        {},
        {**GOOD, "forms": None},
        {**GOOD, "forms": ["inf", "prät"]},
        {**GOOD, "forms": [{"code": "inf"}]},
        {**GOOD, "letters": None},
        {**GOOD, "letters": ["a", "b"]},
        {**GOOD, "name": 3},
        {**GOOD, "forms": [{"code": 1, "name": "a"}, {"code": 2, "name": "b"}]},
        {name: value for name, value in GOOD.items() if name != "letters"},
    ],
)
def test_json_that_describes_no_language(content):
    with pytest.raises(DataError, match="expected|it has no letters"):
        Language.from_json(content)
