"""Real certificates against what was seen of them by another program. Needs MTLSCOPE_CORPUS and tshark."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from analyzer.certificates.certificate import load
from analyzer.certificates.chain import assess

CORPUS = os.environ.get("MTLSCOPE_CORPUS")
pytestmark = [
    pytest.mark.skipif(not CORPUS, reason="MTLSCOPE_CORPUS names no corpus"),
    pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed"),
]
FILES = 12
LONG = {  # how the oracle writes what we have short names for
    "emailAddress": "1.2.840.113549.1.9.1",
    "serialNumber": "2.5.4.5",
    "businessCategory": "2.5.4.15",
    "postalCode": "2.5.4.17",
    "jurisdictionC": "1.3.6.1.4.1.311.60.2.1.3",
    "jurisdictionST": "1.3.6.1.4.1.311.60.2.1.2",
    "name": "2.5.4.41",
}


def captures() -> list[Path]:
    """A dozen captures with many certificates, always the same ones."""
    if not CORPUS:
        return []
    rows = []
    for oracle in Path(CORPUS, "oracle").glob("*.json"):
        capture = Path(CORPUS, "captures", oracle.name.removesuffix(".json"))
        count = len(expected(oracle)) if capture.exists() and capture.stat().st_size < 2**20 else 0
        rows.append((-count, capture))
    return [capture for count, capture in sorted(rows)[:FILES] if count]


def expected(oracle: Path) -> dict[str, dict[str, Any]]:
    """What the oracle says, by SHA-256."""
    streams = json.loads(oracle.read_text(encoding="utf-8"))["tls_streams"]
    found = [one for stream in streams for message in stream["certificates"] for one in message["certs"]]
    return {one["sha256"]: one for one in found if "parse_error" not in one}


def ders(capture: Path) -> list[tuple[bytes, ...]]:
    """The certificates of each packet that ends a Certificate message."""
    field = "tls.handshake.certificate"
    command = ["tshark", "-n", "-r", str(capture), "-Y", field, "-T", "fields", "-e", field, "-E", "occurrence=a"]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    return [tuple(bytes.fromhex(one) for one in line.replace(":", "").split(",") if one) for line in lines]


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_fields_are_those_of_the_oracle(capture: Path) -> None:
    assert CORPUS
    known = expected(Path(CORPUS, "oracle", capture.name + ".json"))
    compared = 0
    for sent in ders(capture):
        assert assess(sent).leaf.der == sent[0]
        for der in sent:
            theirs = known.get(hashlib.sha256(der).hexdigest())
            if theirs is None:
                continue
            ours = load(der)
            assert (ours.sha256, ours.serial, ours.self_issued) == (
                theirs["sha256"],
                theirs["serial"],
                theirs["self_issued"],
            )
            assert (long_names(ours.subject.text), long_names(ours.issuer.text)) == (
                theirs["subject"],
                theirs["issuer"],
            )
            assert ours.not_before and ours.not_after
            assert ours.not_before.strftime("%Y-%m-%dT%H:%M:%SZ") == theirs["not_before"]
            assert ours.not_after.strftime("%Y-%m-%dT%H:%M:%SZ") == theirs["not_after"]
            compared += 1
    assert compared


def long_names(text: str) -> str:
    return re.sub(r"(?<![^,+])(\w+)=", lambda kind: LONG.get(kind[1], kind[1]) + "=", text)
