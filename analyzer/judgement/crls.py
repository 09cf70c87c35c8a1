"""Where a peer could find out whether a certificate was revoked: CRL distribution points (RFC 5280 section 4.2.1.13)."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.judgement.elements import below_root, has_extension
from analyzer.judgement.memory import CAPACITY
from analyzer.judgement.reading import lost_extension
from analyzer.knowledge import limit

POINTS = "cRLDistributionPoints"
BY_ANYBODY = ("http://", "https://", "ftp://")
"""Beginnings of URLs that a machine outside of the CA's domain can fetch."""


@lru_cache(maxsize=CAPACITY)
def without_point(chain: Chain) -> tuple[Certificate, ...]:
    """Certificates on the path, below its root, that have no distribution point at all."""
    return tuple(c for c in below_root(chain) if c.readable and not c.crl_urls and not has_extension(c, POINTS))


@lru_cache(maxsize=CAPACITY)
def closed_points(chain: Chain) -> tuple[Certificate, ...]:
    """Certificates on the path, below its root, whose points have LDAP or file addresses alone, or directory names."""
    return tuple(certificate for certificate in below_root(chain) if _is_closed(certificate))


def _is_closed(certificate: Certificate) -> bool:
    if certificate.crl_urls:
        return not any(url.strip().lower().startswith(BY_ANYBODY) for url in certificate.crl_urls)
    return has_extension(certificate, POINTS) and not lost_extension(certificate, POINTS)


def needs_none(certificate: Certificate) -> bool:
    """Is it meant to go without: because it lives so briefly, or says that it cannot be revoked (RFC 9608)?"""
    if has_extension(certificate, "noRevAvail"):
        return True
    start, end = certificate.not_before, certificate.not_after
    return start is not None and end is not None and end - start <= timedelta(days=limit("short_lived_days"))


def unread_point(chain: Chain) -> Certificate | None:
    """The first certificate on the path whose distribution points, or all of it, cannot be read; None if there is none."""
    return next((c for c in below_root(chain) if not c.readable or lost_extension(c, POINTS)), None)
