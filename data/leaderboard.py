"""Judge the lab's own entries of the open challenge (notebook 06) and write leaderboard.csv.

    python data/leaderboard.py

The models that ship, the quick preset (`make results` trains it into runs/any-verb-fast), and what
needs no model. `heldout_test` judges here, and was looked at nowhere else.
"""

from __future__ import annotations

from pathlib import Path

import torch

from labkit.leaderboard import LEADERBOARD, submit, submit_baselines
from labkit.runs import PRETRAINED, PRETRAINED_FOLDER
from labkit.tables import load_tables


def main() -> None:
    torch.set_num_threads(1)
    LEADERBOARD.unlink(missing_ok=True)
    for name, table in PRETRAINED.items():
        submit(PRETRAINED_FOLDER / name, load_tables(train=table), LEADERBOARD, name)
    large = load_tables(train="train_large.txt")
    quick = Path("runs/any-verb-fast")
    if (quick / "config.json").exists():
        submit(quick, large, LEADERBOARD, "any-verb-fast")
    submit_baselines(load_tables(), LEADERBOARD, "train.txt")
    submit_baselines(large, LEADERBOARD, "train_large.txt")
    print(LEADERBOARD.read_text(encoding="utf-8"), end="")


if __name__ == "__main__":
    main()
