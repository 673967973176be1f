"""The warm-up of notebook 00."""

from __future__ import annotations

import random
from typing import Any

from labkit.exercises.core import Exercise, NotYet, call, describe, register

_random = random.Random()  # of our own: a check leaves the student's random numbers alone
_VERBS = ["jump", "call", "help", "open", "turn", "play", "show", "need", "want", "learn", "own"]


def third_person(verb: str) -> str:
    return verb + "s"


def _judge_third_person(answer: Any) -> None:
    invented = ["".join(_random.choices("abdegiklmnoprtu", k=4)) + "t" for _ in range(5)]
    for verb in ["walk", *_random.sample(_VERBS, 6), *invented]:
        try:
            got = call(answer, verb)
        except NotYet as error:
            why = " Did you print instead of return?" if "returned None" in str(error) else ""
            raise NotYet(f"{error}{why}") from None
        if not isinstance(got, str):
            raise NotYet(f"expected a string, got {describe(got)}")
        slips = {
            verb: "that is the verb itself: something is to be added",
            "walks": 'that is for "walk" only: use the argument, so that it works for every verb',
            "verbs": 'that is the word "verb": write verb, without quotes, for the argument',
            verb + "es": "-es is for verbs such as go or watch; here a plain s is enough",
            verb + "'s": "without the apostrophe",
            verb + " s": "without the blank",
            verb + "S": "with a small s",
            "s" + verb: "the s comes last",
        }
        if got != verb + "s":
            told = f"third_person({verb!r}) gave {got!r}, expected {verb + 's'!r}"
            raise NotYet(f"{told}: {slips[got]}" if got in slips else told)


register(
    Exercise(
        id="0.1",
        title="Warm-up: she walks",
        difficulty=1,
        judge=_judge_third_person,
        hints=(
            "Strings are joined by +. Replace the ... after return.",
            'return verb + "s"',
        ),
        solution=third_person,
        why='one line that suits most verbs; "goes" and "has" break it already. Rather than write '
        "more and more rules, this lab lets a model find them in examples.",
    )
)
