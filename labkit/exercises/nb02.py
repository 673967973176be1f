"""Exercises of notebook 02: tokens, one-hot vectors, the padding mask, the test pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from labkit.batches import make_batch
from labkit.exercises.core import Case, Draw, Exercise, register
from labkit.exercises.results import (
    NotAttempted,
    NotYet,
    Number,
    TensorOf,
    Tokens,
    describe,
    is_number,
    plain,
    short,
    text,
)
from labkit.language import ALPHABET, EOS, SOS
from labkit.tables import Pair, Row


def _random_word(draw: Draw, shortest: int = 1) -> str:
    return "".join(draw.choices(ALPHABET, k=draw.randint(shortest, 9)))


# 2.1
def tokenise(word: str) -> list[int]:
    return [ALPHABET.index(letter) for letter in word] + [EOS]  # index raises ValueError for "G"


class _Answer(NamedTuple):
    """What came of a word that should be refused."""

    told: str


def _or_refusal(function: Callable[[str], Any], word: str) -> Any:
    """The tokens of a word, or what came of a word that should be refused."""
    if set(word) <= set(ALPHABET):
        return function(word)
    try:
        result = function(word)
    except (NotAttempted, NotYet):
        raise
    except Exception as error:
        kind = ValueError if isinstance(error, ValueError) else type(error)
        return _Answer(f"raised {kind.__name__}")
    if isinstance(result, BaseException):
        return _Answer(f"returned the exception {type(result).__name__}")
    return _Answer(f"gave {short(result)}")


class _TokensOrRefusal:
    """A list of whole numbers, or an _Answer."""

    def read(self, value: Any, right: Any) -> Any:
        if isinstance(value, _Answer):
            return value
        tokens = [plain(item) for item in value[: len(right) + 50]] if type(value) is list else []
        if not tokens or not all(is_number(item) and isinstance(item, int) for item in tokens):
            raise NotYet(f"expected a plain list of whole numbers, got {describe(value)}")
        return tokens

    def same(self, a: Any, b: Any) -> bool:
        return bool(a == b)

    def show(self, got: Any, right: Any) -> str:
        if not isinstance(got, _Answer):
            return Tokens().show(got, right)
        told = f"{got.told}, expected a ValueError"
        if got.told.startswith("raised"):
            return told
        if got.told.startswith("returned"):
            return f"{got.told}, where a ValueError is to be raised"
        return f"{told}, since a wrong number would be learned from without a complaint"


def _word_cases(draw: Draw) -> list[tuple[str]]:
    """Words to tokenise, then words to refuse."""
    words = ["go", "a", "zoo", "overgeneralising", ALPHABET]
    words += [_random_word(draw) for _ in range(5)]
    bad = ["Go", "walK", "co-star", "naïve", "walk2", "go on", "go\n", "{", "a`", "don't"]
    bad += [f"ab{odd}c" for odd in "_,.@[/\t'1éß"]
    for _ in range(5):
        start, end = _random_word(draw), _random_word(draw)
        bad.append(start + draw.choice("AGMXYZ-_'.,!0179 éßñ") + end)
    return [(word,) for word in words + bad]


def _each(token: Callable[[str], Any], allowed: Callable[[str], bool] = lambda word: True) -> Any:
    """A wrong solution to 2.1 that looks each letter up by `token`, if the word is `allowed`."""

    def wrong(word: str) -> list[Any]:
        if not allowed(word):
            raise ValueError(word)
        return [token(letter) for letter in word] + [EOS]

    return wrong


def _by_ord(letter: str) -> int:
    return ord(letter) - ord("a")


def _checked_by_assert(word: str) -> list[int]:
    assert all(letter in ALPHABET for letter in word)
    return tokenise(word)


register(
    Exercise(
        id="2.1",
        title="Tokenise a word",
        difficulty=1,
        starter="def tokenise(word: str) -> list[int]:\n    return ...",
        solution=tokenise,
        result=_TokensOrRefusal(),
        cases=_word_cases,
        call=_or_refusal,
        slips={
            "EOS (27) is missing: without it nobody knows that the word is over": (
                lambda word: tokenise(word)[:-1]
            ),
            "SOS is the decoder's first input, no part of the word's tokens": (
                lambda word: [SOS, *tokenise(word)]
            ),
            "SOS does not belong here, and EOS (27) is missing at the end": (
                lambda word: [SOS, *tokenise(word)[:-1]]
            ),
            "26 is SOS, the start; the end of a word is EOS, 27": (
                lambda word: [*tokenise(word)[:-1], SOS]
            ),
            "EOS (27) belongs at the end, not at the beginning": (
                lambda word: [EOS, *tokenise(word)[:-1]]
            ),
            "EOS (27) is the end and SOS (26) the start, and SOS does not belong here": (
                lambda word: [EOS, *tokenise(word)[:-1], SOS]
            ),
            "one EOS is enough, at the end": lambda word: [EOS, *tokenise(word)],
            "one EOS is enough": lambda word: [*tokenise(word), EOS],
            "EOS stands once, at the end, not after every letter": lambda word: [
                token for letter in word for token in tokenise(letter)
            ],
            "you count from 1: a is 0, b is 1, …, z is 25": lambda word: [
                *(token + 1 for token in tokenise(word)[:-1]),
                EOS,
            ],
            "the order of the letters is turned round": lambda word: tokenise(word[::-1]),
            "the tokens are sorted: keep the order of the letters": lambda word: [
                *sorted(tokenise(word)[:-1]),
                EOS,
            ],
            "each letter has its token, a second z as well": lambda word: tokenise(
                "".join(dict.fromkeys(word))
            ),
            "only the first letter is there: is the return inside the loop?": (
                lambda word: tokenise(word[:1]) if tokenise(word[:1]) else []
            ),
            "ord('a') is 97: subtract it, so that a is 0": _each(ord),
            "ord does not complain of a character other than a-z: look before you subtract": _each(
                _by_ord
            ),
            "find gives -1 where index raises a ValueError": _each(ALPHABET.find),
            "a character other than a-z is to be refused, not left out": lambda word: tokenise(
                "".join(letter for letter in word if letter in ALPHABET)
            ),
            "a capital is to be refused, not made small": lambda word: tokenise(word.lower()),
            "a blank or a line break is to be refused, not cut off": lambda word: tokenise(
                word.strip()
            ),
            "digits have no token either": _each((ALPHABET + "0123456789").index),
            "isalpha is True of capitals and of ï as well: ask for the letters of ALPHABET": _each(
                _by_ord, str.isalpha
            ),
            "isalpha with isascii lets capitals through: ask for the letters of ALPHABET": (
                _each(_by_ord, lambda word: word.isascii() and word.isalpha())
            ),
            "ï is a small letter too: ask for the letters of ALPHABET": (
                _each(_by_ord, lambda word: word.isalpha() and word.islower())
            ),
            "islower is True of words with a hyphen or a digit: ask for the letters of ALPHABET": (
                _each(_by_ord, lambda word: word.isascii() and word.islower())
            ),
            "a token above 25 is to be refused as well": _each(
                _by_ord, lambda word: all(_by_ord(letter) >= 0 for letter in word)
            ),
            "a token below 0 is to be refused as well": _each(
                _by_ord, lambda word: all(_by_ord(letter) <= 25 for letter in word)
            ),
            "only the first character is looked at": _each(
                _by_ord, lambda word: word[:1] in ALPHABET
            ),
            "capitals, blanks and line breaks are to be refused, not mended": lambda word: tokenise(
                word.lower().strip()
            ),
            "islower is True of ï, and of words with a hyphen: ask for the letters of ALPHABET": (
                _each(_by_ord, str.islower)
            ),
            "25 is the last letter: one character too many gets a token": _each(
                _by_ord, lambda word: all(0 <= _by_ord(letter) <= 26 for letter in word)
            ),
            "look before you look up, and raise a ValueError": _each(
                {letter: token for token, letter in enumerate(ALPHABET)}.__getitem__
            ),
            "an assert raises an AssertionError, and none at all under python -O: use raise": (
                _checked_by_assert
            ),
            "raise the error, rather than return it": lambda word: (
                tokenise(word) if set(word) <= set(ALPHABET) else ValueError(word)
            ),
        },
        hints=(
            "ALPHABET is the string 'abc…z'; ALPHABET.index('c') is 2, and raises a ValueError for "
            "'C'. (ord('C') - 97 does not complain, and neither does ALPHABET.find.)",
            "[ALPHABET.index(letter) for letter in word], and one more token at the end.",
        ),
        why="the encoder reads the letters, then EOS; what is not a-z has no token and is refused.",
    )
)


# 2.2
def detokenise(tokens: list[int]) -> str:
    letters = []
    for token in tokens:
        if token == EOS:
            break
        letters.append(ALPHABET[token])
    return "".join(letters)


def _token_cases(draw: Draw) -> list[tuple[list[int]]]:
    """Words with an EOS, without one, with more behind it; and empty ones."""
    words = ["zoo", *(_random_word(draw, 2) for _ in range(4))]
    listed = [
        tokenise("go"),
        tokenise("go")[:-1],
        [*tokenise("go"), *tokenise("ahead")],
        [*tokenise("go"), EOS, EOS],
        [*tokenise("go"), 1, EOS, EOS],
        [EOS],
        [EOS, EOS],
        [EOS, *tokenise("go")],
        [],
        tokenise(ALPHABET),
    ]
    for word in words:
        whole = tokenise(word)
        listed += [whole, whole[:-1], [*whole, EOS], [*whole, *tokenise(_random_word(draw))]]
    listed.append(tokenise("".join(draw.choices(ALPHABET, k=30)))[:-1])
    return [(tokens,) for tokens in listed]


def _without_eos(tokens: list[int]) -> list[int]:
    return [token for token in tokens if token != EOS]


def _strip_end(tokens: list[int]) -> list[int]:
    """Without the EOS that stand at the end, though there may be some in between."""
    while tokens and tokens[-1] == EOS:
        tokens = tokens[:-1]
    return tokens


def _spell(tokens: list[int]) -> str:
    return "".join((ALPHABET + "^|")[token] for token in tokens)


register(
    Exercise(
        id="2.2",
        title="The way back",
        difficulty=1,
        starter="def detokenise(tokens: list[int]) -> str:\n    return ...",
        solution=detokenise,
        result=text(),
        cases=_token_cases,
        slips={
            "EOS ends the word, it is no character of it": _spell,
            "27 is EOS, for which ALPHABET has no letter: stop before it": lambda tokens: "".join(
                ALPHABET[token] for token in tokens
            ),
            "EOS is no character of the word: stop before it": lambda tokens: _spell(
                tokens[: [*tokens, EOS].index(EOS) + 1]
            ),
            "you skip EOS and read on: the word is over at the *first* EOS": lambda tokens: _spell(
                _without_eos(tokens)
            ),
            "only the last EOS is cut off: the word is over at the *first* one": lambda tokens: (
                _spell(tokens[:-1] if tokens[-1:] == [EOS] else tokens)
            ),
            "there may be an EOS in the middle too: the word is over at the first one": (
                lambda tokens: "".join(chr(97 + token) for token in _strip_end(tokens))
            ),
            "EOS becomes a blank: the word is over at the first EOS": lambda tokens: "".join(
                " " if token == EOS else ALPHABET[token] for token in tokens
            ),
            "the last token is a letter if it is not EOS (a decoder that is cut off writes none): "
            "keep it": lambda tokens: _spell(_without_eos(tokens[:-1])),
            "without an EOS, the last token is a letter of the word: keep it": lambda tokens: (
                detokenise(tokens if EOS in tokens else tokens[:-1])
            ),
            "a word without an EOS is a word too: a decoder that is cut off writes none": (
                lambda tokens: detokenise(tokens) if EOS in tokens else ""
            ),
            "and if there is no EOS? Then all tokens are letters of the word": lambda tokens: (
                detokenise(tokens) if EOS in tokens else None
            ),
            "tokens may be empty, and then so is the word": lambda tokens: (
                detokenise(tokens) if tokens[-1] < EOS or tokens else ""
            ),
            "only the first letter is there: is the return inside the loop?": lambda tokens: (
                detokenise(tokens)[:1]
            ),
            "the first letter is lost": lambda tokens: detokenise(tokens)[1:],
            "the first token is lost": lambda tokens: detokenise(tokens[1:]),
            "the letter before EOS is lost: tokens[:i] ends before place i already": (
                lambda tokens: "".join(
                    ALPHABET[token]
                    for token in tokens[: tokens.index(EOS) - 1 if EOS in tokens else None]
                )
            ),
            "0 is the letter a, and false as well: compare with EOS": lambda tokens: _spell(
                [token for token in tokens[: [*tokens, EOS].index(EOS)] if token]
            ),
            "the letters are joined without anything between them: ''.join": lambda tokens: (
                " ".join(detokenise(tokens))
            ),
            "without commas: ''.join": lambda tokens: ",".join(detokenise(tokens)),
            "the alphabet has small letters": lambda tokens: detokenise(tokens).upper(),
            "you count from 1: 0 is a, 1 is b, …, 25 is z": lambda tokens: _spell(
                [(token - 1) % 26 for token in tokens[: [*tokens, EOS].index(EOS)]]
            ),
            "a is 0, so 6 is g: one letter too far": lambda tokens: _spell(
                [(token + 1) % 26 for token in tokens[: [*tokens, EOS].index(EOS)]]
            ),
            "these are the numbers: ALPHABET[token] is the letter": lambda tokens: "".join(
                map(str, tokens[: [*tokens, EOS].index(EOS)])
            ),
            "the word is turned round": lambda tokens: detokenise(tokens)[::-1],
            "the word is all of it, without a line break behind": lambda tokens: (
                detokenise(tokens) + "\n"
            ),
        },
        errors={
            "is not in list": " (there need not be an EOS: a decoder that is cut off writes none)",
        },
        hints=(
            "Walk along the tokens, collecting letters. What should 27 do, and what if none comes?",
            "Loop over tokens: break at EOS, else collect ALPHABET[token]; ''.join at the end.",
        ),
        why="the first EOS ends the word, whatever comes behind it; a word cut off has none.",
    )
)


# 2.3
def one_hot(tokens: Tensor) -> Tensor:
    return F.one_hot(tokens, num_classes=28).float()  # (T,) -> (T, V); or torch.eye(28)[tokens]


def _one_hot_cases(draw: Draw) -> list[tuple[Tensor]]:
    listed = [tokenise("go"), [6, 14], [0], [25, 25, 1], [SOS, *tokenise("sang")[:-1]], [EOS, EOS]]
    listed += [tokenise(_random_word(draw)) for _ in range(5)]
    return [(torch.tensor(tokens),) for tokens in listed]


def _tell_one_hot(case: Case, got: Tensor, right: Tensor) -> str:
    tokens = case.arguments[0].tolist()
    row = next(i for i in range(len(tokens)) if not torch.equal(got[i], right[i]))
    ones, token = got[row].nonzero().flatten().tolist(), tokens[row]
    if ones == [token]:
        return f"{short(tokens)}: row {row} has {float(got[row, token]):.3g} where 1 should be"
    told = f"is not 0 in columns {short(ones[:5])}" if ones else "is 0 in every column"
    return f"{short(tokens)}: row {row} {told}, but should in {token} alone"


def _some_rows(change: Callable[[Tensor], Tensor], token: int) -> Callable[[Tensor], Tensor]:
    """A wrong solution to 2.3: the rows of one token, changed."""
    return lambda tokens: torch.where(
        tokens[:, None] == token, change(one_hot(tokens)), one_hot(tokens)
    )


register(
    Exercise(
        id="2.3",
        title="Find the slip: a “one-hot encoder” that is none",
        difficulty=2,
        starter="def one_hot(tokens: torch.Tensor) -> torch.Tensor:\n    return ...",
        solution=one_hot,
        result=TensorOf(
            "the result",
            torch.float32,
            "a product with float weights needs floats; end with .float()",
        ),
        cases=_one_hot_cases,
        tell=_tell_one_hot,
        slips={
            "these are still one number a character, as in the report's class: a row a token, "
            "(T, V)": lambda tokens: tokens,
            "these are still one number a character, as in the report's class, and in a list": (
                lambda tokens: tokens.tolist()
            ),
            "one number a character, in a row each, is still the token, not one-hot": (
                lambda tokens: tokens[:, None].float()
            ),
            "this is one row for the whole word, its order lost: one row a token": lambda tokens: (
                one_hot(tokens).sum(dim=0)
            ),
            "the vocabulary has 28, whichever tokens there happen to be (F.one_hot takes "
            "num_classes)": lambda tokens: F.one_hot(tokens).float(),
            "and the vocabulary has 28, whichever tokens there happen to be (F.one_hot takes "
            "num_classes)": F.one_hot,
            "turned by 90°: a row should be a character, (T, V), not (V, T)": lambda tokens: (
                one_hot(tokens).T
            ),
            "all rows in a single long one: keep a row a token": lambda tokens: one_hot(
                tokens
            ).flatten(),
            "tokens are those of one word: no batch in front": lambda tokens: one_hot(tokens)[None],
            "29 columns are one too many: tokens go from 0 to 27": lambda tokens: torch.eye(29)[
                tokens
            ],
            "the ones stand one column off: token t has its one in column t, from 0": (
                lambda tokens: torch.eye(28)[tokens - 1]
            ),
            "the ones stand one column too far right: token t has its one in column t": (
                lambda tokens: one_hot(tokens).roll(1, 1)
            ),
            "the columns are counted from the right": lambda tokens: one_hot(tokens).flip(1),
            "the rows are turned round: the first token comes first": lambda tokens: one_hot(
                tokens
            ).flip(0),
            "the rows are sorted by token: keep the order of the word": lambda tokens: one_hot(
                tokens.sort().values
            ),
            "there is a 1 in every column: each row should have a single one": lambda tokens: (
                torch.ones(len(tokens), 28)
            ),
            "there is no 1 at all": lambda tokens: torch.zeros(len(tokens), 28),
            "upside down: 1 stands in the token's column, 0 in the others": lambda tokens: (
                1 - one_hot(tokens)
            ),
            "the token's column should hold a 1, not the token": lambda tokens: (
                one_hot(tokens) * tokens[:, None]
            ),
            "each row starts from zeros; yours holds the ones of the tokens before as well": (
                lambda tokens: one_hot(tokens).cumsum(dim=0).clamp(max=1)
            ),
            "each row starts from zeros; all of yours are one and the same row": lambda tokens: (
                one_hot(tokens).sum(dim=0).clamp(max=1).expand(len(tokens), 28)
            ),
            "all rows are the first token's": lambda tokens: one_hot(tokens[:1].expand_as(tokens)),
            "for a word of one token a dimension is lost: leave out squeeze": (
                lambda tokens: one_hot(tokens).squeeze()
            ),
            "EOS needs its one as well: embedding(tokens) has a row for it": _some_rows(
                torch.zeros_like, EOS
            ),
            "SOS needs its one as well: the decoder reads it": _some_rows(torch.zeros_like, SOS),
            "0 is the letter a, which needs its one as well": _some_rows(torch.zeros_like, 0),
        },
        errors={
            "out of bounds": " (V is 28: EOS, token 27, needs a column too)",
            "num_classes": " (V is 28: EOS, token 27, needs a column too)",
        },
        hints=(
            "What is the shape of the class's result for a word of T tokens? What should it be?",
            "F.one_hot(tokens, num_classes=28) and then .float(); or torch.eye(28)[tokens].",
        ),
        why="each row has a single 1, so its product with a matrix is one row of that matrix: the "
        "look-up that nn.Embedding does straight from the index.",
    )
)


# 2.4
def mask(tokens: Tensor, length: Tensor) -> Tensor:
    return torch.arange(tokens.shape[1]) < length[:, None]  # (T,) < (B, 1) -> (B, T)


def _batches(draw: Draw) -> list[Case]:
    """Batches of words; some are wider than their longest word, as a slice of a bigger one is."""
    drawn = [[_random_word(draw) for _ in range(count)] for count in (1, 2, 6)]
    chosen = [
        (["go", "went", "going"], 0),
        (["go", "went", "gone", "going", "goes", "a"], 0),  # as many words as positions
        (["banana", "a", "abba"], 2),
        (["went"], 0),
        (["a"], 3),
        (["walk", "talk"], 0),
        *((words, draw.randint(0, 2)) for words in drawn),
    ]
    cases = []
    for words, wider in chosen:
        batch = make_batch(words, [0] * len(words))
        tokens = F.pad(batch.tokens, (0, wider), value=EOS)
        cases.append(Case((tokens, batch.length), short(words)))
    return cases


def _tell_mask(case: Case, got: Tensor, right: Tensor) -> str:
    row = next(i for i in range(len(got)) if not torch.equal(got[i], right[i]))
    begins, n = [bool(value) for value in got[row].tolist()], int(case.arguments[1][row])
    return (
        f"for the words {case.label}, row {row} is {begins}, but word {row} has {n} tokens, EOS "
        f"included: its row should begin with {n} True, and go on with False"
    )


def _compared(compare: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """A wrong solution to 2.4: `compare` gets the positions, (T,), and the length, (B, 1)."""
    return lambda tokens, length: compare(torch.arange(tokens.shape[1]), length[:, None])


register(
    Exercise(
        id="2.4",
        title="Which positions are real?",
        difficulty=2,
        starter="def mask(tokens: torch.Tensor, length: torch.Tensor) -> torch.Tensor:\n"
        "    return ...",
        solution=mask,
        result=TensorOf(
            "the mask, (B, T),", torch.bool, "a mask holds True and False, as a comparison does"
        ),
        cases=_batches,
        tell=_tell_mask,
        slips={
            "upside down: True marks the word, False the padding": lambda tokens, length: (
                ~mask(tokens, length)
            ),
            "a word's own EOS got False, but is to be learned": lambda tokens, length: (
                tokens != EOS
            ),
            "upside down, and a word's own EOS is no padding": lambda tokens, length: tokens == EOS,
            "one True too many: positions count from 0": _compared(lambda t, n: t <= n),
            "two True too few: the last letter and the word's own EOS are real": _compared(
                lambda t, n: t < n - 2
            ),
            "the first position is real too: positions count from 0": _compared(
                lambda t, n: (t > 0) & (t < n)
            ),
            "the positions are one off: they count from 0, so < leaves out the position `length`": (
                _compared(lambda t, n: (t > 0) & (t <= n))
            ),
            "the letters are real as well, not the word's own EOS alone": _compared(
                lambda t, n: t == n - 1
            ),
            "the word stands at the left: padding is behind it": lambda tokens, length: mask(
                tokens, length
            ).flip(1),
            "nothing is masked": _compared(lambda t, n: t < n + 99),
            "everything is masked": _compared(lambda t, n: t >= n + 99),
            "the longest word's length is used for all: each word has its own": _compared(
                lambda t, n: t < n.max().expand_as(n)
            ),
            "the shortest word's length is used for all: each word has its own": _compared(
                lambda t, n: t < n.min().expand_as(n)
            ),
            "the first word's length is used for all: each word has its own": _compared(
                lambda t, n: t < n[:1].expand_as(n)
            ),
            "the words are in another order: row b belongs to word b": lambda tokens, length: mask(
                tokens, length.sort(descending=True).values
            ),
            "0 is the letter a, no padding; padding is 27, as EOS is": lambda tokens, length: (
                tokens != 0
            ),
            "turned by 90°: rows are words, columns positions, (B, T)": lambda tokens, length: (
                mask(tokens, length).T
            ),
            "length should be a column, (B, 1), so that each row has its own": (
                lambda tokens, length: torch.arange(tokens.shape[1]) < length
            ),
            "T is the width of tokens: a batch may be wider than its longest word": (
                lambda tokens, length: torch.arange(int(length.max())) < length[:, None]
            ),
            "for a batch of one word a dimension is lost: leave out squeeze": (
                lambda tokens, length: mask(tokens, length).squeeze()
            ),
            "the last column is cut off: keep all T": lambda tokens, length: mask(tokens, length)[
                :, :-1
            ],
            "these are the tokens that are real, one after the other: which cells are they?": (
                lambda tokens, length: tokens[mask(tokens, length)]
            ),
        },
        hints=(
            "Position t of word b is real when t < length[b]. Padding and a word's own EOS are "
            "both 27, so comparing tokens with EOS cannot tell them apart.",
            "torch.arange(T) is (T,), length[:, None] is (B, 1): comparing gives (B, T) booleans.",
        ),
        why="only the length knows where a word ends; its EOS counts: the model must learn it.",
    )
)


# 2.5
def seen(pairs: list[Pair], rows: list[Row]) -> int:
    words = {form for row in rows for form in row}  # all four columns, not the lemmas alone
    return sum(pair.source in words and pair.target in words for pair in pairs)


_ROWS: list[Row] = [
    ("send", "sends", "sending", "sent"),
    ("heal", "heals", "healing", "healed"),
    ("lie", "lies", "lying", "lay"),
    ("lie", "lies", "lying", "lied"),
    ("lay", "lays", "laying", "laid"),
    ("put", "puts", "putting", "put"),
    ("find", "finds", "finding", "found"),
]


def _pair_cases(draw: Draw) -> Sequence[tuple[list[Pair], list[Row]]]:
    both = [Pair("sent", "sends", 3, 1), Pair("lie", "lay", 0, 3), Pair("lay", "lie", 3, 0)]
    both += [Pair("heal", "healed", 0, 3), Pair("found", "finding", 0, 2)]  # a word of another row
    none = [Pair("end", "ends", 0, 1), Pair("end", "ending", 0, 2), Pair("walk", "walked", 0, 3)]
    half = [Pair("sent", "sender", 3, 0), Pair("heals", "healer", 1, 0), Pair("bend", "sent", 0, 3)]
    in_two = [Pair("lie", "lying", 0, 2), Pair("heal", "heals", 0, 1)]  # the first is in two rows
    apart = [Pair("sent", "heals", 3, 1), Pair("heals", "lying", 1, 2), Pair("laid", "send", 3, 0)]
    alike = [Pair("put", "put", 0, 3), Pair("send", "send", 0, 0)]
    twice = [Pair("laid", "lays", 3, 1), Pair("sent", "sends", 3, 1), Pair("laid", "lays", 3, 1)]
    shared = [Pair("laid", "lays", 3, 1), Pair("laid", "laying", 3, 2), Pair("lay", "laying", 0, 2)]
    begun = [Pair("sen", "heal", 0, 3), Pair("heal", "layin", 0, 2)]  # beginnings of words
    mixed = both + none + half + in_two + apart + alike
    groups = [both, none, half, begun, in_two, apart, alike, twice, shared, []]
    cases = [(pairs, _ROWS) for pairs in groups]
    cases += [(both + none, _ROWS[1:]), (both, []), (mixed, _ROWS)]
    cases += [(draw.sample(mixed, draw.randint(2, 9)), _ROWS) for _ in range(6)]
    return [(pairs, draw.sample(rows, len(rows))) for pairs, rows in cases]


def _tell_seen(case: Case, got: float, right: float) -> str:
    pairs, rows = case.arguments
    told = ", ".join(f"{pair.source} → {pair.target}" for pair in pairs[:9]) or "no pairs"
    told += ", …" if len(pairs) > 9 else ""
    told += "" if rows else " and no rows"
    return f"{told}: {Number().show(got, right)}"


def _words(rows: list[Row], *columns: int) -> set[str]:
    """The words in these columns, or in all."""
    return {row[column] for row in rows for column in columns or range(4)}


def _counted(
    known: Callable[[Pair, set[str]], int], columns: Sequence[int] = ()
) -> Callable[[list[Pair], list[Row]], int]:
    """A wrong solution to 2.5: what `known` says of each pair and the training words, added."""
    return lambda pairs, rows: sum(known(pair, _words(rows, *columns)) for pair in pairs)


def _in_rows(known: Callable[[Pair, list[Row]], int]) -> Callable[[list[Pair], list[Row]], int]:
    """A wrong solution to 2.5: what `known` says of each pair and the rows, added."""
    return lambda pairs, rows: sum(known(pair, rows) for pair in pairs)


def _both(pair: Pair, words: set[str]) -> bool:
    return pair.source in words and pair.target in words


def _in_own_columns(pair: Pair, rows: list[Row]) -> bool:
    source, target = _words(rows, pair.source_tense), _words(rows, pair.target_tense)
    return pair.source in source and pair.target in target


def _new_pairs(pairs: list[Pair]) -> list[Pair]:
    return list(dict.fromkeys(pairs))


register(
    Exercise(
        id="2.5",
        title="Find the slip: is the test new to the model?",
        difficulty=2,
        starter="def seen(pairs: list[Pair], rows: list[Row]) -> int:\n    return ...",
        solution=seen,
        result=Number("the count"),
        cases=_pair_cases,
        tell=_tell_seen,
        slips={
            "the two words need not be in the same row": _in_rows(
                lambda pair, rows: any(_both(pair, set(row)) for row in rows)
            ),
            "a pair counts once, in however many rows it is; and its words need not share one": (
                _in_rows(lambda pair, rows: sum(_both(pair, set(row)) for row in rows))
            ),
            "look in *all* columns, not in each word's own": _in_rows(_in_own_columns),
            "look in all four columns": _counted(_both, [0]),
            "look in all four columns, not in the first and the last alone": _counted(
                _both, [0, 3]
            ),
            "look in all four columns; the first one counts too": _counted(_both, [1, 2, 3]),
            "look in all four columns, for both words": _counted(
                lambda pair, words: pair.source in words, [0]
            ),
            "the target must be known too": _counted(lambda pair, words: pair.source in words),
            "the source must be known too": _counted(lambda pair, words: pair.target in words),
            "both words must be known, not one": _counted(
                lambda pair, words: pair.source in words or pair.target in words
            ),
            "one word known and one unknown is not what is asked: both": _counted(
                lambda pair, words: (pair.source in words) != (pair.target in words)
            ),
            "these are the pairs that are *not* seen": _counted(
                lambda pair, words: not _both(pair, words)
            ),
            "these are the pairs of which neither word is known": _counted(
                lambda pair, words: pair.source not in words and pair.target not in words
            ),
            "you count words; a pair counts once": _counted(
                lambda pair, words: (pair.source in words) + (pair.target in words)
            ),
            "every pair is counted twice": _counted(lambda pair, words: 2 * _both(pair, words)),
            "a pair of one and the same word, put → put, counts as well": _counted(
                lambda pair, words: len({pair.source, pair.target} & words) == 2
            ),
            "a pair that stands twice counts twice": lambda pairs, rows: seen(
                _new_pairs(pairs), rows
            ),
            "pairs that share a source count each: do not collect the sources in a set": (
                lambda pairs, rows: len({p.source for p in pairs if _both(p, _words(rows))})
            ),
            "pairs that share a target count each: do not collect the targets in a set": (
                lambda pairs, rows: len({p.target for p in pairs if _both(p, _words(rows))})
            ),
            "that is how many pairs there are: look the words up": lambda pairs, rows: len(pairs),
            "10 stands in your code: count the pairs that are given": lambda pairs, rows: 10,
            "you return 0 for any pairs. A word may be in a row, never in `rows`": (
                lambda pairs, rows: 0
            ),
            "only the first pair is looked at: is the return inside the loop?": (
                lambda pairs, rows: seen(pairs[:1], rows)
            ),
            "the last pair counts too": lambda pairs, rows: seen(pairs[:-1], rows),
            "the first pair counts too": lambda pairs, rows: seen(pairs[1:], rows),
            "the first pair that is not seen does not end the count": lambda pairs, rows: (
                [_both(pair, _words(rows)) for pair in pairs] + [False]
            ).index(False),
            "'end' in 'send' is True: compare words": lambda pairs, rows: sum(
                _both(pair, " ".join(_words(rows)))  # type: ignore[arg-type]
                for pair in pairs
            ),
            "only the first row is looked at": lambda pairs, rows: seen(pairs, rows[:1]),
            "only the last row is looked at: is the set made anew for each?": lambda pairs, rows: (
                seen(pairs, rows[-1:])
            ),
            "that is the share; count the pairs": lambda pairs, rows: (
                seen(pairs, rows) / max(1, len(pairs))
            ),
            "that is the share, and there may be no pairs; count them": lambda pairs, rows: (
                seen(pairs, rows) / len(pairs)
            ),
        },
        errors={"should be one number": ": count the pairs, as len(...) does"},
        hints=(
            "First collect every training word, from all four columns, in a set.",
            "words = {form for row in rows for form in row}; how many pairs have both words in it?",
        ),
        why="two training words ask the model to recall; they cannot show that it generalises.",
    )
)
