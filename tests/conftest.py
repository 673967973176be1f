"""What pytest does in this project beyond its settings in pyproject.toml."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# Property tests draw 100 examples in CI, and 25 in the minutes between two edits.
settings.register_profile("quick", max_examples=25)
if not os.environ.get("CI"):
    settings.load_profile("quick")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the slow kinds of test out of plain `pytest`, which is for between two edits.

    Those that drive a browser, redraw panels or run whole trials in processes of their own run
    with `--nbval`, as in `make test`, and whenever they are asked for by name:
    `pytest -m browser`, `pytest tests/test_browser.py`.
    """

    def slow(item: pytest.Item) -> bool:
        name = item.path.name
        return name.endswith("_panels.py") or name in ("test_browser.py", "test_trials.py")

    def asked_for(item: pytest.Item) -> bool:
        return any(item.path.name in argument for argument in config.args)

    if config.option.nbval or "browser" in config.option.markexpr:
        return
    left_out = [item for item in items if slow(item) and not asked_for(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
