"""Real mutual handshakes of OpenSSL for `make bench-live`: a server that insists on a certificate, and clients in turn."""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
from contextlib import suppress
from pathlib import Path

from tests.build.pki import root

SERVER, CLIENT, PORT = "192.0.2.1", "192.0.2.2", 5061
TURNS = (
    (ssl.TLSVersion.TLSv1_2, True, "established"),
    (ssl.TLSVersion.TLSv1_3, True, "established"),
    (ssl.TLSVersion.TLSv1_2, False, "failed"),
    (ssl.TLSVersion.TLSv1_3, False, "failed"),
)
"""Version, whether the client has a certificate, and what comes of it."""


def certificates(folder: Path) -> None:
    """Of both sides, by one root."""
    if (folder / "ca.pem").exists():
        return
    ours = root("CN=Bench Root,O=Example")
    (folder / "ca.pem").write_text(ours.pem)
    for name in ("server", "client"):
        leaf = ours.issue(f"CN={name}.example.com", san=[f"{name}.example.com"], eku=["serverAuth", "clientAuth"])
        (folder / f"leaf-{name}.pem").write_text(leaf.key_pem + leaf.pem)


def serve(folder: Path) -> None:
    """Answer for ever, each client in a thread of its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "leaf-server.pem")
    context.load_verify_locations(folder / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server((SERVER, PORT), backlog=128) as listening:
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=_answer, args=(context, connection), daemon=True).start()


def _answer(context: ssl.SSLContext, connection: socket.socket) -> None:
    with connection, suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
        secured.sendall(secured.recv(100))


def call(folder: Path, count: int) -> dict[int, str]:
    """So many connections: client port -> what became of it."""
    contexts = []
    for version, known, outcome in TURNS:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(folder / "ca.pem")
        context.minimum_version = context.maximum_version = version
        if known:
            context.load_cert_chain(folder / "leaf-client.pem")
        contexts.append((context, outcome))
    found: dict[int, str] = {}
    for number in range(count):
        context, outcome = contexts[number % len(contexts)]
        with socket.create_connection((SERVER, PORT), source_address=(CLIENT, 10_000 + number)) as connection:
            found[10_000 + number] = outcome
            with suppress(OSError), context.wrap_socket(connection, server_hostname="server.example.com") as secured:
                secured.sendall(b"hello")
                secured.recv(100)
    return found


if __name__ == "__main__":
    if sys.argv[1] == "server":
        serve(Path(sys.argv[2]))
    else:
        sys.stdout.write(json.dumps(call(Path(sys.argv[2]), int(sys.argv[3]))))
