"""How good our recipe is, at any length: honest protocol, final weights, no selection."""

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, stdev

from tqdm import tqdm

from labkit.config import TrialConfig, fast, thorough
from labkit.data import load_tables
from labkit.trials import TrialResult, run_trials

SEEDS = range(5)
PRESETS = {"fast": fast(), "thorough": thorough()}
LENGTHS = {
    "10 epochs": fast(epochs=10),
    "20 epochs": fast(epochs=20),
    "fast": fast(),
    "80 epochs": fast(epochs=80),
    "thorough": thorough(),
    "330 epochs": thorough(epochs=330, evaluate_every=380),
}

# Column, digits, value.
COLUMNS: list[tuple[str, int, Callable[[TrialResult], float | None]]] = [
    ("exact match", 2, lambda r: r.honest.exact_match),
    ("BLEU-4", 3, lambda r: r.honest.bleu4),
    ("Gaussian score", 3, lambda r: r.honest.gaussian_score),
    ("distinct rows", 0, lambda r: r.honest.distinct_rows),
    ("coverage", 3, lambda r: r.honest.coverage),
    ("KL", 1, lambda r: r.honest.kl),
    ("NLL", 2, lambda r: r.honest.nll),
    ("held-out exact", 3, lambda r: r.honest.heldout_exact_match),
    ("seconds", 0, lambda r: r.seconds),
]


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
        results = run_trials(configs, tables, seeds, out, on_progress=advance)
    rows = []
    for name, config in configs.items():
        group = [result for result in results if result.name == name]
        cells = [f"`{name}`", str(config.epochs)]
        for _, digits, pick in COLUMNS:
            values = [value for value in map(pick, group) if value is not None]
            known = len(values) > 1  # a list without held-out verbs has no score for them
            cells.append(
                f"{mean(values):.{digits}f} ± {stdev(values):.{digits}f}" if known else "–"
            )
        rows.append(cells)
    return len(tables.train), rows
