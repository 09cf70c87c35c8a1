"""Certificates as objects of schema `mtlscope/1`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from analyzer.certificates.certificate import Certificate
from analyzer.report import codes
from analyzer.report.times import moment

if TYPE_CHECKING:
    from analyzer.report import objects

SCHEMA: Literal["mtlscope/1"] = "mtlscope/1"


def sent_certificate_object(certificate: Certificate) -> objects.SentCertificateObject:
    """The short form in a connection."""
    return {
        "sha256": certificate.sha256,
        "subject": certificate.subject.text,
        "issuer": certificate.issuer.text,
        "not_before": _date(certificate.not_before),
        "not_after": _date(certificate.not_after),
    }


def _date(time: datetime | None) -> str | None:
    return None if time is None else moment(time)


def certificate_object(certificate: Certificate) -> objects.CertificateObject:
    """Every field of a certificate."""
    return {
        "schema": SCHEMA,
        "type": "certificate",
        "sha256": certificate.sha256,
        "sha1": certificate.sha1,
        "readable": certificate.readable,
        "version": certificate.version,
        "serial": certificate.serial,
        "subject": certificate.subject.text,
        "issuer": certificate.issuer.text,
        "self_issued": certificate.self_issued,
        "not_before": _date(certificate.not_before),
        "not_after": _date(certificate.not_after),
        "not_before_text": certificate.not_before_text,
        "not_after_text": certificate.not_after_text,
        "san": _san(certificate),
        "key": _key(certificate),
        "signature_algorithm": certificate.signature_algorithm,
        "signature_hash": certificate.signature_hash,
        "eku": _eku(certificate),
        "key_usage": _list(certificate.key_usage),
        "crl_urls": list(certificate.crl_urls),
        "aia_urls": list(certificate.aia_urls),
        "ocsp_urls": list(certificate.ocsp_urls),
        "is_ca": certificate.is_ca,
        "path_length": certificate.path_length,
        "subject_key_id": None if certificate.subject_key_id is None else certificate.subject_key_id.hex(),
        "authority_key_id": None if certificate.authority_key_id is None else certificate.authority_key_id.hex(),
        "extensions": [
            {"oid": oid, "name": codes.oid(oid), "critical": critical} for oid, critical in certificate.extensions
        ],
        "oddities": list(certificate.oddities),
    }


def _san(certificate: Certificate) -> objects.SubjectAltNameObject | None:
    san = certificate.san
    if san is None:
        return None
    return {
        "dns": list(san.dns),
        "ip": list(san.ip),
        "uri": list(san.uri),
        "email": list(san.email),
        "in_order": list(san.in_order),
        "bytes": san.size,
    }


def _key(certificate: Certificate) -> objects.KeyObject | None:
    key = certificate.key
    if key is None:
        return None
    return {
        "algorithm": key.algorithm,
        "bits": key.bits,
        "curve": key.curve,
        "spki_sha256": certificate.spki_sha256,
    }


def _eku(certificate: Certificate) -> list[objects.OidObject] | None:
    if certificate.eku is None:
        return None
    return [{"oid": oid, "name": codes.oid(oid)} for oid in certificate.eku]


def _list(values: Sequence[Any] | None) -> list[Any] | None:
    return None if values is None else list(values)
