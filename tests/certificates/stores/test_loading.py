"""load_store: what a user names. Mistakes are one line that says what was found, what was expected, what to do."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

from analyzer.certificates.stores import folder, loading
from analyzer.certificates.stores.loading import load_sides, load_store
from analyzer.errors import UsageError
from tests.build import asn1, pki, store_files

ROOT, OTHER = pki.root("Root"), pki.root("Other")
PKCS12 = pkcs12.serialize_key_and_certificates(
    b"x", None, x509.load_der_x509_certificate(ROOT.der), None, NoEncryption()
)


def test_the_name_is_the_path_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("roots.p7b").write_bytes(store_files.pem(ROOT.der))  # the name lies: the content decides
    store = load_store("./roots.p7b")
    assert store.name == "./roots.p7b"
    assert [certificate.short for certificate in store.certificates] == ["Root"]


def test_a_folder_is_read_with_its_subfolders(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "a.pem").write_bytes(store_files.pem(ROOT.der))
    (tmp_path / "ca" / "b.cer").write_bytes(OTHER.der)
    (tmp_path / "c.sst").write_bytes(store_files.sst(ROOT.der))
    (tmp_path / "README").write_text("about these files")
    (tmp_path / "cut.pem").write_bytes(store_files.pem(ROOT.der)[:100])
    (tmp_path / ".hidden" / "x.pem").write_bytes(store_files.pem(pki.root("Hidden").der))
    store = load_store(tmp_path)
    assert [certificate.short for certificate in store.certificates] == ["Root", "Other"]
    assert [problem.place for problem in store.problems] == ["README", "cut.pem, line 1"]


def test_a_folder_of_links_counts_each_certificate_once(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(store_files.pem(ROOT.der))
    (tmp_path / "0a1b2c3d.0").symlink_to(tmp_path / "root.pem")
    (tmp_path / "dangling.pem").symlink_to(tmp_path / "nowhere")
    store = load_store(tmp_path)
    assert (len(store), store.problems) == (1, ())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_in_a_folder_does_not_stop_us(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(store_files.pem(ROOT.der))
    os.mkfifo(tmp_path / "pipe")
    assert len(load_store(tmp_path)) == 1


def test_each_path_is_read_once_for_both_sides(tmp_path: Path) -> None:
    path = tmp_path / "root.cer"
    path.write_bytes(ROOT.der)
    sides = load_sides([(None, path), ("client", str(path))])
    assert len(sides["client"]) == 1
    assert sides["client"][0] is sides["server"][0]


def test_a_folder_of_endless_files_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MAX_FILES", 3)
    for number in range(9):
        (tmp_path / f"{number}.pem").write_bytes(store_files.pem(pki.root(f"Root {number}").der))
    assert [certificate.short for certificate in load_store(tmp_path).certificates] == ["Root 0", "Root 1", "Root 2"]


@pytest.mark.parametrize(
    ("data", "found", "advice"),
    [
        pytest.param(b"", "the file is empty", "", id="empty"),
        pytest.param(PKCS12, "a PKCS#12 file", "openssl pkcs12 -in", id="PFX"),
        pytest.param(ROOT.key_pem.encode(), "a private key", "Keep it where it is", id="a key in PEM"),
        pytest.param(
            store_files.pem(b"x", "X509 CRL"), "revocation list", "Give the certificates of the CAs", id="CRL"
        ),
        pytest.param(store_files.pem(b"x", "OPENSSH KEY"), "a PEM block OPENSSH KEY", "", id="something else in PEM"),
        pytest.param(store_files.pkcs7(), "PKCS#7 without certificates", "", id="PKCS#7 without certificates"),
        pytest.param(
            store_files.pkcs7(ROOT.der, content=store_files.TRUST_LIST), "trust list", "generateSSTFromWU", id="STL"
        ),
        pytest.param(store_files.sst(), "", "", id="an empty serialized store"),
        pytest.param(b"\xfe\xed\xfe\xed\0\0\0\2", "a Java key store", "keytool -list -rfc", id="Java key store"),
        pytest.param(b"\xd4\xc3\xb2\xa1", "a packet capture", "Captures stand without", id="a capture"),
        pytest.param(b"PK\3\4", "a ZIP archive", "", id="ZIP"),
        pytest.param(gzip.compress(b"x"), "bytes that start with 1f 8b", "", id="gzip"),
        pytest.param(b"just words", "text", "", id="text"),
        pytest.param(asn1.octets(b"\1" * 90), "bytes that start with 04 5a", "", id="some DER"),
        pytest.param(
            store_files.pem(ROOT.der)[:90], "line 1: a block CERTIFICATE without an end", "", id="a cut block"
        ),
    ],
)
def test_a_file_without_certificates_is_a_mistake(tmp_path: Path, data: bytes, found: str, advice: str) -> None:
    path = tmp_path / "store"
    path.write_bytes(data)
    with pytest.raises(UsageError) as raised:
        load_store(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: no certificate")
    assert found in message
    assert advice in message
    assert loading.READABLE in message
    assert "\n" not in message


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "roots.pem").write_bytes(store_files.pem(ROOT.der))
    with pytest.raises(UsageError, match=r"no such file or folder; did you mean: .*roots\.pem; expected certificates"):
        load_store(tmp_path / "root.pem")


def test_a_folder_without_certificates_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("nothing here")
    with pytest.raises(UsageError, match=r"no certificate in this folder \(1 files read\)"):
        load_store(tmp_path)


def test_a_path_that_cannot_be_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_store("a\0b")


def test_a_file_of_gigabytes_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MAX_BYTES", 100)
    (tmp_path / "big").write_bytes(store_files.pem(ROOT.der))
    with pytest.raises(UsageError, match="more than 100 bytes, which is no trust store"):
        load_store(tmp_path / "big")
