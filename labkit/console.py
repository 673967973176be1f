"""What every command does: errors in one sentence, one look of help, a progress bar."""

from __future__ import annotations

import functools
import io
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from labkit.runs import HistoryRow

SEED = click.IntRange(0, 2**63 - 1)

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder with train.txt and test.txt.  [default: the lab's own]",
)

CONTEXT = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 96}


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


def echo_table(rows: list[dict[str, str]]) -> None:
    """Print rows under their columns' names, aligned."""
    widths = {key: max(len(key), *(len(row[key]) for row in rows)) for key in rows[0]}
    for cells in [list(widths), *(list(row.values()) for row in rows)]:
        columns = zip(cells, widths.values(), strict=True)
        click.echo("  ".join(cell.ljust(width) for cell, width in columns).rstrip())


class progress_bar:
    """A progress bar on standard error, moved by advance(done, total, history row)."""

    def __init__(self, description: str) -> None:
        self.description = description

    def __enter__(self) -> Callable[..., None]:
        from tqdm import tqdm

        # In a log file a line every half minute is enough.
        interval = 0.1 if sys.stderr.isatty() else 30
        self.bar = tqdm(desc=self.description, unit=" updates", mininterval=interval)

        def advance(done: int, total: int, row: HistoryRow | None = None) -> None:
            self.bar.total = total
            self.bar.update(done - self.bar.n)
            if row is not None:
                self.bar.set_postfix(
                    cross_entropy=row.cross_entropy,
                    kl=row.kl,
                    gaussian_score=row.gaussian_score,
                    refresh=False,
                )

        return advance

    def __exit__(self, *_: object) -> None:
        self.bar.close()
