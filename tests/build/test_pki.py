"""The certificates that other tests are built on are what they say, to openssl as well."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from tests.build import pki

ROOT = pki.root("CN=Root,O=Lab")
SUB = ROOT.issue("Sub", ca=True, path_length=0)
LEAF = SUB.issue("a.example", san=["a.example"], eku=["serverAuth"])


def test_the_library_verifies_the_chain() -> None:
    root, sub, leaf = (x509.load_der_x509_certificate(one.der) for one in (ROOT, SUB, LEAF))
    leaf.verify_directly_issued_by(sub)
    sub.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert LEAF.chain == (LEAF.der, SUB.der)
    assert LEAF.full_chain == (LEAF.der, SUB.der, ROOT.der)
    assert ROOT.chain == (ROOT.der,)


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_openssl_verifies_the_chain(tmp_path: Path) -> None:
    for identity, name in ((ROOT, "root"), (SUB, "sub"), (LEAF, "leaf")):
        (tmp_path / name).write_text(identity.pem)
    command = ["openssl", "verify", "-purpose", "sslserver", "-CAfile", "root", "-untrusted", "sub", "leaf"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout == "leaf: OK\n"


def test_the_same_call_gives_the_same_certificate() -> None:
    assert ROOT.issue("Sub", ca=True, path_length=0) is SUB
    assert ROOT.issue("Sub", ca=True).der != SUB.der
    assert "PRIVATE KEY" in LEAF.key_pem


def test_a_cross_signed_certificate_keeps_name_and_key() -> None:
    cross = pki.root("Other").cross_sign(SUB)
    assert (cross.subject, cross.key, cross.key_id) == (SUB.subject, SUB.key, SUB.key_id)
    assert cross.der != SUB.der
