"""The connection is healthy; what is odd is how it was captured. Nothing may be blamed on the peers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from captures.makers.case import Expected, case, healthy
from captures.makers.hosts import command
from captures.makers.lab import Lab
from captures.makers.rewrite import (
    Packet,
    cut,
    doubled,
    one_side,
    read_pcap,
    swapped,
    tagged,
    without,
    write_pcap,
)

PORT = 5061
STACKS = ["openssl", "rewrite"]
MTLS12 = "a capture of mtls12-openssl, then "


def rewritten(lab: Lab, change: Callable[[list[Packet]], list[Packet]], snap_length: int = 262144) -> None:
    """The healthy connection, and `change` made to its packets."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture():
        lab.openssl_client(lab.partner)
    write_pcap(lab.path, change(read_pcap(lab.path)), snap_length)


def limited(rule: str, outcome: str = "", **more: Any) -> Expected:
    """The capture does not show enough: a note that says so, and no error or warning."""
    return Expected(outcome=outcome, expect={rule: "note"}, **more)


@case("mirror-duplicates.pcap", "a mirror port shows each packet twice", healthy(), stacks=STACKS,
      how=MTLS12 + "each packet copied, 7 us later")  # fmt: skip
def mirror_duplicates(lab: Lab) -> None:
    """The same packets at the way into the switch and out of it: no retransmissions, no losses."""
    rewritten(lab, doubled)


@case("vlan-tag.pcap", "the connection with a VLAN tag", healthy(), stacks=STACKS,
      how=MTLS12 + "an 802.1Q tag for VLAN 42 put into each frame")  # fmt: skip
def vlan_tag(lab: Lab) -> None:
    """As on a trunk port."""
    rewritten(lab, lambda packets: tagged(packets, (0x8100, 42)))


@case("qinq-tags.pcap", "the connection with two VLAN tags", healthy(), stacks=STACKS,
      how=MTLS12 + "an 802.1ad tag 7 and an 802.1Q tag 42 put into each frame")  # fmt: skip
def qinq_tags(lab: Lab) -> None:
    """As in a provider's network."""
    rewritten(lab, lambda packets: tagged(packets, (0x88A8, 7), (0x8100, 42)))


@case("reordered.pcap", "segments in the wrong order", healthy(), stacks=STACKS,
      how=MTLS12 + "the first two segments of the server's flight exchanged")  # fmt: skip
def reordered(lab: Lab) -> None:
    """Two ways through the network: the second segment overtakes the first."""
    rewritten(lab, lambda packets: swapped(packets, PORT, 0))


@case("snaplen-96.pcap", "packets cut at 96 bytes", limited("capture-truncated"), stacks=STACKS,
      how=MTLS12 + "each packet cut at 96 bytes, as tcpdump -s 96")  # fmt: skip
def snaplen_96(lab: Lab) -> None:
    """Somebody saved disk space: headers are there, handshake messages are not."""
    rewritten(lab, lambda packets: cut(packets, 96), 96)


@case("one-sided-client.pcap", "only the client's packets were captured",
      limited("capture-one-sided", "unknown", client_certificate_state="sent"), stacks=STACKS,
      how=MTLS12 + "all packets of the server left out")  # fmt: skip
def one_sided_client(lab: Lab) -> None:
    """A capture filter or an asymmetric route: the server did answer, as the client's acknowledgements show."""
    rewritten(lab, lambda packets: one_side(packets, PORT, from_port=False))


@case("one-sided-server.pcap", "only the server's packets were captured",
      limited("capture-one-sided", "unknown", server_certificate_state="sent"), stacks=STACKS,
      how=MTLS12 + "all packets of the client left out")  # fmt: skip
def one_sided_server(lab: Lab) -> None:
    """The other direction."""
    rewritten(lab, lambda packets: one_side(packets, PORT, from_port=True))


@case("mid-stream.pcap", "the capture starts inside the connection", limited("capture-mid-stream", "unknown"),
      stacks=STACKS, how=MTLS12 + "the first 14 packets left out: application data is the first thing seen")  # fmt: skip
def mid_stream(lab: Lab) -> None:
    """Somebody started the capture when the link was already up."""
    rewritten(lab, lambda packets: packets[14:])


@case("mid-handshake.pcap", "the capture starts between the server's flight and the client's",
      limited("capture-mid-stream"), stacks=STACKS,
      how=MTLS12 + "the first 9 packets left out: the client's Certificate is the first thing seen")  # fmt: skip
def mid_handshake(lab: Lab) -> None:
    """The hellos are not in the capture."""
    rewritten(lab, lambda packets: packets[9:])


@case("gap-server-flight.pcap", "a packet of the server's flight is missing from the capture",
      limited("capture-gap"), stacks=STACKS, how=MTLS12 + "the first segment of the server's flight left out")  # fmt: skip
def gap_server_flight(lab: Lab) -> None:
    """The capture lost a packet that the client did receive: ServerHello and half of the certificates."""
    rewritten(lab, lambda packets: without(packets, PORT, [0]))


@case("no-syn.pcap", "the TCP handshake is missing, the TLS handshake is there", healthy(), stacks=STACKS,
      how=MTLS12 + "the first 3 packets left out")  # fmt: skip
def no_syn(lab: Lab) -> None:
    """The capture starts right before the ClientHello: all of TLS is visible."""
    rewritten(lab, lambda packets: packets[3:])


@case("ends-in-handshake.pcap", "the capture ends inside the handshake",
      Expected(outcome="unknown", never=("handshake-timeout",)), stacks=STACKS,
      how=MTLS12 + "all packets after the server's flight left out")  # fmt: skip
def ends_in_handshake(lab: Lab) -> None:
    """Somebody stopped the capture too early: nobody failed to answer."""
    rewritten(lab, lambda packets: packets[:9])


@case("any-device.pcap", "captured on all interfaces at once (Linux cooked v2)", healthy(), stacks=["openssl"],
      how="as mtls12-openssl, tcpdump -i any")  # fmt: skip
def any_device(lab: Lab) -> None:
    """No Ethernet header but the one that Linux makes up."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture(device="any"):
        lab.openssl_client(lab.partner)


@case("any-device-v1.pcap", "captured on all interfaces at once (Linux cooked v1)", healthy(), stacks=["openssl"],
      how="as mtls12-openssl, tcpdump -i any -y LINUX_SLL")  # fmt: skip
def any_device_v1(lab: Lab) -> None:
    """The older form of the cooked header."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture(None, "-y", "LINUX_SLL", device="any"):
        lab.openssl_client(lab.partner)


@case("offload-on.pcap", "captured on a server whose card cuts and sums", healthy(), stacks=["openssl"],
      how="as mtls12-openssl with tx, tso, gso and gro switched on again")  # fmt: skip
def offload_on(lab: Lab) -> None:
    """Packets larger than any MTU and checksums that are not yet filled in: normal on a server."""
    for host in (lab.client, lab.server):
        host.run("ethtool", "-K", "eth0", "tx", "on", "tso", "on", "gso", "on", "gro", "on")
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture():
        lab.openssl_client(lab.partner)


@case("vxlan-tunnel.pcap", "inside a VXLAN tunnel", healthy(), stacks=["openssl"],
      how="as mtls12-openssl over vxlan devices between the hosts, captured on the carrying interface")  # fmt: skip
def vxlan_tunnel(lab: Lab) -> None:
    """Virtual machines on different hosts: the connection is inside UDP 4789."""
    tunnel = {"client": ("10.9.0.1", lab.server_address), "server": ("10.9.0.2", lab.client_address)}
    for host in (lab.client, lab.server):
        own, remote = tunnel[host.name]
        kind = ("type", "vxlan", "id", "77", "dstport", "4789", "remote", remote, "dev", "eth0")
        host.run("ip", "link", "add", "vx0", *kind)
        host.run("ip", "addr", "add", f"{own}/24", "dev", "vx0")
        host.run("ip", "link", "set", "vx0", "up", "mtu", "1400")
        host.run("ethtool", "-K", "vx0", "tx", "off", "tso", "off", "gso", "off", "gro", "off")
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    lab.server_address = "10.9.0.2"
    with lab.capture():
        lab.openssl_client(lab.partner)


@case("gzip-file.pcap.gz", "the file is compressed", healthy(), stacks=["openssl"],
      how="as mtls12-openssl, then gzip -n")  # fmt: skip
def gzip_file(lab: Lab) -> None:
    """Read as it is."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    whole, path = lab.folder / "whole.pcap", lab.path
    lab.path = whole
    with lab.capture():
        lab.openssl_client(lab.partner)
    command("gzip", "-n", str(whole))
    whole.with_suffix(".pcap.gz").rename(path)
