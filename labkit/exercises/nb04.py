"""Exercises of notebook 04: the loss, its weight, the free-running mask, both schedules."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import ceil, gcd
from typing import Any

import torch
from torch import Tensor

from labkit.batches import WordSet, padding_mask
from labkit.exercises.calling import told_where
from labkit.exercises.core import Case, Draw, Exercise, register
from labkit.exercises.results import NotAttempted, NotYet, Number, TensorOf
from labkit.language import EOS, SOS
from labkit.tables import load_tables

Loss = Callable[[Tensor, Tensor, Tensor, float], Tensor]
Mask = Callable[[Tensor, Tensor], Tensor]
Curve = Callable[..., float]  # a schedule: (epoch, epochs, settings…) -> value


# 4.1
def total_loss(nll: Tensor, counted: Tensor, kl: Tensor, w: float) -> Tensor:
    cross_entropy = (nll * counted).sum(dim=1) / counted.sum(dim=1)  # (B,) nats a character
    return (cross_entropy + w * kl.sum(dim=1)).mean()  # KL: (B, 64) -> (B,) nats a word


def _combined(combine: Callable[[Tensor, Tensor, Tensor, float], Tensor]) -> Loss:
    """A wrong solution to 4.1: `combine` gets (B,) each the summed NLL, its count and the KL."""

    def wrong(nll: Tensor, counted: Tensor, kl: Tensor, w: float) -> Tensor:
        return combine((nll * counted).sum(dim=1), counted.sum(dim=1), kl.sum(dim=1), w)

    return wrong


def _weighted_losses(draw: Draw) -> list[Case]:
    """Batches, each with its words' lengths, T and w."""
    drawn = [draw.randint(1, 8) for _ in range(draw.randint(2, 6))]
    batches = [
        ([5, 2, 3], 6, 0.1),
        ([9, 4, 1, 6, 9], 9, 0.02),
        ([1], 4, 0.3),
        ([1], 1, 0.05),
        ([4, 4], 4, 0.0),
        (drawn, max(drawn) + draw.randint(0, 2), draw.uniform(0.02, 0.09)),
    ]
    cases = []
    for lengths, steps, w in [*batches, ([6, 3, 4], 6, 0.07)]:
        holes = w == 0.07
        size = len(lengths)
        counted = padding_mask(torch.tensor(lengths), steps)
        nll = 2 * draw.normal(size, steps).abs()
        nll = torch.where(counted, nll, 5 + 3 * draw.normal(size, steps))  # rubbish behind the end
        kl = draw.normal(size, 64).square() / 2
        if holes:
            counted[:, 0] = counted[0, 2] = False
            nll[:, 0], nll[0, 2] = -9, 7
        words = "one word" if size == 1 else f"{size} words"
        words += ", of which some positions before the end do not count" if holes else ""
        cases.append(Case((nll, counted, kl, w), f"a batch of {words}, w = {w:.3g}"))
    return cases


register(
    Exercise(
        id="4.1",
        title="The loss of a batch",
        difficulty=2,
        starter="def total_loss(nll, counted, kl, w):\n    return ...",
        solution=total_loss,
        result=TensorOf("the loss", number=True),
        cases=_weighted_losses,
        slips={
            "the KL is averaged over dimensions; sum them": _combined(
                lambda total, count, rate, w: (total / count + w * rate / 64).mean()
            ),
            "the KL is not multiplied by w": _combined(
                lambda total, count, rate, w: (total / count + rate).mean()
            ),
            "the KL is missing": _combined(lambda total, count, rate, w: (total / count).mean()),
            "the NLL is missing": _combined(lambda total, count, rate, w: (w * rate).mean()),
            "the KL is subtracted: it is a price, so add it": _combined(
                lambda total, count, rate, w: (total / count - w * rate).mean()
            ),
            "both terms have their sign turned: the NLL holds its minus already": _combined(
                lambda total, count, rate, w: -(total / count + w * rate).mean()
            ),
            "w is the weight of the KL alone, not of both": _combined(
                lambda total, count, rate, w: w * (total / count + rate).mean()
            ),
            "w is the weight of the KL, not of the NLL": _combined(
                lambda total, count, rate, w: (w * total / count + rate).mean()
            ),
            "the NLL keeps its full weight, not 1 − w": _combined(
                lambda total, count, rate, w: ((1 - w) * total / count + w * rate).mean()
            ),
            "0.1 stands in your code: use w": _combined(
                lambda total, count, rate, w: (total / count + 0.1 * rate).mean()
            ),
            "the KL is divided by the characters too; only the NLL is a mean over them": _combined(
                lambda total, count, rate, w: ((total + w * rate) / count).mean()
            ),
            "the KL is multiplied by T: beside the NLL of a *character* stands w alone": _combined(
                lambda total, count, rate, w: (total / count + count * w * rate).mean()
            ),
            "the NLL is summed over a word; average its characters": _combined(
                lambda total, count, rate, w: (total + w * rate).mean()
            ),
            "positions that do not count are counted": lambda nll, counted, kl, w: (
                nll.mean(dim=1) + w * kl.sum(dim=1)
            ).mean(),
            "positions that do not count are in the sum, though you divide by those that do": (
                lambda nll, counted, kl, w: (
                    nll.sum(dim=1) / counted.sum(dim=1) + w * kl.sum(dim=1)
                ).mean()
            ),
            "the mask is upside down: True marks what counts": lambda nll, counted, kl, w: (
                total_loss(nll, ~counted, kl, w)
            ),
            "what counts need not stand at the beginning: use the mask as it is": (
                lambda nll, counted, kl, w: total_loss(
                    nll, padding_mask(counted.sum(dim=1), nll.shape[1]), kl, w
                )
            ),
            "divide by what is counted, not by T": lambda nll, counted, kl, w: (
                (nll * counted).mean(dim=1) + w * kl.sum(dim=1)
            ).mean(),
            "all characters share one mean, so long words weigh more; first average each word": (
                _combined(lambda total, count, rate, w: total.sum() / count.sum() + w * rate.mean())
            ),
            "everything is averaged: sum the KL over its dimensions, and average each word's NLL "
            "over what counts": lambda nll, counted, kl, w: nll.mean() + w * kl.mean(),
            "everything is averaged: sum the KL over its dimensions, and divide the NLL by what is "
            "counted, not by T": lambda nll, counted, kl, w: (nll * counted).mean() + w * kl.mean(),
            "everything is averaged: sum the KL over its dimensions, and average the NLL of each "
            "word first": lambda nll, counted, kl, w: nll[counted].mean() + w * kl.mean(),
            "words are summed; average them": _combined(
                lambda total, count, rate, w: (total / count + w * rate).sum()
            ),
            "the KL is summed over the words too; average it over them": _combined(
                lambda total, count, rate, w: (total / count).mean() + w * rate.sum()
            ),
            "the NLL is summed over the words; average it over them": _combined(
                lambda total, count, rate, w: (total / count).sum() + w * rate.mean()
            ),
            "nothing is averaged, neither the characters nor the words": _combined(
                lambda total, count, rate, w: (total + w * rate).sum()
            ),
            "the KL is summed over dim 0, the words: dim 1 holds the dimensions": (
                lambda nll, counted, kl, w: total_loss(nll, counted, kl, 0) + w * kl.sum(0).mean()
            ),
            "that is one number for each word: the mean over the words is missing": _combined(
                lambda total, count, rate, w: total / count + w * rate
            ),
            "that is the first word alone: average all of them": _combined(
                lambda total, count, rate, w: (total / count + w * rate)[0]
            ),
        },
        must_pass_gradients=("nll", "kl"),
        hints=(
            "Make two vectors (B,) first, one number a word. Which is a mean, which is a sum?",
            "(nll * counted).sum(dim=1) / counted.sum(dim=1) + w * kl.sum(dim=1), then .mean().",
        ),
        why="a mean over characters, a sum over dimensions, a mean over words: hence β = T · w.",
    )
)


# 4.2
@cache
def _length() -> Tensor:
    """The length of every training word, EOS included."""
    return WordSet(load_tables().train).whole.length.double()


def _weight_for(length: Tensor | float) -> float:
    """The weight at which β is 1, for words of these lengths."""
    return float(1 / torch.as_tensor(length, dtype=torch.float64).mean())


def _cliff() -> float:
    return _weight_for(_length())


register(
    Exercise(
        id="4.2",
        title="The weight at which β is 1",
        difficulty=1,
        starter="mean_length = ...\nweight = ...",
        solution=_cliff,
        shown="mean_length = WordSet(tables.train).whole.length.float().mean()  # EOS included\n"
        "weight = 1 / mean_length  # β = mean_length · w",
        answer_is_value=True,
        result=Number("the weight", tolerance=0.0006),
        slips={
            "1 is the β, not the w: how many times larger is β than w here?": lambda: 1.0,
            "that is the mean length: β = length · w, so which w makes it 1?": lambda: float(
                _length().mean()
            ),
            "EOS is a character too: the decoder must write it": lambda: _weight_for(_length() - 1),
            "SOS is no character of the word: the decoder reads it, but never writes it": lambda: (
                _weight_for(_length() + 1)
            ),
            "the 64 dimensions are summed in both losses: only the characters differ": lambda: (
                1 / 64
            ),
            "that is the mean length, divided by 64: the 64 dimensions are summed in both losses": (
                lambda: float(_length().mean()) / 64
            ),
            "that is the mean of 1/T; β = 1 on average needs 1 / (the mean of T)": lambda: float(
                (1 / _length()).mean()
            ),
            "that is the β of the report's w = 0.1": lambda: 0.1 * float(_length().mean()),
            "0.83 is the β of the report's w = 0.1, and not yet a weight": lambda: 0.83,
            "that is 1 / β for the report's w = 0.1, and not yet a weight: which w has β = 1?": (
                lambda: 10 * _cliff()
            ),
            "that is the report's weight, whose β is 0.83": lambda: 0.1,
            "near enough to talk of it; give it with three digits": lambda: round(_cliff(), 2),
            "that is in percent: a weight is a factor": lambda: 100 * _cliff(),
            "that is about 1/8, as the median, the commonest length or a geometric mean give it: "
            "take the (arithmetic) mean of all lengths": lambda: _weight_for(_length().median()),
            "that is for the longest word: take the mean of all lengths": lambda: _weight_for(
                _length().max()
            ),
            "that is for the shortest word: take the mean of all lengths": lambda: _weight_for(
                _length().min()
            ),
            "that is for the first form of each verb: there are words in all four tenses": (
                lambda: _weight_for(_length()[::4])
            ),
            "β = 1 is a matter of the length: the 28 tokens have no part in it": lambda: 1 / 28,
        },
        hints=(
            "Multiplying a loss by a constant changes nothing about where its minimum lies.",
            "T · (NLL / T + w · KL) = NLL + T · w · KL, so β = T · w. Set (the mean T) · w to 1.",
        ),
        why="β is the mean length, EOS included, times w: the textbook's 1 is about 0.12 here.",
    )
)


# 4.3
def counted_when_free(written: Tensor, length: Tensor) -> Tensor:
    is_eos = written == EOS
    ended_before = (is_eos.cumsum(dim=1) - is_eos.long()) > 0  # an EOS stands to the left
    return ~ended_before & (torch.arange(written.shape[1]) < length[:, None])


def _place(written: Tensor) -> Tensor:
    """The positions 0, 1, … as a row."""
    return torch.arange(written.shape[1])


def _ended(written: Tensor, token: int = EOS) -> Tensor:
    """How many of the tokens (EOS, if nothing is said) stand at a position or left of it."""
    return (written == token).cumsum(dim=1)


def _open(written: Tensor, token: int = EOS) -> Tensor:
    """The positions up to and with the first EOS."""
    return _ended(written, token) - (written == token).long() == 0


def _has_target(written: Tensor, length: Tensor) -> Tensor:
    return _place(written) < length[:, None]


def _first_eos(written: Tensor) -> Tensor:
    """The position of the first EOS, as a column; 0 where there is none."""
    return (written == EOS).int().argmax(dim=1, keepdim=True)


def _beyond_eos(written: Tensor, length: Tensor) -> Tensor:
    """The right mask, and one position more behind a word's own EOS."""
    open = _open(written)
    one_more = torch.cat([torch.ones_like(open[:, :1]), open[:, :-1]], dim=1)
    return one_more & _has_target(written, length)


def _only_the_end_that_is_its_own(written: Tensor, length: Tensor) -> Tensor:
    stops = (written == EOS).any(dim=1, keepdim=True)
    return torch.where(stops, _open(written), _has_target(written, length))


_BOTH_ENDS = torch.tensor(  # in rows of six: every way in which a word and its target may end
    [
        [18, 4, 13, 19, EOS, 4],  # "sent" for "sends", as in the notebook
        [0, EOS, 1, EOS, 2, EOS],
        [18, 8, 13, 6, 18, EOS],
        [0, 1, 2, 3, 4, 5],
        [EOS, 7, 0, 7, 7, 7],
        [3, 4, SOS, 4, EOS, EOS],
        [6, 14, 14, EOS, 3, 3],
    ]
)
_TARGETS = torch.tensor([6, 6, 5, 6, 4, 6, 3])


def _masks(draw: Draw) -> list[tuple[Tensor, Tensor]]:
    """Fixed rows, for T as long as the longest target, longer and shorter; then drawn ones."""
    cases = [
        (_BOTH_ENDS, _TARGETS),
        (_BOTH_ENDS, _TARGETS - 2),
        (_BOTH_ENDS[:, :4], _TARGETS),
        (_BOTH_ENDS[1:2], _TARGETS[1:2]),
        (draw.integers(26, 2, 17), torch.tensor([17, 12])),  # as long as words may be
        (torch.tensor([[EOS], [3], [EOS]]), torch.tensor([1, 4, 2])),
        (torch.tensor([[5]]), torch.tensor([1])),
    ]
    for size in (6, 3, 2, 1):
        length = 2 + draw.integers(8, size)
        steps = int(length.max()) + draw.randint(-1, 1)
        written = draw.integers(26, size, steps)
        for row in written:  # no EOS, one, or more with anything behind the first
            for _ in range(draw.randint(0, 2)):
                row[draw.randrange(steps)] = EOS
        cases.append((written, length))
    return cases


def _tell_mask(case: Case, got: Tensor, right: Tensor) -> str:
    written, length = case.arguments
    row = int((got != right).any(dim=1).nonzero()[0])
    gave, expected = got[row].int().tolist(), right[row].int().tolist()
    return (
        f"for a target of length {length[row]} a word wrote {written[row].tolist()}: "
        f"you give {gave}, expected {expected}"
    )


register(
    Exercise(
        id="4.3",
        title="What counts when a word runs free",
        difficulty=2,
        starter="def counted_when_free(written, length):\n    return ...",
        solution=counted_when_free,
        result=TensorOf("the mask", torch.bool, "True and False say what counts"),
        cases=_masks,
        slips={
            "its own EOS must count, else nothing teaches it to stop": lambda written, length: (
                (_ended(written) == 0) & _has_target(written, length)
            ),
            "what stands behind its own EOS was never emitted": _has_target,
            "positions behind the target's end have no target": lambda written, length: _open(
                written
            ),
            "everything behind the *first* EOS must go, not EOS alone": lambda written, length: (
                (written != EOS) & _has_target(written, length)
            ),
            "a second EOS was never emitted: the word is over at its first": (
                lambda written, length: (
                    ((_ended(written) == 0) | (written == EOS)) & _has_target(written, length)
                )
            ),
            "these are the places of EOS alone: count what stands before it as well": (
                lambda written, length: (written == EOS) & _has_target(written, length)
            ),
            "upside down: True marks what counts": lambda written, length: (
                ~counted_when_free(written, length)
            ),
            "its own EOS must count, padding must not": lambda written, length: (
                _ended(written) == 0
            ),
            "everything counts here: look for EOS and at the length": lambda written, length: (
                torch.ones_like(written, dtype=torch.bool)
            ),
            "it reaches one position too far: a length of n ends at position n − 1, and holds the "
            "target's EOS already": lambda written, length: counted_when_free(written, length + 1),
            "it ends one position too soon: the target's EOS is in the length, and counts": (
                lambda written, length: counted_when_free(written, length - 1)
            ),
            "one position behind its own EOS counts too: there is nothing any more": _beyond_eos,
            "it goes on to the second EOS: take away the EOS at the position itself, "
            "instead of allowing one": lambda written, length: (
                (_ended(written) <= 1) & _has_target(written, length)
            ),
            "both must hold, so & and not |": lambda written, length: (
                _open(written) | _has_target(written, length)
            ),
            "SOS is 26, EOS is 27: a word ends with EOS": lambda written, length: (
                _open(written, SOS) & _has_target(written, length)
            ),
            "0 is the letter a: a word ends with EOS": lambda written, length: (
                _open(written, 0) & _has_target(written, length)
            ),
            "the length counts for words that stop as well: the target may end before them": (
                _only_the_end_that_is_its_own
            ),
            "argmax gives 0 where there is no EOS, so such a word counts its first position only": (
                lambda written, length: (
                    (_place(written) <= _first_eos(written)) & _has_target(written, length)
                )
            ),
            "argmax gives 0 where there is no EOS, so such a word counts nothing; and its own EOS "
            "must count": lambda written, length: (
                (_place(written) < _first_eos(written)) & _has_target(written, length)
            ),
            "cumsum(dim=0) runs down the words: dim=1 runs along each word": (
                lambda written, length: (
                    ((written == EOS).cumsum(dim=0) - (written == EOS).long() == 0)
                    & _has_target(written, length)
                )
            ),
            "each word has its target's own length, not the longest one's": (
                lambda written, length: _open(written) & (_place(written) < length.max())
            ),
            "where B or T is 1, a dimension is lost: leave out squeeze": lambda written, length: (
                counted_when_free(written, length).squeeze()
            ),
            "T is written.shape[1], which is not always the longest target's length": (
                lambda written, length: _open(written) & padding_mask(length, int(length.max()))
            ),
        },
        tell=_tell_mask,
        hints=(
            "Count, for every position, how many EOS stand at it or before it: cumsum(dim=1).",
            "Position t counts if no EOS stands *before* t (cumsum, minus the EOS at t itself, is "
            "0) and t < length.",
        ),
        why="the loss holds what the word emitted, its own EOS included, as far as there is a "
        "target.",
    )
)


# 4.4
def teacher_forcing_ratio(epoch: int, epochs: int, final_ratio: float) -> float:
    if epoch < 0.2 * epochs:
        return 1.0
    return final_ratio + (epochs - epoch) * (1 - final_ratio) / (0.8 * epochs)


def _held(line: Curve, hold: Curve = lambda n: 0.2 * n) -> Curve:
    """A wrong solution to 4.4: 1 for the first epochs, and then this line; n is `epochs`."""
    return lambda e, n, final: 1.0 if e < hold(n) else line(e, n, final)


class _EveryEpoch:
    """The kind of a schedule's result: a list of numbers, one for each epoch."""

    def read(self, value: list[Any], right: Any) -> list[float]:
        if any(one is ... for one in value):
            raise NotAttempted
        for epoch, one in enumerate(value):
            if one is None:
                raise NotYet(f"epoch {epoch}: your function returned None: is a return missing?")
        return [Number(f"the result of epoch {e}").read(one, None) for e, one in enumerate(value)]

    def same(self, a: list[float], b: list[float]) -> bool:
        return all(map(Number().same, a, b))

    def show(self, got: list[float], right: list[float]) -> str:
        pairs = zip(got, right, strict=True)
        epoch = next(e for e, pair in enumerate(pairs) if not Number().same(*pair))
        return f"epoch {epoch} {Number().show(got[epoch], right[epoch])}"


def _all_epochs(schedule: Curve, epochs: int, *settings: Any) -> list[float]:
    values: list[float] = []
    with told_where(lambda: f"at epoch {len(values)}"):
        for epoch in range(epochs):
            values.append(schedule(epoch, epochs, *settings))
    return values


def _named(runs: list[tuple[Any, ...]], *settings: str) -> list[Case]:
    """Cases of (epochs, settings…), which are called by the settings' names."""
    names = ["epochs", *settings]
    return [
        Case(run, ", ".join(f"{n} = {value}" for n, value in zip(names, run, strict=True)))
        for run in runs
    ]


def _ratios(draw: Draw) -> list[Case]:
    runs: list[tuple[Any, ...]] = [(150, 0.4), (150, 0.8), (30, 0.0), (1, 0.5)]
    runs += [(3, 0.6), (7, 0.6), (20, 1.0)]
    runs += [(12, 0.25), (13, 0.25)]  # a fifth of these is no whole number: rounded up, down
    runs += [(draw.randint(5, 60), round(draw.uniform(0.1, 0.9), 2)) for _ in range(2)]
    return _named(runs, "final_ratio")


register(
    Exercise(
        id="4.4",
        title="Find the slip: a ratio that never declines",
        difficulty=1,
        starter="def teacher_forcing_ratio(epoch, epochs, final_ratio):\n"
        "    if epoch < 0.2 * epochs:\n        return 1.0\n    return ...",
        solution=teacher_forcing_ratio,
        result=_EveryEpoch(),
        call=_all_epochs,
        cases=_ratios,
        slips={
            "it drops to final_ratio at once and never *declines*: the report's second line is a "
            "statement of its own, whose value is thrown away": _held(lambda e, n, final: final),
            "it is 1 throughout and never declines": lambda e, n, final: 1.0,
            "it is final_ratio throughout: hold 1 for the first 20 %": lambda e, n, final: final,
            "it falls to 0: add final_ratio": _held(
                lambda e, n, final: (n - e) * (1 - final) / (0.8 * n)
            ),
            "it falls to 0 whatever final_ratio is: only 1 − final_ratio is to be lost": _held(
                lambda e, n, final: (n - e) / (0.8 * n)
            ),
            "it is at final_ratio too soon and stays there: the fall lasts until the end": _held(
                lambda e, n, final: max(final, (n - e) / (0.8 * n))
            ),
            "it jumps at 20 %: the fall lasts 0.8 · epochs": _held(
                lambda e, n, final: final + (n - e) * (1 - final) / n
            ),
            "it is above 1: the fall lasts 0.8 · epochs, not 0.2 · epochs": _held(
                lambda e, n, final: final + (n - e) * (1 - final) / (0.2 * n)
            ),
            "it rises: what makes it fall is the epochs *left*, epochs − epoch": _held(
                lambda e, n, final: final + e * (1 - final) / (0.8 * n)
            ),
            "it rises from final_ratio to 1: it should fall from 1 to final_ratio": _held(
                lambda e, n, final: 1 - (n - e) * (1 - final) / (0.8 * n)
            ),
            "it falls below final_ratio: what is left of the way is added to it, not taken off": (
                _held(lambda e, n, final: final - (n - e) * (1 - final) / (0.8 * n))
            ),
            "it ends below final_ratio: the fall begins after 0.2 · epochs, so take these off": (
                _held(lambda e, n, final: 1 - e * (1 - final) / (0.8 * n))
            ),
            "it never comes to final_ratio: the fall lasts 0.8 · epochs, not all of them": _held(
                lambda e, n, final: 1 - (e - 0.2 * n) * (1 - final) / n
            ),
            "it falls from the first epoch on: hold 1 for 20 %": lambda e, n, final: (
                final + (n - e) * (1 - final) / n
            ),
            "it is above 1 at first: hold 1 for the first 20 %": lambda e, n, final: (
                final + (n - e) * (1 - final) / (0.8 * n)
            ),
            "the way down is 1 − final_ratio, not 1": _held(
                lambda e, n, final: final + (n - e) / (0.8 * n)
            ),
            "a bracket is missing around 1 − final_ratio: · goes first": _held(
                lambda e, n, final: final + (n - e) * 1 - final / (0.8 * n)
            ),
            "a bracket is missing around 0.8 * epochs: / 0.8 * epochs multiplies by epochs": _held(
                lambda e, n, final: final + (n - e) * (1 - final) / 0.8 * n
            ),
            "it arrives an epoch early: at `epochs` it should be final_ratio": _held(
                lambda e, n, final: final + (n - 1 - e) * (1 - final) / (0.8 * n)
            ),
            "it reaches final_ratio in the last epoch already: the fall lasts 0.8 · epochs, "
            "without − 1": _held(
                lambda e, n, final: 1 - (e - 0.2 * n) * (1 - final) / (0.8 * n - 1)
            ),
            "// cuts the fraction off: divide with /": _held(
                lambda e, n, final: final + (n - e) * (1 - final) // (0.8 * n)
            ),
            "// cuts the fraction off, and the fall with it: divide with /": _held(
                lambda e, n, final: final + (n - e) // (0.8 * n) * (1 - final)
            ),
            "0.2 · epochs is rounded down, so that the fall begins above 1": _held(
                lambda e, n, final: final + (n - e) * (1 - final) / (0.8 * n),
                hold=lambda n: int(0.2 * n),
            ),
            "0.8 · epochs is rounded down: leave it a fraction": _held(
                lambda e, n, final: final + (n - e) * (1 - final) / int(0.8 * n)
            ),
            "0.8 · epochs is rounded: leave it a fraction": _held(
                lambda e, n, final: final + (n - e) * (1 - final) / max(1, round(0.8 * n))
            ),
            "0.4 stands in your code: use final_ratio": _held(
                lambda e, n, final: 0.4 + (n - e) * 0.6 / (0.8 * n)
            ),
            "150 stands in your code: use epochs": _held(
                lambda e, n, final: final + (150 - e) * (1 - final) / 120
            ),
            "120 stands in your code: that is 0.8 · epochs for 150 of them only": _held(
                lambda e, n, final: final + (n - e) * (1 - final) / 120
            ),
            "30, 120 and 150 stand in your code: use epochs": _held(
                lambda e, n, final: final + (150 - e) * (1 - final) / 120, hold=lambda n: 30
            ),
            "that is a curve: fall in a straight line": _held(
                lambda e, n, final: final ** ((e - 0.2 * n) / (0.8 * n))
            ),
            "leave it as it is, without rounding": _held(
                lambda e, n, final: round(teacher_forcing_ratio(e, n, final), 2)
            ),
        },
        hints=(
            "How many statements are the last two lines before `return r`? What does each do?",
            "One expression: final_ratio + (epochs - epoch) * (1 - final_ratio) / (0.8 * epochs).",
        ),
        why="in Python a line that begins with + is a statement of its own, whose value is "
        "dropped.",
    )
)


# 4.5
def kl_weight(
    epoch: int, epochs: int, cycles: int, zero_share: float, final_weight: float
) -> float:
    x = (epoch * cycles % epochs) / epochs  # position within the cycle, from 0 to just below 1
    if x < zero_share:
        return 0.0
    return final_weight * (x - zero_share) / (1 - zero_share)


def _ramp(x: float, zero: float, final: float) -> float:
    """The weight at position x of a cycle."""
    return 0.0 if x < zero else final * (x - zero) / (1 - zero)


def _placed(place: Curve) -> Curve:
    """A wrong solution to 4.5: `place` gives another position, of (epoch, epochs, cycles)."""
    return lambda e, n, cycles, zero, final: _ramp(place(e, n, cycles), zero, final)


def _risen(ramp: Curve) -> Curve:
    """A wrong solution to 4.5: the right position x, and another `ramp` of it."""
    return lambda e, n, cycles, zero, final: ramp((e * cycles % n) / n, zero, final)


def _within(period: Curve) -> Curve:
    """A wrong solution to 4.5: a `period` of another length, of (epochs, cycles)."""
    return _placed(lambda e, n, cycles: e % period(n, cycles) / period(n, cycles))


def _weights(draw: Draw) -> list[Case]:
    """Runs in which no epoch but the first begins a cycle exactly, or where it does so in floats.

    So epoch % (epochs / cycles) is right as well: it is on paper, and only 10 % (20 / 6) is not 0.
    """
    runs: list[tuple[Any, ...]] = [(150, 1, 0.2, 0.1), (150, 2, 0.2, 0.1), (151, 2, 0.2, 0.1)]
    runs += [(31, 3, 0.35, 0.05), (30, 1, 0.0, 0.2), (4, 4, 0.2, 0.1), (1, 1, 0.2, 0.1)]
    runs += [(150, 2, 0.3, 0.1), (151, 2, 0.2, 0.07)]
    while len(runs) < 11:
        epochs, cycles = draw.randint(20, 60), draw.randint(2, 5)
        if gcd(epochs, cycles) == 1:
            runs += [(epochs, cycles, draw.choice([0.1, 0.25]), 0.08)]
    return _named(runs, "cycles", "zero_share", "final_weight")


register(
    Exercise(
        id="4.5",
        title="The cyclical KL weight",
        difficulty=2,
        starter="def kl_weight(epoch, epochs, cycles, zero_share, final_weight):\n    return ...",
        solution=kl_weight,
        result=_EveryEpoch(),
        call=_all_epochs,
        cases=_weights,
        slips={
            "the cycle never starts again: take the position within the cycle": _placed(
                lambda e, n, cycles: e / n
            ),
            "it climbs beyond final_weight: what is left by % epochs is the position, so multiply "
            "by cycles first, and then take %": _placed(lambda e, n, cycles: e * cycles / n),
            "as in the report, `//` makes the cycle too short, and the last epochs begin a stray "
            "one": _within(lambda n, cycles: n // cycles),
            "the cycle's length is rounded: leave it a fraction": _within(
                lambda n, cycles: round(n / cycles)
            ),
            "the cycle's length is rounded up: leave it a fraction": _within(
                lambda n, cycles: ceil(n / cycles)
            ),
            "a cycle lasts epochs / cycles epochs, not `cycles` epochs": _within(
                lambda n, cycles: cycles
            ),
            "that is the position in epochs of the cycle: divide, so that it goes from 0 to 1": (
                _placed(lambda e, n, cycles: e * cycles % n)
            ),
            "the position is a share of all epochs: multiply by cycles, so that it goes to 1": (
                _placed(lambda e, n, cycles: e % (n / cycles) / n)
            ),
            "epochs are counted from 0: leave out + 1": _placed(
                lambda e, n, cycles: ((e + 1) * cycles % n) / n
            ),
            "it is at final_weight an epoch early: a cycle's last epoch is one step short of it": (
                _placed(lambda e, n, cycles: (e * cycles % n) / (n - cycles))
            ),
            "the share at zero is ignored": _risen(lambda x, zero, final: final * x),
            "it jumps: where the share at zero ends, the ramp starts from 0": _risen(
                lambda x, zero, final: 0.0 if x < zero else final * x
            ),
            "it stays short of final_weight: only 1 − zero_share is left to rise": _risen(
                lambda x, zero, final: max(0.0, final * (x - zero))
            ),
            "it jumps: rise in a straight line": _risen(
                lambda x, zero, final: 0.0 if x < zero else final
            ),
            "it rises too fast, and stays at final_weight: the ramp lasts to the cycle's end": (
                _risen(lambda x, zero, final: final * min(1.0, 2 * max(0.0, x - zero)))
            ),
            "0.8 stands in your code: what is left to rise is 1 − zero_share": _risen(
                lambda x, zero, final: final * max(0.0, x - zero) / 0.8
            ),
            "it climbs beyond final_weight: the ramp lasts to the cycle's end, so divide by what "
            "is left to rise": _risen(lambda x, zero, final: final * 2 * max(0.0, x - zero)),
            "it is negative at first: 0 as long as the position is below zero_share": _risen(
                lambda x, zero, final: final * (x - zero) / (1 - zero)
            ),
            "it is 0 throughout: is it // that cuts the fraction off?": _risen(
                lambda x, zero, final: 0.0
            ),
            "it rises to 1: multiply by final_weight": _risen(
                lambda x, zero, final: _ramp(x, zero, 1.0)
            ),
            "it falls: the weight rises within a cycle": _risen(
                lambda x, zero, final: 0.0 if x < zero else final * (1 - x) / (1 - zero)
            ),
            "divide by what is left to rise, 1 − zero_share, not by zero_share": _risen(
                lambda x, zero, final: 0.0 if x < zero else final * (x - zero) / zero
            ),
            "a bracket is missing around the position − zero_share: · and / go first": _risen(
                lambda x, zero, final: 0.0 if x < zero else final * x - zero / (1 - zero)
            ),
            "a bracket is missing around 1 − zero_share: / goes first": _risen(
                lambda x, zero, final: 0.0 if x < zero else final * (x - zero) / 1 - zero
            ),
            "that is a curve: rise in a straight line": _risen(
                lambda x, zero, final: final * max(0.0, (x - zero) / (1 - zero)) ** 2
            ),
            "zero_share is a share of each cycle, not of the whole run: the weight is negative in "
            "later cycles": lambda e, n, cycles, zero, final: (
                0.0 if e < zero * n else final * ((e * cycles % n) / n - zero) / (1 - zero)
            ),
            "zero_share is a share of each cycle, not of the whole run: the first one is at 0 for "
            "too long": lambda e, n, cycles, zero, final: (
                0.0 if e < zero * n else kl_weight(e, n, cycles, zero, final)
            ),
            "every cycle begins with its share at zero, not the first alone": (
                lambda e, n, cycles, zero, final: (
                    final * (e * cycles % n) / n
                    if e * cycles >= n
                    else kl_weight(e, n, cycles, zero, final)
                )
            ),
            "the last epoch is no exception: it is one step short of final_weight": (
                lambda e, n, cycles, zero, final: (
                    final if e == n - 1 else kl_weight(e, n, cycles, zero, final)
                )
            ),
            "that is the schedule for 2 cycles: use cycles": lambda e, n, cycles, zero, final: (
                kl_weight(e, n, 2, zero, final)
            ),
            "0.2 stands in your code: use zero_share": lambda e, n, cycles, zero, final: kl_weight(
                e, n, cycles, 0.2, final
            ),
            "0.1 stands in your code: use final_weight": lambda e, n, cycles, zero, final: (
                kl_weight(e, n, cycles, zero, 0.1)
            ),
            "150 stands in your code: use epochs": lambda e, n, cycles, zero, final: kl_weight(
                e, 150, cycles, zero, final
            ),
            "leave it as it is, without rounding": lambda e, n, cycles, zero, final: round(
                kl_weight(e, n, cycles, zero, final), 3
            ),
        },
        hints=(
            "First the position u within the cycle, from 0 to 1; the weight depends on u alone.",
            "u = (epoch * cycles % epochs) / epochs; 0 below zero_share, else final_weight * "
            "(u - zero_share) / (1 - zero_share).",
        ),
        why="multiplying before taking the remainder rounds nothing. (epoch % (epochs / cycles) is "
        "right as well, except for floats: 10 % (20 / 6) is 3.33, where it should be 0.)",
    )
)
