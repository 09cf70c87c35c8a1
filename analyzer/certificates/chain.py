"""Order, links and gaps of a chain as sent: a diagnosis, not a yes or no."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.names import Name


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """A chain as one side sent it, at least one certificate. Equal lists give the same object (bounded cache).

    Attributes:
        certificates: as sent; [0] is the leaf by definition.
        path: the certificates that link upwards from the leaf by issuer name (key identifiers and signature choose among
            several candidates), leaf first; at least the leaf. A self-issued certificate ends it.
        missing_issuer: the issuer name that nobody in the message has as subject, at the top of `path`; None if the path
            ends in a self-issued certificate.
        unlinked: certificates that are not on `path` and no duplicates.
        gap: there are unlinked CA certificates above the missing issuer: a link between sent certificates is missing
            (the issuer of `path`'s top was not sent, but certificates of the same hierarchy above it may be).
        in_order: the certificates on `path` were sent in the order of `path` with nothing in between (RFC 5246 7.4.2).
        duplicates: certificates sent more than once.
        broken_links: (child, parent) pairs on `path` whose names match but whose signature does not verify.
        ends_in_root: the top of `path` is self-issued.
    """

    certificates: tuple[Certificate, ...]
    path: tuple[Certificate, ...]
    missing_issuer: Name | None
    unlinked: tuple[Certificate, ...]
    gap: bool
    in_order: bool
    duplicates: tuple[Certificate, ...]
    broken_links: tuple[tuple[Certificate, Certificate], ...]
    ends_in_root: bool

    @property
    def leaf(self) -> Certificate:
        """The first certificate: the peer itself."""
        return self.certificates[0]

    @property
    def top(self) -> Certificate:
        """The last certificate of `path`."""
        return self.path[-1]


def assess(ders: tuple[bytes, ...]) -> Chain:
    """The chain of these DER certificates, as sent; at least one. Never raises."""
    raise NotImplementedError
