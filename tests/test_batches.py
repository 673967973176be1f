"""labkit.batches: padding, and the order of an epoch."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labkit.batches import WordSet, make_batch, padding_mask
from labkit.errors import DataError
from labkit.language import ALPHABET, EOS, Form, Language, detokenize
from labkit.tables import load_tables

ROWS = load_tables().train[:50]
words = st.text(alphabet=ALPHABET, min_size=1, max_size=15)


@given(st.lists(words, min_size=1, max_size=8))
def test_batches_hold_every_word_and_pad_with_eos(batch_words):
    batch = make_batch(batch_words, [0] * len(batch_words))
    mask = padding_mask(batch.length, batch.tokens.shape[1])
    assert [detokenize(row) for row in batch.tokens.tolist()] == batch_words
    assert mask.sum(dim=1).tolist() == [len(word) + 1 for word in batch_words]
    assert (batch.tokens[~mask] == EOS).all()


def test_make_batch_refuses_nonsense():
    with pytest.raises(DataError, match="2 words but 1 tenses"):
        make_batch(["a", "b"], [0])
    with pytest.raises(DataError, match="no words"):
        make_batch([], [])
    with pytest.raises(DataError, match="4 is not a tense"):
        make_batch(["a"], [4])


def test_a_set_holds_the_forms_of_its_language():
    language = Language("ab", "ab", (Form("x", "first"), Form("y", "second")))
    whole = WordSet([("a", "ab"), ("b", "ba")], language).whole
    assert [detokenize(row, language) for row in whole.tokens.tolist()] == ["a", "ab", "b", "ba"]
    assert whole.tense.tolist() == [0, 1, 0, 1]
    assert whole.tokens[0].tolist() == [0, language.eos, language.eos]


@pytest.mark.parametrize("batch_size", [1, 7, 64, 10_000])
def test_an_epoch_holds_every_word_once(batch_size):
    words = WordSet(ROWS)
    seen = []
    for batch in words.batches(batch_size, torch.Generator().manual_seed(3)):
        assert batch.tokens.shape[1] == batch.length.max()
        seen += [
            (detokenize(row), tense)
            for row, tense in zip(batch.tokens.tolist(), batch.tense.tolist(), strict=True)
        ]
    wanted = [(form, tense) for row in ROWS for tense, form in enumerate(row)]
    assert sorted(seen) == sorted(wanted)


def test_batches_are_shuffled_by_the_generator_alone():
    words = WordSet(ROWS)

    def epoch(seed):
        return [b.tokens.tolist() for b in words.batches(8, torch.Generator().manual_seed(seed))]

    assert epoch(1) == epoch(1) != epoch(2)


def test_a_batch_holds_words_of_similar_length():
    lengths = [b.length for b in WordSet(ROWS).batches(10, torch.Generator().manual_seed(0))]
    padding = sum(int(length.max() * len(length) - length.sum()) for length in lengths)
    assert padding < 0.1 * sum(int(length.sum()) for length in lengths)
    firsts = [int(length[0]) for length in lengths]
    assert firsts != sorted(firsts), "short words are not all read first"
