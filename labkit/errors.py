"""What a person can mend: each error's message says what is wrong, where, and how to mend it."""


class DataError(ValueError):
    """A table, a word or a form that cannot be used."""


class RunError(ValueError):
    """A run folder or checkpoint that cannot be used."""


def short(value: object) -> str:
    """A value as a message quotes it: at most 60 characters, on one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:56]} …{text[-1]}"
