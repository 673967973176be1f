"""A student's session in a real browser: open a notebook, run all of it, move its sliders.

`LABKIT_SCREENSHOTS=DIR` keeps a picture of each notebook as the test leaves it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from browser import (
    CHROMIUM_ARGUMENTS,
    ROOT,
    OpenNotebook,
    Server,
    copy_project,
    find_chromium,
    jupyterlab,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = find_chromium()
NOTEBOOKS = {  # how many live sliders each has at least
    "00_start_here": 0,
    "03_model": 1,
    "04_training": 1,
    "05_evaluation": 3,
}
RUN_SECONDS = 500  # for all cells of a notebook; pytest stops any test after 600

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None,
        reason="no Chromium or Chrome found (on Debian and Ubuntu: apt install chromium)",
    ),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab on a copy of the project."""
    root, home = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("home")
    copy_project(ROOT, root)
    with jupyterlab(root, home) as running:
        yield running


@pytest.fixture
def page() -> Iterator[Page]:
    """An empty page of a new browser, gone with the test: nbval needs the event loop afterwards."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser.new_page(viewport={"width": 1280, "height": 1000})
        browser.close()


def test_the_server_asks_for_a_token(server: Server) -> None:
    assert server.status("/api/contents") == 403
    assert server.status("/api/contents", token="guessed") == 403
    assert server.status("/api/contents", token=server.token) == 200


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_and_its_sliders_redraw_its_figures(
    name: str, server: Server, page: Page
) -> None:
    notebook = OpenNotebook(page, server, f"notebooks/{name}.ipynb")
    try:
        notebook.run_all(RUN_SECONDS)
        assert notebook.complaints() == []

        sliders = notebook.sliders()
        assert len(sliders) >= NOTEBOOKS[name]
        for slider in sliders:
            slider.press_home()
            slider.drag()
    finally:
        if folder := os.environ.get("LABKIT_SCREENSHOTS"):
            notebook.screenshot(Path(folder) / f"{name}.png")
