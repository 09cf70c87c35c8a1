"""Raw verification of signatures, old hashes included; and that nothing imports the library before."""

from __future__ import annotations

import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from analyzer.certificates import signatures
from analyzer.certificates.certificate import load
from analyzer.certificates.tolerant import outline
from tests.build import asn1, pki

SMALL = pki.root("small", key="rsa1024")
RSA = pki.root("rsa", key="rsa")
EC = pki.root("ec")


def issued(issuer: pki.Identity, **given: object) -> bytes:
    return issuer.issue("leaf", **given).der


@pytest.mark.parametrize(
    ("issuer", "given"),
    [
        pytest.param(SMALL, {"digest": "md5"}, id="MD5 with RSA"),
        pytest.param(SMALL, {"digest": "sha1"}, id="SHA-1 with RSA"),
        pytest.param(RSA, {"digest": "sha512"}, id="SHA-512 with RSA"),
        pytest.param(RSA, {"pss": True}, id="RSASSA-PSS with SHA-256"),
        pytest.param(RSA, {"pss": True, "digest": "sha1"}, id="RSASSA-PSS with SHA-1"),
        pytest.param(EC, {}, id="ECDSA"),
        pytest.param(EC, {"digest": "sha1"}, id="SHA-1 with ECDSA"),
        pytest.param(pki.root("e", key="ed25519"), {}, id="Ed25519"),
        pytest.param(pki.root("e", key="ed448"), {}, id="Ed448"),
        pytest.param(pki.root("d", key="dsa"), {"digest": "sha1"}, id="DSA"),
    ],
)
def test_a_good_signature_and_a_bad_one(issuer: pki.Identity, given: dict[str, object]) -> None:
    leaf = load(issued(issuer, **given))
    changed = bytearray(leaf.der)
    changed[-1] ^= 1
    assert leaf.signed_by(load(issuer.der)) is True
    assert load(bytes(changed)).signed_by(load(issuer.der)) is False


def test_a_pss_mask_may_have_another_hash() -> None:
    hashed, mask_hash = (asn1.seq(asn1.oid(pki.HASH_OIDS[name]), asn1.null()) for name in ("sha256", "sha512"))
    mask = asn1.seq(asn1.oid("1.2.840.113549.1.1.8"), mask_hash)
    parameters = asn1.seq(asn1.explicit(0, hashed), asn1.explicit(1, mask), asn1.explicit(2, asn1.integer(17)))
    algorithm = asn1.seq(asn1.oid("1.2.840.113549.1.1.10"), parameters)
    draft = outline(RSA.issue("leaf", serial=1, algorithm=algorithm).der)
    assert draft.tbs
    assert isinstance(RSA.key, rsa.RSAPrivateKey)
    pss = padding.PSS(padding.MGF1(hashes.SHA512()), 17)
    signature = asn1.bits(RSA.key.sign(draft.reader.whole(draft.tbs), pss, hashes.SHA256()))
    signed = RSA.issue("leaf", serial=1, algorithm=algorithm, signature=signature)
    assert load(signed.der).signed_by(load(RSA.der)) is True


@pytest.mark.parametrize(
    ("child", "issuer", "answer"),
    [
        pytest.param(EC.der, EC.der, True, id="a root signed itself"),
        pytest.param(issued(EC), pki.root("another").der, False, id="another key of the same kind"),
        pytest.param(issued(EC), RSA.der, False, id="an RSA key made no ECDSA signature"),
        pytest.param(issued(EC, algorithm=asn1.seq(asn1.oid("1.2.3"))), EC.der, None, id="an unknown algorithm"),
        pytest.param(issued(EC, algorithm=asn1.seq()), EC.der, None, id="no algorithm"),
        pytest.param(issued(RSA, algorithm=asn1.seq(asn1.oid("1.2.840.113549.1.1.2"))), RSA.der, None, id="MD2"),
        pytest.param(
            issued(
                RSA,
                algorithm=asn1.seq(asn1.oid("1.2.840.113549.1.1.10"), asn1.seq(asn1.explicit(1, asn1.seq()))),
            ),
            RSA.der,
            None,
            id="a PSS mask that is unknown",
        ),
        pytest.param(issued(EC, signature=asn1.bits(b"junk")), EC.der, False, id="a signature that is none"),
        pytest.param(issued(EC, signature=asn1.octets(b"x")), EC.der, None, id="no signature"),
        pytest.param(issued(EC), pki.root("ec", spki=asn1.seq()).der, None, id="no key"),
        pytest.param(
            issued(EC),
            pki.root(
                "ec", spki=asn1.seq(asn1.seq(asn1.oid("1.2.840.10045.2.1"), asn1.oid("1.2.3")), asn1.bits(b"x"))
            ).der,
            None,
            id="a key on an unknown curve",
        ),
        pytest.param(
            issued(RSA),
            pki.root(
                "rsa",
                key="rsa",
                spki=asn1.seq(
                    asn1.seq(asn1.oid("1.2.840.113549.1.1.1"), asn1.null()),
                    asn1.bits(asn1.seq(asn1.integer(1 << (8 * 65_536)), asn1.integer(3))),
                ),
            ).der,
            None,
            id="a modulus of 64 KB",
        ),
        pytest.param(b"junk", EC.der, None, id="no certificate"),
        pytest.param(EC.der, b"junk", None, id="no issuer"),
    ],
)
def test_what_is_bad_and_what_cannot_be_told(child: bytes, issuer: bytes, answer: bool | None) -> None:
    assert load(child).signed_by(load(issuer)) is answer


def test_an_answer_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    leaf, root = load(issued(EC, san=["once.example"])), load(EC.der)
    assert leaf.signed_by(root) is True
    monkeypatch.setattr(signatures, "verify", None)
    assert leaf.signed_by(root) is True


def test_the_library_may_panic(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        """What its Rust part raises."""

    def panic(*_: object) -> bool:
        raise PanicException

    monkeypatch.setattr(signatures, "_check", panic)
    assert signatures.verify(EC.der, EC.der) is None


def test_an_interrupt_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(signatures, "_check", interrupt)
    with pytest.raises(KeyboardInterrupt):
        signatures.verify(EC.der, EC.der)


def test_a_healthy_chain_needs_no_cryptography() -> None:
    chain = [EC.issue("Sub", ca=True).issue("leaf", san=["a.example"]).der, EC.issue("Sub", ca=True).der, EC.der]
    program = (
        "import sys; from analyzer.certificates.chain import assess; "
        f"assert assess({tuple(chain)!r}).ends_in_root; sys.exit('cryptography' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
