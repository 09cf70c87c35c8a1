"""Finds the command, runs it, and turns whatever happens into one line and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from pathlib import Path

from analyzer import places
from analyzer.errors import CaptureError, LiveError, UsageError
from analyzer.nearest import nearest

COMMANDS = {
    "analyze": "analyse captures (the default: may be left out)",
    "live": "the same on live traffic: mtlscope live -i INTERFACE",
    "service": "print what runs it as a service: a systemd unit, a Windows task, a container",
    "diff": "say how two handshakes differ",
    "correlate": "join two captures of the same connections, taken at two places",
    "crosscheck": "compare our fields with those of Wireshark's dissectors",
    "wireshark": "put a menu into Wireshark, or remove it",
    "rules": "list the rules",
    "explain": "print one rule's page",
    "fields": "say what the keys of the output mean",
    "plan": "print the certificates that a topology needs, or write requests for them",
    "topology": "print a guessed topology to start from, made from captures",
    "completion": "print a script for bash, zsh or PowerShell that completes words",
    "man": "print the manual page",
    "config": "say which settings are in force and where they come from",
    "doctor": "say what works on this machine and what to do about the rest",
}
"""Command -> help. Each is a module or a folder here with `run(words) -> int`."""


class Exit(IntEnum):
    """Exit codes, see `mtlscope --help`. If several apply, the larger one of 1..5."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    INPUT = 3
    CAPTURE = 4
    BUG = 5
    INTERRUPTED = 130
    CLOSED_PIPE = 141


hearing: list[Callable[[str], None]] = []
"""Who takes messages while it has the terminal for itself; the last one does."""


def say(text: str) -> None:
    """One line on standard error. If that cannot take it (its disk is full, too), nobody is told, and work goes on.

    What a file name, a peer or the user put into it stays on its line, and moves no cursor.
    """
    if not (text.isascii() and text.isprintable()):
        from analyzer.report import safe  # here: hardly any message needs it

        text = safe.line(text)
    if hearing:
        hearing[-1](text)
    elif sys.stderr is not None:
        with suppress(OSError):
            sys.stderr.write(f"mtlscope: {text}\n")


def show(text: str) -> None:
    """Text on standard output. Raise UsageError if nothing can be written there: it is closed, its disk is full."""
    if sys.stdout is None:
        raise UsageError("standard output is closed")
    with _told():
        sys.stdout.write(text)


def flush() -> None:
    """What waits for standard output is written now. Raise UsageError as `show`."""
    if sys.stdout is not None:
        with _told():
            sys.stdout.flush()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"cannot write to standard output: {error.strerror or error}") from None


def run(words: list[str]) -> int:
    """Run one command line."""
    try:
        code = _dispatch(words)
        flush()
    except UsageError as error:
        say(str(error))
        if isinstance(error.__context__, OSError):
            forget_stdout()  # what it could not take would be tried again at the end
        return Exit.USAGE
    except LiveError as error:
        say(str(error))
        return Exit.CAPTURE
    except CaptureError as error:
        say(str(error))
        return Exit.INPUT
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        forget_stdout()
        return Exit.CLOSED_PIPE
    except SystemExit as stop:  # argparse, after --help
        return int(stop.code or 0)
    except Exception as error:
        return _bug(error, words)
    return code


def _dispatch(words: list[str]) -> int:
    if not words:
        raise UsageError("nothing to analyse; try: mtlscope FILE.pcapng, or mtlscope --help")
    if "--version" in words:
        return _run("version", words)
    if words[0] == "help" and not places.is_there("help"):
        words = ["--help"]
    command, rest = ("analyze", words) if words[0] not in COMMANDS else (words[0], words[1:])
    if words[0] not in COMMANDS:
        _no_misspelt_command(words[0])
    return _run(command, rest)


def _run(command: str, words: list[str]) -> int:
    code: int = importlib.import_module(f"analyzer.cli.{command}").run(words)
    return code


def _no_misspelt_command(word: str) -> None:
    """A bare word that is no file but nearly a command. Raise UsageError for it."""
    if word.isalpha() and not places.is_there(word) and (near := nearest(word, COMMANDS, 1, 0.6)):
        raise UsageError(f"no file and no command called {word!r}; did you mean: mtlscope {near[0]}")


def forget_stdout() -> None:
    """Nobody takes it any more; the interpreter must not complain when it flushes at its end."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        return


def _bug(error: Exception, words: list[str]) -> int:
    """Ours. The message may hold bytes of a capture, so only type and place are told; -v gives the way there."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
    say(f"a bug of ours: {type(error).__name__} in {place}; please report it" + _how_to_see(words))
    if "-v" in words or "--verbose" in words:
        for frame in frames:
            say(f"  {frame.filename}:{frame.lineno} {frame.name}")
    return Exit.BUG


def _how_to_see(words: list[str]) -> str:
    return "" if "-v" in words or "--verbose" in words else " (-v shows where it happened)"
