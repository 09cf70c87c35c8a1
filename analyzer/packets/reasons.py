"""Every reason why a frame gave neither TCP nor ICMP: the only place that lists their names."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "arp": "ARP or reverse ARP",
    "dns": "UDP, port 53",
    "dtls": "UDP with a DTLS record",
    "esp": "IPsec, encrypted",
    "fragment": "an IP fragment that waits for others; the one that completes a datagram counts as what that is",
    "igmp": "IGMP",
    "link-unknown": "a medium of Network Monitor that no link type is known for",
    "malformed-icmp": "shorter on the wire than an ICMP header",
    "malformed-ip": "the IP header contradicts itself, or an IP fragment does",
    "malformed-link": "shorter on the wire than its link header",
    "malformed-tcp": "shorter on the wire than a TCP header, or its header length is below 20 bytes",
    "malformed-tunnel": "the tunnel's header contradicts itself, or is of an unknown version",
    "malformed-udp": "shorter on the wire than a UDP header",
    "non-ip": "a link-layer protocol other than IP",
    "not-a-packet": "an entry of the file that has a frame number but is no packet (an event, a filter)",
    "quic": "UDP with a QUIC packet",
    "sctp": "SCTP",
    "truncated": "the capture cut the frame inside a header",
    "tunnel-depth": "more tunnels or tags in each other than we follow",
    "udp": "other UDP",
    "wifi": "IEEE 802.11",
}
"""Reason -> what it means."""

NUMBERED: dict[str, str] = {
    "ip-protocol-": "IP protocol number N (IANA), not decoded",
    "link-type-": "link type number N (tcpdump.org/linktypes.html), not decoded",
}
"""Prefix of reasons that end with a number -> what they mean."""


def meaning(reason: str) -> str:
    """What a reason means. Raise KeyError for one that we never give."""
    for prefix, text in NUMBERED.items():
        if reason.startswith(prefix):
            return text.replace(" N ", f" {reason.removeprefix(prefix)} ")
    return REASONS[reason]
