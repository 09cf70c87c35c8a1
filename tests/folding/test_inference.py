"""TLS 1.3 without keys: what the lengths of records tell. The numbers are those measured on real stacks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.folding.inference import MOST_TICKETS, UNREAD, Reading, Record, read, sizes

SHA256, SHA384, CHACHA, CCM, CCM_8 = 0x1301, 0x1302, 0x1303, 0x1304, 0x1305
SERVER = (23, 1_000, 281, 53)
SECOND = 1_000_000_000


def records(*lengths: int, start: int) -> list[Record]:
    return [Record(length, start + number, (start + number) * 10) for number, length in enumerate(lengths)]


def reading(
    client: tuple[int, ...],
    answer: tuple[int, ...] = (),
    suite: int | None = SHA256,
    *,
    client_end: int | None = None,
    server_end: int | None = None,
    early_data: bool = False,
) -> Reading:
    """The server's flight is frames 10 to 13, the client's starts in 20, the server's answer in 30."""
    server = records(*SERVER, start=10) + records(*answer, start=30)
    mine = records(*client, start=20)
    return read(mine, server, suite, client_end=client_end, server_end=server_end, early_data=early_data)


@pytest.mark.parametrize(
    ("suite", "alert", "finished", "empty", "together"),
    [
        pytest.param(SHA256, 19, 53, 25, 61, id="AES-128-GCM with SHA-256"),
        pytest.param(CHACHA, 19, 53, 25, 61, id="ChaCha20 with SHA-256"),
        pytest.param(CCM, 19, 53, 25, 61, id="CCM with SHA-256"),
        pytest.param(SHA384, 19, 69, 25, 77, id="AES-256-GCM with SHA-384"),
        pytest.param(CCM_8, 11, 45, 17, 53, id="CCM_8 has a shorter tag"),
        pytest.param(None, 19, 53, 25, 61, id="an unknown suite is taken for SHA-256"),
    ],
)
def test_sizes(suite: int | None, alert: int, finished: int, empty: int, together: int) -> None:
    size = sizes(suite)
    assert (size.alert, size.finished) == (alert, finished)
    assert (size.empty_certificate, size.empty_and_finished) == (empty, together)


# ---- the client's answer ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "suite", "answer", "confidence", "flight"),
    [
        pytest.param((53,), SHA256, "not-requested", "high", 1, id="Finished alone"),
        pytest.param((69,), SHA384, "not-requested", "high", 1, id="Finished alone, SHA-384"),
        pytest.param((45,), CCM_8, "not-requested", "high", 1, id="Finished alone, CCM_8"),
        pytest.param((69,), SHA256, "not-requested", "medium", 1, id="Finished alone, padded by JSSE"),
        pytest.param((85,), SHA384, "not-requested", "medium", 1, id="Finished alone, padded, SHA-384"),
        pytest.param((53, 400), SHA256, "not-requested", "high", 1, id="Finished and data"),
        pytest.param((25, 53), SHA256, "empty", "high", 2, id="an empty certificate"),
        pytest.param((25, 69), SHA384, "empty", "high", 2, id="an empty certificate, SHA-384"),
        pytest.param((17, 45), CCM_8, "empty", "high", 2, id="an empty certificate, CCM_8"),
        pytest.param((41, 85), SHA384, "empty", "medium", 2, id="an empty certificate, padded by JSSE"),
        pytest.param((61,), SHA256, "empty", "medium", 1, id="empty certificate and Finished in one record"),
        pytest.param((77,), SHA384, "empty", "medium", 1, id="the same with SHA-384"),
        pytest.param((700, 281, 53), SHA256, "sent", "high", 3, id="Certificate, CertificateVerify, Finished"),
        pytest.param((700, 281, 69, 400), SHA384, "sent", "high", 3, id="the same with SHA-384, and data"),
        pytest.param((716, 297, 85), SHA384, "sent", "high", 3, id="the same, padded by JSSE"),
        pytest.param((1_050, 53), SHA256, "sent", "medium", 2, id="Certificate and CertificateVerify in one record"),
        pytest.param((1_103,), SHA256, "sent", "medium", 1, id="everything in one record"),
        pytest.param((16_401, 2_000, 281, 53), SHA256, "sent", "medium", 4, id="a chain that fills a record"),
        pytest.param((21, 53), SHA256, "not-requested", "high", 2, id="0-RTT: EndOfEarlyData, Finished"),
        pytest.param((21, 700, 281, 53), SHA256, "sent", "high", 4, id="0-RTT and a certificate"),
        pytest.param((), SHA256, None, "medium", 0, id="nothing"),
        pytest.param((21,), SHA256, None, "medium", 0, id="only EndOfEarlyData"),
        pytest.param((25,), SHA256, None, "medium", 0, id="an empty certificate, and no Finished yet"),
        pytest.param((25, 400), SHA256, None, "medium", 0, id="25 bytes and something else"),
        pytest.param((60,), SHA256, None, "medium", 0, id="no known size"),
        pytest.param((100,), SHA256, None, "medium", 0, id="too small for a chain"),
        pytest.param((19, 400), SHA256, None, "medium", 0, id="an alert, and then more"),
    ],
)
def test_answer(client: tuple[int, ...], suite: int, answer: str | None, confidence: str, flight: int) -> None:
    found = reading(client, (250, 250), suite)
    assert (found.auth.answer, found.auth.confidence, found.client_flight) == (answer, confidence, flight)
    assert found.auth.frames == tuple(range(20, 20 + flight))
    assert found.server_flight == (4 if flight else 6)
    assert not found.auth.refused and not found.auth.client_refused
    assert found.auth.client_records == client and found.auth.server_records == (*SERVER, 250, 250)


# ---- refused, or not -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "answer", "flight"),
    [
        pytest.param((900, 281, 53), None, 0, id="refused early data and a Finished, or a chain: nobody can tell"),
        pytest.param((900, 700, 281, 53), None, 0, id="refused early data, then a chain"),
        pytest.param((25, 53), None, 0, id="early data as short as an empty Certificate"),
        pytest.param(
            (900, 400, 21, 53), "not-requested", 4, id="early data that goes on behind the ServerHello, and its end"
        ),
        pytest.param((21, 53, 400), "not-requested", 2, id="its end alone"),
        pytest.param((53, 400), "not-requested", 1, id="all of it was before the ServerHello, and was refused"),
    ],
)
def test_early_data_is_no_certificate(client: tuple[int, ...], answer: str | None, flight: int) -> None:
    known = reading(client, early_data=True)
    assert (known.auth.answer, known.client_flight) == (answer, flight)


@pytest.mark.parametrize(
    ("client", "answer", "ends", "refused", "server_alert"),
    [
        pytest.param((53,), (19,), (None, 31), True, 4, id="an alert and the server's close"),
        pytest.param((53, 400), (19,), (None, 31), True, 4, id="the client had begun to talk"),
        pytest.param((25, 53), (19,), (32, None), True, 4, id="an alert, and only the client's close is there"),
        pytest.param((53,), (35,), (None, 31), True, 4, id="a padded alert"),
        pytest.param((900, 281, 53), (19, 19), (None, 32), True, 5, id="two alerts, as GnuTLS sends them"),
        pytest.param(
            (53, 400), (19, 19), (None, 32), False, 5, id="the client talked: a short answer, and a polite close"
        ),
        pytest.param((53,), (19,), (None, None), False, None, id="nobody closed: 19 bytes of data"),
        pytest.param((53,), (19,), (29, 31), False, 4, id="the client had closed before: an answer to that"),
        pytest.param((53, 19), (19,), (32, 31), False, 4, id="the client had sent close_notify before"),
        pytest.param((53,), (250, 250, 19), (None, 33), False, 6, id="tickets first: accepted, and closed later"),
        pytest.param((53,), (250,), (None, 31), False, None, id="a ticket and a close"),
        pytest.param((53,), (), (None, 31), False, None, id="a close alone"),
        pytest.param((53,), (18,), (None, 31), False, None, id="smaller than an alert"),
        pytest.param((53,), (UNREAD, 19), (None, 32), False, 5, id="more that nobody read came before the alert"),
        pytest.param((53,), (19, UNREAD), (None, 32), False, None, id="more that nobody read came behind it"),
    ],
)
def test_refused(
    client: tuple[int, ...],
    answer: tuple[int, ...],
    ends: tuple[int | None, int | None],
    refused: bool,
    server_alert: int | None,
) -> None:
    found = reading(client, answer, client_end=ends[0], server_end=ends[1])
    assert (found.auth.refused, found.server_alert) == (refused, server_alert)
    assert not found.auth.client_refused


@pytest.mark.parametrize(
    ("client", "frames", "answer", "refused"),
    [
        pytest.param((1_841, 281, 69), (20, 40, 41), "sent", True, id="behind the Certificate, before the rest"),
        pytest.param((41, 85), (20, 40), "empty", True, id="behind an empty Certificate"),
        pytest.param((69,), (40,), "not-requested", False, id="before the client said anything: of its own flight"),
    ],
)
def test_refused_while_the_client_still_sends(
    client: tuple[int, ...], frames: tuple[int, ...], answer: str, refused: bool
) -> None:
    """JSSE sends each message by itself; the server's alert, in frame 30, crosses the rest of them."""
    mine = [Record(length, frame, frame * 10) for length, frame in zip(client, frames, strict=True)]
    server = records(*SERVER, start=10) + records(19, start=30)
    found = read(mine, server, SHA384, client_end=None, server_end=31)
    assert (found.auth.answer, found.auth.refused, found.in_flight) == (answer, refused, refused)
    assert found.server_alert == (4 if refused else None)
    assert not read(mine, server, SHA384, client_end=None, server_end=None).auth.refused, "nobody closed"


@pytest.mark.parametrize(
    ("said_ns", "closed_ns", "refused", "confidence"),
    [
        pytest.param(None, 20 * SECOND, True, "high", id="the client waited: revocation may take its time"),
        pytest.param(
            1_000, SECOND // 10, True, "medium", id="the client talked at once: an answer of two bytes is as long"
        ),
        pytest.param(SECOND // 2, 4 * SECOND, False, "high", id="the client talked on, nobody minded"),
    ],
)
def test_who_refuses_does_it_at_once(said_ns: int | None, closed_ns: int, refused: bool, confidence: str) -> None:
    client = [Record(900, 20, 0), Record(281, 20, 0), Record(53, 20, 0)]
    client += [] if said_ns is None else [Record(300, 22, said_ns)]
    server = [*records(*SERVER, start=10), Record(19, 30, closed_ns)]
    found = read(client, server, SHA256, client_end=None, server_end=31)
    assert (found.auth.refused, found.auth.confidence) == (refused, confidence)


@pytest.mark.parametrize(
    ("last", "end", "alert"),
    [
        pytest.param(19, 32, 4, id="an alert and a close"),
        pytest.param(19, None, None, id="nobody closed"),
        pytest.param(35, 32, None, id="EncryptedExtensions may be as long as a padded one"),
    ],
)
def test_the_server_ends_it_before_the_client_has_said_anything_encrypted(
    last: int, end: int | None, alert: int | None
) -> None:
    found = read([], records(*SERVER, last, start=10), SHA256, client_end=end, server_end=None)
    assert found.server_alert == alert


def test_of_padded_records_nobody_can_tell_what_is_in_them() -> None:
    """An empty Certificate is as long as EncryptedExtensions then."""
    server = records(528, 528, 1_552, 528, 528, start=10)
    found = read(records(528, 528, start=20), server, SHA256, client_end=None, server_end=31)
    assert (found.auth.answer, found.client_flight) == (None, 0)


@pytest.mark.parametrize(
    ("client", "answer", "suite", "refused"),
    [
        pytest.param((48,), (11,), CCM_8, False, id="CCM_8: 48 bytes are no Finished"),
        pytest.param((45,), (11,), CCM_8, True, id="CCM_8: an alert has 11 bytes"),
        pytest.param((45,), (19,), CCM_8, False, id="CCM_8: 19 bytes are no alert"),
    ],
)
def test_refused_with_a_short_tag(client: tuple[int, ...], answer: tuple[int, ...], suite: int, refused: bool) -> None:
    assert reading(client, answer, suite, server_end=31).auth.refused is refused


@pytest.mark.parametrize(
    ("client", "ends", "refused"),
    [
        pytest.param((19,), (21, None), True, id="an alert and the client's close"),
        pytest.param((35,), (21, None), True, id="a padded alert"),
        pytest.param((19,), (None, 21), True, id="an alert and the server's close"),
        pytest.param((19,), (None, None), False, id="nobody closed"),
        pytest.param((53, 19), (22, None), False, id="after its Finished it is close_notify"),
        pytest.param((19, 19), (22, None), False, id="two of them"),
        pytest.param((19, UNREAD), (22, None), False, id="more that nobody read came behind it"),
        pytest.param((UNREAD, 19), (22, None), False, id="more that nobody read came before it"),
        pytest.param((), (21, None), False, id="a close alone"),
    ],
)
def test_the_client_refused(client: tuple[int, ...], ends: tuple[int | None, int | None], refused: bool) -> None:
    found = reading(client, (), client_end=ends[0], server_end=ends[1])
    assert found.auth.client_refused is refused
    assert found.client_alert == (0 if refused else len(client) - 1 if client == (53, 19) else None)


# ---- tickets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "tickets"),
    [
        pytest.param((250, 250), 2, id="two, as OpenSSL sends"),
        pytest.param((250, 250, 400), 2, id="two, and data"),
        pytest.param((251, 250), 2, id="a byte more or less"),
        pytest.param((1_100,), 1, id="one, or a short answer"),
        pytest.param((400, 250, 250), 1, id="of another length"),
        pytest.param((250,) * 9, MOST_TICKETS, id="no server sends so many"),
        pytest.param((19,), 0, id="an alert is none"),
        pytest.param((35, 35), 0, id="a padded one neither"),
        pytest.param((17, 17), 0, id="smaller than an alert"),
        pytest.param((37,), 0, id="smaller than any ticket"),
        pytest.param((), 0, id="none"),
    ],
)
def test_tickets(answer: tuple[int, ...], tickets: int) -> None:
    assert reading((53,), answer).tickets == tickets


@pytest.mark.parametrize(
    ("asked", "answered", "tickets"),
    [
        pytest.param((29,), (30,), 0, id="one behind a request is the answer"),
        pytest.param((29,), (30, 31), 2, id="two of one length are tickets, behind a request as well"),
        pytest.param((31,), (30, 32), 1, id="a greeting or a ticket, and an answer"),
        pytest.param((29, 31, 33), (30, 32, 34), 0, id="question and answer, again and again"),
    ],
)
def test_what_answers_the_client_is_no_ticket(asked: tuple[int, ...], answered: tuple[int, ...], tickets: int) -> None:
    client = [Record(53, 20, 0), *[Record(300, frame, 0) for frame in asked]]
    server = [*records(*SERVER, start=10), *[Record(250, frame, 0) for frame in answered]]
    assert read(client, server, SHA256, client_end=None, server_end=40).tickets == tickets


def test_a_client_that_does_not_say_how_it_uses_tickets_gets_none() -> None:
    server = records(*SERVER, start=10) + records(250, 250, start=30)
    found = read(records(53, start=20), server, SHA256, client_end=None, server_end=40, wants_tickets=False)
    assert found.tickets == 0


def test_records_of_the_server_before_the_clients_finished_are_its_flight() -> None:
    """0.5-RTT data comes before the client's last flight."""
    found = read(records(25, 53, start=20), records(*SERVER, 400, start=17), SHA256, client_end=None, server_end=None)
    assert (found.server_flight, found.tickets) == (5, 0)


@settings(max_examples=150, deadline=None)
@given(
    client=st.lists(st.integers(0, 2_000) | st.sampled_from([19, 21, 25, 53, 61, 69]), max_size=20),
    answer=st.lists(st.integers(0, 2_000) | st.sampled_from([19, 250]), max_size=20),
    suite=st.sampled_from([None, SHA256, SHA384, CCM_8, 0xFFFF]),
    ends=st.tuples(st.none() | st.integers(1, 60), st.none() | st.integers(1, 60)),
    early=st.booleans(),
)
def test_any_lengths_give_a_reading_within_its_records(
    client: list[int], answer: list[int], suite: int | None, ends: tuple[int | None, int | None], early: bool
) -> None:
    found = reading(tuple(client), tuple(answer), suite, client_end=ends[0], server_end=ends[1], early_data=early)
    server = len(SERVER) + len(answer)
    assert 0 <= found.client_flight <= len(client)
    assert 0 <= found.server_flight + found.tickets <= server
    assert found.client_alert is None or found.client_alert < len(client)
    assert found.server_alert is None or found.server_alert < server
    assert (found.auth.answer is None) == (found.client_flight == 0)
    assert not (found.auth.refused and found.tickets)
    assert len(found.auth.client_records) <= 16 and len(found.auth.server_records) <= 16
