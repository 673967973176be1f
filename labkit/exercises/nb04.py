"""Exercises of notebook 04: the loss, its weight, the free-running mask, both schedules."""

from __future__ import annotations

import random
from typing import Any

import torch
from torch import Tensor

from labkit import schedules
from labkit.batches import WordSet, padding_mask
from labkit.exercises.core import (
    Curve,
    Exercise,
    NotYet,
    call,
    close,
    describe,
    expect_tensor,
    judge_curve,
    name_slip,
    register,
)
from labkit.language import EOS
from labkit.tables import load_tables

_random = random.Random()  # of our own: a check leaves the student's random numbers alone


# --- 4.1


def total_loss(nll: Tensor, counted: Tensor, kl: Tensor, w: float) -> Tensor:
    cross_entropy = (nll * counted).sum(dim=1) / counted.sum(dim=1)  # (B,) nats a character
    return (cross_entropy + w * kl.sum(dim=1)).mean()  # KL: (B, 2Z) -> (B,) nats a word


def _judge_total_loss(answer: Any) -> None:
    for count, steps in (*((_random.randint(2, 6), 9) for _ in range(6)), (1, 4), (1, 1)):
        length = torch.tensor([steps, *(_random.randint(1, steps) for _ in range(count - 1))])
        counted = padding_mask(length, steps)
        # In double precision, so that no two slips come out alike by chance.
        nll, kl = 3 * torch.rand(count, steps).double(), torch.rand(count, 64).double()
        w = _random.uniform(0.02, 0.2)
        got, right = call(answer, nll, counted, kl, w), total_loss(nll, counted, kl, w)
        got = expect_tensor(torch.tensor(got) if isinstance(got, float) else got, (), "the loss")
        if close(got, right):
            continue
        total, number, rate = (nll * counted).sum(dim=1), counted.sum(dim=1), kl.sum(dim=1)
        ce, pooled = total / number, total.sum() / number.sum()
        told = f"a batch of {count} gave {float(got):.3f}, expected {float(right):.3f}"
        slips = {
            "the KL is averaged over dimensions; sum them": (ce + w * kl.mean(dim=1)).mean(),
            "the KL is not multiplied by w": (ce + rate).mean(),
            "the KL is missing": ce.mean(),
            "the KL is subtracted: it is a price, so add it": (ce - w * rate).mean(),
            "w is the weight of the KL alone": w * (ce + rate).mean(),
            "the NLL is summed over a word; average its characters": (total + w * rate).mean(),
            "positions that do not count are counted": (nll.mean(dim=1) + w * rate).mean(),
            "divide by what is counted, not by T": (total / steps + w * rate).mean(),
            "all characters share one mean, so long words weigh more; first average each word": (
                pooled + w * rate.mean()
            ),
            "words are summed; average them": (ce + w * rate).sum(),
            "the KL is summed over the words too; average it over them": ce.mean() + w * rate.sum(),
        }
        named = (slip for slip, result in slips.items() if close(got, result, 1e-7))
        otherwise = "is each part (B,), one number a word, before the last mean?"
        raise NotYet(f"{told}: {next(named, otherwise)}")


# --- 4.2

_INDIFFERENT = """mean_length = WordSet(tables.train).whole.length.float().mean()  # EOS included
weight = 1 / mean_length  # β = mean_length · w"""


def _judge_indifferent(answer: Any) -> None:
    length = WordSet(load_tables().train).whole.length.double()
    try:
        got = float(answer)
    except (TypeError, ValueError):
        raise NotYet(f"expected a number, got {describe(answer)}") from None
    right = float(1 / length.mean())
    if abs(got - right) < 0.0006:
        return
    slips: dict[str, Any] = {
        "1 is the β, not the w: how many times larger is β than w here?": 1.0,
        "that is the mean length: β = length · w, so which w makes it 1?": length.mean(),
        "EOS is a character too: the decoder must write it": 1 / (length - 1).mean(),
        "the 64 dimensions are summed in both losses: only the characters differ": 1 / 64,
        "that is the mean of 1/T; β = 1 on average needs 1 / (the mean of T)": (1 / length).mean(),
        "that is the β of the report's w = 0.1": 0.1 * length.mean(),
        "near enough to talk of it; give it with three digits": round(right, 2),
    }
    for message, slip in slips.items():
        if abs(got - float(slip)) < 0.0006 * max(1, got):
            raise NotYet(f"{got:.4f}: {message}")
    raise NotYet(
        f"{got:.4f} is not it: multiply the report's loss of a word by its T characters; what "
        "then stands before the KL?"
    )


# --- 4.3


def counted_when_free(written: Tensor, length: Tensor) -> Tensor:
    is_eos = written == EOS
    ended_before = (is_eos.cumsum(dim=1) - is_eos.long()) > 0  # an EOS stands to the left
    return ~ended_before & (torch.arange(written.shape[1]) < length[:, None])


def _judge_counted(answer: Any) -> None:
    for count in (6, 6, 6, 3, 2, 1, 1):  # large ones first: they tell slips apart
        length = torch.tensor([_random.randint(2, 9) for _ in range(count)])
        steps = int(length.max()) + _random.randint(0, 1)
        written = torch.randint(0, 26, (count, steps))
        for row in written:  # no EOS, one, or more with anything behind the first
            for _ in range(_random.randint(0, 2)):
                row[_random.randrange(steps)] = EOS
        got = call(answer, written, length)
        real = padding_mask(length, steps)
        is_eos = written == EOS
        got = expect_tensor(got, (count, steps), "the mask").double()
        right = counted_when_free(written, length)
        if close(got, right):
            continue
        row = next(i for i in range(count) if not close(got[i], right[i]))
        wrote, marks = written[row].tolist(), [m[row].int().tolist() for m in (got, right)]
        told = f"for a target of length {length[row]} a word wrote {wrote}: "
        told += f"you give {marks[0]}, expected {marks[1]}"
        earlier = is_eos.cumsum(dim=1) - is_eos.long()
        slips = {
            "its own EOS must count, else nothing teaches it to stop": ~(is_eos | (earlier > 0))
            & real,
            "what stands behind its own EOS was never emitted": real,
            "positions behind the target's end have no target": earlier == 0,
            "everything behind the *first* EOS must go, not EOS alone": ~is_eos & real,
            "upside down: True marks what counts": ~right,
            "its own EOS must count, padding must not": is_eos.cumsum(dim=1) == 0,
        }
        name_slip(got, {f"{told}: {slip}": result for slip, result in slips.items()})
        raise NotYet(f"{told}: up to and with its own EOS, but within the target's length")


# --- 4.4 and 4.5


def teacher_forcing_ratio(epoch: int, epochs: int, final_ratio: float) -> float:
    if epoch < 0.2 * epochs:
        return 1.0
    return final_ratio + (epochs - epoch) * (1 - final_ratio) / (0.8 * epochs)


def kl_weight(
    epoch: int, epochs: int, cycles: int, zero_share: float, final_weight: float
) -> float:
    x = (epoch * cycles % epochs) / epochs  # position within the cycle, from 0 to just below 1
    if x < zero_share:
        return 0.0
    return final_weight * (x - zero_share) / (1 - zero_share)


def _judge_ratio(answer: Any) -> None:
    def oracle(epoch: int, epochs: int, final: float) -> float:
        return schedules.teacher_forcing_ratio(epoch, epochs, final_ratio=final)

    def after(line: Curve) -> Curve:
        return lambda e, n, final: 1.0 if e < 0.2 * n else line(e, n, final)

    slips = {
        "it drops to final_ratio at once and never *declines*: the report's second line is a "
        "statement of its own, whose value is thrown away": after(lambda e, n, f: f),
        "it falls to 0: add final_ratio": after(lambda e, n, f: (n - e) * (1 - f) / (0.8 * n)),
        "it jumps at 20 %: the fall lasts 0.8 · epochs": after(
            lambda e, n, f: f + (n - e) * (1 - f) / n
        ),
        "it rises: what makes it fall is the epochs *left*, epochs − epoch": after(
            lambda e, n, f: f + e * (1 - f) / (0.8 * n)
        ),
        "it falls from the first epoch on: hold 1 for 20 %": lambda e, n, f: (
            f + (n - e) * (1 - f) / n
        ),
        "the way down is 1 − final_ratio, not 1": after(lambda e, n, f: f + (n - e) / (0.8 * n)),
        "it arrives an epoch early: at `epochs` it should be final_ratio": after(
            lambda e, n, f: f + (n - 1 - e) * (1 - f) / (0.8 * n)
        ),
    }
    cases: list[tuple[Any, ...]] = [(150, 0.4), (150, 0.8), (30, 0.0), (1, 0.5)]
    cases += [(_random.randint(5, 99), round(_random.uniform(0.1, 0.9), 2)) for _ in range(4)]
    judge_curve(answer, oracle, slips, cases, "final ratio")


def _judge_kl_weight(answer: Any) -> None:
    def oracle(epoch: int, epochs: int, cycles: int, zero: float, final: float) -> float:
        return schedules.kl_weight(
            epoch, epochs, cycles=cycles, zero_share=zero, final_weight=final
        )

    def ramp(x: float, zero: float, final: float) -> float:
        return 0.0 if x < zero else final * (x - zero) / (1 - zero)

    def from_position(line: Curve) -> Curve:
        return lambda e, n, m, zero, final: line((e * m % n) / n, zero, final)

    slips: dict[str, Curve] = {
        "the cycle never starts again: take the position within the cycle": (
            lambda e, n, m, zero, final: ramp(e / n, zero, final)
        ),
        "as in the report, `//` makes the cycle too short, and the last epochs begin a stray one": (
            lambda e, n, m, zero, final: ramp(e % (n // m) / (n // m), zero, final)
        ),
        "20 / 6 has no exact float, so `%` misses a restart: multiply by cycles before taking it": (
            lambda e, n, m, zero, final: ramp(e % (n / m) / (n / m), zero, final)
        ),
        "the share at zero is ignored": from_position(lambda x, zero, final: final * x),
        "it jumps: where the share at zero ends, the ramp starts from 0": from_position(
            lambda x, zero, final: 0.0 if x < zero else final * x
        ),
        "it stays short of final_weight: only 1 − zero_share is left to rise": from_position(
            lambda x, zero, final: max(0.0, final * (x - zero))
        ),
        "it jumps: rise in a straight line": from_position(
            lambda x, zero, final: 0.0 if x < zero else final
        ),
    }
    cases: list[tuple[Any, ...]] = [(150, 1, 0.2, 0.1), (150, 2, 0.2, 0.1), (151, 2, 0.2, 0.1)]
    cases += [(31, 3, 0.3, 0.05), (30, 1, 0.0, 0.2), (5, 5, 0.2, 0.1), (1, 1, 0.2, 0.1)]
    cases += [(20, 6, 0.2, 0.1)]  # 10 % (20 / 6) is not 0, by a rounding
    cases += [
        (_random.randint(20, 99), _random.randint(1, 4), _random.choice([0.1, 0.25]), 0.08)
        for _ in range(4)
    ]
    judge_curve(answer, oracle, slips, cases, "cycles, share at zero and final weight")


# fmt: off
register(
    Exercise("4.1", "The loss of a batch", 2, _judge_total_loss, (
        "Make two vectors (B,) first, one number a word. Which is a mean, which is a sum?",
        "(nll * counted).sum(dim=1) / counted.sum(dim=1) + w * kl.sum(dim=1), then .mean().",
    ), total_loss, why=(
        "a mean over characters, a sum over dimensions, a mean over words: hence β = T · w."
    )),
    Exercise("4.2", "The weight at which β is 1", 1, _judge_indifferent, (
        "Multiplying a loss by a constant changes nothing about where its minimum lies.",
        "T · (NLL / T + w · KL) = NLL + T · w · KL, so β = T · w. Set (the mean T) · w to 1.",
    ), _INDIFFERENT, why=(
        "β is the mean length, EOS included, times w: the textbook's 1 is about 0.12 here."
    )),
    Exercise("4.3", "What counts when a word runs free", 2, _judge_counted, (
        "Count, for every position, how many EOS stand at it or before it: cumsum(dim=1).",
        "Position t counts if no EOS stands *before* t (cumsum, minus the EOS at t itself, is 0) "
        "and t < length.",
    ), counted_when_free, why=(
        "the loss holds what the word emitted, its own EOS included, as far as there is a target."
    )),
    Exercise("4.4", "Find the slip: a ratio that never declines", 1, _judge_ratio, (
        "How many statements are the last two lines before `return r`? What does each do?",
        "One expression: final_ratio + (epochs - epoch) * (1 - final_ratio) / (0.8 * epochs).",
    ), teacher_forcing_ratio, why=(
        "in Python a line that begins with + is a statement of its own, whose value is dropped."
    )),
    Exercise("4.5", "The cyclical KL weight", 2, _judge_kl_weight, (
        "First the position u within the cycle, from 0 to 1; the weight depends on u alone.",
        "u = (epoch * cycles % epochs) / epochs; 0 below zero_share, else final_weight * "
        "(u - zero_share) / (1 - zero_share).",
    ), kl_weight, why=(
        "multiplying before taking the remainder needs no rounding, so no stray cycle begins."
    )),
)
