"""Run folders: damaged, hostile and half-written files."""

import json
import os
import pickle

import pytest
import torch

from labkit.config import fast
from labkit.data import Tables, load_tables
from labkit.files import RunError, load_tensors, save_csv, save_json, save_tensors, write_whole
from labkit.model import new_model
from labkit.runs import TrialState, load_model, load_run, save_model
from labkit.training import train


def four_verbs():
    whole = load_tables()
    return Tables(whole.folder, whole.train[:4], whole.test[:1], [], [], {})


@pytest.fixture
def run_folder(tmp_path):
    train(fast(epochs=1, evaluation_samples=2), four_verbs(), out=tmp_path / "run")
    return tmp_path / "run"


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


@pytest.mark.parametrize(
    ("name", "value"),
    [("history", None), ("model", {}), ("generator", torch.zeros(3)), ("seconds", "long")],
)
def test_a_damaged_state_says_how_to_start_again(tmp_path, name, value):
    tables = four_verbs()
    config = fast(epochs=2, evaluation_samples=2)
    state = TrialState(config, tables, torch.device("cpu"))
    state.save(tmp_path / "state.pt")
    content = {**load_tensors(tmp_path / "state.pt"), name: value}
    if value is None:
        del content[name]
    save_tensors(tmp_path / "state.pt", content)
    with pytest.raises(RunError, match=r"state\.pt is damaged: delete it"):
        train(config, tables, out=tmp_path)
    (tmp_path / "state.pt").write_bytes(b"")
    with pytest.raises(RunError, match="Delete it to start this trial again"):
        train(config, tables, out=tmp_path)


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    def refuse(*_):
        raise RuntimeError("[enforce fail at inline_container.cc:672]")

    monkeypatch.setattr(torch, "save", refuse)
    with pytest.raises(RunError, match=r"w\.pt cannot be written: is the disk full"):
        save_tensors(tmp_path / "w.pt", {"a": torch.zeros(2)})


@pytest.mark.parametrize("value", [None, "0.9"])
def test_scores_are_numbers(run_folder, value):
    scores = json.loads((run_folder / "scores.json").read_text())
    save_json(run_folder / "scores.json", {**scores, "bleu4": value})
    with pytest.raises(RunError, match=f"bleu4 is {value!r}"):
        load_run(run_folder)


def test_weights_of_something_else(tmp_path):
    save_tensors(tmp_path / "w.pt", {"a": torch.zeros(2)})
    with pytest.raises(RunError, match="does not hold the weights of this model"):
        load_model(tmp_path / "w.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(RunError, match="holds a list"):
        load_model(tmp_path / "list.pt")


def test_missing_and_damaged_files_are_named(run_folder):
    weights = run_folder / "weights.pt"
    content = weights.read_bytes()
    weights.write_bytes(content[: len(content) // 2])
    with pytest.raises(RunError, match=r"weights\.pt is not a file of tensors"):
        load_run(run_folder)
    weights.unlink()
    with pytest.raises(RunError, match=r"weights\.pt is missing"):
        load_run(run_folder)
    (run_folder / "scores.json").write_text('{"a": 1}')
    with pytest.raises(RunError, match=r"scores\.json does not hold labkit's scores"):
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
    assert load_tensors(tmp_path / "deep" / "w.pt").keys() == model.state_dict().keys()
