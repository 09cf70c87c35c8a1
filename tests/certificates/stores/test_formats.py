"""Files of certificates: every format gives the same certificates, and damage is told and costs nothing else."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.certificates.stores import pem, sst
from analyzer.certificates.stores.content import MAX_PROBLEMS, Content
from analyzer.certificates.stores.loading import FORMATS, read_content
from tests.build import asn1, pki, store_files

ROOT = pki.root("Root").der
OTHER = pki.root("Other", key="rsa").der
OLD = pki.root("Old", only_extensions=[], version=b"").der
BROKEN = asn1.seq(asn1.seq(asn1.integer(5), asn1.seq(), asn1.seq(), asn1.seq(), b"\x30\x7f"), asn1.seq(), b"")
THREE = (ROOT, OTHER, OLD)
TEXT = "".join(store_files.pem(der).decode() for der in THREE)
AUXILIARY = asn1.seq(asn1.utf8("alias"))
REQUEST = asn1.seq(asn1.seq(asn1.integer(0), asn1.name(), asn1.seq(), asn1.explicit(0)), asn1.seq(), asn1.bits(b""))
REVOKED = asn1.seq(asn1.seq(asn1.integer(1), asn1.seq(), asn1.name(), asn1.time(pki.NOT_BEFORE)), asn1.seq())


def names(content: Content) -> list[str]:
    return [certificate.short for certificate in content.certificates]


def library(encoding: Encoding) -> bytes:
    return pkcs7.serialize_certificates([x509.load_der_x509_certificate(der) for der in THREE], encoding)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(TEXT.encode(), id="PEM"),
        pytest.param(TEXT.replace("\n", "\r\n").encode(), id="PEM of Windows"),
        pytest.param(b"\xef\xbb\xbf" + TEXT.encode(), id="PEM behind a byte-order mark"),
        pytest.param(TEXT.encode("utf-16"), id="PEM in UTF-16, as PowerShell redirects it"),
        pytest.param(TEXT.encode("utf-16-be").join((b"\xfe\xff", b"")), id="PEM in UTF-16, the other way round"),
        pytest.param(
            b"subject=CN = x\n" + b"some words\n".join(map(store_files.pem, THREE)), id="text between the blocks"
        ),
        pytest.param(b"".join(store_files.pem(der, "X509 CERTIFICATE") for der in THREE), id="an old label"),
        pytest.param(
            b"".join(store_files.pem(d + AUXILIARY, "TRUSTED CERTIFICATE") for d in THREE), id="OpenSSL's trusted"
        ),
        pytest.param(b"".join(THREE), id="DER, one behind the other"),
        pytest.param(store_files.pkcs7(*THREE), id="PKCS#7 in DER"),
        pytest.param(store_files.pkcs7_ber(*THREE), id="PKCS#7 in BER"),
        pytest.param(store_files.pem(store_files.pkcs7(*THREE), "PKCS7"), id="PKCS#7 in PEM"),
        pytest.param(store_files.pem(store_files.pkcs7(*THREE)), id="PKCS#7 in PEM under the wrong label"),
        pytest.param(base64.encodebytes(store_files.pkcs7(*THREE)), id="PKCS#7 in bare Base64"),
        pytest.param(store_files.sst(*THREE), id="serialized store"),
        pytest.param(
            store_files.sst(*THREE, properties=((3, b"hash"), (11, b"n\0"))), id="serialized store with properties"
        ),
        pytest.param(
            store_files.sst(*THREE)[:-12] + store_files.sst_element(0x21, b"x") + bytes(12), id="and with a CRL"
        ),
    ],
)
def test_every_format_gives_the_same(data: bytes) -> None:
    content = read_content(data)
    assert [certificate.der for certificate in content.certificates] == list(THREE)
    assert content.problems == []


@pytest.mark.parametrize("encoding", [Encoding.DER, Encoding.PEM])
def test_pkcs7_of_the_library_is_read(encoding: Encoding) -> None:
    content = read_content(library(encoding))
    assert sorted(names(content)) == ["Old", "Other", "Root"]  # a SET in DER is sorted
    assert content.problems == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine")
def test_pkcs7_of_openssl_is_read(tmp_path: Path) -> None:
    (tmp_path / "in.pem").write_text(TEXT)
    words = ["openssl", "crl2pkcs7", "-nocrl", "-certfile", "in.pem", "-outform", "DER", "-out", "out.p7b"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    assert sorted(names(read_content((tmp_path / "out.p7b").read_bytes()))) == ["Old", "Other", "Root"]


@pytest.mark.parametrize(
    ("data", "left", "problem"),
    [
        pytest.param(TEXT.encode()[:-40], ["Root", "Other"], "line ", id="PEM cut in its last block"),
        pytest.param(
            store_files.pem(ROOT)[:200] + store_files.pem(OTHER), ["Other"], "line 1: a block CERTIFICATE without an end",
            id="PEM joined without an end",
        ),
        pytest.param(
            b"-----BEGIN CERTIFICATE-----\nno base64!\n-----END CERTIFICATE-----\n" + store_files.pem(ROOT), ["Root"],
            "line 1: a block CERTIFICATE that is no Base64", id="a block that is no Base64",
        ),
        pytest.param(
            store_files.pem(REQUEST) + store_files.pem(ROOT), ["Root"], "line 1: no certificate, but a certificate request (CSR)",
            id="a request under the label of a certificate",
        ),
        pytest.param(store_files.pem(BROKEN) + store_files.pem(ROOT), ["Root"], "a certificate that cannot be read", id="broken"),
        pytest.param(ROOT + b"\0\0\0", ["Root"], "3 bytes behind the last certificate", id="bytes behind the end"),
        pytest.param(ROOT + OTHER[:40], ["Root"], "byte ", id="DER cut in the second one"),
        pytest.param(store_files.pkcs7(ROOT, asn1.explicit(1, b"old"), OTHER), ["Root", "Other"], "element 2", id="no X.509"),
        pytest.param(store_files.pkcs7(ROOT, OTHER)[:-300], ["Root"], "cut short", id="PKCS#7 cut short"),
        pytest.param(store_files.sst(ROOT, OTHER)[:-100], ["Root"], "claims", id="serialized store cut in an element"),
        pytest.param(store_files.sst(ROOT, end=False), ["Root"], "no end", id="serialized store without its end"),
        pytest.param(store_files.sst(ROOT, REVOKED), ["Root"], "but a certificate revocation list", id="a CRL as certificate"),
    ],
)  # fmt: skip
def test_damage_is_told_with_its_place(data: bytes, left: list[str], problem: str) -> None:
    content = read_content(data)
    assert names(content) == left
    assert any(problem in str(found) for found in content.problems), content.problems


def test_the_signer_of_a_trust_list_is_not_trusted() -> None:
    content = read_content(store_files.pkcs7(ROOT, content=store_files.TRUST_LIST))
    assert (names(content), list(content.others)) == ([], ["a certificate trust list (hashes, no certificates)"])


def test_an_element_that_claims_four_gigabytes_is_not_believed() -> None:
    data = sst.MAGIC + (0x20).to_bytes(4, "little") + bytes(4) + b"\xff" * 4 + ROOT
    (problem,) = read_content(data).problems
    assert "claims 4,294,967,295 bytes" in problem.reason


def test_problems_are_bounded() -> None:
    block = b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"
    assert len(read_content(block * (MAX_PROBLEMS + 50)).problems) == MAX_PROBLEMS


def test_many_beginnings_without_an_end_are_read_in_one_pass() -> None:
    content = Content()
    pem.read_pem(b"-----BEGIN CERTIFICATE-----\n" * 100_000, content)
    assert len(content.problems) == MAX_PROBLEMS


PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            ROOT,
            OTHER,
            REQUEST,
            REVOKED,
            store_files.pem(ROOT),
            store_files.pkcs7(ROOT),
            store_files.sst(ROOT),
            sst.MAGIC,
        ]
    ),
    st.sampled_from(
        [b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n", b"-----BEGIN PKCS7-----", b"\xff\xfe"]
    ),
)


@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(PIECES, max_size=5), cut=st.integers(0, 3000), flip=st.integers(0, 3000))
def test_no_bytes_raise(pieces: list[bytes], cut: int, flip: int) -> None:
    data = bytearray(b"".join(pieces)[: cut or None])
    if data:
        data[flip % len(data)] ^= 0x55
    read_content(bytes(data))
    for one in FORMATS:
        one.read(bytes(data), Content())


@settings(max_examples=40, deadline=None)
@given(chosen=st.lists(st.sampled_from(THREE), min_size=1, max_size=5))
def test_what_was_put_in_comes_out(chosen: list[bytes]) -> None:
    for data in (
        b"".join(map(store_files.pem, chosen)),
        b"".join(chosen),
        store_files.pkcs7(*chosen),
        store_files.sst(*chosen),
    ):
        assert [certificate.der for certificate in read_content(data).certificates] == chosen
