"""Run the notebooks from a clean kernel and store their outputs, the same way every time.

    python tests/refresh_notebooks.py                  all of them
    python tests/refresh_notebooks.py 02_data 04_training

nbval compares what is stored here with what a later run gives (`make test`), so this is the one
way in which stored outputs are made. A notebook is written only if all of it ran.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
CELL_SECONDS = 300  # as in pyproject.toml
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def run(notebook: NotebookNode, folder: Path) -> None:
    """Execute every cell in order, in place. Raises when one fails."""
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,
        coalesce_streams=True,
        record_timing=False,
    )
    client.execute()


def normalise(notebook: NotebookNode) -> None:
    """Take out what differs from run to run or from machine to machine, in place."""
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata.kernelspec = NotebookNode(kernel)
    notebook.metadata.get("language_info", {}).pop("version", None)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        for volatile in ("execution", "collapsed", "scrolled", "trusted", "ExecuteTime"):
            cell.metadata.pop(volatile, None)
        for output in cell.get("outputs", []):
            # A widget without its state is drawn as an error message; its text is drawn as text.
            output.get("data", {}).pop(WIDGET_VIEW, None)


def refresh(path: Path) -> str:
    """Run one notebook and write it. Returns what to report."""
    started = time.perf_counter()
    notebook = nbformat.read(path, as_version=4)
    run(notebook, path.parent)
    normalise(notebook)
    nbformat.validate(notebook)

    unfinished = path.with_suffix(".ipynb.new")
    unfinished.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
    os.replace(unfinished, path)  # at once or not at all
    return f"{time.perf_counter() - started:6.1f} s {path.stat().st_size / 1000:7.0f} kB"


def main(names: list[str]) -> int:
    """Refresh the named notebooks, or all. Returns 1 if one of them failed."""
    paths = [NOTEBOOKS / f"{Path(name).stem}.ipynb" for name in names]
    missing = [path.stem for path in paths if not path.is_file()]
    if missing:
        print(f"There is no notebook {', '.join(missing)} in {NOTEBOOKS.name}/", file=sys.stderr)
        return 1
    failed = 0
    for path in paths or sorted(NOTEBOOKS.glob("*.ipynb")):
        print(f"{path.stem:<16}", end="", flush=True)
        try:
            print(refresh(path), flush=True)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            failed += 1
            print(f"failed, left as it was\n{error}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
