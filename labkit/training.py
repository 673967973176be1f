"""One trial: configuration in, history and weights out (notebook 04)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from labkit.config import TrialConfig
from labkit.data import EOS, Batch, Tables, WordSet, padding_mask
from labkit.evaluation import evaluate, gaussian_score, judge_pairs, rate_and_distortion
from labkit.inference import generate
from labkit.losses import (
    character_nll,
    kl_to_standard_normal,
    mean_over_counted,
    reparameterize,
)
from labkit.model import CVAE, new_model, shift_right
from labkit.runs import HistoryRow, Run, TrialState, is_finished, load_run, save_run
from labkit.schedules import learning_rate_factor

SAVE_SECONDS = 5.0  # how often a trial's state is saved


class Progress(NamedTuple):
    """What the loop tells its callback after every update."""

    step: int  # updates done
    steps: int  # updates in all
    row: HistoryRow | None  # the history row that this update completed, if any


class StopTraining(Exception):
    """Raise it from the callback to end a trial early."""


class Loss(NamedTuple):
    """The loss of a batch, and its two parts apart."""

    total: Tensor  # scalar: the mean over words of cross_entropy + kl_weight · kl
    cross_entropy: Tensor  # (B,) nats a counted character
    kl: Tensor  # (B,) nats a word


def choose_device(device: str = "auto") -> torch.device:
    """The device called "auto" is CUDA where there is one, else the CPU; others go by name."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


def loss_of_batch(
    model: CVAE,
    batch: Batch,
    forced: Tensor,
    kl_weight: float,
    generator: torch.Generator,
) -> Loss:
    """The loss of one batch, in which the words with forced[b], (B,) bool, are teacher-forced.

    A word that runs free reads its own likeliest characters and stops at its own EOS; only what
    it wrote counts. Choosing a character has no gradient, so the word may run first, without
    gradients, and then be fed what it wrote as if that were the target: the same loss and
    gradients as going character by character, in a single call of the LSTM.
    """
    posterior = model.encode(batch)
    z = reparameterize(posterior.mean, posterior.log_var, generator)
    inputs = shift_right(batch.tokens)  # (B, T)
    counted = padding_mask(batch.length, inputs.shape[1])  # (B, T)
    if not forced.all():
        free = ~forced
        written = torch.full_like(inputs[free], EOS)
        words = model.greedy(z[free], batch.tense[free], max_length=inputs.shape[1])
        written[:, : words.shape[1]] = words
        inputs[free] = shift_right(written)
        counted[free] &= (inputs[free] == EOS).cumsum(dim=1) == 0  # its own EOS still counts
    logits = model.decode(z, batch.tense, inputs)
    cross_entropy = mean_over_counted(character_nll(logits, batch.tokens), counted)
    kl = kl_to_standard_normal(posterior.mean, posterior.log_var)
    return Loss((cross_entropy + kl_weight * kl).mean(), cross_entropy, kl)


def train(
    config: TrialConfig,
    tables: Tables,
    *,
    out: str | Path | None = None,
    device: str = "auto",
    on_progress: Callable[[Progress], None] | None = None,
) -> Run:
    """Run one trial; `run.history` has a row for each interval, `run.model` the final weights.

    With `out`, the run is written to that folder (see `labkit.runs.save_run`), and a trial that
    was interrupted goes on where its state was last saved when `train` is called again. It then
    arrives at the same numbers, bit for bit, its seconds apart; a trial that is finished is read
    back. Raises RunError if the folder holds a trial with other settings or words.
    """
    folder = None if out is None else Path(out)
    if folder is not None and is_finished(folder, config, tables):
        return load_run(folder)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)  # if that fails, then now
    place = choose_device(device)
    words = WordSet(tables.train)
    state = TrialState(config, tables, place)
    state_file = None if folder is None else folder / "state.pt"
    if state_file is not None and state_file.exists():
        state.load(state_file)
    updates_per_epoch = -(-len(words) // config.batch_size)
    steps = config.epochs * updates_per_epoch
    saved = time.perf_counter()

    while state.epoch < config.epochs:
        kl_weight = config.kl_weight(state.epoch)
        ratio = config.teacher_forcing_ratio(state.epoch)
        for batch in state.batches_left(words):
            rate = config.learning_rate
            if config.warmup_share is not None:
                rate *= learning_rate_factor(state.step, steps, warmup_share=config.warmup_share)
            for group in state.optimizer.param_groups:
                group["lr"] = rate

            # One coin per word: all of it teacher-forced, or all of it free.
            forced = torch.rand(len(batch.length), generator=state.generator) < ratio
            loss = loss_of_batch(
                state.model,
                batch.to(place),
                forced.to(place),
                kl_weight,
                state.generator,
            )
            state.optimizer.zero_grad()
            loss.total.backward()
            if config.clip_norm is not None:
                torch.nn.utils.clip_grad_norm_(state.model.parameters(), config.clip_norm)
            state.optimizer.step()
            state.step += 1
            state.batch += 1
            state.loss_sum += float(loss.cross_entropy.detach().sum())
            state.loss_words += len(batch.length)

            row = None
            interval = config.evaluate_every or updates_per_epoch
            if state.step % interval == 0 or state.step == steps:
                row = _history_row(state, tables, words, kl_weight, ratio, rate)
            if on_progress is not None:
                try:
                    on_progress(Progress(state.step, steps, row))
                except StopTraining:
                    return Run(config, state.model, state.history, None)
            if state_file is not None and time.perf_counter() - saved > SAVE_SECONDS:
                state.save(state_file)
                saved = time.perf_counter()
        state.epoch, state.batch = state.epoch + 1, 0

    best_model = None
    if state.best_weights is not None:
        best_model = new_model(config.seed).to(place)
        best_model.load_state_dict(state.best_weights)
    run = Run(config, state.model, state.history, evaluate(state.model, tables), best_model)
    if state_file is not None:
        save_run(state_file.parent, run, tables)
        state_file.unlink(missing_ok=True)
    return run


def _history_row(
    state: TrialState,
    tables: Tables,
    words: WordSet,
    kl_weight: float,
    ratio: float,
    rate: float,
) -> HistoryRow:
    """Judge the model as it is now, on the same noise every time, and note it down."""
    config, model = state.config, state.model
    noise = torch.Generator().manual_seed(config.seed)
    kl, nll = rate_and_distortion(model, words, noise, limit=512)
    bleu4, exact_match, _ = judge_pairs(model, tables.test, "honest", noise)
    bleu4_report, _, _ = judge_pairs(model, tables.test, "report", noise)
    samples = generate(model, config.evaluation_samples, noise)
    row: HistoryRow = {
        "step": state.step,
        "epoch": state.epoch,
        "cross_entropy": state.loss_sum / state.loss_words,
        "nll": nll,
        "kl": kl,
        "kl_weight": kl_weight,
        "teacher_forcing_ratio": ratio,
        "learning_rate": rate,
        "bleu4": bleu4,
        "exact_match": exact_match,
        "bleu4_report": bleu4_report,
        "gaussian_score": gaussian_score(samples, tables.train),
        "seconds": state.seconds,
    }
    state.history.append(row)
    state.loss_sum, state.loss_words = 0.0, 0
    if bleu4_report > state.best_bleu4:
        state.best_bleu4 = bleu4_report
        state.best_weights = {name: w.clone() for name, w in model.state_dict().items()}
    return row
