"""The command line: `labkit`, also `python -m labkit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from labkit.cli_page import page
from labkit.cli_words import words
from labkit.console import CONTEXT, clear_errors, progress_bar

# torch takes a second to import; help texts must not wait for it, so commands import what they
# need when they run.
if TYPE_CHECKING:
    from labkit.measures.catalogue import Scores
    from labkit.model import CVAE
    from labkit.tables import Tables

SEED = click.IntRange(0, 2**63 - 1)

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


@click.group(context_settings=CONTEXT)
@click.version_option(package_name="labkit")
def main() -> None:
    """Train, judge and use a conditional sequence-to-sequence VAE for English tenses.

    Tenses: sp simple present, tp third person, pg present progressive, p simple past.
    """


main.add_command(words)
main.add_command(page)


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
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    help="Passes over the training words.  [default: as many as the list needs]",
)
@click.option("--batch-size", type=click.IntRange(min=1), help="Words an update.")
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
    batch_size: int | None,
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
    from labkit import recipes
    from labkit.training import train as run_training

    tables = _tables(data)
    config, name = recipes.choose(
        preset,
        words=len(tables.train) * len(tables.language.forms),
        cycles=cycles,
        final_ratio=final_teacher_forcing,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
    )
    if data is not None:
        from labkit.wordcheck import short_form

        click.echo(short_form(data))
        click.echo(f"{preset}: {config.epochs:,} epochs in batches of {config.batch_size}")
    if out is None:
        out = Path("runs") / "-".join([name] if data is None else [name, data.resolve().name])
    with progress_bar("training") as advance:
        run = run_training(
            config,
            tables,
            out=out,
            on_progress=lambda p: advance(p.step, p.steps, p.row),
        )
    click.echo(f"{out}: finished in {run.history[-1].seconds:.0f} s" if run.history else out)
    if run.scores is not None:
        _print_scores(run.scores, tables)
    if run.scores is not None and run.scores["kl"] < recipes.COLLAPSED:
        click.echo(
            "The posterior has collapsed: the latent says nothing about the word (KL near 0), so "
            "the model writes one word for all. Train for longer (--epochs), or in smaller batches."
        )


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
    from labkit.report2021 import judge_both, trial_configs, trials_table
    from labkit.sweeps import run_sweep
    from labkit.tables import characters_a_word

    tables = _tables(data)
    words = len(tables.train) * len(tables.language.forms)
    with progress_bar("trials") as advance:
        results = run_sweep(
            trial_configs(preset, words),
            tables,
            numbers,
            out,
            judge=judge_both,
            on_progress=advance,
        )
    rows = trials_table(results)
    widths = {key: max(len(key), *(len(row[key]) for row in rows)) for key in rows[0]}
    for cells in [list(widths), *(list(row.values()) for row in rows)]:
        columns = zip(cells, widths.values(), strict=True)
        click.echo("  ".join(cell.ljust(width) for cell, width in columns).rstrip())
    figure = png(trials_figure(results, characters_a_word(tables.train)))
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

    from labkit.measures.protocols import evaluate as judge

    tables = _tables(data)
    scores = judge(_model(run), tables, protocol)
    if as_json:
        click.echo(json.dumps(scores))
    else:
        _print_scores(scores, tables)


@main.command(epilog="Example: labkit convert begin walk --from sp --to pg")
@click.argument("words", nargs=-1, required=True)
@click.option("--from", "source", required=True, help="Tense of the words, such as sp.")
@click.option("--to", "target", required=True, help="Tense to write them in, such as pg.")
@run_option
@clear_errors
def convert(words: tuple[str, ...], source: str, target: str, run: Path | None) -> None:
    """Write each WORD in another tense, one a line.

    The tenses of a model of another language are the codes of its forms.
    """
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
    """Invent verbs from Gaussian noise: all forms of a verb on one line."""
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
    from labkit.tables import DATA_FOLDER, load_tables

    return load_tables(folder or DATA_FOLDER)


def _model(run: Path | None) -> CVAE:
    from labkit.runs import load_model, load_pretrained

    return load_pretrained() if run is None else load_model(run / "weights.pt")


def _print_scores(scores: Scores, tables: Tables) -> None:
    from labkit.measures.catalogue import MEASURES

    codes = tables.language.codes
    for pair, output in zip(tables.test, scores["outputs"], strict=True):
        tenses = f"{codes[pair.source_tense]}→{codes[pair.target_tense]}"
        mark = "✔" if output == pair.target else f"✘ ({pair.target})"
        click.echo(f"  {pair.source:<14} {tenses:<6} {output:<14} {mark}")
    repeats = ", test pairs five times" if scores["protocol"] == "report" else ""
    click.echo(f"protocol: {scores['protocol']}{repeats}; {scores['samples']} verbs from noise")
    for measure in MEASURES:
        value, low = scores.get(measure.name), scores.get(f"{measure.name}_low")
        interval = ""
        if low is not None:
            high = scores[f"{measure.name}_high"]
            interval = f" (95 %: {measure.show(low)} to {measure.show(high)})"
        click.echo(f"{measure.title:<16}{measure.show(value):>7}{interval}  {measure.unit}")
