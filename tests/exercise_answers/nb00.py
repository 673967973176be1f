"""Answers to the warm-up."""

import torch

RIGHT = {"0.1": [lambda verb: f"{verb}s", lambda verb: "".join([*verb, "s"])]}

WRONG = {
    "0.1": [
        (lambda verb: verb.upper() + "S", "gave 'WALKS', expected 'walks'"),
        (lambda verb: verb.replace("e", "es") if verb[-1] == "e" else verb + "s", "'believe'"),
        (lambda verb: 7, "expected a string, got the int 7"),
        (lambda verb: torch.ones(2), "a tensor of shape (2,)"),
        (lambda verb: verb - "s", "raised TypeError"),
        (lambda verb: print(end=""), "Did you print instead of return?"),
        (lambda verb: exit(), "your code ends Python"),
        ("walks", "expected a function"),
    ]
}
