"""What a notebook's cell puts on the page."""

from __future__ import annotations

import configparser
import re
from pathlib import Path
from typing import Any

import pytest

from labkit import show
from labkit.losses import reparameterize


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.71428, "0.714"), (9, "9"), (1284.4, "1284"), (1200, "1200"), ("8 of 10", "8 of 10")],
)
def test_a_claim_prints_its_number_and_its_verdict(capsys, value, shown: str) -> None:
    show.claim("so many", value, True)
    show.claim("so many", value, False, exact=True)
    assert capsys.readouterr().out == (
        f"so many: ≈ {shown}, holds\nso many: {shown}, does NOT hold\n"
    )


def test_the_notebooks_tests_mask_the_number_of_a_claim_and_keep_its_verdict(capsys) -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(Path(__file__).with_name("nbval_sanitize.cfg"), encoding="utf-8")
    rules = [(parser[name]["regex"], parser[name]["replace"]) for name in parser.sections()]

    def masked(value: float, verdict: bool) -> str:
        show.claim("of the ten right", value, verdict)
        text = capsys.readouterr().out
        for regex, replacement in rules:
            text = re.sub(regex, replacement, text)
        return text

    assert masked(0.91, True) == masked(1284.0, True)
    assert masked(0.91, True) != masked(0.91, False)


def test_a_table_is_escaped_and_has_its_keys_on_top() -> None:
    html = show.html_table([{"a<b": "x & y"}], "one <row>")
    assert "<th scope='col'>a&lt;b</th>" in html and "x &amp; y" in html
    assert "<caption>one &lt;row&gt;</caption>" in html


def test_the_source_of_a_function_is_shown_as_code(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(show, "display", shown.append)
    show.show_source(reparameterize)
    assert shown[0].data.startswith("```python\ndef reparameterize(")
    assert shown[0].data.endswith("```")
