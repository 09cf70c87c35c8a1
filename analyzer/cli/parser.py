"""An argument parser whose errors are one line with the nearest right thing."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, NoReturn

from analyzer.errors import UsageError


class Parser(argparse.ArgumentParser):
    """Raises UsageError where argparse would print the usage and exit."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **settings)

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with the message, and the option that was probably meant."""
        unknown = re.search(r"unrecognized arguments: (--?[\w-]+)", message)
        if unknown:
            options = [option for action in self._actions for option in action.option_strings]
            raise UsageError(f"no option {unknown[1]}{near(unknown[1], options)}")
        raise UsageError(message.replace("argument ", "", 1))


def near(word: str, choices: Iterable[str]) -> str:
    """ "; did you mean: x", or "" if nothing is near."""
    found = get_close_matches(word, list(choices), 2, 0.5)
    return f"; did you mean: {' or '.join(found)}" if found else ""


def one_of(choices: Iterable[str]) -> Any:
    """A type for an argument with fixed values. Its error names the nearest one."""
    allowed = list(choices)

    def check(text: str) -> str:
        if text not in allowed:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(allowed)}{near(text, allowed)}")
        return text

    return check


def at_least_one(text: str) -> int:
    """A type for counts."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of at least 1")
    return int(text)


def number(text: str) -> int:
    """A type for numbers from 0."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return int(text)
