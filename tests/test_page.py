"""`labkit page`: weights in few bytes, the file, the command."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from browser import ROOT
from labkit import page, quantise
from labkit.cli import main
from labkit.errors import DataError, RunError
from labkit.inference import encode
from labkit.language import ENGLISH, Form, Language
from labkit.measures.protocols import evaluate
from labkit.model import CVAE, new_model
from labkit.page import ASSETS, Exhibit, exhibit_of, front_code, make_page, pack_exhibit
from labkit.quantise import Answers, one_hot_twin, pack, parameters
from labkit.recipes import fast, fast_report, report
from labkit.runs import load_pretrained
from labkit.schedules import KLSchedule
from labkit.tables import DATA_FOLDER, load_tables, miniature
from labkit.training import train

DATA = Path(__file__).parent / "data"
MEGABYTE = 1e6
few = partial(evaluate, samples=5)


@pytest.fixture(scope="module")
def english():
    """The pretrained model, with few of its words: comparing all takes a while."""
    return Exhibit("pretrained", load_pretrained(), miniature(load_tables()))


# --- weights in few bytes -------------------------------------------------------------------------

matrices = arrays.arrays(
    "float32",
    st.tuples(st.integers(1, 5), st.integers(1, 9)),
    elements=st.floats(-1e6, 1e6, width=32),
).map(torch.from_numpy)


@settings(deadline=None)
@given(matrices, st.data())
def test_no_weight_moves_by_more_than_half_a_scale(matrix, data):
    wide = torch.tensor(data.draw(st.lists(st.booleans(), min_size=5, max_size=5))[: len(matrix)])
    whole = quantise.quantise(matrix, wide)
    assert ((whole.matrix - matrix).abs() <= whole.scales[:, None] * 0.5001).all()
    assert whole.width.tolist() == [2 if row else 1 for row in wide]
    for row, numbers in zip(wide, whole.numbers.int(), strict=True):
        assert numbers.abs().max() <= (32767 if row else 127)


@settings(deadline=None)
@given(matrices)
def test_what_is_in_whole_numbers_stays_there(matrix):
    once = quantise.quantise(matrix)
    again = quantise.quantise(once.matrix)
    torch.testing.assert_close(again.matrix, once.matrix, rtol=1e-6, atol=0)


def test_a_row_of_zeros_stays_one():
    assert (quantise.quantise(torch.zeros(2, 3)).matrix == 0).all()


@pytest.mark.parametrize("letters", ["abc", "abcdefghijklmnopqrstuvwxyzäöüß"])
def test_the_twin_that_reads_one_hot_vectors_is_the_same_model(letters):
    forms = (Form("a", "one"), Form("b", "two"))
    model = new_model(3, Language("small", letters, forms), partial(CVAE, hidden=20, latent=5))
    state = torch.get_rng_state()
    twin = one_hot_twin(model)
    assert torch.equal(torch.get_rng_state(), state)
    words, numbers = ["abc", "cab", "b", "abcabcabcabc"], [0, 1, 1, 0]
    torch.testing.assert_close(encode(twin, words, numbers), encode(model, words, numbers))
    z, inputs = torch.randn(4, 10), torch.randint(0, len(letters) + 2, (4, 9))
    both = (m.decode(z, torch.tensor(numbers), inputs) for m in (model, twin))
    torch.testing.assert_close(*both, rtol=1e-4, atol=1e-5)


def of_few_bytes(model, rows):
    """The one-hot twin with the weights that a page would hold."""
    whole, biases = pack(model, Answers(model, rows), "it")
    twin = one_hot_twin(model)
    weights = {name: matrix.matrix for name, matrix in whole.items()}
    assert set(weights) | set(biases) == set().union(*parameters(twin))
    twin.load_state_dict({**twin.state_dict(), **weights})
    return twin, whole


def test_answers_stay_equal_in_one_byte_where_that_will_do(english):
    model, rows = english.model, english.tables.train
    twin, whole = of_few_bytes(model, rows)
    assert Answers(model, rows).changed(twin) == []
    assert all((matrix.width == 1).all() for matrix in whole.values())


def test_answers_stay_equal_in_two_bytes_where_one_changes_some(english, monkeypatch):
    monkeypatch.setitem(quantise.LARGEST, 1, 12)  # a byte of twenty-five values
    model, rows = english.model, english.tables.train
    twin, whole = of_few_bytes(model, rows)
    assert Answers(model, rows).changed(twin) == []
    assert any((matrix.width == 2).any() for matrix in whole.values())


def test_changed_answers_are_found(english):
    answers = Answers(english.model, english.tables.train[:3])
    assert len(answers) == 3 * 4 * 4
    twin = one_hot_twin(english.model)
    assert answers.changed(twin) == []
    with torch.no_grad():
        twin.decoder.output.bias[ENGLISH.eos] -= 20  # it never ends a word
    assert answers.changed(twin) == [*range(12)]
    assert answers.changed(twin, likely=[5, 7]) == [5, 7]


def test_weights_too_coarse_are_refused(english, monkeypatch):
    monkeypatch.setattr(quantise, "LARGEST", {1: 3, 2: 6})
    with pytest.raises(RunError, match="^mine: even with two bytes a weight, what becomes of "):
        pack_exhibit(replace(english, title="mine"))


# --- the file -------------------------------------------------------------------------------------


def unfold(text):
    """What `front_code` wrote, as the page reads it."""
    for line in text.split("\n"):
        lemma, *others = line.split(" ")
        yield (lemma, *(lemma[: int(form[0], 36)] + form[1:] for form in others))


word = st.text("abß1", min_size=1, max_size=30)


@settings(deadline=None)
@given(st.lists(st.tuples(word, word, word), min_size=1, max_size=5))
def test_a_front_coded_table_is_the_table(rows):
    assert [*unfold(front_code(rows))] == rows


def test_front_coding_by_example():
    assert front_code([("walk", "walks", "walking"), ("go", "went", "go")]) == (
        "walk 4s 4ing\ngo 0went 2"
    )


def content_of(html):
    return json.loads(html.split('id="models">')[1].split("</script>")[0])


def test_a_page_is_whole_and_loads_nothing(english):
    html = make_page([pack_exhibit(english)])
    assert "://" not in html and "import(" not in html
    assert re.findall(r"""(?:src|href|url)\s*[=(]""", html) == []
    assert "default-src 'none'" in html
    assert "$" not in html.split("<script")[0]  # every place in the template is filled
    assert html.startswith('<!doctype html>\n<html lang="en">')
    (content,) = content_of(html)
    assert [*unfold(content["rows"])] == english.tables.train


def test_no_word_ends_the_script_that_holds_it(english):
    packed = pack_exhibit(replace(english, title="</script><b>"))
    assert make_page([packed]).count("</script>") == 2
    assert content_of(make_page([packed]))[0]["title"] == "</script><b>"


def test_the_largest_page_of_one_model_is_under_two_megabytes(english):
    """All weights in two bytes, and the longest list."""
    packed = pack_exhibit(english)
    all_wide = {
        name: page._whole(quantise.quantise(rows, True))
        for name, rows in parameters(one_hot_twin(english.model))[0].items()
    }
    packed.content["weights"].update(all_wide)
    packed.content["rows"] = front_code(load_tables(train="train_large.txt").train)
    assert 1.6 * MEGABYTE < len(make_page([packed]).encode()) < 2 * MEGABYTE


def test_scripts_and_style_travel_with_the_package():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    there = {
        path for glob in settings["package-data"]["labkit"] for path in ASSETS.parent.glob(glob)
    }
    assert there >= set(ASSETS.iterdir()) and len(there) == 4


def test_the_scripts_can_be_read_in_one_go():
    lines = [line for path in ASSETS.glob("*.js") for line in path.read_text("utf-8").splitlines()]
    assert len(lines) < 400
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (None, "Trained on 60 verbs in 4 forms."),
        (report(), "rising in a straight line to 0.1 in 2 cycles; teacher forcing for fewer words"),
        (
            fast(),
            "rising in a straight line to 0.105, then falling to 0.025; teacher forcing always",
        ),
        (fast(kl=KLSchedule(0.0, shape="constant")), "KL weight constant at 0; teacher"),
        (fast_report(), "AdamW with a learning rate of 0.008, seed 0."),
    ],
)
def test_a_page_says_how_its_model_came_to_be(english, config, sentence):
    about = page._about(replace(english, config=config, written=date(2026, 3, 9)))
    assert sentence in about
    assert ("written on 9 March 2026." in about) == (config is not None)


# --- run folders, and the command -----------------------------------------------------------------


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A run on few words of the lab's own list."""
    folder = tmp_path_factory.mktemp("runs") / "mine"
    tables = miniature(load_tables())
    config = fast(epochs=1, history_rows=1, evaluation_samples=1)
    train(config, tables, out=folder, judge=few, make_model=partial(CVAE, hidden=24))
    return folder


class Variant(CVAE):
    """No other weights than those of CVAE."""


def call(*arguments, status=0):
    result = CliRunner().invoke(main, ["page", *map(str, arguments)])
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result.output


def test_a_run_folder_on_a_page(run_folder):
    exhibit = exhibit_of(run_folder)
    assert exhibit.title == "mine"
    assert exhibit.tables == miniature(load_tables())
    assert exhibit.config is not None and exhibit.config.epochs == 1
    assert exhibit.scores is not None and exhibit.written is not None
    content = pack_exhibit(exhibit).content
    assert [score["title"] for score in content["scores"]][:2] == ["BLEU-4", "exact match"]
    assert "960 answers" in content["kept"]


def test_the_pretrained_model_is_the_default():
    exhibit = exhibit_of("by-heart")
    assert (exhibit.title, exhibit.written) == ("by-heart", None)
    assert exhibit.tables.train == load_tables().train
    assert exhibit_of("taught").tables.train == load_tables(train="train_large.txt").train


def test_words_are_found_by_their_digest(tmp_path):
    tables = load_tables(DATA / "deutsch")
    config = fast(epochs=1, history_rows=1, evaluation_samples=1)
    train(config, tables, out=tmp_path, judge=few, make_model=partial(CVAE, hidden=16))
    assert exhibit_of(tmp_path, data=[DATA_FOLDER, DATA / "deutsch"]).tables == tables
    with pytest.raises(RunError, match="trained on other words than those in"):
        exhibit_of(tmp_path)


def test_a_variant_is_refused_in_one_sentence(english, tmp_path):
    with pytest.raises(RunError, match="a Variant, a variant of the model: a page can only hold"):
        pack_exhibit(replace(english, model=new_model(0, ENGLISH, Variant)))
    tables = miniature(load_tables(), 10)
    config = fast(epochs=1, history_rows=1, evaluation_samples=1)
    train(config, tables, out=tmp_path, judge=few, make_model=partial(Variant, hidden=16))
    assert "holds a Variant, a variant" in call(
        "--run", tmp_path, "--out", tmp_path / "a", status=2
    )


def test_words_of_another_language_are_refused(english):
    with pytest.raises(DataError, match="its words are Deutsch, its model is of another language"):
        pack_exhibit(replace(english, tables=load_tables(DATA / "deutsch")))


def test_the_command_says_what_it_wrote(run_folder, tmp_path):
    out = tmp_path / "new" / "verbs.html"
    runs = ["--run", run_folder, "--run", run_folder, "--title", "one", "--title", "two"]
    said = call(*runs, "--out", out)
    assert "one: 960 conversions, all equal to the trained model's\ntwo: 960 conv" in said
    assert f"{out}: {out.stat().st_size / 1e6:.2f} MB" in said
    assert [content["title"] for content in content_of(out.read_text("utf-8"))] == ["one", "two"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--run", "nowhere"], "nowhere/config.json is missing: is nowhere the folder of a"),
        (["--title", "a", "--title", "b"], "2 titles for 1 model(s)"),
        (["--data", "nowhere", "--run", "RUN"], "nowhere does not exist"),
        (["--out", "."], "File '.' is a directory"),
        (["--out", "file/verbs.html"], "file"),
        (["--run", "RUN", "--run", "RUN"], "two models are called 'mine'"),
    ],
)
def test_mistakes_get_one_sentence(arguments, message, run_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("not a folder")
    said = call(*(str(run_folder) if a == "RUN" else a for a in arguments), status=2)
    assert message in said.replace("\\", "/")
    assert not (tmp_path / "verbs.html").exists()


@pytest.mark.slow
def test_the_pretrained_model_with_all_its_words(tmp_path):
    out = tmp_path / "verbs.html"
    assert "by-heart: 19,200 conversions, all equal" in call("--out", out)
    assert out.stat().st_size < 2 * MEGABYTE
