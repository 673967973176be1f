"""What is a conversion shown in training worth? The study behind notebook 05, section 11.

    python data/studies.py            # resumes where it stopped; writes data/studies/pair_share.csv

`fast` on train.txt, where only one setting changes: `pair_share`, the share of training words that
are written in another form than they were read.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from labkit.console import progress_bar
from labkit.files import save_csv
from labkit.measures.breakdown import by_kind, convert_all, share_right
from labkit.measures.catalogue import Scores
from labkit.measures.conversion import convert_pairs
from labkit.measures.protocols import evaluate
from labkit.measures.regular import is_irregular
from labkit.recipes import fast
from labkit.runs import Run
from labkit.sampling import Sampling
from labkit.sweeps import run_sweep
from labkit.tables import DATA_FOLDER, Tables, load_tables

SHARES, SEEDS = (0.0, 0.001, 0.01, 0.1, 0.5), (0,)


def judge(run: Run, tables: Tables) -> dict[str, Scores]:
    """The everyday scores, and conversions by kind of verb, seen and unseen."""
    convert = partial(convert_pairs, run.model)
    seen = convert_all(convert, tables.train, tables.alternates)
    unseen = by_kind(convert_all(convert, tables.heldout_valid, tables.alternates))
    from_past = [c for c in seen if is_irregular(c.row) and c.pair.source_tense == 3]
    kinds = by_kind(seen)
    return {
        "honest": {
            **(run.scores or evaluate(run.model, tables)),
            "seen_regular": kinds["regular"],
            "seen_irregular": kinds["irregular"],
            "irregular_past_home": share_right(from_past),
            "unseen_regular": unseen["regular"],
            "unseen_irregular": unseen["irregular"],
        }
    }


def main() -> None:
    configs = {
        f"pair share {share:g}": fast(sampling=Sampling(pair_share=share)) for share in SHARES
    }
    with progress_bar("pair share") as advance:
        results = run_sweep(
            configs,
            load_tables(),
            SEEDS,
            Path("runs/pair-share"),
            judge=judge,
            on_progress=advance,
        )
    columns = (
        *("seen_regular", "seen_irregular", "irregular_past_home"),
        *("unseen_regular", "unseen_irregular", "gaussian_score", "kl"),
    )
    rows = [
        {
            "pair_share": result.config.sampling.pair_share,
            "seed": result.seed,
            **{column: round(result.honest[column], 4) for column in columns},
        }
        for result in results
    ]
    save_csv(DATA_FOLDER / "studies" / "pair_share.csv", rows)


if __name__ == "__main__":
    main()
