"""`labkit page`: trained models in one HTML file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from labkit.console import clear_errors


@click.command(epilog="Example: labkit page --run runs/fast-seed-0 --out verbs.html")
@click.option(
    "--run",
    "runs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A run folder; once for each model on the page.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    type=click.Choice(["by-heart", "by-rule", "taught"]),
    help="A model that ships; behind the runs.  [default: by-heart, if no run is given]",
)
@click.option(
    "--title",
    "titles",
    multiple=True,
    help="What to call a model, in the order of the runs.  [default: its run folder's name]",
)
@click.option(
    "--data",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder of words that runs were trained on.  The lab's own are known.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=Path("verbs.html"))
@clear_errors
def page(
    runs: tuple[Path, ...],
    models: tuple[str, ...],
    titles: tuple[str, ...],
    data: tuple[Path, ...],
    out: Path,
) -> None:
    """Write a page that holds trained models: to use them, look inside, and take them home.

    It is one file, which any browser opens, also a phone's, with no network. Before it is written,
    every training word is converted into every form and compared, which takes half a minute a
    model.
    """
    wanted: tuple[Path | str, ...] = (*runs, *models) or ("by-heart",)
    if titles and len(titles) != len(wanted):
        raise click.UsageError(
            f"{len(titles)} titles for {len(wanted)} model(s): give one --title for each, or none"
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=out.parent):  # can a file be written there? Ask before working
        pass
    from labkit.page import exhibit_of, write_page
    from labkit.tables import DATA_FOLDER

    folders = tuple(dict.fromkeys([*data, DATA_FOLDER]))
    exhibits = [
        exhibit_of(run, titles[number] if titles else None, folders)
        for number, run in enumerate(wanted)
    ]
    for packed in write_page(out, exhibits):
        click.echo(
            f"{packed.title}: {packed.conversions:,} conversions, all equal to the trained model's"
        )
    click.echo(f"{out}: {out.stat().st_size / 1e6:.2f} MB, open it in any browser")
