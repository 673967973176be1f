"""labkit.inference: conversions, verbs from noise, walks between words."""

import pytest
import torch

from labkit.errors import DataError
from labkit.inference import convert, decode_all_tenses, encode, generate, interpolate
from labkit.language import ALPHABET, Form, Language
from labkit.model import CVAE, new_model


@pytest.fixture(scope="module")
def model():
    return new_model(0)


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


def test_words_use_only_letters(model):
    assert set("".join(sum(generate(model, 3, torch.Generator()), ()))) <= set(ALPHABET + "^")


def test_a_verb_has_the_forms_of_the_models_language():
    forms = (Form("inf", "Infinitiv"), Form("er", "dritte Person"), Form("prät", "Präteritum"))
    model = CVAE(hidden=16, latent=4, language=Language("Deutsch", "abcäöü", forms))
    [verb] = generate(model, 1, torch.Generator().manual_seed(0))
    assert len(verb) == 3 and set("".join(verb)) <= set("abcäöü^")
    assert len(convert(model, ["bäcä"], "inf", "prät")) == 1
    with pytest.raises(DataError, match="only the letters a, b, c, ä, ö, ü"):
        convert(model, ["walk"], "inf", "prät")
    with pytest.raises(DataError, match="not a form of Deutsch: use one of inf, er, prät"):
        convert(model, ["bäcä"], "sp", "prät")
