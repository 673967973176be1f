"""What pytest does in this project beyond its settings in pyproject.toml."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave browser tests out of plain `pytest`, which is for the minutes between two edits.

    They run with `--nbval`, as in `make test`, and whenever they are asked for by name:
    `pytest -m browser`, `pytest tests/test_browser.py`.
    """
    asked_for = any("test_browser" in argument for argument in config.args)
    if config.option.nbval or asked_for or "browser" in config.option.markexpr:
        return
    browser = [item for item in items if item.get_closest_marker("browser")]
    if browser:
        config.hook.pytest_deselected(items=browser)
        items[:] = [item for item in items if item not in browser]
