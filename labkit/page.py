"""Trained models in one HTML file: `labkit page`.

The file is `page_assets/page.html` with its style, its two scripts and the models inside. It opens
from disk, and its own policy forbids it the network. `page_assets/model.js` says how a model
answers there, `labkit.quantise` how its weights become few bytes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from os.path import commonprefix
from pathlib import Path
from string import Template
from typing import Any

import torch
from torch import Tensor

from labkit.config import TrialConfig
from labkit.errors import DataError, RunError
from labkit.files import load_json, write_whole
from labkit.language import MAX_LENGTH
from labkit.measures.catalogue import MEASURES, Scores
from labkit.model import CVAE
from labkit.quantise import Answers, Whole, pack
from labkit.runs import (
    PRETRAINED_FOLDER,
    digest_of_words,
    load_config,
    load_model,
    scores_from,
)
from labkit.tables import DATA_FOLDER, Row, Tables, load_tables, miniature

ASSETS = Path(__file__).parent / "page_assets"
EXAMPLES = 5  # words that the page offers to try: so many of the test pairs, two that are held out


@dataclass(frozen=True)
class Exhibit:
    """A model on a page, and what the page says about it."""

    title: str
    model: CVAE
    tables: Tables  # whose training words it learned
    config: TrialConfig | None = None
    scores: Scores | None = None
    written: date | None = None  # when its run folder was


@dataclass(frozen=True)
class Packed:
    """A model as the page holds it."""

    title: str
    content: dict[str, Any]  # plain data
    conversions: int  # training words × forms that were compared, all equal
    wide: float  # share of the weights that take two bytes


# --- a run folder on a page -----------------------------------------------------------------------


def exhibit_of(
    run: Path | str, title: str | None = None, data: Sequence[Path] = (DATA_FOLDER,)
) -> Exhibit:
    """A finished run, or a model that ships, by its name (`runs.PRETRAINED`), with its words.

    data: folders of verb tables; the words are those whose digest the run folder keeps. Raises
    RunError if the folder is none, if its model is a variant, or if no folder has its words.
    """
    folder = PRETRAINED_FOLDER / run if isinstance(run, str) else run
    settings = folder / "config.json"
    config, content = load_config(settings), load_json(settings)
    described = content.get("model")
    _require_plain(str(folder), described.get("variant") if isinstance(described, dict) else "CVAE")
    scores = folder / "scores.json"
    return Exhibit(
        title=title or (run if isinstance(run, str) else folder.resolve().name),
        model=load_model(folder / "weights.pt"),
        tables=_words_of(folder, content.get("words"), data),
        config=config,
        scores=scores_from(load_json(scores), scores) if scores.exists() else None,
        written=None if isinstance(run, str) else date.fromtimestamp(settings.stat().st_mtime),
    )


def _require_plain(called: str, variant: Any) -> None:
    if variant != "CVAE":
        raise RunError(
            f"{called} holds a {variant}, a variant of the model: a page can only hold a CVAE (of "
            "any size and language), for it has the mathematics of no other"
        )


def _words_of(folder: Path, digest: Any, data: Sequence[Path]) -> Tables:
    """The tables, of these folders, on which a run was trained."""
    for place in data:
        for file in sorted(place.glob("train*.txt")) or [place / "train.txt"]:
            whole = load_tables(place, file.name)
            for tables in (whole, miniature(whole)):
                if digest_of_words(tables) == digest:
                    return tables
    places = ", ".join(map(str, data))
    raise RunError(
        f"{folder} was trained on other words than those in {places}: name their folder (--data), "
        "for the page compares every training word and says which they are"
    )


# --- a model as plain data ------------------------------------------------------------------------


def pack_exhibit(exhibit: Exhibit) -> Packed:
    """The model in few bytes, once every training word in every form has been compared.

    Raises RunError for a variant of the model, and if its answers would change.
    """
    model, tables = deepcopy(exhibit.model).cpu(), exhibit.tables
    language = model.language
    _require_plain(exhibit.title, type(model).__name__)
    if tables.language != language:
        raise DataError(
            f"{exhibit.title}: its words are {tables.language.name}, its model is of another "
            f"language, {language.name}"
        )
    answers = Answers(model, tables.train)
    matrices, biases = pack(model, answers, exhibit.title)
    weights = sum(whole.numbers.numel() for whole in matrices.values())
    wide = sum(int((w.width == 2).sum()) * w.numbers.shape[1] for w in matrices.values()) / weights
    content = {
        "title": exhibit.title,
        "language": {"known": language.letters_in_words, **language.to_json()},
        "sizes": model.sizes,
        "longest": MAX_LENGTH,
        "rows": front_code(tables.train),
        "examples": _examples(tables),
        "about": _about(exhibit),
        "kept": _kept(weights + sum(map(len, biases.values())), wide, len(answers)),
        "scores": _scores(exhibit.scores),
        "weights": {
            **{name: _whole(matrix) for name, matrix in matrices.items()},
            **{name: {"values": _base64(bias)} for name, bias in biases.items()},
        },
    }
    return Packed(exhibit.title, content, len(answers), wide)


def front_code(rows: Sequence[Row]) -> str:
    """A verb table in little space, a verb a line: the lemma; then of each other form how many
    letters it shares with the lemma's start, as one digit (base 36), and the rest of it.

    "walk walks walking" becomes "walk 4s 4ing".
    """

    def coded(lemma: str, form: str) -> str:
        shared = next(
            (n for n, pair in enumerate(zip(lemma, form, strict=False)) if pair[0] != pair[1]),
            min(len(lemma), len(form)),
        )
        return "0123456789abcdefghijklmnopqrstuvwxyz"[shared] + form[shared:]

    return "\n".join(" ".join([row[0], *(coded(row[0], form) for form in row[1:])]) for row in rows)


def _base64(tensor: Tensor) -> str:
    return base64.b64encode(tensor.contiguous().numpy().astype("<f4").tobytes()).decode()


def _whole(whole: Whole) -> dict[str, Any]:
    """Rows one after another, each in bytes of its width, low byte first."""
    rows = [
        row.numpy().astype("<i2" if width == 2 else "i1").tobytes()
        for row, width in zip(whole.numbers, whole.width.tolist(), strict=True)
    ]
    return {
        "columns": whole.numbers.shape[1],
        "width": "".join(map(str, whole.width.tolist())),
        "scales": _base64(whole.scales),
        "values": base64.b64encode(b"".join(rows)).decode(),
    }


def _examples(tables: Tables) -> list[tuple[str, int]]:
    """Words to try, each with the form it stands in: from the test pairs, those first whose forms
    differ most; then held-out verbs."""
    tested = dict.fromkeys((pair.source, pair.source_tense) for pair in tables.test)

    def alike(word: str, form: int) -> float:
        row = next((row for row in tables.train if row[form] == word), (word,))
        return len(commonprefix(row)) / len(row[0])

    in_order = sorted(tested, key=lambda example: alike(*example))
    return in_order[:EXAMPLES] + [(row[0], 0) for row in tables.heldout_valid[:2]]


def _about(exhibit: Exhibit) -> str:
    """How the model came to be, in sentences."""
    tables, config = exhibit.tables, exhibit.config
    forms = len(tables.language.forms)
    words = f"{len(tables.train):,} verbs in {forms} forms"
    if config is None:
        return f"Trained on {words}."
    kl, ratio = config.kl, config.forcing.final_ratio
    rising = {
        "linear": "rising in a straight line to",
        "sigmoid": "rising in an S to",
        "cosine": "rising in half a cosine to",
        "constant": "constant at",
    }[kl.shape]
    peak = kl.final_weight if kl.peak_weight is None else kl.peak_weight
    falling = f", then falling to {kl.final_weight:g}" if peak != kl.final_weight else ""
    cycles = f" in {kl.cycles} cycles" if kl.cycles > 1 else ""
    forcing = (
        "always"
        if ratio == 1
        else f"for fewer words as time goes on, {100 * ratio:.0f} % in the end"
    )
    sentences = [
        f"Trained on {words}: {config.epochs:,} epochs in batches of {config.batch_size}, "
        f"{ {'sgd': 'SGD', 'adamw': 'AdamW'}[config.optimizer] } with a learning rate of "
        f"{config.learning_rate:g}, seed {config.seed}.",
        f"KL weight {rising} {peak:g}{falling}{cycles}; teacher forcing {forcing}.",
    ]
    if exhibit.written is not None:
        day = f"{exhibit.written.day} {exhibit.written:%B %Y}"
        sentences.append(f"Its run folder was written on {day}.")
    return " ".join(sentences)


def _kept(weights: int, wide: float, compared: int) -> str:
    """How the page keeps the model, in sentences."""
    mixed = f"{100 * wide:.0f} % of them in two bytes, the others in one"
    size = {0.0: "one byte each", 1.0: "two bytes each"}.get(wide, mixed)
    return (
        f"{weights:,} numbers, {size}. When the page was made, {compared:,} answers (every "
        "training word, written in every form) were compared with those of the trained model: "
        "all were equal."
    )


def _scores(scores: Scores | None) -> list[dict[str, str]]:
    found = scores or {}
    return [
        {"title": entry.title, "value": entry.show(found[entry.name]), "unit": entry.unit}
        for entry in MEASURES
        if found.get(entry.name) is not None
    ]


# --- the page -------------------------------------------------------------------------------------


def make_page(models: Sequence[Packed]) -> str:
    """The HTML of a page with these models. Raises DataError if two have the same title."""
    titles = [model.title for model in models]
    if double := next((title for title in titles if titles.count(title) > 1), None):
        raise DataError(f"two models are called {double!r}: give each a title of its own (--title)")
    data = json.dumps([model.content for model in models], ensure_ascii=False)
    parts = {name: (ASSETS / name).read_text("utf-8") for name in sorted(_PARTS.values())}
    return Template((ASSETS / "page.html").read_text("utf-8")).substitute(
        {place: parts[name] for place, name in _PARTS.items()},
        models=data.replace("<", "\\u003c"),  # no word may end the script that holds it
    )


_PARTS = {"style": "page.css", "mathematics": "model.js", "interface": "page.js"}


@torch.no_grad()
def write_page(path: Path, exhibits: Sequence[Exhibit]) -> list[Packed]:
    """Pack the models and write their page; what became of each.

    In a notebook: `write_page(Path("verbs.html"), [Exhibit("mine", run.model, tables)])`.
    """
    packed = [pack_exhibit(exhibit) for exhibit in exhibits]
    page = make_page(packed)
    write_whole(path, lambda temporary: temporary.write_text(page, encoding="utf-8"))
    return packed
