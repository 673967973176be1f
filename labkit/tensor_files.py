"""Tensors in PyTorch's files: written whole or not at all, never unpickled."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from labkit.errors import RunError
from labkit.files import unreadable, write_whole


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
        raise unreadable(path, error) from None
    except Exception as error:  # torch raises many kinds for damaged or hostile files
        reason = str(error).strip().split("\n")[0][:160]
        raise RunError(f"{path} is not a file of tensors that labkit wrote: {reason}") from None
    if not isinstance(content, dict):
        raise RunError(f"{path} holds a {type(content).__name__}: expected named tensors")
    return content
