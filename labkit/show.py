"""What a notebook's cell puts on the page: a figure, a table, a claim, the source of a function."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from IPython.display import HTML, Image, Markdown, display
from matplotlib.figure import Figure

from labkit.plots.style import pixels, png, with_palette


def show(figure: Figure, alt: str) -> None:
    """Display a figure in a notebook, with a text for readers who cannot see it."""
    width, height = pixels(figure)
    display(Image(with_palette(png(figure)), width=width, height=height, alt=alt))


def show_table(rows: Sequence[Mapping[str, object]], caption: str = "") -> None:
    """Display rows that share their keys as a table, the keys on top."""
    display(HTML(html_table(rows, caption)))


def html_table(rows: Sequence[Mapping[str, object]], caption: str = "") -> str:
    """Rows that share their keys as an HTML table, the keys on top; words stand on the left."""

    def cell(value: object) -> str:
        text = str(value)
        left = " style='text-align:left'" if text[:1].isalpha() else ""
        return f"<td{left}>{escape(text)}</td>"

    head = "".join(f"<th scope='col'>{escape(str(key))}</th>" for key in rows[0])
    body = "".join(f"<tr>{''.join(map(cell, row.values()))}</tr>" for row in rows)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<tr>{head}</tr>{body}</table>"


def claim(text: str, value: float | str, verdict: bool, *, exact: bool = False) -> None:
    """Print a claim, the number behind it, and whether it holds.

    A number that training made may differ a little on another machine: it is marked ≈, and the
    notebooks' tests compare the verdict only. With `exact` they compare the number too.
    """
    number = str(value)
    if isinstance(value, float):
        number = f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    holds = "holds" if verdict else "does NOT hold"
    print(f"{text}: {'' if exact else '≈ '}{number}, {holds}")


def show_source(function: Callable[..., Any]) -> None:
    """Display the code of a function of labkit."""
    source = textwrap.dedent(inspect.getsource(function)).strip()
    display(Markdown(f"```python\n{source}\n```"))
