"""Answers to the exercises of notebook 02."""

import operator
import re
import string

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from labkit.exercises import nb02
from labkit.language import ALPHABET, EOS, SOS, detokenize, tokenize

# 2.1


def by_dictionary(word):
    numbers = {letter: number for number, letter in enumerate(string.ascii_lowercase)}
    tokens = []
    for letter in word:
        if letter not in numbers:
            raise ValueError(f"{letter} is no letter of the alphabet")
        tokens.append(numbers[letter])
    tokens.append(EOS)
    return tokens


def by_pattern(word):
    if not re.fullmatch("[a-z]*", word):
        raise ValueError(word)
    return [ord(letter) - 97 for letter in word] + [27]


def by_numpy(word):
    tokens = np.array([ALPHABET.index(letter) for letter in word] + [EOS])
    return list(tokens)


def by_bytes(word):
    tokens = [byte - 97 for byte in word.encode("ascii")]
    if any(token < 0 or token > 25 for token in tokens):
        raise ValueError
    return [*tokens, EOS]


def translates_the_error(word):
    try:
        return [dict(zip(ALPHABET, range(26), strict=True))[letter] for letter in word] + [EOS]
    except KeyError as error:
        raise ValueError("a-z only") from error


def lower_first(word):
    return nb02.tokenise(word.lower().strip())


def prints_and_gives_none(word):
    if not set(word) <= set(ALPHABET):
        print("not allowed")
        return None
    return nb02.tokenise(word)


def stops_at_a_stranger(word):
    tokens = []
    for letter in word:
        if letter not in ALPHABET:
            break
        tokens.append(ALPHABET.index(letter))
    return [*tokens, EOS]


def first_letter_checked(word):
    if word[0] not in ALPHABET:
        raise ValueError
    return [ord(letter) - 97 for letter in word] + [EOS]


def pattern_with_dollar(word):
    if not re.match("^[a-z]+$", word):
        raise ValueError
    return [ord(letter) - 97 for letter in word] + [EOS]


def ascii_lower(word):
    if not (word.isascii() and word.islower()):
        raise ValueError
    return [ord(letter) - 97 for letter in word] + [EOS]


def ascii_letters(word):
    if not word.isascii() or not word.isalpha():
        raise ValueError(f"{word!r} is no word")
    return [ord(letter) - ord("a") for letter in word] + [27]


def returns_the_error(word):
    try:
        return nb02.tokenise(word)
    except ValueError as error:
        return error


def generates(word):
    for letter in word:
        yield ALPHABET.index(letter)
    yield EOS


def raises_a_plain_exception(word):
    if not set(word) <= set(ALPHABET):
        raise Exception("only a-z")
    return nb02.tokenise(word)


def raises_a_string(word):
    if not set(word) <= set(ALPHABET):
        raise "only a-z"  # noqa: B016
    return nb02.tokenise(word)


# 2.2


def by_split(tokens):
    return "".join(chr(97 + token) for token in tokens).split("|")[0]


def while_loop(tokens):
    word, i = "", 0
    while i < len(tokens) and tokens[i] != EOS:
        word += ALPHABET[tokens[i]]
        i += 1
    return word


def with_iter(tokens):
    return "".join(ALPHABET[token] for token in iter(iter([*tokens, EOS]).__next__, EOS))


def recursively(tokens):
    if not tokens or tokens[0] == EOS:
        return ""
    return ALPHABET[tokens[0]] + recursively(tokens[1:])


def pops_a_copy(tokens):
    tokens, word = tokens.copy(), ""
    while tokens and (token := tokens.pop(0)) < 26:
        word += ALPHABET[token]
    return word


def pops(tokens):
    word = ""
    while tokens:
        token = tokens.pop(0)
        if token == EOS:
            break
        word += ALPHABET[token]
    return word


def appends(tokens):
    tokens.append(EOS)
    return nb02.detokenise(tokens)


def last_looked_at(tokens):
    if tokens[-1] != EOS:
        tokens = [*tokens, EOS]
    return "".join(ALPHABET[token] for token in tokens[: tokens.index(EOS)])


def first_looked_at(tokens):
    token, i, word = tokens[0], 0, ""
    while token != EOS:
        word += ALPHABET[token]
        i += 1
        if i == len(tokens):
            break
        token = tokens[i]
    return word


def continues(tokens):
    word = ""
    for token in tokens:
        if token == EOS:
            continue
        word += ALPHABET[token]
    return word


def stops_after_eight(tokens):
    return nb02.detokenise(tokens)[:8]


def at_most_thirty(tokens):
    return nb02.detokenise(tokens[:29])


# 2.3


def by_scatter(tokens):
    return torch.zeros(len(tokens), 28).scatter_(1, tokens[:, None], 1.0)


def by_loop(tokens):
    rows = torch.zeros(len(tokens), 28)
    for row, token in enumerate(tokens):
        rows[row, token] = 1
    return rows


def by_comparison(tokens):
    return (tokens[:, None] == torch.arange(28)).float()


def stacked(tokens):
    rows = []
    for token in tokens.tolist():
        row = torch.zeros(28)
        row[token] = 1.0
        rows.append(row)
    return torch.stack(rows)


def stacked_alike(tokens):
    row, rows = torch.zeros(28), []
    for token in tokens.tolist():
        row[token] = 1.0
        rows.append(row)
    return torch.stack(rows)


def by_lists(tokens):
    return torch.tensor([[float(i == token) for i in range(28)] for token in tokens])


def zeroes(tokens):
    result = nb02.one_hot(tokens)
    tokens.zero_()
    return result


def a_fixed_word(tokens):
    return torch.eye(28)[torch.tensor([6, 14, 27])]


# 2.4


def row_by_row(tokens, length):
    result = torch.zeros(tokens.shape, dtype=torch.bool)
    for row, n in enumerate(length):
        result[row, :n] = True
    return result


def by_sequence(tokens, length):
    rows = [torch.ones(int(n)) for n in length] + [torch.ones(tokens.shape[1])]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True)[:-1].bool()


def by_pad_sequence(tokens, length):
    return nn.utils.rnn.pad_sequence([torch.ones(int(n)) for n in length], batch_first=True).bool()


def in_place(tokens, length):
    for row, n in zip(tokens, length, strict=True):
        row[:n] = 1
        row[n:] = 0
    return tokens.bool()


def on_a_copy(tokens, length):
    return in_place(tokens.clone(), length)


def shortens_length(tokens, length):
    length -= 1
    return torch.arange(tokens.shape[1]) <= length[:, None]


def rows_alone(tokens, length):
    return [torch.arange(tokens.shape[1]) < n for n in length]


def up_to_second_eos(tokens, length):
    return (tokens == EOS).cumsum(1) <= 1


# 2.5


def numpy_isin(pairs, rows):
    if not pairs or not rows:
        return np.int64(0)
    pairs, words = np.array([(p.source, p.target) for p in pairs]), np.array(rows).ravel()
    return (np.isin(pairs[:, 0], words) & np.isin(pairs[:, 1], words)).sum()


def tensor_sum(pairs, rows):
    words = sum(rows, ())
    return torch.tensor([p.source in words and p.target in words for p in pairs]).sum()


def nested_loops(pairs, rows):
    count = 0
    for pair in pairs:
        source = target = False
        for row in rows:
            source = source or pair.source in row
            target = target or pair.target in row
        if source and target:
            count += 1
    return count


def all_forms(rows):
    return {form for row in rows for form in row}


def pops_pairs(pairs, rows):
    words, count = all_forms(rows), 0
    while pairs:
        pair = pairs.pop()
        count += pair.source in words and pair.target in words
    return count


def pops_rows(pairs, rows):
    words = set()
    while rows:
        words.update(rows.pop())
    return sum(p.source in words and p.target in words for p in pairs)


def collected_in_a_set(pairs, rows):
    return len({p for p in pairs if {p.source, p.target} <= all_forms(rows)})


def sets_of_both(pairs, rows):
    return len({p.source for p in pairs} & {p.target for p in pairs} & all_forms(rows))


def one_row_after_the_other(pairs, rows):
    count = 0
    for row in rows:
        for pair in pairs:
            count += pair.source in row
    return count


def returns_early(pairs, rows):
    words = all_forms(rows)
    for pair in pairs:
        return int(pair.source in words and pair.target in words)
    return 0


def breaks_off(pairs, rows):
    words, count = all_forms(rows), 0
    for pair in pairs:
        if pair.source not in words or pair.target not in words:
            break
        count += 1
    return count


RIGHT = {
    "2.1": [
        *(by_dictionary, by_pattern, by_numpy, by_bytes, translates_the_error, tokenize),
        lambda word: [*map(ALPHABET.index, word), 27],
        lambda word: list(map(operator.indexOf, [ALPHABET] * len(word), word)) + [EOS],
        lambda word: [torch.tensor(token) for token in nb02.tokenise(word)],
        lambda word: np.array(nb02.tokenise(word)).tolist(),
    ],
    "2.2": [
        *(by_split, while_loop, with_iter, recursively, pops_a_copy, detokenize),
        lambda tokens: "".join(ALPHABET[i] for i in (tokens + [EOS])[: (tokens + [EOS]).index(27)]),
        lambda t: "".join(ALPHABET[i] for i in (t[: t.index(27)] if 27 in t else t)),
        lambda t: "".join(np.array(list(ALPHABET))[t[: [*t, 27].index(27)]]) if t else "",
    ],
    "2.3": [
        *(by_scatter, by_loop, by_comparison, stacked, by_lists),
        lambda tokens: torch.eye(28)[tokens],
        lambda tokens: torch.from_numpy(np.eye(28, dtype=np.float32)[tokens.numpy()]),
        lambda tokens: F.one_hot(tokens, 28).to(torch.float32),
        lambda tokens: torch.eye(28).index_select(0, tokens),
        lambda tokens: nn.Embedding.from_pretrained(torch.eye(28))(tokens),
        lambda tokens: F.one_hot(torch.cat([tokens, torch.tensor([27])]))[:-1].float(),
        lambda tokens: nb02.one_hot(tokens).to_sparse(),
    ],
    "2.4": [
        *(row_by_row, by_sequence, on_a_copy, up_to_second_eos),
        lambda t, n: (t == EOS).cumsum(1) - (t == EOS).long() == 0,
        lambda t, n: torch.arange(t.shape[1])[None, :] < n.unsqueeze(1),
        lambda t, n: torch.arange(t.size(1)).expand_as(t).lt(n.view(-1, 1)),
        lambda t, n: ~(torch.arange(t.shape[1]) >= n[:, None]),
        lambda t, n: torch.from_numpy(np.arange(t.shape[1])[None] < n.numpy()[:, None]),
        lambda t, n: torch.ones_like(t).cumsum(1) <= n[:, None],
        lambda t, n: torch.tensor([[i < m for i in range(t.shape[1])] for m in n.tolist()]),
        lambda t, n: torch.stack([torch.arange(t.shape[1]) < m for m in n]),
        lambda t, n: (torch.arange(t.shape[1])[:, None] < n).T,
    ],
    "2.5": [
        *(numpy_isin, tensor_sum, nested_loops),
        lambda p, r: len([1 for x in p if {x.source, x.target} <= all_forms(r)]),
        lambda p, r: np.count_nonzero([{x[0], x[1]} <= all_forms(r) for x in p]),
        lambda p, r: float(len([x for x in p if all(w in all_forms(r) for w in x[:2])])),
        lambda p, r: sum(1 for s, t, *_ in p if {s, t}.issubset(all_forms(r))),
        lambda p, r: len(list(filter(lambda x: all_forms(r).issuperset(x[:2]), p))),
        lambda p, r: len(p) - sum(not all_forms(r).issuperset(x[:2]) for x in p),
    ],
}

WRONG = {
    "2.1": [
        (lower_first, "to be refused, not mended"),
        (ascii_letters, "isalpha with isascii lets capitals through"),
        (
            returns_the_error,
            "returned the exception ValueError, where a ValueError is to be raised",
        ),
        (prints_and_gives_none, "tokenise('Go') gave None, expected a ValueError"),
        (stops_at_a_stranger, "tokenise('Go') gave [27], expected a ValueError"),
        (first_letter_checked, "tokenise('walK') gave"),
        (pattern_with_dollar, r"tokenise('go\n') gave [6, 14, -87, 27], expected a ValueError"),
        (ascii_lower, "islower is True of words with a hyphen"),
        (generates, "a plain list of whole numbers, got a generator"),
        (raises_a_plain_exception, "raised Exception, expected a ValueError"),
        (raises_a_string, "raised TypeError, expected a ValueError"),
        (lambda w: [*nb02.tokenise(w)[:-1][:9], EOS], "tokenise('overgeneralising') gave"),
        (lambda w: [*nb02.tokenise(w)[:9], EOS], "expected [6, 14, 27]"),
        (lambda w: [6, 14, 27], "expected [0, 27]"),
        (lambda w: torch.tensor(nb02.tokenise(w)), "plain list of whole numbers, got a tensor"),
        (lambda w: np.array(nb02.tokenise(w)), "plain list of whole numbers, got a numpy array"),
        (lambda w: tuple(nb02.tokenise(w)), "plain list of whole numbers, got the tuple"),
        (lambda w: [float(t) for t in nb02.tokenise(w)], "whole numbers, got the list [6.0, 14.0"),
        (lambda w: [str(t) for t in nb02.tokenise(w)], "whole numbers, got the list ['6', '14'"),
        (lambda w: [nb02.tokenise(w)[:-1], EOS], "whole numbers, got the list [[6, 14], 27]"),
        (lambda w: [*w, EOS], "whole numbers, got the list ['g', 'o', 27]"),
        (lambda w: w, "whole numbers, got the str 'go'"),
        (lambda w: nb02.tokenise(w).sort(), "is a return missing?"),
        (lambda w: sorted(nb02.tokenise(w)), "the tokens are sorted"),
        (lambda w: [0] * 10**7, "tokenise('go') gave [0, 0, 0"),
        (
            lambda w: [dict(zip(ALPHABET, range(26), strict=True)).get(c) for c in w] + [27],
            "gave [None, 14, 27]",
        ),
        (
            lambda w: [dict(zip(ALPHABET, range(26), strict=True)).get(c, 27) for c in w] + [27],
            "[27, 14, 27]",
        ),
        (lambda w: [ALPHABET.index(c) if c in ALPHABET else SOS for c in w] + [27], "[26, 14, 27]"),
        (lambda w: [(ord(c) - 97) % 26 for c in w] + [EOS], "tokenise('Go') gave [0, 14, 27]"),
        (lambda w: [list(ALPHABET + "|{").index(c) for c in w] + [EOS], "tokenise('{') gave"),
    ],
    "2.2": [
        (pops, "changes its argument `tokens`"),
        (appends, "changes its argument `tokens`"),
        (last_looked_at, "tokens may be empty"),
        (first_looked_at, "tokens may be empty"),
        (continues, "you skip EOS and read on"),
        (stops_after_eight, "expected 'abcdefg"),
        (at_most_thirty, "detokenise(tokens) gave '"),
        (lambda t: "".join(ALPHABET[i] for i in t[: [*t, 27].index(27) - 1]), "gave 'g', expected"),
        (
            lambda t: "".join(ALPHABET[i] for i in (t[: t.index(27) - 1] if 27 in t else t)),
            "tokens[:i] ends before place i",
        ),
        (lambda t: "".join(ALPHABET[i] for i in t[: [*t, 27].index(27)] if i), "0 is the letter a"),
        (lambda t: "".join(ALPHABET[i] for i in t), "27 is EOS, for which ALPHABET has no letter"),
        (lambda t: "".join(list(ALPHABET)[i] for i in t), "27 is EOS, for which ALPHABET has no"),
        (lambda t: "".join(ALPHABET[i] for i in t[: t.index(27)]), "there need not be an EOS"),
        (lambda t: "".join(ALPHABET[i] for i in t[:-1]), "gave 'g', expected 'go'"),
        (lambda t: [ALPHABET[i] for i in t if i < 26], "expected a string, got the list"),
        (lambda t: (ALPHABET[i] for i in t if i < 26), "expected a string, got a generator"),
        (lambda t: "go", "gave 'go', expected ''"),
        (lambda t: str(t), "gave '[6, 14, 27]', expected 'go'"),
        (lambda t: "-".join(nb02.detokenise(t)), "gave 'g-o', expected 'go'"),
        (lambda t: nb02.detokenise(t) + " ", "gave 'go ', expected 'go'"),
        (lambda t: nb02.detokenise(t) or None, "is a return missing?"),
        (lambda t: "".join(dict.fromkeys(nb02.detokenise(t))), "gave 'zo', expected 'zoo'"),
        (lambda t: nb02.detokenise(t[t.index(27) + 1 :] if 27 in t else t), "gave '', expected"),
        (lambda t: nb02.detokenise(t[1:]), "the first token is lost"),
        (lambda t: nb02.detokenise(sorted(t)), "expected"),
        (lambda t: "".join(chr(65 + i) for i in t if i != 27), "gave 'GO', expected 'go'"),
        (lambda t: nb02.detokenise(t).encode(), "expected a string, got the bytes"),
        (lambda t: nb02.detokenise(t)[0] if t else "", "gave 'g', expected 'go'"),
    ],
    "2.3": [
        (zeroes, "changes its argument `tokens`"),
        (stacked_alike, "all of yours are one and the same row"),
        (lambda t: torch.eye(28)[t].squeeze(), "shape (1, 28), not (28,): for a word of one token"),
        (a_fixed_word, "should have shape (2, 28), not (3, 28)"),
        (lambda t: F.one_hot(t, 28), "of type torch.float32, not torch.int64: a product with flo"),
        (lambda t: F.one_hot(t, 28).double(), "of type torch.float32, not torch.float64"),
        (lambda t: F.one_hot(t, 28).half(), "of type torch.float32, not torch.float16"),
        (lambda t: torch.arange(28) == t[:, None], "of type torch.float32, not torch.bool"),
        (lambda t: torch.eye(28, dtype=int)[t], "of type torch.float32, not torch.int64"),
        (lambda t: torch.eye(27)[t], "V is 28: EOS, token 27"),
        (lambda t: torch.eye(26)[t], "V is 28: EOS, token 27"),
        (lambda t: F.one_hot(t, 27).float(), "V is 28: EOS, token 27"),
        (lambda t: torch.eye(len(t))[t], "out of bounds"),
        (lambda t: torch.eye(28)[t].tolist(), "should be a tensor of shape (3, 28), not the list"),
        (lambda t: torch.eye(28)[t].numpy(), "not a numpy array of shape (3, 28)"),
        (lambda t: list(torch.eye(28)[t]), "should be a tensor of shape (3, 28), not the list"),
        (lambda t: torch.zeros(len(t), 28, 1), "should have shape (3, 28), not (3, 28, 1)"),
        (lambda t: t.float(), "one number a character, as in the report's class"),
        (lambda t: t @ 1, "your code raised TypeError"),
        (lambda t: torch.eye(28)[t].mean(0), "its order lost"),
        (lambda t: torch.eye(28)[t].softmax(1), "row 0"),
        (lambda t: torch.eye(28)[t] * 2, "row 0 has 2 where 1 should be"),
        (lambda t: torch.eye(28)[t.unique()], "shape (3, 28), not (2, 28)"),
        (lambda t: nn.Embedding(28, 28)(t), "row 0"),
        (lambda t: torch.eye(28)[t.clamp(max=25)], "is not 0 in columns [25], but should in 27"),
        (lambda t: torch.full((len(t), 28), float("nan")), "row 0"),
        (lambda t: torch.bincount(t, minlength=28).float(), "its order lost"),
        (lambda t: torch.eye(28)[t][:, :27], "should have shape (3, 28), not (3, 27)"),
    ],
    "2.4": [
        (in_place, "changes its argument `tokens`"),
        (shortens_length, "changes its argument `length`"),
        (by_pad_sequence, "a batch may be wider than its longest word"),
        (lambda t, n: nb02.mask(t, n).squeeze(), "for a batch of one word a dimension is lost"),
        (rows_alone, "should be a tensor of shape (3, 6), not the list"),
        (lambda t, n: nb02.mask(t, n).float(), "of type torch.bool, not torch.float32"),
        (lambda t, n: nb02.mask(t, n).long(), "of type torch.bool, not torch.int64"),
        (lambda t, n: nb02.mask(t, n).byte(), "of type torch.bool, not torch.uint8"),
        (lambda t, n: nb02.mask(t, n).numpy(), "not a numpy array of shape (3, 6)"),
        (lambda t, n: nb02.mask(t, n).tolist(), "should be a tensor of shape (3, 6), not the list"),
        (lambda t, n: torch.arange(t.shape[1]) < n[:, None] - 1, "own EOS got False"),
        (lambda t, n: torch.arange(1, t.shape[1] + 1) < n[:, None], "own EOS got False"),
        (
            lambda t, n: torch.arange(t.shape[0]) < n[:, None],
            "should have shape (3, 6), not (3, 3)",
        ),
        (lambda t, n: torch.arange(t.shape[1]) < torch.cat([n, n, n, n]), "makes a column"),
        (lambda t, n: torch.arange(t.shape[1])[:, None] < n, "turned by 90°"),
        (lambda t, n: torch.arange(n.max()) < n[:, None], "wider than its longest word"),
        (lambda t, n: torch.arange(6) < n[:, None], "not (3, 6)"),
        (lambda t, n: torch.arange(t.shape[1]) < n[0], "should have shape (3, 6), not (6,)"),
        (lambda t, n: t < EOS, "own EOS got False"),
        (lambda t, n: t < 26, "own EOS got False"),
        (lambda t, n: t > 0, "0 is the letter a"),
        (lambda t, n: t.bool(), "0 is the letter a"),
        (lambda t, n: t < n[:, None], "row 0 is"),
        (lambda t, n: (t != EOS) | (t == EOS), "nothing is masked"),
        (lambda t, n: (t != EOS).roll(1, 1), "row 0 is [False, True, True"),
        (lambda t, n: torch.rand(t.shape) < 0.5, "row 0 is"),
        (lambda t, n: n, "the mask, (B, T), should have shape (3, 6), not (3,)"),
        (lambda t, n: int(n.sum()), "should be a tensor of shape (3, 6), not the int"),
        (lambda t, n: F.pad(t[:, :-1] != EOS, (1, 0), value=True)[:, : int(n.max())], "not (3, 7)"),
    ],
    "2.5": [
        (pops_pairs, "changes its argument `pairs`"),
        (pops_rows, "changes its argument `rows`"),
        (collected_in_a_set, "a pair that stands twice counts twice"),
        (sets_of_both, "expected 5"),
        (one_row_after_the_other, "expected"),
        (returns_early, "is the return inside the loop?"),
        (breaks_off, "does not end the count"),
        (lambda p, r: sum(x.source in r and x.target in r for x in p), "never in `rows`"),
        (lambda p, r: [x for x in p if {x.source, x.target} <= all_forms(r)], "as len(...) does"),
        (lambda p, r: (x for x in p), "should be one number, not a generator"),
        (lambda p, r: str(nb02.seen(p, r)), "should be one number, not the str '5'"),
        (lambda p, r: True, "should be one number, not the bool True"),
        (lambda p, r: any({x.source, x.target} <= all_forms(r) for x in p), "not the bool True"),
        (lambda p, r: torch.tensor([x.source in all_forms(r) for x in p]), "not a tensor of shape"),
        (lambda p, r: nb02.seen(p, r) / 7, "expected 5"),
        (lambda p, r: 100 * nb02.seen(p, r) / max(1, len(p)), "gave 100, expected 5"),
        (lambda p, r: f"{nb02.seen(p, r)}/{len(p)}", "should be one number, not the str '5/5'"),
        (lambda p, r: nb02.seen(p, r) + 1, "expected 5"),
        (lambda p, r: len({x.source for x in p} & all_forms(r)), "expected"),
        (lambda p, r: nb02.seen(p[:-1], r), "the last pair counts too"),
        (lambda p, r: 10, "10 stands in your code"),
        (lambda p, r: 5, "gave 5, expected 0"),
        (lambda p, r: sum(x.source in str(r) and x.target in str(r) for x in p), "compare words"),
        (lambda p, r: sum(x in r for x in p), "never in `rows`"),
        (
            lambda p, r: sum(x.source and x.target in all_forms(r) for x in p),
            "source must be known",
        ),
        (lambda p, r: sum((x.source or x.target) in all_forms(r) for x in p), "target must be kno"),
        (lambda p, r: nb02.seen(p, [w for w in r if w[0] != "lie"]), "expected 5"),
        (lambda p, r: nb02.seen(p, sorted(r)[:3]), "expected 5"),
        (lambda p, r: sum({x.source, x.target} <= {w[2] for w in r} for x in p), "expected 5"),
    ],
}
