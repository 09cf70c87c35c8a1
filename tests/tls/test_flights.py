"""What was read before is recognised: with the same events as if it were read again, whatever differs."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.tls.flights import is_begun, whole_records
from analyzer.tls.hellos import GOOGLE_SERVER_RANDOM, RETRY_RANDOM
from analyzer.tls.messages import ClientHello, Event, Handshake, ServerHello
from analyzer.tls.records import Records
from analyzer.tls.stream import TlsStream
from tests.build import handshake as hs
from tests.build.records import alert, application_data, change_cipher_spec, encrypted, record
from tests.tls.streams import events_of, slices

HELLO = hs.client_hello(extensions=[hs.server_name_extension(b"sip.example.com")])
SERVER = (
    hs.server_hello(),
    hs.certificate(b"leaf" * 200, b"root" * 150),
    hs.server_key_exchange_ecdhe(),
    hs.certificate_request(b"CN=one", b"CN=two"),
    hs.server_hello_done(),
)
CLIENT = (hs.certificate(b"client" * 90), hs.client_key_exchange(), hs.certificate_verify())
FINISH = change_cipher_spec() + encrypted(22, 40)
STORIES = {
    "a client with a certificate": record(HELLO) + b"".join(map(record, CLIENT)) + FINISH + application_data(90),
    "a server that asks for one": b"".join(map(record, SERVER)) + FINISH + application_data(300) + encrypted(21, 26),
    "a server with its flight in one record": record(b"".join(SERVER)) + FINISH,
    "a TLS 1.3 server": record(hs.server_hello_13()) + change_cipher_spec() + encrypted(23, 300) + encrypted(23, 53),
    "a hello retry": record(HELLO) + change_cipher_spec() + record(HELLO) + encrypted(23, 53),
    "a server that wants another hello": record(hs.hello_retry_request()) + record(hs.server_hello_13()) + FINISH,
    "a client refused in clear": record(HELLO) + change_cipher_spec() + alert(48),
    "a renewed session": record(HELLO) + record(hs.new_session_ticket()) + FINISH,
}


def read(data: bytes) -> list[Event]:
    """Every record read, nothing recognised."""
    records = Records()
    return records.feed(data) + records.finish()


def warm(data: bytes) -> None:
    """The same came three times already: the first time it is noticed, then remembered, then recognised."""
    for _ in range(3):
        assert events_of(data) == read(data)


@pytest.mark.parametrize("data", STORIES.values(), ids=STORIES)
def test_the_next_time_is_as_the_first(data: bytes) -> None:
    warm(data)
    assert events_of(data) == read(data)


@settings(max_examples=300)
@given(
    data=st.sampled_from(list(STORIES.values())),
    changes=st.lists(st.tuples(st.integers(0, 5000), st.binary(min_size=1, max_size=4)), max_size=3),
    cuts=st.lists(st.integers(0, 5000), max_size=3),
    end=st.integers(0, 5000),
)
def test_whatever_differs_the_events_are_those_of_reading(
    data: bytes, changes: list[tuple[int, bytes]], cuts: list[int], end: int
) -> None:
    warm(data)
    for at, piece in changes:
        at %= len(data)
        data = (data[:at] + piece + data[at + len(piece) :])[: len(data)]
    data = data[: len(data) - end % 50] if end % 3 == 0 else data
    assert events_of(data, cuts) == read(data)


@settings(max_examples=60)
@given(data=st.sampled_from(list(STORIES.values())), hole=st.integers(0, 3000), size=st.integers(1, 400))
def test_a_hole_in_what_is_known(data: bytes, hole: int, size: int) -> None:
    warm(data)
    hole %= len(data)
    known, fresh = TlsStream(), Records()
    parts = (data[:hole], data[hole + size :])
    told = known.feed(parts[0]) + known.gap(size) + known.feed(parts[1]) + known.finish()
    assert told == fresh.feed(parts[0]) + fresh.gap(size) + fresh.feed(parts[1]) + fresh.finish()
    assert (known.state, known.offset, known.suppressed) == (fresh.state, fresh.offset, fresh.suppressed)


def body_of(event: Event) -> Any:
    assert isinstance(event, Handshake)
    return event.body


def test_a_recognised_hello_has_its_own_random_and_session() -> None:
    warm(record(HELLO))
    other = hs.client_hello(
        extensions=[hs.server_name_extension(b"sip.example.com")], random=bytes(32), session_id=bytes(32)
    )
    warm(record(other))
    third = other.replace(bytes(32), b"\7" * 32)
    (event,) = events_of(record(third))
    hello = body_of(event)
    assert isinstance(hello, ClientHello)
    assert (hello.random, hello.session_id) == (b"\7" * 32, b"\7" * 32)


@pytest.mark.parametrize("random", [RETRY_RANDOM, GOOGLE_SERVER_RANDOM, bytes(24) + b"DOWNGRD\x01"])
def test_a_random_that_means_something_is_read(random: bytes) -> None:
    plain = record(hs.server_hello(random=b"\1" * 32, extensions=None))
    warm(plain)
    data = plain.replace(b"\1" * 32, random) + encrypted(23, 60)
    assert events_of(data) == read(data)
    assert isinstance(body_of(events_of(data)[0]), ServerHello)


def test_a_server_name_is_no_random() -> None:
    warm(record(HELLO))
    other = HELLO.replace(b"sip.example.com", b"sip.example.net")
    assert body_of(events_of(record(other))[0]).server_name == "sip.example.net"


def test_a_second_hello_in_the_place_of_an_encrypted_record() -> None:
    second = record(hs.client_hello())
    usual = record(HELLO) + change_cipher_spec() + encrypted(22, len(second) - 5)
    warm(usual)
    data = record(HELLO) + change_cipher_spec() + second
    assert events_of(data) == read(data)
    assert [type(event) for event in events_of(data)].count(Handshake) == 2


def test_slices_inside_a_record_wait_for_the_rest() -> None:
    data = STORIES["a client with a certificate"]
    warm(data)
    stream = TlsStream()
    first = len(record(HELLO))
    assert len(stream.feed(data[:first])) == 1
    assert [stream.feed(part) for part in slices(data[first : first + 40], [1, 3, 7])] == [[], [], [], []]
    assert len(stream.feed(data[first + 40 :])) == len(read(data)) - 1


@pytest.mark.parametrize(
    ("data", "size"),
    [
        pytest.param(record(HELLO), len(record(HELLO)), id="a record"),
        pytest.param(record(HELLO) + FINISH[:9], len(record(HELLO)) + 6, id="a part of one behind it"),
        pytest.param(b"GET / HTTP/1.1\r\n", 0, id="no record"),
        pytest.param(b"\x16\3", 0, id="not even a header"),
    ],
)
def test_whole_records(data: bytes, size: int) -> None:
    assert whole_records(data) == size


@given(data=st.binary(min_size=1, max_size=40))
def test_any_bytes_have_an_answer(data: bytes) -> None:
    assert 0 <= whole_records(data) <= len(data)
    assert is_begun(data) in (True, False)
