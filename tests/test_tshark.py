"""Every capture under captures/ field by field against the tshark that is installed here."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from analyzer.agreement.dissection import dissected
from analyzer.agreement.facts import Difference, disagreements
from analyzer.pipeline import Options, Run
from tests.agreement.listed import complaints, listed
from tests.test_captures import CAPTURES, FILES

pytestmark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")

LISTED = listed("captures")
RING = re.compile(r"(_\d{5})_\d{14}")
"""What dumpcap puts into the names of a ring's files; the time is another whenever the captures are made anew."""


def name_of(path: Path) -> str:
    """The capture's name in differences.toml."""
    return RING.sub(r"\1", path.relative_to(CAPTURES).as_posix())


NAMES = {name_of(path): path for path in FILES}


@pytest.mark.parametrize("name", NAMES)
def test_facts_are_those_of_tshark(name: str) -> None:
    path = NAMES[name]
    run = Run([str(path)], Options(ports=None))
    assert complaints(name, disagreements(name, dissected(str(path)).streams, run), LISTED) == []


def test_every_listed_difference_is_of_a_capture_that_is_there() -> None:
    assert {item.capture for item in LISTED} - NAMES.keys() == set()


def test_a_difference_is_told_and_an_agreement_that_was_listed_too() -> None:
    found, gone = Difference("a.pcap", 0, "cipher"), Difference("a.pcap", 1, "alerts")
    assert complaints("a.pcap", [(found, 1, 2)], {}) == ["a.pcap, stream 0, cipher: tshark has 1, we have 2"]
    assert complaints("a.pcap", [(found, 1, 2)], {found: "why"}) == []
    assert complaints("a.pcap", [], {gone: "why"}) == [
        "a.pcap, stream 1, alerts: listed in differences.toml, but both agree"
    ]
    assert complaints("b.pcap", [], {gone: "why"}) == []
