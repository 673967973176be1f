"""The open challenge: judged once, and not on the list that chooses."""

import csv
from dataclasses import replace
from functools import partial

import pytest
import torch

from labkit import training
from labkit.errors import DataError, RunError
from labkit.leaderboard import (
    COLUMNS,
    LEADERBOARD,
    load_leaderboard,
    recipe_in_words,
    submit,
    submit_baselines,
)
from labkit.measures.protocols import evaluate
from labkit.recipes import any_verb, taught
from labkit.runs import PRETRAINED, load_run
from labkit.sampling import Sampling
from labkit.tables import load_tables

WHOLE = load_tables()
TABLES = replace(
    WHOLE,
    train=WHOLE.train[:6],
    test=WHOLE.test[:2],
    heldout_valid=WHOLE.heldout_valid[:3],
    heldout_test=WHOLE.heldout_test[:4],
)
train = partial(training.train, judge=partial(evaluate, samples=5))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "first"
    config = any_verb(epochs=1, history_rows=1, evaluation_samples=5, sampling=Sampling(invented=1))
    train(config, TABLES, out=folder)
    return folder


def test_a_run_is_judged_once(run, monkeypatch):
    path = run.parent / "leaderboard.csv"
    path.unlink(missing_ok=True)
    entry, judged = submit(run, TABLES, path, "mine")
    assert judged and entry["name"] == "mine"
    assert entry["heldout_test"] == "0.000" and entry["parameters"] == "1128124"
    assert "1 invented verbs a real one" in entry["recipe"]
    assert list(csv.DictReader(path.open()))[0] == entry
    monkeypatch.setattr("labkit.leaderboard.convert_all", None)
    again, judged = submit(run, TABLES, path, "another name")
    assert not judged and again == entry
    assert len(load_leaderboard(path)) == 1


def test_what_needs_no_model_is_judged_in_the_same_way(tmp_path):
    path = tmp_path / "board.csv"
    submit_baselines(WHOLE, path, "train.txt")
    submit_baselines(WHOLE, path, "train.txt")  # again: no second rows
    rules, *others = load_leaderboard(path)  # the best first
    assert rules["name"] == "suffix rules, train.txt" and rules["heldout_test"] == "0.897"
    assert [entry["name"] for entry in others] == ["nearest verb, train.txt", "copy"]
    assert float(rules["low"]) < 0.897 < float(rules["high"])


def test_without_a_list_there_is_nothing_to_judge(run, tmp_path):
    with pytest.raises(DataError, match=r"has no heldout_test\.txt"):
        submit(run, replace(TABLES, heldout_test=[]), tmp_path / "board.csv")


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "name\n", "\x00", ",".join(COLUMNS) + "\nx,y\n"])
def test_a_file_that_is_no_leaderboard_is_named(tmp_path, text):
    path = tmp_path / "board.csv"
    path.write_text(text)
    with pytest.raises(RunError, match=r"board\.csv is not a leaderboard"):
        load_leaderboard(path)


def test_a_recipe_in_words_names_what_differs(run):
    told = replace(load_run(run), config=taught(epochs=45))
    words = recipe_in_words(told)
    assert words.startswith("45 epochs, batch 128, adamw 0.004, KL weight ")
    assert words.endswith("1 invented verbs a real one, drawn by frequency^0.5")


def test_the_labs_own_entries_are_of_the_models_that_ship():
    torch.set_num_threads(1)
    entries = {entry["name"]: entry for entry in load_leaderboard(LEADERBOARD)}
    assert {*PRETRAINED, "suffix rules, train_large.txt"} <= entries.keys()
    assert float(entries["taught"]["pair_share"]) > 0
    assert float(entries["by-rule"]["pair_share"]) == 0
