"""ca-list-too-long: more than 100 names or 12,288 bytes."""

from __future__ import annotations

import pytest

from analyzer.connection import CaList, Seen
from tests.build.connections import CLIENT_FLIGHT, HANDSHAKE, ca_list, connection
from tests.rules.cast import ROOT, answer, finding, name

RULE = "ca-list-too-long"


def of(names: int, size: int) -> CaList:
    """A list of so many names with this length field."""
    return ca_list(*[name(ROOT)] * names, size=size)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(of(0, 0), "silent", id="empty"),
        pytest.param(of(5, 500), "silent", id="five names"),
        pytest.param(of(100, 9_000), "silent", id="exactly 100 names"),
        pytest.param(of(80, 12_288), "silent", id="exactly 12,288 bytes"),
        pytest.param(of(101, 9_000), "warning", id="101 names"),
        pytest.param(of(80, 12_289), "warning", id="12,289 bytes in 80 names"),
        pytest.param(of(330, 36_000), "warning", id="330 names"),
    ],
)
@pytest.mark.parametrize(
    "ladder", [pytest.param(HANDSHAKE, id="works"), pytest.param((*CLIENT_FLIGHT, "< RST"), id="dies")]
)
def test_the_list(names: CaList, expected: str, ladder: tuple[str, ...]) -> None:
    assert answer(RULE, connection(*ladder, request=names)) == expected


def test_no_request_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert answer(RULE, connection(*HANDSHAKE, hidden=Seen.CERTIFICATE_REQUEST)) == "cannot tell"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        pytest.param(of(110, 10_000), "Windows cuts such a list at 16,384 bytes", id="below the cut"),
        pytest.param(of(200, 20_000), "the server is not Windows", id="beyond what Windows sends"),
        pytest.param(of(330, 36_000), "more than a Windows client accepts (32,768 bytes)", id="beyond what it accepts"),
    ],
)
def test_the_limits_of_others_are_told(names: CaList, told: str) -> None:
    summary = finding(RULE, connection(*HANDSHAKE, request=names)).summary
    assert f"{len(names.names):,} names in {names.size:,} bytes" in summary
    assert told in summary
