"""Heads of HTTP: which requests are about revocation, and what an answer says of the time."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.sightings.http import answer, date, request

OCSP_REQUEST = b"\x30\x51" + b"0" * 0x51
LONG_REQUEST = b"\x30\x81\x90" + b"0" * 0x90


def get(target: str, *fields: str) -> bytes:
    return "\r\n".join([f"GET {target} HTTP/1.1", *fields, "", ""]).encode()


@pytest.mark.parametrize(
    ("head", "what", "host", "url"),
    [
        pytest.param(get("/a.crl", "Host: Pki.Example"), "CRL", "pki.example", "http://pki.example/a.crl", id="a CRL"),
        pytest.param(
            get("/A%20B+.CRL?x", "host:pki.example:8080"),
            "CRL",
            "pki.example",
            "http://pki.example/A%20B+.CRL?x",
            id="case, port, query",
        ),
        pytest.param(
            get("http://pki.example/a.crt"), "AIA", "pki.example", "http://pki.example/a.crt", id="through a proxy"
        ),
        pytest.param(
            get("/a.p7c", "Host: [2001:db8::1]:80"), "AIA", "2001:db8::1", "http://2001:db8::1/a.p7c", id="an IPv6 host"
        ),
        pytest.param(
            get("/v3/static/trustedr/en/authrootstl.cab"),
            "root list",
            "",
            "http:///v3/static/trustedr/en/authrootstl.cab",
            id="the list of roots, no host",
        ),
        pytest.param(
            get("/a.crl", "Host: pki.example")[:22], "CRL", "", "http:///a.crl", id="cut behind the request line"
        ),
    ],
)
def test_fetches(head: bytes, what: str, host: str, url: str) -> None:
    found = request(head)
    assert found is not None
    assert (found.what, found.host, found.url) == (what, host, url)


@pytest.mark.parametrize("der", [OCSP_REQUEST, LONG_REQUEST])
@pytest.mark.parametrize("place", ["/{}", "/ocsp/{}", "/a/b/{}"])
def test_ocsp_by_get(der: bytes, place: str) -> None:
    text = base64.b64encode(der).decode()
    for written in (text, text.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")):
        found = request(get(place.format(written)))
        assert found is not None
        assert found.what == "OCSP"


def test_ocsp_by_post() -> None:
    head = b"POST /ocsp HTTP/1.1\r\nHost: ocsp.example\r\nContent-Type: application/ocsp-request\r\nContent-Length: 83\r\n\r\n0Q"
    found = request(head)
    assert found is not None
    assert (found.what, found.url) == ("OCSP", "http://ocsp.example/ocsp")


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(get("/index.html", "Host: www.example"), id="a page"),
        pytest.param(get("/a.crl.html"), id="an ending in the middle"),
        pytest.param(get("/?file=a.crl"), id="an ending in the query"),
        pytest.param(get("/" + "A" * 80), id="base64 that is no DER"),
        pytest.param(get("/" + base64.b64encode(OCSP_REQUEST).decode()[:-4]), id="DER of another length"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Type: text/xml\r\n\r\n", id="another POST"),
        pytest.param(b"HEAD /a.crl HTTP/1.1\r\n\r\n", id="another method"),
        pytest.param(b"GET", id="one word"),
    ],
)
def test_what_has_nothing_to_do_with_revocation(head: bytes) -> None:
    assert request(head) is None


DATE = "Date: Sun, 06 Nov 1994 08:49:37 GMT"
CLOCK = 784_111_777


@pytest.mark.parametrize(
    ("head", "status", "clock"),
    [
        pytest.param(f"HTTP/1.1 200 OK\r\n{DATE}\r\n\r\n", 200, CLOCK, id="an answer with a date"),
        pytest.param(f"HTTP/1.0 404 Not Found\r\n{DATE}\r\n", 404, CLOCK, id="the head goes on"),
        pytest.param("HTTP/1.1 204\r\n\r\n", 204, None, id="no date"),
        pytest.param(f"HTTP/1.1 200 OK\r\nAge: 7\r\n{DATE}\r\n\r\n", 200, None, id="out of a cache"),
        pytest.param(f"HTTP/1.1 200 OK\r\nVia: 1.1 proxy\r\n{DATE}\r\n\r\n", 200, None, id="through a proxy"),
        pytest.param("HTTP/1.1 200 OK\r\n\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT", 200, None, id="a date in the body"),
    ],
)
def test_answers(head: str, status: int, clock: int | None) -> None:
    found = answer(head.encode())
    assert found is not None
    assert (found.status, found.clock_s) == (status, clock)


@pytest.mark.parametrize("head", [b"HTTP/1.1", b"HTTP/1.1 OK", b"HTTP/1.1 20", b"HTTP", b"SIP/2.0 200 OK"])
def test_what_is_no_answer(head: bytes) -> None:
    assert answer(head) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 Nov 1994 8:49 GMT",
        "Sun, x Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 99999 08:49:37 GMT",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert date(text) is None


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([b"", b"GET ", b"GET /", b"POST /", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nDate: "]),
    st.binary(max_size=200),
)
def test_any_bytes_are_read_without_an_error(start: bytes, junk: bytes) -> None:
    request(start + junk)
    answer(start + junk)
