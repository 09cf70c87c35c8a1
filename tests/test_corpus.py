"""The 366 captures of others, named by MTLSCOPE_CORPUS: the same facts as tshark, and findings that are true of them."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from analyzer.pipeline import Options, Run
from analyzer.report.output import Item
from analyzer.summary import CaptureSummary
from tests.agreement.facts import NO_STREAM, Difference, complaints, disagreements, listed
from tests.agreement.oracle import Oracle

CORPUS = Path(os.environ.get("MTLSCOPE_CORPUS", "none"))
NAMES = sorted(path.name for path in (CORPUS / "captures").glob("*"))
pytestmark = pytest.mark.skipif(not NAMES, reason="MTLSCOPE_CORPUS names no folder with captures")

LISTED = listed("corpus")


@cache
def analysed(name: str) -> tuple[Item, ...]:
    """Every item of one capture, TLS looked for on every port. Our own bugs are told as crashes: there must be none."""
    run = Run([str(CORPUS / "captures" / name)], Options(ports=None))
    items = tuple(run)
    assert run.crashes == []
    return items


def summary(name: str) -> CaptureSummary:
    """The last item."""
    last = analysed(name)[-1]
    assert isinstance(last, CaptureSummary)
    return last


@pytest.mark.parametrize("name", NAMES)
def test_facts_are_those_of_tshark(name: str) -> None:
    oracle = Oracle(CORPUS / "oracle", name)
    found = list(disagreements(name, oracle.streams(), analysed(name)))
    if summary(name).packets != oracle.packets:
        found.append((Difference(name, NO_STREAM, "packets"), oracle.packets, summary(name).packets))
    assert complaints(name, found, LISTED) == []


@pytest.mark.parametrize("name", NAMES)
def test_packets_are_conserved(name: str) -> None:
    last = summary(name)
    assert last.packets == last.decoded + sum(last.reasons.values())


def test_every_listed_difference_is_of_a_capture_that_is_there() -> None:
    assert {item.capture for item in LISTED} - set(NAMES) == set()
