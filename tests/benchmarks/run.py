"""How fast the lab is, how good, and beside what: `make bench`.

Every time is a median of repeats with its range, and every ratio comes from repeats taken in turn
in the same run, because machines are noisy. Each part writes its sections of the page RESULTS.md
beside this file; `python tests/benchmarks/run.py speed` runs one part only. All of them take over
an hour on two cores, nearly all of it `quality`, whose trials are kept under runs/.
"""

import argparse
import os
import platform
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))

from plain import train_words
from quality import COLUMNS, LENGTHS, PRESETS, SEEDS, judge

import labkit.model
from labkit.batches import WordSet
from labkit.files import write_whole
from labkit.measures.protocols import evaluate
from labkit.model import new_model
from labkit.recipes import fast, report
from labkit.report2021 import load_trials
from labkit.runs import PRETRAINED_FOLDER, load_pretrained, load_run
from labkit.state import TrialState
from labkit.tables import DATA_FOLDER, Tables, load_tables
from labkit.training import loss_of_batch, train

# Forward and backward, per character: two LSTMs of 2 · (256 + 256) · 4 · 256 operations, the
# output layer's 2 · 256 · 28, three times over (the backward pass needs two products for one).
FLOPS_PER_CHARACTER = 3 * (2 * 2 * (256 + 256) * 1024 + 2 * 256 * 28)
# What labkit.model.lstm_over_letters leaves of it: one-hot letters instead of 256 numbers.
FLOPS_LEFT = 3 * (2 * 2 * (28 + 256) * 1024 + 2 * 256 * 28)
PAGE = Path(__file__).with_name("RESULTS.md")
TABLES = load_tables()
BATCH = fast().batch_size


def table(title: str, note: str, header: list[str], rows: list[list[str]]) -> None:
    """Print a table, and put it into the page in place of an older one of the same title."""
    lines = [note, "", "| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    body = "\n".join(lines)
    print(f"## {title}\n\n{body}\n", flush=True)
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    sections = dict(section.split("\n\n", 1) for section in page.split("\n## ")[1:])
    sections[title] = body + "\n"
    text = "\n".join(f"## {name}\n\n{content}" for name, content in sections.items())
    write_whole(PAGE, lambda path: path.write_text(f"{HEAD}\n{text}", encoding="utf-8"))


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def in_turn(repeats: int, *actions: Callable[[], object]) -> list[list[float]]:
    """Seconds of each action, taken in turn: A B C, A B C, … after one turn to warm up."""
    for action in actions:
        action()
    turns = [[seconds(action) for action in actions] for _ in range(repeats)]
    return [list(times) for times in zip(*turns, strict=True)]


def spread(values: list[float], unit: str = "", digits: int = 0, scale: float = 1) -> str:
    values = [scale * value for value in values]
    low, middle, high = min(values), median(values), max(values)
    return f"{middle:.{digits}f}{unit} ({low:.{digits}f}–{high:.{digits}f})"


def matrix_product() -> Callable[[], object]:
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    return lambda: a @ b


def updates(
    share_forced: float,
    words: WordSet,
    read: Callable[..., Any] = labkit.model.lstm_over_letters,
) -> Callable[[], object]:
    """One epoch of updates with a given share of teacher-forced words."""
    state = TrialState(fast(), TABLES, torch.device("cpu"))
    # A trained decoder, so that free runs are as long as real words.
    state.model.load_state_dict(load_pretrained().state_dict())

    def epoch() -> None:
        ours = labkit.model.lstm_over_letters
        labkit.model.lstm_over_letters = read
        for batch in words.batches(BATCH, state.generator):
            forced = torch.rand(len(batch.length), generator=state.generator) < share_forced
            loss = loss_of_batch(state.model, batch, forced, 0.05, state.generator)
            state.optimizer.zero_grad()
            loss.total.backward()
            torch.nn.utils.clip_grad_norm_(state.model.parameters(), 1.0)
        labkit.model.lstm_over_letters = ours

    return epoch


def read_plainly(lstm, letters, tokens, states):
    """What labkit.model.lstm_over_letters replaces."""
    return lstm(letters[tokens], states)


def speed() -> None:
    """Words a second and the share of the matrix rate, forced, mixed and free."""
    words = WordSet(TABLES.train)
    characters = int(words.whole.length.sum())
    kinds = [  # words, share forced, how the LSTMs read, multiplied in fact
        ("teacher-forced", 1.0, labkit.model.lstm_over_letters, FLOPS_LEFT),
        ("mixed (ratio 0.4)", 0.4, labkit.model.lstm_over_letters, FLOPS_LEFT),
        ("free-running", 0.0, labkit.model.lstm_over_letters, FLOPS_LEFT),
        ("teacher-forced, nn.LSTM by itself", 1.0, read_plainly, FLOPS_PER_CHARACTER),
    ]
    times = in_turn(
        7, matrix_product(), *(updates(share, words, read) for _, share, read, _ in kinds)
    )
    rates = [2 * 2048**3 / t / 1e9 for t in times[0]]
    rows = []
    for (name, _, _, flops), taken in zip(kinds, times[1:], strict=True):
        gflops = [characters * FLOPS_PER_CHARACTER / t / 1e9 for t in taken]
        share = [g / r for g, r in zip(gflops, rates, strict=True)]
        left = flops / FLOPS_PER_CHARACTER
        rows.append(
            [
                name,
                spread([len(words) / t for t in taken]),
                spread(gflops),
                spread(share, " %", 0, 100),
                spread([left * s for s in share], " %", 0, 100),
                spread([f / t for f, t in zip(times[1], taken, strict=True)], " %", 0, 100),
            ]
        )
    table(
        "Training speed",
        f"Batches of {BATCH}, {torch.get_num_threads()} threads; forward, backward and clipping. "
        f"A product of two 2048 x 2048 float32 matrices in the same run: {spread(rates)} GFLOP/s. "
        "GFLOP/s: of the products that the model's equations name, one with the input and one with "
        "the hidden state at every character, forward and backward. `lstm_over_letters` does the "
        "first for the 28 letters only; what is then multiplied in fact stands beside it.",
        ["words", "words/s", "GFLOP/s", "of the matrix rate", "in fact", "of teacher-forced speed"],
        rows,
    )


def yardstick() -> None:
    """The presets against a plain loop over words and characters."""
    words = [(form, tense) for row in TABLES.train[:40] for tense, form in enumerate(row)]
    model = new_model(0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    random.seed(0)
    few = replace(TABLES, train=TABLES.train[:160])
    # 640 updates: one evaluation row every 500 iterations falls to their lot, as in a real run.
    per_word = report(0.8, 1, epochs=1)
    batched = fast(epochs=2, evaluate_every=76)  # and 76 updates to the one of its

    def plain() -> None:
        train_words(model, optimizer, words, ratio=0.9, kl_weight=0.05)

    times = in_turn(
        3, plain, lambda: train_quietly(per_word, few), lambda: train_quietly(batched, TABLES)
    )
    counts = [len(words), 4 * 160, 2 * 4 * len(TABLES.train)]
    names = ["plain loop (the yardstick)", "`--preset report`", "`--preset fast`"]
    rates = [[n / t for t in taken] for n, taken in zip(counts, times, strict=True)]
    rows = [
        [name, spread(rate), spread([a / b for a, b in zip(rate, rates[0], strict=True)], " x", 1)]
        for name, rate in zip(names, rates, strict=True)
    ]
    table(
        "Against a loop in the report's style",
        "Words a second in training, the presets' own evaluations included.",
        ["how", "words/s", "ratio"],
        rows,
    )


def train_quietly(config, tables: Tables) -> None:
    """A trial without the final judgement, which would weigh too much on so short a run."""
    train(config, tables, judge=lambda *_: {})


def waiting() -> None:
    """What a person waits for."""
    from labkit.widgets.training import schedule_panel

    model = load_pretrained()
    panel = schedule_panel(load_trials(), TABLES)
    judged = in_turn(5, lambda: evaluate(model, TABLES))[0]
    redrawn = in_turn(20, panel.redraw)[0]

    def command(*arguments: str) -> Callable[[], object]:
        return lambda: subprocess.run(
            [sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL
        )

    helped, imported = in_turn(
        5, command("-m", "labkit", "--help"), command("-c", "import labkit.training")
    )
    table(
        "What a person waits for",
        "Honest judging: ten pairs, 1,000 samples x 4 tenses, 150 held-out verbs x 12 conversions, "
        "and KL and NLL of 1,024 training words.",
        ["what", "time"],
        [
            ["judging under the honest protocol", spread(judged, " s", 2)],
            ["a redraw of the schedule panel", spread(redrawn, " ms", 0, 1000)],
            ["`import labkit.training`, torch included (whole process)", spread(imported, " s", 2)],
            ["`labkit --help` (whole process)", spread(helped, " s", 2)],
        ],
    )


MEMORY_CODE = """
import re, sys, time
from pathlib import Path
from labkit.recipes import fast
from labkit.tables import load_tables
from labkit.training import train
from dataclasses import replace
from functools import partial
import random
rows = int(sys.argv[1])
tables = load_tables(train="train_large.txt")
rng = random.Random(0)
made_up = [tuple("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.choice([4, 6, 8, 9, 10])))
           for _ in range(4)) for _ in range(rows - len(tables.train))]
tables = replace(tables, train=(tables.train + made_up)[:rows], heldout_valid=[])
start = time.perf_counter()
train(fast(epochs=1), tables)
status = Path("/proc/self/status").read_text()
print(time.perf_counter() - start, int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) / 1024)
"""


def size() -> None:
    """Time and memory of an epoch against the number of verbs. Needs Linux: the peak is VmHWM,
    for ru_maxrss also counts what this process held when it started the child."""
    rows = []
    for verbs in (1_200, 4_800, 20_000, 100_000):
        repeats = 3 if verbs < 2_000 else 1
        results = []
        for _ in range(repeats):
            done = subprocess.run(
                [sys.executable, "-c", MEMORY_CODE, str(verbs)],
                check=True,
                capture_output=True,
                text=True,
            )
            results.append([float(number) for number in done.stdout.split()])
        times, memory = zip(*results, strict=True)
        rows.append(
            [
                f"{verbs:,}",
                spread(list(times), " s", 1),
                spread([t / verbs * 1e3 for t in times], " ms", 2),
                spread(list(memory), " MB"),
            ]
        )
    table(
        "Size",
        "A process that trains one epoch of `fast` on the first rows of train_large.txt, made-up "
        "rows following, and judges the result.",
        ["verbs", "an epoch, judged", "for each verb", "peak memory"],
        rows,
    )


def profile() -> None:
    """Where the time of a teacher-forced update goes."""
    epoch = updates(1.0, WordSet(TABLES.train))
    epoch()
    with torch.profiler.profile() as recorded:
        epoch()
    events = recorded.key_averages()
    whole = sum(event.self_cpu_time_total for event in events)
    largest = sorted(events, key=lambda event: -event.self_cpu_time_total)[:8]
    table(
        "Profile",
        "Share of the processor's time in teacher-forced updates, by operation.",
        ["operation", "share", "calls"],
        [
            [f"`{e.key}`", f"{100 * e.self_cpu_time_total / whole:.0f} %", str(e.count)]
            for e in largest
        ],
    )


def machine() -> str:
    """The processor in words."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        name = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), name)
    return (
        f"{name}, {os.cpu_count()} cores; {platform.system()}, Python {platform.python_version()}, "
        f"torch {torch.__version__}."
    )


def judged(seeds: Sequence[int]) -> str:
    return (
        f"Seeds {seeds[0]} to {seeds[-1]}, mean ± standard deviation; honest protocol: ten pairs, "
        "1,000 prior samples. Final weights, no selection."
    )


def quality(*lists: Path) -> None:
    """The presets on data/train.txt, and on other lists."""
    for data in (DATA_FOLDER, *lists):
        verbs, rows = judge(data, PRESETS, SEEDS)
        table(
            f"Quality on {'our list' if data == DATA_FOLDER else data.name}: {verbs:,} verbs",
            f"{judged(SEEDS)} Seconds: of a trial with one thread, two side by side.",
            ["preset", "epochs", *COLUMNS],
            rows,
        )


def frontier() -> None:
    """Time against quality: the recipe at several lengths."""
    verbs, rows = judge(DATA_FOLDER, LENGTHS, SEEDS[:3])
    table(
        "Time against quality",
        f"The recipe at several lengths, on our list. {judged(SEEDS[:3])} Seconds: as above.",
        ["trial", "epochs", *COLUMNS],
        rows,
    )


def trial() -> None:
    """The time of a whole trial: training, its history rows, and the final judgement."""
    repeats = 3
    times = [seconds(partial(train, fast(), TABLES)) for _ in range(repeats)]
    shipped = load_run(PRETRAINED_FOLDER)
    table(
        "A trial",
        f"{torch.get_num_threads()} threads; history rows included, and with `fast` the final "
        "judgement. `thorough` is the shipped run, by its history.csv.",
        ["preset", "epochs", "time", "runs"],
        [
            ["`fast`", str(fast().epochs), spread(times, " s"), str(repeats)],
            [
                "`thorough`",
                str(shipped.config.epochs),
                f"{shipped.history[-1].seconds:.0f} s",
                "1",
            ],
        ],
    )


HEAD = f"""# Benchmarks

Written by `make bench`. Times: median (lowest–highest) of several repeats.

Machine: {machine()}
"""
PARTS: list[Callable[..., None]] = [speed, trial, yardstick, waiting, size, profile]


def main() -> None:
    """Run the named parts, or all of them and write the page."""
    known = {part.__name__: part for part in [*PARTS, quality, frontier]}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "parts", nargs="*", choices=[*known, []], metavar="PART", help=str([*known])
    )
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="lists for `quality`")
    arguments = parser.parse_args()
    print(f"{machine()}\n")
    for name in arguments.parts or known:
        known[name](*(arguments.data if name == "quality" else ()))
    print(f"{PAGE} written")


if __name__ == "__main__":
    main()
