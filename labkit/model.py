"""The conditional sequence-to-sequence VAE (built in notebook 03).

Letters in shape comments: B batch, T characters in time, V vocabulary (28), H hidden (256),
C condition (8), Z latent (32; the latent is a pair, so its vectors have 2Z = 64 numbers).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labkit.data import EOS, SOS, TENSES, VOCABULARY_SIZE, Batch

HIDDEN = 256
CONDITION = 8
LATENT = 32


class Posterior(NamedTuple):
    """q(z | word, tense) = N(mean, exp(log_var)), a Gaussian with a diagonal covariance.

    The first Z of the 2Z numbers came from the encoder's hidden state, the others from its cell.
    """

    mean: Tensor  # (B, 2Z)
    log_var: Tensor  # (B, 2Z)


def read(
    lstm: nn.LSTM, letters: Tensor, tokens: Tensor, states: tuple[Tensor, Tensor]
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """`lstm(letters[tokens], states)`, in less time (how much: tests/benchmarks/RESULTS.md).

    letters: (V, H), what the LSTM sees of each token; tokens: (B, T); states: 2 x (1, B, H).
    Returns the outputs (B, T, H) and the states afterwards.

    At every character an LSTM multiplies its input weights by one of only V = 28 vectors. Here it
    does so once for each letter of the alphabet instead of once for each character of the batch:
    the products are the input weights of an LSTM that reads one-hot vectors. (Notebook 03.)
    """
    # Fewer characters than letters: nothing to save. cuDNN wants its weights in one block. And
    # an LSTM that reads both ways has two sets of input weights.
    if tokens.numel() <= len(letters) or tokens.is_cuda or lstm.bidirectional:
        return lstm(letters[tokens], states)
    input_weight, *others = (weight for layer in lstm.all_weights for weight in layer)
    products = input_weight @ letters.T  # (4H, V)
    one_hot = F.one_hot(tokens, len(letters)).to(letters)  # (B, T, V)
    outputs, hidden, cell = torch.lstm(
        one_hot,
        states,
        [products, *others],
        has_biases=lstm.bias,
        num_layers=lstm.num_layers,
        dropout=lstm.dropout,
        train=lstm.training,
        bidirectional=False,
        batch_first=lstm.batch_first,
    )
    return outputs, (hidden, cell)


class Encoder(nn.Module):
    """Reads a word and its EOS; what it remembers becomes a posterior."""

    def __init__(self, hidden: int, condition: int, latent: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY_SIZE, hidden)
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)
        self.hidden_to_mean = nn.Linear(hidden, latent)
        self.hidden_to_log_var = nn.Linear(hidden, latent)
        self.cell_to_mean = nn.Linear(hidden, latent)
        self.cell_to_log_var = nn.Linear(hidden, latent)
        self.zeros = hidden - condition  # 248: what the tense leaves free of the initial states

    def forward(self, tokens: Tensor, length: Tensor, condition: Tensor) -> Posterior:
        """tokens (B, T) ending in EOS, length (B,), condition (B, C) -> means, log variances."""
        start = torch.cat([condition.new_zeros(len(condition), self.zeros), condition], dim=1)
        hidden, cell = torch.empty_like(start), torch.empty_like(start)  # (B, H)
        for n in length.unique().tolist():  # one length at a time: padding never reaches the state
            rows = length == n
            states = (start[None, rows], start[None, rows])  # (1, B, H) each
            _, (hidden[rows], cell[rows]) = read(
                self.lstm, self.embedding.weight, tokens[rows, :n], states
            )
        return Posterior(
            torch.cat([self.hidden_to_mean(hidden), self.cell_to_mean(cell)], dim=1),
            torch.cat([self.hidden_to_log_var(hidden), self.cell_to_log_var(cell)], dim=1),
        )


class Decoder(nn.Module):
    """Writes a word, character by character, from a latent and a tense."""

    def __init__(self, hidden: int, condition: int, latent: int) -> None:
        super().__init__()
        self.latent_to_hidden = nn.Linear(latent + condition, hidden)
        self.latent_to_cell = nn.Linear(latent + condition, hidden)
        self.embedding = nn.Embedding(VOCABULARY_SIZE, hidden)
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)
        self.output = nn.Linear(hidden, VOCABULARY_SIZE)

    def initial_states(self, z: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden and cell state before the first character: (B, 2Z), (B, C) -> 2 x (1, B, H)."""
        z_hidden, z_cell = z.chunk(2, dim=1)  # (B, Z) each
        hidden = self.latent_to_hidden(torch.cat([z_hidden, condition], dim=1))
        cell = self.latent_to_cell(torch.cat([z_cell, condition], dim=1))
        return hidden[None], cell[None]

    def forward(
        self, inputs: Tensor, states: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Read inputs (B, T) from the given states -> logits (B, T, V), the states afterwards."""
        outputs, states = read(self.lstm, torch.relu(self.embedding.weight), inputs, states)
        return self.output(outputs), states


class CVAE(nn.Module):
    """Encoder, decoder, and the tense embedding that both share."""

    def __init__(
        self, hidden: int = HIDDEN, condition: int = CONDITION, latent: int = LATENT
    ) -> None:
        super().__init__()
        self.latent = latent
        self.tense_embedding = nn.Embedding(len(TENSES), condition)
        self.encoder = Encoder(hidden, condition, latent)
        self.decoder = Decoder(hidden, condition, latent)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.tense_embedding.weight.device

    def encode(self, batch: Batch) -> Posterior:
        """The posterior of each word, given the tense it stands in."""
        return self.encoder(batch.tokens, batch.length, self.tense_embedding(batch.tense))

    def decode(self, z: Tensor, tense: Tensor, inputs: Tensor) -> Tensor:
        """Logits after reading each of `inputs`: (B, 2Z), (B,), (B, T) -> (B, T, V).

        With the target shifted right as input this is teacher forcing; with the model's own
        predictions shifted right it is a free run.
        """
        logits, _ = self.decoder(
            inputs, self.decoder.initial_states(z, self.tense_embedding(tense))
        )
        return logits

    @torch.no_grad()
    def greedy(self, z: Tensor, tense: Tensor, max_length: int = 30) -> Tensor:
        """Write each word by taking the likeliest character again and again.

        z (B, 2Z), tense (B,) -> tokens (B, T), T <= max_length; all EOS from a word's own EOS on.
        """
        written = torch.full((len(z), max_length), EOS, device=z.device)
        running = torch.arange(len(z), device=z.device)  # rows that have not written EOS yet
        states = self.decoder.initial_states(z, self.tense_embedding(tense))
        character = torch.full((len(z),), SOS, device=z.device)
        for step in range(max_length):
            logits, states = self.decoder(character[:, None], states)
            character = logits[:, 0].argmax(dim=1)
            written[running, step] = character
            going_on = character != EOS
            if not going_on.all():  # finished words leave the batch
                running, character = running[going_on], character[going_on]
                if len(running) == 0:
                    return written[:, : step + 1]
                states = (states[0][:, going_on].contiguous(), states[1][:, going_on].contiguous())
        return written


def new_model(seed: int) -> CVAE:
    """A CVAE with PyTorch's default initial weights drawn from `seed`, and from it alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return CVAE()


def shift_right(tokens: Tensor) -> Tensor:
    """What the decoder reads so as to write `tokens`: SOS, then all but the last. (B, T)."""
    return torch.cat([torch.full_like(tokens[:, :1], SOS), tokens[:, :-1]], dim=1)
