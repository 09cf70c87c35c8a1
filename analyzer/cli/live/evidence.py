"""`--evidence DIR` of `mtlscope live`: the flight recorder."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from analyzer.cli.parser import one_of, place
from analyzer.errors import UsageError

if TYPE_CHECKING:
    from analyzer.live.evidence import Recorder

QUOTA = "1GiB"
LEVELS = ("error", "warning", "note")
LEAST = 4 * 1024 * 1024
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def add_options(parser: argparse.ArgumentParser) -> None:
    """--evidence and what belongs to it."""
    add = parser.add_argument_group("flight recorder (docs/evidence.md)").add_argument
    add(
        "--evidence",
        type=place,
        metavar="DIR",
        help="write the packets of each connection that fails there, with the verdict",
    )
    add(
        "--evidence-quota",
        type=size,
        metavar="SIZE",
        help=f"room for these files, the oldest go first (default: {QUOTA})",
    )
    add(
        "--evidence-on",
        type=one_of(LEVELS),
        metavar="LEVEL",
        help=f"the least trouble that is written: {', '.join(LEVELS)} (default: error)",
    )


def open_recorder(args: argparse.Namespace, told: Callable[[str], None]) -> Recorder | None:
    """The recorder; None without --evidence. Raise UsageError if the folder cannot be used."""
    if args.evidence is None:
        extra = next((name for name in ("quota", "on") if getattr(args, f"evidence_{name}") is not None), None)
        if extra is not None:
            raise UsageError(f"--evidence-{extra} belongs to --evidence DIR")
        return None
    from analyzer.findings import Severity
    from analyzer.live.evidence import Recorder
    from analyzer.live.folder import Folder

    folder = Folder(args.evidence, args.evidence_quota or size(QUOTA))
    return Recorder(folder, Severity(args.evidence_on or LEVELS[0]), told)


def size(text: str) -> int:
    """ "500MiB", "1G" or bytes."""
    found = re.fullmatch(r"(\d{1,15})([KMGT]?)(?:i?B)?", text)
    count = int(found[1]) * _UNITS[found[2]] if found else 0
    if count < LEAST:
        raise argparse.ArgumentTypeError(f"{text!r} is no room for files; expected e.g. 500MiB or 1GiB, at least 4MiB")
    return count
