"""`TrustStore`: the certificates that one machine trusts, and how they are looked up."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import field
from typing import Protocol, TypeVar

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.names import Name
from analyzer.dataclass import dataclass

K = TypeVar("K", bound=Hashable)


class Store(Hashable, Protocol):
    """What every trust store can be asked: those that a user gave, and the public roots that come with us."""

    @property
    def name(self) -> str:
        """As the user would say it."""

    def find(self, subject: Name) -> tuple[Certificate, ...]:
        """Those with this subject (RFC 5280 section 7.1), in the order of the store; () if there is none."""

    def with_sha256(self, sha256: str) -> Certificate | None:
        """The one with this SHA-256 (lower hex); None if it is not there."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An element of a store that could not be read. The others count.

    Attributes:
        place: where it is: "line 12", "element 3 at byte 1,204", in a folder with the file in front.
        reason: what was found there, and what was expected.
    """

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


@dataclass(frozen=True, slots=True, eq=False)
class TrustStore:
    """A trust store that a user gave. Implements `Store`.

    Attributes:
        name: as the user would say it: the path as it was given.
        certificates: each once, in the order of the file; roots and whatever else is in it.
        problems: what could not be read.
    """

    name: str
    certificates: tuple[Certificate, ...]
    problems: tuple[Problem, ...] = ()
    _subjects: dict[Name, tuple[Certificate, ...]] = field(init=False, repr=False)
    _hashes: dict[str, Certificate] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Each certificate once, and the indexes."""
        each = tuple(dict.fromkeys(self.certificates))
        object.__setattr__(self, "certificates", each)
        object.__setattr__(self, "_subjects", _grouped(each, lambda certificate: certificate.subject))
        object.__setattr__(self, "_hashes", {certificate.sha256: certificate for certificate in each})

    def find(self, subject: Name) -> tuple[Certificate, ...]:
        """Those with this subject; () if there is none."""
        return self._subjects.get(subject, ())

    def with_sha256(self, sha256: str) -> Certificate | None:
        """The one with this SHA-256; None if it is not there."""
        return self._hashes.get(sha256)

    def __contains__(self, certificate: Certificate) -> bool:
        return certificate.sha256 in self._hashes

    def __len__(self) -> int:
        return len(self.certificates)


def _grouped(certificates: Iterable[Certificate], key: Callable[[Certificate], K]) -> dict[K, tuple[Certificate, ...]]:
    groups: dict[K, list[Certificate]] = {}
    for certificate in certificates:
        groups.setdefault(key(certificate), []).append(certificate)
    return {one: tuple(group) for one, group in groups.items()}
