"""The commands that use a model: evaluate, submit, convert, generate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from labkit.console import SEED, clear_errors, data_option, echo_table

if TYPE_CHECKING:
    from labkit.measures.catalogue import Scores
    from labkit.model import CVAE
    from labkit.tables import Tables

run_option = click.option(
    "--run",
    type=click.Path(path_type=Path),
    help="Run folder that 'labkit train --out' wrote.",
)
model_option = click.option(
    "--model",
    type=click.Choice(["by-heart", "by-rule", "taught"]),
    help="A model that ships, instead of --run.  [default: by-heart]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.command(epilog="Example: labkit evaluate --run runs/fast-seed-0 --protocol report")
@run_option
@model_option
@data_option
@click.option(
    "--baselines", is_flag=True, help="Beside copying, the nearest verb, and suffix rules."
)
@click.option("--protocol", type=click.Choice(["honest", "report"]), default="honest")
@json_option
@clear_errors
def evaluate(
    run: Path | None,
    model: str | None,
    data: Path | None,
    baselines: bool,
    protocol: str,
    as_json: bool,
) -> None:
    """Judge a model: the test pairs, 1,000 verbs from noise, and held-out verbs."""
    import json

    from labkit.measures.comparison import compare, comparison_rows
    from labkit.measures.protocols import evaluate as judge
    from labkit.runs import PRETRAINED

    loaded = model_of(run, model)
    if run is not None:
        tables = tables_of_run(run, data)
    else:
        tables = tables_of(data, PRETRAINED[model or "by-heart"])
    scores = judge(loaded, tables, protocol)
    compared = compare(loaded, tables) if baselines else {}
    if as_json:
        click.echo(json.dumps({**scores, "baselines": compared} if baselines else scores))
        return
    print_scores(scores, tables)
    if baselines:
        click.echo("\nAll conversions of a verb, share right (± 95 % over verbs):")
        echo_table(comparison_rows(compared))


@click.command(epilog="Example: labkit submit --run runs/any-verb-seed-0 --name 'my first'")
@click.option(
    "--run",
    type=click.Path(path_type=Path),
    required=True,
    help="Run folder that 'labkit train --out' wrote.",
)
@click.option("--name", default="", help="What to call it.  [default: the folder's name]")
@data_option
@clear_errors
def submit(run: Path, name: str, data: Path | None) -> None:
    """Judge a run on heldout_test.txt, once, and write its row to leaderboard.csv beside it.

    The open challenge of notebook 06: beat the suffix rules on verbs never seen, without attention.
    Choose on heldout_valid.txt ("unseen exact" of labkit evaluate), then submit.
    """
    from labkit.leaderboard import submit as judge_once

    path = run.resolve().parent / "leaderboard.csv"
    entry, judged = judge_once(run, tables_of_run(run, data), path, name)
    if not judged:
        click.echo(f"These weights were judged before; a test judges once. In {path}:")
    for column, value in entry.items():
        click.echo(f"{column:<16}{value}")


@click.command(epilog="Example: labkit convert begin walk --from sp --to pg")
@click.argument("words", nargs=-1, required=True)
@click.option("--from", "source", required=True, help="Tense of the words, such as sp.")
@click.option("--to", "target", required=True, help="Tense to write them in, such as pg.")
@run_option
@model_option
@clear_errors
def convert(
    words: tuple[str, ...], source: str, target: str, run: Path | None, model: str | None
) -> None:
    """Write each WORD in another tense, one a line.

    The tenses of a model of another language are the codes of its forms.
    """
    from labkit.inference import convert as convert_words
    from labkit.tables import load_tables

    for word in convert_words(model_of(run, model), words, source, target):
        click.echo(word)
    if run is None and model in (None, "by-heart"):
        known = {form for row in load_tables().train for form in row}
        if unknown := [word for word in words if word not in known]:
            click.echo(
                f"Not in the list that this model knows by heart: {', '.join(unknown)}. "
                "For any verb: --model taught.",
                err=True,
            )


@click.command(epilog="Example: labkit generate -n 5 --seed 1")
@click.option("-n", "count", type=click.IntRange(1, 100_000), default=100, help="How many verbs.")
@click.option("--seed", type=SEED, default=0)
@run_option
@model_option
@json_option
@clear_errors
def generate(count: int, seed: int, run: Path | None, model: str | None, as_json: bool) -> None:
    """Invent verbs from Gaussian noise: all forms of a verb on one line."""
    import json

    import torch

    from labkit.inference import generate as generate_verbs

    rows = generate_verbs(model_of(run, model), count, torch.Generator().manual_seed(seed))
    if as_json:
        click.echo(json.dumps({"seed": seed, "verbs": rows}))
    else:
        for row in rows:
            click.echo(" ".join(row))


def tables_of(folder: Path | None, train: str = "train.txt") -> Tables:
    from labkit.tables import DATA_FOLDER, load_tables

    folder = folder or DATA_FOLDER
    return load_tables(folder, train if (folder / train).exists() else "train.txt")


def tables_of_run(run: Path, data: Path | None) -> Tables:
    """The tables to judge a run with: train_large.txt if it was trained on that, else train.txt."""
    from labkit.files import load_json
    from labkit.runs import digest_of_words

    large = tables_of(data, "train_large.txt")
    config = load_json(run / "config.json")
    trained_on_it = isinstance(config, dict) and config.get("words") == digest_of_words(large)
    return large if trained_on_it else tables_of(data)


def model_of(run: Path | None, name: str | None) -> CVAE:
    from labkit.runs import load_model, load_pretrained

    if run is not None and name is not None:
        raise click.UsageError("give --run or --model, not both")
    return load_pretrained(name or "by-heart") if run is None else load_model(run / "weights.pt")


def print_scores(scores: Scores, tables: Tables) -> None:
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
