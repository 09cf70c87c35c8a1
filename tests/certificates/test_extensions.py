"""Extensions whose values are odd: what can be read is read, what is odd is named."""

from __future__ import annotations

import pytest

from analyzer.certificates.certificate import Certificate, load
from tests.build import asn1, pki

ROOT = pki.root("Root")
SAN, KU, BC, SKI, AKI, CDP, EKU = (f"2.5.29.{last}" for last in (17, 15, 19, 14, 35, 31, 37))
AIA = "1.3.6.1.5.5.7.1.1"
URL = asn1.implicit(6, b"http://a.example/")


def with_extension(dotted: str, value: bytes) -> Certificate:
    return load(ROOT.issue("leaf", only_extensions=[pki.extension(dotted, value)]).der)


def san(*names: bytes) -> bytes:
    return asn1.seq(*names)


@pytest.mark.parametrize(
    ("value", "in_order", "oddity"),
    [
        pytest.param(san(asn1.implicit(2, b"a.example")), ("dns:a.example",), None, id="a name"),
        pytest.param(san(asn1.implicit(2, b"a_b.example")), ("dns:a_b.example",), None, id="an underscore"),
        pytest.param(san(asn1.implicit(7, bytes(16))), ("ip:::",), None, id="an IPv6 address"),
        pytest.param(san(asn1.implicit(8, b"\x2a\x03")), ("id:1.2.3",), None, id="a registered OID"),
        pytest.param(
            san(asn1.explicit(0, asn1.oid("1.3.6.1.4.1.311.20.2.3"), asn1.explicit(0, asn1.utf8("a@b")))),
            ("other:1.3.6.1.4.1.311.20.2.3",),
            None,
            id="a user principal name",
        ),
        pytest.param(san(asn1.explicit(0)), ("other:?",), None, id="an otherName without a type"),
        pytest.param(san(asn1.explicit(5, asn1.utf8("x"))), ("other:tag 5",), None, id="an EDI party"),
        pytest.param(san(), (), "subjectAltName without a name", id="no name"),
        pytest.param(
            san(asn1.implicit(7, bytes(5))), ("ip:0000000000",), "IP address of 5 bytes", id="half an address"
        ),
        pytest.param(san(asn1.implicit(2, b"a\0b")), ("dns:a\0b",), "NUL inside a name", id="a NUL, as in old attacks"),
        pytest.param(
            san(asn1.implicit(2, "ü.example".encode())),
            ("dns:ü.example",),
            "name with characters that are not ASCII",
            id="a U-label",
        ),
        pytest.param(
            san(asn1.implicit(2, b"\xfc.example")),
            (r"dns:\fc.example",),
            "name with characters that are not ASCII",
            id="an octet of Latin-1",
        ),
        pytest.param(
            san(asn1.utf8("a.example")), ("other:tag 12",), "GeneralName of unknown tag 0x0c", id="a string, not a name"
        ),
        pytest.param(
            san(asn1.implicit(2, b"a.example")) + b"x",
            ("dns:a.example",),
            "bytes behind the end of subjectAltName",
            id="a loose end",
        ),
        pytest.param(
            asn1.tlv(0x30, asn1.implicit(2, b"a.example") + b"\x82\x09b"),
            ("dns:a.example",),
            "DER: an element claims 9 bytes, 1 are there",
            id="a second name that is cut",
        ),
    ],
)
def test_subject_alternative_names(value: bytes, in_order: tuple[str, ...], oddity: str | None) -> None:
    certificate = with_extension(SAN, value)
    assert certificate.san is not None
    assert certificate.san.in_order == in_order
    assert certificate.oddities[:1] == ((oddity,) if oddity else ())


@pytest.mark.parametrize(
    ("dotted", "value", "oddity"),
    [
        pytest.param(SAN, asn1.utf8("x"), "invalid subjectAltName: tag 0x0c where a SEQUENCE belongs", id="SAN"),
        pytest.param(EKU, b"", "invalid extendedKeyUsage: DER: 0 bytes left where an element should start", id="EKU"),
        pytest.param(KU, asn1.octets(b"x"), "invalid keyUsage: no BIT STRING", id="key usage"),
        pytest.param(KU, asn1.tlv(3, b""), "invalid keyUsage: no BIT STRING", id="an empty key usage"),
        pytest.param(SKI, asn1.utf8("x"), "invalid subjectKeyIdentifier: no OCTET STRING", id="subject key id"),
        pytest.param(
            AKI, asn1.octets(b"x"), "invalid authorityKeyIdentifier: tag 0x04 where a SEQUENCE belongs", id="AKI"
        ),
    ],
)
def test_an_extension_that_cannot_be_read_is_as_good_as_absent(dotted: str, value: bytes, oddity: str) -> None:
    certificate = with_extension(dotted, value)
    assert certificate.oddities[0] == oddity
    assert (certificate.san, certificate.eku, certificate.key_usage) == (None, None, None)
    assert (certificate.subject_key_id, certificate.authority_key_id) == (None, None)
    assert certificate.extensions == ((dotted, False),)


@pytest.mark.parametrize(
    ("value", "is_ca", "path_length", "oddity"),
    [
        pytest.param(asn1.seq(), False, None, None, id="no CA"),
        pytest.param(asn1.seq(asn1.boolean(True), asn1.integer(3)), True, 3, None, id="a CA with a path length"),
        pytest.param(
            asn1.seq(asn1.boolean(False)), False, None, "basicConstraints: cA FALSE encoded", id="FALSE written"
        ),
        pytest.param(asn1.seq(b"\x01\x01\x01"), True, None, "BOOLEAN that is not FF", id="a BER TRUE"),
        pytest.param(asn1.seq(asn1.integer(-1)), False, -1, "negative path length", id="a negative path length"),
        pytest.param(
            asn1.seq(asn1.integer(1 << 80)), False, None, "invalid basicConstraints", id="an absurd path length"
        ),
        pytest.param(asn1.seq(asn1.utf8("x")), False, None, "invalid basicConstraints", id="something else"),
    ],
)
def test_basic_constraints(value: bytes, is_ca: bool, path_length: int | None, oddity: str | None) -> None:
    certificate = with_extension(BC, value)
    assert (certificate.is_ca, certificate.path_length) == (is_ca, path_length)
    assert certificate.oddities[:1] == ((oddity,) if oddity else ())


@pytest.mark.parametrize(
    ("value", "urls"),
    [
        pytest.param(asn1.seq(asn1.seq(asn1.explicit(0, asn1.explicit(0, URL)))), ("http://a.example/",), id="a URL"),
        pytest.param(
            asn1.seq(asn1.seq(asn1.explicit(0, asn1.explicit(0, URL, asn1.implicit(6, b"ldap:///x"))))),
            ("http://a.example/", "ldap:///x"),
            id="two URLs for one list",
        ),
        pytest.param(
            asn1.seq(asn1.seq(asn1.explicit(0, asn1.explicit(0, pki.general_name("dirname:CN=x"))))),
            (),
            id="a directory",
        ),
        pytest.param(asn1.seq(asn1.seq(asn1.explicit(0, asn1.explicit(1)))), (), id="a name relative to the issuer"),
        pytest.param(
            asn1.seq(asn1.seq(asn1.implicit(1, b"\1\2"), asn1.explicit(2, URL))), (), id="reasons and an issuer"
        ),
    ],
)
def test_crl_distribution_points(value: bytes, urls: tuple[str, ...]) -> None:
    assert with_extension(CDP, value).crl_urls == urls


def test_authority_information_access() -> None:
    rows = [("1.3.6.1.5.5.7.48.1", b"http://o"), ("1.3.6.1.5.5.7.48.2", b"http://i"), ("1.2.3", b"http://x")]
    entries = [asn1.seq(asn1.oid(method), asn1.implicit(6, url)) for method, url in rows]
    directory = asn1.seq(asn1.oid("1.3.6.1.5.5.7.48.2"), pki.general_name("dirname:CN=x"))
    certificate = with_extension(AIA, asn1.seq(*entries, directory))
    assert (certificate.ocsp_urls, certificate.aia_urls, certificate.oddities) == (("http://o",), ("http://i",), ())
    assert with_extension(AIA, asn1.seq(asn1.seq())).oddities[0] == "invalid authorityInfoAccess"


def test_key_identifiers_and_uses() -> None:
    by_issuer = asn1.seq(asn1.explicit(1, pki.general_name("dirname:CN=x")), asn1.implicit(2, b"\1"))
    assert with_extension(AKI, by_issuer).authority_key_id is None
    mixed = with_extension(EKU, asn1.seq(asn1.oid(pki.EKU["serverAuth"]), asn1.utf8("x")))
    assert mixed.eku == (pki.EKU["serverAuth"],)
    assert mixed.oddities[0] == "extendedKeyUsage with something that is no OID"
    every = with_extension(KU, asn1.bits(b"\xff\x80", unused=7))
    assert every.key_usage == pki.KEY_USAGE
