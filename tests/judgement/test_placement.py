"""Which role an address has: what somebody said counts, else what its ports tell."""

from __future__ import annotations

from analyzer.judgement.placement import Position, positions
from tests.rules.surveys import served, view

EDGE = Position("edge external", "the plan says so", certain=True)
SIP = frozenset({5061})
PLACES = {("10.0.0.1", 444): EDGE, ("10.0.0.2", 1): EDGE, ("10.0.0.2", 2): Position("other", "", certain=True)}


def said(ip: str, port: int) -> Position | None:
    return PLACES.get((ip, port))


def test_what_somebody_said_counts_before_a_guess() -> None:
    whole = view(served("10.0.0.1", server_port=444))
    assert positions(whole, SIP, said) == {"10.0.0.1": EDGE}
    guessed = positions(whole, SIP)["10.0.0.1"]
    assert (guessed.role, guessed.certain) == ("front end or director", False)


def test_an_address_of_two_roles_has_none() -> None:
    assert positions(view(served("10.0.0.2", server_port=1), served("10.0.0.2", server_port=2)), SIP, said) == {}
