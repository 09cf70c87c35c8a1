"""What each command writes as JSON fits the schema that is in docs/."""

from __future__ import annotations

import json
import shutil

import jsonschema
import pytest

from analyzer.report import fields
from tests.cli.commands import Shell
from tests.test_captures import CAPTURES

FAILED, WORKS = str(CAPTURES / "gap-server-flight.pcap"), str(CAPTURES / "mtls12-openssl.pcap")

AGAIN = str(CAPTURES / ".." / CAPTURES.name / "gap-server-flight.pcap")


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(fields.schema())


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        pytest.param([FAILED, str(CAPTURES / "ca-list-150-names.pcap"), "--fail-on", "never"], None, id="a report"),
        pytest.param(["diff", FAILED, WORKS], "diff", id="two handshakes"),
        pytest.param(["correlate", FAILED, AGAIN], "correlation", id="two captures of one path"),
        pytest.param(
            ["crosscheck", FAILED],
            "crosscheck",
            id="Wireshark's fields and ours",
            marks=pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed"),
        ),
    ],
)
def test_it_fits(words: list[str], kind: str | None, shell: Shell, validator: jsonschema.Draft202012Validator) -> None:
    told = json.loads(shell(*words, "-T", "json").out)
    validator.validate(told)
    assert told.get("type") == kind
    broken = {**told, "surprise": 1}
    assert not validator.is_valid(broken), "a key that is not described is refused"
