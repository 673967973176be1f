"""check, hint, solution and progress, whatever a student passes in."""

from __future__ import annotations

import itertools
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from torch import nn

from labkit.exercises import check, hint, progress, runner, solution
from labkit.exercises.calling import copied
from labkit.exercises.core import (
    Case,
    Draw,
    Exercise,
    Verdict,
    all_exercises,
    find,
    solution_source,
    told_apart,
)
from labkit.exercises.judging import judge_here
from labkit.exercises.notebook import _SIGNS
from labkit.exercises.results import (
    NotYet,
    Number,
    TensorOf,
    Tokens,
    describe,
    differing,
    plain,
    short,
)
from labkit.exercises.runner import Judged, judge_apart

pytestmark = pytest.mark.slow


def plus_s(verb: str) -> str:
    return verb + "s"


@pytest.fixture(autouse=True)
def _own_progress(monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_PROGRESS", str(tmp_path / "progress.json"))


# --- an exercise in small ------------------------------------------------------------------------


def double(x):
    return 2 * x


def exercise(**changes: Any) -> Exercise:
    content: dict[str, Any] = {
        "id": "99.1",
        "title": "Double it",
        "difficulty": 1,
        "starter": "def double(x):\n    return ...",
        "solution": double,
        "result": TensorOf(),
        "cases": lambda draw: [(torch.ones(3),), (draw.normal(3),)],
        "slips": {"that is x": lambda x: x, "that is x²": lambda x: x * x},
        "hints": ("Twice.", "2 * x"),
        "why": "Two times x is 2x.",
    }
    return Exercise(**content | changes)


def told(answer: Any, **changes: Any) -> str:
    status, message = judge_here(exercise(**changes), answer, 0)
    assert status == "not yet"
    return message


def test_right_not_yet_and_not_attempted():
    assert judge_here(exercise(), double) == ("right", "Two times x is 2x.")
    assert judge_here(exercise(), lambda x: ...).status == "not attempted"
    assert judge_here(exercise(), ...).status == "not attempted"
    assert judge_here(exercise(), None).status == "not attempted"


@pytest.mark.parametrize(
    ("answer", "phrase"),
    [
        (3, "expected a function, got the int 3: pass its name, without ( )"),
        (torch.zeros(3), "a tensor of shape (3,)"),
        (lambda x: None, "your function returned None: is a return missing?"),
        (lambda: 1, "raised TypeError"),
        (lambda x: 1 / 0, "raised ZeroDivisionError: division by zero"),
        (lambda x: exit(), "your code ends Python"),
        (lambda x: x[:2], "should have shape (3,), not (2,)"),
        (lambda x: "seven", "should be a tensor of shape (3,), not the str 'seven'"),
        (lambda x: float("nan") * x, "first wrong at [0], is nan, expected 2 there"),
        (lambda x: x + torch.ones(4), "x[:, None] makes a column of x"),
        (lambda x: x, "is 1, expected 2 there: that is x"),
        (lambda x: 2 * x + 1e-3, "is 2.001, expected 2 there"),
    ],
)
def test_odd_answers_get_a_kind_sentence(answer, phrase):
    assert phrase in told(answer)


def test_an_exception_without_text_has_no_colon():
    def answer(x):
        raise KeyError

    assert told(answer) == "double(x), with x of shape (3,): your code raised KeyError"


def test_the_slip_is_the_one_that_agrees_everywhere():
    def second(x):
        return x * x

    slips = {"that is 1": lambda x: torch.ones(3), "that is x²": second}
    assert told(second, slips=slips).endswith("that is x²")
    # Where no slip agrees in all cases, none is named: it would be another one.
    assert told(lambda x: x**3, slips=slips).endswith("expected 2 there")
    cases = [(torch.full((3,), 2.0),), (torch.ones(3),)]
    message = told(second, cases=lambda draw: cases, slips={"that is 1": slips["that is 1"]})
    assert message.endswith("expected 2 there")


def test_it_is_told_for_which_arguments_something_was_raised():
    def answer(x):
        return 2 * x if len(x) > 1 else {}[1]

    message = told(answer, cases=lambda draw: [(torch.ones(3),), (torch.ones(1),)])
    assert message == "double(x), with x of shape (1,): your code raised KeyError: 1"
    labelled = [Case((torch.ones(3),), "three ones: how many?")]
    assert told(lambda x: {}[1], cases=lambda draw: labelled).startswith("three ones: your code")


def test_a_shape_that_is_wrong_for_some_arguments_alone_is_told_with_them():
    message = told(torch.squeeze, solution=lambda x: x, cases=lambda draw: [(torch.ones(1),)])
    assert message == "the result should have shape (1,), not ()"
    cases = [(torch.ones(3),), (torch.ones(1),)]
    message = told(torch.squeeze, solution=lambda x: x, cases=lambda draw: cases)
    assert message == "double(x), with x of shape (1,): the result should have shape (1,), not ()"


def test_an_object_whose_use_raises_is_not_taken_for_code_that_raises():
    class Strange:
        def __getattr__(self, name):
            raise ValueError("no")

    class Rude(list):
        def __getitem__(self, place):
            raise ValueError("no")

    assert "your code raised" not in told(lambda x: Strange())
    assert "could not be looked at" in told(
        lambda x: Rude(), result=Tokens(), solution=lambda x: [1]
    )


def test_a_cache_is_called_a_cache_and_no_missing_gradient():
    kept = {}

    def by_shape(x):
        return kept.setdefault(x.shape, 2 * x)

    changes = {"must_pass_gradients": ("x",), "cases": lambda draw: [(draw.normal(3),)]}
    assert "remembers an earlier call" in told(by_shape, **changes)
    assert "`x` gets no gradient" in told(lambda x: 2 * x.detach(), **changes)


def test_two_arguments_that_are_one_tensor_become_two():
    def answer(x, y):
        x.mul_(2)
        return x + y

    x = torch.ones(3)
    message = told(answer, solution=lambda x, y: 2 * x + y, cases=lambda draw: [(x, x)], slips={})
    assert "changes its argument `x`" in message
    assert x.tolist() == [1, 1, 1]


def test_a_value_of_its_own_is_judged():
    value = exercise(
        solution=lambda: 0.12, result=Number(tolerance=1e-3), answer_is_value=True,
        starter="weight = ...", slips={"that is 1": lambda: 1.0}, cases=lambda draw: [()],
    )  # fmt: skip
    assert judge_here(value, torch.tensor(0.12)).status == "right"
    assert judge_here(value, 1).message == "gave 1, expected 0.12: that is 1"
    assert (
        judge_here(value, "0.12").message == "the result should be one number, not the str '0.12'"
    )
    assert value.name == "weight"


def test_a_last_look_and_labels_and_hints_about_errors():
    def same_twice(run):
        if torch.equal(run(torch.ones(1)), run(torch.ones(1))):
            raise NotYet("twice the same")

    assert told(double, also=same_twice) == "twice the same"
    assert told(lambda x: x, cases=lambda draw: [Case((torch.ones(1),), "ones")])[:5] == "ones:"
    assert told(lambda x: {}[1], errors={"KeyError": ". Look first"}).endswith(". Look first")


def test_random_numbers_are_left_alone():
    torch.manual_seed(0)
    random.seed(0)
    before = torch.get_rng_state(), random.getstate()
    judge_here(exercise(), lambda x: x * random.random() * torch.rand(1))
    check("0.1", plus_s)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == random.getstate()


def test_helpers():
    class Rude:
        def __repr__(self):
            raise SystemExit

    assert short(Rude()) == "(cannot be shown)"
    assert len(short("x" * 10**7)) <= 60
    assert describe(torch.ones(2)) == "a tensor of shape (2,)"
    assert "yield" in describe(iter_of_one())
    assert plain(torch.tensor([3])) == 3
    assert differing(0.12345, 0.12346) == ("0.12345", "0.12346")
    for strange in (math.nan, math.inf, 2.0, "2", True, [2]):
        with pytest.raises(NotYet, match="whole numbers"):
            Tokens().read([1, strange], [1, 2])
    assert Tokens().read([np.int64(1), torch.tensor(2)], [1, 2]) == [1, 2]
    assert Tokens().show(list(range(100)), [*range(99), 5]).startswith("gave [99] from place 99")
    assert told_apart([(1,), (2,)], [abs, lambda x: 1])
    assert not told_apart([(1,)], [abs, lambda x: 1])
    assert Draw(3).normal(2).tolist() == Draw(3).normal(2).tolist()


def iter_of_one():
    yield 1


def test_every_exercise_is_complete():
    exercises = all_exercises()
    assert len(exercises) == 29
    for one in exercises:
        assert find(one.id) is one
        assert solution_source(one)


# --- a process of its own ------------------------------------------------------------------------


def apart(answer: Any, id: str = "0.1") -> Judged:
    return judge_apart(id, answer)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(runner, "CALL_LIMIT", 0.5)


def test_importing_starts_a_process_in_a_notebook_alone():
    code = "import labkit.exercises, psutil; print(len(psutil.Process().children()) > 0)"
    for start, started in (("", "False"), ("import ipykernel; ", str(runner._FORKS))):
        command = [sys.executable, "-c", start + code]
        out = subprocess.run(command, capture_output=True, text=True, check=True)
        assert out.stdout.strip() == started


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="adopting orphans is Linux's")
@pytest.mark.parametrize("end", [plus_s, lambda verb: time.sleep(1000)])
def test_what_an_answer_starts_ends_with_the_check(quick, tmp_path, end):
    path = str(tmp_path / "pid")

    def answer(verb):
        if os.fork() == 0:  # twice, and with a session of its own: nobody is its parent any more
            os.setsid()
            if os.fork() == 0:
                with open(path, "a") as file:
                    file.write(f"{os.getpid()} ")
                time.sleep(60)
            os._exit(0)
        os.wait()
        while not os.path.exists(path):
            time.sleep(0.01)
        return end(verb)

    apart(answer)
    started = [int(pid) for pid in (tmp_path / "pid").read_text().split()]
    assert started
    give_up = time.monotonic() + 5
    while any(map(lives, started)) and time.monotonic() < give_up:
        time.sleep(0.05)
    assert not any(map(lives, started))


def test_async_is_told_without_a_warning(recwarn):
    async def answer(x):
        return x

    assert told(answer) == "your function is an `async def`: write it with def alone"
    assert "returned a coroutine" in told(lambda x: answer(x))
    assert not recwarn.list


def test_a_copied_model_is_one_of_its_own():
    model = nn.Sequential(nn.LSTM(3, 4), nn.Identity())
    model.register_buffer("kept", torch.ones(2))
    new, x = copied(model), torch.ones(5, 3)
    assert torch.equal(new[0](x)[0], model[0](x)[0])
    assert new[0].weight_ih_l0.data_ptr() != model[0].weight_ih_l0.data_ptr()
    with torch.no_grad():
        new[0].weight_ih_l0.zero_()
        new.kept.zero_()
    new.register_forward_hook(lambda *_: None)
    assert not torch.equal(new[0](x)[0], model[0](x)[0])
    assert model.kept.sum() == 2 and not model._forward_hooks
    new[0](x)[0].sum().backward()
    assert new[0].weight_hh_l0.grad is not None and model[0].weight_hh_l0.grad is None


def test_a_warm_check_is_quick():
    apart(plus_s)
    start = time.monotonic()
    assert apart(plus_s).verdict.status == "right"
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    "end", [lambda verb: exit(), lambda verb: os._exit(0), lambda verb: sys.exit(1)]
)
def test_the_end_of_python_is_not_the_end_of_the_lesson(end):
    assert "your code ends Python" in apart(end).verdict.message


def test_ipythons_own_exit_is_no_trouble():
    class ZMQExitAutocall:
        def __init__(self):
            self.shell = threading.Lock()

        def __call__(self):
            raise AssertionError("this one would end the kernel")

    leave = ZMQExitAutocall()
    assert "your code ends Python" in apart(lambda verb: leave()).verdict.message


def test_what_holds_the_interpreter_is_ended(quick):
    for endless in (lambda verb: sum(range(10**12)), lambda verb: time.sleep(1000)):
        verdict = apart(endless).verdict
        assert "still running" in verdict.message


def test_what_swallows_every_exception_is_ended(quick):
    def stubborn(verb):
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass

    assert "still running" in apart(stubborn).verdict.message


def test_a_slow_answer_is_ended(monkeypatch):
    monkeypatch.setattr(runner, "CHECK_LIMIT", 1.0)
    assert "too slow" in apart(lambda verb: time.sleep(0.4) or verb + "s").verdict.message


def test_an_endless_print_is_short(quick):
    def talk(verb):
        while True:
            print("hello")

    verdict, printed, more = apart(talk)
    assert "still running" in verdict.message
    assert printed == ["hello"] * 20
    assert more == -1


def test_what_is_printed_is_shown_and_counted():
    def answer(verb):
        print(verb, verb, sep="\n")
        print("x" * 1000)
        return verb + "s"

    verdict, printed, more = apart(answer)
    assert verdict.status == "right"
    assert printed[:2] == ["walk", "walk"]
    assert len(printed) == 20
    assert len(printed[2]) == 201
    assert more == 2 * 14 * 3 - 20  # fourteen verbs, asked twice, three lines each


def test_memory_is_bounded(monkeypatch):
    assert "2 GiB" in apart(lambda verb: "s" * 3 * 10**9).verdict.message
    assert "2 GiB" in apart(lambda verb: torch.ones(10**9)).verdict.message
    monkeypatch.setattr(runner, "MEMORY_LIMIT", 100 * 2**20)

    def grow(verb):
        kept = []
        while True:
            kept.append(torch.ones(2**18))
            time.sleep(0.001)

    assert "2 GiB" in apart(grow).verdict.message


def test_input_and_debugger_are_told():
    for ask in (lambda verb: input(), lambda verb: breakpoint(), lambda verb: sys.stdin.readline()):
        assert "waits for input" in apart(ask).verdict.message


def test_a_patch_stays_in_there():
    def patch(verb):
        torch.add = None
        random.random = None
        return verb + "s"

    add, draw = torch.add, random.random
    assert apart(patch).verdict.status == "right"
    assert torch.add is add and random.random is draw
    assert apart(plus_s).verdict.status == "right"


def test_a_crash_is_told():
    def crash(verb):
        os.kill(os.getpid(), signal.SIGSEGV)

    assert "crashed Python (signal 11)" in apart(crash).verdict.message


def test_what_cannot_travel_is_named():
    numbers = (i for i in range(3))
    verdict = apart(lambda verb: next(numbers)).verdict
    assert verdict.status == "not yet"
    assert "your code uses `numbers` (a generator), which cannot be copied" in verdict.message


def test_where_nothing_forks_one_process_waits(monkeypatch):
    monkeypatch.setattr(runner, "_FORKS", False)
    assert apart(plus_s).verdict.status == "right"
    assert len(runner._spare) == 1
    assert apart(lambda verb: verb).verdict.status == "not yet"
    runner._spare.pop().end()


def test_an_interrupt_stops_the_check_and_leaves_nothing():
    apart(plus_s)
    me = psutil.Process()
    before, threads = len(me.children(recursive=True)), threading.active_count()
    timer = threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    assert apart(lambda verb: sum(itertools.count())).verdict == Verdict("stopped", "")
    timer.join()
    assert threading.active_count() <= threads
    assert len(me.children(recursive=True)) <= before


# --- what a notebook shows -----------------------------------------------------------------------


def lines(capsys) -> list[str]:
    return re.sub(r"\033\[\d+m", "", capsys.readouterr().out).splitlines()


def test_printed_lines(capsys):
    why = find("0.1").why
    assert check("0.1", plus_s) == ("right", why)
    assert check("0.1", lambda verb: print("hm", verb) or verb).status == "not yet"
    check("0.1")
    check("12.9", plus_s)
    out = lines(capsys)
    assert out[0] == f"✔ 0.1 right: {why}"
    assert out[1] == "hm walk"
    assert out[-3].startswith("✗ 0.1 not yet: third_person('walk') gave 'walk', expected 'walks'")
    assert out[-2].startswith("– 0.1 not attempted: ")
    assert out[-1].startswith("There is no exercise '12.9'. There are: ")
    hint("0.1")
    hint("0.1", 2)
    hint("0.1", 3)
    solution("12.9")
    out = lines(capsys)
    assert out[0].startswith("Hint 1 of 2. Strings")
    assert out[1] == '(A second one: hint("0.1", 2).)'
    assert out[2] == 'Hint 2 of 2. return verb + "s"'
    assert out[3].startswith("There is no hint 3")
    assert out[4] == "There is no exercise '12.9'."


def test_a_verdict_displays_nothing_by_itself(capsys):
    Verdict("right", "why")._ipython_display_()
    assert capsys.readouterr().out == ""
    assert set(_SIGNS) == {"right", "not yet", "not attempted", "stopped"}


def test_the_solution_is_the_code_that_is_tested():
    assert solution_source(exercise()) == "def double(x):\n    return 2 * x"
    assert solution_source(exercise(shown="2 * x")) == "2 * x"


def test_progress_is_for_right_answers(tmp_path):
    path = tmp_path / "progress.json"
    check("0.1", lambda verb: verb)
    assert not path.exists()
    check("0.1", plus_s)
    assert json.loads(path.read_text()) == ["0.1"]
    progress()
    path.write_text('["3.1", 7, null]')  # another notebook wrote meanwhile
    check("0.1", plus_s)
    assert json.loads(path.read_text()) == ["0.1", "3.1"]
    assert not (tmp_path / "progress.json.lock").exists()


@pytest.mark.parametrize("damaged", ["damaged{", "{}", "[" * 10**5, "\udcff"])
def test_a_damaged_progress_file_is_kept(tmp_path, capsys, damaged):
    path = tmp_path / "progress.json"
    path.write_bytes(damaged.encode("utf-8", "surrogateescape"))
    check("0.1", plus_s)
    assert json.loads(path.read_text()) == ["0.1"]
    assert (tmp_path / "progress.json.bak").exists()
    assert "kept as progress.json.bak" in capsys.readouterr().out


def test_a_link_to_the_progress_file_stays_a_link(tmp_path, monkeypatch):
    (tmp_path / "real.json").write_text("[]")
    (tmp_path / "link.json").symlink_to("real.json")
    monkeypatch.setenv("LABKIT_PROGRESS", str(tmp_path / "link.json"))
    check("0.1", plus_s)
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text()) == ["0.1"]


def test_progress_that_cannot_be_saved_is_no_catastrophe(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LABKIT_PROGRESS", str(tmp_path / "file" / "progress.json"))
    check("0.1", plus_s)
    out = capsys.readouterr().out
    assert "0.1 right" in out
    assert "could not be saved" in out
