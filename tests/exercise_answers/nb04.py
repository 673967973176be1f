"""Answers to the exercises of notebook 04."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import torch
from torch import nn

from labkit.batches import WordSet, padding_mask
from labkit.exercises import nb04
from labkit.language import EOS
from labkit.tables import load_tables

LENGTH = WordSet(load_tables().train).whole.length.double()


# 4.1


def word_by_word(nll, counted, kl, w):
    losses = []
    for i in range(len(nll)):
        losses.append(nll[i][counted[i]].mean() + w * sum(kl[i]))
    return sum(losses) / len(losses)


def by_where(nll, counted, kl, w):
    of_characters = torch.where(counted, nll, torch.zeros(())).sum(-1) / counted.float().sum(-1)
    return torch.mean(of_characters) + w * kl.mean(dim=0).sum()


def by_einsum(nll, counted, kl, w):
    share = counted / counted.sum(dim=1, keepdim=True)
    return torch.einsum("bt,bt->", nll, share) / len(nll) + w * kl.sum() / kl.shape[0]


def in_place_on_copies(nll, counted, kl, w):
    total = nll.clone()
    total[~counted] = 0
    total = total.sum(1)
    total /= counted.sum(1)
    return (total + w * (kl @ torch.ones(64))).mean()


def filled_in(nll, counted, kl, w):
    loss = torch.zeros(len(nll), dtype=torch.float64)
    for i, row in enumerate(counted):
        loss[i] = nll[i, row].double().mean() + w * kl[i].sum()
    return loss.mean()


def by_nanmean(nll, counted, kl, w):
    return (nll.masked_fill(~counted, math.nan).nanmean(1) + w * kl.sum(1)).mean()


def all_pairs_have_the_same_mean(nll, counted, kl, w):
    rate = kl.sum(dim=1, keepdim=True)
    return (nn.functional.normalize(counted.float(), 1, 1) * nll).sum(1).add(w * rate).mean()


def loss_by_numpy(nll, counted, kl, w):
    total = np.where(counted.numpy(), nll.numpy(), 0).sum(1) / counted.numpy().sum(1)
    return (total + w * kl.numpy().sum(1)).mean()


def items(nll, counted, kl, w):
    ce = [row[keep].mean().item() for row, keep in zip(nll, counted, strict=True)]
    return torch.tensor(ce).mean() + w * kl.sum(1).mean()


def masks_in_place(nll, counted, kl, w):
    nll *= counted
    return nb04.total_loss(nll, counted, kl, w)


def weighs_in_place(nll, counted, kl, w):
    kl *= w
    return nb04.total_loss(nll, counted, kl, 1)


def by_length(nll, counted, kl, w):
    rows = zip(nll, counted.sum(dim=1).tolist(), strict=True)
    means = torch.stack([row[:n].mean() for row, n in rows])
    return (means + w * kl.sum(dim=1)).mean()


def first_word_returns(nll, counted, kl, w):
    for i in range(len(nll)):
        return nll[i][counted[i]].mean() + w * kl[i].sum()


def sums_of_all(nll, counted, kl, w):
    return (nll * counted).sum() / counted.sum() + w * kl.sum() / counted.sum()


# 4.3


def with_loop(written, length):
    counted = torch.zeros_like(written, dtype=torch.bool)
    for row, word in enumerate(written.tolist()):
        for place in range(min(int(length[row]), len(word))):
            counted[row, place] = True
            if word[place] == EOS:
                break
    return counted


def by_cumprod(written, length):
    goes_on = (written != EOS).long().cumprod(dim=1)
    before = nn.functional.pad(goes_on, (1, 0), value=1)[:, :-1].bool()
    return before & padding_mask(length, written.shape[1])


def by_argmax(written, length):
    is_eos = written == EOS
    first = torch.where(is_eos.any(dim=1), is_eos.int().argmax(dim=1), written.shape[1])
    return torch.arange(written.shape[1])[None] < torch.minimum(first + 1, length)[:, None]


def by_list(written, length):
    rows = []
    for word, n in zip(written.tolist(), length.tolist(), strict=True):
        stop = word.index(EOS) + 1 if EOS in word else len(word)
        rows.append([place < min(stop, n) for place in range(len(word))])
    return torch.tensor(rows)


def mask_by_numpy(written, length):
    is_eos = written.numpy() == EOS
    before = np.cumsum(is_eos, axis=1) - is_eos == 0
    inside = np.arange(written.shape[1])[None, :] < length.numpy()[:, None]
    return torch.from_numpy(before & inside)


def by_cummax(written, length):
    ended = (written == EOS).int().cummax(dim=1).values
    ended = torch.cat([torch.zeros_like(ended[:, :1]), ended], dim=1)[:, :-1]
    return torch.logical_and(ended == 0, nb04._has_target(written, length))


def in_place_on_a_copy(written, length):
    counted = padding_mask(length, written.shape[1]).clone()
    for i in range(len(written)):
        for j in (written[i] == EOS).nonzero()[:1, 0].tolist():
            counted[i, j + 1 :] = False
    return counted


def overwritten(written, length):
    mask = nb04.counted_when_free(written, length)
    written[~mask] = EOS
    return mask


def shortened(written, length):
    mask = nb04.counted_when_free(written, length)
    length.clamp_(max=3)
    return mask


def as_wide_as_the_longest(written, length):
    steps = int(length.max())
    return padding_mask(length, steps) & (nb04._ended(written[:, :steps]) <= 1)


def keeps_every_eos(written, length):
    is_eos = written == EOS
    before = is_eos.cumsum(1) == 0
    return (before | is_eos) & padding_mask(length, written.shape[1])


def stops_at_last_eos(written, length):
    later = (written == EOS).flip(1).cumsum(1).flip(1)
    none = ~(written == EOS).any(dim=1, keepdim=True)
    return (none | (later > 0)) & padding_mask(length, written.shape[1])


def breaks_before_eos(written, length):
    counted = torch.zeros_like(written, dtype=torch.bool)
    for row, word in enumerate(written.tolist()):
        for place in range(min(int(length[row]), len(word))):
            if word[place] == EOS:
                break
            counted[row, place] = True
    return counted


# 4.4


def reports_ratio(epoch, epochs, final_ratio):
    if epoch < 0.2 * epochs:
        return 1.0
    r = final_ratio
    +(epochs - epoch) * (1 - final_ratio) / (0.8 * epochs)
    return r


def forgets_return(epoch, epochs, final_ratio):
    if epoch < 0.2 * epochs:
        return 1.0
    final_ratio + (epochs - epoch) * (1 - final_ratio) / (0.8 * epochs)


def ratio_of_tensors(epoch, epochs, final_ratio):
    x = torch.tensor(epoch / epochs, dtype=torch.float64)
    return (final_ratio + (1 - final_ratio) * (1 - x) / 0.8).clamp(max=1)


def ratio_by_interp(epoch, epochs, final_ratio):
    return np.interp(epoch, [0, 0.2 * epochs, epochs], [1, 1, final_ratio])


def ratio_by_where(epoch, epochs, final):
    line = final + (epochs - epoch) * (1 - final) / (0.8 * epochs)
    return np.where(epoch < 0.2 * epochs, 1.0, line)


def ratio_of_fractions(epoch, epochs, final_ratio):
    if 5 * epoch < epochs:
        return Fraction(1)
    final = Fraction(final_ratio)
    return final + (1 - final) * (1 - Fraction(epoch, epochs)) / Fraction(4, 5)


def ratio_by_steps(epoch, epochs, final_ratio):
    ratio, start = 1.0, 0.2 * epochs
    if epoch > start:
        ratio -= (epoch - start) * (1 - final_ratio) / (epochs - start)
    return ratio


# 4.5


def position(place):
    """An answer to 4.5 that takes the position within the cycle from `place`."""

    def answer(epoch, epochs, cycles, zero_share, final_weight):
        x = place(epoch, epochs, cycles)
        return final_weight * max(0.0, (x - zero_share) / (1 - zero_share))

    return answer


def counted_down(epoch, epochs, cycles):
    period = epochs / cycles
    while epoch >= period:
        epoch -= period
    return epoch / period


def reports_weight(epoch, epochs, cycles, zero_share, final_weight):
    epochs //= cycles
    epoch %= epochs
    if epoch < zero_share * epochs:
        return 0.0
    return final_weight * (epoch - zero_share * epochs) / ((1 - zero_share) * epochs)


def weight_of_a_cycle(epoch, epochs, cycles, zero_share, final_weight):
    period = epochs / cycles
    inside = epoch % period
    if inside < zero_share * period:
        return 0.0
    return final_weight * (inside - zero_share * period) / ((1 - zero_share) * period)


def weight_kept_by_cycles(epoch, epochs, cycles, zero_share, final_weight, kept={}):  # noqa: B006
    key = epoch, epochs, cycles
    if key not in kept:
        kept[key] = nb04.kl_weight(epoch, epochs, cycles, zero_share, final_weight)
    return kept[key]


def weight_of_fractions(epoch, epochs, cycles, zero_share, final_weight):
    x, zero = Fraction(epoch * cycles, epochs) % 1, Fraction(zero_share)
    return Fraction(final_weight) * max(Fraction(0), x - zero) / (1 - zero)


def weight_by_where(epoch, epochs, cycles, zero_share, final_weight):
    x = np.mod(epoch * cycles, epochs) / epochs
    return np.where(x < zero_share, 0, final_weight * (x - zero_share) / (1 - zero_share))


def weight_by_interp(epoch, epochs, cycles, zero_share, final_weight):
    return np.interp(epoch * cycles % epochs / epochs, [zero_share, 1], [0, final_weight])


def weight_forgets_return(epoch, epochs, cycles, zero_share, final_weight):
    x = (epoch * cycles % epochs) / epochs
    if x >= zero_share:
        return final_weight * (x - zero_share) / (1 - zero_share)


def zero_by_epochs_of_a_cycle(e, n, m, zero, final):
    inside, period = e * m % n / m, n / m
    return 0.0 if inside < zero * period else final * (inside - zero * period) / period


RIGHT = {
    "4.1": [
        *(word_by_word, by_where, by_einsum, in_place_on_copies, filled_in, by_nanmean),
        all_pairs_have_the_same_mean,
        lambda nll, counted, kl, w: nb04.total_loss(nll.double(), counted.int(), kl.double(), w),
    ],
    "4.2": [
        *(0.1206, 0.121, 1 / 8.29, np.float32(0.1206), np.float64(0.1206), np.array(0.1206)),
        *(
            Fraction(1206, 10000),
            Decimal("0.1206"),
            Decimal(1) / Decimal("8.29"),
            1 / LENGTH.mean(),
            float(1 / LENGTH.mean()),
            torch.tensor([0.121]),
        ),
        1 / LENGTH.float().mean().requires_grad_(),
        len(LENGTH) / LENGTH.sum(),
        1 / np.mean(LENGTH.numpy()),
    ],
    "4.3": [
        *(with_loop, by_cumprod, by_argmax, by_list, mask_by_numpy, by_cummax),
        in_place_on_a_copy,
        lambda w, n: (
            ~((w == EOS).cumsum(1).roll(1, 1).index_fill(1, torch.tensor(0), 0) > 0)
            & padding_mask(n, w.shape[1])
        ),
    ],
    "4.4": [
        *(ratio_of_tensors, ratio_by_interp, ratio_by_where, ratio_of_fractions, ratio_by_steps),
        lambda e, n, f: min(1, f + (1 - f) * (n - e) / (0.8 * n)),
        lambda e, n, f: 1 if e <= n / 5 else 1 - (1 - f) * (e / n - 0.2) / 0.8,
        lambda e, n, f: torch.lerp(
            torch.tensor(f), torch.tensor(1.0), min(1, (1 - e / n) / (1 - 0.2))
        ),
        lambda e, n, f: np.float32(nb04.teacher_forcing_ratio(e, n, f)),
        lambda e, n, f: [torch.tensor([nb04.teacher_forcing_ratio(e, n, f)])][0],
    ],
    "4.5": [
        *(weight_of_fractions, weight_by_where, weight_by_interp),
        position(lambda e, n, m: e % (n / m) / (n / m)),
        position(lambda e, n, m: math.fmod(e, n / m) * m / n),
        position(lambda e, n, m: e / n % (1 / m) * m),
        position(counted_down),
        lambda e, n, m, z, f: Decimal(nb04.kl_weight(e, n, m, z, f)),
        weight_of_a_cycle,
        position(lambda e, n, m: math.modf(e * m / n)[0]),
        position(lambda e, n, m: e * m / n - e * m // n),
        position(lambda e, n, m: divmod(e * m, n)[1] / n),
        lambda *a: torch.tensor(nb04.kl_weight(*a)),
        lambda *a: np.float32(nb04.kl_weight(*a)),
        lambda e, n, m, z, f: f * max(0, e * m % n - z * n) / (n - z * n),
        lambda e, n, m, z, f: 0 if e * m % n <= z * n else f - f * (1 - e * m % n / n) / (1 - z),
    ],
}

WRONG = {
    "4.1": [
        (lambda *a: float(nb04.total_loss(*a).detach()), "`nll` gets no gradient"),
        (lambda *a: nb04.total_loss(*a).item(), "`nll` gets no gradient"),
        (loss_by_numpy, "numpy and operations in place break a gradient"),
        (items, "`nll` gets no gradient"),
        (lambda n, c, k, w: nb04.total_loss(n, c, k.detach(), w), "`kl` gets no gradient"),
        (lambda n, c, k, w: nb04.total_loss(n.data, c, k, w), "`nll` gets no gradient"),
        (by_length, "use the mask as it is"),
        (
            lambda n, c, k, w: nb04.total_loss(n, c.sum(1, True) > torch.arange(n.shape[1]), k, w),
            "of which some positions before the end do not count",
        ),
        (masks_in_place, "changes its argument `nll`"),
        (weighs_in_place, "changes its argument `kl`"),
        (first_word_returns, "the first word alone"),
        (sums_of_all, "expected"),
        (lambda n, c, k, w: n.mean() + w * k.sum(1).mean(), "do not count are counted"),
        (lambda n, c, k, w: n.sum() / c.sum() + w * k.sum(1).mean(), "expected"),
        (lambda n, c, k, w: n[c].mean() + w * k.sum(1).mean(), "long words weigh more"),
        (lambda n, c, k, w: n[c].mean() + w * k.mean(), "everything is averaged"),
        (lambda n, c, k, w: n[~c].mean() + w * k.sum(1).mean(), "expected"),
        (lambda n, c, k, w: (n * c).sum(1) / c.sum(1) + w * k.sum(1), "over the words is missing"),
        (lambda n, c, k, w: (n * c).mean() + w * k.sum(1).mean(), "not by T"),
        (lambda n, c, k, w: nb04.total_loss(n, c, k, 0.1), "0.1 stands in your code"),
        (lambda n, c, k, w: nb04.total_loss(n, c, k, 1), "not multiplied by w"),
        (lambda n, c, k, w: nb04.total_loss(n, c, k / 64, w), "averaged over dimensions"),
        (lambda n, c, k, w: nb04.total_loss(n, c, k / 2, w), "expected"),
        (lambda n, c, k, w: nb04.total_loss(n / math.log(2), c, k, w), "expected"),
        (lambda n, c, k, w: torch.stack([n[c].mean(), k.sum(1).mean()]), "should have shape ()"),
        (lambda n, c, k, w: (n * c).sum(0) / c.sum(0) + w * k.sum(1), "Shapes that do not fit"),
        (lambda n, c, k, w: nb04.total_loss(n, c, k, w)[None], "should have shape ()"),
    ],
    "4.2": [
        *(("0.1206", "one number, not the str"), ("a lot", "one number"), (True, "one number")),
        *((1, "1 is the β"), (0.12, "three digits"), (12.06, "in percent"), (0.3, "expected 0.1")),
        *((LENGTH.mean(), "that is the mean length"), (8.29, "that is the mean length")),
        *((1 / (LENGTH - 1).mean(), "EOS is a character too"), (1 / 7.29, "EOS is a character")),
        *((1 / 64, "the 64 dimensions"), (1 / 28, "the 28 tokens"), (0.1, "whose β is 0.83")),
        *(
            ((1 / LENGTH).mean(), "mean of 1/T"),
            (0.829, "the β of the report's w"),
            (0.83, "0.83 is the β"),
        ),
        *((1 / LENGTH.max(), "the longest word"), (1 / LENGTH.median(), "median")),
        (1 / LENGTH.log().mean().exp(), "or a geometric mean give it"),
        (Decimal("0.13"), "expected"),
        *((LENGTH, "one number"), (1 / LENGTH, "one number"), (nb04._cliff, "one number")),
        *((-0.1206, "expected"), (0, "expected"), (math.nan, "expected"), (math.inf, "expected")),
        *((0.13, "expected"), (1 / LENGTH.sum(), "expected"), ([0.1206], "one number")),
        *((1206, "expected"), (0.1206j, "one number"), ({"w": 0.1206}, "one number")),
    ],
    "4.3": [
        (lambda w, n: with_loop(w, n).long(), "type torch.bool"),
        (lambda w, n: with_loop(w, n).float(), "type torch.bool"),
        (lambda w, n: with_loop(w, n).tolist(), "should be a tensor"),
        (lambda w, n: with_loop(w, n).numpy(), "should be a tensor"),
        (lambda w, n: with_loop(w, n)[:, :-1], "should have shape"),
        (lambda w, n: with_loop(w, n).T, "should have shape"),
        (lambda w, n: with_loop(w, n).sum(1), "should have shape"),
        (lambda w, n: w[with_loop(w, n)], "should have shape"),
        (lambda w, n: ~with_loop(w, n), "upside down"),
        (lambda w, n: padding_mask(n, w.shape[1]), "was never emitted"),
        (lambda w, n: w != EOS, "expected"),
        (lambda w, n: (w == EOS).cumsum(1) == 0, "padding must not"),
        (lambda w, n: torch.arange(w.shape[1]) < n, "Shapes that do not fit"),
        (lambda w, n: with_loop(w, n + 1), "one position too far"),
        (lambda w, n: with_loop(w, n - 1), "one position too soon"),
        (lambda w, n: with_loop(w, n).squeeze(), "where B or T is 1, a dimension is lost"),
        (lambda w, n: with_loop(w, n) if w.shape[1] > 1 else w != EOS, "expected"),
        (overwritten, "changes its argument `written`"),
        (shortened, "changes its argument `length`"),
        (as_wide_as_the_longest, "expected"),
        (keeps_every_eos, "a second EOS was never emitted"),
        (stops_at_last_eos, "expected"),
        (breaks_before_eos, "its own EOS must count"),
        (lambda w, n: with_loop(w, torch.full_like(n, 99)), "have no target"),
        (lambda w, n: with_loop(w, torch.full_like(n, n.max())), "not the longest one's"),
        (lambda w, n: with_loop(w, torch.full_like(n, n.min())), "expected"),
    ],
    "4.4": [
        (reports_ratio, "never *declines*"),
        (forgets_return, "epoch 30: your function returned None"),
        (lambda e, n, f: 1.0, "1 throughout"),
        (lambda e, n, f: f, "final_ratio throughout"),
        (lambda e, n, f: f + (n - e) * (1 - f) / (0.8 * n), "above 1 at first"),
        (lambda e, n, f: 1 if e < n / 5 else (n - e) * (1 - f) / (0.8 * n), "falls to 0"),
        (lambda e, n, f: 1 if e < n / 5 else f + (n - e) * (1 - f) / n, "jumps at 20 %"),
        (lambda e, n, f: 1 if e < n / 5 else f + e * (1 - f) / (0.8 * n), "it rises"),
        (lambda e, n, f: 1 if e < n / 5 else f + (n - e) * (1 - f) // (0.8 * n), "// cuts"),
        (lambda e, n, f: 1 if e < n // 5 else f + (n - e) * (1 - f) / (0.8 * n), "rounded down"),
        (lambda e, n, f: 1 if e < round(n / 5) else f + (n - e) * (1 - f) / (0.8 * n), "expected"),
        (
            lambda e, n, f: 1 if e < n / 5 else f + (n - e) * (1 - f) / int(0.8 * n),
            "0.8 · epochs is rounded down",
        ),
        (lambda e, n, f: 1 / (7 - e), "(at epoch 7)"),
        (lambda e, n, f: ratio_by_steps(e, n, 0.4), "0.4 stands in your code"),
        (lambda e, n, f: ratio_by_steps(e, 150, f), "150 stand in your code"),
        (lambda e, n, f: 1 if e < 0.8 * n else f + (n - e) * (1 - f) / (0.8 * n), "expected"),
        (lambda e, n, f: 1 if e < n / 5 else 1 - (1 - f) * (e / n - 0.2) * 0.8, "expected"),
        (lambda e, n, f: max(f, 1 - max(0, e / n - 0.2)), "expected"),
        (lambda e, n, f: [1.0], "should be one number"),
        (lambda e, n, f: str(ratio_by_steps(e, n, f)), "should be one number"),
        (lambda e, n, f: True, "should be one number"),
        (lambda e, n, f: (f, (n - e) * (1 - f) / (0.8 * n)), "should be one number"),
        (lambda e, n, f: [nb04.teacher_forcing_ratio(i, n, f) for i in range(n)], "one number"),
        (lambda e, n, f: round(nb04.teacher_forcing_ratio(e, n, f), 2), "without rounding"),
        (lambda e, n, f: round(ratio_by_steps(e, n, f), 4), "expected"),
        (lambda e, n, f: 100 * ratio_by_steps(e, n, f), "expected 1"),
    ],
    "4.5": [
        (reports_weight, "stray"),
        (lambda e, n, m, z, f: f * max(0, e * m % n / n - z) / 0.8, "0.8 stands in your code"),
        (lambda e, n, m, z, f: 1 / (e - 1), "(at epoch 1)"),
        (lambda e, n, m, z, f: {0: 0.0}[e], "raised KeyError: 1 (at epoch 1)"),
        (weight_kept_by_cycles, "expected"),
        (position(lambda e, n, m: e / n), "never starts again"),
        (position(lambda e, n, m: e * m / n), "climbs beyond"),
        (position(lambda e, n, m: e % m / m), "not `cycles` epochs"),
        (position(lambda e, n, m: (e + 1) * m % n / n), "leave out + 1"),
        (position(lambda e, n, m: e % (n // m) * m / n), "expected"),
        (position(lambda e, n, m: (n - e) * m % n / n), "expected"),
        (position(lambda e, n, m: e * m % n), "divide, so that it goes"),
        (lambda e, n, m, z, f: nb04.kl_weight(e, n, m, 0, f), "share at zero is ignored"),
        (lambda e, n, m, z, f: nb04.kl_weight(e, n, 1, z, f), "never starts again"),
        (lambda e, n, m, z, f: nb04.kl_weight(e, n, 2, z, f), "the schedule for 2 cycles"),
        (lambda e, n, m, z, f: nb04.kl_weight(e, n, m, 0.2, f), "0.2 stands in your code"),
        (lambda e, n, m, z, f: nb04.kl_weight(e, n, m, z, 0.1), "0.1 stands in your code"),
        (lambda e, n, m, z, f: nb04.kl_weight(e, 150, m, z, f), "150 stands in your code"),
        (lambda e, n, m, z, f: nb04.kl_weight(e, n, m, z, 1), "multiply by final_weight"),
        (lambda e, n, m, z, f: max(0.0, f * (e * m % n / n - z)), "stays short of"),
        (lambda e, n, m, z, f: f * (e * m % n / n) * (e * m % n / n >= z), "it jumps: where"),
        (lambda e, n, m, z, f: f * (e * m % n / n >= z), "straight line"),
        (lambda e, n, m, z, f: f * (e * m % n / n - z) / (1 - z), "negative at first"),
        (lambda e, n, m, z, f: 0 if e < z * n else nb04.kl_weight(e, n, m, z, f), "too long"),
        (zero_by_epochs_of_a_cycle, "stays short of"),
        (weight_forgets_return, "epoch 0: your function returned None"),
        (lambda e, n, m, z, f: round(nb04.kl_weight(e, n, m, z, f), 3), "without rounding"),
        (lambda e, n, m, z, f: True, "should be one number"),
        (lambda e, n, m, z, f: [nb04.kl_weight(e, n, m, z, f)], "should be one number"),
    ],
}
