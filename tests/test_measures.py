"""labkit.measures: scores with known values, the protocols, and the list that tables show."""

import dataclasses
import math
from functools import partial

import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from labkit import cli, cli_use, report2021
from labkit.batches import WordSet
from labkit.config import TrialConfig
from labkit.errors import DataError
from labkit.language import Form, Language
from labkit.measures import catalogue, conversion, protocols
from labkit.measures.catalogue import MEASURES, Measure, measure, score_rows
from labkit.measures.conversion import all_pairs, bleu4, exact_match
from labkit.measures.generation import (
    coverage,
    expected_coverage,
    gaussian_score,
    kinds_of_rows,
    wilson_interval,
)
from labkit.measures.latent import rate_and_distortion
from labkit.measures.protocols import evaluate, judge_pairs
from labkit.measures.regular import is_irregular, regular_pasts
from labkit.model import CVAE, new_model
from labkit.sweeps import TrialResult, summary
from labkit.tables import Pair, Tables, load_tables

TEN_PAIRS = [(pair.source, pair.target) for pair in load_tables().test]
ROWS = [("walk", "walks", "walking", "walked"), ("go", "goes", "going", "went")]


@pytest.fixture(scope="module")
def model():
    return new_model(0)


@pytest.fixture(scope="module")
def tables():
    whole = load_tables()
    return Tables(whole.folder, whole.train[:30], whole.test, whole.heldout_valid[:5], [], {})


# --- BLEU-4: the known values of research on this lab's scores -----------------------------------


def test_bleu4_of_perfect_words():
    assert bleu4("walking", "walking") == pytest.approx(1)
    assert bleu4("ran", "ran") == pytest.approx(1)  # three weights for three letters
    assert bleu4("go", "go") == pytest.approx(0.1**0.5, abs=1e-4)  # 0.316: no 3- or 4-grams


def test_bleu4_of_the_ten_pairs_as_the_report_knew_them():
    copied = [bleu4(source, target) for source, target in TEN_PAIRS]
    assert sum(copied) / 10 == pytest.approx(0.607, abs=5e-4)
    assert bleu4("sents", "sends") == pytest.approx(0.286, abs=5e-4)
    plateau = [1.0] * 9 + [bleu4("sents", "sends")]
    assert sum(plateau) / 10 == pytest.approx(0.9286, abs=5e-4)


def bleu_by_hand(output, target):
    """BLEU-4 with smoothing method 1, written from the definition (Papineni et al. 2002)."""
    if not set(output) & set(target):
        return 0.0
    weights = [0.33] * 3 if len(target) == 3 else [0.25] * 4
    total = 0.0
    for n, weight in enumerate(weights, start=1):
        grams = [output[i : i + n] for i in range(len(output) - n + 1)]
        wanted = [target[i : i + n] for i in range(len(target) - n + 1)]
        hits = sum(min(grams.count(g), wanted.count(g)) for g in set(grams))
        total += weight * math.log((hits or 0.1) / max(1, len(grams)))
    brevity = min(0.0, 1 - len(target) / len(output))
    return math.exp(total + brevity)


short = st.text(alphabet="abst", min_size=1, max_size=8)


@given(short, short)
def test_bleu4_is_its_definition(output, target):
    assert bleu4(output, target) == pytest.approx(bleu_by_hand(output, target), abs=1e-9)


def test_bleu4_of_nothing_is_zero():
    assert bleu4("", "walk") == 0


# --- shares --------------------------------------------------------------------------------------


def test_gaussian_score_and_coverage():
    wrong = ("walk", "walks", "walking", "walkt")
    assert gaussian_score([ROWS[0], ROWS[0], wrong, ROWS[1]], ROWS) == 0.75
    assert gaussian_score([ROWS[0]], ROWS * 3) == 1  # copies in the table do not count twice
    assert coverage([ROWS[0], ROWS[0], wrong], ROWS) == 0.5
    assert coverage([ROWS[0]], ROWS * 3) == 0.5


def test_wilson_interval_against_tabulated_values():
    # Brown, Cai & DasGupta 2001 and any statistics package: 15 of 50, and the empty cases.
    assert wilson_interval(15, 50) == pytest.approx((0.1910, 0.4375), abs=1e-3)
    assert wilson_interval(0, 10) == pytest.approx((0, 0.2775), abs=1e-3)
    assert wilson_interval(10, 10) == pytest.approx((0.7225, 1), abs=1e-3)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_holds_the_share(case):
    successes, trials = case
    low, high = wilson_interval(successes, trials)
    assert 0 <= low <= successes / trials + 1e-12
    assert successes / trials - 1e-12 <= high <= 1


def test_twelve_conversions_a_verb():
    pairs = all_pairs(ROWS[1:])
    assert len(pairs) == len(set(pairs)) == 12
    assert Pair("went", "goes", 3, 1) in pairs


def test_exact_match_accepts_alternates(monkeypatch, model):
    rows = [("dive", "dives", "diving", "dived")]
    answers = {"dive": "dive", "dives": "dives", "diving": "diving", "dived": "dove"}

    def convert_pairs(_, pairs, sample=None):
        return [answers[pair.target] for pair in pairs]

    monkeypatch.setattr(conversion, "convert_pairs", convert_pairs)
    assert exact_match(model, rows) == 9 / 12
    assert exact_match(model, rows, {("dive", 3): frozenset({"dove"})}) == 1


# --- protocols -----------------------------------------------------------------------------------


def test_the_protocols_differ_as_described(model, monkeypatch):
    pairs = [Pair("walk", "walked", 0, 3), Pair("go", "goes", 0, 1)]
    calls = []

    def convert_pairs(_, pairs, sample=None):
        calls.append(sample)
        return ["walkedness", "goes"]

    monkeypatch.setattr(protocols, "convert_pairs", convert_pairs)
    generator = torch.Generator()
    assert judge_pairs(model, pairs, "honest", generator)[1:] == (0.5, ["walkedness", "goes"])
    assert calls == [None]
    calls.clear()
    # The cut at the target's length + 1 turns ten letters into seven.
    assert judge_pairs(model, pairs, "report", generator)[2] == ["walkedn", "goes"]
    assert calls == [generator] * 5
    with pytest.raises(DataError, match="honest or report"):
        judge_pairs(model, pairs, "kind", generator)


def test_evaluate_counts_what_it_says(model, tables):
    scores = evaluate(model, tables, samples=20)
    assert scores == evaluate(model, tables, samples=20)
    assert scores != evaluate(model, tables, samples=20, seed=1)
    assert set(scores) == {
        *("protocol", "samples", "outputs"),
        *(entry.name for entry in MEASURES),
        *("gaussian_score_low", "gaussian_score_high"),
    }
    assert 1 <= scores["distinct_rows"] <= scores["samples"] == 20
    low, high = scores["gaussian_score_low"], scores["gaussian_score_high"]
    assert low <= scores["gaussian_score"] <= high
    assert len(scores["outputs"]) == 10
    assert scores["unseen_exact_match"] is not None
    course = dataclasses.replace(tables, heldout_valid=[])
    assert evaluate(model, course, "report", samples=20)["unseen_exact_match"] is None


def test_a_model_is_judged_on_tables_of_its_language(tables):
    language = Language("German", "abc", (Form("inf", "Infinitiv"), Form("p", "Präteritum")))
    with pytest.raises(DataError, match=r"the model writes German, the tables in .* are English"):
        evaluate(CVAE(hidden=16, language=language), tables)


def test_rate_and_distortion_of_an_untrained_model(model, tables):
    """Against torch.distributions, word by word, with the same noise."""
    words = WordSet(tables.train[:5])
    kl, nll = rate_and_distortion(model, words, torch.Generator().manual_seed(0))
    assert nll == pytest.approx(math.log(28) * words.whole.length.float().mean().item(), rel=0.02)
    posterior = model.encode(words.whole)
    q = torch.distributions.Normal(posterior.mean, (posterior.log_var / 2).exp())
    p = torch.distributions.Normal(0, 1)
    expected = torch.distributions.kl_divergence(q, p).sum(dim=1).mean()
    assert kl == pytest.approx(expected.item(), rel=1e-4)


# --- what an irregular verb is -------------------------------------------------------------------


def test_regular_spelling():
    assert regular_pasts("cry") == {"cryed", "cried"}
    assert regular_pasts("stop") == {"stoped", "stopped"}
    assert regular_pasts("mimic") == {"mimiced", "mimicked"}
    assert is_irregular(("go", "goes", "going", "went"))
    assert not is_irregular(("walk", "walks", "walking", "walked"))


# --- the list of measures ------------------------------------------------------------------------

VOWELS = Measure(
    name="vowels",
    title="vowels",
    unit="in the outputs",
    digits=1,
    better="neither",
    find=lambda e: float(sum(word.count(v) for word in e.pairs.outputs for v in "aeiou")),
    interval=lambda value, e: (value - 1, value + len(e.samples)),
)


@pytest.fixture
def one_more(monkeypatch):
    """A further measure in the list, wherever it is asked for."""
    more = (*MEASURES, VOWELS)
    for module in (catalogue, protocols, report2021):
        monkeypatch.setattr(module, "MEASURES", more)


def result(seed=0, **scores):
    return TrialResult("mine", seed, TrialConfig(seed=seed), [], {"honest": scores}, 1.0)


def test_a_measure_is_looked_up_by_its_name():
    assert measure("kl").title == "KL"
    with pytest.raises(KeyError):
        measure("vowels")
    assert len({entry.name for entry in MEASURES}) == len({entry.title for entry in MEASURES})


def test_a_new_measure_is_found_and_shown_everywhere(one_more, model, tables, monkeypatch):
    scores = evaluate(model, tables, samples=20)
    expected = sum(word.count(vowel) for word in scores["outputs"] for vowel in "aeiou")
    assert scores["vowels"] == expected
    assert (scores["vowels_low"], scores["vowels_high"]) == (expected - 1, expected + 20)
    [row] = [row for row in score_rows({"a": scores, "b": {}}) if row["measure"] == "vowels"]
    assert (row["a"], row["b"]) == (f"{expected:.1f}", "–")
    rows = report2021.trials_table([result(0, vowels=1.0), result(1, vowels=3.0)])
    assert rows[0]["vowels"] == "2.0 ± 1.4"

    monkeypatch.setattr(cli_use, "model_of", lambda run, name: model)
    monkeypatch.setattr(protocols, "evaluate", partial(evaluate, samples=20))
    shown = CliRunner().invoke(cli.main, ["evaluate"]).stdout
    assert "vowels" in shown and "in the outputs" in shown
    assert "  (95 %" not in shown and shown.count("(95 %: ") == 2


def test_results_of_other_measures_are_shown_with_a_dash(model, tables, monkeypatch):
    """What an earlier labkit stored lacks a measure; what a later one stored has one more."""
    scores = {**evaluate(model, tables, samples=5), "of_tomorrow": 7.0}
    del scores["coverage"]
    rows = {row["measure"]: row["stored"] for row in score_rows({"stored": scores})}
    assert rows["coverage"] == "–" and rows["KL"] != "–" and len(rows) == len(MEASURES)
    table = report2021.trials_table([result(**scores)])[0]
    assert table["coverage"] == "–" and table["KL"] != "–"
    assert table["report's way: BLEU-4"] == "–"  # judged under one protocol only

    monkeypatch.setattr(cli_use, "model_of", lambda run, name: model)
    monkeypatch.setattr(protocols, "evaluate", lambda *_: scores)
    ran = CliRunner().invoke(cli.main, ["evaluate"])
    assert ran.exit_code == 0
    [line] = [line for line in ran.stdout.splitlines() if line.startswith("coverage")]
    assert line.split()[1] == "–"


def test_a_mean_needs_every_value():
    results = [result(0, kl=1.0), result(1, kl=None)]
    assert summary(results, measure("kl")) == "–"
    assert summary(results[:1], measure("kl")) == "1.00 ± 0.00"
    assert summary(results[:1], measure("kl"), "report") == "–"


@pytest.mark.parametrize(("score", "samples", "verbs"), [(1.0, 1000, 1200), (0.3, 400, 90)])
def test_the_coverage_of_an_even_sampler(score, samples, verbs):
    """Against drawing: numbers below `verbs` are known ones, each as likely."""
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randint(round(verbs / score), (200, samples), generator=generator)
    covered = [len({n for n in row if n < verbs}) / verbs for row in drawn.tolist()]
    expected = expected_coverage(score, samples, verbs)
    assert sum(covered) / len(covered) == pytest.approx(expected, rel=0.03)


def test_kinds_of_rows():
    train = [
        ("walk", "walks", "walking", "walked"),
        ("talk", "talks", "talking", "talked"),
        ("go", "goes", "going", "went"),
    ]
    samples = [
        ("walk", "walks", "walking", "walked"),
        ("walk", "talks", "walking", "walked"),
        ("balk", "balks", "balking", "balked"),
        ("balk", "balks", "balking", "walked"),
        ("balk", "balks", "", "balked"),
    ]
    assert kinds_of_rows(samples, train) == {
        "a training verb": 1,
        "forms of different verbs": 1,
        "new, by the rules": 1,
        "new, mixed": 2,
    }
