"""Connections that work: nothing about how they went may be reported."""

from __future__ import annotations

import socket
import subprocess
import threading
import time

from captures.makers.case import case, healthy, healthy13
from captures.makers.daemons import haproxy, kamailio, nginx
from captures.makers.lab import Lab
from captures.makers.peers import abort, serve
from captures.makers.scripted import client_context

HTTP_REQUEST = b"GET / HTTP/1.1\nHost: sip.example.com\nConnection: close\n\n"
SIP_REQUEST = (
    b"OPTIONS sip:sip.example.com SIP/2.0\nVia: SIP/2.0/TLS edge.example.net;branch=z9hG4bK776asdhds\n"
    b"From: <sip:probe@example.net>;tag=1928301774\nTo: <sip:sip.example.com>\nCall-ID: a84b4c76e66710\n"
    b"CSeq: 1 OPTIONS\nMax-Forwards: 70\nContent-Length: 0\n\n"
)


def plain_echo(connection: socket.socket) -> None:
    """Behind a TLS proxy."""
    while data := connection.recv(4096):
        connection.sendall(data)


@case(
    "mtls12-openssl.pcap",
    "mutual TLS 1.2 between two OpenSSL peers",
    healthy(server_name="sip.example.com", alerts=()),
    stacks=["openssl"],
    how="openssl s_server -Verify 3 -tls1_2 and s_client -cert on 5061; a line each way, close_notify, FIN",
)
def mtls12_openssl(lab: Lab) -> None:
    """Both sides send leaf and intermediate, both trust the other's root, the client's root is on the server's list."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "mtls13-openssl.pcap",
    "mutual TLS 1.3 between two OpenSSL peers",
    healthy13(server_name="sip.example.com", alerts=()),
    stacks=["openssl"],
    how="openssl s_server -Verify 3 -tls1_3 and s_client -cert on 5061; a line each way, close_notify, FIN",
)
def mtls13_openssl(lab: Lab) -> None:
    """The same in TLS 1.3: the certificates are encrypted, record sizes tell that the client sent one."""
    lab.openssl_server(lab.ours, "-tls1_3", ask="required")
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "auth12-openssl.pcap",
    "TLS 1.2, only the server shows a certificate",
    healthy(client="not-requested", server_name="sip.example.com"),
    stacks=["openssl"],
    how="s_server without -verify on 443; s_client without -cert",
)
def auth12_openssl(lab: Lab) -> None:
    """Ordinary TLS: no CertificateRequest, no client certificate, nothing wrong."""
    lab.openssl_server(lab.ours, "-tls1_2", port=443)
    with lab.capture():
        lab.openssl_client(None, port=443)


@case(
    "auth13-openssl.pcap",
    "TLS 1.3, only the server shows a certificate",
    healthy13("not-requested", server_name="sip.example.com"),
    stacks=["openssl"],
    how="s_server without -verify on 443; s_client without -cert",
)
def auth13_openssl(lab: Lab) -> None:
    """Ordinary TLS 1.3: the client's second flight is its Finished alone."""
    lab.openssl_server(lab.ours, "-tls1_3", port=443)
    with lab.capture():
        lab.openssl_client(None, port=443)


@case(
    "tls10-cbc.pcap",
    "mutual TLS 1.0 with a CBC suite, as old servers speak it",
    healthy("TLSv1.0"),
    stacks=["openssl"],
    how="s_server and s_client -tls1 with -cipher AES128-SHA:@SECLEVEL=0",
)
def tls10_cbc(lab: Lab) -> None:
    """TLS 1.0 with RSA key exchange: no ServerKeyExchange, no signature algorithms, a longer Finished."""
    old = ("-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0")
    lab.openssl_server(lab.ours, *old, ask="required")
    with lab.capture():
        lab.openssl_client(lab.partner, *old)


@case(
    "mtls12-gnutls.pcap",
    "mutual TLS 1.2 between two GnuTLS peers",
    healthy(server_name="sip.example.com"),
    stacks=["gnutls"],
    how="gnutls-serv --echo --require-client-cert and gnutls-cli, both NORMAL:-VERS-ALL:+VERS-TLS1.2",
)
def mtls12_gnutls(lab: Lab) -> None:
    """GnuTLS on both sides; its client chooses its certificate by the server's list."""
    priority = ("--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2")
    lab.gnutls_server(lab.ours, *priority, ask="required")
    with lab.capture():
        lab.gnutls_client(lab.partner, *priority)


@case(
    "mtls13-gnutls.pcap",
    "mutual TLS 1.3 between two GnuTLS peers",
    healthy13(server_name="sip.example.com"),
    stacks=["gnutls"],
    how="gnutls-serv --echo --require-client-cert and gnutls-cli, both NORMAL:-VERS-ALL:+VERS-TLS1.3",
)
def mtls13_gnutls(lab: Lab) -> None:
    """GnuTLS on both sides in TLS 1.3."""
    priority = ("--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3")
    lab.gnutls_server(lab.ours, *priority, ask="required")
    with lab.capture():
        lab.gnutls_client(lab.partner, *priority)


@case(
    "mtls12-java.pcap",
    "mutual TLS 1.2 between two Java peers",
    healthy(server_name="sip.example.com"),
    stacks=["java"],
    how="makers/java/Server.java ask=need and Client.java, protocol=TLSv1.2",
)
def mtls12_java(lab: Lab) -> None:
    """JSSE on both sides: its server sends one record for each message, its ticket carries the client's chain."""
    lab.java_server(lab.ours, "protocol=TLSv1.2", "ask=need")
    with lab.capture():
        lab.java_client(lab.partner, "protocol=TLSv1.2")


@case(
    "mtls13-java.pcap",
    "mutual TLS 1.3 between two Java peers",
    healthy13(server_name="sip.example.com"),
    stacks=["java"],
    how="makers/java/Server.java ask=need and Client.java, protocol=TLSv1.3",
)
def mtls13_java(lab: Lab) -> None:
    """JSSE on both sides in TLS 1.3: it pads its records, so sizes differ from other stacks."""
    lab.java_server(lab.ours, "protocol=TLSv1.3", "ask=need")
    with lab.capture():
        lab.java_client(lab.partner, "protocol=TLSv1.3")


@case(
    "mtls12-kamailio.pcap",
    "SIP over mutual TLS 1.2 to kamailio",
    healthy(server_name="sip.example.com"),
    stacks=["kamailio", "openssl"],
    how="kamailio with require_certificate=yes, s_client -tls1_2 sends an OPTIONS request",
)
def mtls12_kamailio(lab: Lab) -> None:
    """A real SIP server on 5061 that insists on a client certificate."""
    kamailio(lab, lab.ours, lab.trusts())
    with lab.capture():
        lab.openssl_client(lab.partner, "-tls1_2", "-crlf", say=SIP_REQUEST)


@case(
    "nginx-optional-12.pcap",
    "nginx asks for a certificate, gets none, goes on (TLS 1.2)",
    healthy(client="empty", expect={"client-certificate-missing": "note"}),
    stacks=["nginx", "openssl"],
    how="ssl_verify_client optional; s_client -tls1_2 without -cert fetches a page",
)
def nginx_optional_12(lab: Lab) -> None:
    """An optional request answered by an empty Certificate: normal for a web client, a note at most."""
    nginx(lab, lab.ours, f"ssl_verify_client optional; ssl_client_certificate {lab.trusts()};")
    with lab.capture():
        lab.openssl_client(None, "-tls1_2", port=443, say=HTTP_REQUEST)


@case(
    "nginx-optional-13.pcap",
    "nginx asks for a certificate, gets none, goes on (TLS 1.3)",
    healthy13("inferred-empty", expect={"client-certificate-missing": "note"}),
    stacks=["nginx", "openssl"],
    how="ssl_verify_client optional; s_client -tls1_3 without -cert fetches a page",
)
def nginx_optional_13(lab: Lab) -> None:
    """The same in TLS 1.3: the record of 25 bytes, and then tickets and the page."""
    options = f"ssl_protocols TLSv1.3; ssl_verify_client optional; ssl_client_certificate {lab.trusts()};"
    nginx(lab, lab.ours, options)
    with lab.capture():
        lab.openssl_client(None, "-tls1_3", port=443, say=HTTP_REQUEST)


@case(
    "mtls13-haproxy.pcap",
    "mutual TLS 1.3 to HAProxy",
    healthy13(),
    stacks=["haproxy", "openssl"],
    how="bind ... ssl verify required ca-file; s_client -tls1_3 -cert",
)
def mtls13_haproxy(lab: Lab) -> None:
    """HAProxy ends mutual TLS before a plain echo server."""
    serve(lab.server.listen("127.0.0.1", 9000), plain_echo)
    haproxy(lab, lab.ours, f"verify required ca-file {lab.trusts()}")
    with lab.capture():
        lab.openssl_client(lab.partner, "-tls1_3", port=443)


@case(
    "mtls12-haproxy.pcap",
    "mutual TLS 1.2 to HAProxy",
    healthy(),
    stacks=["haproxy", "openssl"],
    how="bind ... ssl verify required ca-file; s_client -tls1_2 -cert",
)
def mtls12_haproxy(lab: Lab) -> None:
    """HAProxy ends mutual TLS before a plain echo server."""
    serve(lab.server.listen("127.0.0.1", 9000), plain_echo)
    haproxy(lab, lab.ours, f"verify required ca-file {lab.trusts()}")
    with lab.capture():
        lab.openssl_client(lab.partner, "-tls1_2", port=443)


@case(
    "mtls12-ipv6.pcap",
    "mutual TLS 1.2 over IPv6",
    healthy(server_name="sip.example.com"),
    stacks=["openssl"],
    how="as mtls12-openssl, between 2001:db8::10 and 2001:db8::20",
    wires="ipv6",
)
def mtls12_ipv6(lab: Lab) -> None:
    """The ordinary healthy case over IPv6."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "no-data-close-notify.pcap",
    "a client that completes the handshake and closes politely without data",
    healthy(),
    stacks=["openssl"],
    how="as mtls12-openssl; the client has nothing to say: close_notify and FIN right after the handshake",
)
def no_data_close_notify(lab: Lab) -> None:
    """An alert record and FIN after both Finished messages is close_notify, not a refusal."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture():
        lab.openssl_client(lab.partner, say=b"", hold=0.1)


@case(
    "port-reuse.pcap",
    "two connections from the same client port, one after the other",
    healthy("TLSv1.2", "not-requested", expect={}),
    healthy("TLSv1.2", "not-requested", stream=1, expect={}),
    stacks=["openssl", "python"],
    how="Python's ssl as client bound to port 40000; the first ends with RST after data, the second with close_notify",
)
def port_reuse(lab: Lab) -> None:
    """The same four numbers carry two connections; the second SYN has a new sequence number."""
    lab.openssl_server(lab.ours, "-tls1_2", port=443)
    context = client_context(None, lab.trusts(lab.pki.root))
    with lab.capture():
        for last in (False, True):
            raw = lab.client.connect(lab.server_address, 443, source_port=40000)
            secure = context.wrap_socket(raw, server_hostname="sip.example.com")
            secure.sendall(b"first line\n")
            secure.recv(100)
            if last:
                secure.unwrap().close()
            else:
                abort(secure)
            time.sleep(0.3)


@case(
    "tls13-hello-retry.pcap",
    "TLS 1.3 with a HelloRetryRequest",
    healthy13(server_name="sip.example.com", expect={"hello-retry": "note"}),
    stacks=["openssl"],
    how="s_server -groups P-384, s_client -groups X25519:P-384",
)
def tls13_hello_retry(lab: Lab) -> None:
    """The client's key share is for a group that the server does not take; it asks for another one and all is well."""
    lab.openssl_server(lab.ours, "-tls1_3", "-groups", "P-384", ask="required")
    with lab.capture():
        lab.openssl_client(lab.partner, "-groups", "X25519:P-384")


@case(
    "renegotiation.pcap",
    "the client certificate is asked for by renegotiation (TLS 1.2)",
    healthy(client="not-requested", expect={"renegotiated-client-auth": "note"}),
    stacks=["openssl"],
    how="s_server, told on its console to renegotiate with a request (R) after data was exchanged",
)
def renegotiation(lab: Lab) -> None:
    """As IIS does it: the first handshake asks for no certificate, a second, encrypted one does."""
    args = ("-cert", str(lab.ours.cert), "-key", str(lab.ours.key), "-cert_chain", str(lab.ours.chain))
    trust = ("-CAfile", str(lab.trusts()))
    process = lab.server.start(
        "openssl",
        "s_server",
        "-accept",
        "443",
        "-tls1_2",
        "-no_ticket",
        "-no_cache",
        *args,
        *trust,
        stdin=subprocess.PIPE,
    )
    lab.server.wait_for_port(443, process)

    def ask_later() -> None:
        time.sleep(0.8)
        if process.stdin:
            process.stdin.write(b"R\n")
            process.stdin.flush()

    threading.Thread(target=ask_later, daemon=True).start()
    with lab.capture():
        lab.openssl_client(lab.partner, "-tls1_2", port=443, hold=0.7)
