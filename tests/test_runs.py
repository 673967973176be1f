"""Run folders: damaged, hostile and half-written files."""

import json
import math
import os
import pickle
import shutil
from functools import partial

import pytest
import torch

from labkit.errors import RunError
from labkit.files import save_csv, save_json, write_whole
from labkit.measures.protocols import evaluate
from labkit.model import CVAE, new_model
from labkit.recipes import fast
from labkit.runs import (
    PRETRAINED,
    PRETRAINED_FOLDER,
    load_config,
    load_model,
    load_pretrained,
    load_run,
    save_model,
    scores_from,
)
from labkit.tables import Tables, load_tables
from labkit.tensor_files import load_tensors, save_tensors
from labkit.training import train


def four_verbs():
    whole = load_tables()
    return Tables(whole.folder, whole.train[:4], whole.test[:1], [], [], {})


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A run folder that no test changes."""
    folder = tmp_path_factory.mktemp("kept") / "run"
    config = fast(epochs=1, evaluation_samples=2)
    train(config, four_verbs(), out=folder, judge=partial(evaluate, samples=5))
    return folder


@pytest.fixture
def run_folder(tmp_path, kept):
    return shutil.copytree(kept, tmp_path / "run")


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


def test_nothing_is_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"weights": Bomb()}, tmp_path / "torch.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Bomb()))
    for name in ("torch.pt", "plain.pt"):
        with pytest.raises(RunError, match="is not a file of tensors"):
            load_model(tmp_path / name)
    assert not (tmp_path / "exploded").exists()


def test_changed_bytes_are_noticed(run_folder):
    weights = run_folder / "weights.pt"
    content = bytearray(weights.read_bytes())
    for place in range(len(content) // 2, len(content) // 2 + 64):
        content[place] ^= 255
    weights.write_bytes(content)
    with pytest.raises(RunError, match="do not match their checksum"):
        load_model(weights)


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    def refuse(*_):
        raise RuntimeError("[enforce fail at inline_container.cc:672]")

    monkeypatch.setattr(torch, "save", refuse)
    with pytest.raises(RunError, match=r"w\.pt cannot be written: is the disk full"):
        save_tensors(tmp_path / "w.pt", {"a": torch.zeros(2)})


@pytest.mark.parametrize("value", ["0.9", [1], True, math.nan, math.inf, {"a": 1}])
def test_scores_are_numbers(run_folder, value):
    scores = json.loads((run_folder / "scores.json").read_text())
    save_json(run_folder / "scores.json", {**scores, "bleu4": value})
    with pytest.raises(RunError, match=r"scores\.json does not hold labkit's scores: 'bleu4' is "):
        load_run(run_folder)


@pytest.mark.parametrize(
    "changes", [{"protocol": None}, {"outputs": None}, {"outputs": "word"}, {"outputs": [1]}]
)
def test_scores_say_how_they_were_found(run_folder, changes):
    scores = json.loads((run_folder / "scores.json").read_text())
    save_json(run_folder / "scores.json", {**scores, **changes})
    with pytest.raises(RunError, match="does not hold labkit's scores: expected a protocol"):
        load_run(run_folder)


def test_measures_may_come_and_go(run_folder):
    """A run of an earlier labkit lacks a measure; one of a later labkit has one more."""
    scores = json.loads((run_folder / "scores.json").read_text())
    del scores["coverage"]
    scores |= {"of_tomorrow": 3, "of_tomorrow_low": None}
    save_json(run_folder / "scores.json", scores)
    assert load_run(run_folder).scores == scores
    assert scores_from(scores, run_folder) == scores


def test_weights_of_something_else(tmp_path):
    save_tensors(tmp_path / "w.pt", {"a": torch.zeros(2)})
    with pytest.raises(RunError, match="does not hold the weights of this model"):
        load_model(tmp_path / "w.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(RunError, match="holds a list"):
        load_model(tmp_path / "list.pt")


def test_missing_and_damaged_files_are_named(run_folder):
    scores = (run_folder / "scores.json").read_text()
    (run_folder / "scores.json").write_text('{"a": 1}')
    with pytest.raises(RunError, match=r"scores\.json does not hold labkit's scores"):
        load_run(run_folder)
    (run_folder / "scores.json").write_text(scores)
    weights = run_folder / "weights.pt"
    content = weights.read_bytes()
    weights.write_bytes(content[: len(content) // 2])
    with pytest.raises(RunError, match=r"weights\.pt is not a file of tensors"):
        load_run(run_folder)
    weights.unlink()
    with pytest.raises(RunError, match=r"weights\.pt is missing"):
        load_run(run_folder)
    (run_folder / "config.json").write_text("{")
    with pytest.raises(RunError, match=r"config\.json"):
        load_run(run_folder)
    (run_folder / "config.json").write_text(json.dumps({"settings": {"epoch": 3}}))
    with pytest.raises(RunError, match=r"config\.json is not a configuration"):
        load_run(run_folder)
    with pytest.raises(RunError, match="nowhere"):
        load_run(run_folder / "nowhere")


def test_damaged_history(run_folder):
    (run_folder / "history.csv").write_text("step,kl\n1,often\n")
    with pytest.raises(RunError, match=r"history\.csv is not a table of numbers"):
        load_run(run_folder)
    (run_folder / "history.csv").write_text("step,epoch\n1,0\n")
    with pytest.raises(RunError, match=r"history\.csv lacks the columns cross_entropy, nll"):
        load_run(run_folder)
    (run_folder / "history.csv").write_text("step,epoch\n")
    with pytest.raises(RunError, match=r"history\.csv is empty"):
        load_run(run_folder)


def test_a_failed_write_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "a.json"
    save_json(path, {"old": 1})

    def half(temporary):
        temporary.write_text("{")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(path, half)
    assert json.loads(path.read_text()) == {"old": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_round_trips(tmp_path):
    model = new_model(4)
    save_model(tmp_path / "deep" / "w.pt", model)
    again = load_model(tmp_path / "deep" / "w.pt")
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True)
    )
    save_csv(tmp_path / "h.csv", [{"a": 1, "b": 0.1 + 0.2}])
    assert (tmp_path / "h.csv").read_text() == f"a,b\n1,{0.1 + 0.2!r}\n"
    content = load_tensors(tmp_path / "deep" / "w.pt")
    assert content["model"] == model.description
    assert content["weights"].keys() == model.state_dict().keys()


def test_the_model_that_ships_can_be_loaded():
    for name in PRETRAINED:
        assert load_pretrained(name).description == new_model(0).description
        run = load_run(PRETRAINED_FOLDER / name)
        assert run.history and run.scores is not None and run.scores["exact_match"] > 0.5
    with pytest.raises(RunError, match="no model 'by-magic' ships with the lab: use by-heart, by-"):
        load_pretrained("by-magic")


# --- folders of the first labkit -----------------------------------------------------------------


def as_the_first_labkit_wrote_it(folder):
    """Weights without a description, settings in one flat list, a history row each epoch."""
    content = load_tensors(folder / "weights.pt")
    save_tensors(folder / "weights.pt", content["weights"])
    save_tensors(folder / "best.pt", load_tensors(folder / "best.pt")["weights"])
    config = json.loads((folder / "config.json").read_text())
    del config["model"]
    settings = config["settings"]
    settings |= {f"kl_{name}": value for name, value in settings.pop("kl").items()}
    forcing = settings.pop("forcing")
    settings["final_teacher_forcing_ratio"] = forcing["final_ratio"]
    settings["teacher_forcing_full_share"] = forcing["full_share"]
    save_json(folder / "config.json", config)


def test_folders_of_the_first_labkit_are_read(run_folder):
    new = load_run(run_folder)
    as_the_first_labkit_wrote_it(run_folder)
    old = load_run(run_folder)
    assert (old.config, old.history, old.scores) == (new.config, new.history, new.scores)
    for ours, theirs in ((old.model, new.model), (old.best_model, new.best_model)):
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(a, b)
    # and it counts as finished: training it again reads it back
    again = train(new.config, four_verbs(), out=run_folder, on_progress=lambda p: 1 / 0)
    assert again.scores == new.scores
    with pytest.raises(RunError, match="other settings, words or another model"):
        train(new.config, four_verbs(), out=run_folder, make_model=partial(CVAE, hidden=32))


def test_settings_without_a_history_of_rows_are_those_of_the_first_labkit(run_folder):
    """It knew evaluate_every alone."""
    as_the_first_labkit_wrote_it(run_folder)
    config = json.loads((run_folder / "config.json").read_text())
    del config["settings"]["history_rows"]
    config["settings"]["evaluate_every"] = 76
    save_json(run_folder / "config.json", config)
    assert load_config(run_folder / "config.json") == fast(
        epochs=1, evaluation_samples=2, evaluate_every=76
    )
