"""An argument parser whose errors are one line with the nearest right thing."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from analyzer.cli.main import flush, show
from analyzer.errors import UsageError
from analyzer.nearest import meant


class Asked(Exception):
    """Carries the parser of a command to `parser_of`."""

    def __init__(self, parser: Parser) -> None:
        super().__init__()
        self.parser = parser


class Parser(argparse.ArgumentParser):
    """Raises UsageError where argparse would print the usage and exit.

    `configured`: the settings (settings.py) that count for this command; they take the place of its options' defaults.
    `stray`: what was probably meant by a word that belongs to no option.
    """

    asked = False

    def __init__(self, *, configured: Sequence[str] = (), stray: str = "", **settings: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **settings)
        self._configured, self._stray = configured, stray
        if configured:
            self.add_argument(
                "--no-config", action="store_true", help="no configuration files, no MTLSCOPE_* variables"
            )

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """The options given, then the settings in force, then the defaults. Raise UsageError for a mistake in any."""
        args: argparse.Namespace = self.parse_args(words, argparse.Namespace(no_config=False))
        if not self._configured or args.no_config:
            return args
        from analyzer.cli.settings import SETTINGS, in_force

        found = in_force()
        chosen = {SETTINGS[name].dest: name for name in self._configured if name in found}
        if not chosen:
            return args
        unset: list[str] = []  # options that may be repeated copy it before they append
        given = self.parse_args(words, argparse.Namespace(**dict.fromkeys(chosen, unset)))
        taken = {dest: name for dest, name in chosen.items() if getattr(given, dest) is unset}
        for dest, name in taken.items():
            setattr(args, dest, found[name].value)
        args.settings = [f"{name} from {found[name].origin}" for name in taken.values()]
        return args

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As in argparse. While somebody asks for the parser of a command, raise it instead."""
        if Parser.asked:
            raise Asked(self)
        return super().parse_args(args, namespace)

    def _print_message(self, message: str, file: Any = None) -> None:
        """The help. argparse would hide that standard output cannot take it."""
        show(message)
        flush()

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with the message, and the option that was probably meant."""
        unknown = re.search(r"unrecognized arguments: (--?[\w-]+)", message)
        if unknown:
            options = [option for action in self._actions for option in action.option_strings]
            raise UsageError(f"no option {unknown[1]}{meant(unknown[1], options)}")
        stray = re.search(r"unrecognized arguments: (\S+)", message)
        if stray and self._stray:
            raise UsageError(f"{stray[1]!r} belongs to no option; {self._stray} {stray[1]}")
        raise UsageError(message.replace("argument ", "", 1))


def parser_of(run: Callable[[list[str]], int]) -> Parser:
    """The parser of a command, for the man page and the shells. Every command parses its words before anything else."""
    Parser.asked = True
    try:
        run([])
    except Asked as answer:
        return answer.parser
    finally:
        Parser.asked = False
    raise TypeError(f"{run.__module__} parses no words")


def one_of(choices: Iterable[str]) -> Any:
    """A type for an argument with fixed values. Its error names the nearest one."""
    allowed = list(choices)

    def check(text: str) -> str:
        if text not in allowed:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(allowed)}{meant(text, allowed)}")
        return text

    check.choices = tuple(allowed)  # type: ignore[attr-defined]  # the shells complete them
    return check


class Once(argparse.Action):
    """Keeps one value. Raises UsageError for a second one: what was asked for first would be left out in silence."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        given = vars(namespace).setdefault("given_once", {})
        if self.dest in given:
            raise UsageError(f"{option_string} {given[self.dest]} and {option_string} {values}: one output at a time")
        given[self.dest] = values
        setattr(namespace, self.dest, values)


def add_color(add: Callable[..., Any]) -> None:
    """--color, the same for every command that reports; `add` is the `add_argument` of the parser or of a group."""
    add(
        "--color",
        default="auto",
        type=one_of(("auto", "always", "never")),
        metavar="WHEN",
        help="auto, always or never",
    )


def place(text: str) -> str:
    """A type for files and folders."""
    if not text:
        raise argparse.ArgumentTypeError("an empty name; is a variable of the shell not set?")
    return text


def at_least_one(text: str) -> int:
    """A type for counts."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of at least 1")
    return int(text)


def number(text: str) -> int:
    """A type for numbers from 0."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of at least 0")
    return int(text)
