"""A model beside what needs no model, on verbs seen and unseen (notebook 05)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from labkit.language import ENGLISH
from labkit.measures.baselines import Converter, baselines
from labkit.measures.breakdown import (
    by_kind,
    convert_all,
    edit_distance,
    interval_over_verbs,
    share_right,
)
from labkit.measures.conversion import convert_pairs
from labkit.model import CVAE
from labkit.tables import Row, Tables

SEEN = 150  # training verbs that stand for all of them, at equal distances

Comparison = dict[str, dict[str, dict[str, float]]]  # what converts -> verbs -> numbers


def verbs_to_judge(tables: Tables) -> dict[str, list[Row]]:
    """Training verbs, and those never trained on that may choose. `heldout_test` judges once, in
    `labkit submit`, and never here."""
    distance = max(1, len(tables.train) // SEEN)
    verbs = {"seen": tables.train[::distance][:SEEN], "heldout_valid": tables.heldout_valid}
    return {name: rows for name, rows in verbs.items() if rows}


def judge_conversions(convert: Converter, rows: Sequence[Row], tables: Tables) -> dict[str, float]:
    """Shares right, their 95 % interval over verbs, and the mean edit distance, of all conversions.

    For English also the shares of regular and of irregular verbs.
    """
    done = convert_all(convert, rows, tables.alternates)
    shares = by_kind(done) if tables.language == ENGLISH else {"all": share_right(done)}
    low, high = interval_over_verbs(done)
    return {**shares, "low": low, "high": high, "edit_distance": edit_distance(done)}


def compare(
    model: CVAE, tables: Tables, verbs: Mapping[str, Sequence[Row]] | None = None
) -> Comparison:
    """The model and the baselines, which learn from the same table, on the same verbs."""
    chosen = verbs_to_judge(tables) if verbs is None else verbs
    converters: dict[str, Converter] = {"model": partial(convert_pairs, model)}
    converters |= baselines(tables.train)
    return {
        name: {which: judge_conversions(convert, rows, tables) for which, rows in chosen.items()}
        for name, convert in converters.items()
    }


def comparison_rows(compared: Comparison) -> list[dict[str, str]]:
    """A table's rows: what converts, and for each kind of verbs its shares, ± half its interval."""

    def cells(which: str, found: dict[str, Any]) -> dict[str, str]:
        half = (found["high"] - found["low"]) / 2
        shown = {which: f"{found['all']:.3f} ± {half:.3f}"}
        for kind in ("regular", "irregular"):
            if kind in found:
                shown[f"{which}, {kind}"] = f"{found[kind]:.3f}"
        return shown

    return [
        {
            "": name,
            **{k: v for which, found in tables.items() for k, v in cells(which, found).items()},
        }
        for name, tables in compared.items()
    ]
