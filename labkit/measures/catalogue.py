"""The list of measures: what `evaluate` finds out, and what every table shows.

To add a measure, add an entry to `MEASURES`: the command line, the trials' table, the benchmarks
and the notebooks' tables show it from then on. Stored results that lack it show "–".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from labkit.measures.conversion import exact_match
from labkit.measures.generation import (
    coverage,
    expected_coverage,
    gaussian_score,
    wilson_interval,
)
from labkit.model import CVAE
from labkit.tables import Row, Tables

Scores = dict[str, Any]  # a value for each measure by name; beside them protocol, samples, outputs


class PairScores(NamedTuple):
    """The test pairs, judged."""

    bleu4: float  # mean over the pairs
    exact_match: float  # share of the pairs
    outputs: list[str]  # what became of each pair's source


class Evidence(NamedTuple):
    """What a model did when it was judged: all that a measure may look at."""

    model: CVAE
    tables: Tables
    pairs: PairScores
    samples: list[Row]  # verbs from noise
    rate: float  # KL of training words, nats a word
    distortion: float  # their teacher-forced NLL at a sampled latent, nats a word


@dataclass(frozen=True)
class Measure:
    """One number about a model."""

    name: str  # its key in results and stored files
    title: str  # its name in tables
    unit: str
    digits: int
    better: str  # "higher", "lower" or "neither"
    find: Callable[[Evidence], float | None]  # None: these tables have nothing to measure it on
    interval: Callable[[float, Evidence], tuple[float, float]] | None = None  # 95 %

    def show(self, value: float | None) -> str:
        """The value with its digits; "–" where there is none."""
        return "–" if value is None else f"{value:.{self.digits}f}"


def _unseen(evidence: Evidence) -> float | None:
    """On the list that may choose; `heldout_test` judges once (`labkit submit`)."""
    tables = evidence.tables
    if not tables.heldout_valid:
        return None
    return exact_match(evidence.model, tables.heldout_valid, tables.alternates)


def _evenness(evidence: Evidence) -> float | None:
    score = gaussian_score(evidence.samples, evidence.tables.train)
    if score == 0:
        return None
    verbs = len(set(evidence.tables.train))
    expected = expected_coverage(score, len(evidence.samples), verbs)
    return coverage(evidence.samples, evidence.tables.train) / expected


MEASURES = (
    Measure(
        name="bleu4",
        title="BLEU-4",
        unit="mean over the test pairs, 0 to 1",
        digits=3,
        better="higher",
        find=lambda e: e.pairs.bleu4,
    ),
    Measure(
        name="exact_match",
        title="exact match",
        unit="share of the test pairs",
        digits=2,
        better="higher",
        find=lambda e: e.pairs.exact_match,
    ),
    Measure(
        name="gaussian_score",
        title="Gaussian score",
        unit="share of verbs from noise that are training verbs",
        digits=3,
        better="higher",
        find=lambda e: gaussian_score(e.samples, e.tables.train),
        interval=lambda share, e: wilson_interval(share * len(e.samples), len(e.samples)),
    ),
    Measure(
        name="distinct_rows",
        title="distinct rows",
        unit="different verbs among those from noise",
        digits=0,
        better="higher",
        find=lambda e: len(set(e.samples)),
    ),
    Measure(
        name="coverage",
        title="coverage",
        unit="share of the training verbs among those from noise",
        digits=3,
        better="higher",
        find=lambda e: coverage(e.samples, e.tables.train),
    ),
    Measure(
        name="evenness",
        title="÷ even",
        unit="coverage, as a share of what an even sampler of this Gaussian score covers",
        digits=2,
        better="higher",
        find=_evenness,
    ),
    Measure(
        name="unseen_exact_match",
        title="unseen exact",
        unit="share of all conversions of heldout_valid's verbs, never trained on",
        digits=3,
        better="higher",
        find=_unseen,
    ),
    Measure(
        name="kl",
        title="KL",
        unit="rate: nats a training word",
        digits=2,
        better="neither",
        find=lambda e: e.rate,
    ),
    Measure(
        name="nll",
        title="NLL",
        unit="distortion: nats a training word, teacher-forced",
        digits=2,
        better="lower",
        find=lambda e: e.distortion,
    ),
)


def measure(name: str) -> Measure:
    """The measure of this name. Raises KeyError if there is none."""
    return {measure.name: measure for measure in MEASURES}[name]


def score_rows(scores: Mapping[str, Scores]) -> list[dict[str, str]]:
    """A table's rows: a measure each, with the values of one or more results under their names."""
    return [
        {
            "measure": entry.title,
            **{name: entry.show(found.get(entry.name)) for name, found in scores.items()},
            "unit": entry.unit,
        }
        for entry in MEASURES
    ]
