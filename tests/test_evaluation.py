"""labkit.evaluation and labkit.inference: scores with known values, protocols, conversions."""

import dataclasses
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labkit import evaluation
from labkit.data import ALPHABET, DataError, Pair, Tables, WordSet, load_tables
from labkit.evaluation import (
    bleu4,
    coverage,
    evaluate,
    exact_match,
    gaussian_score,
    heldout_pairs,
    judge_pairs,
    rate_and_distortion,
    wilson_interval,
)
from labkit.inference import convert, decode_all_tenses, encode, generate, interpolate
from labkit.model import new_model

TEN_PAIRS = [(pair.source, pair.target) for pair in load_tables().test]
ROWS = [("walk", "walks", "walking", "walked"), ("go", "goes", "going", "went")]


@pytest.fixture(scope="module")
def model():
    return new_model(0)


@pytest.fixture(scope="module")
def tables():
    whole = load_tables()
    return Tables(whole.folder, whole.train[:30], whole.test, [], whole.heldout_test[:5], {})


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
    pairs = heldout_pairs(ROWS[1:])
    assert len(pairs) == len(set(pairs)) == 12
    assert Pair("went", "goes", 3, 1) in pairs


def test_exact_match_accepts_alternates(monkeypatch, model):
    rows = [("dive", "dives", "diving", "dived")]
    answers = {"dive": "dive", "dives": "dives", "diving": "diving", "dived": "dove"}

    def convert_pairs(_, pairs, sample=None):
        return [answers[pair.target] for pair in pairs]

    monkeypatch.setattr(evaluation, "_convert_pairs", convert_pairs)
    assert exact_match(model, rows) == 9 / 12
    assert exact_match(model, rows, {("dive", 3): frozenset({"dove"})}) == 1


# --- inference -----------------------------------------------------------------------------------


def test_a_batch_converts_as_word_by_word(model):
    words = ["go", "abandon", "splitting"]
    together = convert(model, words, ["sp", "p", "pg"], ["tp", "sp", "p"])
    alone = [
        convert(model, [word], source, target)[0]
        for word, source, target in zip(words, ["sp", "p", "pg"], ["tp", "sp", "p"], strict=True)
    ]
    assert together == alone


def test_convert_refuses_bad_words_and_tenses(model):
    with pytest.raises(DataError, match="a-z"):
        convert(model, ["Walk"], "sp", "p")
    with pytest.raises(DataError, match="use one of sp"):
        convert(model, ["walk"], "sp", "past")
    with pytest.raises(DataError, match="2 words but 1 tenses"):
        convert(model, ["walk", "go"], "sp", ["p"])


def test_generation_comes_from_its_generator(model):
    def rows(seed):
        return generate(model, 5, torch.Generator().manual_seed(seed))

    assert rows(1) == rows(1) != rows(2)
    z = torch.randn(5, 64, generator=torch.Generator().manual_seed(1))
    assert decode_all_tenses(model, z) == rows(1)
    cold = generate(model, 4, torch.Generator().manual_seed(0), temperature=0)
    assert len(set(cold)) == 1


def test_interpolation_holds_its_ends(model):
    start, end = encode(model, ["walk", "run"], [0, 0]).mean
    path = interpolate(start, end, 5)
    torch.testing.assert_close(path[[0, 2, 4]], torch.stack([start, (start + end) / 2, end]))


# --- protocols -----------------------------------------------------------------------------------


def test_the_protocols_differ_as_described(model, monkeypatch):
    pairs = [Pair("walk", "walked", 0, 3), Pair("go", "goes", 0, 1)]
    calls = []

    def convert_pairs(_, pairs, sample=None):
        calls.append(sample)
        return ["walkedness", "goes"]

    monkeypatch.setattr(evaluation, "_convert_pairs", convert_pairs)
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
    assert 1 <= scores.distinct_rows <= scores.samples == 20
    assert scores.gaussian_score_low <= scores.gaussian_score <= scores.gaussian_score_high
    assert len(scores.outputs) == 10
    assert scores.heldout_exact_match is not None
    course = dataclasses.replace(tables, heldout_test=[])
    assert evaluate(model, course, "report", samples=20).heldout_exact_match is None


def test_rate_and_distortion_of_an_untrained_model(model, tables):
    """Against torch.distributions, word by word, with the same noise."""
    words = WordSet(tables.train[:5])
    kl, nll = rate_and_distortion(model, words, torch.Generator().manual_seed(0))
    assert nll == pytest.approx(math.log(28) * words.all.length.float().mean().item(), rel=0.02)
    posterior = model.encode(words.all)
    q = torch.distributions.Normal(posterior.mean, (posterior.log_var / 2).exp())
    p = torch.distributions.Normal(0, 1)
    expected = torch.distributions.kl_divergence(q, p).sum(dim=1).mean()
    assert kl == pytest.approx(expected.item(), rel=1e-4)


def test_words_use_only_letters(model):
    assert set("".join(sum(generate(model, 3, torch.Generator()), ()))) <= set(ALPHABET + "^")
