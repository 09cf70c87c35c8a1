"""What to type to see a trouble again: `openssl` lines for each troubled connection, and the chains as PEM files.

Nothing here is run. Everything that a peer chose is quoted for a POSIX shell, or left out where it cannot be typed; in
comments it is made safe for one line. Private keys and trusted roots are not in a capture: capitals stand for them.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from pathlib import Path

from analyzer import knowledge, places
from analyzer.connection import CertificateState, Connection, SentChain, Side
from analyzer.dataclass import dataclass
from analyzer.errors import UsageError
from analyzer.report import safe
from analyzer.report.output import Item
from analyzer.tls.messages import ClientHello
from analyzer.tls.names import SSL3, TLS10, TLS11, TLS12, TLS13, AlertDescription, ExtensionType, is_grease

TEXT = "repro.txt"
MAX_BLOCKS = 1000
"""Different things to try that are kept; equal ones are counted. A capture of a scan has many more."""
MAX_CERTIFICATES = 10_000
"""Files that are written at most: each chain is at least one."""
MAX_COMMENT = 2000
PEM_COLUMNS = 64
SECOND_NS = 1_000_000_000
FLAGS = {TLS10: "-tls1", TLS11: "-tls1_1", TLS12: "-tls1_2", TLS13: "-tls1_3"}
PROTOCOLS = {TLS10: "TLSv1", TLS11: "TLSv1.1", TLS12: "TLSv1.2", TLS13: "TLSv1.3"}
STARTTLS = {
    "SMTP": "smtp",
    "POP3": "pop3",
    "IMAP": "imap",
    "FTP": "ftp",
    "XMPP": "xmpp",
    "PostgreSQL": "postgres",
    "MySQL": "mysql",
    "LDAP": "ldap",
    "NNTP": "nntp",
    "ManageSieve": "sieve",
}
"""Protocols whose plain-text start OpenSSL can speak."""
NOT_ASKED = (None, CertificateState.NOT_REQUESTED, CertificateState.NOT_SENT)
HEADER = """\
# What to type to see the troubles of a capture again. For a POSIX shell, in this folder; nothing has been run.
# Certificates are those of the capture. Not in a capture, so to be put in: CLIENT-KEY.pem and SERVER-KEY.pem, the private
# keys that belong to the certificates named beside them; CLIENT-CERT.pem, where the client's certificate was not seen;
# ROOTS-OF-CLIENT.pem and ROOTS-OF-SERVER.pem, the CAs that each side trusts. Addresses are those at the place of capture.
"""


@dataclass(slots=True)
class Block:
    """Connections to which the same lines belong.

    Attributes:
        title: which connection was the first. diagnosis: of that one.
        lines: comments and commands.
        count: how many there are.
    """

    title: str
    diagnosis: str
    lines: tuple[str, ...]
    count: int = 1


@dataclass(slots=True)
class Repro:
    """Collects troubled connections and writes a folder. Raise UsageError where it cannot be written.

    Attributes:
        folder: where to; made when the first file is written.
        left_out: connections that were not looked at any more because there are too many different ones.
    """

    folder: Path
    left_out: int = 0
    _blocks: dict[tuple[str, ...], Block] = field(default_factory=dict)
    _written: set[str] = field(default_factory=set)

    def watch(self, items: Iterable[Item]) -> Iterator[Item]:
        """The same items, each troubled connection noted on the way."""
        for item in items:
            if isinstance(item, Connection) and item.troubled:
                self.add(item)
            yield item

    def add(self, conn: Connection) -> None:
        """Note one connection and write its certificates."""
        lines = tuple(_lines(conn))
        known = self._blocks.get(lines)
        if known is not None:
            known.count += 1
            return
        if len(self._blocks) >= MAX_BLOCKS:
            self.left_out += 1
            return
        why = conn.diagnosis or (conn.findings[0].summary if conn.findings else "no cause found")
        self._blocks[lines] = Block(_title(conn), _comment(why), lines)
        for sent in conn.chains():
            self._write_chain(sent)

    def commands(self) -> list[str]:
        """The first line to try of each block, in order."""
        return [next(line for line in block.lines if not line.startswith("#")) for block in self._blocks.values()]

    def finish(self) -> None:
        """Write the text."""
        parts = [HEADER.rstrip()]
        for block in self._blocks.values():
            more = f" (and {block.count - 1:,} more like it)" if block.count > 1 else ""
            parts += ["", f"# {block.title}{more}", f"# {block.diagnosis}", *block.lines]
        if self.left_out:
            parts += ["", f"# {self.left_out:,} more troubled connections are left out."]
        self._write(TEXT, "\n".join([*parts, ""]).encode("ascii", "backslashreplace"), anew=True)

    def _write_chain(self, sent: SentChain) -> None:
        certificates = sent.chain.certificates
        for certificate in certificates:
            self._write(f"{certificate.sha256}.pem", _pem(certificate.der))
        if len(certificates) > 1:
            self._write(_chain_file(sent), b"".join(_pem(certificate.der) for certificate in certificates))
            self._write(_above_file(sent), b"".join(_pem(certificate.der) for certificate in certificates[1:]))

    def _write(self, name: str, data: bytes, anew: bool = False) -> None:
        """One file; of a certificate that is there already, the name says that it is the same."""
        if name in self._written or (len(self._written) >= MAX_CERTIFICATES and not anew):
            return
        self._written.add(name)
        path = self.folder / name
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with path.open("wb" if anew else "xb") as file:
                file.write(data)
        except FileExistsError:
            if not places.is_folder(self.folder):
                raise UsageError(f"--repro {self.folder} is no folder") from None
        except OSError as error:
            raise UsageError(f"cannot write {error.filename or path}: {error.strerror or error}") from None


def _pem(der: bytes) -> bytes:
    text = base64.b64encode(der).decode("ascii")
    body = "\n".join(text[at : at + PEM_COLUMNS] for at in range(0, len(text), PEM_COLUMNS))
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n".encode("ascii")


def _digest(sent: SentChain) -> str:
    """Names the chain: SHA-256 over its certificates one after the other."""
    return hashlib.sha256(b"".join(certificate.der for certificate in sent.chain.certificates)).hexdigest()


def _chain_file(sent: SentChain) -> str:
    return f"{_digest(sent)}-chain.pem"


def _above_file(sent: SentChain) -> str:
    """The chain without its first certificate: what -cert_chain wants."""
    return f"{_digest(sent)}-above.pem"


def _comment(text: str) -> str:
    return safe.line(textwrap.shorten(text, MAX_COMMENT, placeholder=" ..."), unicode=False)


def _title(conn: Connection) -> str:
    ends = f"{conn.address(Side.CLIENT)} to {conn.address(Side.SERVER)}"
    return _comment(f"{conn.capture}, connection {conn.stream}: {ends}, {conn.outcome.value}")


# ---- the lines of one connection -------------------------------------------------------------------------------------


def _lines(conn: Connection) -> Iterator[str]:
    """Comments and commands, the one that tries the connection again first."""
    words = _s_client(conn)
    yield f"{shlex.join(words)} </dev/null"
    offers, left_out = _offers(conn)
    if offers:
        yield "# The same with all that the client offered, in its order:"
        yield f"{shlex.join([*words, *offers])} </dev/null"
    if left_out:
        yield f"# Left out, because OpenSSL 3.0 has no name for it: {_comment(', '.join(left_out))}."
    if conn.preamble is not None and conn.preamble not in STARTTLS:
        yield f"# The connection began with plain text ({_comment(conn.preamble)}), which this line does not speak."
    if conn.server_name and "\\x" in conn.server_name:
        yield "# The name has bytes that cannot be typed; they are written as \\xNN, so it is not the same name."
    if conn.server_chain is not None:
        yield "# The other way round: with the server's key, on a test machine to which the client is then pointed:"
        yield shlex.join(_s_server(conn, conn.server_chain))
    for sent in conn.chains():
        yield f"# The {sent.side}'s chain alone, at the time of the capture, judged with the {sent.side.peer}'s roots:"
        yield shlex.join(_verify(conn, sent))


def _s_client(conn: Connection) -> list[str]:
    """The words of the command, but for the client's offers."""
    words = ["openssl", "s_client", "-connect", conn.address(Side.SERVER)]
    if conn.preamble in STARTTLS:
        words += ["-starttls", STARTTLS[conn.preamble]]
    hello = conn.client_hello
    if hello is not None:
        words += ["-servername", hello.server_name] if hello.server_name else ["-noservername"]
        words += _agreed(conn)
    if conn.client_certificate_state not in NOT_ASKED or conn.client_chain is not None:
        words += _identity(conn.client_chain, Side.CLIENT)
    return [*words, "-CAfile", "ROOTS-OF-CLIENT.pem", "-showcerts", "-state"]


def _agreed(conn: Connection) -> list[str]:
    """The flag of the version that both sides agreed on; [] if they did not, or OpenSSL has none for it."""
    refused = any(alert.code == AlertDescription.protocol_version for alert in conn.alerts)
    return [FLAGS[conn.version_code]] if conn.version_code in FLAGS and not refused else []


def _versions(hello: ClientHello, left_out: list[str]) -> list[str]:
    """The range of versions that the client offers."""
    offered = [code for code in hello.supported_versions or () if not is_grease(code)]
    if not offered:
        offered = [code for code in PROTOCOLS if code <= hello.legacy_version]
    known = sorted(code for code in offered if code in PROTOCOLS)
    left_out += [knowledge.version_name(code) for code in offered if code not in PROTOCOLS]
    if hello.legacy_version <= SSL3 and not known:
        left_out.append(knowledge.version_name(hello.legacy_version))
    if len(known) == 1:
        return [FLAGS[known[0]]]
    return ["-min_protocol", PROTOCOLS[known[0]], "-max_protocol", PROTOCOLS[known[-1]]] if known else []


def _offers(conn: Connection) -> tuple[list[str], list[str]]:
    """Versions, suites, schemes, groups, ALPN and the like, as the client offers them and in its order; and what of them
    could not be said. Of a version that was negotiated, only what belongs to it."""
    hello = conn.client_hello
    left_out: list[str] = []
    if hello is None:
        return [], []
    version = conn.version_code if _agreed(conn) else None
    suites = _known(map(knowledge.cipher_suite, _plain(hello.cipher_suites)), left_out)
    older = [name for name in suites if not name.startswith("TLS_")]
    newer = [name for name in suites if name.startswith("TLS_")]
    schemes = _known(map(knowledge.signature_scheme, _plain(hello.signature_schemes)), left_out)
    groups = _known(map(knowledge.group, _plain(hello.supported_groups)), left_out)
    protocols = [name for name in hello.alpn or () if name and "," not in name and "\\" not in name]
    extensions = hello.extensions or ()
    words = [] if version else _versions(hello, left_out)
    if version != TLS13 and (older or not newer):
        words += ["-cipher", ":".join([*(older or ["ALL"]), "@SECLEVEL=0"])]
    if version not in (None, TLS13):
        newer = []
    for option, names in (("-ciphersuites", newer), ("-sigalgs", schemes), ("-groups", groups)):
        words += [option, ":".join(names)] if names else []
    words += ["-alpn", ",".join(protocols)] if protocols else []
    words += ["-status"] if ExtensionType.status_request in extensions else []
    words += ["-enable_pha"] if ExtensionType.post_handshake_auth in extensions else []
    words += [] if ExtensionType.session_ticket in extensions else ["-no_ticket"]
    return words, left_out


def _plain(codes: Sequence[int] | None) -> list[int]:
    return [code for code in codes or () if not is_grease(code)]


def _known(names: Iterable[str], left_out: list[str]) -> list[str]:
    """OpenSSL's words for them; those that it does not have are noted. A signalling value is no suite to choose. Once each:
    some clients repeat a scheme, and OpenSSL refuses a list in which one comes twice."""
    found = []
    for name in dict.fromkeys(names):
        word = knowledge.openssl_name(name)
        if word is not None:
            found.append(word)
        elif not name.endswith("_SCSV"):
            left_out.append(name)
    return found


def _identity(sent: SentChain | None, side: Side) -> list[str]:
    """-cert, -cert_chain and -key of a side; in capitals what the capture does not have."""
    words = ["-cert", f"{sent.chain.leaf.sha256}.pem" if sent else f"{side.value.upper()}-CERT.pem"]
    if sent is not None and len(sent.chain.certificates) > 1:
        words += ["-cert_chain", _above_file(sent)]
    return [*words, "-key", f"{side.value.upper()}-KEY.pem"]


def _s_server(conn: Connection, sent: SentChain) -> list[str]:
    words = ["openssl", "s_server", "-accept", str(conn.server_port), *_identity(sent, Side.SERVER)]
    words += _agreed(conn)
    name = knowledge.openssl_name(conn.cipher or "")
    if name is not None:
        words += ["-ciphersuites", name] if name.startswith("TLS_") else ["-cipher", f"{name}:@SECLEVEL=0"]
    if conn.client_certificate_state not in NOT_ASKED:
        insists = conn.failed or conn.client_chain is not None
        words += ["-Verify" if insists else "-verify", "10", "-verify_return_error", "-CAfile", "ROOTS-OF-SERVER.pem"]
    request = conn.certificate_request
    schemes = _known(map(knowledge.signature_scheme, _plain(request.signature_schemes)), []) if request else []
    words += ["-client_sigalgs", ":".join(schemes)] if schemes else []
    return [*words, "-state"]


def _verify(conn: Connection, sent: SentChain) -> list[str]:
    peer = sent.side.peer.value.upper()
    words = ["openssl", "verify", "-show_chain", "-attime", str(conn.end_ns // SECOND_NS)]
    words += ["-purpose", f"ssl{sent.side.value}", "-CAfile", f"ROOTS-OF-{peer}.pem"]
    if len(sent.chain.certificates) > 1:
        words += ["-untrusted", _above_file(sent)]
    return [*words, f"{sent.chain.leaf.sha256}.pem"]
