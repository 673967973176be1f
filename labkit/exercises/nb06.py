"""Exercises of notebook 06: the aggregated posterior, and a decoder that is given a beginning."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from labkit.exercises.core import Draw, Exercise, register, told_apart
from labkit.exercises.results import NotYet, TensorOf, differing, text
from labkit.language import ALPHABET, EOS, SOS, TENSES
from labkit.measures.latent import complete
from labkit.model import CVAE


# 6.1
def sample_aggregated(mean: Tensor, log_var: Tensor, n: int) -> Tensor:
    chosen = torch.randint(len(mean), (n,))  # (n,): a word for each latent, drawn anew each time
    noise = torch.randn(n, mean.shape[1])
    return mean[chosen] + (log_var[chosen] / 2).exp() * noise


class _Drawn(NamedTuple):
    """What two calls returned, one after the other, and what they were given."""

    samples: tuple[Any, Any]
    mean: Tensor
    log_var: Tensor
    n: int


class _Measure(NamedTuple):
    """A number that tells of latents how they were drawn."""

    value: float
    tolerance: float
    meaning: str  # with {got} and {expected}


_SIGMAS = 8.5  # of the difference of two right answers: 6 times its deviation


class _Mixture:
    """Latents drawn from a mixture of words' Gaussians, compared by measures of how they lie.

    Where latents are drawn so badly that a measure tells nothing, it is left out: two answers with
    the same slip then have the same measures, whatever numbers they drew.
    """

    def read(self, value: _Drawn, right: Any) -> dict[str, _Measure]:
        kind, wanted = TensorOf("the result"), torch.empty(value.n, value.mean.shape[1])
        one, other = (kind.read(sample, wanted) for sample in value.samples)
        if not torch.isfinite(torch.cat([one, other])).all():
            raise NotYet("some of the latents are nan or infinite")
        return _measures(one, other, value.mean.double(), (value.log_var.double() / 2).exp())

    def same(self, a: dict[str, _Measure], b: dict[str, _Measure]) -> bool:
        return a.keys() == b.keys() and not any(_differs(a[name], b[name]) for name in a)

    def show(self, got: dict[str, _Measure], right: dict[str, _Measure]) -> str:
        for name, measure in got.items():
            if name in right and _differs(measure, right[name]):
                numbers = differing(measure.value, right[name].value)
                return measure.meaning.format(got=numbers[0], expected=numbers[1])
        return "these are no samples of q(z)"


def _differs(a: _Measure, b: _Measure) -> bool:
    return abs(a.value - b.value) > max(a.tolerance, b.tolerance)


def _measures(one: Tensor, other: Tensor, mean: Tensor, deviation: Tensor) -> dict[str, _Measure]:
    """Measures of the latents of two calls, (n, D) each, drawn from words that lie far apart."""
    n, words = len(one), len(mean)
    found: dict[str, _Measure] = {}
    if n < 100:  # too few to measure
        return found

    def add(name: str, value: float, tolerance: float, meaning: str) -> None:
        found[name] = _Measure(value, tolerance, meaning)

    def share(name: str, values: Tensor, probability: float, meaning: str) -> None:
        """The share of True among values, of which each has this probability."""
        deviation = math.sqrt(probability * (1 - probability) / values.numel())
        add(name, float(values.double().mean()), _SIGMAS * deviation or 0.05, meaning)

    again = (one == other).all(dim=1)
    share("again", again, 0, "{got} of the latents are the same in two calls, expected {expected}")
    if again.all():
        return found

    both = torch.cat([one, other])  # (2n, D)
    count = len(both.sum(dim=1).unique())
    add(
        "count",
        math.log(count),
        0.05,
        f"only {count} of {2 * n} latents are different ones, where all should be",
    )
    distance = torch.cdist(both, mean)  # (2n, N)
    word = distance.argmin(dim=1)
    gap = float(torch.cdist(mean, mean).fill_diagonal_(math.inf).min()) / 4
    far = distance.amin(dim=1) > gap
    add("far", float(far.double().mean()), 0.02, "{got} of the latents lie far off every word")
    if far.double().mean() > 0.5:
        off = (both - mean.mean(dim=0)).norm(dim=1).median()
        spread = (mean - mean.mean(dim=0)).norm(dim=1).median()
        add("off", float(off / spread), 0.25, "the latents lie too far off the middle")
        near = (both[:, None] - mean).abs().amin(dim=1) < gap / 16  # (2n, D)
        add("near", float(near.double().mean()), 0.3, "the latents lie off the words")
        return found

    noise = (both - mean[word]) / deviation[word]  # (2n, D)
    for value, what in (
        (0, "the words' means themselves"),
        (1, "one σ above"),
        (-1, "one σ below"),
    ):
        at = ((noise - value).abs() < 1e-3).double().mean()
        add(f"at {value}", float(at), 0.02, f"{{got}} of the numbers are {what}")
    _measure_words(found, share, word * 4 // words, n)  # 0 to 3: which quarter of the words
    if words == 4:
        even = all((half.bincount(minlength=4) == n // 4).all() for half in word.split(n))
        add("even", float(even), 0.1, "each word is chosen equally often, to the last latent")
    if count < n or found["neighbours"].value == 1:
        return found
    _measure_noise(add, share, noise, word, n)
    return found


def _measure_words(
    found: dict[str, _Measure], share: Callable[..., None], quarter: Tensor, n: int
) -> None:
    """How the words of the latents of two calls are spread over the list of words."""
    one, other = quarter.split(n)
    alike = quarter.reshape(2, n).diff(dim=1) == 0
    told = "{got} of the latents are of the same quarter of the words as"
    share("neighbours", alike, 0.25, f"{told} the latent before, expected {{expected}}")
    if alike.all():
        return
    for number, place in enumerate(("first", "second", "third", "last")):
        told_share = f"{{got}} of the latents come from the {place} quarter of the words"
        share(place, quarter == number, 0.25, f"{told_share}, expected {{expected}}")
    share("words", one == other, 0.25, f"{told} in the call before, expected {{expected}}")
    for call in (one, other):
        counts = call.bincount(minlength=4).double()
        # Of four equal shares it is chi squared with 3 degrees of freedom: about 3, never 45.
        uneven = float((counts - n / 4).square().sum() / (n / 4))
        told = ", ".join(f"{share:.3g}" for share in (counts / n).tolist())
        told = f"the quarters of the words have {told} of the latents of one call, expected 0.25"
        found[f"uneven {len(found)}"] = _Measure(min(uneven, 90.0), 45, told)


def _measure_noise(
    add: Callable[..., None], share: Callable[..., None], noise: Tensor, word: Tensor, n: int
) -> None:
    """How the noise of the latents of two calls, (2n, D), is spread: it should be N(0, 1)."""
    one, other = noise.split(n)
    told = "{got} of the latents have the same noise"
    again = (one - other).abs().amax(dim=1) < 1e-3
    share("noise again", again, 0, f"{told} as in the call before")
    alike = one.diff(dim=0).abs().amax(dim=1) < 1e-3
    share("noise alike", alike, 0, f"{told} as the latent before")
    across = (noise - noise[:, :1]).abs().amax(dim=1) < 1e-3
    share("noise across", across, 0, f"{told} in all dimensions")
    if n < 1000 or alike.any() or again.any():
        return
    if not across.any():
        paired = _paired(noise)
        told = "the noise of {got} of the latents is another latent's, or its negative"
        share("noise paired", paired, 0, told)
        if paired.any():
            return
    normed, widths = torch.zeros_like(noise), []
    for k in word.unique().tolist():
        of_word = noise[word == k]  # (about n / 2, D)
        centre, scale = of_word.mean(dim=0), of_word.std(dim=0).clamp(min=1e-6)
        normed[word == k] = (of_word - centre) / scale
        if len(of_word) < n / 20:
            continue
        for d, (middle, size) in enumerate(zip(centre.tolist(), scale.tolist(), strict=True)):
            told = f"measured in σ of word {k}, the noise of dimension {d} has"
            told = f"{told} deviation {size:.3g} and mean {middle:.3g}, expected 1 and 0"
            error = _SIGMAS / math.sqrt(len(of_word))
            add(f"width {k} {d}", math.log(size), error / math.sqrt(2), told)
            add(f"centre {k} {d}", middle / size, error, told)
            widths.append(math.log(size))
    if widths:
        width = sum(widths) / len(widths)
        told = (
            f"measured in σ of its word, the noise has deviation {math.exp(width):.3g}, expected 1"
        )
        add("width", width, _SIGMAS / math.sqrt(2 * noise.numel()), told)
    told = "{got} of the noise lie"
    normal = "of its deviations, expected {expected} as of a normal one"
    for limit, probability in ((-1.0, 0.1587), (0.0, 0.5), (1.0, 0.8413)):
        share(f"below {limit}", normed < limit, probability, f"{told} below {limit} {normal}")
    for limit, probability in ((2.0, 0.0455), (2.2, 0.0278), (2.6, 0.0093)):
        share(
            f"beyond {limit}", normed.abs() > limit, probability, f"{told} beyond {limit} {normal}"
        )
    if not across.any():
        together = torch.corrcoef(normed.T)[0, 1:]
        for d, correlation in enumerate(together.tolist(), start=1):
            told = f"the noise of dimensions 0 and {d} goes together: a correlation of {{got}}"
            add(f"together {d}", correlation, _SIGMAS / math.sqrt(2 * n), told)


def _paired(noise: Tensor) -> Tensor:
    """Of each latent whether another has the same noise, but for signs, in all dimensions."""
    size = noise.abs()
    size = size[size[:, 0].argsort()]  # so that partners stand next to each other
    near = [(size.roll(lag, 0) - size).abs().amax(dim=1) < 2e-3 for lag in (-3, -2, -1, 1, 2, 3)]
    return torch.stack(near).any(dim=0)


def _posteriors(draw: Draw) -> list[tuple[Tensor, Tensor, int]]:
    """Posteriors of words that lie so far apart that each latent tells its word.

    Four words and many latents, many words and few latents, and a single latent.
    """
    centres = torch.tensor([-900.0, -300.0, 300.0, 900.0])
    mean = torch.stack([centres[torch.tensor(draw.sample(range(4), 4))] for _ in range(4)], dim=1)
    mean = mean + 60 * draw.normal(4, 4).clamp(-1, 1) + 40
    widths = [0.1, 0.35, 0.6, 0.9, 1.4, 2.0, 3.0, 8.0] * 2
    log_var = 2 * torch.tensor(draw.sample(widths, 16)).log().reshape(4, 4)
    many = torch.arange(600.0)[:, None] * torch.tensor([4.0, -4.0])
    return [
        (mean, log_var, 3000),
        (many, torch.full_like(many, -4.0), 100),
        (mean, log_var, 1),
    ]


def _two_calls(
    function: Callable[[Tensor, Tensor, int], Any], mean: Tensor, log_var: Tensor, n: int
) -> Any:
    """Call twice; the second call is given copies, should the first one change its arguments."""
    given = copy.deepcopy((mean, log_var))
    one = function(mean, log_var, n)
    if one is None or one is ...:
        return one
    return _Drawn((one, function(*copy.deepcopy(given), n)), *given, n)


Sampler = Callable[[Tensor, Tensor, int], Tensor]


def _any_word(mean: Tensor, n: int) -> Tensor:
    return torch.randint(len(mean), (n,))


def _normal(n: int, size: int) -> Tensor:
    return torch.randn(n, size)


def _sampled(
    *,
    choose: Callable[[Tensor, int], Tensor] = _any_word,
    width: Callable[[Tensor], Tensor] = lambda log_var: (log_var / 2).exp(),
    noise: Callable[[int, int], Tensor] = _normal,
) -> Sampler:
    """A wrong solution to 6.1: some part of the right one replaced."""

    def wrong(mean: Tensor, log_var: Tensor, n: int) -> Tensor:
        chosen = choose(mean, n)
        return mean[chosen] + width(log_var[chosen]) * noise(n, mean.shape[1])

    return wrong


def _antithetic(n: int, size: int) -> Tensor:
    half = torch.randn((n + 1) // 2, size)
    return torch.cat([half, -half])[:n]


def _two_words(mean: Tensor, log_var: Tensor, n: int) -> Tensor:
    one, other = _any_word(mean, n), _any_word(mean, n)
    return mean[one] + (log_var[other] / 2).exp() * torch.randn(n, mean.shape[1])


def _word_for_each_dimension(mean: Tensor, log_var: Tensor, n: int) -> Tensor:
    chosen = torch.randint(len(mean), (n, mean.shape[1]))
    return mean.gather(0, chosen) + (log_var.gather(0, chosen) / 2).exp() * torch.randn(
        n, mean.shape[1]
    )


def _averaged(mean: Tensor, log_var: Tensor, n: int) -> Tensor:
    return mean.mean(dim=0) + (log_var.mean(dim=0) / 2).exp() * torch.randn(n, mean.shape[1])


def _moment_matched(mean: Tensor, log_var: Tensor, n: int) -> Tensor:
    variance = log_var.exp().mean(dim=0) + mean.var(dim=0, correction=0)
    return mean.mean(dim=0) + variance.sqrt() * torch.randn(n, mean.shape[1])


def _then_indexed(mean: Tensor, log_var: Tensor, n: int) -> Tensor:
    samples = mean + (log_var / 2).exp() * torch.randn_like(mean)
    return samples[_any_word(mean, n)]


def _seeded(mean: Tensor, log_var: Tensor, n: int) -> Tensor:
    torch.manual_seed(0)
    return sample_aggregated(mean, log_var, n)


def _seeded_normal(n: int, size: int) -> Tensor:
    return torch.randn(n, size, generator=torch.Generator().manual_seed(0))


def _seeded_word(mean: Tensor, n: int) -> Tensor:
    return torch.randint(len(mean), (n,), generator=torch.Generator().manual_seed(0))


register(
    Exercise(
        id="6.1",
        title="Sample from the aggregated posterior",
        difficulty=2,
        starter="def sample_aggregated(mean: Tensor, log_var: Tensor, n: int) -> Tensor:\n"
        "    return ...",
        solution=sample_aggregated,
        result=_Mixture(),
        cases=_posteriors,
        call=_two_calls,
        tell=lambda case, got, right: (
            f"with {len(case.arguments[0]):,} words and n = {case.arguments[2]:,}, "
            f"{_Mixture().show(got, right)}"
        ),
        slips={
            "these are the words' means: each latent needs noise, std · ε, as well": _sampled(
                noise=torch.zeros
            ),
            "no ε: every latent lies one σ off its word; σ is to be multiplied by noise": _sampled(
                noise=torch.ones
            ),
            "the noise is scaled by exp(log_var): the deviation is exp(log_var / 2)": _sampled(
                width=torch.exp
            ),
            "the noise is scaled by 1: the deviation is exp(log_var / 2)": _sampled(
                width=torch.ones_like
            ),
            "the noise is scaled by exp(−log_var / 2): the deviation is exp(log_var / 2)": _sampled(
                width=lambda log_var: (-log_var / 2).exp()
            ),
            "the noise is scaled by exp(2 · log_var): the deviation is exp(log_var / 2)": _sampled(
                width=lambda log_var: (log_var * 2).exp()
            ),
            "the noise is scaled by log_var itself, a logarithm: σ is exp(log_var / 2)": _sampled(
                width=lambda log_var: log_var
            ),
            "the noise is scaled by log_var / 2, still a logarithm: σ is exp(log_var / 2)": (
                _sampled(width=lambda log_var: log_var / 2)
            ),
            "the noise is scaled by the fourth root of the variance: σ is exp(log_var / 2)": (
                _sampled(width=lambda log_var: (log_var / 4).exp())
            ),
            "log_var may be below 0, so it has no square root; σ is exp(log_var / 2)": _sampled(
                width=torch.sqrt
            ),
            "one ε for all: draw noise of shape (n, 2Z), new for each latent": _sampled(
                noise=lambda n, size: torch.randn(1, size)
            ),
            "one ε for all dimensions: draw noise of shape (n, 2Z)": _sampled(
                noise=lambda n, size: torch.randn(n, 1)
            ),
            "torch.rand is uniform, and never below 0: draw ε by torch.randn": _sampled(
                noise=torch.rand
            ),
            "this noise is uniform round 0: draw ε by torch.randn": _sampled(
                noise=lambda n, size: 2 * torch.rand(n, size) - 1
            ),
            "this noise is uniform, though as wide as it should be: draw ε by torch.randn": (
                _sampled(noise=lambda n, size: 3**0.5 * (2 * torch.rand(n, size) - 1))
            ),
            "this noise is never negative: draw ε by torch.randn, without abs": _sampled(
                noise=lambda n, size: torch.randn(n, size).abs()
            ),
            "ε is +1 or −1 only: draw it by torch.randn": _sampled(
                noise=lambda n, size: torch.randn(n, size).sign()
            ),
            "ε is cut off at ±2: leave the tails of torch.randn as they are": _sampled(
                noise=lambda n, size: torch.randn(n, size).clamp(-2, 2)
            ),
            "half of the noise is the other half's with its sign turned: draw each latent's anew": (
                _sampled(noise=_antithetic)
            ),
            "each call gives the words weights of its own: in q(z) all of them weigh alike": (
                _sampled(
                    choose=lambda mean, n: torch.multinomial(torch.rand(len(mean)) ** 2, n, True)
                )
            ),
            "the index is cut off at the last word, which comes too often: use torch.randint": (
                _sampled(
                    choose=lambda mean, n: torch.randint(len(mean) + 1, (n,)).clamp(
                        max=len(mean) - 1
                    )
                )
            ),
            "a mean of one word with the width of another: draw *one* index for both": _two_words,
            "each dimension comes from another word: draw one word for a whole latent": (
                _word_for_each_dimension
            ),
            "all latents lie in the middle between the words: the aggregated posterior is a "
            "mixture of the words' Gaussians, not one Gaussian with averaged parameters": _averaged,
            "this is one wide Gaussian with the mean and the variance of all: the aggregated "
            "posterior is a mixture of the words' Gaussians": _moment_matched,
            "this is the prior, N(0, 1): the words are to be found in q(z)": (
                lambda mean, log_var, n: torch.randn(n, mean.shape[1])
            ),
            "one sample a word, taken again and again: first choose the words, then draw": (
                _then_indexed
            ),
            "all latents come from one word: choose a word anew, at random, for every latent": (
                _sampled(choose=lambda mean, n: torch.randint(len(mean), (1,)).expand(n))
            ),
            "you took the words in order, one after the other, so the first ones only where there "
            "are more than n: choose at random": _sampled(
                choose=lambda mean, n: torch.arange(n) % len(mean)
            ),
            "you choose among the first n words only": _sampled(
                choose=lambda mean, n: torch.randint(min(n, len(mean)), (n,))
            ),
            "you choose among the first two words only": _sampled(
                choose=lambda mean, n: torch.randint(2, (n,))
            ),
            "the words come in blocks, in order: choose one at random for every latent": _sampled(
                choose=lambda mean, n: torch.arange(n) * len(mean) // n
            ),
            "the words are sorted: let each latent's be independent of the one before": _sampled(
                choose=lambda mean, n: _any_word(mean, n).sort().values
            ),
            "every word comes equally often: independent choices do not": _sampled(
                choose=lambda mean, n: (
                    torch.randperm(math.ceil(n / len(mean)) * len(mean))[:n] % len(mean)
                )
            ),
            "the last word is never chosen: torch.randint leaves out its end by itself": _sampled(
                choose=lambda mean, n: torch.randint(len(mean) - 1, (n,))
            ),
            "the first word is never chosen: numbers start at 0": _sampled(
                choose=lambda mean, n: torch.randint(1, len(mean), (n,))
            ),
            "the first and the last word come half as often, since you round: use torch.randint": (
                _sampled(choose=lambda mean, n: (torch.rand(n) * (len(mean) - 1)).round().long())
            ),
            "the random numbers start from a fixed seed: draw anew in every call": _seeded,
            "the noise starts from a fixed seed: draw it anew in every call": _sampled(
                noise=_seeded_normal
            ),
            "the words start from a fixed seed: choose anew in every call": _sampled(
                choose=_seeded_word
            ),
            "n = 3000 stands in your code: use n": lambda mean, log_var, n: sample_aggregated(
                mean, log_var, 3000
            ),
            "one sample of each word is not n samples": lambda mean, log_var, n: (
                mean + (log_var / 2).exp() * torch.randn_like(mean)
            ),
            "for a single latent a dimension is lost: leave out squeeze": lambda mean, log_var, n: (
                sample_aggregated(mean, log_var, n).squeeze()
            ),
        },
        hints=(
            "For each latent choose one of the words at random, then sample that word's Gaussian.",
            "chosen = torch.randint(len(mean), (n,)); then mean[chosen] + exp(log_var[chosen] / 2) "
            "times noise of shape (n, 2Z).",
        ),
        why="a sample from a mixture is a sample from one randomly chosen part of it",
    )
)


# 6.2

Writer = Callable[[CVAE, Tensor, int, str, int], str]


def _greedy(logits: Tensor) -> Tensor:
    return logits.argmax()


def _spell(tokens: list[int]) -> str:
    return "".join((ALPHABET + "^|")[token] for token in tokens)


def _until_eos(tokens: list[int]) -> list[int]:
    return tokens[: [*tokens, EOS].index(EOS)]


def _stuck(model: CVAE, z: Tensor, tense: int, prefix: str, max_length: int) -> str:
    """Each letter is read from the states behind the prefix: they are not carried on."""
    with torch.no_grad():
        condition = model.tense_embedding(torch.tensor([tense]))
        letters = [ALPHABET.index(letter) for letter in prefix]
        reads, states = [SOS, *letters], model.decoder.initial_states(z, condition)
        logits, states = model.decoder(torch.tensor([reads]), states)
        while len(letters) < max_length and (letter := int(logits[0, -1].argmax())) != EOS:
            letters.append(letter)
            logits, _ = model.decoder(torch.tensor([[letter]]), states)
        return _spell(letters)


def _from_start(start: Any, after: Any) -> Any:
    return start


def _completed(
    *,
    given: Callable[[Tensor, int], tuple[Tensor, int]] = lambda z, tense: (z, tense),
    first: Callable[[list[int]], list[int]] = lambda prefix: [SOS, *prefix],
    position: int = -1,
    choose: Callable[[Tensor], Tensor] = _greedy,
    then: Callable[[list[int], list[int]], list[int]] = lambda prefix, written: written[-1:],
    carried: Callable[[Any, Any], Any] = lambda start, after: after,
    steps: Callable[[list[int], int], int] = lambda prefix, longest: longest - len(prefix),
    result: Callable[[list[int], list[int]], list[int]] = lambda prefix, written: (
        prefix + _until_eos(written)
    ),
) -> Writer:
    """A wrong solution to 6.2: some part of the right one replaced.

    The decoder reads `first`, the logits at `position` decide, later it reads `then`. `result`
    makes the word of all that was written, EOS and what comes behind it included.
    """

    @torch.no_grad()
    def wrong(model: CVAE, z: Tensor, tense: int, prefix: str, max_length: int) -> str:
        z, tense = given(z, tense)
        letters, written = [ALPHABET.index(letter) for letter in prefix], []
        condition = model.tense_embedding(torch.tensor([tense]))
        start = states = model.decoder.initial_states(z, condition)
        reads = first(letters)
        for step in range(steps(letters, max_length)):
            logits, after = model.decoder(torch.tensor([reads]), states)
            written.append(int(choose(logits[0, -1 if step else position])))
            states, reads = carried(start, after), then(letters, written)
        return _spell(result(letters, written))

    return wrong


_ENDED_WRONG: dict[str, Writer] = {
    "the forced letters belong to the word: return prefix and completion": _completed(
        result=lambda prefix, written: _until_eos(written)
    ),
    "that is the prefix alone: let the decoder go on": lambda model, z, tense, prefix, longest: (
        prefix
    ),
    "the prefix stands there twice": _completed(
        result=lambda prefix, written: prefix + prefix + _until_eos(written)
    ),
    "EOS ends the word and is no letter of it": _completed(
        result=lambda prefix, written: prefix + written[: [*written, EOS].index(EOS) + 1]
    ),
    "SOS is no letter of the word": _completed(
        result=lambda prefix, written: [SOS, *prefix, *_until_eos(written)]
    ),
    "the loop goes on after EOS": _completed(result=lambda prefix, written: prefix + written),
    "the loop goes on after EOS, and only the EOS is left out: the word is over at EOS": (
        _completed(result=lambda prefix, written: prefix + [t for t in written if t != EOS])
    ),
    "max_length counts the whole word, prefix included": _completed(
        steps=lambda prefix, longest: longest
    ),
    "one letter more than max_length": _completed(
        steps=lambda prefix, longest: longest - len(prefix) + 1
    ),
    "one letter less than max_length: SOS is not counted": _completed(
        steps=lambda prefix, longest: longest - len(prefix) - 1
    ),
    "30 stands in your code: use max_length": _completed(
        steps=lambda prefix, longest: 30 - len(prefix)
    ),
    "where the prefix has max_length letters, none is added": _completed(
        steps=lambda prefix, longest: max(1, longest - len(prefix))
    ),
    "only one letter is added: is the return inside the loop?": _completed(
        result=lambda prefix, written: prefix + _until_eos(written)[:1]
    ),
    "the last letter is lost": _completed(
        result=lambda prefix, written: prefix + _until_eos(written)[:-1]
    ),
}
_READ_WRONG: dict[str, Writer] = {  # these may write the right word by chance, or one another's
    "the decoder reads SOS before the first letter": _completed(
        first=lambda prefix: prefix or [EOS]
    ),
    "EOS stands where SOS should: the decoder reads SOS before the first letter": _completed(
        first=lambda prefix: [EOS, *prefix]
    ),
    "after the prefix you begin again from the initial states: the decoder has not read it": (
        _completed(first=lambda prefix: [SOS])
    ),
    "the prefix's last letter is read twice": _completed(
        first=lambda prefix: [SOS, *prefix, *prefix[-1:]]
    ),
    "the prefix's last letter is not read": _completed(first=lambda prefix: [SOS, *prefix[:-1]]),
    "only the last letter of the prefix is read": _completed(
        first=lambda prefix: [SOS, *prefix][-1:]
    ),
    "only SOS and the last letter of the prefix are read": _completed(
        first=lambda prefix: [SOS, *prefix[-1:]]
    ),
    "the prefix is read with its EOS: tokenize puts one at its end": _completed(
        first=lambda prefix: [SOS, *prefix, *[EOS][: len(prefix)]]
    ),
    "the prefix is read backwards": _completed(first=lambda prefix: [SOS, *prefix[::-1]]),
    "the prefix is never forced: that is the word that the decoder writes alone": _completed(
        first=lambda prefix: [SOS],
        steps=lambda prefix, longest: longest,
        result=lambda prefix, written: _until_eos(written),
    ),
    "the prefix is only written over the decoder's own letters: it has to read it": _completed(
        first=lambda prefix: [SOS],
        steps=lambda prefix, longest: longest,
        result=lambda prefix, written: prefix + _until_eos(written)[len(prefix) :],
    ),
    "the first logits are those behind SOS: the last ones choose the next letter": _completed(
        position=0
    ),
    "each step starts from the initial states: carry the new ones on": _completed(
        carried=_from_start
    ),
    "every step reads the whole word again, though the states remember it": _completed(
        then=lambda prefix, written: [SOS, *prefix, *written]
    ),
    "every step reads SOS: it should read what was just written": _completed(
        then=lambda prefix, written: [SOS]
    ),
    "the tense makes no difference: embed it, and give it to initial_states": _completed(
        given=lambda z, tense: (z, 0)
    ),
    "z makes no difference: initial_states needs it": _completed(
        given=lambda z, tense: (0 * z, tense)
    ),
    "argmin is the *un*likeliest letter": _completed(choose=lambda logits: logits.argmin()),
    "each step starts from the states behind the prefix: carry the new ones on": _stuck,
    "this is drawn at random: greedy takes the likeliest letter, argmax": _completed(
        choose=lambda logits: torch.multinomial(logits.softmax(dim=0), 1)
    ),
    "z is rounded: use it as it is": _completed(given=lambda z, tense: (z.round(), tense)),
}


def _completion_cases(draw: Draw) -> Sequence[tuple[Any, ...]]:
    """Lively models, prefixes of 0 to 3 letters; some words end early, some at max_length."""
    while True:  # until chance hides no slip
        cases: list[tuple[Any, ...]] = []
        for number in range(9):
            model = CVAE(12, 4, 3).requires_grad_(False)
            for weights in model.parameters():
                weights.mul_(8)  # so that what it writes depends on what it read
            model.decoder.output.bias[SOS] = -1e9
            model.decoder.output.bias[EOS] += 2.0
            prefix = "".join(draw.choices(ALPHABET, k=(2, 0, 3, 1, 2)[number % 5]))
            tense = draw.randrange(len(TENSES))
            cases.append((model, draw.normal(1, 6), tense, prefix, (8, 6, 9)[number % 3]))
        silent, z, tense, _, longest = cases[-1]
        silent.decoder.output.bias[EOS] = 1e9
        cases += [(silent, z, tense, prefix, longest) for prefix in ("", "ab")]
        cases.append((cases[0][0], draw.normal(1, 6), *cases[0][2:]))  # the first, with another z
        full = [len(complete(*case)) == case[4] for case in cases[:8]]
        more = [case for case in cases[:8] if len(complete(*(*case[:3], "sang", 5))) == 5]
        if not more or not 2 <= sum(full) <= 6 or complete(*cases[0]) == complete(*cases[-1]):
            continue
        cases.append((*more[0][:3], "sang", 4))  # the prefix is all there is room for
        if told_apart(cases, [complete, *_ENDED_WRONG.values(), *_READ_WRONG.values()]):
            return cases


register(
    Exercise(
        id="6.2",
        title="Complete a prefix",
        difficulty=3,
        starter="def complete(\n"
        '    model: CVAE, z: Tensor, tense: int, prefix: str = "", max_length: int = MAX_LENGTH\n'
        ") -> str:\n"
        "    return ...",
        solution=complete,
        result=text(),
        cases=_completion_cases,
        tell=lambda case, got, right: (
            f"after {case.arguments[3]!r}, with max_length = {case.arguments[4]}, "
            f"got {got[:40]!r}, expected {right!r}"
        ),
        slips=_ENDED_WRONG | _READ_WRONG,
        errors={"an empty word": " (the prefix may be empty: then the decoder reads SOS alone)"},
        hints=(
            "Let the decoder read SOS and the prefix in one call; its last logits choose the next.",
            "states = model.decoder.initial_states(z, model.tense_embedding(torch.tensor([tense])))"
            "; logits, states = model.decoder(reads, states) with reads = [[SOS, *letters]], later "
            "[[character]] alone; stop at EOS or at max_length letters in all.",
        ),
        why="the states remember what was read, so after the prefix one character a step is enough",
    )
)
