"""Store a trained run among the models that ship, its weights rounded to 16 bits.

    python data/ship.py runs/taught-seed-0 taught

Half the numbers' bits are a rounding of less than 0.05 % each. What that does to the scores is
measured, not hoped for: the rounded weights are judged again, and their scores are the ones stored.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from labkit.files import save_json
from labkit.measures.protocols import evaluate
from labkit.runs import PRETRAINED, PRETRAINED_FOLDER, load_model, load_run, save_model, save_run
from labkit.tables import load_tables


def main() -> None:
    parser = argparse.ArgumentParser(description="Store a run among the models that ship.")
    parser.add_argument("run", type=Path)
    parser.add_argument("name", choices=[*PRETRAINED])
    options = parser.parse_args()
    torch.set_num_threads(1)
    tables = load_tables(train=PRETRAINED[options.name])
    run, folder = load_run(options.run), PRETRAINED_FOLDER / options.name
    run.best_model = None  # chosen on the test pairs: it does not ship
    save_run(folder, run, tables)
    save_model(folder / "weights.pt", run.model, torch.float16)
    scores = evaluate(load_model(folder / "weights.pt"), tables)
    save_json(folder / "scores.json", scores)
    for name, value in (run.scores or {}).items():
        if scores.get(name) != value and name != "outputs":
            print(f"{name}: {value} before rounding, {scores.get(name)} after")


if __name__ == "__main__":
    main()
