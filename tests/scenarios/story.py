"""`Story`: a TCP conversation (tests/build/tcp.py) that knows the flights of TLS, and the table of all stories."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tests.build import handshake as tls
from tests.build import pki, records
from tests.build.tcp import CLIENT, SERVER, Tcp

ROOT = pki.root("CN=Root")
ALICE = ROOT.issue("CN=alice.example.com", san=["alice.example.com"], eku=["serverAuth", "clientAuth"])
SIP = ROOT.issue("CN=sip.example.com", san=["sip.example.com"], eku=["serverAuth", "clientAuth"])
FINISHED, ALERT = 40, 26
"""Bytes of an encrypted Finished and of an encrypted alert with AES-GCM before TLS 1.3."""


class Story(Tcp):
    """Flights by name. Every method returns the story, so that it reads as one sentence."""

    # ---- TLS 1.2 -----------------------------------------------------------------------------------------------------

    def hello(self, name: bytes = b"sip.example.com", cut: Iterable[int] = (), version: int = 0x0303) -> Story:
        """ClientHello."""
        hello = tls.client_hello(version=version, extensions=[tls.server_name_extension(name)])
        self.send(CLIENT, records.record(hello, version=0x0301), cut=cut)
        return self

    def answer(
        self,
        chain: Sequence[bytes] | None = SIP.chain,
        asks: Sequence[bytes] | None = (ROOT.subject,),
        cut: Iterable[int] = (),
    ) -> Story:
        """ServerHello, Certificate, ServerKeyExchange, CertificateRequest, ServerHelloDone. None leaves one out."""
        self.send(SERVER, server_flight(chain, asks), cut=cut)
        return self

    def certificate(
        self, chain: Sequence[bytes] | None = ALICE.chain, cut: Iterable[int] = (), heard: bool = True
    ) -> Story:
        """Certificate, ClientKeyExchange, CertificateVerify, ChangeCipherSpec, Finished."""
        self.send(CLIENT, client_flight(chain), cut=cut, heard=heard)
        return self

    def finished(self) -> Story:
        """The server's ChangeCipherSpec and Finished."""
        self.send(SERVER, records.change_cipher_spec() + records.encrypted(records.HANDSHAKE, FINISHED))
        return self

    def resumed(self) -> Story:
        """ServerHello, ChangeCipherSpec, Finished; and the client's."""
        done = records.change_cipher_spec() + records.encrypted(records.HANDSHAKE, FINISHED)
        self.send(SERVER, records.record(tls.server_hello(session_id=bytes(32))) + done)
        self.send(CLIENT, done)
        return self

    # ---- TLS 1.3 -----------------------------------------------------------------------------------------------------

    def hello_13(self, cut: Iterable[int] = (), early_data: bool = False) -> Story:
        """ClientHello that offers TLS 1.3. `early_data`: and announces some."""
        extensions = [
            tls.server_name_extension(b"sip.example.com"),
            tls.supported_versions_extension(0x0304, 0x0303),
            tls.groups_extension(0x001D),
            tls.key_share_extension((0x001D, bytes(32))),
            (45, b"\x01\x01"),  # psk_key_exchange_modes: it takes session tickets
        ]
        if early_data:
            extensions += [(42, b""), (41, b"\0\x07\0\x01\x61" + bytes(4) + b"\0\x21\x20" + bytes(32))]
        hello = tls.client_hello(session_id=bytes(32), suites=(0x1301, 0x1302, 0x1305), extensions=extensions)
        self.send(CLIENT, records.record(hello, version=0x0301), cut=cut)
        return self

    def answer_13(self, suite: int = 0x1301, lengths: Sequence[int] = (23, 80, 1_000, 281, 53)) -> Story:
        """ServerHello, ChangeCipherSpec, and encrypted records of these lengths."""
        flight = records.record(tls.server_hello_13(suite)) + records.change_cipher_spec()
        self.send(SERVER, flight + sized(*lengths))
        return self

    def client_13(self, *lengths: int) -> Story:
        """ChangeCipherSpec and encrypted records of these lengths, as the client's last flight."""
        self.send(CLIENT, records.change_cipher_spec() + sized(*lengths))
        return self

    # ---- both --------------------------------------------------------------------------------------------------------

    def records(self, side: int, *lengths: int) -> Story:
        """Records of type application data with these length fields."""
        self.send(side, sized(*lengths))
        return self

    def talk(self, size: int = 300) -> Story:
        """Application data of both sides."""
        return self.records(CLIENT, size).records(SERVER, size)

    def alert(self, side: int, code: int, level: int = 2) -> Story:
        """An alert in clear."""
        self.send(side, records.alert(code, level))
        return self

    def secret_alert(self, side: int) -> Story:
        """An alert that is encrypted, before TLS 1.3."""
        self.send(side, records.encrypted(records.ALERT, ALERT))
        return self


def sized(*lengths: int) -> bytes:
    """Records of type application data with these length fields."""
    return b"".join(records.application_data(length) for length in lengths)


def server_flight(chain: Sequence[bytes] | None, asks: Sequence[bytes] | None) -> bytes:
    """One record a message, as OpenSSL sends them."""
    messages = [tls.server_hello()]
    if chain is not None:
        messages.append(tls.certificate(*chain))
    messages.append(tls.server_key_exchange_ecdhe())
    if asks is not None:
        messages.append(tls.certificate_request(*asks))
    return b"".join(records.record(message) for message in [*messages, tls.server_hello_done()])


def client_flight(chain: Sequence[bytes] | None) -> bytes:
    """None: no Certificate message at all; (): an empty one."""
    messages = [] if chain is None else [tls.certificate(*chain)]
    messages.append(tls.client_key_exchange())
    if chain:
        messages.append(tls.certificate_verify())
    clear = b"".join(records.record(message) for message in messages)
    return clear + records.change_cipher_spec() + records.encrypted(records.HANDSHAKE, FINISHED)


Script = Callable[[Story], object]
STORIES: dict[str, Script] = {}
"""Every story by its name."""


def scenario(script: Script) -> Script:
    """Put a story into the table. Its docstring draws the ladder, its body says only what is odd."""
    name = getattr(script, "__name__", "")
    assert script.__doc__, f"{name} draws no ladder"
    assert name not in STORIES, f"two stories are called {name}"
    STORIES[name] = script
    return script
