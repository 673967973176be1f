"""Letters and forms: what words are made of, and which forms a verb has (notebook 02).

A `Language` is small and frozen. `ENGLISH` is the default of every function that takes one, so that
nobody has to name it; a folder of tables may bring its own (`language.json`, see data/README.md).
Below it stand its parts as plain constants, for notebooks and exercises, which are about English.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, NamedTuple

from labkit.errors import DataError, short

MAX_LENGTH = 30  # letters that a word may have; the decoder stops there


class Form(NamedTuple):
    """One of a verb's forms: in English, one of its tenses."""

    code: str  # "sp": on the command line, and in tables
    name: str  # "simple present"


@dataclass(frozen=True)
class Language:
    """The letters that words are made of, and the forms that a verb has.

    Letters are tokens 0, 1, … in their order; behind them follow SOS and EOS. Forms have numbers
    0, 1, …: the columns of a verb table. Raises DataError for letters or forms that cannot be used.
    """

    name: str
    letters: str
    forms: tuple[Form, ...]

    def __post_init__(self) -> None:
        def require(sound: bool, message: str) -> None:
            if not sound:
                raise DataError(f"language {self.name!r}: {message}")

        require(bool(self.letters), "it has no letters")
        doubles = {letter for letter in self.letters if self.letters.count(letter) > 1}
        require(not doubles, f"these letters stand twice: {', '.join(sorted(doubles))}")
        odd = [letter for letter in self.letters if not letter.isprintable() or letter in " ^"]
        require(not odd, f"these cannot be letters: {', '.join(map(repr, odd))}")
        composed = unicodedata.normalize("NFC", self.letters)
        require(composed == self.letters, "write its letters in Unicode's composed form (NFC)")
        require(len(self.forms) >= 2, "it needs at least two forms")
        for what in ("code", "name"):
            values = [getattr(form, what) for form in self.forms]
            require(len(set(values)) == len(values), f"two of its forms have the same {what}")
            require(all(values), f"one of its forms has no {what}")
        unsound = [code for code in self.codes if code != "".join(code.split())]
        require(not unsound, f"a form's code is one word, not {', '.join(map(repr, unsound))}")

    @property
    def sos(self) -> int:
        """Start of sequence: the first token that the decoder reads."""
        return len(self.letters)

    @property
    def eos(self) -> int:
        """End of sequence: the last token that the encoder reads and the decoder writes."""
        return len(self.letters) + 1

    @property
    def vocabulary_size(self) -> int:
        """V: letters, SOS and EOS."""
        return len(self.letters) + 2

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the forms, in the order of their numbers."""
        return tuple(form.code for form in self.forms)

    @property
    def form_names(self) -> tuple[str, ...]:
        """The names of the forms, in the order of their numbers."""
        return tuple(form.name for form in self.forms)

    @property
    def symbols(self) -> list[str]:
        """What each token is called in a figure."""
        return [*self.letters, "SOS", "EOS"]

    @property
    def letters_in_words(self) -> str:
        """The letters for a sentence, runs of the alphabet shortened: "a-z", "a-z, ä, ö, ü, ß"."""
        runs = []
        for _, group in groupby(enumerate(self.letters), lambda pair: ord(pair[1]) - pair[0]):
            run = [letter for _, letter in group]
            runs += [f"{run[0]}-{run[-1]}"] if len(run) > 3 else run
        return ", ".join(runs)

    def to_json(self) -> dict[str, Any]:
        """Plain data, as in language.json."""
        return {**asdict(self), "forms": [form._asdict() for form in self.forms]}

    @classmethod
    def from_json(cls, content: Any) -> Language:
        """The language that `to_json` described. Raises DataError if it is none."""
        try:
            forms = tuple(Form(**form) for form in content["forms"])
            language = cls(content["name"], content["letters"], forms)
        except (TypeError, KeyError, AttributeError):
            raise DataError(
                f"found {short(content)}, expected a language such as {{'name': 'Deutsch', "
                "'letters': 'abc…', 'forms': [{'code': 'inf', 'name': 'Infinitiv'}, …]}"
            ) from None
        texts = [language.name, language.letters, *language.codes, *language.form_names]
        if not all(isinstance(text, str) for text in texts):
            raise DataError(f"found {short(content)}, expected text for names, letters and codes")
        return language


ENGLISH = Language(
    name="English",
    letters="abcdefghijklmnopqrstuvwxyz",
    forms=(
        Form("sp", "simple present"),
        Form("tp", "third person"),
        Form("pg", "present progressive"),
        Form("p", "simple past"),
    ),
)

# English, spelt out. Functions of labkit ask their language instead; a test sees to that.
ALPHABET = ENGLISH.letters
SOS, EOS = ENGLISH.sos, ENGLISH.eos  # 26, 27
TENSES, TENSE_NAMES = ENGLISH.codes, ENGLISH.form_names


def form_number(form: str | int, language: Language = ENGLISH) -> int:
    """0, 1, … of a form given by its code ("sp") or already by its number.

    Raises DataError for anything else.
    """
    if isinstance(form, str) and form in language.codes:
        return language.codes.index(form)
    if isinstance(form, int) and 0 <= form < len(language.forms):
        return form
    codes = ", ".join(language.codes)
    what = "a tense" if language == ENGLISH else f"a form of {language.name}"
    last = len(language.forms) - 1
    raise DataError(f"{short(form)} is not {what}: use one of {codes} (or 0 to {last})")


def tokenize(word: str, language: Language = ENGLISH) -> list[int]:
    """Tokens of a word, EOS included: tokenize("go") == [6, 14, 27].

    Raises DataError for a word that is empty, too long, or has other letters than the language's.
    """
    word = unicodedata.normalize("NFC", word)
    if not word:
        raise DataError(
            f"an empty word: expected one or more of the letters {language.letters_in_words}"
        )
    if len(word) > MAX_LENGTH:
        raise DataError(f"{short(word)} has {len(word)} letters: expected at most {MAX_LENGTH}")
    if bad := sorted({letter for letter in word if letter not in language.letters}):
        raise DataError(
            f"{word!r} contains {', '.join(map(repr, bad))}: expected only the letters "
            f"{language.letters_in_words}"
        )
    return [language.letters.index(letter) for letter in word] + [language.eos]


def detokenize(tokens: Sequence[int], language: Language = ENGLISH) -> str:
    """The word that `tokens` spell, up to the first EOS; the inverse of `tokenize`.

    SOS inside a word, which an untrained decoder may write, is shown as "^".
    """
    letters = []
    for token in tokens:
        if token == language.eos:
            break
        letters.append("^" if token == language.sos else language.letters[token])
    return "".join(letters)
