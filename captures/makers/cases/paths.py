"""What lies between the hosts: narrow links, losses, fragments, a receiver that does not read."""

from __future__ import annotations

import socket
import time

from captures.makers.case import Expected, case, failed, healthy, healthy13
from captures.makers.hosts import LabError
from captures.makers.lab import FAR_CLIENT, Lab
from captures.makers.peers import serve
from captures.makers.scripted import give_up

BACKEND = 9061


def narrow(lab: Lab, mtu: int = 1400) -> None:
    """The router's way to the client takes smaller packets than both ends think."""
    if lab.router is None:
        raise LabError("needs the routed wires")
    lab.router.run("ip", "route", "add", f"{FAR_CLIENT}/32", "dev", "left", "mtu", str(mtu))


def drop(lab: Lab, hook: str, *rules: str) -> None:
    """nftables on the router."""
    if lab.router is None:
        raise LabError("needs the routed wires")
    lab.router.run("nft", "add", "table", "ip", "lab")
    lab.router.run("nft", f"add chain ip lab {hook} {{ type filter hook {hook} priority 0; }}")
    for rule in rules:
        lab.router.run("nft", f"add rule ip lab {hook} {rule}")


@case(
    "icmp-prohibited.pcap",
    "a firewall answers SYN with ICMP",
    Expected(outcome="no-data", first="connection-timeout", expect={"connection-timeout": "error"}),
    stacks=["openssl"],
    how="nftables on the router: reject with icmp type admin-prohibited; s_client",
    wires="routed",
)
def icmp_prohibited(lab: Lab) -> None:
    """A firewall that is honest: communication administratively prohibited, and the client gives up at once."""
    drop(lab, "forward", "tcp dport 5061 reject with icmp type admin-prohibited")
    with lab.capture(lab.client):
        lab.openssl_client(lab.partner)


BLACK_HOLE = failed(
    "path-mtu-black-hole", may=("handshake-timeout", "closed-during-handshake", "reset-during-handshake")
)


@case(
    "mtu-black-hole-server.pcap",
    "full-size segments vanish on the way to the client, seen at the server",
    BLACK_HOLE,
    stacks=["openssl", "python"],
    how="a router with 1400 bytes towards the client, nftables drops its ICMP; the client gives up after 7 s",
    wires="routed",
)
def mtu_black_hole_server(lab: Lab) -> None:
    """A tunnel on the path takes only 1400 bytes and a filter eats the ICMP that says so: the server sends its first
    full segments again and again, the small last one arrives."""
    narrow(lab)
    drop(lab, "output", "icmp type destination-unreachable drop")
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture():
        give_up(lab, 7)
        time.sleep(0.5)


@case(
    "mtu-black-hole-client.pcap",
    "full-size segments never arrive, seen at the client",
    failed(
        "path-mtu-black-hole",
        may=("handshake-timeout", "closed-during-handshake", "reset-during-handshake", "capture-gap"),
    ),
    stacks=["openssl", "python"],
    how="as mtu-black-hole-server, captured at the client",
    wires="routed",
)
def mtu_black_hole_client(lab: Lab) -> None:
    """The same from the other end: a hole of full segments that is never filled, the short end of the flight is there."""
    narrow(lab)
    drop(lab, "output", "icmp type destination-unreachable drop")
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture(lab.client):
        give_up(lab, 7)
        time.sleep(0.5)


@case(
    "mtu-icmp-ignored.pcap",
    "ICMP says that packets are too big, the server does not hear it",
    BLACK_HOLE,
    stacks=["openssl", "python"],
    how="as mtu-black-hole-server, but the router's ICMP passes and the server's own filter drops it",
    wires="routed",
)
def mtu_icmp_ignored(lab: Lab) -> None:
    """The capture shows fragmentation-needed, and the server sends full segments all the same."""
    narrow(lab)
    lab.server.run("nft", "add table ip lab")
    lab.server.run("nft", "add chain ip lab input { type filter hook input priority 0; }")
    lab.server.run("nft", "add rule ip lab input icmp type destination-unreachable drop")
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture():
        give_up(lab, 7)
        time.sleep(0.5)


@case(
    "mtu-discovered.pcap",
    "ICMP says that packets are too big, the server sends smaller ones",
    healthy(),
    stacks=["openssl"],
    how="as mtu-black-hole-server, but the router's ICMP passes",
    wires="routed",
)
def mtu_discovered(lab: Lab) -> None:
    """Path MTU discovery at work: lost full segments, fragmentation-needed, smaller segments, and all is well."""
    narrow(lab)
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "lossy-path.pcap",
    "every seventh packet is lost, and it works",
    healthy(),
    stacks=["openssl"],
    how="nftables on the router: numgen inc mod 7 == 3 drop; captured at the server",
    wires="routed",
)
def lossy_path(lab: Lab) -> None:
    """A bad line: retransmissions on both sides, and a healthy handshake all the same."""
    drop(lab, "forward", "numgen inc mod 7 == 3 drop")
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture():
        lab.openssl_client(lab.partner, hold=3)


@case(
    "lossy-path-13.pcap",
    "every fifth packet is lost, TLS 1.3, seen at the client",
    healthy13(),
    stacks=["openssl"],
    how="nftables on the router: numgen inc mod 5 == 2 drop; captured at the client",
    wires="routed",
)
def lossy_path_13(lab: Lab) -> None:
    """The same in TLS 1.3 from the client's end: holes that are filled later."""
    drop(lab, "forward", "numgen inc mod 5 == 2 drop")
    lab.openssl_server(lab.ours, "-tls1_3", ask="required")
    with lab.capture(lab.client):
        lab.openssl_client(lab.partner, hold=3)


@case(
    "ip-fragments.pcap",
    "the server's full segments come as IP fragments",
    healthy(),
    stacks=["openssl"],
    how="ip_no_pmtu_disc=1 on the server, the router fragments to 1400 bytes; captured at the client",
    wires="routed",
)
def ip_fragments(lab: Lab) -> None:
    """Without DF a router cuts packets in two: the certificates are in fragments."""
    lab.server.run("sysctl", "-qw", "net.ipv4.ip_no_pmtu_disc=1")
    narrow(lab)
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture(lab.client):
        lab.openssl_client(lab.partner)


@case(
    "zero-window.pcap",
    "the server stops reading in the handshake",
    failed(
        ("zero-window", "reset-during-handshake"),
        expect={"zero-window": "warning", "reset-during-handshake": "error"},
        may=("handshake-timeout",),
    ),
    stacks=["python", "openssl"],
    how="a listener with the smallest receive buffer hands the hello to s_server, then reads no more; RST after 6 s",
)
def zero_window(lab: Lab) -> None:
    """The process behind the port is stuck: its receive buffer fills up with the client's flight, the window goes to 0."""
    lab.openssl_server(lab.ours, "-tls1_2", port=BACKEND, ask="required")
    listener = lab.server.listen("0.0.0.0", 5061)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)

    def stuck(outer: socket.socket) -> None:
        inner = lab.server.connect("127.0.0.1", BACKEND)
        inner.sendall(outer.recv(4096))
        time.sleep(0.3)
        outer.sendall(inner.recv(65536))
        time.sleep(7)

    serve(listener, stuck)
    with lab.capture():
        give_up(lab, 6, reset=True)
        time.sleep(0.5)
