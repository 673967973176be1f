"""What converts without a network, and conversions taken apart."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk import edit_distance as nltk_edit_distance

from labkit.measures.baselines import (
    NearestVerb,
    SuffixRules,
    apply_change,
    baselines,
    change_between,
    copy,
)
from labkit.measures.breakdown import (
    Conversion,
    by_forms,
    by_kind,
    convert_all,
    edit_distance,
    errors_by_kind,
    interval_over_verbs,
    kind_of_error,
    share_right,
)
from labkit.measures.comparison import compare, comparison_rows, verbs_to_judge
from labkit.model import new_model
from labkit.tables import Pair, load_tables

TABLES = load_tables()
LARGE = load_tables(train="train_large.txt")
ROWS = [
    ("walk", "walks", "walking", "walked"),
    ("bake", "bakes", "baking", "baked"),
    ("try", "tries", "trying", "tried"),
    ("cry", "cries", "crying", "cried"),
]
words = st.text("abcdeinrsty", min_size=1, max_size=8)


@given(words, words)
def test_a_change_is_undone_by_applying_it(source, target):
    change = change_between(source, target)
    assert apply_change(source, change) == target
    assert not (change[0] and change[1] and change[0][0] == change[1][0])  # nothing common is left


def test_rules_follow_the_longest_ending():
    rules = SuffixRules(ROWS)
    assert rules([Pair("dry", "", 0, 3), Pair("rake", "", 0, 2), Pair("talks", "", 1, 0)]) == [
        "dried",
        "raking",
        "talk",
    ]


@pytest.mark.parametrize(
    ("tables", "valid", "test"), [(TABLES, 0.922, 0.897), (LARGE, 0.944, 0.901)]
)
def test_rules_reach_what_an_earlier_program_measured(tables, valid, test):
    """Counted once by another program, from the same tables."""
    rules = SuffixRules(tables.train)
    for rows, expected in ((tables.heldout_valid, valid), (tables.heldout_test, test)):
        share = share_right(convert_all(rules, rows, tables.alternates))
        assert share == pytest.approx(expected, abs=6e-4)


def test_rules_against_counting_by_hand():
    """By brute force: of the words that share the longest ending, the most frequent change."""
    rules = SuffixRules(TABLES.train)
    for row in TABLES.heldout_valid[:40]:
        word = row[0]
        for start in range(len(word)):
            changes = [
                change_between(r[0], r[3])
                for r in TABLES.train
                if r[0].endswith(word[start:])
                and len(change_between(r[0], r[3])[0]) <= len(word) - start
            ]
            if changes:
                best = max(map(changes.count, changes))
                allowed = {apply_change(word, c) for c in changes if changes.count(c) == best}
                assert rules([Pair(word, "", 0, 3)])[0] in allowed
                break


def test_the_nearest_verb_is_the_nearest():
    nearest = NearestVerb(TABLES.train)
    for word in ("googling", "tweeting", "blogging"):
        output = nearest([Pair(word, "", 2, 0)])[0]
        order = sorted(TABLES.train, key=lambda row: nltk_edit_distance(word, row[2]))
        ties = nltk_edit_distance(word, order[0][2])
        near = [row for row in order[:60] if nltk_edit_distance(word, row[2]) <= ties + 1]
        assert output in {
            apply_change(word, change_between(row[2], row[0]))
            for row in near
            if word.endswith(change_between(row[2], row[0])[0])
        }


def test_copying_is_right_where_two_forms_are_alike():
    rows = [("put", "puts", "putting", "put")]
    assert share_right(convert_all(copy, rows)) == pytest.approx(2 / 12)


def test_conversions_are_judged_with_alternates():
    rows = [("get", "gets", "getting", "got")]
    done = convert_all(
        lambda pairs: ["gotten" if p.target_tense == 3 else p.target for p in pairs],
        rows,
        {("get", 3): frozenset({"gotten"})},
    )
    assert all(c.right for c in done) and edit_distance(done) == 0
    assert by_kind(done)["irregular"] == 1 and math.isnan(by_kind(done)["regular"])


def test_a_picture_of_forms():
    table = by_forms(convert_all(SuffixRules(ROWS), ROWS), 4)
    assert all(math.isnan(table[i][i]) for i in range(4))
    assert all(table[i][j] == 1 for i in range(4) for j in range(4) if i != j)


def test_the_interval_takes_verbs_as_the_sample():
    """Twelve copies of 150 answers are 150 observations."""
    rows = TABLES.train[:150]
    right = {row: number % 4 > 0 for number, row in enumerate(rows)}
    done = convert_all(lambda pairs: [p.target for p in pairs], rows)
    done = [c._replace(right=right[c.row]) for c in done]
    low, high = interval_over_verbs(done)
    assert (low + high) / 2 == pytest.approx(share_right(done))
    assert (high - low) / 2 == pytest.approx(1.96 * math.sqrt(0.75 * 0.25 / 150), rel=0.02)
    assert interval_over_verbs(done[:12]) == (0.0, 1.0)  # one verb says nothing


@pytest.mark.parametrize(
    ("lemma", "source", "target", "tenses", "output", "kind"),
    [
        ("tag", "tag", "tagging", (0, 2), "taging", "doubling"),
        ("visit", "visit", "visited", (0, 3), "visitted", "doubling"),
        ("promote", "promoting", "promote", (2, 0), "promot", "silent e"),
        ("avoid", "avoiding", "avoids", (2, 1), "avoides", "silent e"),
        ("mix", "mix", "mixes", (0, 1), "mixs", "-es"),
        ("try", "try", "tries", (0, 1), "trys", "y and i"),
        ("walk", "walk", "walked", (0, 3), "walk", "not changed"),
        ("walk", "walk", "walked", (0, 3), "talked", "stem changed"),
        ("walk", "walk", "walked", (0, 3), "walking", "another ending"),
        ("take", "take", "took", (0, 3), "taked", "irregular made regular"),
        ("take", "take", "took", (0, 3), "tuck", "irregular, another way"),
    ],
)
def test_kinds_of_errors(lemma, source, target, tenses, output, kind):
    row = next(row for row in [*LARGE.train, *LARGE.heldout_valid, *EXTRA] if row[0] == lemma)
    assert kind_of_error(Conversion(row, Pair(source, target, *tenses), output, False)) == kind


EXTRA = [("tag", "tags", "tagging", "tagged"), ("mix", "mixes", "mixing", "mixed")]


def test_the_commonest_error_comes_first():
    done = convert_all(copy, LARGE.heldout_valid[:30])
    kinds = errors_by_kind(done)
    assert list(kinds)[0] == "not changed"
    assert sum(map(len, kinds.values())) == sum(not c.right for c in done)


def test_a_model_stands_beside_the_baselines():
    compared = compare(new_model(0), TABLES)
    assert list(compared) == ["model", *baselines(TABLES.train)]
    assert compared["model"]["heldout_valid"]["all"] == 0
    assert compared["suffix rules"]["seen"]["all"] > 0.98
    rows = comparison_rows(compared)
    assert rows[-1][""] == "suffix rules" and rows[-1]["heldout_valid"].startswith("0.922 ± ")
    assert "heldout_test" not in verbs_to_judge(TABLES)  # it judges once, elsewhere
