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
from labkit.runs import load_model, load_run, save_model
from labkit.training import train


@pytest.fixture
def run_folder(tmp_path):
    whole = load_tables()
    tables = Tables(whole.folder, whole.train[:4], whole.test[:1], [], [], {})
    train(fast(epochs=1, evaluation_samples=2), tables, out=tmp_path / "run")
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
