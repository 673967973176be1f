"""Text, JSON and tables of numbers: written whole or not at all, read with care."""

from __future__ import annotations

import codecs
import csv
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from labkit.errors import DataError, RunError, short


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_text(path: Path, expected: str) -> str:
    """A text file's content. Raises DataError, naming file and line, if it is not UTF-8 text.

    expected: what the file should be, for the message if it is not there.
    """
    if path.is_dir():
        raise DataError(f"{path} is a folder: expected {expected}")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path} is missing: expected {expected}") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError(
            f"{path} is UTF-16 text, as PowerShell writes it: save it as UTF-8 "
            "(Get-Content OLD | Set-Content -Encoding utf8 NEW)"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        start = content.rfind(b"\n", 0, error.start) + 1
        guess = content[start:].split(b"\n")[0].decode("cp1252", errors="replace").strip()
        raise DataError(
            f"{path}, line {line}: this is not UTF-8 text. Was it written as Windows-1252 or "
            f"Latin-1? Then the line reads {short(guess)}; save the file as UTF-8"
        ) from None


def save_json(path: Path, content: Any) -> None:
    """Write plain data as indented JSON."""
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def load_json(path: Path) -> Any:
    """Read JSON. Raises RunError if the file is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise unreadable(path, error) from None
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} cannot be read as JSON: {error}") from None


def save_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows that share their keys, a header first."""

    def write(temporary: Path) -> None:
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    write_whole(path, write)


def load_csv(path: Path) -> list[dict[str, float]]:
    """Read a table of numbers. Raises RunError if it is missing or holds anything else."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    except OSError as error:
        raise unreadable(path, error) from None
    except (ValueError, TypeError, AttributeError, csv.Error) as error:
        raise RunError(f"{path} is not a table of numbers: {error}") from None
    if not rows:
        raise RunError(f"{path} is empty: delete it and run the same again")
    return rows


def unreadable(path: Path, error: OSError) -> RunError:
    """The error to raise for a file of a run that cannot be opened."""
    if isinstance(error, FileNotFoundError):
        return RunError(f"{path} is missing: is {path.parent} the folder of a finished run?")
    return RunError(f"{path} cannot be read: {error.strerror}")
