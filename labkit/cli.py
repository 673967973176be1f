"""The command line: `labkit`, also `python -m labkit`."""

from __future__ import annotations

from pathlib import Path

import click

from labkit.cli_page import page
from labkit.cli_use import convert, evaluate, generate, print_scores, submit, tables_of
from labkit.cli_words import words
from labkit.console import CONTEXT, SEED, clear_errors, data_option, echo_table, progress_bar

# torch takes a second to import; help texts must not wait for it, so commands import what they
# need when they run.


@click.group(context_settings=CONTEXT)
@click.version_option(package_name="labkit")
def main() -> None:
    """Train, judge and use a conditional sequence-to-sequence VAE for English tenses.

    Tenses: sp simple present, tp third person, pg present progressive, p simple past.
    """


for command in (evaluate, submit, convert, generate, page, words):
    main.add_command(command)


@main.command(
    epilog="Example: labkit train --preset fast --cycles 2 --final-teacher-forcing 0.4 --out runs/a"
)
@click.option(
    "--preset",
    type=click.Choice(["fast", "thorough", "report", "any-verb-fast", "any-verb", "taught"]),
    default="fast",
)
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
    any-verb and any-verb-fast (37 and 11 minutes of one core, beside other work) learn to convert
    verbs that stand in no list, from the folder's train_large.txt, if it has one, and from invented
    verbs. taught (49 minutes) is the same, but is shown conversions.
    With --cycles or --final-teacher-forcing, recipes follow the report's schedules (their own have
    one cycle, up, hold and down, and only teacher forcing).
    """
    from labkit import recipes
    from labkit.training import train as run_training

    tables = tables_of(data, recipes.PRESETS[preset].table)
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
        print_scores(run.scores, tables)
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

    tables = tables_of(data)
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
    echo_table(trials_table(results))
    figure = png(trials_figure(results, characters_a_word(tables.train)))
    write_whole(out / "figure4.png", lambda path: path.write_bytes(figure))
    click.echo(f"Mean ± standard deviation over {len(numbers)} seed(s). {out / 'figure4.png'}")
