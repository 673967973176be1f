"""The command line: `labkit`, also `python -m labkit`."""

from __future__ import annotations

import functools
import io
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

# torch takes a second to import; help texts must not wait for it, so commands import what they
# need when they run.
if TYPE_CHECKING:
    from labkit.data import Tables
    from labkit.model import CVAE

TENSES = click.Choice(["sp", "tp", "pg", "p"])
SEED = click.IntRange(0, 2**63 - 1)
CONTEXT = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 96}

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder with train.txt and test.txt.  [default: the lab's own]",
)
run_option = click.option(
    "--run",
    type=click.Path(path_type=Path),
    help="Run folder that 'labkit train --out' wrote.  [default: the pretrained model]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def clear_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Turn errors that a user can mend into one sentence and exit status 2."""

    @functools.wraps(command)
    def wrapped(*args: Any, **options: Any) -> None:
        for stream in (sys.stdout, sys.stderr):  # a code page without "→" gets "?"
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # end as with Ctrl-C
        try:
            command(*args, **options)
        except BrokenPipeError:  # the reader, `head` say, has had enough: click ends quietly
            raise
        except ValueError as error:  # DataError and RunError are ValueErrors
            raise click.UsageError(str(error)) from None
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise click.UsageError(f"{where}{error.strerror}") from None
        except KeyboardInterrupt:
            hint = " The same command goes on from the last save (one every five seconds)."
            click.echo(f"Stopped.{hint if 'out' in options else ''}", err=True)  # train, trials
            sys.exit(130)

    return wrapped


@click.group(context_settings=CONTEXT)
@click.version_option(package_name="labkit")
def main() -> None:
    """Train, judge and use a conditional sequence-to-sequence VAE for English tenses.

    Tenses: sp simple present, tp third person, pg present progressive, p simple past.
    """


@main.command(
    epilog="Example: labkit train --preset fast --cycles 2 --final-teacher-forcing 0.4 --out runs/a"
)
@click.option("--preset", type=click.Choice(["fast", "thorough", "report"]), default="fast")
@click.option("--cycles", type=click.IntRange(min=1), help="Cycles of the KL weight.")
@click.option(
    "--final-teacher-forcing",
    type=click.FloatRange(0, 1),
    help="Teacher-forcing ratio at the end.",
)
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the training words.")
@click.option("--seed", type=SEED, default=0)
@data_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Run folder; an interrupted run there goes on.  [default: runs/ and the settings]",
)
@clear_errors
def train(
    preset: str,
    cycles: int | None,
    final_teacher_forcing: float | None,
    epochs: int | None,
    seed: int,
    data: Path | None,
    out: Path | None,
) -> None:
    """Train one model and write a run folder.

    fast takes about a minute on two cores, thorough four times as long; report is the recipe of
    2021, which takes hours.
    With --cycles or --final-teacher-forcing, fast and thorough follow the report's schedules (their
    own has one cycle, up, hold and down, and only teacher forcing).
    """
    from labkit import config as presets
    from labkit.training import train as run_training

    changes: dict[str, Any] = {"seed": seed}
    if epochs is not None:
        changes["epochs"] = epochs
    if preset != "report" and cycles is None and final_teacher_forcing is None:
        config = presets.PRESETS[preset](**changes)
    else:
        if preset == "thorough":
            changes = {"epochs": presets.thorough().epochs, **changes}
        make = presets.report if preset == "report" else presets.fast_report
        ratio = 0.8 if final_teacher_forcing is None else final_teacher_forcing
        config = make(ratio, min(2, epochs or 2) if cycles is None else cycles, **changes)
    if out is None:
        parts = [preset, f"seed-{seed}"]
        parts += [f"cycles-{cycles}"] if cycles is not None else []
        parts += [f"ratio-{final_teacher_forcing}"] if final_teacher_forcing is not None else []
        parts += [f"epochs-{epochs}"] if epochs is not None else []
        parts += [data.resolve().name] if data is not None else []
        out = Path("runs") / "-".join(parts)
    tables = _tables(data)
    with _bar("training") as advance:
        run = run_training(
            config,
            tables,
            out=out,
            on_progress=lambda p: advance(p.step, p.steps, p.row),
        )
    click.echo(f"{out}: finished in {run.history[-1]['seconds']:.0f} s" if run.history else out)
    if run.scores is not None:
        from dataclasses import asdict

        _print_scores(asdict(run.scores), tables)


@main.command(epilog="Example: labkit trials --preset fast --seeds 0,1,2 --out runs/trials")
@click.option("--preset", type=click.Choice(["fast", "thorough", "report"]), default="fast")
@click.option("--seeds", default="0", help="Seeds, separated by commas.")
@data_option
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("runs/trials")
)
@clear_errors
def trials(preset: str, seeds: str, data: Path | None, out: Path) -> None:
    """Run the report's four schedules (and, unless "report", our own recipe) on every core.

    Prints the table of scores under both protocols beside the report's, and draws figure 4 into
    the folder. Results that are already there are kept; an interrupted trial goes on.
    """
    try:
        numbers = list(dict.fromkeys(int(seed) for seed in seeds.split(",")))
        if not all(0 <= number < 2**63 for number in numbers):
            raise ValueError
    except ValueError:
        raise click.UsageError(f"--seeds {seeds!r}: expected numbers such as 0,1,2") from None
    from labkit.files import write_whole
    from labkit.plots.style import png
    from labkit.plots.training import trials_figure
    from labkit.trials import run_trials, trial_configs, trials_table

    tables = _tables(data)
    with _bar("trials") as advance:
        results = run_trials(trial_configs(preset), tables, numbers, out, on_progress=advance)
    rows = trials_table(results)
    widths = {key: max(len(key), *(len(row[key]) for row in rows)) for key in rows[0]}
    for row in [dict(zip(rows[0], rows[0], strict=True)), *rows]:
        click.echo("  ".join(row[key].ljust(width) for key, width in widths.items()).rstrip())
    figure = png(trials_figure(results))
    write_whole(out / "figure4.png", lambda path: path.write_bytes(figure))
    click.echo(f"Mean ± standard deviation over {len(numbers)} seed(s). {out / 'figure4.png'}")


@main.command(epilog="Example: labkit evaluate --run runs/fast-seed-0 --protocol report")
@run_option
@data_option
@click.option("--protocol", type=click.Choice(["honest", "report"]), default="honest")
@json_option
@clear_errors
def evaluate(run: Path | None, data: Path | None, protocol: str, as_json: bool) -> None:
    """Judge a model: the test pairs, 1,000 verbs from noise, and held-out verbs."""
    import json
    from dataclasses import asdict

    from labkit.evaluation import evaluate as judge

    tables = _tables(data)
    scores = asdict(judge(_model(run), tables, protocol))
    if as_json:
        click.echo(json.dumps(scores))
    else:
        _print_scores(scores, tables)


@main.command(epilog="Example: labkit convert begin walk --from sp --to pg")
@click.argument("words", nargs=-1, required=True)
@click.option("--from", "source", type=TENSES, required=True, help="Tense of the words.")
@click.option("--to", "target", type=TENSES, required=True, help="Tense to write them in.")
@run_option
@clear_errors
def convert(words: tuple[str, ...], source: str, target: str, run: Path | None) -> None:
    """Write each WORD in another tense, one a line."""
    from labkit.inference import convert as convert_words

    for word in convert_words(_model(run), words, source, target):
        click.echo(word)


@main.command(epilog="Example: labkit generate -n 5 --seed 1")
@click.option("-n", "count", type=click.IntRange(1, 100_000), default=100, help="How many verbs.")
@click.option("--seed", type=SEED, default=0)
@run_option
@json_option
@clear_errors
def generate(count: int, seed: int, run: Path | None, as_json: bool) -> None:
    """Invent verbs from Gaussian noise: four forms a line."""
    import json

    import torch

    from labkit.inference import generate as generate_verbs

    rows = generate_verbs(_model(run), count, torch.Generator().manual_seed(seed))
    if as_json:
        click.echo(json.dumps({"seed": seed, "verbs": rows}))
    else:
        for row in rows:
            click.echo(" ".join(row))


def _tables(folder: Path | None) -> Tables:
    from labkit.data import DATA_FOLDER, load_tables

    return load_tables(folder or DATA_FOLDER)


def _model(run: Path | None) -> CVAE:
    from labkit.runs import load_model
    from labkit.trials import load_pretrained

    return load_pretrained() if run is None else load_model(run / "weights.pt")


def _print_scores(scores: dict[str, Any], tables: Tables) -> None:
    from labkit.data import TENSES as codes

    for pair, output in zip(tables.test, scores["outputs"], strict=True):
        tenses = f"{codes[pair.source_tense]}→{codes[pair.target_tense]}"
        mark = "✔" if output == pair.target else f"✘ ({pair.target})"
        click.echo(f"  {pair.source:<14} {tenses:<6} {output:<14} {mark}")
    heldout = scores["heldout_exact_match"]
    low, high = scores["gaussian_score_low"], scores["gaussian_score_high"]
    click.echo(f"protocol             {scores['protocol']}")
    click.echo(f"BLEU-4               {scores['bleu4']:.3f}")
    repeats = ", mean of five repeats" if scores["protocol"] == "report" else ""
    pairs = f"of the {len(tables.test)} pairs{repeats}"
    click.echo(f"exact match          {scores['exact_match']:.2f} {pairs}")
    click.echo(
        f"Gaussian score       {scores['gaussian_score']:.3f} (95 %: {low:.3f} to {high:.3f})"
    )
    click.echo(f"distinct rows        {scores['distinct_rows']} of {scores['samples']}")
    click.echo(f"coverage             {scores['coverage']:.3f} of the training verbs")
    if heldout is not None:
        click.echo(f"held-out exact match {heldout:.3f} of all conversions (12 a verb)")
    click.echo(f"KL, NLL              {scores['kl']:.2f}, {scores['nll']:.2f} nats a word")


class _bar:
    """A progress bar on standard error, moved by advance(done, total, history row)."""

    def __init__(self, description: str) -> None:
        self.description = description

    def __enter__(self) -> Callable[..., None]:
        from tqdm import tqdm

        # In a log file a line every half minute is enough.
        interval = 0.1 if sys.stderr.isatty() else 30
        self.bar = tqdm(desc=self.description, unit=" updates", mininterval=interval)

        def advance(done: int, total: int, row: dict[str, float] | None = None) -> None:
            self.bar.total = total
            self.bar.update(done - self.bar.n)
            if row is not None:
                shown = {key: row[key] for key in ("cross_entropy", "kl", "gaussian_score")}
                self.bar.set_postfix(shown, refresh=False)

        return advance

    def __exit__(self, *_: object) -> None:
        self.bar.close()
