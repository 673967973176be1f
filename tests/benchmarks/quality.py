"""How good the presets are: five seeds each, honest protocol, final weights, no selection."""

from collections.abc import Callable
from pathlib import Path
from statistics import mean, stdev

from tqdm import tqdm

from labkit.config import fast, thorough
from labkit.data import load_tables
from labkit.trials import TrialResult, run_trials

SEEDS = range(5)
PRESETS = {"fast": fast(), "thorough": thorough()}

# Column, digits, value.
COLUMNS: list[tuple[str, int, Callable[[TrialResult], float]]] = [
    ("exact match", 2, lambda r: r.honest.exact_match),
    ("BLEU-4", 3, lambda r: r.honest.bleu4),
    ("Gaussian score", 3, lambda r: r.honest.gaussian_score),
    ("distinct rows", 0, lambda r: r.honest.distinct_rows),
    ("coverage", 3, lambda r: r.honest.coverage),
    ("KL", 1, lambda r: r.honest.kl),
    ("NLL", 2, lambda r: r.honest.nll),
]


def judge(data: Path) -> tuple[int, list[list[str]]]:
    """Train what is missing under runs/quality on a list in the course's layout.

    Returns the number of verbs, and a row of cells for each preset.
    """
    tables = load_tables(data)
    with tqdm(unit=" updates", unit_scale=True) as bar:

        def advance(done: int, updates: int) -> None:
            bar.total = updates
            bar.update(done - bar.n)

        out = Path("runs/quality") / data.resolve().name
        results = run_trials(PRESETS, tables, list(SEEDS), out, on_progress=advance)
    rows = []
    for name, config in PRESETS.items():
        group = [result for result in results if result.name == name]
        cells = [f"`{name}`", str(config.epochs)]
        for _, digits, pick in COLUMNS:
            values = [pick(result) for result in group]
            cells.append(f"{mean(values):.{digits}f} ± {stdev(values):.{digits}f}")
        rows.append(cells)
    return len(tables.train), rows
