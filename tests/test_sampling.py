"""labkit.invented and labkit.sampling: what an epoch reads and writes."""

import random
from collections import Counter
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.invented import Inventor
from labkit.language import MAX_LENGTH, detokenize
from labkit.sampling import EpochMaker, Sampling
from labkit.tables import load_tables

TABLES = load_tables(train="train_large.txt")
HELD_OUT = {form for row in TABLES.heldout_valid + TABLES.heldout_test for form in row}
INVENTOR = Inventor(TABLES.train, HELD_OUT)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def epochs(sampling, verbs=40, count=1, batch_size=16):
    tables = replace(TABLES, train=TABLES.train[:verbs])
    maker, noise = EpochMaker(tables, sampling, batch_size), generator()
    return maker, [maker.draw(noise) for _ in range(count)]


def words_of(batch):
    return [detokenize(row) for row in batch.tokens.tolist()]


# --- invented verbs ------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_invented_verbs_are_new_and_inflected_as_real_ones(seed):
    real = {form for row in TABLES.train for form in row}
    endings = {tuple(stem_endings) for _, stem_endings in INVENTOR.patterns}
    for row in INVENTOR.invent(50, random.Random(seed)):
        assert not {*row} & (real | HELD_OUT)
        assert all(form.isascii() and form.isalpha() and len(form) <= MAX_LENGTH for form in row)
        assert any(
            all(form.endswith(ending) for form, ending in zip(row, pattern, strict=True))
            and len({form.removesuffix(e) for form, e in zip(row, pattern, strict=True)}) == 1
            for pattern in endings
        )


def test_nothing_is_made_of_a_verb_whose_stem_changes():
    inventor = Inventor([("take", "takes", "taking", "took")])
    assert inventor.invent(5, random.Random(0)) == []


def test_a_table_that_allows_nothing_new_gives_fewer():
    all_it_could_make = {"a" * length for length in range(3, MAX_LENGTH)}
    inventor = Inventor([("aaa", "aaas", "aaaing", "aaaed")], all_it_could_make)
    assert inventor.invent(20, random.Random(0)) == []


def test_beginnings_look_like_the_tables():
    """Letters that never follow each other in a lemma do not in a beginning."""
    inventor = Inventor([("walk", "walks", "walking", "walked")])
    for row in inventor.invent(20, random.Random(0)):
        assert set(row[0]) <= set("walk")


# --- epochs --------------------------------------------------------------------------------------


def test_without_settings_every_word_is_read_and_written_once():
    maker, (epoch,) = epochs(Sampling())
    read = [word for number in range(len(epoch.read)) for word in words_of(epoch.batch(number)[0])]
    assert sorted(read) == sorted(form for row in TABLES.train[:40] for form in row)
    assert all(batch is target for batch, target in map(epoch.batch, range(len(epoch.read))))
    assert maker.words_an_epoch == 160


def test_invented_verbs_are_others_in_every_epoch():
    maker, (first, second) = epochs(Sampling(invented=2.0), count=2)
    assert len(first.words) == len(second.words) == maker.words_an_epoch == 480
    real = {form for row in TABLES.train[:40] for form in row}
    new = [{*words_of(epoch.words.whole)} - real for epoch in (first, second)]
    assert len(new[0] & new[1]) < 0.1 * len(new[0])


def test_frequent_verbs_come_more_often():
    tables = replace(TABLES, train=TABLES.train[:2], frequency={TABLES.train[0][0]: 8})
    maker = EpochMaker(tables, Sampling(frequency_power=0.5), 8)
    noise, seen = generator(), Counter()
    for _ in range(300):
        seen.update(words_of(maker.draw(noise).words.whole))
    share = seen[TABLES.train[0][0]] / (seen[TABLES.train[0][0]] + seen[TABLES.train[1][0]])
    assert share == pytest.approx(3 / 4, abs=0.06)  # (8 + 1) ** 0.5 : (0 + 1) ** 0.5


def test_a_share_of_the_words_is_written_in_another_form_of_the_same_verb():
    _, (epoch,) = epochs(Sampling(pair_share=0.3), verbs=1000, batch_size=64)
    row_of = {(form, t): row for row in TABLES.train[:1000] for t, form in enumerate(row)}
    changes = Counter()
    for batch, target in map(epoch.batch, range(len(epoch.read))):
        for word, tense, other, its_tense in zip(
            words_of(batch),
            batch.tense.tolist(),
            words_of(target),
            target.tense.tolist(),
            strict=True,
        ):
            assert row_of[word, tense][its_tense] == other
            changes[its_tense - tense] += 1
    total = sum(changes.values())
    assert 1 - changes[0] / total == pytest.approx(0.3, abs=0.03)
    assert changes[3] / total == pytest.approx(0.3 / 12, abs=0.01)  # all 12 conversions alike


def test_an_epoch_keeps_its_length_where_nothing_can_be_invented():
    tables = replace(TABLES, train=[("take", "takes", "taking", "took")])
    epoch = EpochMaker(tables, Sampling(invented=3.0), 4).draw(generator())
    assert len(epoch.words) == 16


@pytest.mark.parametrize("name", ["frequency_power", "invented", "pair_share"])
@pytest.mark.parametrize("value", [-0.1, 5_000, float("nan")])
def test_impossible_settings_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} must be between"):
        Sampling(**{name: value})
