"""Exercises of notebook 06: the aggregated posterior, and a decoder that is given a beginning."""

from __future__ import annotations

import random
from typing import Any

import torch
from torch import Tensor

from labkit.exercises.core import Exercise, NotYet, call, describe, expect_tensor, register
from labkit.language import ALPHABET, EOS, SOS, TENSES
from labkit.measures.latent import complete
from labkit.model import CVAE

_random = random.Random()  # of our own: a check leaves the student's random numbers alone


# --- 6.1


def sample_aggregated(mean: Tensor, log_var: Tensor, n: int) -> Tensor:
    chosen = torch.randint(len(mean), (n,))  # (n,): a word for each latent, drawn anew each time
    noise = torch.randn(n, mean.shape[1])
    return mean[chosen] + (log_var[chosen] / 2).exp() * noise


def _judge_aggregated(answer: Any) -> None:
    # Three words so far apart that each latent tells its word, with three widths.
    places = torch.tensor([-300.0, 0.0, 450.0])[torch.randperm(3)]
    deviations = torch.tensor([[0.2, 0.3], [0.5, 2.0], [3.0, 5.0]])
    mean, n = torch.stack([places, -places], dim=1), 3000
    got = expect_tensor(call(answer, mean, 2 * deviations.log(), n), (n, 2)).double()
    word = torch.cdist(got, mean.double()).argmin(dim=1)
    noise = (got - mean[word]) / deviations[word]
    counts = torch.bincount(word, minlength=3)
    if len(got.unique(dim=0)) == 1:
        raise NotYet("all latents are the same: draw a word and noise for each of them")
    if float((got - mean.double().mean(dim=0)).norm(dim=1).median()) < 40:
        raise NotYet(
            "all latents lie in the middle between the words: the aggregated posterior is a "
            "mixture of the words' Gaussians, not one Gaussian with averaged parameters"
        )
    if int(counts.min()) < n / 6:
        raise NotYet(
            f"of three words, {counts.tolist()} latents came from each: choose a word anew, at "
            "random, for every latent"
        )
    if float(noise.abs().max()) < 1e-3:
        raise NotYet("these are the words' means: each latent needs noise, std · ε, as well")
    if float((noise[1:] - noise[:-1]).abs().median()) < 1e-3:
        raise NotYet("one ε for all: draw noise of shape (n, 2Z), new for each latent")
    if float((noise[:, 0] - noise[:, 1]).abs().median()) < 1e-3:
        raise NotYet("one ε for all dimensions: draw noise of shape (n, 2Z)")
    for power, slip in ((2.0, "exp(log_var)"), (0.0, "1"), (-1.0, "exp(−log_var / 2)")):
        wrong = (got - mean[word]) / deviations[word] ** power
        if 0.94 < float(wrong.std()) < 1.06 and not 0.94 < float(noise.std()) < 1.06:
            raise NotYet(f"the noise is scaled by {slip}: the deviation is exp(log_var / 2)")
    spreads = [float((got - mean[word])[word == k].std()) for k in range(3)]
    if max(spreads) < 1.5 * min(spreads):
        raise NotYet("a mean of one word with the width of another: draw *one* index for both")
    if not (0.94 < float(noise.std()) < 1.06 and float(noise.mean().abs()) < 0.06):
        raise NotYet(
            f"measured in deviations of its word, the noise has mean {float(noise.mean()):.2f} "
            f"and deviation {float(noise.std()):.2f}, expected 0 and 1"
        )
    many = torch.arange(5000.0)[:, None] * 10
    few = expect_tensor(call(answer, many, torch.full_like(many, -9.0), 20), (20, 1))
    if float(few.max()) < 1000:
        raise NotYet("from 5,000 words you took the first ones only: choose among all of them")


# --- 6.2


def _go_on(model: CVAE, z: Tensor, tense: int, read: list[int], count: int) -> list[int]:
    """Up to `count` further characters after reading `read`, all of it again at every step."""
    written: list[int] = []
    while len(written) < count:
        logits = model.decode(z, torch.tensor([tense]), torch.tensor([[*read, *written]]))
        written.append(int(logits[0, -1].argmax()))
        if written[-1] == EOS:
            break
    return written


def _spell(tokens: list[int]) -> str:
    return "".join("^" if t == SOS else ALPHABET[t] for t in tokens if t != EOS)


_MESSAGES = (
    "the forced letters belong to the word: return prefix and completion",
    "the decoder reads SOS before the first letter",
    "after the prefix you begin again from the initial states: the decoder has not read it",
    "the prefix's last letter is read twice",
    "the prefix is never forced: that is the word that the decoder writes alone",
    "max_length counts the whole word, prefix included",
    "the tense makes no difference: embed it, and give it to initial_states",
)


@torch.no_grad()
def _complete_with_slips(
    model: CVAE, z: Tensor, tense: int, prefix: str, longest: int
) -> tuple[str, ...]:
    """The right answer, then what each slip of _MESSAGES would give."""
    p = [ALPHABET.index(letter) for letter in prefix]
    rest = longest - len(p)

    def word(read: list[int], count: int = rest, tense: int = tense) -> str:
        return _spell(_go_on(model, z, tense, read, count))

    right = word([SOS, *p])
    return (
        prefix + right,
        right,
        prefix + word(p or [EOS]),
        prefix + word([SOS]),
        prefix + word([SOS, *p, *p[-1:]]),
        word([SOS], longest),
        prefix + word([SOS, *p], longest),
        prefix + word([SOS, *p], tense=0),
    )


def _judge_complete(answer: Any) -> None:
    longest, cases = 9, []
    for number in range(16):
        model = CVAE(12, 4, 3)
        with torch.no_grad():
            for weights in model.parameters():
                weights.mul_(8)  # so that what it writes depends on what it read
            model.decoder.output.bias[SOS] = -1e9
            model.decoder.output.bias[EOS] += 2.0
        prefix = "".join(_random.choices(ALPHABET, k=number % 4))
        given = (model, torch.randn(1, 6), _random.randrange(len(TENSES)), prefix, longest)
        got = call(answer, *given)
        if not isinstance(got, str):
            raise NotYet(f"expected the word, a string, got {describe(got)}")
        cases.append((prefix, got, _complete_with_slips(*given)))
    wrong = [case for case in cases if case[1] != case[2][0]]
    if not wrong:
        return
    prefix, got, (right, *_) = wrong[-1]
    shown = f"after {prefix!r} got {got!r}, expected {right!r}"
    for number, message in enumerate(_MESSAGES, start=1):
        if all(got == words[number] for prefix, got, words in cases if prefix):
            raise NotYet(f"{shown}: {message}")
    if all(got.startswith(words[0]) for _, got, words in cases):
        raise NotYet(f"{shown}: the word is over at EOS")
    raise NotYet(shown)


register(
    Exercise(
        "6.1", "Sample from the aggregated posterior", 2, _judge_aggregated,
        ("For each latent choose one of the words at random, then sample that word's Gaussian.",
         "chosen = torch.randint(len(mean), (n,)); then mean[chosen] + exp(log_var[chosen] / 2) "
         "times noise of shape (n, 2Z)."),
        sample_aggregated,
        "a sample from a mixture is a sample from one randomly chosen part of it",
    ),
    Exercise(
        "6.2", "Complete a prefix", 3, _judge_complete,
        ("Let the decoder read SOS and the prefix in one call; its last logits choose the next.",
         "states = model.decoder.initial_states(z, model.tense_embedding(torch.tensor([tense]))); "
         "logits, states = model.decoder(reads, states) with reads = [[SOS, *letters]], later "
         "[[character]] alone; stop at EOS or at max_length letters in all."),
        complete,
        "the states remember what was read, so after the prefix one character a step is enough",
    ),
)  # fmt: skip
