"""A model in few bytes, with the same answers: what a page needs so as to hold one.

Two steps. First the LSTMs read one-hot vectors instead of embedded letters: with only V letters,
input weights times embeddings is one small table (V, 4H), which takes the place of both. (See
`lstm_over_letters`.) Then each row of a matrix becomes whole numbers and one scale: a byte a
weight, or two where a byte would change what the model writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from labkit.errors import RunError
from labkit.inference import decode, encode
from labkit.model import CVAE
from labkit.tables import Row

LARGEST = {1: 127, 2: 32767}  # bytes of a weight -> its largest whole number


@dataclass(frozen=True)
class Whole:
    """A matrix in whole numbers: row r stands for scales[r] · numbers[r]."""

    numbers: Tensor  # (R, C) int16
    scales: Tensor  # (R,) float32
    width: Tensor  # (R,) bytes of each number of the row: 1 or 2

    @property
    def matrix(self) -> Tensor:
        """The matrix that these numbers stand for: (R, C) float32."""
        return self.numbers * self.scales[:, None]


def quantise(matrix: Tensor, wide: Tensor | bool = False) -> Whole:
    """A matrix (R, C) in whole numbers. No weight moves by more than half its row's scale.

    wide: (R,) bool, which rows take two bytes a weight.
    """
    width = torch.where(torch.as_tensor(wide).expand(len(matrix)), 2, 1)
    largest = torch.where(width == 2, LARGEST[2], LARGEST[1])
    scales = matrix.abs().amax(dim=1) / largest
    scales = torch.where(scales > 0, scales, torch.ones_like(scales))  # a row of zeros
    numbers = (matrix / scales[:, None]).round()
    numbers = torch.minimum(numbers.abs(), largest[:, None]) * numbers.sign()
    return Whole(numbers.to(torch.int16), scales, width)


@torch.no_grad()
def one_hot_twin(model: CVAE) -> CVAE:
    """The same model, whose LSTMs read one-hot vectors instead of embedded letters."""
    language, weights = model.language, dict(model.state_dict())
    size = language.vocabulary_size
    for half, letters in (
        ("encoder", weights["encoder.embedding.weight"]),
        ("decoder", torch.relu(weights["decoder.embedding.weight"])),
    ):
        lstm = f"{half}.lstm"
        products = weights[f"{lstm}.weight_ih_l0"].double() @ letters.double().T  # (4H, V)
        weights[f"{lstm}.weight_ih_l0"] = products.float()
        weights[f"{lstm}.bias_ih_l0"] = weights[f"{lstm}.bias_ih_l0"] + weights.pop(
            f"{lstm}.bias_hh_l0"
        )
        weights[f"{lstm}.bias_hh_l0"] = torch.zeros(4 * model.hidden)
        weights[f"{half}.embedding.weight"] = torch.eye(size)
    with torch.random.fork_rng(devices=[]):  # new layers draw weights, which are replaced below
        twin = CVAE(language=language, **model.sizes)
        for part in (twin.encoder, twin.decoder):
            part.lstm = nn.LSTM(size, model.hidden, batch_first=True)
            part.embedding = nn.Embedding(size, size)
    twin.load_state_dict(weights)
    return twin


def parameters(twin: CVAE) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Copies of the matrices and the biases of a one-hot twin that decide its answers, by name."""
    weights = {
        name: weight.clone()
        for name, weight in twin.state_dict().items()
        if not name.endswith(
            ("log_var.weight", "log_var.bias", "bias_hh_l0", "coder.embedding.weight")
        )
    }
    matrices = {name: weight for name, weight in weights.items() if weight.dim() == 2}
    return matrices, {name: weight for name, weight in weights.items() if weight.dim() == 1}


class Answers:
    """What a model writes for every word of a verb table, in every form."""

    def __init__(self, model: CVAE, rows: Sequence[Row]) -> None:
        self.forms = len(model.language.forms)
        distinct = dict.fromkeys((word, form) for row in rows for form, word in enumerate(row))
        self.asked = [*distinct]  # (word, form it stands in)
        self.wanted = self.of(model, range(len(self.asked)))

    def of(self, model: CVAE, chosen: Sequence[int]) -> list[list[str]]:
        """The chosen words in all forms, as this model writes them."""
        words, forms = zip(*(self.asked[number] for number in chosen), strict=True)
        z = encode(model, words, forms).mean.repeat_interleave(self.forms, dim=0)
        flat = decode(model, z, [*range(self.forms)] * len(words))
        return [flat[first : first + self.forms] for first in range(0, len(flat), self.forms)]

    def changed(self, model: CVAE, likely: Sequence[int] = ()) -> list[int]:
        """The words of which this model writes other forms. If there are some among the `likely`
        ones, which are looked at first, then those only."""
        for chosen in (likely, range(len(self.asked))):
            found = self.of(model, chosen) if chosen else []
            pairs = zip(chosen, found, strict=True)
            if bad := [number for number, forms in pairs if forms != self.wanted[number]]:
                return bad
        return []

    def __len__(self) -> int:
        return len(self.asked) * self.forms


def _attempts(matrices: Mapping[str, Tensor]) -> Iterator[dict[str, bool]]:
    """Which matrices take two bytes a weight: none; all but the LSTMs' recurrent weights, which are
    five weights of six; all."""
    yield dict.fromkeys(matrices, False)
    yield {name: not name.endswith("weight_hh_l0") for name in matrices}
    yield dict.fromkeys(matrices, True)


@torch.no_grad()
def pack(model: CVAE, answers: Answers, called: str) -> tuple[dict[str, Whole], dict[str, Tensor]]:
    """The matrices of the one-hot twin in as few bytes as leave every answer as it is; its biases.

    called: the model's name, for the message. Raises RunError if two bytes change an answer too.
    """
    twin = one_hot_twin(model)
    matrices, biases = parameters(twin)
    state = twin.state_dict()
    bad: list[int] = []
    for wide in _attempts(matrices):
        whole = {name: quantise(rows, wide[name]) for name, rows in matrices.items()}
        twin.load_state_dict({**state, **{name: rows.matrix for name, rows in whole.items()}})
        bad = answers.changed(twin, bad)
        if not bad:
            return whole, biases
    word, form = answers.asked[bad[0]]
    raise RunError(
        f"{called}: even with two bytes a weight, what becomes of {len(bad)} training word(s) "
        f"changes, {word!r} ({model.language.codes[form]}) for one: the model hesitates between "
        "two letters there; train it for longer"
    )
