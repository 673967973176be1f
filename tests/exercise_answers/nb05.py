"""Answers to the exercises of notebook 05."""

import functools
import itertools
import math
import random
import statistics
from collections import Counter
from fractions import Fraction

import numpy as np
import torch
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from nltk.util import ngrams

from labkit.batches import WordSet
from labkit.exercises import nb05
from labkit.measures import conversion, generation
from labkit.measures.baselines import SuffixRules, apply_change, change_between
from labkit.tables import Pair, load_tables

# 5.1


def nltk(output, target, smoothing=None, weights=None):
    weights = weights or ([0.33] * 3 if len(target) == 3 else [0.25] * 4)
    smoothing = smoothing or SmoothingFunction().method1
    return sentence_bleu([list(target)], list(output), weights, smoothing_function=smoothing)


def by_slices(output, target):
    """No Counter: a list from which what was matched is taken."""
    if not set(output) & set(target):
        return 0.0
    precisions = []
    for n in range(1, 4 if len(target) == 3 else 5):
        mine = [output[i:][:n] for i in range(len(output)) if len(output[i:]) >= n]
        left = [target[i:][:n] for i in range(len(target)) if len(target[i:]) >= n]
        found = 0
        for gram in mine:
            if gram in left:
                left.remove(gram)
                found += 1
        precisions.append((found if found else 0.1) / (len(mine) if mine else 1))
    power = 0.33 if len(precisions) == 3 else 1 / 4
    score = 1.0
    for precision in precisions:
        score *= precision**power
    if len(output) < len(target):
        score *= math.e ** (1 - len(target) / len(output))
    return score


def by_numpy(output, target):
    weights = np.full(3, 0.33) if len(target) == 3 else np.full(4, 0.25)
    logs = []
    for n in range(1, len(weights) + 1):
        mine, its = Counter(ngrams(output, n)), Counter(ngrams(target, n))
        found = sum(min(count, its[gram]) for gram, count in mine.items())
        if found == 0 and n == 1:
            return np.float64(0)
        logs.append(np.log(max(found, 0.1) / max(len(output) - n + 1, 1)))
    return np.exp(weights @ logs) * np.minimum(1, np.exp(1 - len(target) / len(output)))


def reweighted(output, target):
    """NLTK's auto_reweigh, which is for sentences of fewer than four words."""
    return sentence_bleu(
        [list(target)],
        list(output),
        smoothing_function=SmoothingFunction().method1,
        auto_reweigh=True,
    )


def grams(word, n):
    return Counter(word[i : i + n] for i in range(len(word) - n + 1))


def unguarded_division(output, target):
    found = [sum((grams(output, n) & grams(target, n)).values()) for n in (1, 2, 3, 4)]
    return math.prod((m or 0.1) / (len(output) - n) for n, m in enumerate(found)) ** 0.25


def mean_of_three(output, target):
    shared = [sum((grams(output, n) & grams(target, n)).values()) for n in (1, 2, 3)]
    return sum(m / max(1, len(output) - n) for n, m in enumerate(shared)) / 3


def score_kept_by_output(output, target, kept={}):  # noqa: B006
    if output not in kept:
        kept[output] = nltk(output, target)
    return kept[output]


def empty_is_one(output, target):
    return nb05.bleu4_by_hand(output, target) if output else 1.0


def without_penalty_or_rule(output, target):
    return nb05._misscored(brevity=lambda *_: 1, weights=lambda *_: [0.25] * 4)(output, target)


# 5.2 and 5.3


def counted(samples, train):
    """By hand, with the table as a dictionary."""
    table, found = dict.fromkeys(train), 0
    for row in samples:
        if row in table:
            found += 1
    return found / len(samples)


def recursively(samples, train):
    def found(number):
        return 0 if number == len(samples) else (samples[number] in train) + found(number + 1)

    return found(0) / len(samples)


def by_any(samples, train):
    """Slowly, form by form."""
    hits = [any(all(a == b for a, b in zip(row, r, strict=True)) for r in train) for row in samples]
    return np.mean(hits)


def joined(samples, train):
    table = {"-".join(row) for row in train}
    return sum("-".join(row) in table for row in samples) / len(samples)


def popped(samples, train):
    number, found = len(samples), 0
    while samples:
        found += samples.pop() in train
    return found / number


def cleared(samples, train):
    result = generation.gaussian_score(samples, train)
    train.clear()
    return result


def distinct_table(samples, train):
    train[:] = list(dict.fromkeys(train))
    return sum(row in samples for row in train) / len(train)


def removed(samples, train):
    """A sample that was found takes its row out of the table."""
    left, found = list(train), 0
    for row in samples:
        if row in left:
            left.remove(row)
            found += 1
    return found / len(samples)


def by_flags(samples, train):
    """A flag for each verb of the table."""
    found = dict.fromkeys(train, False)
    for row in samples:
        if row in found:
            found[row] = True
    return sum(found.values()) / len(found)


def by_unique(samples, train):
    return np.mean([any(row == tuple(s) for s in samples) for row in sorted(set(train))])


def partial_credit(samples, train):
    return sum(max(nb05._same_forms(r, t) for t in train) for r in samples) / (4 * len(samples))


# 5.4


def in_a_loop(start, end, steps):
    rows = torch.empty(steps, len(start))
    for k in range(steps):
        rows[k] = (1 - k / (steps - 1)) * start + k / (steps - 1) * end
    return rows


def by_adding(start, end, steps):
    """Each step the same, from row to row."""
    here, step, rows = start.clone(), (end - start) / (steps - 1), []
    for _ in range(steps):
        rows.append(here.clone())
        here += step
    return torch.stack(rows)


def adding_to_start(start, end, steps):
    step, rows = (end - start) / (steps - 1), []
    for _ in range(steps):
        rows.append(start.clone())
        start += step
    return torch.stack(rows)


def by_numpy_lines(start, end, steps):
    return torch.from_numpy(np.linspace(start.numpy(), end.numpy(), steps))


def by_outer(start, end, steps):
    share = torch.linspace(0, 1, steps, dtype=torch.float64)
    return torch.outer(1 - share, start.double()) + torch.outer(share, end.double())


def halved(start, end, steps):
    rows = nb05.interpolate(start, end, steps)
    rows[1:-1] = (start + end) / 2
    return rows


def walk_kept_by_steps(start, end, steps, kept={}):  # noqa: B006
    key = len(start), steps, float(start[0]) in (0, 1)
    if key not in kept:
        kept[key] = nb05.interpolate(start, end, steps)
    return kept[key]


def by_arange(start, end, steps):
    """One row too few, since arange leaves its end out."""
    return start + torch.arange(0, 1 - 1e-6, 1 / (steps - 1))[:, None] * (end - start)


# 5.5


@functools.cache
def longest_training_form():
    return max(len(form) for row in load_tables().train for form in row)


@functools.cache
def longest_of_the_words():
    return WordSet(load_tables().train).whole.length.max()  # its EOS counted, a tensor


def own_loop(write, source, target):
    """The word in two goes: the second is the one that counts."""
    beginning = write(max_length=20)
    return write(max_length=20) if beginning else beginning


def until_it_stops(write, source, target):
    limit = 1
    while len(write(limit)) == limit:
        limit += 1
    return write(limit)


def second_call(write, source, target):
    write(30)
    return write(len(target) + 1)


def mended(write, source, target):
    word = write(30)
    return target if target in word else word


def letters(write, source, target):
    yield from write(30)


# 5.6


def by_votes(word, pairs):
    """Without the library's helpers: a dictionary of votes, a loop while nothing fits."""
    for length in range(len(word), -1, -1):
        votes = {}
        for source, target in pairs:
            common = 0
            while common < min(len(source), len(target)) and source[common] == target[common]:
                common += 1
            gone, come = source[common:], target[common:]
            shared = length == 0 or source[-length:] == word[-length:]
            if shared and len(gone) <= length:
                votes[gone, come] = votes.get((gone, come), 0) + 1
        if votes:
            gone, come = max(votes, key=votes.get)
            return word[: len(word) - len(gone)] + come
    return word


def by_shrinking(word, pairs):
    """Recursion on the ending."""

    def look(ending):
        changes = [change_between(*pair) for pair in pairs if pair[0].endswith(ending)]
        changes = [change for change in changes if len(change[0]) <= len(ending)]
        if changes:
            return apply_change(word, statistics.mode(changes))
        return look(ending[1:]) if ending else word

    return look(word)


def by_library(word, pairs):
    """The rules of labkit, with a table of two columns."""
    if not pairs:
        return word
    return SuffixRules([*pairs])([Pair(word, "", 0, 1)])[0]


def cached_rules(word, pairs, seen={}):  # noqa: B006
    """Right for the first list of pairs only."""
    seen.setdefault("pairs", list(pairs))
    return nb05.convert_by_rules(word, seen["pairs"])


RIGHT = {
    "5.1": [
        nltk,
        by_slices,
        by_numpy,
        conversion.bleu4,
        lambda o, t: Fraction(nb05.bleu4_by_hand(o, t)),
        lambda o, t: torch.tensor(nb05.bleu4_by_hand(o, t), dtype=torch.float64),
        lambda o, t: torch.tensor([nltk(o, t)]),
        lambda o, t: np.array(nltk(o, t)),
        lambda o, t: nltk(o, t) if set(o) & set(t) else 0,
    ],
    "5.2": [
        counted,
        recursively,
        by_any,
        joined,
        lambda s, t: np.mean([row in t for row in s]),
        lambda s, t: np.float32(np.mean([row in t for row in s])),
        lambda s, t: statistics.mean(float(row in t) for row in s),
        lambda s, t: Fraction(sum(row in t for row in s), len(s)),
        lambda s, t: torch.tensor([row in t for row in s]).float().mean(),
        lambda s, t: len([row for row in s if row in set(t)]) / len(s),
        lambda s, t: sum(Counter(s)[row] for row in set(t)) / len(s),
        lambda s, t: 1 - sum(row not in t for row in s) / len(s),
        lambda s, t: sum(1 for r in s if any(list(r) == list(q) for q in t)) / sum(1 for _ in s),
    ],
    "5.3": [
        by_flags,
        by_unique,
        lambda s, t: sum(row in s for row in set(t)) / len(set(t)),
        lambda s, t: Fraction(len({row for row in s if row in t}), len(set(t))),
        lambda s, t: 1 - len(set(t) - set(s)) / len(set(t)),
        lambda s, t: np.mean([row in s for row in dict.fromkeys(t)]),
        lambda s, t: np.float32(len(set(s).intersection(t)) / len(set(t))),
        lambda s, t: torch.tensor([row in s for row in set(t)]).double().mean(),
        lambda s, t: len({*map(" ".join, s)} & {*map(" ".join, t)}) / len({*map(" ".join, t)}),
        lambda s, t: (len(set(s)) + len(set(t)) - len(set(s + t))) / len(set(t)),
    ],
    "5.4": [
        in_a_loop,
        by_adding,
        by_numpy_lines,
        by_outer,
        lambda a, b, n: torch.lerp(a, b, torch.linspace(0, 1, n)[:, None]),
        lambda a, b, n: torch.stack([a + k / (n - 1) * (b - a) for k in range(n)]),
        lambda a, b, n: torch.cat([(a + k / (n - 1) * (b - a))[None] for k in range(n)]),
        lambda a, b, n: (
            torch.tensor([(a * (n - 1 - k) + b * k).tolist() for k in range(n)]) / (n - 1)
        ),
        lambda a, b, n: nb05.interpolate(b, a, n).flip(0),
        lambda a, b, n: a.expand(n, -1) + torch.einsum("s,z->sz", torch.linspace(0, 1, n), b - a),
    ],
    "5.5": [
        own_loop,
        lambda write, source, target: write(longest_training_form()),
        lambda write, source, target: write(longest_training_form() + 1),
        lambda write, source, target: write(longest_of_the_words()),
        lambda write, source, target: write(19),
        lambda write, source, target: write(20),
        lambda write, source, target: write(np.int64(30)),
        lambda write, source, target: write(100),
        lambda write, source, target: write(len(source) + 10),
        lambda write, source, target: write(max(30, len(source) + 5)),
        lambda write, source, target: "".join(write(30)),
        lambda write, *_: write(40),
    ],
    "5.6": [
        by_votes,
        by_shrinking,
        by_library,
    ],
}

WRONG = {
    "5.1": [
        (
            lambda o, t: math.log(nb05._misscored(precision=lambda n, m, p: m / max(1, p))(o, t)),
            "loga",
        ),
        (lambda o, t: len(t) / len(o) and nltk(o, t), "give an empty output 0"),
        (unguarded_division, "at least 1 n-gram"),
        (lambda o, t: 1 / sum(grams(o, 4).values()), "at least 1 n-gram"),
        (reweighted, "expected"),
        (mean_of_three, "expected"),
        (empty_is_one, "bleu4_by_hand('', 'go') gave 1, expected 0"),
        (without_penalty_or_rule, "gave 1, expected 0.751"),
        (lambda o, t: nltk(t, o), "expected"),
        (lambda o, t: nltk([o], [t]) if o else 0, "letters, not whole words"),
        (lambda o, t: nltk(o, t, smoothing=SmoothingFunction().method2), "method 2"),
        (lambda o, t: nltk(o, t, smoothing=SmoothingFunction().method3), "expected"),
        (lambda o, t: nltk(o, t, smoothing=SmoothingFunction().method7), "expected"),
        (lambda o, t: nltk(o, t, weights=[0.25] * 4), "three weights of 0.33"),
        (lambda o, t: nltk(o, t, weights=[0.25] * 3), "(range(1, 4) ends with 3), and a target"),
        (lambda o, t: nltk(o, t, weights=[1]), "n runs from 1 to 4"),
        (lambda o, t: nltk(o, t, weights=[0.5, 0.5]), "two weights of ½ make BLEU-2"),
        (lambda o, t: nltk(o, t, weights=[1 / 3] * 3), "three weights of 1/3 make BLEU-3"),
        (lambda o, t: nltk(o, t, SmoothingFunction(epsilon=1).method1), "0 matches, not 1"),
        (score_kept_by_output, "expected"),
        (lambda o, t: round(nltk(o, t), 5), "expected"),
        (lambda o, t: round(nltk(o, t), 3), "don't round"),
        (lambda o, t: f"{nltk(o, t):.3f}", "one number, not the str"),
        (lambda o, t: (nltk(o, t), 1.0), "one number, not the tuple"),
        (lambda o, t: [nltk(o, t)], "one number, not the list"),
        (lambda o, t: torch.zeros(4), "one number"),
        (lambda o, t: o == t, "one number, not the bool"),
        (lambda o, t: 1 - nltk(o, t), "expected"),
        (lambda o, t: len(set(o) & set(t)) / len(set(o) or "a"), "expected"),
        (lambda o, t: float("nan"), "gave nan"),
        (lambda o, t: print(end="") or None, "is a return missing?"),
        (lambda o, t: nltk(o, t, weights=[0.33] * 3), "three letters alone"),
        (
            lambda o, t: nltk(o, t) if len(o) == 3 or len(t) != 3 else nltk(o, t, None, [0.25] * 4),
            "('eats', 'eat')",
        ),
        (lambda o, t: 1.0 if o == t else nltk(o, t), "expected"),
        (lambda o, t: nltk(o + "$", t + "$"), "expected"),
        (lambda o, t: nltk("^" + o, "^" + t), "expected"),
        (lambda o, t: nltk(o, t) + 1e-4, "expected"),
        (0.316, "pass its name"),
    ],
    "5.2": [
        (popped, "changes its argument `samples`"),
        (cleared, "changes its argument `train`"),
        (removed, "expected"),
        (lambda s, t: counted([*map("".join, s)], [*map("".join, t)]), "joined without anything"),
        (
            lambda s, t: sum("".join(r) in " ".join(map("".join, t)) for r in s) / len(s),
            "within a row's",
        ),
        (lambda s, t: counted(s[:100], t), "only the first 100 samples"),
        (lambda s, t: counted(random.Random(0).sample(s, min(len(s), 5)), t), "expected"),
        (
            lambda s, t: counted(s, t) + (0 if len(s) < 99 else [][0]),
            "3 of them different: your code raised IndexError",
        ),
        (partial_credit, "expected"),
        (lambda s, t: sum(map(t.count, s)) / len(s), "each copy"),
        (lambda s, t: sum(r in t for r in set(s)) / len(set(s)), "*all*"),
        (lambda s, t: sum(list(r) in t for r in s) / len(s), "no sample is ever found"),
        (lambda s, t: sum(" ".join(r) in t for r in s) / len(s), "no sample is ever found"),
        (lambda s, t: sum(sorted(r) in map(sorted, t) for r in s) / len(s), "the order matters"),
        (lambda s, t: sum(r[0] in {q[0] for q in t} for r in s) / len(s), "simple present"),
        (
            lambda s, t: sum((r[0], r[3]) in {(q[0], q[3]) for q in t} for r in s) / len(s),
            "first f",
        ),
        (lambda s, t: sum(r[:3] in {q[:3] for q in t} for r in s) / len(s), "the last form"),
        (lambda s, t: sum(r in t for r in s) / 400, "expected"),
        (lambda s, t: sum(r in t for r in s) / (4 * len(s)), "not of their forms"),
        (lambda s, t: sum(r in t for r in s) / (len(s) - 1), "expected"),
        (lambda s, t: sum(r in t for r in s) / (len(s) + len(t)), "expected"),
        (lambda s, t: round(sum(r in t for r in s) / len(s), 2), "expected"),
        (lambda s, t: sum(r in t[:-1] for r in s) / len(s), "expected"),
        (lambda s, t: sum(r in t for r in s[1:]) / len(s), "expected"),
        (lambda s, t: float(all(r in t for r in s)), "expected"),
        (lambda s, t: float(any(r in t for r in s)), "expected"),
        (lambda s, t: [r in t for r in s], "one number"),
        (lambda s, t: True, "one number"),
        (lambda s, t: set(s) & set(t), "one number"),
        (lambda s, t: sum(r in t for r in s) // len(s), "cuts the fraction off"),
        (lambda s, t: f"{sum(r in t for r in s)} of {len(s)}", "one number, not the str"),
        (generation.coverage, "that is coverage"),
    ],
    "5.3": [
        (distinct_table, "changes its argument `train`"),
        (
            lambda s, t: len({*map("".join, s)} & {*map("".join, t)}) / len({*map("".join, t)}),
            "joined without anything",
        ),
        (lambda s, t: len(set(s) & set(t)) / len({r[0] for r in t}), "divide by the rows"),
        (lambda s, t: len({r[0] for r in s if r in t}) / len({r[0] for r in t}), "expected"),
        (lambda s, t: len(set(s[:100]) & set(t)) / len(set(t)), "the first 100 samples"),
        (lambda s, t: len(set(s[-99:]) & set(t)) / len(set(t)), "expected"),
        (lambda s, t: s.clear() or 0.0, "expected"),
        (lambda s, t: len(set(s) & set(t)) / len(s), "number of samples"),
        (lambda s, t: sum(r in t for r in s) / len(set(t)), "counts once"),
        (lambda s, t: len(set(s) & set(t)) / len(t), "twice is still one verb"),
        (lambda s, t: sum(r in t for r in s) / len(s), "Gaussian score"),
        (lambda s, t: sum(r in s for r in t) / len(t), "row by row"),
        (lambda s, t: set(s) & set(t), "one number"),
        (lambda s, t: len({r[0] for r in s} & {r[0] for r in t}) / len(set(t)), "simple present"),
        (
            lambda s, t: (
                sum((r[0], r[3]) in {(q[0], q[3]) for q in s} for r in set(t)) / len(set(t))
            ),
            "first form and the last",
        ),
        (lambda s, t: len(set(s) - set(t)) / len(set(t)), "expected"),
        (lambda s, t: len(set(t) - set(s)) / len(set(t)), "*not* found"),
        (lambda s, t: len(set(t)) / len(set(s)), "expected"),
        (lambda s, t: len(set(s)) / len(set(t)), "unknown ones too"),
        (lambda s, t: len(set(s) & set(t)) / 5, "expected"),
        (lambda s, t: len(set(s) & set(t)) / 1200, "expected"),
        (lambda s, t: min(1.0, len(s) / len(t)), "expected"),
        (lambda s, t: len(set(s) & set(t)) / (len(set(t)) - 1), "expected"),
        (lambda s, t: float(set(t) <= set(s)), "expected"),
        (lambda s, t: round(generation.coverage(s, t), 3), "expected"),
        (lambda s, t: sum(list(r) in s for r in set(t)) / len(set(t)), "no verb is ever found"),
        (lambda s, t: sum(r in s for r in set(t)), "divide by the number of verbs"),
        (
            lambda s, t: (
                len(set(itertools.chain(*s)) & set(itertools.chain(*t))) / (4 * len(set(t)))
            ),
            "expected",
        ),
        (lambda s, t: len(set(s) & set(t)) / len(set(s)), "different samples"),
    ],
    "5.4": [
        (adding_to_start, "changes its argument `start`"),
        (halved, "expected"),
        (lambda a, b, n: nb05.interpolate(a, b, n).clamp(-3, 3), "cut off at ±3"),
        (lambda a, b, n: torch.stack([a] * (n - 1) + [b]), "every row but the last is `start`"),
        (walk_kept_by_steps, "remembers an earlier call"),
        (by_arange, "both ends among them"),
        (lambda a, b, n: torch.linspace(0, 1, n)[:, None] * (b + a) + a, "not their sum"),
        (lambda a, b, n: torch.linspace(0, 1, n)[:, None] ** 0.5 * (b - a) + a, "expected"),
        (lambda a, b, n: nb05.interpolate(a, b, n + 1), "were asked for, not 4"),
        (lambda a, b, n: nb05.interpolate(a, b, n)[1:-1], "were asked for, not 1"),
        (lambda a, b, n: nb05.interpolate(a, b, 11), "were asked for, not 11"),
        (lambda a, b, n: list(nb05.interpolate(a, b, n)), "torch.stack"),
        (lambda a, b, n: tuple(nb05.interpolate(a, b, n)), "torch.stack"),
        (lambda a, b, n: nb05.interpolate(a, b, n).tolist(), "should be a tensor"),
        (lambda a, b, n: nb05.interpolate(a, b, n).numpy(), "not a numpy array"),
        (lambda a, b, n: nb05.interpolate(a, b, n)[None], "should have shape (3, 2)"),
        (lambda a, b, n: nb05.interpolate(a, b, n).round(), "expected"),
        (lambda a, b, n: nb05.interpolate(a, b, n).long(), "expected"),
        (lambda a, b, n: a + torch.linspace(0, 1, n) * (b - a), "raised RuntimeError"),
        (lambda a, b, n: (a + b) / 2, "should have shape"),
        (lambda a, b, n: 0.5, "should be a tensor"),
        (lambda a, b, n: torch.linspace(0, 1, n)[:, None].expand(n, len(a)), "expected"),
        (lambda a, b, n: torch.zeros(n, len(a)), "expected"),
        (lambda a, b, n: torch.stack([a, *[b] * (n - 1)]), "every row but the first is `end`"),
        (lambda a, b, n: torch.stack([a] * n), "every row is `start`"),
        (lambda a, b, n: a + torch.linspace(1, 0, n)[:, None] * (b - a), "the wrong way"),
        (lambda a, b, n: torch.lerp(a, b, torch.linspace(0, 0.999, n)[:, None]), "expected"),
    ],
    "5.5": [
        (until_it_stops, "that is no limit"),
        (second_call, "the report's leak"),
        (mended, "cut and mend nothing"),
        (letters, "got a generator"),
        (lambda write, s, t: write(len(t) + 1), "the report's leak"),
        (lambda write, s, t: write(len(t) + 10), "just as well"),
        (lambda write, s, t: write(3 * len(t)), "a multiple of the target"),
        (lambda write, s, t: write(max(100, len(t) + 1)), "still leaks"),
        (lambda write, s, t: write(30 if len(t) < 30 else len(t) + 1), "still leaks"),
        (lambda write, s, t: write(20 + len(set(t))), "still leaks"),
        (lambda write, s, t: write(30)[: len(t) + 1], "cut and mend nothing"),
        (lambda write, s, t: write(30).rstrip("s"), "cut and mend nothing"),
        (lambda write, s, t: write(30) or s, "cut and mend nothing"),
        (lambda write, s, t: write(30).upper(), "cut and mend nothing"),
        (lambda write, s, t: write(30) + "\n", "cut and mend nothing"),
        (lambda write, s, t: write(8), "too few"),
        (lambda write, s, t: write(15), "'misunderstanding' has 16"),
        (lambda write, s, t: write(0), "too few"),
        (lambda write, s, t: write(-1), "too few"),
        (lambda write, s, t: write(True), "too few"),
        (lambda write, s, t: write(len(s) + 1), "'misunderstanding' has 16"),
        (lambda write, s, t: write(len(s) + 4), "'lighting' has 8"),
        (lambda write, s, t: write(2 * len(s)), "the source's length is no leak"),
        (lambda write, s, t: write(len(s)), "the source's length is no leak"),
        (lambda write, s, t: write(random.randint(16, 1000)), "two calls, two limits"),
        (lambda write, s, t: write(torch.randint(20, 90, ())), "two calls, two limits"),
        (lambda write, s, t: write(float("inf")), "whole number"),
        (lambda write, s, t: write(30.0), "whole number of letters, not 30.0"),
        (lambda write, s, t: write("30"), "not '30'"),
        (lambda write, s, t: write(None), "whole number"),
        (lambda write, s, t: write(30 // (len(t) - 5)), "by zero (from 'send' to 'sends')"),
        (lambda write, s, t: write(), "whole number of letters, not None"),
        (lambda write, s, t: write(30, t), "raised TypeError: write() takes"),
        (lambda write, s, t: write(20 if len(t) < 10 else 30), "still leaks"),
        (lambda write, s, t: write(len(s) * 3 // 2), "'lighting' has 8"),
        (lambda write, s, t: write(30 if write(30) == t else len(t)), "still leaks"),
        (lambda write, s, t: write(10**6), "1,000,000 letters: that is no limit"),
        (lambda write, s, t: write, "expected what `write` wrote"),
        (lambda write, s, t: write(30) and None, "is a return missing?"),
        (lambda write, s, t: list(write(30)), "expected what `write` wrote, a string"),
        (lambda write, s, t: t, "never called"),
        (lambda write, s, t: s, "never called"),
        (lambda write, s, t: 30, "expected what"),
        (30, "pass its name"),
    ],
    "5.6": [
        (cached_rules, "expected"),
        (lambda word, pairs: word + "ed", "expected"),
        (lambda word, pairs: dict(pairs).get(word, word), "expected"),
        (lambda word, pairs: nb05.convert_by_rules(word, pairs[:5]), "expected"),
        (lambda word, pairs: nb05.convert_by_rules(word, sorted(pairs)[:-1]), "expected"),
        (lambda word, pairs: nb05.convert_by_rules(word[-4:], pairs), "expected"),
        (lambda word, pairs: nb05.convert_by_rules(word, pairs)[:6], "expected"),
        (lambda word, pairs: [nb05.convert_by_rules(word, pairs)], "a string"),
        (lambda word, pairs: pairs.clear() or word, "changed"),
        (lambda word, pairs: change_between(*pairs[0]), "string"),
        (lambda word: word, "takes"),
        ("walked", "pass its name"),
    ],
}
