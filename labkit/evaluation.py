"""Judging a model: BLEU-4, exact match, Gaussian score, and the two protocols (notebook 05)."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from labkit.data import DataError, Pair, Row, Tables, WordSet
from labkit.inference import convert, generate
from labkit.losses import character_nll, kl_to_standard_normal, reparameterize
from labkit.model import CVAE, shift_right

PROTOCOLS = ("honest", "report")
REPORT_REPEATS = 5
_SMOOTHING = SmoothingFunction().method1


@dataclass(frozen=True)
class Scores:
    """What `evaluate` found. Shares are between 0 and 1; kl and nll are nats a word."""

    protocol: str
    bleu4: float  # mean over the test pairs
    exact_match: float  # share of the test pairs
    gaussian_score: float
    gaussian_score_low: float  # 95 % confidence interval
    gaussian_score_high: float
    samples: int  # prior samples behind the Gaussian score
    distinct_rows: int  # different rows among the samples
    coverage: float  # share of the training verbs that the samples contain
    heldout_exact_match: float | None  # None where the folder has no held-out table
    kl: float  # of training words
    nll: float  # teacher-forced, of training words, at a sampled latent
    outputs: tuple[str, ...]  # what became of each test pair's source


def bleu4(output: str, target: str) -> float:
    """BLEU-4 of one word, its characters taken as the words of a sentence, between 0 and 1.

    The course's definition: NLTK's sentence BLEU with smoothing method 1, and three weights of
    0.33 where the target has three letters. Papineni et al. 2002; Chen & Cherry 2014.
    """
    weights = (0.33, 0.33, 0.33) if len(target) == 3 else (0.25, 0.25, 0.25, 0.25)
    return float(
        sentence_bleu([list(target)], list(output), weights, smoothing_function=_SMOOTHING)
    )


def gaussian_score(samples: Sequence[Row], train: Collection[Row]) -> float:
    """Share of the generated rows that are a row of the training table in all four forms.

    Each sample counts once, however often its row stands in the table.
    """
    known = set(train)
    return sum(row in known for row in samples) / len(samples)


def coverage(samples: Collection[Row], train: Collection[Row]) -> float:
    """Share of the training verbs that appear among the generated rows, all four forms right."""
    known = set(train)
    return len(known & set(samples)) / len(known)


def wilson_interval(successes: float, trials: int) -> tuple[float, float]:
    """95 % confidence interval of a share (Wilson 1927): (low, high)."""
    z = 1.959964
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    spread = z / (1 + z * z / trials)
    spread *= math.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    return max(0.0, centre - spread), min(1.0, centre + spread)


def heldout_pairs(rows: Sequence[Row]) -> list[Pair]:
    """All 12 conversions between two different tenses of each verb."""
    return [
        Pair(row[i], row[j], i, j) for row in rows for i in range(4) for j in range(4) if i != j
    ]


def exact_match(
    model: CVAE,
    rows: Sequence[Row],
    alternates: Mapping[tuple[str, int], frozenset[str]] | None = None,
) -> float:
    """Share of all 12 conversions of each verb that come out right, by the posterior mean.

    `alternates` lists further accepted forms, by (lemma, tense).
    """
    pairs = heldout_pairs(rows)
    lemmas = [row[0] for row in rows for _ in range(12)]
    outputs = _convert_pairs(model, pairs)
    accepted = alternates or {}
    right = (
        output == pair.target or output in accepted.get((lemma, pair.target_tense), ())
        for pair, lemma, output in zip(pairs, lemmas, outputs, strict=True)
    )
    return sum(right) / len(pairs)


@torch.no_grad()
def rate_and_distortion(
    model: CVAE, words: WordSet, generator: torch.Generator, limit: int = 1024
) -> tuple[float, float]:
    """(KL, teacher-forced NLL) in nats a word, at a sampled latent, over a fixed set of words.

    The NLL is summed over a word's characters: it is −log p(word | z), the distortion, and unlike
    the training loss it does not depend on the teacher-forcing ratio. At most `limit` words are
    used: a random choice that depends on the table alone.
    """
    order = torch.randperm(len(words), generator=torch.Generator().manual_seed(0))[:limit]
    kl = nll = 0.0
    for length in words.all.length[order].unique():  # one length at a time: no padding to mask
        batch = words.take(order[words.all.length[order] == length]).to(model.device)
        posterior = model.encode(batch)
        z = reparameterize(posterior.mean, posterior.log_var, generator)
        logits = model.decode(z, batch.tense, shift_right(batch.tokens))
        nll += float(character_nll(logits, batch.tokens).sum())
        kl += float(kl_to_standard_normal(*posterior).sum())
    return kl / len(order), nll / len(order)


def judge_pairs(
    model: CVAE, pairs: Sequence[Pair], protocol: str, generator: torch.Generator
) -> tuple[float, float, list[str]]:
    """(BLEU-4, exact match, outputs) on test pairs.

    honest: the posterior mean, up to 30 characters. report: the latent sampled, five repeats,
    decoding cut at the target's length + 1, which tells the decoder how long the answer is;
    the outputs are those of the last repeat.
    """
    if protocol == "honest":
        runs = [_convert_pairs(model, pairs)]
    elif protocol == "report":
        runs = [_convert_pairs(model, pairs, generator) for _ in range(REPORT_REPEATS)]
        runs = [
            [output[: len(pair.target) + 1] for output, pair in zip(run, pairs, strict=True)]
            for run in runs
        ]
    else:
        raise DataError(f"protocol {protocol!r} is unknown: use {' or '.join(PROTOCOLS)}")
    judged = [
        (bleu4(output, pair.target), output == pair.target)
        for run in runs
        for output, pair in zip(run, pairs, strict=True)
    ]
    count = len(judged)
    return sum(b for b, _ in judged) / count, sum(e for _, e in judged) / count, runs[-1]


def evaluate(
    model: CVAE, tables: Tables, protocol: str = "honest", *, samples: int = 1000, seed: int = 0
) -> Scores:
    """Judge a model under one of the two protocols, on one device, from one seed.

    The protocols differ in how the test pairs are converted (see `judge_pairs`). What belongs to
    the report's protocol besides, choosing the best checkpoint on the test pairs, happens in
    `labkit.trials`.
    """
    generator = torch.Generator().manual_seed(seed)
    bleu, exact, outputs = judge_pairs(model, tables.test, protocol, generator)
    rows = generate(model, samples, generator)
    gaussian = gaussian_score(rows, tables.train)
    low, high = wilson_interval(gaussian * samples, samples)
    heldout = None
    if tables.heldout_test:
        heldout = exact_match(model, tables.heldout_test, tables.alternates)
    kl, nll = rate_and_distortion(model, WordSet(tables.train), generator)
    return Scores(
        protocol=protocol,
        bleu4=bleu,
        exact_match=exact,
        gaussian_score=gaussian,
        gaussian_score_low=low,
        gaussian_score_high=high,
        samples=samples,
        distinct_rows=len(set(rows)),
        coverage=coverage(rows, tables.train),
        heldout_exact_match=heldout,
        kl=kl,
        nll=nll,
        outputs=tuple(outputs),
    )


def _convert_pairs(
    model: CVAE, pairs: Sequence[Pair], sample: torch.Generator | None = None
) -> list[str]:
    return convert(
        model,
        [pair.source for pair in pairs],
        [pair.source_tense for pair in pairs],
        [pair.target_tense for pair in pairs],
        sample=sample,
    )
