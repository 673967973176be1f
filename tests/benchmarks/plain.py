"""The yardstick: the report's way of training, one word and one character at a time.

It shares nothing with labkit but the model's layers, and is written as such loops usually are.
"""

import random

import torch
import torch.nn.functional as F

from labkit.language import EOS, SOS
from labkit.model import CVAE


def train_words(
    model: CVAE,
    optimizer: torch.optim.Optimizer,
    words: list[tuple[str, int]],
    ratio: float,
    kl_weight: float,
) -> None:
    """One update for each (word, tense)."""
    for word, tense in words:
        tokens = [ord(letter) - ord("a") for letter in word] + [EOS]
        condition = model.tense_embedding(torch.tensor([tense]))
        start = torch.cat([torch.zeros(1, model.encoder.zeros), condition], dim=1)[None]
        states = (start, start)
        for token in tokens:
            x = model.encoder.embedding(torch.tensor([[token]]))
            _, states = model.encoder.lstm(x, states)
        hidden, cell = states[0][0], states[1][0]
        e = model.encoder
        means = e.hidden_to_mean(hidden), e.cell_to_mean(cell)
        log_vars = e.hidden_to_log_var(hidden), e.cell_to_log_var(cell)
        z, kl = [], torch.zeros(())
        for mean, log_var in zip(means, log_vars, strict=True):
            z.append(torch.exp(log_var / 2) * torch.randn_like(mean) + mean)
            kl = kl - 0.5 * torch.sum(1 + log_var - mean**2 - log_var.exp())
        d = model.decoder
        states = (
            d.latent_to_hidden(torch.cat([z[0], condition], dim=1))[None],
            d.latent_to_cell(torch.cat([z[1], condition], dim=1))[None],
        )
        forced = random.random() < ratio
        loss, count, character = torch.zeros(()), 0, SOS
        for token in tokens:
            x = torch.relu(d.embedding(torch.tensor([[character]])))
            output, states = d.lstm(x, states)
            logits = d.output(output[:, 0])
            loss, count = loss + F.cross_entropy(logits, torch.tensor([token])), count + 1
            guess = int(logits.argmax())
            if not forced and guess == EOS:
                break
            character = token if forced else guess
        optimizer.zero_grad()
        (loss / count + kl_weight * kl).backward()
        optimizer.step()
