"""The warm-up of notebook 00."""

from __future__ import annotations

from labkit.exercises.core import Draw, Exercise, register
from labkit.exercises.results import text

_VERBS = ["jump", "call", "help", "open", "turn", "show", "need", "want", "learn"]


def third_person(verb: str) -> str:
    return verb + "s"


def _verbs(draw: Draw) -> list[tuple[str]]:
    """Fixed verbs (short, long, with more than one e), four real ones and four invented ones."""
    invented = ["".join(draw.choices("abdegiklmnoprtu", k=4)) + "t" for _ in range(4)]
    return [
        (verb,)
        for verb in [
            "walk",
            "play",
            "like",
            "own",
            "believe",
            "understand",
            *draw.sample(_VERBS, 4),
            *invented,
        ]
    ]


register(
    Exercise(
        id="0.1",
        title="Warm-up: she walks",
        difficulty=1,
        starter="def third_person(verb: str) -> str:\n    return ...",
        solution=third_person,
        result=text(),
        cases=_verbs,
        slips={
            "that is the verb itself: something is to be added": lambda verb: verb,
            'that is for "walk" only: use the argument, so that it works for every verb': (
                lambda verb: "walks"
            ),
            'that is the word "verb": write verb, without quotes, for the argument': (
                lambda verb: "verb" + "s"
            ),
            "an f is missing before the quotes": lambda verb: "{verb}s",
            "-es is for verbs such as go or watch; here a plain s is enough": (
                lambda verb: verb + "es"
            ),
            "-ies is for verbs such as carry; she plays": (
                lambda verb: verb[:-1] + "ies" if verb.endswith("y") else verb + "s"
            ),
            "without the apostrophe": lambda verb: verb + "'s",
            "without the blank": lambda verb: verb + " s",
            "nothing comes behind the s, no blank either": lambda verb: verb + "s ",
            "nothing comes behind the s, no line break either": lambda verb: verb + "s\n",
            "with a small s": lambda verb: verb + "S",
            "with a small letter at the beginning": lambda verb: verb.capitalize() + "s",
            "the s comes last": lambda verb: "s" + verb,
            "one s is enough": lambda verb: verb + "ss",
            "the verb alone, without she": lambda verb: f"she {verb}s",
            "that is the s alone: put the verb before it": lambda verb: "s",
        },
        errors={"returned None": " Did you print instead of return?"},
        hints=(
            "Strings are joined by +. Replace the ... after return.",
            'return verb + "s"',
        ),
        why='one line that suits most verbs; "goes" and "has" break it already. Rather than write '
        "more and more rules, this lab lets a model find them in examples.",
    )
)
