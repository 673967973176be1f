"""Forty everyday verbs, typed as a simple present: how many come out right in all four forms.

    python tests/benchmarks/everyday.py

The list was written down before any model was asked, by what a student might type first.
"""

from __future__ import annotations

import torch

from labkit.inference import decode_all_tenses, encode
from labkit.measures.regular import is_irregular
from labkit.runs import PRETRAINED, load_pretrained
from labkit.tables import load_tables

EVERYDAY = """
go goes going went; run runs running ran; take takes taking took; google googles googling googled
tweet tweets tweeting tweeted; walk walks walking walked; study studies studying studied
make makes making made; try tries trying tried; email emails emailing emailed
come comes coming came; see sees seeing saw; eat eats eating ate; drink drinks drinking drank
sleep sleeps sleeping slept; write writes writing wrote; read reads reading read
speak speaks speaking spoke; play plays playing played; cook cooks cooking cooked
blog blogs blogging blogged; text texts texting texted; vlog vlogs vlogging vlogged
photoshop photoshops photoshopping photoshopped; zoom zooms zooming zoomed
hug hugs hugging hugged; jog jogs jogging jogged; fix fixes fixing fixed
wash washes washing washed; carry carries carrying carried; dance dances dancing danced
smile smiles smiling smiled; stop stops stopping stopped; swim swims swimming swam
buy buys buying bought; bring brings bringing brought; think thinks thinking thought
know knows knowing knew; give gives giving gave; love loves loving loved
"""
ROWS = [tuple(row.split()) for line in EVERYDAY.strip().split("\n") for row in line.split(";")]


def main() -> None:
    for name, table in PRETRAINED.items():
        model, listed = load_pretrained(name), set(load_tables(train=table).train)
        mean = encode(model, [row[0] for row in ROWS], [0] * len(ROWS)).mean
        outputs = decode_all_tenses(model, mean)
        right = [row == output for row, output in zip(ROWS, outputs, strict=True)]
        irregular = [ok for ok, row in zip(right, ROWS, strict=True) if is_irregular(row)]
        new = [ok for ok, row in zip(right, ROWS, strict=True) if row not in listed]
        print(
            f"{name}: {sum(right)} of {len(ROWS)}; irregular {sum(irregular)} of {len(irregular)}; "
            f"not in its list {sum(new)} of {len(new)}"
        )
        wrong = [" ".join(output) for output, ok in zip(outputs, right, strict=True) if not ok]
        print("  wrong:", "; ".join(wrong))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
