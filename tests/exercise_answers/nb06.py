"""Answers to the exercises of notebook 06."""

import random

import numpy as np
import torch
from torch import distributions

from labkit.exercises import nb06
from labkit.language import ALPHABET, EOS, SOS, detokenize, tokenize
from labkit.measures import latent
from labkit.model import Posterior

# 6.1


def one_by_one(mean, log_var, n):
    samples = []
    for _ in range(n):
        k = random.randrange(len(mean))
        samples.append(mean[k] + (log_var[k] / 2).exp() * torch.randn(mean.shape[1]))
    return torch.stack(samples)


def by_multinomial(mean, log_var, n):
    chosen = torch.multinomial(torch.ones(len(mean)), n, replacement=True)
    return torch.normal(mean[chosen], log_var[chosen].exp().sqrt())


def by_numpy(mean, log_var, n):
    chosen = np.random.choice(len(mean), size=n)  # noqa: NPY002
    noise = np.random.standard_normal((n, mean.shape[1]))  # noqa: NPY002
    return torch.tensor(mean.numpy()[chosen] + np.exp(log_var.numpy()[chosen] / 2) * noise)


def by_new_generator(mean, log_var, n):
    generator, std = np.random.default_rng(), torch.exp(0.5 * log_var)
    chosen = torch.from_numpy(generator.integers(len(mean), size=n))
    return mean[chosen] - std[chosen] * torch.randn(n, mean.shape[1])


def by_mixture(mean, log_var, n):
    words = distributions.Categorical(torch.ones(len(mean)))
    parts = distributions.Independent(distributions.Normal(mean, (log_var / 2).exp()), 1)
    return distributions.MixtureSameFamily(words, parts).sample((n,))


def by_one_hot(mean, log_var, n):
    chosen = torch.nn.functional.one_hot(torch.randint(0, len(mean), (n,)), len(mean)).float()
    return chosen @ mean + torch.randn(n, mean.shape[1]) * (0.5 * (chosen @ log_var)).exp()


def by_rand(mean, log_var, n):
    chosen = (torch.rand(n) * len(mean)).long()
    return torch.distributions.Normal(mean[chosen], log_var[chosen].exp() ** 0.5).sample()


def by_choices(mean, log_var, n):
    chosen = torch.tensor(random.choices(range(len(mean)), k=n))
    return mean[chosen] + (log_var / 2).exp()[chosen] * torch.randn_like(mean[chosen])


def by_labkit(mean, log_var, n):
    generator = torch.Generator()
    generator.seed()
    return latent.sample_aggregated(Posterior(mean, log_var), n, generator)


def noise_first(mean, log_var, n):
    noise = torch.randn(n, mean.shape[1])
    chosen = torch.randint(len(mean), (n,))
    return noise * (log_var[chosen] / 2).exp() + mean[chosen]


def in_place(mean, log_var, n):
    log_var.div_(2).exp_()
    chosen = torch.randint(len(mean), (n,))
    return mean[chosen] + log_var[chosen] * torch.randn(n, mean.shape[1])


def zeroes(mean, log_var, n):
    samples = nb06.sample_aggregated(mean, log_var, n)
    mean.zero_()
    return samples


def draw(mean, log_var, chosen, noise=torch.randn):
    return mean[chosen] + (log_var[chosen] / 2).exp() * noise(len(chosen), mean.shape[1])


def bell_curve(mean, log_var, n):
    words = len(mean)
    chosen = (torch.randn(n) * words / 4 + words / 2).long().clamp(0, words - 1)
    return draw(mean, log_var, chosen)


def bent(mean, log_var, n):
    return draw(mean, log_var, (torch.rand(n) ** 1.3 * len(mean)).long())


def even_steps(mean, log_var, n):
    return draw(mean, log_var, torch.linspace(0, len(mean) - 1, n).long())


def seeded_between(mean, log_var, n):
    chosen = torch.randint(len(mean), (n,))
    torch.manual_seed(0)
    return draw(mean, log_var, chosen)


def seeded_numpy(mean, log_var, n):
    generator = np.random.default_rng(42)
    chosen = torch.from_numpy(generator.integers(len(mean), size=n))
    noise = torch.from_numpy(generator.standard_normal((n, mean.shape[1])))
    return mean[chosen] + (log_var[chosen] / 2).exp() * noise


def same_twice(mean, log_var, n):
    z = nb06.sample_aggregated(mean, log_var, (n + 1) // 2)
    return torch.cat([z, z])[:n]


def antithetic_pairs(mean, log_var, n):
    noise = torch.randn((n + 1) // 2, mean.shape[1])
    noise = torch.stack([noise, -noise], dim=1).reshape(-1, mean.shape[1])[:n]
    return draw(mean, log_var, torch.randint(len(mean), (n,)), lambda *_: noise)


def weights_of_its_own(mean, log_var, n):
    weights = torch.rand(len(mean)).softmax(0)
    return draw(mean, log_var, torch.multinomial(weights, n, replacement=True))


def half_noise(mean, log_var, n):
    chosen = torch.randint(len(mean), (n,))
    return draw(mean, log_var, chosen, lambda n, d: torch.randn(n, d) * (torch.arange(d) % 2))


def all_at_once(mean, log_var, n):
    return torch.distributions.Normal(mean, (log_var / 2).exp()).sample((n,))


def weighted_average(mean, log_var, n):
    weights = torch.rand(n, len(mean)).softmax(1)
    return weights @ mean + (weights @ log_var / 2).exp() * torch.randn(n, mean.shape[1])


def sum_of_parts(mean, log_var, n):
    z = mean + (log_var / 2).exp() * torch.randn(n, *mean.shape)
    return z.mean(1)


def of_words(mean, log_var, n):
    k = random.randrange(len(mean))
    return mean[k] + (log_var[k] / 2).exp() * torch.randn(n, mean.shape[1])


def without_replacement(mean, log_var, n):
    return draw(mean, log_var, torch.randperm(len(mean))[:n])


# 6.2


def one_letter_at_a_time(model, z, tense, prefix="", max_length=30):
    states = model.decoder.initial_states(z, model.tense_embedding(torch.tensor([tense])))
    word, character = prefix, SOS
    logits, states = model.decoder(torch.tensor([[SOS]]), states)
    for letter in prefix:
        logits, states = model.decoder(torch.tensor([[ALPHABET.index(letter)]]), states)
    while len(word) < max_length:
        character = int(logits[0, -1].argmax())
        if character == EOS:
            return word
        word += ALPHABET[character]
        logits, states = model.decoder(torch.tensor([[character]]), states)
    return word


def all_of_it_again(model, z, tense, prefix="", max_length=30):
    tokens = [SOS, *map(ALPHABET.index, prefix)]
    while len(tokens) <= max_length:
        logits = model.decode(z, torch.tensor([tense]), torch.tensor([tokens]))
        if (token := logits[0, -1].argmax().item()) == EOS:
            break
        tokens.append(token)
    return detokenize(tokens[1:])


def recursively(model, z, tense, prefix="", max_length=30):
    if len(prefix) == max_length:
        return prefix
    tokens = torch.tensor([[SOS] + [ord(letter) - 97 for letter in prefix]])
    token = int(model.decode(z, torch.tensor([tense]), tokens)[0, -1].topk(1).indices)
    if token == EOS:
        return prefix
    return recursively(model, z, tense, prefix + chr(97 + token), max_length)


def forced(model, z, tense, prefix="", max_length=30):
    states = model.decoder.initial_states(z, model.tense_embedding(torch.tensor([tense])))
    character, word = torch.tensor([[SOS]]), ""
    for i in range(max_length):
        logits, states = model.decoder(character, states)
        character = logits.argmax(dim=2)
        if i < len(prefix):
            character = torch.tensor([[ALPHABET.index(prefix[i])]])
        if character == EOS:
            break
        word += ALPHABET[character]
    return word


def by_softmax(model, z, tense, prefix="", max_length=30):
    letters = tokenize(prefix)[:-1] if prefix else []
    states = model.decoder.initial_states(z, model.tense_embedding(torch.tensor([tense])))
    read = torch.tensor([[SOS, *letters]])
    for _ in range(max_length - len(letters)):
        logits, states = model.decoder(read, states)
        read = logits[:, -1:].softmax(-1).argmax(-1)
        letters.append(read.item())
        if letters[-1] == EOS:
            break
    return detokenize(letters)


def with_letters(model, z, tense, prefix="", max_length=30):
    return "".join(list(all_of_it_again(model, z, tense, prefix, max_length)))


def nine(model, z, tense, prefix="", max_length=30):
    return latent.complete(model, z, tense, prefix, 9)


def tokenizes_nothing(model, z, tense, prefix="", max_length=30):
    tokens = tokenize(prefix)[:-1]
    return latent.complete(model, z, tense, detokenize(tokens), max_length)


def zeroes_weights(model, z, tense, prefix="", max_length=30):
    word = latent.complete(model, z, tense, prefix, max_length)
    model.tense_embedding.weight.data.zero_()
    return word


def one_more_at_least(model, z, tense, prefix="", max_length=30):
    return latent.complete(model, z, tense, prefix, max(max_length, len(prefix) + 1))


def tense_times(model, z, tense, prefix="", max_length=30):
    return latent.complete(model, z, (tense + 1) % 4, prefix, max_length)


def by_greedy(model, z, tense, prefix="", max_length=30):
    return prefix + detokenize(model.greedy(z, torch.tensor([tense]), max_length)[0].tolist())


def relu_states(model, z, tense, prefix="", max_length=30):
    return latent.complete(model, z.relu(), tense, prefix, max_length)


def swaps_z(model, z, tense, prefix="", max_length=30):
    return latent.complete(model, z.roll(3, 1), tense, prefix, max_length)


def drawn(model, z, tense, prefix="", max_length=30):
    word = prefix
    while len(word) < max_length:
        tokens = torch.tensor([[SOS, *map(ALPHABET.index, word)]])
        logits = model.decode(z, torch.tensor([tense]), tokens)[0, -1]
        token = int(torch.multinomial(logits.softmax(0), 1))
        if token == EOS:
            break
        word += ALPHABET[token]
    return word


def kept_without_z(model, z, tense, prefix="", max_length=30, kept={}):  # noqa: B006
    key = tense, prefix, max_length
    if key not in kept:
        kept[key] = latent.complete(model, z, tense, prefix, max_length)
    return kept[key]


def but(change, **others):
    """The right word, changed."""
    return lambda m, z, t, p="", n=30: change(latent.complete(m, z, t, p, n), p)


RIGHT = {
    "6.1": [
        *(one_by_one, by_multinomial, by_numpy, by_new_generator, by_mixture, by_one_hot),
        *(by_rand, by_choices, by_labkit, noise_first),
        lambda m, v, n: nb06.sample_aggregated(m.clone(), v.clone(), n).double(),
        lambda m, v, n: nb06.sample_aggregated(m.requires_grad_(), v, n),
    ],
    "6.2": [
        *(one_letter_at_a_time, all_of_it_again, recursively, forced, by_softmax, with_letters),
        lambda m, z, t, p="", n=30: latent.complete(m, z.clone(), t, p, max_length=n),
        but(lambda word, prefix: prefix + word[len(prefix) :]),
        but(lambda word, prefix: detokenize([*map(ALPHABET.index, word), EOS, EOS])),
        lambda m, z, t, p="", n=30: one_letter_at_a_time(m, z, torch.tensor(t), p, n),
    ],
}

WRONG = {
    "6.1": [
        (in_place, "changes its argument `log_var`"),
        (zeroes, "changes its argument `mean`"),
        (bell_curve, "quarter of the words, expected"),
        (bent, "come from the first quarter of the words, expected"),
        (even_steps, "of the same quarter of the words as the latent before"),
        (seeded_between, "the noise starts from a fixed seed"),
        (seeded_numpy, "the random numbers start from a fixed seed"),
        (same_twice, "of 6000 latents are different ones"),
        (antithetic_pairs, "of the latents is another latent's, or its negative"),
        (weights_of_its_own, "expected"),
        (lambda m, v, n: nb06.sample_aggregated(m, v.clamp(-3, 3), n), "with 4 words"),
        (half_noise, "with 4 words and n = 3,000"),
        (all_at_once, "should have shape (3000, 4), not (3000, 4, 4)"),
        (weighted_average, "lie far off every word"),
        (sum_of_parts, "lie far off every word"),
        (of_words, "all latents come from one word"),
        (without_replacement, "should have shape (3000, 4), not (4, 4)"),
        (lambda m, v, n: draw(m, v, torch.randint(4, (n,))), "with 600 words and n = 100"),
        (lambda m, v, n: draw(m, v, torch.zeros(n).long()), "all latents come from one word"),
        (lambda m, v, n: m[0].repeat(n, 1), "latents are the same in two calls"),
        (lambda m, v, n: m, "should have shape (3000, 4), not (4, 4)"),
        (lambda m, v, n: [0.0] * n, "should be a tensor of shape (3000, 4), not the list"),
        (lambda m, v, n: nb06.sample_aggregated(m, v, n).tolist(), "should be a tensor of shape"),
        (lambda m, v, n: nb06.sample_aggregated(m, v, n).numpy(), "not a numpy array"),
        (lambda m, v, n: nb06.sample_aggregated(m, v, n)[0], "not (4,)"),
        (lambda m, v, n: nb06.sample_aggregated(m, v, n).T, "not (4, 3000)"),
        (lambda m, v, n: nb06.sample_aggregated(m, v, n)[:, :2], "not (3000, 2)"),
        (lambda m, v, n: nb06.sample_aggregated(m, v, n).round(), "different ones"),
        (lambda m, v, n: nb06.sample_aggregated(m, v, n).long(), "different ones"),
        (lambda m, v, n: nb06.sample_aggregated(m, 1.2 * v, n), "with 4 words and n = 3,000"),
        (lambda m, v, n: nb06.sample_aggregated(m, v + 0.3, n), "with 4 words and n = 3,000"),
        (lambda m, v, n: nb06.sample_aggregated(m.abs(), v, n), "with 4 words and n = 3,000"),
        (lambda m, v, n: nb06.sample_aggregated(m, v, n) + 1, "with 4 words and n = 3,000"),
        (lambda m, v, n: nb06.sample_aggregated(m, v / 2, n), "the fourth root of the variance"),
        (
            lambda m, v, n: nb06.sample_aggregated(m, 2 * v, n),
            "the noise is scaled by exp(log_var)",
        ),
        (lambda m, v, n: nb06.sample_aggregated(m, v, n) * float("nan"), "nan or infinite"),
        (lambda m, v, n: nb06.sample_aggregated(m, v, n).sort(0).values, "with 4 words"),
        (lambda m, v, n: m[torch.randint(4, (n,))] + v.exp() * torch.randn(n, 4), "RuntimeError"),
        (
            lambda m, v, n: draw(
                m, v, torch.randint(len(m), (n,)), lambda *s: 1.15 * torch.randn(s)
            ),
            "with 4 words and n = 3,000",
        ),
        (
            lambda m, v, n: draw(
                m, v, torch.randint(len(m), (n,)), lambda *s: 0.7 * torch.randn(s).exp()
            ),
            "with 4 words and n = 3,000",
        ),
        (
            lambda m, v, n: draw(
                m, v, torch.randint(len(m), (n,)), lambda *s: torch.randn(s).clamp(-2.5, 2.5)
            ),
            "of the noise lie beyond 2.6 of its deviations",
        ),
        (
            lambda m, v, n: draw(
                m,
                v,
                torch.randint(len(m), (n,)),
                lambda *s: torch.distributions.Laplace(0.0, 0.5**0.5).sample(s),
            ),
            "as of a normal one",
        ),
    ],
    "6.2": [
        (nine, "expected"),
        (tokenizes_nothing, "the prefix may be empty"),
        (zeroes_weights, "changes its argument `model`"),
        (one_more_at_least, "after 'sang', with max_length = 4, got 'sang"),
        (tense_times, "expected"),
        (by_greedy, "expected"),
        (relu_states, "expected"),
        (swaps_z, "expected"),
        (kept_without_z, "expected"),
        (lambda m, z, t, p="", n=30: latent.complete(m, z.round(), t, p, n), "z is rounded"),
        (
            lambda m, z, t, p="", n=30: latent.complete(m, z, t, p, max(n, len(p) + 1)),
            "after 'sang', with max_length = 4",
        ),
        (
            lambda m, z, t, p="", n=30: latent.complete(m, z, t, p, n + (len(p) == n)),
            "where the prefix has max_length letters",
        ),
        (drawn, "expected"),
        (but(lambda word, prefix: tokenize(word or "a")), "a string, got the list"),
        (but(lambda word, prefix: list(word)), "a string, got the list"),
        (but(lambda word, prefix: (prefix, word)), "a string, got the tuple"),
        (but(lambda word, prefix: torch.tensor(len(word))), "a string, got a tensor"),
        (but(lambda word, prefix: word or None), "is a return missing?"),
        (but(lambda word, prefix: word.upper()), "expected"),
        (but(lambda word, prefix: word + " "), "expected"),
        (but(lambda word, prefix: word + "\n"), "expected"),
        (but(lambda word, prefix: " ".join(word)), "expected"),
        (but(lambda word, prefix: word[len(prefix) :]), "return prefix and completion"),
        (but(lambda word, prefix: prefix), "let the decoder go on"),
        (but(lambda word, prefix: prefix + word), "the prefix stands there twice"),
        (but(lambda word, prefix: word[: len(prefix) + 1]), "is the return inside the loop?"),
        (but(lambda word, prefix: word[:-1]), "expected"),
        (but(lambda word, prefix: word[::-1]), "expected"),
        (but(lambda word, prefix: prefix.join(["", word])), "expected"),
        (but(lambda word, prefix: "walk"), "got 'walk', expected"),
        (lambda m, z, t, p="", n=30: latent.complete(m, z, t, p), "30 stands in your code"),
        (
            lambda m, z, t, p="", n=30: latent.complete(m, z, 0, p, n),
            "the tense makes no diff",
        ),
        (lambda m, z, t, p="", n=30: latent.complete(m, 0 * z, t, p, n), "z makes no differ"),
        (lambda m, z, t, p="", n=30: latent.complete(m, z, t, "", n), "never forced"),
        (lambda m, z, t, p="", n=30: latent.complete(m, z, t, p, n + len(p)), "whole word"),
        (lambda m, z, t, p="", n=30: latent.complete(m, z, t, p, n - 1), "expected"),
        (lambda m, z, t, p="", n=30: latent.complete(m, z, t, p[:1], n), "expected"),
        (lambda m, z, t, p="", n=30: latent.complete(m, z, t, p[-1:], n), "expected"),
    ],
}
