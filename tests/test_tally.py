"""Every packet is counted once: packets = decoded + the sum of the reasons."""

from __future__ import annotations

from analyzer import tally as module
from analyzer.capture.inputs import Input
from analyzer.capture.source import NOT_A_PACKET, Facts
from analyzer.packets.decode import Decoder
from analyzer.tally import Tally
from analyzer.tracker import Tracker
from tests.build import frames as build
from tests.build.connections import connection
from tests.scenarios.following import SETTING

ONE = Input("lab.pcap", ("lab.pcap",))
ARP = build.ethernet(bytes(28), ethertype=0x0806)
MIXED = [
    build.ethernet(build.ipv4(build.tcp(bytes(100)))),
    build.ethernet(build.ipv4(build.udp(b"hello"), build.UDP)),
    ARP,
    build.ethernet(build.ipv4(build.icmp(8, 0, bytes(8)), build.ICMP)),
    b"\xff" * 60,
]
UNREACHABLE = build.ethernet(build.ipv4(build.icmp(3, 1, MIXED[0][14:][:28]), build.ICMP))


def counted(tally: Tally, frames: list[bytes], **how: object) -> Tally:
    batch = build.batch(frames, **how)  # type: ignore[arg-type]
    tally.count(batch, Decoder().feed(batch))
    return tally


def test_packets_are_conserved() -> None:
    tally = Tally(ONE)
    tally.begin("lab.pcap", Facts(format="pcap"))
    summary = counted(counted(tally, MIXED), MIXED * 3, first_frame=6).summary(None, ())
    assert (summary.packets, summary.decoded) == (20, 8)
    assert summary.packets == summary.decoded + sum(summary.reasons.values())
    assert summary.bytes == 4 * sum(map(len, MIXED))
    assert list(summary.reasons) == sorted(summary.reasons) and summary.reasons["arp"] == summary.reasons["udp"] == 4


def test_times_and_cut_packets() -> None:
    tally = counted(Tally(ONE), MIXED, times=[50, 10, 30, 20, 40], snap=54)
    summary = counted(tally, [ARP], times=[5]).summary(None, ())
    assert (summary.first_ns, summary.last_ns) == (5, 50)
    assert summary.cut_packets == 2


def test_entries_that_are_no_packets_have_no_part_in_the_times() -> None:
    kinds = [NOT_A_PACKET, 1, 1, NOT_A_PACKET]
    tally = counted(Tally(ONE), [b"note", ARP, ARP, b"note"], link_type=kinds, times=[0, 50, 40, 90])
    summary = counted(tally, [b"note"], link_type=NOT_A_PACKET, times=[0]).summary(None, ())
    assert (summary.packets, summary.first_ns, summary.last_ns) == (5, 40, 50)


def test_a_capture_without_any_packet_has_no_times() -> None:
    summary = counted(Tally(ONE), [b"note"], link_type=NOT_A_PACKET, times=[0]).summary(None, ())
    assert (summary.packets, summary.first_ns, summary.last_ns) == (1, None, None)


def test_an_empty_capture_has_no_times() -> None:
    tally = Tally(ONE)
    tally.begin("lab.pcap", Facts(format="pcap"))
    summary = tally.summary(None, ())
    assert (summary.packets, summary.first_ns, summary.last_ns, summary.format) == (0, None, None, "pcap")


def test_frame_numbers_go_on_in_the_next_file_of_a_ring() -> None:
    tally = Tally(Input("a1", ("a1", "a2", "a3")))
    tally.begin("a1", Facts())
    counted(tally, MIXED)
    tally.begin("a2", Facts())
    tally.begin("a3", Facts())
    batch = build.batch([*MIXED, UNREACHABLE])
    tally.number(batch)
    decoded = Decoder().feed(batch)
    tally.count(batch, decoded)
    assert decoded.segments.frame.tolist() == [6]
    assert [error.frame for error in decoded.icmp] == [11]
    assert tally.files == ((1, "a1"), (6, "a2"), (6, "a3"))


def test_facts_of_all_files_come_together() -> None:
    tally = Tally(Input("a1", ("a1", "a2")))
    tally.begin("a1", Facts(format="pcap", dropped=3, snap_length=200, notes=["odd"], skipped={"filter": 2}))
    tally.begin("a2", Facts(format="pcapng", time_digits=9, dropped=4, snap_length=96, local_time=True))
    summary = tally.summary(None, ())
    assert (summary.format, summary.time_digits, summary.dropped, summary.snap_length) == ("pcap", 9, 7, 96)
    assert summary.notes[0] == "odd" and "filter" in summary.notes[1] and "local time" in summary.notes[2]


def test_ports_as_busy_as_each_other_have_an_order() -> None:
    """However the capture was cut into batches."""
    tally = Tally(ONE)
    tally.begin("a", Facts())
    for ports in ({("tcp", 3306): 2, ("udp", 53): 7}, {("tcp", 1194): 2}):
        batch = build.batch(MIXED)
        decoded = Decoder().feed(batch)
        decoded.ports = ports
        tally.count(batch, decoded)
    assert list(tally.summary(None, ()).ports) == [("udp", 53), ("tcp", 1194), ("tcp", 3306)]


def test_the_busiest_ports_come_first_and_many_ports_stay_few() -> None:
    tally = Tally(ONE)
    for port in range(1, 3_000, 50):
        some = [build.ethernet(build.ipv4(build.udp(b"x", 60_000, port + n), build.UDP)) for n in range(50)]
        counted(tally, [*some, *[MIXED[0]] * 2])
    summary = tally.summary(None, ())
    assert next(iter(summary.ports)) == ("tcp", 443) and summary.ports["tcp", 443] == 120
    assert len(summary.ports) <= module.BUSIEST and len(tally._ports) <= module.MAX_PORTS


def test_reported_connections() -> None:
    tally, tracker = Tally(ONE), Tracker(SETTING)
    for conn in (connection("> SYN", "< RST"), connection("> SYN", "< SYN-ACK", "> ClientHello", tls=True)):
        tally.see(conn)
        tally.report(conn)
    tally.see(connection("> ClientHello", tls=True))  # not wanted by the user, but there
    tracker.table.opened, tracker.table.evictions = 7, 1
    summary = tally.summary(tracker, ())
    assert (summary.connections, summary.tls_connections, summary.one_sided) == (2, 2, 0)
    assert (summary.tcp_streams, summary.evicted) == (7, 1)


def test_an_error_stands_in_the_summary() -> None:
    tally = Tally(ONE)
    tally.error = "cut"
    assert tally.summary(None, ()).error == "cut"
