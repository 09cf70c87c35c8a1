"""Stories and how they end: outcome, who closed and when, and what the capture does not show."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from analyzer.connection import CertificateState, Connection, Outcome, Side
from tests.build import handshake as tls
from tests.build.frames import ACK, PSH, RST
from tests.build.pcap import Packet
from tests.build.records import HANDSHAKE, application_data, change_cipher_spec, encrypted, record
from tests.build.tcp import CLIENT, MILLISECOND, SERVER, Tcp, merged
from tests.scenarios import STORIES, Story
from tests.scenarios.following import follow, only, packets_of
from tests.scenarios.story import SIP, server_flight

E, F, N, D, U = Outcome.ESTABLISHED, Outcome.FAILED, Outcome.NOT_TLS, Outcome.NO_DATA, Outcome.UNKNOWN
EXPECTED = {
    "mutual": E,
    "server_only": E,
    "empty_certificate": E,
    "resumed": E,
    "mutual_13": E,
    "server_only_13": E,
    "hello_retry_13": E,
    "long_lived": E,
    "behind_a_proxy": E,
    "client_ca_unknown": F,
    "reset_after_certificate": F,
    "client_leaves": F,
    "secret_alert_instead_of_finished": F,
    "refused_13": F,
    "client_closes_first_13": E,
    "client_refuses_13": F,
    "plain_http": N,
    "relay_pretends": U,
    "version_refused": F,
    "no_certificate_of_the_server": E,
    "refused": D,
    "nobody_answers": D,
    "probe": D,
    "sent_again_in_vain": F,
    "server_falls_silent": U,
    "hole_in_the_server_flight": E,
    "hole_in_the_client_flight": U,
    "only_the_client": U,
    "starts_inside": U,
    "cut_by_the_snapshot_length": U,
    "window_closed": E,
    "echo_of_an_alert": F,
    "late_echo": F,
}


def test_every_story_has_its_row() -> None:
    assert EXPECTED.keys() == STORIES.keys() - {"same_ports_again"}


@pytest.mark.parametrize(("name", "outcome"), EXPECTED.items())
def test_outcome(name: str, outcome: Outcome) -> None:
    conn = only(name)
    assert conn.outcome is outcome
    assert conn.established is (outcome is E)


SIP_TEXT = b"REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/TCP x\r\n\r\n"
HTTP_TEXT = b"HTTP/1.1 400 Bad Request\r\n\r\n"


def told(script: Callable[[Story], object]) -> Connection:
    story = Story()
    story.open()
    script(story)
    return only(story)


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        pytest.param(lambda s: s.hello().answer().certificate(), U, id="the capture ends inside the handshake"),
        pytest.param(lambda s: s.hello().answer().certificate().alert(SERVER, 0, 1), U, id="a warning alone is no failure"),
        pytest.param(lambda s: s.hello().answer().alert(CLIENT, 42), F, id="a fatal alert without a close"),
        pytest.param(lambda s: s.hello().answer().certificate().finished(), E, id="both Finished, and no data yet"),
        pytest.param(lambda s: s.hello().answer().certificate().finished().rst(SERVER), E, id="reset after the handshake"),
        pytest.param(lambda s: s.hello().close(SERVER), F, id="the server closes at the hello"),
        pytest.param(lambda s: s.hello().wait(60).rst(CLIENT), F, id="the client gives up after a minute"),
        pytest.param(lambda s: s.hello_13().answer_13().client_13(700, 281, 53), E, id="TLS 1.3 and nothing after it"),
        pytest.param(lambda s: s.hello_13().answer_13().client_13(40, 400).close(), U, id="TLS 1.3, unknown sizes"),
        pytest.param(lambda s: s.hello_13().answer_13().close(), F, id="TLS 1.3 and the client leaves after the server's flight"),
        pytest.param(lambda s: s.hello_13().answer_13().alert(CLIENT, 48).close(), F, id="TLS 1.3 and an alert in clear"),
        pytest.param(lambda s: s.send(CLIENT, SIP_TEXT), N, id="SIP in clear"),
        pytest.param(lambda s: s.hello().send(SERVER, HTTP_TEXT).close(SERVER), N, id="a hello to a web server without TLS"),
    ],
)  # fmt: skip
def test_outcomes_that_are_close(script: Callable[[Story], object], outcome: Outcome) -> None:
    assert told(script).outcome is outcome


# ---- how it closed ---------------------------------------------------------------------------------------------------

C, S = Side.CLIENT, Side.SERVER


@pytest.mark.parametrize(
    ("name", "by", "how", "stage", "stage_side", "frame", "echo"),
    [
        pytest.param("refused", S, "rst", "", None, 2, False, id="refused"),
        pytest.param("nobody_answers", None, "timeout", "", None, None, False, id="SYN again and again"),
        pytest.param("probe", C, "fin", "", None, 4, False, id="a probe"),
        pytest.param("mutual", C, "fin", "Finished", S, 18, False, id="a good end"),
        pytest.param("client_ca_unknown", S, "fin", "Finished", C, 12, False, id="the server closes after its alert"),
        pytest.param("client_leaves", C, "fin", "ServerHelloDone", S, 8, False, id="the client leaves"),
        pytest.param("version_refused", S, "rst", "ClientHello", C, 8, False, id="reset after the hello"),
        pytest.param("echo_of_an_alert", C, "rst", "ClientHello", C, 8, True, id="a reset that answers an alert"),
        pytest.param("late_echo", S, "rst", "ServerHelloDone", S, 8, False, id="what came after the reset is no stage"),
        pytest.param("sent_again_in_vain", None, "timeout", "Finished", C, None, False, id="never acknowledged"),
        pytest.param("server_falls_silent", None, "open", "ClientHello", C, None, False, id="still open"),
        pytest.param("refused_13", S, "fin", "Finished", C, 13, False, id="TLS 1.3: the alert is no stage"),
    ],
)
def test_closed(
    name: str, by: Side | None, how: str, stage: str, stage_side: Side | None, frame: int | None, echo: bool
) -> None:
    closed = only(name).closed
    assert (closed.by, closed.how, closed.stage, closed.stage_side) == (by, how, stage, stage_side)
    assert (closed.frame, closed.echo) == (frame, echo)


@pytest.mark.parametrize("first", [SERVER, CLIENT])
def test_a_close_after_the_peers_secret_alert_is_an_echo(first: int) -> None:
    conn = told(lambda s: s.hello().answer().certificate().secret_alert(SERVER).close(first))
    assert conn.closed.echo is (first == CLIENT)


@pytest.mark.parametrize(
    ("script", "after_ns"),
    [
        pytest.param(lambda s: s.hello().answer().wait(5).rst(CLIENT), 5_002 * MILLISECOND, id="five seconds later"),
        pytest.param(lambda s: s.hello().rst(CLIENT), None, id="the peer never sent any"),
        pytest.param(lambda s: s.hello().rst(SERVER), 2 * MILLISECOND, id="at once after the hello"),
    ],
)  # fmt: skip
def test_after_ns(script: Callable[[Story], object], after_ns: int | None) -> None:
    assert told(script).closed.after_ns == after_ns


def test_payload_of_the_peer_after_the_end_does_not_count_for_after_ns() -> None:
    closed = only("late_echo").closed
    assert closed.after_ns == 4 * MILLISECOND  # the hello, its ACK, the answer and its ACK came before the reset


def later(story: Story, seconds: int) -> list[Packet]:
    """Another connection shows that the capture goes on."""
    return merged(story, Tcp(sport=50_001, start_ns=story.now_ns + seconds * 1_000_000_000).syn())


@pytest.mark.parametrize(
    ("seconds", "how"),
    [
        pytest.param(1, "open", id="the capture ends soon after"),
        pytest.param(600, "timeout", id="nothing came for ten minutes, and everything was acknowledged"),
    ],
)
def test_silence(seconds: int, how: str) -> None:
    story = Story()
    STORIES["server_falls_silent"](story)
    conn = follow(later(story, seconds))[0]
    assert (conn.closed.how, conn.outcome, conn.visibility.open_end) == (how, U, how == "open")


def test_silence_without_acknowledgements_means_that_the_capture_was_cut() -> None:
    story = Story()
    story.open()
    story.hello()
    story.packets.pop()
    assert follow(later(story, 600))[0].closed.how == "open"


# ---- what the capture does not show ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        pytest.param("mutual", {"syn_seen": True, "gap_bytes": 0, "one_sided": None, "mid_stream": False}, id="whole"),
        pytest.param("hole_in_the_server_flight", {"gap_bytes": 300, "gap_side": S}, id="the server's bytes"),
        pytest.param("hole_in_the_client_flight", {"gap_bytes": 500, "gap_side": C}, id="the client's bytes"),
        pytest.param("only_the_client", {"one_sided": C, "server_bytes": 0, "syn_seen": True}, id="one side"),
        pytest.param("starts_inside", {"mid_stream": True, "syn_seen": False}, id="starts inside"),
        pytest.param("cut_by_the_snapshot_length", {"truncated_packets": 1, "truncated_handshake": True}, id="cut packets"),
        pytest.param("sent_again_in_vain", {"open_end": False, "gap_bytes": 0}, id="lost on the way is no gap"),
        pytest.param("refused", {"one_sided": None, "mid_stream": False}, id="refused"),
        pytest.param("nobody_answers", {"one_sided": None}, id="nobody there is not one-sided"),
    ],
)  # fmt: skip
def test_visibility(name: str, facts: dict[str, object]) -> None:
    view = only(name).visibility
    assert {key: getattr(view, key) for key in facts} == facts


def test_a_capture_that_starts_at_the_hello_is_not_mid_stream() -> None:
    conn = only(packets_of("mutual")[3:])
    assert not conn.visibility.mid_stream and not conn.visibility.syn_seen and conn.outcome is E


def test_a_capture_that_starts_at_the_answer_is_mid_stream() -> None:
    """A ServerHello sent again to a client that is long gone: its bare reset answers a closed port, not the hello."""
    story = Story()
    story.open()
    story.hello()
    begun = len(story.packets)
    story.send(SERVER, server_flight(SIP.chain, None)[:1_000], heard=False)
    story.put(CLIENT, flags=RST)
    conn = only(story.packets[begun:])
    assert conn.server_hello is not None and conn.closed.how == "rst"
    assert (conn.visibility.mid_stream, conn.outcome) == (True, U)


def test_a_fatal_alert_in_clear_proves_that_nothing_was_finished() -> None:
    """The capture begins amid the server's flight: the rest of a long CertificateRequest looks like a Finished."""
    story = Story()
    story.open()
    story.hello()
    begun = len(story.packets)
    story.send(SERVER, encrypted(HANDSHAKE, 2_600) + record(tls.message(14, b""))).certificate()
    assert only(story.packets[begun:]).outcome is E, "as far as can be seen"
    conn = only(story.alert(SERVER, 48).close(SERVER).packets[begun:])
    assert (conn.outcome, conn.closed.by) == (F, Side.SERVER)


@pytest.mark.parametrize(
    ("lost", "then", "outcome"),
    [
        pytest.param(24, lambda s: s.close(SERVER), U, id="the server may have refused"),
        pytest.param(1_300, lambda s: s.close(SERVER), E, id="no alert is so large"),
        pytest.param(24, lambda s: s.records(SERVER, 250, 250, 400), E, id="it went on: it did not"),
    ],
)
def test_what_is_lost_behind_a_tls_1_3_handshake_may_be_an_alert(
    lost: int, then: Callable[[Story], object], outcome: Outcome
) -> None:
    def script(story: Story) -> None:
        story.hello_13().answer_13().client_13(700, 281, 53)
        story.lose(SERVER, lost).ack(CLIENT)
        then(story)

    assert told(script).outcome is outcome


@pytest.mark.parametrize(("records", "outcome"), [(1, U), (7, E)])
def test_data_behind_a_lost_server_hello_may_be_the_handshake_of_tls_1_3(records: int, outcome: Outcome) -> None:
    def script(story: Story) -> None:
        story.hello_13().lose(SERVER, 2_400).ack(CLIENT)
        story.client_13(700, 281, 53, *[300] * records).records(SERVER, *[19] * records).close(SERVER)

    assert told(script).outcome is outcome


def test_a_whole_handshake_behind_a_missing_hello_is_established() -> None:
    conn = only(packets_of("mutual")[5:])
    assert conn.client_hello is None and conn.server_hello is not None
    assert (conn.visibility.mid_stream, conn.outcome) == (True, E)


def test_bytes_of_each_side_are_those_of_its_stream() -> None:
    story = Story()
    STORIES["mutual"](story)
    conn = only(story)
    assert conn.visibility.client_bytes == story.seq[CLIENT] - story.isn[CLIENT] - 2  # SYN and FIN count one each
    assert conn.visibility.server_bytes == story.seq[SERVER] - story.isn[SERVER] - 2


@pytest.mark.parametrize(
    ("other", "conflicts"),
    [
        pytest.param(b"sip.example.org", 1, id="the first copy wins"),
        pytest.param(b"sip.example.com", 0, id="equal copies are no conflict"),
    ],
)
def test_conflicts(other: bytes, conflicts: int) -> None:
    story = Story()
    story.open()
    story.hello()
    forged = Story()
    forged.open()
    forged.hello(other)
    story.packets.append(forged.packets[3])
    view = only(story).visibility
    assert (view.conflicts, len(view.conflict_frames)) == (conflicts, conflicts)
    assert only(story).server_name == "sip.example.com"


@pytest.mark.parametrize("size", [None, 1])
def test_a_forged_copy_with_a_bad_checksum_loses_even_after_it_was_read(size: int | None) -> None:
    story = Story()
    story.open()
    story.hello()
    payload = record(tls.server_hello_13()) + change_cipher_spec() + application_data(900)
    story.put(SERVER, payload, flags=ACK | PSH, good=False)
    story.answer()
    story.certificate().finished().talk().close()
    conn = only(story, size)
    assert (conn.version, conn.outcome, conn.visibility.conflicts > 0) == ("TLSv1.2", E, True)
    assert conn.server_chain is not None and conn.client_auth_13 is None


@pytest.mark.parametrize("size", [None, 1])
def test_a_forged_client_record_does_not_make_tls_1_3_forgotten(size: int | None) -> None:
    """The server has chosen TLS 1.3 when the client's bytes are read again without the forgery."""
    story = Story()
    story.open()
    story.hello_13().answer_13()
    story.put(CLIENT, change_cipher_spec() + bytes([21, 3, 3, 0, 2, 2, 40]), flags=ACK | PSH, good=False)
    story.client_13(700, 281, 53).records(SERVER, 1_100, 1_100).talk().close()
    conn = only(story, size)
    assert (conn.version, conn.outcome, conn.visibility.conflicts > 0) == ("TLSv1.3", E, True)
    assert conn.client_certificate_state is CertificateState.INFERRED_SENT


# ---- lost on the way -------------------------------------------------------------------------------------------------


def test_a_full_size_segment_that_never_gets_through() -> None:
    """Small packets pass, the large one is sent three times and never acknowledged."""
    story = Story()
    story.open()
    story.hello()
    for seconds in (0, 1, 2):
        story.wait(seconds)
        story.put(SERVER, bytes([22, 3, 3, 9, 0]) + bytes(1_455), flags=ACK | PSH)
    conn = only(story)
    assert conn.server.unacked_full_size and not conn.client.unacked_full_size
    assert (conn.server.retransmitted, conn.server.retransmitted_full) == (2, 2)
    assert (conn.server.acked_bytes, conn.server.sent_bytes) == (0, 1_460)


@pytest.mark.parametrize(
    ("size", "acked", "lost"),
    [
        pytest.param(1_460, False, True, id="seen from behind the black hole: only what follows arrives"),
        pytest.param(300, False, False, id="a small one is no matter of size"),
        pytest.param(1_460, True, False, id="acknowledged: missing from the capture alone"),
    ],
)
def test_a_full_size_segment_that_never_arrives_here(size: int, acked: bool, lost: bool) -> None:
    story = Story()
    story.open()
    story.hello().lose(SERVER, size, heard=acked).send(SERVER, b"the rest", heard=acked)
    story.ack(CLIENT)
    conn = only(story)
    assert conn.server.unacked_full_size is lost
    assert conn.visibility.gap_bytes == (size if acked else 0)


def test_a_reset_that_carries_text_counts_as_an_end() -> None:
    story = Story()
    story.open()
    story.hello()
    story.put(SERVER, b"no", flags=RST | ACK)
    assert only(story).closed.how == "rst"
