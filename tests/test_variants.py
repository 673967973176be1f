"""A model of one's own, from training to judging: subclasses of CVAE, and other sizes."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest
import torch

from labkit import training
from labkit.errors import RunError
from labkit.inference import convert, generate
from labkit.language import ENGLISH, Form, Language
from labkit.measures.protocols import evaluate
from labkit.model import CVAE, Decoder, new_model
from labkit.recipes import fast
from labkit.runs import load_model, load_run, save_model
from labkit.sweeps import load_results, run_sweep
from labkit.tables import Tables, load_tables
from labkit.tensor_files import load_tensors, save_tensors

train = partial(training.train, judge=partial(evaluate, samples=5))
CONFIG = fast(epochs=2, batch_size=8, evaluation_samples=3, history_rows=2)
SMALL = partial(CVAE, hidden=32)


class StubbornDecoder(Decoder):
    """Forgets the latent and has a layer more in front of its letters."""

    def __init__(self, vocabulary, hidden, condition, latent):
        super().__init__(vocabulary, hidden, condition, latent)
        self.between = torch.nn.Linear(hidden, hidden)

    def forward(self, inputs, states):
        outputs, states = self.lstm(self.embedding(inputs), states)
        return self.output(torch.relu(self.between(outputs))), states


class StubbornCVAE(CVAE):
    def __init__(self, hidden=24, condition=8, latent=4, language=ENGLISH):
        super().__init__(hidden, condition, latent, language)
        self.decoder = StubbornDecoder(language.vocabulary_size, hidden, condition, latent)


class SecondCVAE(CVAE):
    """No other weights than those of CVAE: told apart by its name alone."""


VARIANTS = {"subclass": StubbornCVAE, "size": SMALL, "both": partial(StubbornCVAE, hidden=40)}


@pytest.fixture(scope="module")
def tables():
    whole = load_tables()
    return Tables(whole.folder, whole.train[:8], whole.test[:2], [], [], {})


def of_model(make_model):
    return getattr(make_model, "func", make_model)


@pytest.mark.parametrize("make_model", VARIANTS.values(), ids=VARIANTS)
def test_a_variant_is_trained_stored_read_and_judged(tmp_path, tables, make_model):
    run = train(CONFIG, tables, out=tmp_path, make_model=make_model)
    assert type(run.model) is type(run.best_model) is of_model(make_model)
    before = new_model(CONFIG.seed, make_model=make_model)
    for old, new in zip(before.parameters(), run.model.parameters(), strict=True):
        assert not torch.equal(old, new), "every weight is trained"

    again = load_run(tmp_path, make_model=make_model)
    assert again.model.description == run.model.description
    for a, b in zip(again.model.parameters(), run.model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert evaluate(again.model, tables, samples=5) == again.scores == run.scores
    assert len(convert(again.model, ["walk"], "sp", "p")) == 1
    assert len(generate(again.model, 2, torch.Generator())) == 2
    # a finished run is read back with its own class
    read = train(CONFIG, tables, out=tmp_path, make_model=make_model, on_progress=lambda p: 1 / 0)
    assert type(read.model) is of_model(make_model)


def test_sizes_are_read_from_the_file(tmp_path):
    save_model(tmp_path / "w.pt", CVAE(hidden=16, condition=4, latent=2))
    model = load_model(tmp_path / "w.pt")
    assert model.sizes == {"hidden": 16, "condition": 4, "latent": 2}
    save_model(tmp_path / "v.pt", StubbornCVAE(hidden=20))
    assert load_model(tmp_path / "v.pt", make_model=StubbornCVAE).hidden == 20


@pytest.mark.parametrize(
    ("model", "make_model", "message"),
    [
        (StubbornCVAE(), CVAE, "the weights of a 'StubbornCVAE', not of a CVAE"),
        (StubbornCVAE(), SMALL, "the weights of a 'StubbornCVAE', not of a CVAE"),
        (StubbornCVAE(), SecondCVAE, "the weights of a 'StubbornCVAE', not of a SecondCVAE"),
        (CVAE(hidden=16), SecondCVAE, "the weights of a 'CVAE', not of a SecondCVAE"),
        (SecondCVAE(hidden=16), CVAE, "the weights of a 'SecondCVAE', not of a CVAE"),
    ],
)
def test_weights_never_load_into_another_kind_of_model(tmp_path, model, make_model, message):
    save_model(tmp_path / "w.pt", model)
    with pytest.raises(RunError, match=rf"w\.pt holds {message}: pass its class as make_model"):
        load_model(tmp_path / "w.pt", make_model=make_model)


FORMS = (Form("a", "first"), Form("b", "second"))


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden": 20},
        {"latent": 3},
        {"language": Language("Other", "abc", FORMS).to_json()},
        {"language": replace(ENGLISH, letters=ENGLISH.letters[:-1]).to_json()},
    ],
)
def test_weights_that_are_not_what_the_file_says(tmp_path, changes):
    model = CVAE(hidden=16, latent=2)
    description = {**model.description, **changes}
    save_tensors(tmp_path / "w.pt", {"model": description, "weights": model.state_dict()})
    with pytest.raises(RunError, match=r"w\.pt does not hold the weights of this model"):
        load_model(tmp_path / "w.pt")


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ("CVAE", "it does not say of which model"),
        ({"variant": "CVAE"}, "it does not say of which model"),
        ({**CVAE(hidden=16).description, "hidden": "wide"}, "it does not say of which model"),
        ({**CVAE(hidden=16).description, "language": {"name": "x"}}, "expected a language such"),
    ],
)
def test_a_description_that_is_none(tmp_path, description, message):
    weights = CVAE(hidden=16).state_dict()
    save_tensors(tmp_path / "w.pt", {"model": description, "weights": weights})
    with pytest.raises(RunError, match=f"holds weights that cannot be used: .*{message}"):
        load_model(tmp_path / "w.pt")


def test_weights_without_a_description_are_those_of_the_default_model(tmp_path):
    model = new_model(3)
    save_tensors(tmp_path / "w.pt", model.state_dict())
    again = load_model(tmp_path / "w.pt")
    assert torch.equal(again.decoder.output.weight, model.decoder.output.weight)
    save_tensors(tmp_path / "small.pt", CVAE(hidden=16).state_dict())
    with pytest.raises(RunError, match=r"small\.pt does not hold the weights of this model"):
        load_model(tmp_path / "small.pt")
    assert "model" not in load_tensors(tmp_path / "w.pt")


def test_a_sweep_trains_a_variant(tmp_path, tables):
    with ThreadPoolExecutor(1) as executor:
        results = run_sweep(
            {"mine": CONFIG},
            tables,
            [0, 1],
            tmp_path,
            make_model=StubbornCVAE,
            executor=executor,
        )
    expected = train(replace(CONFIG, seed=1), tables, make_model=StubbornCVAE).history
    assert [replace(row, seconds=0) for row in results[1].history] == [
        replace(row, seconds=0) for row in expected
    ]
    assert load_results(tmp_path) == results
    with pytest.raises(RunError, match="another model"):
        run_sweep({"mine": CONFIG}, tables, [0], tmp_path)
