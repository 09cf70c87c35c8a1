"""What the CAs on a path do not allow, whatever the time and the trust store. RFC 5280 sections 4.2.1 and 6.1.4."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.constraints import name_constraints, violations
from analyzer.dataclass import dataclass
from analyzer.knowledge import oid

MOST_CHARACTERS = 120  # of a name in a clause
MAX_FAULTS = 32  # of one path
CACHED = 1024

ANY_USE = "2.5.29.37.0"

UNDERSTOOD = frozenset(
    {
        "2.5.29.14",  # subjectKeyIdentifier
        "2.5.29.15",  # keyUsage
        "2.5.29.17",  # subjectAltName
        "2.5.29.18",  # issuerAltName
        "2.5.29.19",  # basicConstraints
        "2.5.29.30",  # nameConstraints
        "2.5.29.31",  # cRLDistributionPoints
        "2.5.29.32",  # certificatePolicies
        "2.5.29.33",  # policyMappings
        "2.5.29.35",  # authorityKeyIdentifier
        "2.5.29.36",  # policyConstraints
        "2.5.29.37",  # extKeyUsage
        "2.5.29.46",  # freshestCRL
        "2.5.29.54",  # inhibitAnyPolicy
        "1.3.6.1.5.5.7.1.1",  # authorityInfoAccess
        "1.3.6.1.5.5.7.1.24",  # TLS feature, RFC 7633
        "2.16.840.1.113730.1.1",  # Netscape certificate type
        "1.3.6.1.4.1.311.20.2",  # Microsoft certificate template
        "1.3.6.1.4.1.311.21.1",  # Microsoft CA version
        "1.3.6.1.4.1.311.21.7",  # Microsoft certificate template, version 2
        "1.3.6.1.4.1.311.21.10",  # Microsoft application policies
    }
)
"""Extensions that common verifiers take even when critical; any other critical one they refuse (RFC 5280 section 4.2)."""


class Use(StrEnum):
    """What a certificate is put to. The value is the name of the extendedKeyUsage."""

    SERVER = "serverAuth"
    CLIENT = "clientAuth"


USES = {
    Use.SERVER: frozenset({"1.3.6.1.5.5.7.3.1", ANY_USE, "1.3.6.1.4.1.311.10.3.3", "2.16.840.1.113730.4.1"}),
    Use.CLIENT: frozenset({"1.3.6.1.5.5.7.3.2", ANY_USE}),
}
"""OIDs that allow a use. The last two of SERVER are the old server gated crypto, which CAs of its time carry."""


class Kind(StrEnum):
    """What is not as it must be."""

    NOT_A_CA = "no CA"
    NO_CERT_SIGN = "may not sign certificates"
    PATH_LENGTH = "path too long"
    NAMES = "name not permitted"
    USE = "use not permitted"
    CRITICAL = "unknown critical extension"
    SIGNATURE = "signature not by its issuer"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it must be on a path.

    Attributes:
        kind: see Kind.
        certificate: the one that breaks a rule: that which was issued, or used, against it.
        by: the CA's certificate that states the rule; None if the rule is the certificate's own.
        clause: the same in words.
    """

    kind: Kind
    certificate: Certificate
    by: Certificate | None
    clause: str


@lru_cache(maxsize=CACHED)
def faults_of(path: tuple[Certificate, ...], use: Use | None = None) -> tuple[Fault, ...]:
    """What is wrong with this path (leaf first) at any time, for this use of the leaf; without one uses do not count."""
    found: list[Fault] = []
    for fault in _all(path, use):
        found.append(fault)
        if len(found) >= MAX_FAULTS:
            break
    return tuple(found)


def _all(path: Sequence[Certificate], use: Use | None) -> Iterator[Fault]:
    for certificate in path:
        yield from _critical(certificate)
    below = 0  # CAs between this one and the leaf that count against its path length
    for place, ca in enumerate(path[1:], 1):
        yield from _may_issue(ca)
        if ca.path_length is not None and below > ca.path_length:
            levels = "level" if ca.path_length == 1 else "levels"
            clause = f"{named(ca)} allows {ca.path_length} {levels} of CAs below it, not {below}"
            yield Fault(Kind.PATH_LENGTH, path[place - 1], ca, clause)
        yield from _names(ca, path[:place])
        below += not ca.self_issued
    if use is not None:
        yield from _use(path, use)


def _critical(certificate: Certificate) -> Iterator[Fault]:
    for dotted, critical in certificate.extensions:
        if critical and dotted not in UNDERSTOOD:
            clause = f"{named(certificate)} has a critical extension that few know ({brief(oid(dotted))})"
            yield Fault(Kind.CRITICAL, certificate, None, clause)


def _may_issue(ca: Certificate) -> Iterator[Fault]:
    if ca.is_ca is False:
        yield Fault(Kind.NOT_A_CA, ca, None, f"{named(ca)} is no CA (basicConstraints)")
    elif ca.is_ca is None and not ca.self_issued:  # old roots say nothing
        yield Fault(Kind.NOT_A_CA, ca, None, f"{named(ca)} does not say that it is a CA (no basicConstraints)")
    if ca.key_usage is not None and "keyCertSign" not in ca.key_usage:
        yield Fault(Kind.NO_CERT_SIGN, ca, None, f"{named(ca)} may not sign certificates (keyUsage lacks keyCertSign)")


def _names(ca: Certificate, below: Sequence[Certificate]) -> Iterator[Fault]:
    constraints = name_constraints(ca)
    if constraints is None:
        return
    for place, certificate in enumerate(below):
        is_leaf = place == 0
        if certificate.self_issued and not is_leaf:
            continue  # RFC 5280 section 6.1.3 (b)
        for violation in violations(constraints, certificate, is_leaf):
            clause = f"{named(ca)} may not issue {named(certificate)}: {brief(str(violation), 2 * MOST_CHARACTERS)}"
            yield Fault(Kind.NAMES, certificate, ca, clause)


def _use(path: Sequence[Certificate], use: Use) -> Iterator[Fault]:
    """A CA with extendedKeyUsage restricts what is below it: Windows, OpenSSL and browsers judge so."""
    for place, certificate in enumerate(path):
        if certificate.eku is None or not USES[use].isdisjoint(certificate.eku):
            continue
        uses = brief(", ".join(certificate.eku_names or ())) or "nothing"
        if place:
            clause = f"the CA {named(certificate)} is restricted to {uses}, so nothing below it serves for {use}"
            yield Fault(Kind.USE, path[0], certificate, clause)
        else:
            yield Fault(Kind.USE, certificate, None, f"{named(certificate)} is for {uses}, not for {use}")


def named(certificate: Certificate) -> str:
    """The certificate's short name, cut if it is endless."""
    return brief(certificate.short)


def brief(text: str, most: int = MOST_CHARACTERS) -> str:
    """The text, cut with "..." if it is endless."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
