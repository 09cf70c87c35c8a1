"""The only file that knows all stages: paths in, judged connections out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from analyzer.connection import Connection
from analyzer.findings import Verdict
from analyzer.report.output import Item


@dataclass(frozen=True, slots=True)
class Options:
    """How to analyse.

    Attributes:
        ports: where TLS is expected; None = any ("not-tls" is switched off then).
        at_ns: judge validity at this time instead of the capture's.
        timezone: zone of local time stamps; None = UTC.
        workers: processes for several inputs.
        keep: which connections to report; None = all. Called with the judged record.
        verdicts: called with each connection and all its rules' verdicts (--verdicts); None = not wanted.
    """

    ports: frozenset[int] | None = None
    at_ns: int | None = None
    timezone: str | None = None
    workers: int = 1
    keep: Callable[[Connection], bool] | None = None
    verdicts: Callable[[Connection, Sequence[Verdict]], None] | None = None


@dataclass(slots=True)
class Run:
    """One analysis of some inputs; iterate it once.

    Attributes:
        errors: one line for each input that could not be read, or not to its end (exit 3).
        crashes: one line for each contained bug of ours (exit 5).
        worst: rank of the worst severity found (0 error, 1 warning, 2 note); None if nothing was found.
        progress: called with (name of the input, bytes read so far, size or None).
    """

    paths: Sequence[str]
    options: Options = field(default_factory=Options)
    progress: Callable[[str, int, int | None], None] | None = None
    errors: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    worst: int | None = None

    def __iter__(self) -> Iterator[Item]:
        """Raise UsageError before the first item if there is nothing to analyse."""
        raise NotImplementedError
