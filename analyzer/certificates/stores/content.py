"""What a file of certificates holds: the currency of all formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from analyzer.certificates.certificate import Certificate, load
from analyzer.certificates.stores.shapes import CERTIFICATE, shape
from analyzer.certificates.stores.store import Problem
from analyzer.dataclass import dataclass

MAX_PROBLEMS = 1000
"""Ours: of a file with more of them, nobody reads the rest."""


@dataclass(slots=True)
class Content:
    """Filled by a format while it reads; nothing raises for what a file holds.

    Attributes:
        certificates: in the order of the file, repeated ones too.
        problems: elements that could not be read.
        others: what else is in it, each kind once ("a private key"), in order of appearance.
    """

    certificates: list[Certificate] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    others: dict[str, None] = field(default_factory=dict)

    def add(self, der: bytes, place: str) -> None:
        """One element that should be a certificate, and what it is if it is none."""
        kind = shape(der)
        if kind != CERTIFICATE:
            self.problem(place, f"no certificate, but {kind}")
            return
        certificate = load(der)
        is_cut = any(oddity.startswith("cut short") for oddity in certificate.oddities)
        if is_cut or not certificate.spki_sha256:
            self.problem(place, f"a certificate that cannot be read ({'; '.join(certificate.oddities[:2])})")
        else:
            self.certificates.append(certificate)

    def other(self, what: str) -> None:
        """Something that belongs into other files."""
        self.others[what] = None

    def problem(self, place: str, reason: str) -> None:
        """An element that could not be read; the first ones are kept."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(place, reason))


@dataclass(frozen=True, slots=True)
class Format:
    """One format of certificate files.

    Attributes:
        name: what a user calls it.
        sniff: True if these bytes are of this format.
        read: puts all that is there into a Content; never raises.
    """

    name: str
    sniff: Callable[[bytes], bool]
    read: Callable[[bytes, Content], None]
