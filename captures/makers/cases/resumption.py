"""Two connections each: a full handshake, then a resumed one that shows no certificates."""

from __future__ import annotations

from captures.makers.case import case, healthy, healthy13
from captures.makers.lab import Lab

RESUMED = {"session-resumed": "note"}


def twice(lab: Lab, *options: str) -> None:
    """Connect, keep the session, connect with it again."""
    session = str(lab.folder.resolve() / "session.pem")
    lab.openssl_server(lab.ours, *options, ask="required")
    with lab.capture():
        lab.openssl_client(lab.partner, *options, "-sess_out", session)
        lab.openssl_client(lab.partner, *options, "-sess_in", session)


@case(
    "resumed12-session-id.pcap",
    "TLS 1.2 resumption by session id",
    healthy(resumed=False),
    healthy(client="not-sent", server="not-sent", stream=1, resumed=True, expect=RESUMED),
    stacks=["openssl"],
    how="s_client -sess_out, then -sess_in, both sides -no_ticket",
)
def resumed12_session_id(lab: Lab) -> None:
    """The second connection names the first one's session id: no certificates, no request, and nothing is missing."""
    twice(lab, "-tls1_2", "-no_ticket")


@case(
    "resumed12-ticket.pcap",
    "TLS 1.2 resumption by ticket",
    healthy(resumed=False),
    healthy(client="not-sent", server="not-sent", stream=1, resumed=True, expect=RESUMED),
    stacks=["openssl"],
    how="s_client -sess_out, then -sess_in",
)
def resumed12_ticket(lab: Lab) -> None:
    """The second connection brings a session ticket."""
    twice(lab, "-tls1_2")


@case(
    "resumed13-psk.pcap",
    "TLS 1.3 resumption by pre-shared key",
    healthy13(resumed=False),
    healthy("TLSv1.3", "not-sent", "not-sent", stream=1, resumed=True, expect=RESUMED),
    stacks=["openssl"],
    how="s_client -tls1_3 -sess_out, then -sess_in",
)
def resumed13_psk(lab: Lab) -> None:
    """The second ServerHello picks the pre-shared key: no certificates in the encrypted flight."""
    twice(lab, "-tls1_3")
