"""TrustStore: who is in it, by name, key identifier and hash."""

from __future__ import annotations

import pytest

from analyzer.certificates.certificate import load
from analyzer.certificates.names import parse_name
from analyzer.certificates.stores.store import Problem, TrustStore
from tests.build import asn1, pki

ROOT = load(pki.root("Root").der)
RENEWED = load(pki.root("Root", key_label="second key").der)
OTHER = load(pki.root("Other").der)
OLD = load(pki.root("Old", only_extensions=[], version=b"").der)
STRANGER = load(pki.root("Stranger").der)
STORE = TrustStore("lab.pem", (ROOT, OTHER, RENEWED, ROOT, OLD))


def cn(value: bytes) -> bytes:
    return asn1.name([asn1.attribute("2.5.4.3", value)])


def test_each_certificate_counts_once_in_the_order_of_the_file() -> None:
    assert STORE.certificates == (ROOT, OTHER, RENEWED, OLD)
    assert len(STORE) == 4


@pytest.mark.parametrize(
    ("name", "found"),
    [
        pytest.param(cn(asn1.utf8("Other")), (OTHER,), id="the same bytes"),
        pytest.param(cn(asn1.printable("OTHER ")), (OTHER,), id="another string type, case and space (RFC 5280 7.1)"),
        pytest.param(cn(asn1.utf8("Root")), (ROOT, RENEWED), id="two keys of one name"),
        pytest.param(cn(asn1.utf8("Stranger")), (), id="nobody"),
        pytest.param(asn1.name(), (), id="the empty name"),
        pytest.param(b"junk", (), id="no name at all"),
    ],
)
def test_find_by_name(name: bytes, found: tuple[object, ...]) -> None:
    assert STORE.find(parse_name(name)) == found


def test_find_by_hash() -> None:
    assert STORE.with_sha256(OLD.sha256) is OLD
    assert STORE.with_sha256(STRANGER.sha256) is None
    assert OLD in STORE
    assert STRANGER not in STORE


def test_a_problem_says_where_and_what() -> None:
    assert str(Problem("line 12", "no Base64")) == "line 12: no Base64"
