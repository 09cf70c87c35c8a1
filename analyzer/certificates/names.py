"""DistinguishedName: parse, compare (RFC 5280 section 7.1), print (RFC 4514)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """A distinguished name.

    Two names are equal (`==`, `hash`) if their DER bytes are equal, or if they match by RFC 5280 section 7.1 (attribute
    by attribute, case folded and white space compressed, whatever the string type).

    Attributes:
        der: the bytes as sent.
        text: RFC 4514 form, most specific first ("CN=a,O=b"); "" for the empty name; "(unreadable name: <hex>)" if the
            DER cannot be read. Characters outside printable text are escaped as RFC 4514 says.
        attributes: (dotted OID or short name, value) in wire order (root first).
        readable: the DER could be read.
    """

    der: bytes
    text: str
    attributes: tuple[tuple[str, str], ...] = ()
    readable: bool = True

    @property
    def common_name(self) -> str | None:
        """The most specific CN; None if there is none."""
        raise NotImplementedError


def parse_name(der: bytes) -> Name:
    """Read a DER Name. Never raises: what cannot be read is a Name with `readable` False. Equal DER gives the same
    object (bounded cache)."""
    raise NotImplementedError
