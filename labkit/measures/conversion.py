"""Conversions, judged: BLEU-4 and exact match (notebook 05)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from labkit.inference import convert
from labkit.model import CVAE
from labkit.tables import Alternates, Pair, Row

_SMOOTHING = SmoothingFunction().method1


def bleu4(output: str, target: str) -> float:
    """BLEU-4 of one word, its characters taken as the words of a sentence, between 0 and 1.

    The course's definition: NLTK's sentence BLEU with smoothing method 1, and three weights of
    0.33 where the target has three letters. Papineni et al. 2002; Chen & Cherry 2014.
    """
    weights = (0.33, 0.33, 0.33) if len(target) == 3 else (0.25, 0.25, 0.25, 0.25)
    return float(
        sentence_bleu([list(target)], list(output), weights, smoothing_function=_SMOOTHING)
    )


def all_pairs(rows: Sequence[Row]) -> list[Pair]:
    """The conversions between two different forms of each verb: 12 a verb in English."""
    return [
        Pair(source, target, i, j)
        for row in rows
        for i, source in enumerate(row)
        for j, target in enumerate(row)
        if i != j
    ]


def convert_pairs(
    model: CVAE, pairs: Sequence[Pair], sample: torch.Generator | None = None
) -> list[str]:
    """What becomes of each pair's source; a sampled latent if a generator is given."""
    return convert(
        model,
        [pair.source for pair in pairs],
        [pair.source_tense for pair in pairs],
        [pair.target_tense for pair in pairs],
        sample=sample,
    )


def exact_match(model: CVAE, rows: Sequence[Row], alternates: Alternates | None = None) -> float:
    """Share of all conversions of each verb that come out right, by the posterior mean.

    `alternates` lists further accepted words, by (lemma, form).
    """
    pairs = all_pairs(rows)
    lemmas = [row[0] for row in rows for _ in range(len(row) * (len(row) - 1))]
    accepted = alternates or {}
    right = (
        output == pair.target or output in accepted.get((lemma, pair.target_tense), ())
        for pair, lemma, output in zip(pairs, lemmas, convert_pairs(model, pairs), strict=True)
    )
    return sum(right) / len(pairs)
