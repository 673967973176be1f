"""Files that are written whole or not at all, and read without unpickling code."""

from __future__ import annotations

import csv
import json
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch


class RunError(ValueError):
    """A run folder or checkpoint that cannot be used; the message says what to do."""


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def save_json(path: Path, content: Any) -> None:
    """Write plain data as indented JSON."""
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def load_json(path: Path) -> Any:
    """Read JSON. Raises RunError if the file is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unreadable(path, error) from None
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} cannot be read as JSON: {error}") from None


def save_tensors(path: Path, content: Mapping[str, Any]) -> None:
    """Write tensors and plain data in PyTorch's format. Raises RunError if the disk is full."""
    try:
        write_whole(path, lambda temporary: torch.save(dict(content), temporary))
    except RuntimeError:  # torch's own for a write that the disk refused
        raise RunError(f"{path} cannot be written: is the disk full?") from None


def load_tensors(path: Path, device: str | torch.device = "cpu") -> dict[str, Any]:
    """Read tensors and plain data; anything else in the file is refused, never unpickled.

    Raises RunError if the file is missing, damaged, or holds other objects.
    """
    try:
        with zipfile.ZipFile(path) as archive:  # torch itself does not look at the checksums
            if archive.testzip() is not None:
                raise ValueError("its bytes do not match their checksum")
        content = torch.load(path, map_location=device, weights_only=True)
    except OSError as error:
        raise _unreadable(path, error) from None
    except Exception as error:  # torch raises many kinds for damaged or hostile files
        reason = str(error).strip().split("\n")[0][:160]
        raise RunError(f"{path} is not a file of tensors that labkit wrote: {reason}") from None
    if not isinstance(content, dict):
        raise RunError(f"{path} holds a {type(content).__name__}: expected named tensors")
    return content


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
        raise _unreadable(path, error) from None
    except (ValueError, TypeError, AttributeError, csv.Error) as error:
        raise RunError(f"{path} is not a table of numbers: {error}") from None
    if not rows:
        raise RunError(f"{path} is empty: delete {path.parent} and run it again")
    return rows


def _unreadable(path: Path, error: OSError) -> RunError:
    if isinstance(error, FileNotFoundError):
        return RunError(f"{path} is missing: is {path.parent} the folder of a finished run?")
    return RunError(f"{path} cannot be read: {error.strerror}")
