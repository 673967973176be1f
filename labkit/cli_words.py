"""`labkit words`: look at a list of one's own, or make a folder of tables out of one."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from labkit.console import CONTEXT, clear_errors
from labkit.errors import DataError


@click.group(context_settings=CONTEXT)
def words() -> None:
    """Look at verb tables of your own, or make them from a list in another format."""


@words.command(epilog="Example: labkit words check data")
@click.argument("folder", type=click.Path(path_type=Path))
@clear_errors
def check(folder: Path) -> None:
    """Say what FOLDER (or one table) holds: every kind of fault, and rows that look odd.

    Ends with status 1 if something must be mended before training.
    """
    from labkit.wordcheck import check_folder

    lines, sound = check_folder(folder)
    click.echo("\n".join(lines))
    click.echo("These words can be trained on." if sound else "Mend the lines marked with ✘.")
    sys.exit(0 if sound else 1)


@words.command("import", epilog="Example: labkit words import verbs.csv --out my-verbs")
@click.argument("source", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new folder.")
@click.option("--name", help="The language's name.  [default: English, or 'own words']")
@click.option(
    "--columns", help="Codes of the columns, such as inf,past.  [default: the first line]"
)
@click.option(
    "--form",
    "forms",
    multiple=True,
    metavar="CODE=TAGS",
    help="A column out of a UniMorph list, such as past=V;PST. Once for each column.",
)
@click.option("--letters", default="auto", help="The alphabet; auto: all letters that occur.")
@click.option(
    "--heldout",
    type=click.FloatRange(0, 0.4),
    default=0.0,
    help="Share of the verbs in each of the two held-out tables.",
)
@clear_errors
def import_(
    source: Path,
    out: Path,
    name: str | None,
    columns: str | None,
    forms: tuple[str, ...],
    letters: str,
    heldout: float,
) -> None:
    """Make a folder of verb tables out of SOURCE.

    It may be CSV or TSV, with or without the columns' names, or a UniMorph list. Further words in a
    cell (got/gotten) become alternates. Whatever is left out is counted.
    """
    from labkit.wordimport import import_words, write_folder

    tags = dict(form.partition("=")[::2] for form in forms)
    if not all(tags.values()):
        raise DataError("--form: expected CODE=TAGS, such as past=V;PST")
    found = import_words(
        source,
        name=name,
        codes=[code.strip() for code in (columns or "").split(",") if code.strip()],
        tags=tags,
        letters=letters,
    )
    written = write_folder(found, out, heldout)
    click.echo(f"{source}: {len(found.rows):,} verbs of {len(found.language.forms)} forms")
    for reason, count in found.left_out.items():
        click.echo(f"  left out: {count:,} {reason}")
    for what, count in found.changed.items():
        click.echo(f"  {count:,} words {what}")
    click.echo(f"{found.language.name}: letters {found.language.letters_in_words}")
    click.echo("\n".join(written))
    click.echo(f"Look at them with 'labkit words check {out}', then: labkit train --data {out}")
