"""The command line, as its users call it."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from functools import partial

import psutil
import pytest
from click.testing import CliRunner

from labkit.cli import main
from labkit.measures.catalogue import MEASURES
from labkit.measures.protocols import evaluate
from labkit.recipes import fast
from labkit.tables import Tables, load_tables
from labkit.training import train


@pytest.fixture
def words(tmp_path):
    """A folder of four verbs in the course's layout."""
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "train.txt").write_text(
        "walk walks walking walked\ngo goes going went\nsend sends sending sent\n"
    )
    (folder / "test.txt").write_text("walk walked\nsent sends\n")
    return folder


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    whole = load_tables()
    tables = Tables(whole.folder, whole.train[:4], whole.test[:2], [], [], {})
    train(fast(epochs=1, evaluation_samples=2), tables, out=folder, judge=few)
    return folder


few = partial(evaluate, samples=5)  # of a model that knows no EOS yet: a thousand take long


def call(*args, status=0):
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    assert result.exit_code == status, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


@pytest.mark.parametrize(
    "command", ["train", "trials", "evaluate", "submit", "convert", "generate", "page"]
)
def test_every_help_text_has_an_example(command):
    assert f"Example: labkit {command}" in call(command, "--help").output


def test_help_does_not_import_torch():
    code = "import sys; from labkit.cli import main; main(['--help'], standalone_mode=False); "
    code += "sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_module_and_script_are_the_same_program():
    script = subprocess.run(
        [sys.executable, "-m", "labkit", "--help"], capture_output=True, text=True, check=True
    )
    assert script.stdout.startswith("Usage: labkit [OPTIONS] COMMAND")


def test_train_writes_a_run_that_the_others_use(words, tmp_path):
    run = tmp_path / "run"
    arguments = ["--preset", "fast", "--epochs", 2, "--data", words, "--out", run]
    first = call("train", *arguments, "--cycles", 2, "--final-teacher-forcing", 0.4)
    assert "finished in" in first.stdout
    config = json.loads((run / "config.json").read_text())["settings"]
    assert (config["kl"]["cycles"], config["forcing"]["final_ratio"]) == (2, 0.4)
    scores = json.loads(call("evaluate", "--run", run, "--data", words, "--json").stdout)
    assert set(scores) >= {"protocol", "samples", "outputs", *(entry.name for entry in MEASURES)}
    assert scores["unseen_exact_match"] is None
    assert scores["samples"] == 1000
    report = call("evaluate", "--run", run, "--data", words, "--protocol", "report").stdout
    assert "protocol: report, test pairs five times; 1000 verbs from noise" in report
    assert all(entry.title in report and entry.unit in report for entry in MEASURES)
    assert re.search(r"^unseen exact +–  share", report, flags=re.MULTILINE)
    wrong = call("train", *arguments, status=2)
    assert "other settings, words or another model" in wrong.stderr


def test_report_preset(words, tmp_path):
    run = tmp_path / "run"
    call("train", "--preset", "report", "--epochs", 2, "--data", words, "--out", run, "--cycles", 1)
    config = json.loads((run / "config.json").read_text())["settings"]
    assert (config["batch_size"], config["optimizer"], config["kl"]["cycles"]) == (1, "sgd", 1)


def test_convert_writes_a_word_a_line(run_folder):
    lines = call("convert", "walk", "go", "--from", "sp", "--to", "pg", "--run", run_folder).stdout
    assert len(lines.splitlines()) == 2


def test_the_models_that_ship_answer_by_name():
    outputs = {
        model: call("convert", "abandon", "--from", "sp", "--to", "pg", "--model", model)
        for model in ("by-heart", "by-rule", "taught")
    }
    assert {out.stdout for out in outputs.values()} == {"abandoning\n"}
    assert not any(out.stderr for out in outputs.values())


def test_a_word_that_is_in_no_list_is_told():
    asked = ["convert", "blog", "abandon", "--from", "sp", "--to", "p"]
    told = call(*asked).stderr
    assert "Not in the list that this model knows by heart: blog. For any verb: --model" in told
    assert call(*asked, "--model", "taught").stderr == ""


def test_a_run_and_a_model_are_one_too_many(run_folder):
    wrong = call("generate", "--run", run_folder, "--model", "taught", status=2)
    assert "give --run or --model, not both" in wrong.stderr


def test_evaluate_with_baselines(run_folder):
    shown = call("evaluate", "--run", run_folder, "--baselines").stdout
    assert "heldout_valid, irregular" in shown and "suffix rules" in shown
    compared = json.loads(call("evaluate", "--run", run_folder, "--baselines", "--json").stdout)
    assert compared["baselines"]["suffix rules"]["heldout_valid"]["all"] == pytest.approx(
        0.9217, abs=1e-3
    )


def test_submit_judges_once(run_folder):
    first, again = (call("submit", "--run", run_folder, "--name", "mine") for _ in range(2))
    assert "heldout_test    0.000" in first.stdout and "judged before" not in first.stdout
    assert "These weights were judged before; a test judges once." in again.stdout


def test_generate(run_folder):
    plain = call("generate", "-n", 3, "--seed", 1, "--run", run_folder).stdout
    again = json.loads(call("generate", "-n", 3, "--seed", 1, "--run", run_folder, "--json").stdout)
    assert [line.split(" ") for line in plain.splitlines()] == again["verbs"]
    assert len(again["verbs"]) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["convert", "Walk", "--from", "sp", "--to", "p"], "only the letters a-z"),
        (
            ["convert", "walk", "--from", "past", "--to", "p"],
            "'past' is not a tense: use one of sp, tp, pg, p",
        ),
        (["convert", "--from", "sp", "--to", "p"], "Missing argument"),
        (["evaluate", "--run", "nowhere"], "weights.pt is missing"),
        (["evaluate", "--data", "nowhere"], "nowhere does not exist"),
        (["train", "--data", "nowhere"], "nowhere does not exist"),
        (["train", "--final-teacher-forcing", "2"], "not in the range"),
        (["train", "--epochs", "1", "--cycles", "2"], "kl.cycles must be between 1 and epochs"),
        (["trials", "--seeds", "0,one"], "expected numbers such as 0,1,2"),
        (["generate", "-n", "0"], "not in the range"),
    ],
)
def test_mistakes_get_one_sentence(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = call(*arguments, status=2).stderr
    assert message in error
    assert "Traceback" not in error


def program(*args, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "labkit", *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def test_a_reader_may_close_the_pipe(run_folder):
    with program("generate", "-n", 2_000, "--run", run_folder) as running:
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""


def test_an_output_without_arrows_is_written_all_the_same(words, run_folder):
    options = {"env": {**os.environ, "PYTHONIOENCODING": "cp1252"}}
    with program("evaluate", "--run", run_folder, "--data", words, **options) as running:
        assert b"sent" in running.stdout.read()
        assert running.wait() == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no signals there")
@pytest.mark.parametrize("signal_name", ["SIGTERM", "SIGKILL"])
def test_no_trial_outlives_the_command(words, tmp_path, signal_name):
    out = tmp_path / "out"
    with program("trials", "--preset", "thorough", "--data", words, "--out", out) as running:
        children = []
        while not any(out.glob("*/progress.txt")):
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(timeout=0.2)
            assert running.poll() is None
            children = psutil.Process(running.pid).children(recursive=True)
        assert children
        running.send_signal(getattr(signal, signal_name))
        running.wait()
        _, alive = psutil.wait_procs(children, timeout=30)
        for process in alive:
            process.kill()
    assert not alive


def test_a_pair_for_each_output(words, run_folder):
    """--data with more test pairs than the run was trained on is judged on those pairs."""
    scores = json.loads(call("evaluate", "--run", run_folder, "--data", words, "--json").stdout)
    assert len(scores["outputs"]) == 2
    assert scores["protocol"] == "honest"
