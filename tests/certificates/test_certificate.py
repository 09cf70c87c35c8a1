"""One certificate: every field by our own reader, odd ones named, none lost."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.certificates.certificate import Certificate, PublicKey, load
from tests.build import asn1, pki

ROOT = pki.root("CN=Root,O=Lab", crl=["http://crl.example/root.crl"])
SUB = ROOT.issue("CN=Sub,O=Lab", ca=True, path_length=0)
LEAF = SUB.issue(
    "CN=sip.lab.example,OU=Edge,O=Lab,C=DE",
    san=[
        "sip.lab.example",
        "*.lab.example",
        "192.0.2.1",
        "sip:a@lab.example",
        "a@lab.example",
        "dirname:CN=x",
        "2001:db8::1",
    ],
    eku=["serverAuth", "clientAuth", "1.3.6.1.4.1.99999.7"],
    crl=["http://crl.example/sub.crl", "ldap:///CN=Sub"],
    aia=["http://aia.example/sub.crt"],
    ocsp=["http://ocsp.example/"],
    serial=0xA1B2,
)
SECOND = 10**9


def odd(**given: Any) -> Certificate:
    """An issued leaf with something changed."""
    return load(SUB.issue("leaf", **given).der)


def test_every_field_of_an_ordinary_certificate() -> None:
    leaf = load(LEAF.der)
    assert leaf.der == LEAF.der
    assert leaf.sha256 == hashlib.sha256(LEAF.der).hexdigest()
    assert leaf.sha1 == hashlib.sha1(LEAF.der).hexdigest()
    assert (leaf.readable, leaf.version, leaf.serial) == (True, 3, "a1b2")
    assert (leaf.subject.text, leaf.issuer.text) == ("CN=sip.lab.example,OU=Edge,O=Lab,C=DE", "CN=Sub,O=Lab")
    assert (leaf.not_before, leaf.not_after) == (pki.NOT_BEFORE, pki.NOT_AFTER)
    assert (leaf.not_before_text, leaf.not_after_text) == ("200101000000Z", "350101000000Z")
    assert leaf.key == PublicKey("EC", 256, "P-256")
    assert leaf.spki_sha256 == hashlib.sha256(pki.spki(LEAF.key)).hexdigest()
    assert (leaf.signature_algorithm, leaf.signature_hash) == ("ecdsa-with-SHA256", "sha256")
    assert leaf.eku == ("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.99999.7")
    assert leaf.eku_names == ("serverAuth", "clientAuth", "1.3.6.1.4.1.99999.7")
    assert leaf.key_usage == ("digitalSignature", "keyEncipherment")
    assert leaf.crl_urls == ("http://crl.example/sub.crl", "ldap:///CN=Sub")
    assert (leaf.aia_urls, leaf.ocsp_urls) == (("http://aia.example/sub.crt",), ("http://ocsp.example/",))
    assert (leaf.is_ca, leaf.path_length) == (None, None)
    assert (leaf.subject_key_id, leaf.authority_key_id) == (LEAF.key_id, SUB.key_id)
    assert leaf.extensions[:2] == (("2.5.29.15", True), ("2.5.29.37", False))
    assert (leaf.self_issued, leaf.oddities) == (False, ())


def test_the_subject_alternative_names_keep_their_order() -> None:
    san = load(LEAF.der).san
    assert san is not None
    assert san.in_order == (
        "dns:sip.lab.example",
        "dns:*.lab.example",
        "ip:192.0.2.1",
        "uri:sip:a@lab.example",
        "email:a@lab.example",
        "dir:CN=x",
        "ip:2001:db8::1",
    )
    assert (san.dns, san.ip) == (("sip.lab.example", "*.lab.example"), ("192.0.2.1", "2001:db8::1"))
    assert (san.uri, san.email) == (("sip:a@lab.example",), ("a@lab.example",))
    assert san.size == len(
        x509.load_der_x509_certificate(LEAF.der)
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value.public_bytes()
    )


def test_a_certification_authority() -> None:
    root, sub = load(ROOT.der), load(SUB.der)
    assert (root.is_ca, root.path_length, root.self_issued) == (True, None, True)
    assert (sub.is_ca, sub.path_length, sub.self_issued) == (True, 0, False)
    assert sub.key_usage == ("keyCertSign", "cRLSign")
    assert (root.san, root.eku, root.eku_names) == (None, None, None)


@pytest.mark.parametrize(
    ("identity", "key", "algorithm", "digest"),
    [
        pytest.param(pki.root("r", key="rsa"), "RSA 2048", "sha256WithRSAEncryption", "sha256", id="RSA"),
        pytest.param(
            pki.root("r", key="rsa1024", digest="sha1"), "RSA 1024", "sha1WithRSAEncryption", "sha1", id="old RSA"
        ),
        pytest.param(
            pki.root("r", key="rsa1024", digest="md5"), "RSA 1024", "md5WithRSAEncryption", "md5", id="very old RSA"
        ),
        pytest.param(pki.root("r", key="rsa", pss=True), "RSA 2048", "RSASSA-PSS", "sha256", id="RSASSA-PSS"),
        pytest.param(
            pki.root("r", key="ec384", digest="sha384"), "EC P-384", "ecdsa-with-SHA384", "sha384", id="P-384"
        ),
        pytest.param(
            pki.root("r", key="ec521", digest="sha512"), "EC P-521", "ecdsa-with-SHA512", "sha512", id="P-521"
        ),
        pytest.param(pki.root("r", key="ed25519"), "Ed25519", "Ed25519", None, id="Ed25519"),
        pytest.param(pki.root("r", key="ed448"), "Ed448", "Ed448", None, id="Ed448"),
        pytest.param(pki.root("r", key="dsa"), "DSA 1024", "dsa-with-SHA256", "sha256", id="DSA"),
    ],
)
def test_keys_and_signature_algorithms(identity: pki.Identity, key: str, algorithm: str, digest: str | None) -> None:
    certificate = load(identity.der)
    assert (str(certificate.key), certificate.signature_algorithm) == (key, algorithm)
    assert (certificate.signature_hash, certificate.oddities) == (digest, ())


V1 = odd(version=b"", only_extensions=[])
TIME = asn1.time(pki.NOT_BEFORE)


@pytest.mark.parametrize(
    ("certificate", "oddity"),
    [
        pytest.param(odd(serial=-5), "negative serial", id="a negative serial number"),
        pytest.param(odd(serial=0), "serial number 0", id="serial number zero"),
        pytest.param(odd(serial=1 << 200), "serial number of 26 bytes", id="a long serial number"),
        pytest.param(odd(serial_der=b"\x02\x02\x00\x01"), "serial number not in its shortest form", id="padded serial"),
        pytest.param(odd(serial_der=b"\x02\x00"), "empty serial number", id="an empty serial number"),
        pytest.param(odd(serial_der=asn1.utf8("1")), "no serial number", id="a string for a serial number"),
        pytest.param(odd(issuer_name=asn1.name()), "empty issuer", id="an empty issuer"),
        pytest.param(
            odd(subject=asn1.name([asn1.attribute("2.5.4.3", asn1.tlv(0x13, b"a@b"))])),
            "subject: bad PrintableString",
            id="a bad PrintableString",
        ),
        pytest.param(odd(version=b""), "extensions in a version 1 certificate", id="extensions before version 3"),
        pytest.param(odd(version=asn1.explicit(0, asn1.integer(3))), "version 4", id="a version from the future"),
        pytest.param(odd(version=asn1.explicit(0, asn1.integer(0))), "version 1 written out", id="a default written"),
        pytest.param(odd(version=asn1.explicit(0, asn1.integer(1 << 99))), "version None", id="an absurd version"),
        pytest.param(
            odd(extensions=[asn1.seq(asn1.oid("1.2.3"), asn1.boolean(False), asn1.octets(b""))]),
            "critical FALSE encoded",
            id="critical FALSE encoded",
        ),
        pytest.param(
            odd(extensions=[asn1.seq(asn1.oid("1.2.3"), b"\x01\x01\x01", asn1.octets(b""))]),
            "BOOLEAN that is not FF",
            id="a BER TRUE",
        ),
        pytest.param(
            odd(extensions=[asn1.seq(asn1.oid("1.2.3"))]), "unreadable extension", id="an extension without a value"
        ),
        pytest.param(
            odd(extensions=[asn1.seq(asn1.oid("1.2.3"), asn1.null(), asn1.octets(b""))]),
            "unreadable extension",
            id="an extension with something else in it",
        ),
        pytest.param(
            odd(extensions=[pki.key_usage(["keyAgreement"])]), "duplicate extension 2.5.29.15", id="a duplicate"
        ),
        pytest.param(
            odd(key_usage=["encipherOnly"]),
            "keyUsage: encipherOnly or decipherOnly without keyAgreement",
            id="half a usage",
        ),
        pytest.param(odd(key_usage=[]), "keyUsage without a usage", id="no usage"),
        pytest.param(odd(validity=asn1.seq(TIME)), "a validity of other than two times", id="one date"),
        pytest.param(
            odd(not_before=pki.NOT_AFTER, not_after=pki.NOT_BEFORE), "notAfter before notBefore", id="dates swapped"
        ),
        pytest.param(
            odd(validity=asn1.seq(TIME, asn1.tlv(0x18, b"20300101000000Z"))),
            "notAfter: GeneralizedTime before 2050",
            id="GeneralizedTime before 2050",
        ),
        pytest.param(
            odd(validity=asn1.seq(TIME, asn1.tlv(0x17, b"991332000000Z"))),
            "notAfter: a time that is no date",
            id="a date that is none",
        ),
        pytest.param(
            odd(algorithm=asn1.seq(asn1.oid("1.2.840.10045.4.3.2"), asn1.null())),
            "params in a signature algorithm that has none (ecdsa-with-SHA256)",
            id="NULL params with ECDSA",
        ),
        pytest.param(
            odd(algorithm=asn1.seq(asn1.oid("1.2.840.113549.1.1.11"))),
            "NULL params missing in an RSA signature algorithm",
            id="no NULL params with RSA",
        ),
        pytest.param(odd(algorithm=asn1.seq()), "unreadable signature algorithm", id="no algorithm"),
        pytest.param(odd(spki=asn1.seq()), "unreadable public key", id="no key"),
        pytest.param(
            odd(spki=asn1.seq(asn1.seq(asn1.oid("1.2.840.10045.2.1"), asn1.oid("1.2.3")), asn1.bits(b""))),
            "unknown curve 1.2.3",
            id="an unknown curve",
        ),
        pytest.param(
            odd(spki=asn1.seq(asn1.seq(asn1.oid("1.2.840.10045.2.1")), asn1.bits(b""))),
            "unreadable EC key",
            id="no curve",
        ),
        pytest.param(
            odd(spki=asn1.seq(asn1.seq(asn1.oid("1.2.840.113549.1.1.1"), asn1.null()), asn1.octets(b"x"))),
            "unreadable RSA key",
            id="an RSA key in the wrong box",
        ),
        pytest.param(
            odd(
                spki=asn1.seq(
                    asn1.seq(asn1.oid("1.2.840.113549.1.1.1"), asn1.null()),
                    asn1.bits(asn1.seq(asn1.integer(-(1 << 511)), asn1.integer(3))),
                )
            ),
            "negative number in a public key",
            id="a negative modulus",
        ),
        pytest.param(
            odd(spki=asn1.seq(asn1.seq(asn1.oid("1.2.3")), asn1.bits(b"x"))),
            "unknown key algorithm 1.2.3",
            id="an unknown kind of key",
        ),
        pytest.param(
            odd(spki=asn1.seq(asn1.seq(asn1.oid("1.3.101.112"), asn1.null(), asn1.null()), asn1.bits(b"x"))),
            "bytes behind the parameters of a key",
            id="more than an algorithm and its parameters",
        ),
        pytest.param(
            odd(extensions=[asn1.seq(asn1.tlv(6, b"\x80\x01"), asn1.octets(b""))]),
            "an extension that has no proper OID (0.1)",
            id="a padded OID",
        ),
        pytest.param(
            odd(signature=asn1.bits(b"xx", unused=3)),
            "a signature that is no whole octets",
            id="a signature of 13 bits",
        ),
        pytest.param(load(LEAF.der + b"xy"), "2 bytes behind the end of the certificate", id="trailing bytes"),
        pytest.param(load(LEAF.der[:-30]), "cut short: a length runs past the end", id="cut in the signature"),
        pytest.param(
            odd(signature=asn1.octets(b"x")),
            "a certificate of other than three parts",
            id="a signature of another type",
        ),
    ],
)
def test_what_is_odd_is_named_and_the_rest_is_there(certificate: Certificate, oddity: str) -> None:
    assert oddity in certificate.oddities
    assert certificate.readable
    assert certificate.issuer.readable
    assert certificate.subject.readable


def test_a_version_1_certificate_is_nothing_odd() -> None:
    assert (V1.version, V1.extensions, V1.is_ca, V1.oddities) == (1, (), None, ())


def test_unique_identifiers_are_passed_over() -> None:
    """RFC 5280 section 4.1.2.8: nobody should use them, everybody must read on behind them."""
    ordinary = load(LEAF.der)
    tbs = asn1.implicit(1, b"\0x") + asn1.implicit(2, b"\0y")
    marked = odd(spki=pki.spki(LEAF.key) + tbs, san=["a.example"])
    assert (marked.oddities, marked.names, marked.key) == ((), ("a.example",), ordinary.key)
    assert "a field of unknown tag 0x0c" in odd(spki=pki.spki(LEAF.key) + asn1.utf8("x")).oddities


def test_a_serial_number_of_20_bytes_and_a_sign_is_nothing_odd() -> None:
    assert odd(serial=1 << 159).oddities == ()


def test_of_two_lists_of_extensions_the_first_counts() -> None:
    first = asn1.explicit(3, asn1.seq(pki.subject_alt_name(["first.example"])))
    assert odd(spki=pki.spki(LEAF.key) + first, san=["second.example"]).names == ("first.example",)


def test_the_extensions_may_be_in_the_wrong_box() -> None:
    boxed = asn1.explicit(3, asn1.utf8("x"))
    certificate = odd(spki=pki.spki(LEAF.key) + boxed, only_extensions=[])
    assert certificate.oddities[0] == "unreadable extensions"


def test_a_serial_number_may_be_missing() -> None:
    """Then what follows moves up."""
    certificate = odd(serial_der=asn1.explicit(9))
    assert (certificate.serial, certificate.issuer.text) == (None, "CN=Sub,O=Lab")


def test_two_signature_algorithms_that_differ_and_one_that_is_lost() -> None:
    inner, outer = asn1.oid("1.2.840.10045.4.3.2"), asn1.oid("1.2.840.10045.4.3.4")
    before, _, after = LEAF.der.rpartition(inner)
    certificate = load(before + outer + after)
    assert certificate.signature_algorithm == "ecdsa-with-SHA512"
    assert "two signature algorithms that differ" in certificate.oddities
    assert load(before[:-4]).signature_algorithm == "ecdsa-with-SHA256"


def test_the_library_is_asked_about_odd_ones_and_quoted() -> None:
    twice = odd(extensions=[pki.key_usage(["keyAgreement"])])
    assert any(words.startswith("refused by the library: extensions: DuplicateExtension") for words in twice.oddities)
    assert twice.key_usage == ("digitalSignature", "keyEncipherment")  # the first of the two


def test_explicit_curve_parameters_are_measured() -> None:
    """The form that CVE-2020-0601 abused."""
    prime = asn1.seq(asn1.oid("1.2.840.10045.1.1"), asn1.integer((1 << 256) - 189))
    parameters = asn1.seq(asn1.integer(1), prime, asn1.seq(), asn1.octets(b""), asn1.integer(7))
    spki = asn1.seq(asn1.seq(asn1.oid("1.2.840.10045.2.1"), parameters), asn1.bits(b"\x04"))
    certificate = odd(spki=spki)
    assert certificate.key == PublicKey("EC", 256, "explicit parameters")
    assert "explicit curve parameters" in certificate.oddities


@pytest.mark.parametrize(
    "der",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"-----BEGIN CERTIFICATE-----", id="PEM"),
        pytest.param(asn1.seq(), id="an empty SEQUENCE"),
        pytest.param(asn1.seq(asn1.octets(b"x")), id="no TBSCertificate"),
        pytest.param(asn1.seq(asn1.seq()), id="an empty TBSCertificate"),
        pytest.param(LEAF.der[:3], id="cut in the header"),
    ],
)
def test_what_is_no_certificate_is_still_a_fact(der: bytes) -> None:
    nothing = load(der)
    assert (nothing.readable, nothing.serial, nothing.not_before, nothing.key) == (False, None, None, None)
    assert (nothing.subject.readable, nothing.self_issued) == (False, False)
    assert nothing.sha256 == hashlib.sha256(der).hexdigest()
    assert any(oddity.startswith("no certificate: ") for oddity in nothing.oddities)
    assert nothing.short == nothing.sha256[:16]


@pytest.mark.parametrize("cut", [80, 200, 300, 500])
def test_a_certificate_cut_short_keeps_what_came_before(cut: int) -> None:
    certificate = load(LEAF.der[:cut])
    assert (certificate.serial, certificate.issuer.text) == ("a1b2", "CN=Sub,O=Lab")


@pytest.mark.parametrize(
    ("certificate", "short", "names"),
    [
        pytest.param(
            load(LEAF.der),
            "sip.lab.example",
            ("sip.lab.example", "*.lab.example", "192.0.2.1", "2001:db8::1"),
            id="a common name and a SAN",
        ),
        pytest.param(load(ROOT.der), "Root", ("Root",), id="a common name alone"),
        pytest.param(odd(san=["192.0.2.1"]), "leaf", ("leaf", "192.0.2.1"), id="an address as only SAN"),
        pytest.param(odd(subject=asn1.name(), san=["a.example"]), "a.example", ("a.example",), id="a SAN alone"),
        pytest.param(odd(subject=pki.subject_name("O=Lab")), "O=Lab", (), id="an organisation alone"),
    ],
)
def test_how_it_is_called_and_for_whom_it_speaks(certificate: Certificate, short: str, names: tuple[str, ...]) -> None:
    assert (certificate.short, certificate.names) == (short, names)
    assert certificate.short in repr(certificate)


def test_covers_asks_names_and_addresses() -> None:
    leaf = load(LEAF.der)
    hosts = ("SIP.lab.example", "a.lab.example", "192.0.2.1", "lab.example")
    assert [leaf.covers(host) for host in hosts] == ["exact", "wildcard", "exact", None]
    assert load(ROOT.der).covers("root") == "common-name"


def test_validity_includes_both_ends() -> None:
    leaf = load(LEAF.der)
    start, end = (int(moment.timestamp()) * SECOND for moment in (pki.NOT_BEFORE, pki.NOT_AFTER))
    assert [leaf.valid_at(time) for time in (start - 1, start, end, end + 1)] == [False, True, True, False]
    assert odd(validity=asn1.seq()).valid_at(start) is None


def test_equal_bytes_are_one_object_and_equal_after_it_was_forgotten() -> None:
    leaf = load(LEAF.der)
    assert load(bytes(bytearray(LEAF.der))) is leaf
    assert leaf == load(LEAF.der)
    assert leaf != load(SUB.der)
    assert leaf != LEAF.der
    assert len({leaf, load(LEAF.der)}) == 1


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"san": [f"host{number}.lab.example" for number in range(100_000)]}, id="100,000 names"),
        pytest.param(
            {"only_extensions": [pki.extension(f"1.2.3.{n}", b"") for n in range(10_000)]}, id="10,000 extensions"
        ),
        pytest.param(
            {"only_extensions": [pki.extension("2.5.29.17", b"\x30\x80" * 10_000)]}, id="a SAN 10,000 levels deep"
        ),
        pytest.param({"serial": 1 << (8 * 65_536)}, id="a serial number of 64 KB"),
        pytest.param(
            {
                "spki": asn1.seq(
                    asn1.seq(asn1.oid("1.2.840.113549.1.1.1"), asn1.null()),
                    asn1.bits(asn1.seq(asn1.integer(1 << (8 * 65_536)), asn1.integer(3))),
                )
            },
            id="a modulus of 64 KB",
        ),
        pytest.param({"only_extensions": [pki.extension("2.5.29.37", asn1.tlv(6, b"\x81" * 65_000))]}, id="a huge OID"),
    ],
)
def test_hostile_sizes_are_read(given: dict[str, Any]) -> None:
    certificate = odd(**given)
    assert certificate.readable
    assert certificate.subject.text == "CN=leaf"


# ----------------------------------------------------------------------------------------------------------- properties

NAMES = st.lists(st.from_regex(r"(\*\.)?[a-z][a-z0-9-]{0,10}\.example", fullmatch=True), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(
    serial=st.integers(1, 2**159),
    san=NAMES,
    eku=st.lists(st.sampled_from(sorted(pki.EKU)), min_size=1, unique=True),
    usage=st.lists(st.sampled_from(pki.KEY_USAGE[:7]), unique=True, min_size=1),
    not_after=st.datetimes(datetime(2021, 1, 1), datetime(9999, 1, 1)),
)
def test_the_library_reads_the_same(
    serial: int, san: list[str], eku: list[str], usage: list[str], not_after: datetime
) -> None:
    der = SUB.issue(
        "leaf", serial=serial, san=san, eku=eku, key_usage=usage, not_after=not_after.replace(microsecond=0, tzinfo=UTC)
    ).der
    ours, theirs = load(der), x509.load_der_x509_certificate(der)
    assert ours.oddities == ()
    assert (ours.serial, ours.subject.der) == (f"{theirs.serial_number:x}", theirs.subject.public_bytes())
    assert ours.issuer.text == theirs.issuer.rfc4514_string()
    assert (ours.not_before, ours.not_after) == (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
    names = theirs.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert ours.san is not None
    assert list(ours.san.dns) == names.get_values_for_type(x509.DNSName)
    uses = theirs.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(ours.eku or ()) == [use.dotted_string for use in uses]
    assert set(ours.key_usage or ()) == set(usage)
    assert [dotted for dotted, _ in ours.extensions] == [one.oid.dotted_string for one in theirs.extensions]


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, len(LEAF.der) - 1), octet=st.integers(0, 255))
def test_one_changed_byte_loses_no_certificate(place: int, octet: int) -> None:
    der = bytearray(LEAF.der)
    der[place] = octet
    certificate = load(bytes(der))
    assert certificate.sha256 == hashlib.sha256(der).hexdigest()
    assert isinstance(certificate.short, str)
    certificate.covers("sip.lab.example")
    certificate.valid_at(0)


@settings(max_examples=60, deadline=None)
@given(der=st.binary(max_size=80))
def test_any_bytes_give_a_certificate(der: bytes) -> None:
    for candidate in (der, asn1.seq(asn1.seq(der), der), SUB.issue("leaf", only_extensions=[der]).der):
        assert load(candidate).der == candidate


@settings(max_examples=100, deadline=None)
@given(
    dotted=st.sampled_from(
        ["2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.31", "2.5.29.35", "2.5.29.37", "1.3.6.1.5.5.7.1.1"]
    ),
    value=st.binary(max_size=24),
)
def test_any_bytes_may_be_in_an_extension(dotted: str, value: bytes) -> None:
    for content in (value, asn1.seq(value), asn1.seq(asn1.seq(value)), asn1.seq(asn1.seq(asn1.explicit(0, value)))):
        assert load(SUB.issue("leaf", only_extensions=[pki.extension(dotted, content)]).der).readable
