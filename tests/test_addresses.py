"""An address and a port in one word."""

import pytest

from analyzer.addresses import endpoint
from analyzer.summary import Repeated


@pytest.mark.parametrize(
    ("ip", "port", "told"),
    [
        pytest.param("192.0.2.1", 5061, "192.0.2.1:5061", id="IPv4"),
        pytest.param("2001:db8::1", 5061, "[2001:db8::1]:5061", id="IPv6 needs brackets"),
        pytest.param("localhost", 0, "localhost:0", id="a name, and the port is open"),
    ],
)
def test_endpoint(ip: str, port: int, told: str) -> None:
    assert endpoint(ip, port) == told


@pytest.mark.parametrize(
    ("ip", "port", "told"),
    [
        pytest.param("2001:db8::1", 5061, "[2001:db8::1]:5061", id="one port"),
        pytest.param("2001:db8::1", 0, "2001:db8::1", id="several ports"),
        pytest.param("(others)", 0, "(others)", id="several servers"),
    ],
)
def test_what_was_counted_names_its_server(ip: str, port: int, told: str) -> None:
    assert Repeated("test.pcap", "tls-alert", "192.0.2.9", ip, port, 7, 3, 9).server == told
