"""The library's second opinion about an odd certificate."""

from __future__ import annotations

import pytest
from cryptography import x509

from analyzer.certificates import library
from tests.build import asn1, pki

ROOT = pki.root("Root")


@pytest.mark.parametrize(
    ("der", "start"),
    [
        pytest.param(ROOT.der, (), id="nothing to say"),
        pytest.param(ROOT.issue("leaf", serial=-5).der, (), id="a warning is no refusal"),
        pytest.param(b"junk", ("refused by the library: ValueError",), id="no certificate"),
        pytest.param(
            ROOT.issue("leaf", spki=asn1.seq(asn1.seq(asn1.oid("1.2.3")), asn1.bits(b""))).der,
            ("refused by the library: public key: UnsupportedAlgorithm",),
            id="an unknown key",
        ),
        pytest.param(
            ROOT.issue("leaf", extensions=[pki.extension("2.5.29.15", b"junk")]).der,
            ("refused by the library: extensions: ",),
            id="bad extensions",
        ),
        pytest.param(b"junk" * 100_000, (), id="too large to be asked about"),
    ],
)
def test_refusals_are_quoted(der: bytes, start: tuple[str, ...]) -> None:
    said = library.second_opinion(der)
    assert len(said) == len(start)
    assert all(words.startswith(begin) for words, begin in zip(said, start, strict=True))


def test_a_panic_is_a_refusal_and_an_interrupt_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def panic(der: bytes) -> x509.Certificate:
        raise BaseException(der.decode())

    def interrupt(der: bytes) -> x509.Certificate:
        raise KeyboardInterrupt

    monkeypatch.setattr(x509, "load_der_x509_certificate", panic)
    assert library.second_opinion(b"  two\n words") == ("refused by the library: BaseException: two words",)
    assert library.second_opinion(b"") == ("refused by the library: BaseException",)
    monkeypatch.setattr(x509, "load_der_x509_certificate", interrupt)
    with pytest.raises(KeyboardInterrupt):
        library.second_opinion(b"")
