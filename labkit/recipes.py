"""Our settings for a trial, the report's, and how a command's options choose among them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from labkit.config import TrialConfig
from labkit.sampling import Sampling
from labkit.schedules import ForcingSchedule, KLSchedule


def report(
    final_teacher_forcing_ratio: float = 0.8, cycles: int = 2, **changes: Any
) -> TrialConfig:
    """The 2021 report's recipe: batch 1, SGD 0.05, 150 epochs, a row every 500 updates."""
    schedules = {
        "kl": KLSchedule(cycles=cycles),
        "forcing": ForcingSchedule(final_teacher_forcing_ratio),
    }
    return _changed(TrialConfig(), {**schedules, **changes})


def fast(**changes: Any) -> TrialConfig:
    """Our recipe, under a minute on two cores: teacher forcing only, KL weight up, hold, down.

    The high plateau pulls the posteriors together until they cover the prior and forget the tense
    (conversion and generation come from there); the long way down then lets the spelling grow back
    into a space laid out like that.
    """
    recipe = TrialConfig(
        epochs=40,
        batch_size=128,
        optimizer="adamw",
        learning_rate=8e-3,
        warmup_share=0.05,
        weight_decay=0.05,
        clip_norm=1.0,
        kl=KLSchedule(
            final_weight=0.025, peak_weight=0.105, zero_share=0.05, rise_end=0.15, fall_start=0.2
        ),
        forcing=ForcingSchedule(final_ratio=1.0),
        evaluate_every=None,
        history_rows=20,
    )
    return _changed(recipe, changes)


def thorough(**changes: Any) -> TrialConfig:
    """`fast`, four times as long: the recipe of the shipped model that knows its list by heart."""
    return _changed(fast(epochs=165, history_rows=33), changes)


def any_verb(**changes: Any) -> TrialConfig:
    """For verbs that stand in no list: as many invented verbs as real ones, others in every epoch.

    Nothing can be learned by heart, so what a verb's letters say of its endings has to be. The KL
    weight stays low: a latent that names any verb needs more nats than one for 1,200 verbs.
    """
    recipe = TrialConfig(
        epochs=40,
        batch_size=128,
        optimizer="adamw",
        learning_rate=4e-3,
        warmup_share=0.03,
        weight_decay=0.05,
        clip_norm=1.0,
        kl=KLSchedule(
            final_weight=0.004, peak_weight=0.04, zero_share=0.0, rise_end=0.1, fall_start=0.35
        ),
        forcing=ForcingSchedule(final_ratio=1.0),
        sampling=Sampling(invented=1.0),
        evaluate_every=None,
        history_rows=20,
    )
    return _changed(recipe, changes)


def any_verb_fast(**changes: Any) -> TrialConfig:
    """`any_verb`, a third as long."""
    return _changed(any_verb(epochs=12), changes)


def taught(pair_share: float = 0.75, **changes: Any) -> TrialConfig:
    """`any_verb`, told: a share of the words are written in another form than they were read.

    Verbs are drawn by the square root of how often texts use them, as a child would hear them:
    irregular verbs are few, and common.
    """
    sampling = Sampling(frequency_power=0.5, invented=1.0, pair_share=pair_share)
    kl = KLSchedule(
        final_weight=0.003, peak_weight=0.01, zero_share=0.0, rise_end=0.1, fall_start=0.3
    )
    return _changed(any_verb(epochs=45, sampling=sampling, kl=kl), changes)


def fast_report(
    final_teacher_forcing_ratio: float = 0.8, cycles: int = 2, **changes: Any
) -> TrialConfig:
    """The report's schedules with the optimiser, batch and length of `fast`."""
    schedules = report(final_teacher_forcing_ratio, cycles)
    return _changed(fast(kl=schedules.kl, forcing=schedules.forcing), changes)


def _changed(recipe: TrialConfig, changes: dict[str, Any]) -> TrialConfig:
    """The recipe with some settings changed; of the two ways to count rows, the one that is."""
    if changes.get("evaluate_every") is not None:
        changes = {"history_rows": None, **changes}
    if changes.get("history_rows") is not None:
        changes = {"evaluate_every": None, **changes}
    return replace(recipe, **changes)


class Preset(NamedTuple):
    """A recipe, and the table that it was made for: of the lab's own, with its number of words."""

    recipe: Callable[..., TrialConfig]
    table: str
    words: int


# A recipe keeps its number of *updates* on any list: what a model learns is a matter of updates,
# not of epochs.
OUR_WORDS, OUR_LARGE_WORDS = 4800, 16788
PRESETS = {
    "fast": Preset(fast, "train.txt", OUR_WORDS),
    "thorough": Preset(thorough, "train.txt", OUR_WORDS),
    "report": Preset(report, "train.txt", OUR_WORDS),
    "any-verb-fast": Preset(any_verb_fast, "train_large.txt", OUR_LARGE_WORDS),
    "any-verb": Preset(any_verb, "train_large.txt", OUR_LARGE_WORDS),
    "taught": Preset(taught, "train_large.txt", OUR_LARGE_WORDS),
}
_FEWEST_EPOCHS = 20  # a schedule changes once an epoch: fewer would be a staircase of a few steps

COLLAPSED = 0.1  # nats a word: a KL below it says nothing about the word


def fit(
    recipe: TrialConfig,
    words: int,
    batch_size: int | None = None,
    made_for: int = OUR_WORDS,
) -> TrialConfig:
    """The recipe, as long as a list of so many words needs: as many updates as on its own list.

    batch_size: another than the recipe's.  made_for: how many words its own list has.
    """
    size = recipe.batch_size if batch_size is None else batch_size
    an_epoch = 1 + recipe.sampling.invented  # words read, for each of the list
    updates = recipe.epochs * math.ceil(an_epoch * made_for / recipe.batch_size)
    fewest = min(_FEWEST_EPOCHS, recipe.epochs)
    epochs = max(fewest, round(updates / math.ceil(an_epoch * words / size)))
    return replace(recipe, batch_size=size, epochs=epochs)


def choose(
    preset: str,
    *,
    words: int | None = None,
    cycles: int | None = None,
    final_ratio: float | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
) -> tuple[TrialConfig, str]:
    """The settings that options stand for, and a name for the folder of such a run.

    words: how many words the list has (verbs x forms; None: the one that the recipe was made for);
    it decides the epochs, if they are not given (the report's recipe keeps its own 150).
    With `cycles` or `final_ratio`, the recipes follow the report's schedules, whose
    other option is then the report's: ratio 0.8, two cycles (one, if there is but one epoch).
    """
    made_for = PRESETS[preset].words
    config = PRESETS[preset].recipe()
    if preset != "report":
        config = fit(config, made_for if words is None else words, batch_size, made_for)
    elif batch_size is not None:
        config = replace(config, batch_size=batch_size)
    if epochs is not None:
        config = replace(config, epochs=epochs, kl=replace(config.kl, cycles=1))
    if preset == "report" or cycles is not None or final_ratio is not None:
        most = config.epochs
        schedules = report(
            0.8 if final_ratio is None else final_ratio,
            min(2, most) if cycles is None else cycles,
            epochs=max(most, cycles or 1),
        )
        config = replace(config, kl=schedules.kl, forcing=schedules.forcing)
    parts = [preset, f"seed-{seed}"]
    parts += [f"cycles-{cycles}"] if cycles is not None else []
    parts += [f"ratio-{final_ratio}"] if final_ratio is not None else []
    parts += [f"epochs-{epochs}"] if epochs is not None else []
    parts += [f"batch-{batch_size}"] if batch_size is not None else []
    return replace(config, seed=seed), "-".join(parts)
