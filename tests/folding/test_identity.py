"""Names of a connection: addresses, keys, uid, Community ID."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.flows import Flow
from analyzer.folding.identity import endpoints, flow_key, uid

V4 = ("192.0.2.10", 50_000, "198.51.100.5", 5_061)


def flow(ip: str, port: int, other: str, other_port: int, stream: int = 0, first_ns: int = 5) -> Flow:
    return Flow(flow_key(ip, port, other, other_port), stream, 1, first_ns, 0)


@pytest.mark.parametrize(
    ("ends", "community_id"),
    [
        # the reference table of the Community ID specification, version 1, seed 0
        pytest.param(("128.232.110.120", 34_855, "66.35.250.204", 80), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", id="IPv4"),
        pytest.param(("66.35.250.204", 80, "128.232.110.120", 34_855), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", id="reversed"),
    ],
)
def test_community_id(ends: tuple[str, int, str, int], community_id: str) -> None:
    assert endpoints(flow(*ends)).community_id == community_id


@given(
    a=st.ip_addresses(v=4), b=st.ip_addresses(v=4), c=st.ip_addresses(v=6), d=st.ip_addresses(v=6),
    port=st.integers(0, 65_535), other=st.integers(0, 65_535),
)  # fmt: skip
def test_a_key_reads_back_and_has_no_direction(
    a: object, b: object, c: object, d: object, port: int, other: int
) -> None:
    for one, two in ((str(a), str(b)), (str(c), str(d))):
        key = flow_key(one, port, two, other)
        assert key == flow_key(two, other, one, port)
        found = endpoints(Flow(key, 0, 1, 0, 0))
        read = {(ip_address(ip), number) for ip, number in zip(found.ips, found.ports, strict=True)}
        assert read == {(ip_address(one), port), (ip_address(two), other)}


def test_the_lower_endpoint_comes_first() -> None:
    found = endpoints(flow(*V4))
    assert (found.ips, found.ports) == (("192.0.2.10", "198.51.100.5"), (50_000, 5_061))
    assert endpoints(flow("192.0.2.1", 9, "192.0.2.1", 3)).ports == (3, 9)


def test_a_uid_is_stable_and_different_for_others() -> None:
    name = uid(flow(*V4))
    assert name == uid(flow(*V4)) and len(name) == 17 and name[0] == "C" and name.isalnum()
    others = {
        uid(flow(*V4, stream=1)),
        uid(flow(*V4, first_ns=6)),
        uid(flow(*V4, first_ns=-1)),
        uid(flow(*V4[:3], 443)),
    }
    assert len(others | {name}) == 5
