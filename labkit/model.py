"""The conditional sequence-to-sequence VAE (built in notebook 03).

The latent is a pair, from the encoder's hidden and cell state: its vectors have 2Z numbers.
(What the letters of shapes mean: `labkit/__init__.py`.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labkit.batches import Batch
from labkit.language import ENGLISH, MAX_LENGTH, Language

HIDDEN = 256
CONDITION = 8
LATENT = 32


class Posterior(NamedTuple):
    """q(z | word, tense) = N(mean, exp(log_var)), a Gaussian with a diagonal covariance.

    The first Z of the 2Z numbers came from the encoder's hidden state, the others from its cell.
    """

    mean: Tensor  # (B, 2Z)
    log_var: Tensor  # (B, 2Z)


def lstm_over_letters(
    lstm: nn.LSTM, letters: Tensor, tokens: Tensor, states: tuple[Tensor, Tensor]
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """`lstm(letters[tokens], states)`, in less time (how much: tests/benchmarks/RESULTS.md).

    lstm: of one layer and one direction.  letters: (V, H), what it sees of each token.
    tokens: (B, T).  states: 2 x (1, B, H).  Returns the outputs (B, T, H), the states afterwards.

    At every character an LSTM multiplies its input weights by one of only V vectors. Here it does
    so once for each letter of the alphabet instead of once for each character of the batch: the
    products are the input weights of an LSTM that reads one-hot vectors. (Notebook 03.)
    """
    # Fewer characters than letters: nothing to save. And cuDNN wants its weights in one block.
    if tokens.numel() <= len(letters) or tokens.is_cuda:
        return lstm(letters[tokens], states)
    input_weight, *others = lstm.all_weights[0]  # of the one layer
    products = input_weight @ letters.T  # (4H, V)
    one_hot = F.one_hot(tokens, len(letters)).to(letters)  # (B, T, V)
    outputs, hidden, cell = torch.lstm(
        one_hot,
        states,
        [products, *others],
        has_biases=True,
        num_layers=lstm.num_layers,
        dropout=0.0,
        train=lstm.training,
        bidirectional=lstm.bidirectional,
        batch_first=True,
    )
    return outputs, (hidden, cell)


class Encoder(nn.Module):
    """Reads a word and its EOS; what it remembers becomes a posterior."""

    def __init__(self, vocabulary: int, hidden: int, condition: int, latent: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, hidden)
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
            _, (hidden[rows], cell[rows]) = lstm_over_letters(
                self.lstm, self.embedding.weight, tokens[rows, :n], states
            )
        return Posterior(
            torch.cat([self.hidden_to_mean(hidden), self.cell_to_mean(cell)], dim=1),
            torch.cat([self.hidden_to_log_var(hidden), self.cell_to_log_var(cell)], dim=1),
        )


class Decoder(nn.Module):
    """Writes a word, character by character, from a latent and a tense."""

    def __init__(self, vocabulary: int, hidden: int, condition: int, latent: int) -> None:
        super().__init__()
        self.latent_to_hidden = nn.Linear(latent + condition, hidden)
        self.latent_to_cell = nn.Linear(latent + condition, hidden)
        self.embedding = nn.Embedding(vocabulary, hidden)
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)
        self.output = nn.Linear(hidden, vocabulary)

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
        letters = torch.relu(self.embedding.weight)
        outputs, states = lstm_over_letters(self.lstm, letters, inputs, states)
        return self.output(outputs), states


class CVAE(nn.Module):
    """Encoder, decoder, and the tense embedding that both share.

    A variant is a subclass that takes the same keywords; its class name and sizes are kept beside
    its weights (`description`), so that weights never load into another kind of model.
    """

    def __init__(
        self,
        hidden: int = HIDDEN,
        condition: int = CONDITION,
        latent: int = LATENT,
        language: Language = ENGLISH,
    ) -> None:
        super().__init__()
        self.hidden, self.condition, self.latent = hidden, condition, latent
        self.language = language
        self.tense_embedding = nn.Embedding(len(language.forms), condition)
        self.encoder = Encoder(language.vocabulary_size, hidden, condition, latent)
        self.decoder = Decoder(language.vocabulary_size, hidden, condition, latent)

    @property
    def sizes(self) -> dict[str, int]:
        """The keywords that make a model of these sizes: H, C and Z."""
        return {"hidden": self.hidden, "condition": self.condition, "latent": self.latent}

    @property
    def description(self) -> dict[str, Any]:
        """What the weights belong to, as plain data: variant, sizes, language."""
        language = self.language.to_json()
        return {"variant": type(self).__name__, **self.sizes, "language": language}

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
    def greedy(self, z: Tensor, tense: Tensor, max_length: int = MAX_LENGTH) -> Tensor:
        """Write each word by taking the likeliest character again and again.

        z (B, 2Z), tense (B,) -> tokens (B, T), T <= max_length; all EOS from a word's own EOS on.
        """
        sos, eos = self.language.sos, self.language.eos
        written = torch.full((len(z), max_length), eos, device=z.device)
        running = torch.arange(len(z), device=z.device)  # rows that have not written EOS yet
        states = self.decoder.initial_states(z, self.tense_embedding(tense))
        character = torch.full((len(z),), sos, device=z.device)
        for step in range(max_length):
            logits, states = self.decoder(character[:, None], states)
            character = logits[:, 0].argmax(dim=1)
            written[running, step] = character
            going_on = character != eos
            if not going_on.all():  # finished words leave the batch
                running, character = running[going_on], character[going_on]
                if len(running) == 0:
                    return written[:, : step + 1]
                states = (states[0][:, going_on].contiguous(), states[1][:, going_on].contiguous())
        return written


ModelMaker = Callable[..., CVAE]  # takes the keywords `language` and, if need be, sizes


def new_model(seed: int, language: Language = ENGLISH, make_model: ModelMaker = CVAE) -> CVAE:
    """A model with PyTorch's default initial weights drawn from `seed`, and from it alone.

    make_model: CVAE, a subclass, or either with other sizes: `partial(CVAE, hidden=64)`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make_model(language=language)


def shift_right(tokens: Tensor, language: Language = ENGLISH) -> Tensor:
    """What the decoder reads so as to write `tokens`: SOS, then all but the last. (B, T)."""
    return torch.cat([torch.full_like(tokens[:, :1], language.sos), tokens[:, :-1]], dim=1)
