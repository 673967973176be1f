"""How good our recipe is, at any length: honest protocol, final weights, no selection."""

from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from labkit.config import TrialConfig
from labkit.measures.catalogue import MEASURES
from labkit.recipes import fast, thorough
from labkit.sweeps import by_name, mean_and_spread, run_sweep, summary
from labkit.tables import load_tables

SEEDS = range(5)
PRESETS = {"fast": fast(), "thorough": thorough()}
LENGTHS = {
    "10 epochs": fast(epochs=10),
    "20 epochs": fast(epochs=20),
    "fast": fast(),
    "80 epochs": fast(epochs=80),
    "thorough": thorough(),
    "330 epochs": thorough(epochs=330),
}

COLUMNS = [*(measure.title for measure in MEASURES), "seconds"]


def judge(
    data: Path, configs: dict[str, TrialConfig], seeds: Sequence[int]
) -> tuple[int, list[list[str]]]:
    """Train what is missing under runs/quality on a list in the course's layout.

    Returns the number of verbs, and a row of cells for each configuration.
    """
    tables = load_tables(data)
    with tqdm(unit=" updates", unit_scale=True) as bar:

        def advance(done: int, updates: int) -> None:
            bar.total = updates
            bar.update(done - bar.n)

        out = Path("runs/quality") / data.resolve().name
        results = run_sweep(configs, tables, seeds, out, on_progress=advance)
    rows = []
    for name, group in by_name(results).items():
        seconds, spread = mean_and_spread([result.seconds for result in group])
        rows.append(
            [
                f"`{name}`",
                str(configs[name].epochs),
                *(summary(group, measure) for measure in MEASURES),
                f"{seconds:.0f} ± {spread:.0f}",
            ]
        )
    return len(tables.train), rows
