"""One trial: configuration in, history and weights out (notebook 04)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from labkit.batches import Batch, WordSet, padding_mask
from labkit.config import TrialConfig
from labkit.errors import RunError
from labkit.inference import generate
from labkit.losses import (
    character_nll,
    kl_to_standard_normal,
    mean_over_counted,
    reparameterize,
)
from labkit.measures.catalogue import Scores
from labkit.measures.generation import gaussian_score
from labkit.measures.latent import rate_and_distortion
from labkit.measures.protocols import evaluate, judge_pairs
from labkit.model import CVAE, ModelMaker, new_model, shift_right
from labkit.runs import HistoryRow, Run, is_finished, load_run, save_run
from labkit.state import TrialState
from labkit.tables import Tables

SAVE_SECONDS = 5.0  # how often a trial's state is saved
PAIRS_ON_THE_WAY = 100  # test pairs that a history row judges, at most
WORDS_ON_THE_WAY = 512  # training words behind a row's KL and NLL, at most


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
    target: Batch | None = None,
) -> Loss:
    """The loss of one batch, in which the words with forced[b], (B,) bool, are teacher-forced.

    target: what the model is to write; None: the words that it reads, which is all that this lab's
    models ever see, unless they are taught conversion (`Sampling.pair_share`).

    A word that runs free reads its own likeliest characters and stops at its own EOS; only what
    it wrote counts. Choosing a character has no gradient, so the word may run first, without
    gradients, and then be fed what it wrote as if that were the target: the same loss and
    gradients as going character by character, in a single call of the LSTM.
    """
    target = batch if target is None else target
    posterior = model.encode(batch)
    z = reparameterize(posterior.mean, posterior.log_var, generator)
    inputs = shift_right(target.tokens, model.language)  # (B, T)
    counted = padding_mask(target.length, inputs.shape[1])  # (B, T)
    if not forced.all():
        free, eos = ~forced, model.language.eos
        written = torch.full_like(inputs[free], eos)
        words = model.greedy(z[free], target.tense[free], max_length=inputs.shape[1])
        written[:, : words.shape[1]] = words
        inputs[free] = shift_right(written, model.language)
        counted[free] &= (inputs[free] == eos).cumsum(dim=1) == 0  # its own EOS still counts
    logits = model.decode(z, target.tense, inputs)
    cross_entropy = mean_over_counted(character_nll(logits, target.tokens), counted)
    kl = kl_to_standard_normal(posterior.mean, posterior.log_var)
    # Without a weight there is no price, however high: 0 · inf would be nan.
    price = kl_weight * kl if kl_weight > 0 else torch.zeros_like(kl)
    return Loss((cross_entropy + price).mean(), cross_entropy, kl)


def update(
    state: TrialState,
    batch: Batch,
    kl_weight: float,
    ratio: float,
    rate: float,
    target: Batch | None = None,
) -> Loss:
    """One step of training: the heart of `train`. Changes the state's weights and optimiser.

    target: as in `loss_of_batch`.
    ratio: the probability that a word is teacher-forced.  rate: the learning rate.
    """
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    # One coin per word: all of it teacher-forced, or all of it free.
    forced = torch.rand(len(batch.length), generator=state.generator) < ratio
    device = state.model.device
    loss = loss_of_batch(
        state.model,
        batch.to(device),
        forced.to(device),
        kl_weight,
        state.generator,
        None if target is None else target.to(device),
    )
    state.optimizer.zero_grad()
    loss.total.backward()
    if state.config.clip_norm is not None:
        torch.nn.utils.clip_grad_norm_(state.model.parameters(), state.config.clip_norm)
    state.optimizer.step()
    return loss


def train(
    config: TrialConfig,
    tables: Tables,
    *,
    out: str | Path | None = None,
    device: str = "auto",
    make_model: ModelMaker = CVAE,
    judge: Callable[[CVAE, Tables], Scores] = evaluate,
    on_progress: Callable[[Progress], None] | None = None,
) -> Run:
    """Run one trial; `run.history` has a row for each interval, `run.model` the final weights.

    make_model: what makes the model, such as a subclass of CVAE, or `partial(CVAE, hidden=64)`.
    judge: what finds the scores of the final weights.

    With `out`, the run is written to that folder (see `labkit.runs`), and a trial that was
    interrupted goes on where its state was last saved when `train` is called again. With the same
    number of threads it then arrives at the same numbers, bit for bit, its seconds apart; a trial
    that is finished is read back. Raises RunError if the folder holds a trial with other settings,
    words or another model, and if the loss is no longer a number.
    """
    state = TrialState(config, tables, choose_device(device), make_model)
    state_file = None
    if out is not None:
        if is_finished(Path(out), state.identity):
            return load_run(out, make_model)
        Path(out).mkdir(parents=True, exist_ok=True)  # before hours of training, not after
        state_file = Path(out) / "state.pt"
        if state_file.exists():
            state.load(state_file)
    words = state.epochs.words  # those of the list
    steps = config.epochs * math.ceil(state.epochs.words_an_epoch / config.batch_size)
    saved = time.perf_counter()

    while state.epoch < config.epochs:
        kl_weight = config.kl_weight(state.epoch)
        ratio = config.teacher_forcing_ratio(state.epoch)
        for batch, target in state.batches_left():
            rate = config.rate_at(state.step, steps)
            loss = update(state, batch, kl_weight, ratio, rate, target)
            _require_number(loss, state.step + 1, kl_weight, rate)
            state.count(loss.cross_entropy)

            row = None
            if config.completes_a_row(state.step, steps):
                row = _judge_on_the_way(state, tables, words, kl_weight, ratio, rate)
                state.keep(row)
            if on_progress is not None:
                try:
                    on_progress(Progress(state.step, steps, row))
                except StopTraining:
                    return Run(config, state.model, state.history, None)
            if state_file is not None and time.perf_counter() - saved > SAVE_SECONDS:
                state.save(state_file)
                saved = time.perf_counter()
        state.end_epoch()

    best_model = None
    if state.best_weights is not None:
        best_model = new_model(config.seed, tables.language, make_model).to(state.model.device)
        best_model.load_state_dict(state.best_weights)
    run = Run(config, state.model, state.history, judge(state.model, tables), best_model)
    if state_file is not None:
        save_run(state_file.parent, run, tables)
        state_file.unlink(missing_ok=True)
    return run


def _require_number(loss: Loss, step: int, kl_weight: float, rate: float) -> None:
    total = float(loss.total.detach())
    if not math.isfinite(total):
        raise RunError(
            f"the loss is {total} at update {step}, with a learning rate of {rate:.3g} and a KL "
            f"weight of {kl_weight:.3g}: training cannot go on from there. Try a smaller learning "
            "rate, a smaller KL weight, or clip_norm=1.0"
        )


def _judge_on_the_way(
    state: TrialState,
    tables: Tables,
    words: WordSet,
    kl_weight: float,
    ratio: float,
    rate: float,
) -> HistoryRow:
    """Judge the model as it is now, on the same noise every time."""
    config, model = state.config, state.model
    noise = torch.Generator().manual_seed(config.seed)
    kl, nll = rate_and_distortion(model, words, noise, limit=WORDS_ON_THE_WAY)
    pairs = tables.test[:PAIRS_ON_THE_WAY]
    honest = judge_pairs(model, pairs, "honest", noise)
    report = judge_pairs(model, pairs, "report", noise)
    samples = generate(model, config.evaluation_samples, noise)
    return HistoryRow(
        step=state.step,
        epoch=state.epoch,
        cross_entropy=state.loss_sum / state.loss_words,
        nll=nll,
        kl=kl,
        kl_weight=kl_weight,
        teacher_forcing_ratio=ratio,
        learning_rate=rate,
        bleu4=honest.bleu4,
        exact_match=honest.exact_match,
        bleu4_report=report.bleu4,
        gaussian_score=gaussian_score(samples, tables.train),
        seconds=state.seconds,
    )
