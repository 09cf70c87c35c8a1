"""`Lab`: two hosts, a PKI, and the real stacks ready to be started on them."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from captures.makers.hosts import Host, LabError, address, command, join, know, sniff
from captures.makers.pki import Authority, Identity, Pki

CLIENT, SERVER = "192.0.2.10", "192.0.2.20"
CLIENT6, SERVER6 = "2001:db8::10", "2001:db8::20"
FAR_CLIENT = "198.51.100.10"
NAME = "sip.example.com"
PATIENCE = 30  # seconds for a client to end after its input has ended
GREETING = b"OPTIONS sip:example.com SIP/2.0\r\n"

STACKS = {
    "openssl": ("openssl", "version"),
    "gnutls": ("gnutls-cli", "--version"),
    "java": ("java", "--version"),
    "nginx": ("nginx", "-v"),
    "haproxy": ("haproxy", "-v"),
    "kamailio": ("kamailio", "-v"),
    "python": ("python3", "-c", "import ssl; print('Python ssl with ' + ssl.OPENSSL_VERSION)"),
    "linux": ("sh", "-c", "echo Linux $(uname -r | cut -d. -f1,2) TCP"),
    "rewrite": ("sh", "-c", "echo captures/makers/rewrite.py"),
}


def version(stack: str) -> str:
    """The first line of what a stack says about itself."""
    done = subprocess.run(STACKS[stack], capture_output=True, text=True, check=True)
    return (done.stdout or done.stderr).splitlines()[0].strip()


class Lab:
    """One case's laboratory. `client` and `server` are wired directly, or through `router` (wires "routed").

    `path` is where the capture goes; other files go to `folder`.
    """

    def __init__(self, pki: Pki, path: Path, folder: Path, wires: str = "direct") -> None:
        self.pki, self.path, self.folder = pki, path, folder
        self.client_address, self.server_address = CLIENT, SERVER
        self._hosts: list[Host] = []
        self.client, self.server = self._host("client"), self._host("server")
        self.router: Host | None = None
        if wires == "routed":
            self._wire_routed()
        else:
            self._wire_direct(six=wires == "ipv6")

    def _host(self, name: str) -> Host:
        self._hosts.append(Host(name, self.folder))
        return self._hosts[-1]

    def _wire_direct(self, *, six: bool) -> None:
        if six:
            self.client_address, self.server_address = CLIENT6, SERVER6
            self.client.use_ipv6()
            self.server.use_ipv6()
        join(self.client, self.server)
        bits = "64" if six else "24"
        address(self.client, "eth0", f"{self.client_address}/{bits}")
        address(self.server, "eth0", f"{self.server_address}/{bits}")
        know(self.client, "eth0", "02:00:00:00:00:14", self.server_address)
        know(self.server, "eth0", "02:00:00:00:00:0a", self.client_address)

    def _wire_routed(self) -> None:
        self.client_address = FAR_CLIENT
        self.router = router = self._host("router")
        join(self.client, router, ("eth0", "left"), 1)
        join(self.server, router, ("eth0", "right"), 2)
        address(self.client, "eth0", f"{FAR_CLIENT}/24")
        address(self.server, "eth0", f"{SERVER}/24")
        address(router, "left", "198.51.100.1/24")
        address(router, "right", "192.0.2.1/24")
        self.client.run("ip", "route", "add", "default", "via", "198.51.100.1")
        self.server.run("ip", "route", "add", "default", "via", "192.0.2.1")
        know(self.client, "eth0", "02:00:00:00:01:14", "198.51.100.1")
        know(self.server, "eth0", "02:00:00:00:02:14", "192.0.2.1")
        know(router, "left", "02:00:00:00:01:0a", FAR_CLIENT)
        know(router, "right", "02:00:00:00:02:0a", SERVER)
        router.run("sysctl", "-qw", "net.ipv4.ip_forward=1")

    def more_addresses(self, host: Host, *addresses: str) -> None:
        """A host gets more addresses; the other one, directly wired, knows them."""
        other, mac = (self.client, "02:00:00:00:00:14") if host is self.server else (self.server, "02:00:00:00:00:0a")
        address(host, "eth0", *(f"{item}/24" for item in addresses))
        know(other, "eth0", mac, *addresses)

    def close(self) -> None:
        """End all processes and remove the namespaces."""
        for host in self._hosts:
            host.close()

    # The usual identities.

    @property
    def ours(self) -> Identity:
        """The server's: sip.example.com with its intermediate."""
        return self.pki.usual("ours", (NAME, "edge01.example.com"), self.pki.issuing)

    @property
    def partner(self) -> Identity:
        """The client's: edge.example.net with its intermediate."""
        return self.pki.usual("partner", ("edge.example.net",), self.pki.partner_issuing)

    def trusts(self, *authorities: Authority) -> Path:
        """A bundle; both roots unless told otherwise."""
        return self.pki.bundle(*(authorities or (self.pki.root, self.pki.partner_root)))

    # Capturing.

    @contextlib.contextmanager
    def capture(self, host: Host | None = None, *extra: str, device: str = "eth0") -> Iterator[None]:
        """Capture at the server (or `host`) while the body runs."""
        with sniff(host or self.server, self.path, device=device, extra=extra):
            yield

    # OpenSSL.

    def openssl_server(
        self,
        identity: Identity,
        *options: str,
        port: int = 5061,
        ask: str = "",
        trust: Path | None = None,
        mode: str = "-rev",
        at: str = "",
    ) -> None:
        """`openssl s_server`. ask: "" = no client certificate, "optional", "required". at: one address, not all."""
        accept = f"{at}:{port}" if at else str(port)
        args = ["openssl", "s_server", "-accept", accept, *_own("-cert", identity), *options]
        if mode:
            args.append(mode)
        if ask:
            args += ["-Verify" if ask == "required" else "-verify", "3", "-CAfile", str(trust or self.trusts())]
        if ask == "required":
            args.append("-verify_return_error")
        self.server.wait_for_port(port, self.server.start(*args))

    def openssl_client(
        self,
        identity: Identity | None,
        *options: str,
        port: int = 5061,
        name: str | None = NAME,
        say: bytes = GREETING,
        hold: float = 0.4,
        linger: float | None = None,
        trust: Path | None = None,
        connect: bool = True,
        to: str = "",
        patience: float = PATIENCE,
    ) -> int:
        """`openssl s_client` as it talks: handshake, one line of data, end of input, close. Returns its exit code.

        hold: seconds before the line; linger: before the close, as long if None. connect False: `options` say where to.
        to: an address or a name instead of the server's usual address. patience: see `talk`.
        """
        host = f"[{self.server_address}]" if ":" in self.server_address else to or self.server_address
        args = [
            "openssl",
            "s_client",
            "-connect",
            f"{host}:{port}",
            "-CAfile",
            str(trust or self.trusts(self.pki.root)),
        ]
        args += ["-verify_return_error"] if "-verify_return_error" not in options else []
        args += _own("-cert", identity) if identity else []
        args += ["-servername", name] if name else ["-noservername"]
        return talk(self.client.start(*args, *options, stdin=subprocess.PIPE), say, hold, linger, patience)

    # GnuTLS.

    def gnutls_server(
        self, identity: Identity, *options: str, port: int = 5061, ask: str = "", trust: Path | None = None
    ) -> None:
        """`gnutls-serv --echo`. ask: "" = no client certificate, "optional", "required"."""
        args = ["gnutls-serv", "--echo", "-p", str(port), *_gnutls_own(identity), *options]
        args += ["--x509cafile", str(trust or self.trusts())] if ask else ["--disable-client-cert"]
        if ask == "required":
            args += ["--require-client-cert", "--verify-client-cert"]
        self.server.wait_for_port(port, self.server.start(*args))

    def gnutls_client(
        self, identity: Identity | None, *options: str, port: int = 5061, name: str = NAME, hold: float = 0.6
    ) -> int:
        """`gnutls-cli`: handshake, one line of data, close."""
        args = ["gnutls-cli", "-p", str(port), "--x509cafile", str(self.trusts(self.pki.root)), "--sni-hostname", name]
        args += ["--verify-hostname", name, *(_gnutls_own(identity) if identity else ()), *options]
        process = self.client.start(*args, self.server_address, stdin=subprocess.PIPE)
        return talk(process, GREETING, hold)

    # Java.

    def java_server(self, identity: Identity, *options: str, port: int = 5061, trust: Path | None = None) -> None:
        """makers/java/Server.java: an echo server on SSLServerSocket. `options`: protocol=, ask=none|want|need ..."""
        args = (f"keys={self.keystore(identity)}", f"trust={self.truststore(trust or self.trusts())}")
        process = self.server.start("java", str(JAVA / "Server.java"), f"port={port}", *args, *options)
        self.server.wait_for_port(port, process, 60)

    def java_client(
        self, identity: Identity | None, *options: str, port: int = 5061, java: tuple[str, ...] = ()
    ) -> int:
        """makers/java/Client.java: SSLSocket, one line of data, close. java: options of the virtual machine."""
        args = [f"trust={self.truststore(self.trusts(self.pki.root))}"]
        args += [f"keys={self.keystore(identity)}"] if identity else []
        args += [f"address={self.server_address}", f"port={port}", *options]
        return self.client.start("java", *java, str(JAVA / "Client.java"), *args).wait(90)

    def keystore(self, identity: Identity) -> Path:
        """A PKCS #12 file of a key with its chain; password "changeit"."""
        path = identity.key.with_suffix(".p12")
        if not path.exists():
            args = ["openssl", "pkcs12", "-export", "-inkey", str(identity.key), "-in", str(identity.cert)]
            args += ["-certfile", str(identity.chain)] if identity.sends_chain() else []
            command(*args, "-name", "own", "-out", str(path), "-passout", "pass:changeit")
        return path

    def truststore(self, bundle: Path) -> Path:
        """A PKCS #12 file of trusted certificates only; password "changeit"."""
        path = bundle.with_suffix(".p12")
        if path.exists():
            return path
        parts = [
            part + "-----END CERTIFICATE-----\n" for part in bundle.read_text().split("-----END CERTIFICATE-----\n")
        ]
        for number, part in enumerate(parts[:-1]):
            single = bundle.with_name(f"{bundle.stem}-{number}.one")
            single.write_text(part)
            args = ("-alias", f"ca{number}", "-file", str(single), "-keystore", str(path), "-storetype", "PKCS12")
            command("keytool", "-importcert", "-noprompt", *args, "-storepass", "changeit")
        return path


JAVA = Path(__file__).parent / "java"


def talk(
    process: subprocess.Popen[bytes], say: bytes, hold: float, linger: float | None = None, patience: float = PATIENCE
) -> int:
    """Give a client its handshake, then a line, then the end of its input, and `patience` seconds to end."""
    if process.stdin is None:
        raise LabError("the client has no standard input")
    time.sleep(hold)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(say)
        process.stdin.flush()
    time.sleep(hold if linger is None else linger)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        process.terminate()
        return process.wait()


def _own(option: str, identity: Identity) -> list[str]:
    args = [option, str(identity.cert), "-key", str(identity.key)]
    return [*args, "-cert_chain", str(identity.chain)] if identity.sends_chain() else args


def _gnutls_own(identity: Identity) -> tuple[str, ...]:
    return ("--x509certfile", str(identity.fullchain), "--x509keyfile", str(identity.key))
