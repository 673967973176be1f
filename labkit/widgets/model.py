"""Notebook 03's panel: watch a decoder choose one character after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure

from labkit.inference import encode
from labkit.language import detokenize
from labkit.model import CVAE, shift_right
from labkit.plots.model import choice_figure
from labkit.tables import Row
from labkit.widgets.panel import Panel, dropdown, int_slider


@torch.no_grad()
def choices(model: CVAE, word: str, tense: int, target: int) -> tuple[list[int], torch.Tensor]:
    """What the model writes for a word in the tense `target`, up to EOS or 30 characters, and its
    probabilities on the way: T tokens, (T, V). The latent is the posterior mean."""
    z, wanted = encode(model, [word], [tense]).mean, torch.tensor([target])
    written = model.greedy(z, wanted)  # (1, T)
    inputs = shift_right(written, model.language)
    logits = model.decode(z, wanted, inputs)  # (1, T, V)
    return written[0].tolist(), logits[0].softmax(dim=1)


def writing_panel(models: Mapping[str, CVAE], rows: Sequence[Row]) -> Panel:
    """Choose a model, a word of `rows`, a form and a step; see the probability of every character.

    The models are of one language.
    """
    language = next(iter(models.values())).language
    symbols, names = language.symbols, language.form_names
    forms = [(name, number) for number, name in enumerate(names)]
    longest = max(len(word) for row in rows for word in row)
    words = {
        f"{word} ({tense})": (word, code)
        for row in rows
        for code, (word, tense) in enumerate(zip(row, language.codes, strict=True))
    }

    def draw(model: str, word: tuple[str, int], target: int, step: int) -> tuple[Figure, str]:
        written, probabilities = choices(models[model], *word, target)
        last = min(step, len(written)) - 1
        here = probabilities[last].tolist()
        best = symbols[written[last]]
        ended = step > len(written) or (step == len(written) and written[-1] == language.eos)
        so_far = detokenize(written[: last + 1], language)
        text = (
            f"{model}: reads “{word[0]}”, writes it in the {names[target]}. Step {last + 1}: "
            f"after {'SOS' if last == 0 else symbols[written[last - 1]]} it is "
            f"{max(here):.0%} sure of {best}. "
            f"{'The word is finished' if ended else 'So far'}: “{so_far}”."
        )
        read = ["SOS", *(symbols[token] for token in written[:last])]
        return choice_figure(read, here, language), text

    return Panel(
        draw,
        {
            "model": dropdown("model", list(models), list(models)[-1]),
            "word": dropdown("read the word", list(words.items()), next(iter(words.values()))),
            "target": dropdown("write it in", forms, min(2, len(forms) - 1)),
            "step": int_slider("character number", 1, 1, longest + 1),
        },
    )
