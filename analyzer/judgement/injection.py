"""Does the reset that ended a connection come from the machine in whose name it came?

Firewalls, intrusion prevention and load balancers end connections by a RST with a forged sender. It rarely fits the
sender's other packets. Normal machines do odd things too, and a route may change: so two signs are needed, and one of
them must be one that a machine does not give by itself (Weaver, Sommer, Paxson: Detecting Forged TCP Reset Packets, 2009).
"""

from __future__ import annotations

from analyzer.connection import Connection, Ending, Side, SideTraffic
from analyzer.dataclass import dataclass
from analyzer.judgement.story import closing_alerts, last_step, lasting
from analyzer.judgement.thresholds import SECOND_NS, limit_ns
from analyzer.knowledge import limit

MILLISECOND_NS = 1_000_000
TOGETHER_NS = 50 * MILLISECOND_NS
"""Resets in the names of both sides this close together were sent by one device that cut both."""
FASTER = 2
"""An answer in less than this part of the round trip did not come from the other end."""
START_TTLS = (64, 128, 255)
"""What senders begin with: Linux and macOS, Windows, network devices."""


@dataclass(frozen=True, slots=True)
class Signs:
    """How the first reset differs from what its sender's other packets lead to expect.

    Attributes:
        reset: the RST.
        strong: clauses; a machine does not do this by itself.
        weak: clauses; each also has ordinary reasons.
        beside_data: its TTL could be compared with that of packets with payload, not only with the opening, which a device
            on the path may have answered.
    """

    reset: Ending
    strong: tuple[str, ...]
    weak: tuple[str, ...]
    beside_data: bool

    @property
    def forged(self) -> bool:
        """Two signs, one of them strong: somebody else sent it."""
        return bool(self.strong) and len(self.strong) + len(self.weak) > 1

    @property
    def sure(self) -> bool:
        """Three signs, or two with the sender's payload to compare with."""
        return self.forged and (self.beside_data or len(self.strong) + len(self.weak) > 2)


def signs_of(conn: Connection) -> Signs | None:
    """The signs of the reset that ended the connection; None if no reset did, or if it had been announced."""
    reset = conn.endings[0] if conn.endings else None
    if reset is None or reset.how != "rst":
        return None
    own = conn.traffic(reset.side)
    if own.first_frame in (None, reset.frame) or closing_alerts(conn, reset.time_ns):
        return None
    strong = (_other_distance(own, reset), _went_on(own, reset))
    weak = (_other_count(conn, own, reset), _other_place(conn, reset), _too_fast(conn, reset), _both_cut(conn, reset))
    return Signs(reset, tuple(filter(None, strong)), tuple(filter(None, weak)), own.data_ttl > 0)


def forged_reset(conn: Connection) -> Signs | None:
    """The signs, if somebody else than its sender reset the connection; None otherwise."""
    signs = signs_of(conn)
    return signs if signs is not None and signs.forged else None


def hops(ttl: int) -> int:
    """How many routers a packet with this TTL has passed, if it began with one of the usual values."""
    return min(start for start in START_TTLS if start >= ttl) - ttl


def _other_distance(own: SideTraffic, reset: Ending) -> str:
    known = sorted({ttl for ttl in (own.ttl, own.data_ttl) if ttl})
    if not reset.ttl or any(abs(reset.ttl - ttl) <= limit("ttl_jitter") for ttl in known):
        return ""
    return f"its TTL is {reset.ttl}, that of the {reset.side}'s other packets {' and '.join(map(str, known))}"


def _went_on(own: SideTraffic, reset: Ending) -> str:
    """More payload of the sender, too late to have been overtaken on the way."""
    last_ns, last_frame = own.last_payload_ns, own.last_payload_frame
    if not reset.seq_fits or not own.after_close_bytes or last_ns is None or last_frame is None:
        return ""
    late = last_frame > reset.frame and last_ns - reset.time_ns >= MILLISECOND_NS
    return f"the {reset.side} went on sending after it (frame {last_frame})" if late else ""


def _other_count(conn: Connection, own: SideTraffic, reset: Ending) -> str:
    """IP identification. Some machines never count, and some count everything but their openings and resets."""
    first, data, its = own.ip_id, own.data_ip_id, reset.ip_id
    if not first or (own.data_ttl and not data):
        return ""
    if its == 0:
        return f"its IP identification is 0, that of the {reset.side}'s other packets is not"
    if not data or reset.time_ns - conn.ts_ns > limit_ns("at_once_s"):
        return ""
    jump = limit("ip_id_jump")
    counts = 0 < (data - first) & 0xFFFF < jump
    near = (its - first) & 0xFFFF < jump * 2
    return (
        "" if near or not counts else f"its IP identification {its} is far from the {reset.side}'s others (near {data})"
    )


def _other_place(conn: Connection, reset: Ending) -> str:
    """Bytes that the capture lost would explain it."""
    unfit = not reset.seq_fits and not conn.visibility.limited
    return "its sequence number is not the one that was due" if unfit else ""


def _too_fast(conn: Connection, reset: Ending) -> str:
    trigger = last_step(conn, reset.time_ns, reset.side.peer)
    trip = _round_trip(conn, reset.side)
    if trigger is None or trip < limit("round_trip_min_ms") * MILLISECOND_NS:
        return ""
    after = reset.time_ns - trigger.time_ns
    if after * FASTER >= trip:
        return ""
    soon = lasting(after) if after >= MILLISECOND_NS else "less than 1 ms"
    return f"it came {soon} after the {trigger.name}, while the {reset.side} is {lasting(trip)} away"


def _round_trip(conn: Connection, side: Side) -> int:
    """From where the capture was taken to this side and back, by the TCP handshake, in ns; 0 if that is not known."""
    syn, answer = conn.step("SYN", Side.CLIENT), conn.step("SYN-ACK", Side.SERVER)
    if syn is None or answer is None or len(syn.frames) > 1 or len(answer.frames) > 1 or conn.rtt_ns is None:
        return 0
    to_server = min(max(0, answer.time_ns - syn.time_ns), SECOND_NS)
    if side is Side.SERVER:
        return to_server
    return conn.rtt_ns if conn.rtt_ns > to_server else 0


def _both_cut(conn: Connection, reset: Ending) -> str:
    """The peer may well answer what comes after the reset by one of its own: that one has its own TTL."""
    peer = reset.side.peer
    both = any(
        end.how == "rst" and end.side is peer and end.time_ns - reset.time_ns < TOGETHER_NS
        for end in conn.endings[1:]
        if _other_distance(conn.traffic(peer), end)
    )
    return f"a reset in the {peer}'s name came with it, with a TTL that is not the {peer}'s either" if both else ""
