"""Exercises of notebook 02: tokens, one-hot vectors, the padding mask, the test pairs."""

from __future__ import annotations

import random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from labkit.batches import make_batch
from labkit.data import VOCABULARY_SIZE
from labkit.exercises.core import (
    Exercise,
    NotYet,
    call,
    close,
    describe,
    expect_tensor,
    name_slip,
    register,
)
from labkit.language import ALPHABET, EOS, SOS
from labkit.tables import Pair, Row

_random = random.Random()  # of our own: a check leaves the student's random numbers alone


def _random_word(shortest: int = 1) -> str:
    return "".join(_random.choices(ALPHABET, k=_random.randint(shortest, 9)))


# --- 2.1
def tokenise(word: str) -> list[int]:
    return [ALPHABET.index(letter) for letter in word] + [EOS]  # index raises ValueError for "G"


def _judge_tokenise(answer: Any) -> None:
    for word in ("go", "a", "zoo", *(_random_word() for _ in range(20))):
        got, right, letters = call(answer, word), tokenise(word), tokenise(word)[:-1]
        if not isinstance(got, list) or not all(isinstance(token, int) for token in got):
            raise NotYet(f"expected a plain list of whole numbers, got {describe(got)}")
        slips = {
            "EOS (27) is missing: without it nobody knows that the word is over": letters,
            "SOS is the decoder's first input, no part of the word's tokens": [SOS, *right],
            "SOS does not belong here, and EOS (27) is missing at the end": [SOS, *letters],
            "26 is SOS, the start; the end of a word is EOS, 27": [*letters, SOS],
            "you count from 1: a is 0, b is 1, …, z is 25": [t + 1 for t in letters] + [EOS],
            "ord('a') is 97: subtract it, so that a is 0": [ord(c) for c in word] + [EOS],
        }
        name_slip(got, {f"{word!r} became {got}: {why}": slip for why, slip in slips.items()})
        if got != right:
            raise NotYet(f"{word!r} became {got}, expected {right}")

    def refuses(word: str) -> Any:
        try:
            return f"became {answer(word)}"
        except (ValueError, KeyError) as error:
            return error

    for word in ("Go", "co-star", "naïve"):
        if isinstance(got := call(refuses, word), KeyError):
            raise NotYet(f"{word!r} raised a KeyError: look before you look up, raise a ValueError")
        if isinstance(got, str):
            raise NotYet(
                f"{word!r} {got}: characters other than a-z have no token, so raise a "
                "ValueError rather than feed the model a number that means something else"
            )


# --- 2.2
def detokenise(tokens: list[int]) -> str:
    letters = []
    for token in tokens:
        if token == EOS:
            break
        letters.append(ALPHABET[token])
    return "".join(letters)


def _judge_detokenise(answer: Any) -> None:
    words = ["go", *(_random_word(2) for _ in range(10))]
    cases = [(tokenise(word), word) for word in words]
    cases += [(tokenise(word)[:-1], word) for word in words]
    cases += [([*tokenise(word), *tokenise(_random_word())], word) for word in words]
    cases += [([*tokenise(word), EOS, EOS], word) for word in words] + [([EOS], ""), ([27, 27], "")]
    for tokens, right in cases:
        try:
            got = call(answer, tokens)
        except NotYet as error:
            reason = " (there need not be an EOS: a decoder that is cut off writes none)"
            reason = reason if EOS not in tokens else ""
            if "IndexError" in str(error):
                reason = ". 27 is EOS, for which ALPHABET has no letter: stop before it"
            raise NotYet(f"for {tokens}, {error}{reason}") from None
        if not isinstance(got, str):
            raise NotYet(f"expected a string, got {describe(got)}")
        if got == right:
            continue
        reason = f"expected {right!r}"
        if EOS not in tokens and got == right[:-1]:
            reason = "the last token is a letter (a decoder that is cut off writes no EOS): keep it"
        elif got == "".join(ALPHABET[token] for token in tokens if token != EOS):
            reason = "you skip EOS and read on: the word is over at the *first* EOS"
        elif any(c not in ALPHABET for c in got):
            reason = "EOS ends the word, it is no character of it"
        raise NotYet(f"{tokens} became {got!r}: {reason}")


# --- 2.3
def one_hot(tokens: Tensor) -> Tensor:
    return F.one_hot(tokens, num_classes=28).float()  # (T,) -> (T, V); or torch.eye(28)[tokens]


def _judge_one_hot(answer: Any) -> None:
    words = [tokenise(word) for word in ("go", *(_random_word() for _ in range(5)))]
    for listed in [*words, [0], [6, 14], [SOS, *words[1][:-1]], [25, 25, 1]]:
        right, count = one_hot(torch.tensor(listed)), len(listed)
        try:
            got = call(answer, torch.tensor(listed))
        except NotYet as error:
            small = any(sign in str(error) for sign in ("IndexError", "num_classes"))
            why = " (V is 28: EOS, token 27, needs a column too)" if small else ""
            raise NotYet(f"for {listed}, {error}{why}") from None
        if isinstance(got, Tensor) and got.shape == (VOCABULARY_SIZE,) != (count,):
            raise NotYet("this is one row for the whole word, its order lost: one row a token")
        flat = isinstance(got, list) and not any(isinstance(row, list | Tensor) for row in got)
        if flat or (isinstance(got, Tensor) and got.ndim < 2):
            raise NotYet(
                "these are still one number a character, as in the report's class: for the "
                f"{count} tokens {listed} the result should have shape ({count}, 28), a row a token"
            )
        narrow = {max(listed) + 1, 26, 27} - {VOCABULARY_SIZE}
        if isinstance(got, Tensor) and got.shape in [(count, columns) for columns in narrow]:
            raise NotYet(
                f"{listed} gave {got.shape[1]} columns: the vocabulary has 28, whichever tokens "
                "there happen to be (F.one_hot takes num_classes)"
            )
        if isinstance(got, Tensor) and got.shape == right.T.shape != right.shape:
            raise NotYet("turned by 90°: a row should be a character, (T, V), not (V, T)")
        got = expect_tensor(got, (count, VOCABULARY_SIZE))
        if close(got, right) and got.dtype != torch.float32:
            told = f"the right ones and zeros, but of type {got.dtype}"
            raise NotYet(f"{told}: a product with float weights needs floats; end with .float()")
        if any(close(got, right.roll(shift, 1)) for shift in (-1, 1)):
            raise NotYet("the ones stand one column off: token t has its one in column t, from 0")
        if not close(got, right):
            i = next(i for i in range(count) if not close(got[i], right[i]))
            ones = got[i].nonzero().flatten().tolist()[:5]
            raise NotYet(f"{listed}: row {i} is not 0 in columns {ones}, but should in {listed[i]}")


# --- 2.4
def mask(tokens: Tensor, length: Tensor) -> Tensor:
    return torch.arange(tokens.shape[1]) < length[:, None]  # (T,) < (B, 1) -> (B, T)


def _judge_mask(answer: Any) -> None:
    drawn = ([_random_word() for _ in range(count)] for count in (1, 1, 2, 6))
    for words in (["go", "went", "going"], *drawn):
        batch = make_batch(words, [0] * len(words))
        tokens = F.pad(batch.tokens, (0, _random.randint(0, 2)), value=EOS)  # a bigger batch's cut
        got, right = call(answer, tokens, batch.length), mask(tokens, batch.length)
        if isinstance(got, Tensor) and got.shape == right.T.shape != right.shape:
            raise NotYet("turned by 90°: rows are words, columns positions, (B, T)")
        got = expect_tensor(got, tuple(right.shape), "the mask, (B, T),")
        n = int(batch.length[0])
        shown = f"{words[0]!r} has {n} tokens, EOS included: its row should begin with {n} True"
        places, own_eos = torch.arange(tokens.shape[1]), batch.length[:, None] - 1
        slips = {
            f"upside down: True marks the word, False the padding ({shown})": ~right,
            f"a word's own EOS got False, but is to be learned ({shown})": places < own_eos,
            f"one True too many: positions count from 0 ({shown})": places <= own_eos + 1,
            f"nothing is masked ({shown})": torch.ones_like(right),
        }
        if not close(got.double(), right):
            name_slip(got.double(), slips)
            raise NotYet(f"row 0 is {got[0].tolist()}: {shown}")
        if got.dtype != torch.bool:
            raise NotYet(f"the right places, but of type {got.dtype}: a mask is of type torch.bool")


# --- 2.5
def seen(pairs: list[Pair], rows: list[Row]) -> int:
    words = {form for row in rows for form in row}  # all four columns, not the lemmas alone
    return sum(pair.source in words and pair.target in words for pair in pairs)


def _judge_seen(answer: Any) -> None:
    rows: list[Row] = [
        ("send", "sends", "sending", "sent"),
        ("heal", "heals", "healing", "healed"),
        ("lie", "lies", "lying", "lay"),
        ("lie", "lies", "lying", "lied"),
        ("lay", "lays", "laying", "laid"),
        ("find", "finds", "finding", "found"),
    ]
    both = [Pair("sent", "sends", 3, 1), Pair("lie", "lay", 0, 3), Pair("lay", "lie", 3, 0)]
    both += [Pair("heal", "healed", 0, 3), Pair("found", "finding", 0, 2)]  # a word of another row
    none = [Pair("end", "ends", 0, 1), Pair("end", "ending", 0, 2), Pair("walk", "walked", 0, 3)]
    half = [Pair("sent", "sender", 3, 0), Pair("heals", "healer", 1, 0), Pair("bend", "sent", 0, 3)]
    twice = [Pair("lie", "lying", 0, 2), Pair("heal", "heals", 0, 1)]  # the first is in two rows
    apart = [Pair("sent", "heals", 3, 1), Pair("heals", "lying", 1, 2), Pair("laid", "send", 3, 0)]
    mixed = both + none + half + twice + apart
    drawn = (_random.sample(mixed, _random.randint(2, 9)) for _ in range(10))
    for pairs in (both, none, half, twice, apart, [], *drawn):
        got, right = call(answer, pairs, rows), seen(pairs, rows)
        if isinstance(got, bool) or not isinstance(got, int | float):
            raise NotYet(f"expected a number, as len(...) gives it, got {describe(got)}")
        if got != right:
            if got == call(answer, mixed, rows) == call(answer, [], rows):
                why = "Count. (A word may be in a row, never in `rows`.)"
                raise NotYet(f"you return {got} for any pairs, and even for none. {why}")
            told = ", ".join(f"{pair.source} → {pair.target}" for pair in pairs) or "no pairs"
            told += f": got {got}, expected {right}"
            slips = _slips_in_seen(pairs, rows)
            name_slip(got, {f"{told}: {why}": result for why, result in slips.items()})
            raise NotYet(told)


def _slips_in_seen(pairs: list[Pair], rows: list[Row]) -> dict[str, float]:
    placed = {(form, tense) for row in rows for tense, form in enumerate(row)}
    words, lemmas = {form for form, _ in placed}, {row[0] for row in rows}
    text, known = " ".join(words), [(p.source in words, p.target in words) for p in pairs]
    inside = [p.source in text and p.target in text for p in pairs]
    homes = [sum(p.source in row and p.target in row for row in rows) for p in pairs]
    return {
        "the two words need not be in the same row": sum(map(bool, homes)),
        "look in *all* columns, not in each word's own": sum(
            {pair[::2], pair[1::2]} <= placed
            for pair in pairs  # (source, tense), (target, tense)
        ),
        "a pair counts once, in however many rows it is": sum(homes),
        "you count words; a pair counts once": 2 * len(pairs),
        "look in all four columns": sum({p.source, p.target} <= lemmas for p in pairs),
        "look in all four columns, for both words": sum(p.source in lemmas for p in pairs),
        "the target must be known too": sum(source for source, _ in known),
        "the source must be known too": sum(target for _, target in known),
        "both words must be known, not one": sum(map(any, known)),
        "that is how many pairs there are: look the words up": len(pairs),
        "'end' in 'send' is True: compare words": sum(inside),
        "that is the share; count the pairs": sum(map(all, known)) / max(1, len(pairs)),
    }


register(
    Exercise(
        "2.1", "Tokenise a word", 1, _judge_tokenise,
        hints=(
            "ALPHABET is the string 'abc…z'; ALPHABET.index('c') is 2, and raises a ValueError for "
            "'C'. (ord('C') - 97 does not complain, and neither does ALPHABET.find.)",
            "[ALPHABET.index(letter) for letter in word], and one more token at the end.",
        ),
        solution=tokenise,
        why="the encoder reads the letters, then EOS; what is not a-z has no token and is refused.",
    ),
    Exercise(
        "2.2", "The way back", 1, _judge_detokenise,
        hints=(
            "Walk along the tokens, collecting letters. What should 27 do, and what if none comes?",
            "Loop over tokens: break at EOS, else collect ALPHABET[token]; ''.join at the end.",
        ),
        solution=detokenise,
        why="the first EOS ends the word, whatever comes behind it; a word cut off has none.",
    ),
    Exercise(
        "2.3", "Find the slip: a “one-hot encoder” that is none", 2, _judge_one_hot,
        hints=(
            "What is the shape of the class's result for a word of T tokens? What should it be?",
            "F.one_hot(tokens, num_classes=28) and then .float(); or torch.eye(28)[tokens].",
        ),
        solution=one_hot,
        why="each row has a single 1, so its product with a matrix is one row of that matrix: the "
        "look-up that nn.Embedding does straight from the index.",
    ),
    Exercise(
        "2.4", "Which positions are real?", 2, _judge_mask,
        hints=(
            "Position t of word b is real when t < length[b]. Padding and a word's own EOS are "
            "both 27, so comparing tokens with EOS cannot tell them apart.",
            "torch.arange(T) is (T,), length[:, None] is (B, 1): comparing gives (B, T) booleans.",
        ),
        solution=mask,
        why="only the length knows where a word ends; its EOS counts: the model must learn it.",
    ),
    Exercise(
        "2.5", "Find the slip: is the test new to the model?", 2, _judge_seen,
        hints=(
            "First collect every training word, from all four columns, in a set.",
            "words = {form for row in rows for form in row}; how many pairs have both words in it?",
        ),
        solution=seen,
        why="two training words ask the model to recall; they cannot show that it generalises.",
    ),
)  # fmt: skip
