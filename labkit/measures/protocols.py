"""The two protocols of judging: honest, and the report's (notebook 05)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from labkit.batches import WordSet
from labkit.errors import DataError
from labkit.inference import generate
from labkit.measures.catalogue import MEASURES, Evidence, PairScores, Scores
from labkit.measures.conversion import bleu4, convert_pairs
from labkit.measures.latent import rate_and_distortion
from labkit.model import CVAE
from labkit.tables import Pair, Tables

PROTOCOLS = ("honest", "report")
REPORT_REPEATS = 5


def judge_pairs(
    model: CVAE, pairs: Sequence[Pair], protocol: str, generator: torch.Generator
) -> PairScores:
    """Test pairs under a protocol. Raises DataError for one that is unknown.

    honest: the posterior mean, up to 30 characters. report: the latent sampled, five repeats,
    decoding cut at the target's length + 1, which tells the decoder how long the answer is;
    the outputs are those of the last repeat.
    """
    if protocol == "honest":
        runs = [convert_pairs(model, pairs)]
    elif protocol == "report":
        runs = [convert_pairs(model, pairs, generator) for _ in range(REPORT_REPEATS)]
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
    return PairScores(
        bleu4=sum(bleu for bleu, _ in judged) / count,
        exact_match=sum(exact for _, exact in judged) / count,
        outputs=runs[-1],
    )


def evaluate(
    model: CVAE, tables: Tables, protocol: str = "honest", *, samples: int = 1000, seed: int = 0
) -> Scores:
    """Judge a model under one of the two protocols, on one device, from one seed.

    Returns a value for each of `catalogue.MEASURES` by name (None where the tables have nothing to
    measure it on; `…_low` and `…_high` where it has an interval), beside `protocol`, `samples` and
    `outputs`, what became of each test pair's source.
    The protocols differ in how the test pairs are converted (see `judge_pairs`). What belongs to
    the report's protocol besides, choosing the best checkpoint on the test pairs, happens in
    `labkit.report2021`. Raises DataError for an unknown protocol, or tables of another language.
    """
    if model.language != tables.language:
        raise DataError(
            f"the model writes {model.language.name}, the tables in {tables.folder} are "
            f"{tables.language.name}: choose tables of the model's language"
        )
    generator = torch.Generator().manual_seed(seed)
    pairs = judge_pairs(model, tables.test, protocol, generator)
    rows = generate(model, samples, generator)
    words = WordSet(tables.train, tables.language)
    rate, distortion = rate_and_distortion(model, words, generator)
    evidence = Evidence(model, tables, pairs, rows, rate, distortion)
    scores: Scores = {"protocol": protocol, "samples": samples, "outputs": pairs.outputs}
    for entry in MEASURES:
        value = scores[entry.name] = entry.find(evidence)
        if value is not None and entry.interval is not None:
            low, high = entry.interval(value, evidence)
            scores |= {f"{entry.name}_low": low, f"{entry.name}_high": high}
    return scores
