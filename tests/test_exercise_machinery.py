"""check, hint, solution and progress, whatever a student passes in."""

import json
import threading

import pytest
import torch

from labkit.exercises import check, core, hint, progress, solution
from labkit.exercises.core import (
    Exercise,
    NotAttempted,
    NotYet,
    all_exercises,
    call,
    find,
    solution_source,
    verdict,
)


def double(x):
    return 2 * x


def judge_double(answer):
    x = torch.rand(3)
    result = core.expect_tensor(call(answer, x), (3,))
    if not core.close(result, 2 * x):
        raise NotYet(f"expected {2 * x}, got {result}")


DOUBLE = Exercise(
    "99.1", "Double it", 1, judge_double, ("Twice.", "2 * x"), double, "Two times x is 2x."
)


@pytest.fixture(autouse=True)
def _one_more_exercise(monkeypatch, tmp_path):
    monkeypatch.setitem(core._EXERCISES, "99.1", DOUBLE)
    monkeypatch.setenv("LABKIT_PROGRESS", str(tmp_path / "progress.json"))


def test_right_not_yet_and_not_attempted():
    assert verdict(DOUBLE, double) == ("right", "Two times x is 2x.")
    assert verdict(DOUBLE, lambda x: ...)[0] == "not attempted"
    assert verdict(DOUBLE, ...)[0] == verdict(DOUBLE, None)[0] == "not attempted"
    status, message = verdict(DOUBLE, lambda x: x)
    assert status == "not yet"
    assert "expected tensor" in message


@pytest.mark.parametrize(
    ("answer", "phrase"),
    [
        (3, "expected a function, got the int 3"),
        ("text", "expected a function"),
        (torch.zeros(3), "a tensor of shape (3,)"),
        (lambda x: None, "your function returned None: is a return missing?"),
        (lambda: 1, "raised TypeError"),
        (lambda x: 1 / 0, "raised ZeroDivisionError: division by zero"),
        (lambda x: exit(), "raised SystemExit"),
        (lambda x: x[:2], "should have shape (3,), not (2,)"),
        (lambda x: "seven", "should be a tensor of shape (3,), not the str 'seven'"),
        (lambda x: [1], "not the list [1]"),
        (lambda x: float("nan") * x, "expected tensor"),
    ],
)
def test_odd_answers_get_a_kind_sentence(answer, phrase):
    status, message = verdict(DOUBLE, answer)
    assert status == "not yet"
    assert phrase in message


def test_an_endless_loop_is_ended(monkeypatch):
    monkeypatch.setattr(core, "TIME_LIMIT", 0.3)

    def forever(x):
        while True:
            pass

    before = threading.active_count()
    status, message = verdict(DOUBLE, forever)
    assert status == "not yet"
    assert "still running" in message
    for thread in threading.enumerate():
        if thread.daemon and thread is not threading.main_thread() and "work" in thread.name:
            thread.join(timeout=10)
    assert threading.active_count() <= before, "the student's loop still runs"


def test_runaway_memory_is_stopped(monkeypatch):
    monkeypatch.setattr(core, "MEMORY_LIMIT", 200 * 2**20)

    def grow(x):
        kept = []
        while True:
            kept.append(torch.ones(2**20))

    status, message = verdict(DOUBLE, grow)
    assert status == "not yet"
    assert "memory" in message


def test_a_judge_that_stumbles_does_not_raise():
    def judge(answer):
        raise KeyError("oops")

    exercise = Exercise("99.2", "", 1, judge, ("", ""), double, "")
    assert verdict(exercise, double)[0] == "not yet"


def test_answers_and_random_state_are_left_alone(capsys):
    values = [1, 2, [3]]

    def judge(answer):
        answer.append(4)
        answer[2].append(5)
        torch.rand(5)

    core._EXERCISES["99.1"] = Exercise("99.1", "", 1, judge, ("", ""), double, "")
    torch.manual_seed(0)
    before = torch.get_rng_state()
    check("99.1", values)
    assert values == [1, 2, [3]]
    assert torch.equal(before, torch.get_rng_state())


def test_arguments_are_copies():
    x = torch.ones(2)
    call(lambda t: t.mul_(5), x)
    assert x.tolist() == [1, 1]
    with pytest.raises(NotAttempted):
        call(lambda t: ..., x)


def test_printed_lines(capsys):
    check("99.1", double)
    check("99.1")
    check("12.9", double)
    hint("99.1")
    hint("99.1", 2)
    hint("99.1", 3)
    solution("12.9")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "99.1 right: Two times x is 2x."
    assert lines[1].startswith("99.1 not attempted: ")
    assert lines[2].startswith("There is no exercise '12.9'. There are: ")
    assert lines[3:6] == [
        "Hint 1 of 2. Twice.", '(A second one: hint("99.1", 2).)', "Hint 2 of 2. 2 * x",
    ]  # fmt: skip
    assert lines[6].startswith("There is no hint 3")
    assert lines[7] == "There is no exercise '12.9'."


def test_the_solution_is_the_code_that_is_tested():
    assert solution_source(DOUBLE) == "def double(x):\n    return 2 * x"


def test_progress_survives_and_is_only_for_right_answers(tmp_path, capsys):
    path = tmp_path / "progress.json"
    check("99.1", lambda x: x)
    assert not path.exists()
    check("99.1", double)
    assert json.loads(path.read_text()) == ["99.1"]
    progress()
    path.write_text("damaged{")
    check("99.1", double)
    assert json.loads(path.read_text()) == ["99.1"]


def test_progress_that_cannot_be_saved_is_no_catastrophe(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LABKIT_PROGRESS", str(tmp_path / "file" / "progress.json"))
    check("99.1", double)
    out = capsys.readouterr().out
    assert "99.1 right" in out
    assert "could not be saved" in out


def test_every_exercise_is_complete():
    exercises = [e for e in all_exercises() if e.id != "99.1"]
    assert len(exercises) >= 20
    for exercise in exercises:
        assert find(exercise.id) is exercise
        assert exercise.difficulty in (1, 2, 3)
        assert all(len(text) > 5 for text in (*exercise.hints, exercise.title, exercise.why))
        assert solution_source(exercise)
        assert verdict(exercise, ...)[0] == "not attempted"
        for nonsense in (0, "x", [], {}, object(), lambda *a: object(), torch.zeros(0), print):
            status, message = verdict(exercise, nonsense)
            assert status in ("not yet", "not attempted"), (exercise.id, nonsense)
            assert message
