"""Which parts of a certificate cannot be read, by us and by a strict reader (RFC 5280 section 4.1, ITU-T X.690)."""

from __future__ import annotations

from functools import lru_cache

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.judgement.memory import CAPACITY

STRICT = "refused by the library: "
"""How an oddity begins that tells the words of a strict reader."""
NOT_KNOWN = "UnsupportedAlgorithm"
"""A strict reader that does not know an algorithm has read the certificate all the same."""
DAMAGE = ("cut short", "invalid ", "unreadable ", "the signature is missing")
"""How oddities begin that tell of bytes which could not be read, not of unusual ones."""


@lru_cache(maxsize=CAPACITY)
def lost_parts(certificate: Certificate) -> tuple[str, ...]:
    """What could not be read, in the order of the certificate; () if all could."""
    if not certificate.readable:
        return ("the certificate",)
    parts = (
        ("the signature algorithm", certificate.signature_algorithm != ""),
        ("the issuer", certificate.issuer.readable),
        ("the dates", certificate.not_before is not None and certificate.not_after is not None),
        ("the subject", certificate.subject.readable),
        ("the public key", certificate.key is not None),
    )
    lost = [name for name, there in parts if not there]
    return tuple(lost + [oddity for oddity in certificate.oddities if oddity.startswith(DAMAGE)])


def strict_refusal(certificate: Certificate) -> str:
    """The words of a strict reader that does not take this encoding; "" if it does, or was not asked."""
    refusals = (oddity for oddity in certificate.oddities if oddity.startswith(STRICT))
    return next((words.removeprefix(STRICT) for words in refusals if NOT_KNOWN not in words), "")


def strangeness(certificate: Certificate) -> str:
    """What is odd about its encoding, in our words if we have any."""
    ours = (oddity for oddity in certificate.oddities if not oddity.startswith(STRICT))
    return next(ours, strict_refusal(certificate))


def broken(certificate: Certificate) -> bool:
    """Can nobody read it? Not we, or neither we (a part) nor a strict reader."""
    return not certificate.readable or bool(lost_parts(certificate) and strict_refusal(certificate))


@lru_cache(maxsize=CAPACITY)
def broken_in(chain: Chain) -> tuple[Certificate, ...]:
    """Certificates of the message that cannot be read, each once, as sent."""
    return tuple(dict.fromkeys(certificate for certificate in chain.certificates if broken(certificate)))


@lru_cache(maxsize=CAPACITY)
def odd_in(chain: Chain) -> tuple[Certificate, ...]:
    """Certificates of the message that we can read and a strict reader refuses, each once, as sent."""
    each = dict.fromkeys(chain.certificates)
    return tuple(certificate for certificate in each if strict_refusal(certificate) and not broken(certificate))


@lru_cache(maxsize=CAPACITY)
def lost_extension(certificate: Certificate, name: str) -> bool:
    """Is an extension of this name there that could not be read?"""
    return any(oddity.startswith(f"invalid {name}") for oddity in certificate.oddities)
