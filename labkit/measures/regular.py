"""What counts as an irregular English verb: one definition, for tables, notebooks and measures."""

from __future__ import annotations

import re

from labkit.tables import Row


def regular_pasts(lemma: str) -> set[str]:
    """Every simple past that regular spelling allows, whether or not the last letter doubles.

    regular_pasts("cry") == {"cryed", "cried"}: a spelling too many does no harm here.
    """
    pasts = {lemma + "ed"}  # walked
    if lemma.endswith("e"):
        pasts.add(lemma + "d")  # flared
    if re.search("[^aeiou]y$", lemma):
        pasts.add(lemma[:-1] + "ied")  # cried
    if re.search("(^|[^aeiou]|qu)[aeiou][bdfgklmnprstvz]$", lemma):
        pasts.add(lemma + lemma[-1] + "ed")  # abetted
    if lemma.endswith("c"):
        pasts.add(lemma + "ked")  # panicked
    return pasts


def is_irregular(row: Row) -> bool:
    """Whether regular spelling cannot make the simple past of this verb: of give, bleed, put."""
    return row[3] not in regular_pasts(row[0])
