"""What pytest does in this project beyond its settings in pyproject.toml."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# Property tests draw 100 examples in CI, and 25 in the minutes between two edits.
settings.register_profile("quick", max_examples=25)
if not os.environ.get("CI"):
    settings.load_profile("quick")

LEFT_OUT = ("slow", "browser")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests marked `slow` or `browser` out of plain `pytest`, which is for between two edits.

    They run with `--nbval`, as in `make test`, and whenever they are asked for, by their file or
    by their mark: `pytest tests/test_browser.py`, `pytest -m slow`.
    """

    def asked_for(item: pytest.Item) -> bool:
        return any(item.path.name in argument for argument in config.args)

    if config.option.nbval or config.option.markexpr:
        return
    left_out = [
        item
        for item in items
        if any(item.get_closest_marker(mark) for mark in LEFT_OUT) and not asked_for(item)
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
