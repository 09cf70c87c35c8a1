"""The public roots that come with us: Microsoft's and Mozilla's lists, as far as they are for TLS.

They say "this name is a public root", never "this one is not trusted": every machine has a list of its own, and private CAs
are the rule between servers. The table is read when the first question comes, and a certificate when it is found.
"""

from __future__ import annotations

import binascii
import hashlib
from functools import cache, lru_cache

from analyzer import knowledge
from analyzer.certificates.certificate import Certificate, load
from analyzer.certificates.names import Name
from analyzer.dataclass import dataclass

SHA256, NAME, _, MICROSOFT, MOZILLA, PACKED = range(6)
"""Columns of the table."""
KEY_DIGITS = 16
"""Hex digits of a hash that stand for a name in the table; the names themselves are compared afterwards."""


@dataclass(frozen=True, slots=True)
class Program:
    """What the keepers of the lists say about one root.

    Attributes:
        microsoft: uses for which Microsoft lists it ("server", "client"), also those that it has ended since; () if not.
        ended: (use, date) of those that Microsoft has ended, e.g. ("server", "2021-08-01").
        mozilla: Mozilla lists it (for servers).
    """

    microsoft: tuple[str, ...]
    ended: tuple[tuple[str, str], ...]
    mozilla: bool


Table = dict[str, list[str]]
"""Lines by SHA-256 and by the key of the name: hashes of different lengths, which never meet."""


class PublicRoots:
    """Implements `Store`. Making one costs nothing."""

    name = "the public roots of Microsoft and Mozilla"

    def find(self, subject: Name) -> tuple[Certificate, ...]:
        """The roots with this subject; () if there is none."""
        found = [_certificate(row[PACKED]) for row in _rows(name_key(subject))]
        return tuple([root for root in found if root.subject == subject])

    def with_sha256(self, sha256: str) -> Certificate | None:
        """The root with this SHA-256; None if it is no public one."""
        return next((_certificate(row[PACKED]) for row in _rows(sha256)), None)

    def program(self, sha256: str) -> Program | None:
        """What the keepers of the lists say about the root with this SHA-256; None if it is no public one."""
        return next((program_of(row[MICROSOFT], row[MOZILLA]) for row in _rows(sha256)), None)


PUBLIC_ROOTS = PublicRoots()


def name_key(name: Name) -> str:
    """What stands for a name in the table: equal names have the same."""
    told = name.der if name.folded is None else repr(name.folded).encode("utf-8", "surrogatepass")
    return hashlib.sha256(told).hexdigest()[:KEY_DIGITS]


def program_of(microsoft: str, mozilla: str) -> Program:
    """From the words of the table: "server client<2021-08-01" is two uses, one of them ended."""
    words = [word.partition("<") for word in microsoft.split()]
    return Program(
        microsoft=tuple([use for use, _, _ in words]),
        ended=tuple([(use, date) for use, _, date in words if date]),
        mozilla=bool(mozilla),
    )


@cache
def _table() -> Table:
    table: Table = {}
    for line in knowledge.public_root_lines():
        sha256, name, _rest = line.split(",", NAME + 1)
        for key in (sha256, name):
            table.setdefault(key, []).append(line)
    return table


def _rows(key: str) -> list[list[str]]:
    return [line.split(",", PACKED + 1) for line in _table().get(key, ())]


@lru_cache(maxsize=1024)
def _certificate(packed: str) -> Certificate:
    return load(binascii.a2b_base64(packed))
