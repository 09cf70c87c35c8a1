"""When a file of lines is put away under another name, what that name is, and which old ones are removed."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from analyzer.cli.parser import at_least_one
from analyzer.dataclass import dataclass

SECOND_NS = 1_000_000_000
BYTES = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_STAMP = "%Y%m%dT%H%M%SZ"
_STAMPED = re.compile(r"-(\d{8}T\d{6}Z)(?:-(\d+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Limit:
    """One --rotate: after so many bytes, or at every full period (UTC) of so many seconds; the other one is 0."""

    bytes: int = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Rotation:
    """All limits of a file; whichever is reached first counts. `keep`: files put away that are left; None = all."""

    bytes: int | None = None
    seconds: int | None = None
    keep: int | None = None

    @classmethod
    def of(cls, limits: Sequence[Limit], keep: int | None) -> Rotation:
        """The smallest of each kind."""
        return cls(
            min((limit.bytes for limit in limits if limit.bytes), default=None),
            min((limit.seconds for limit in limits if limit.seconds), default=None),
            keep,
        )

    def period(self, now_ns: int) -> int:
        """Number of the period that this moment belongs to."""
        return now_ns // (self.seconds * SECOND_NS) if self.seconds else 0

    def due(self, size: int, period: int, now_ns: int) -> bool:
        """Is a file of that size, begun in that period, full or over? A clock set back a little begins no new period."""
        if not size:
            return False
        return (self.bytes is not None and size >= self.bytes) or not 0 <= period - self.period(now_ns) <= 1


def add_rotation(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "--rotate",
        action="append",
        default=[],
        type=limit,
        metavar="LIMIT",
        help="with -o: go on in a new file at a size or time, e.g. 100MB or 1d; may be given twice",
    )
    parser.add_argument(
        "--keep", type=at_least_one, metavar="N", help="with --rotate: remove all but the newest N old files"
    )


def limit(text: str) -> Limit:
    """A type for arguments: "100MB" or "1h"."""
    found = re.fullmatch(r"(\d{1,9})\s*([A-Za-z]{1,3})", text, re.ASCII)
    if found:
        count, unit = int(found[1]), found[2].lower()
        size, seconds = count * BYTES.get(unit, 0), count * SECONDS.get(unit, 0)
        if size + seconds:
            return Limit(size, seconds)
    raise argparse.ArgumentTypeError(
        f"{text!r} is no size or time; expected e.g. 100MB, 1GiB, 15m, 1h or 1d (UTC midnight)"
    )


def put_away(path: Path, now_ns: int) -> Path:
    """A free name for a file that is put away now: out.jsonl is out-20261121T145500Z.jsonl."""
    stamp = datetime.fromtimestamp(now_ns // SECOND_NS, UTC).strftime(_STAMP)
    target = path.with_name(f"{path.stem}-{stamp}{path.suffix}")
    number = 0
    while target.exists():
        number += 1
        target = path.with_name(f"{path.stem}-{stamp}-{number}{path.suffix}")
    return target


def old_files(path: Path) -> list[Path]:
    """Files put away earlier, the oldest first, by their names. No other file is ever taken for one."""
    found: list[tuple[str, int, Path]] = []
    for file in path.parent.iterdir():
        name = file.name
        if name.startswith(path.stem) and name.endswith(path.suffix):
            stamp = _STAMPED.fullmatch(name[len(path.stem) : len(name) - len(path.suffix)])
            if stamp:
                found.append((stamp[1], int(stamp[2] or 0), file))
    return [file for _, _, file in sorted(found)]


def remove_old(path: Path, keep: int | None) -> None:
    """Leave the newest `keep`. Raise OSError if one cannot be removed."""
    if keep is not None:
        for file in old_files(path)[: -keep or None]:
            file.unlink(missing_ok=True)
