"""The right word for a misspelt one, as every message about one ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def nearest(word: str, choices: Iterable[str], most: int = 2, likeness: float = 0.5) -> list[str]:
    """The choices spelt most like the word, the likest first; capitals do not count. `likeness`: 1 is equal, 0 anything."""
    from difflib import get_close_matches  # here: only mistakes need it

    known = {choice.lower(): choice for choice in choices}
    return [known[found] for found in get_close_matches(word.lower(), known, most, likeness)]


def did_you_mean(close: Sequence[str]) -> str:
    """ "; did you mean: x or y", or "" if nothing is close."""
    return f"; did you mean: {' or '.join(close)}" if close else ""


def meant(word: str, choices: Iterable[str], most: int = 2, likeness: float = 0.5) -> str:
    """ "; did you mean: x", the nearest choices, or "" if nothing is near."""
    return did_you_mean(nearest(word, choices, most, likeness))
