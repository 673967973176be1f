"""A JupyterLab of our own and a notebook open in a real browser, for tests/test_browser.py."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # playwright is imported where a browser is about to start
    from playwright.sync_api import FloatRect, Locator, Page

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("notebooks", "labkit", "data")
START_SECONDS = 60
CHROMIUM_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
LAB_SETTINGS = {
    # All cells in the page at once, so that what lies below the fold can be found and photographed.
    "notebook-extension/tracker": {"windowingMode": "none"},
    # No questions.
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


def find_chromium() -> str | None:
    """The path of a Chromium or Chrome that is installed here."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return next(filter(None, map(shutil.which, names)), None)


# --- the server ----------------------------------------------------------------------------------


class Server(NamedTuple):
    """A running JupyterLab."""

    url: str  # without a slash at its end
    token: str

    def status(self, path: str, token: str = "") -> int:
        """The HTTP status with which the server answers a GET of `path`; 0 if it doesn't answer."""
        request = urllib.request.Request(self.url + path)
        if token:
            request.add_header("Authorization", f"token {token}")
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0


def copy_project(source: Path, target: Path) -> None:
    """Copy what a student works in: JupyterLab saves by itself, and must not touch the checkout."""
    for name in COPIED:
        if (source / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "runs")
            shutil.copytree(source / name, target / name, ignore=ignored)


def free_port() -> int:
    """A port of the loopback interface that nothing listens on just now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def private_environment(root: Path, home: Path, token: str) -> dict[str, str]:
    """Variables for a JupyterLab that reads and writes nothing of the user's, and our `labkit`."""
    settings = home / "settings"
    for name, values in LAB_SETTINGS.items():
        path = settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    return {
        **os.environ,
        "PYTHONPATH": str(root),  # the copy of labkit, ahead of the checkout's
        "JUPYTER_TOKEN": token,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "IPYTHONDIR": str(home / "ipython"),
    }


@contextmanager
def jupyterlab(root: Path, home: Path) -> Iterator[Server]:
    """JupyterLab on `root`, on loopback, with a token; stopped at the end, kernels included."""
    token, port = secrets.token_hex(16), free_port()
    server = Server(f"http://127.0.0.1:{port}", token)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", f"--ServerApp.root_dir={root}"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        "--LabApp.expose_app_in_browser=True",
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]
    environment = private_environment(root, home, token)
    log_path = home / "jupyterlab.log"
    with log_path.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while server.status("/api/status", token) != 200:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"JupyterLab did not start:\n{log_path.read_text()[-3000:]}")
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()  # JupyterLab takes its kernels with it
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


# --- the notebook --------------------------------------------------------------------------------

READY = """() => {
    const widget = window.jupyterapp?.shell?.currentWidget;
    return Boolean(widget?.context?.isReady
        && widget.sessionContext?.session?.kernel?.status === "idle");
}"""

RUN_ALL = """() => {
    const commands = window.jupyterapp.commands;
    window.labRun = "running";
    commands.execute("notebook:clear-all-cell-outputs")
        .then(() => commands.execute("notebook:run-all-cells"))
        .then(() => { window.labRun = "done"; }, error => { window.labRun = `failed: ${error}`; });
}"""

CODE_CELLS = """() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON().cells
    .filter(cell => cell.cell_type === "code")"""

WIDGETS_LOADED = "() => !document.body.innerText.includes('Loading widget...')"

# Two answers of the kernel: what a widget holds back until the first, it has sent by the second.
SETTLED = """async () => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    await kernel.requestKernelInfo();
    await kernel.requestKernelInfo();
    return true;
}"""

SOURCE_CHANGED = "([image, before]) => image.src && image.src !== before"


class OpenNotebook:
    """One notebook in JupyterLab, as a person before the screen has it."""

    def __init__(self, page: Page, server: Server, path: str) -> None:
        self.page = page
        page.set_default_timeout(30_000)
        workspace = f"test-{Path(path).stem}"
        page.goto(f"{server.url}/lab/workspaces/{workspace}/tree/{path}?reset&token={server.token}")
        page.wait_for_function(READY, timeout=START_SECONDS * 1000)
        self.panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")

    def run_all(self, seconds: float) -> None:
        """Clear all outputs, for stored ones would satisfy any wait, and run all cells."""
        self.page.evaluate(RUN_ALL)
        self.page.wait_for_function("() => window.labRun !== 'running'", timeout=seconds * 1000)
        assert self.page.evaluate("() => window.labRun") == "done"
        self.settle()
        self.page.wait_for_function(WIDGETS_LOADED)

    def settle(self) -> None:
        """Wait until the kernel has dealt with all that the page has sent it."""
        self.page.wait_for_function(SETTLED)

    def complaints(self) -> list[str]:
        """What a student would see go wrong: errors, standard error, unrun cells, dead widgets."""
        found = []
        for number, cell in enumerate(self.page.evaluate(CODE_CELLS)):
            source = "".join(cell["source"])
            if source.strip() and cell["execution_count"] is None:
                found.append(f"code cell {number} did not run")
            found += [
                f"code cell {number}: {text}" for text in map(complaint, cell["outputs"]) if text
            ]
        for text in ("Error displaying widget", "Error creating widget"):
            if self.panel.get_by_text(text).count():
                found.append(f"the page says: {text}")
        return found

    def sliders(self) -> list[Slider]:
        """The sliders that stand in one output with an image."""
        outputs = self.panel.locator(".jp-OutputArea-output:has(img.widget-image)")
        outputs = outputs.filter(has=self.page.get_by_role("slider"))
        return [
            Slider(self, output, handle)
            for output in outputs.all()
            for handle in output.get_by_role("slider").all()
            if handle.is_visible()
        ]

    def screenshot(self, path: Path) -> None:
        """Photograph the whole notebook, in a window made as high as the notebook is."""
        cells = self.panel.locator(".jp-WindowedPanel-outer")
        height = cells.evaluate(
            "element => { element.scrollTop = 0; return element.scrollHeight; }"
        )
        self.page.set_viewport_size({"width": 1280, "height": min(int(height) + 200, 16_000)})
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)


def complaint(output: dict[str, Any]) -> str:
    """What is wrong with one output of a cell; empty if nothing is."""
    if output["output_type"] == "error":
        return f"{output['ename']}: {output['evalue']}"
    if output["output_type"] == "stream" and output["name"] == "stderr":
        return f"wrote to standard error: {''.join(output['text'])[:300]}"
    return ""


class Slider:
    """One slider and the image beside it."""

    def __init__(self, notebook: OpenNotebook, output: Locator, handle: Locator) -> None:
        self.notebook = notebook
        self.handle = handle
        self.track = handle.locator("xpath=ancestor::*[contains(@class, 'noUi-base')]")
        self.image = output.locator("img.widget-image").first

    def press_home(self) -> None:
        """Go to the lowest value by keyboard (from there: the highest); the image must change."""
        with self.image_changes("a key"):
            self.handle.focus()
            self.handle.press("End" if self.position() < 0.01 else "Home")

    def drag(self) -> None:
        """Go along the track by mouse, button held; the image must change."""
        self.handle.scroll_into_view_if_needed()
        start, track = box(self.handle), box(self.track)
        y = start["y"] + start["height"] / 2
        share = 0.25 if self.position() > 0.5 else 0.75
        mouse = self.notebook.page.mouse
        with self.image_changes("a drag"):
            mouse.move(start["x"] + start["width"] / 2, y)
            mouse.down()
            mouse.move(track["x"] + track["width"] * share, y, steps=5)
            mouse.up()

    def position(self) -> float:
        """Where the handle stands on its track, from 0 to 1 (aria-valuenow is rounded too far)."""
        handle, track = box(self.handle), box(self.track)
        return (handle["x"] + handle["width"] / 2 - track["x"]) / track["width"]

    @contextmanager
    def image_changes(self, cause: str) -> Iterator[None]:
        """What happens within this block must move the slider and give the image another source."""
        from playwright.sync_api import TimeoutError as PlaywrightTimeout

        self.notebook.settle()
        image = self.image.element_handle()
        before, position = image.get_attribute("src"), self.position()
        yield
        assert abs(self.position() - position) > 0.01, f"{cause} did not move the slider"
        try:
            self.notebook.page.wait_for_function(SOURCE_CHANGED, arg=[image, before])
        except PlaywrightTimeout:
            raise AssertionError(f"{cause} moved the slider; the image stayed the same") from None


def box(element: Locator) -> FloatRect:
    """Where an element is on the screen."""
    found = element.bounding_box()
    assert found is not None, "this element is not on the screen"
    return found
