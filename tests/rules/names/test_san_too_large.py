"""san-too-large: the size of the list of names."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.connection import Seen
from analyzer.judgement.names import san_size
from tests.build.connections import DATA, HANDSHAKE, connection
from tests.rules.cast import SUB, answer, chain, finding, findings, raw

RULE = "san-too-large"


def leaf(names: int, last: int = 0) -> Any:
    """A chain whose leaf has so many names of 25 characters, and one of `last`: each takes two bytes more."""
    san = [f"{n:04}.".ljust(25, "x") for n in range(names)] + ["y" * last] * bool(last)
    return chain(SUB.issue("a.example", san=san or None), SUB)


@pytest.mark.parametrize(
    ("sent", "size", "expected"),
    [
        pytest.param(leaf(0), 0, "silent", id="no SAN"),
        pytest.param(leaf(1), 29, "silent", id="one name"),
        pytest.param(leaf(37), 1_003, "silent", id="37 names"),
        pytest.param(raw(b"junk"), 0, "silent", id="the leaf cannot be read"),
        pytest.param(chain(SUB, SUB), 0, "silent", id="a CA's certificate"),
        pytest.param(leaf(37, last=18), 1_023, "silent", id="a byte below the old limit"),
        pytest.param(leaf(37, last=19), 1_024, "note", id="exactly the old limit"),
        pytest.param(leaf(151, last=12), 4_095, "note", id="a byte below the limit of AD CS"),
        pytest.param(leaf(151, last=13), 4_096, "warning", id="exactly the limit of AD CS"),
        pytest.param(leaf(38), 1_030, "note", id="38 names: over the old limit"),
        pytest.param(leaf(151), 4_081, "note", id="151 names: AD CS can just store it"),
        pytest.param(leaf(152), 4_108, "warning", id="152 names"),
    ],
)
def test_size(sent: Any, size: int, expected: str) -> None:
    assert san_size(sent) == size
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent)) == expected


def test_both_sides_are_looked_at() -> None:
    assert len(findings(RULE, connection(*HANDSHAKE, server_chain=leaf(40), client_chain=leaf(40)))) == 2


def test_without_certificates_there_is_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)) == (
        "cannot tell"
    )


def test_number_and_size_are_told() -> None:
    said = finding(RULE, connection(*HANDSHAKE, server_chain=leaf(152)))
    assert "152 alternative names in 4,108 bytes" in said.summary
