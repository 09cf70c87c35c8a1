"""What can be written after `mtlscope`, read from the parsers of the commands: for the man page and the shells."""

from __future__ import annotations

import argparse
import importlib
from functools import cache

from analyzer.cli.main import COMMANDS
from analyzer.cli.parser import Parser, parser_of
from analyzer.dataclass import dataclass

HELP = ("-h", "--help")


@dataclass(frozen=True, slots=True)
class Option:
    """One option, or one positional word.

    Attributes:
        names: ("-q", "--quiet"); () for a positional word.
        value: what to write after it, e.g. "FILE"; "" for none.
        values: all that may be written there; () if anything may be.
        help: one sentence.
        group: its heading; "" for none.
        repeated: it may be given several times.
    """

    names: tuple[str, ...]
    value: str
    values: tuple[str, ...]
    help: str
    group: str
    repeated: bool

    @property
    def takes_file(self) -> bool:
        """A path is expected, as far as can be told: the shells offer files then."""
        return bool(self.value) and not self.values and any(word in self.value for word in ("FILE", "PATH", "DIR"))


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its name ("analyze" is the default), a line of help, its whole description, and what may follow."""

    name: str
    help: str
    description: str
    options: tuple[Option, ...]
    words: tuple[Option, ...]


@cache
def commands() -> tuple[Command, ...]:
    """Every command, in the order of `mtlscope --help`."""
    return tuple(_command(name, text) for name, text in COMMANDS.items())


def _command(name: str, text: str) -> Command:
    parser = parser_of(importlib.import_module(f"analyzer.cli.{name}").run)
    found = [_option(action, heading) for heading, action in _actions(parser)]
    options = tuple(option for option in found if option.names)
    words = tuple(option for option in found if not option.names)
    return Command(name, text, (parser.description or "").strip(), options, words)


def _actions(parser: Parser) -> list[tuple[str, argparse.Action]]:
    """(heading, action), in the order of the help."""
    own = {"positional arguments", "options", "optional arguments"}
    found = []
    for group in parser._action_groups:
        heading = "" if group.title in own else group.title or ""
        found += [(heading, action) for action in group._group_actions]
    return found


def _option(action: argparse.Action, heading: str) -> Option:
    takes_value = action.nargs != 0
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    choices = action.choices if action.choices is not None else getattr(action.type, "choices", ())
    return Option(
        tuple(action.option_strings),
        metavar if takes_value else "",
        _rules() if metavar == "RULE" else tuple(map(str, choices)),
        (action.help or "") % {"default": action.default, "prog": "mtlscope"} if action.help else "",
        heading,
        isinstance(action, argparse._AppendAction) or action.nargs in ("*", "+"),
    )


def _rules() -> tuple[str, ...]:
    from analyzer.rules import ids

    return ids()
