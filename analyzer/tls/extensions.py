"""Bytes of an extensions block to values: one function per extension, and the dicts that say which code is whose.

An extension that breaks its format is an oddity of the hello; the others are still read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import TypeVar

from analyzer import knowledge
from analyzer.dataclass import dataclass
from analyzer.errors import ParseError
from analyzer.tls.names import ExtensionType
from analyzer.wire import Reader, numbers, text

MAX_ODDITIES = 10
"""More of them say nothing new; bounds what a hostile hello can make us keep."""
_KEY_SHARE_DRAFT = 40
"""Code of key_share up to draft 22 of TLS 1.3."""
_HOST_NAME = 0
_ECH_FORMS = {0: "outer", 1: "inner"}
"""ECHClientHelloType, RFC 9849 section 5."""


@dataclass(slots=True)
class Found:
    """What all blocks have: the types in order, what is odd, and which bytes differ from hello to hello.

    `varying`: (start, end) in the reader's data of bytes that influence no value but `server_name`.
    """

    types: list[int] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)
    varying: list[tuple[int, int]] = field(default_factory=list)

    def odd(self, what: str) -> None:
        """Note an oddity; only the first few are kept."""
        if len(self.oddities) < MAX_ODDITIES:
            self.oddities.append(what)

    def varies(self, data: Reader) -> bytes:
        """Take the rest of a block whose bytes are different each time."""
        if data.left:
            self.varying.append((data.pos, data.end))
        return data.rest()


@dataclass(slots=True)
class ClientExtensions(Found):
    """Values of a ClientHello's extensions; names and meaning as in messages.ClientHello."""

    server_name: str | None = None
    server_name_at: tuple[int, int] | None = None
    alpn: tuple[bytes, ...] | None = None
    supported_versions: tuple[int, ...] | None = None
    supported_groups: tuple[int, ...] | None = None
    key_share_groups: tuple[int, ...] | None = None
    signature_schemes: tuple[int, ...] | None = None
    signature_schemes_cert: tuple[int, ...] | None = None
    ec_point_formats: tuple[int, ...] | None = None
    psk_key_exchange_modes: tuple[int, ...] | None = None
    compress_certificate: tuple[int, ...] | None = None
    certificate_authorities: tuple[bytes, ...] | None = None
    session_ticket_bytes: int | None = None
    psk_identities: int | None = None
    early_data: bool = False
    ech: str | None = None


@dataclass(slots=True)
class ServerExtensions(Found):
    """Values of a ServerHello's extensions; names and meaning as in messages.ServerHello."""

    selected_version: int | None = None
    key_share_group: int | None = None
    alpn: bytes | None = None
    psk_identity: int | None = None


@dataclass(slots=True)
class RequestExtensions(Found):
    """Values of a TLS 1.3 CertificateRequest's extensions. `authorities_at`: where the list's bytes lie."""

    signature_schemes: tuple[int, ...] | None = None
    authorities: tuple[bytes, ...] = ()
    authorities_bytes: int = 0
    authorities_raw: bytes = b""
    complete: bool = True


F = TypeVar("F", bound=Found)


def read_extensions(block: Reader, found: F, parsers: dict[int, Callable[[Reader, F], None]]) -> None:
    """Read a whole block into `found`. Never raises: what breaks is an oddity."""
    seen: set[int] = set()
    while block.left:
        try:
            code = block.u16("extension type")
            data = block.block(2, f"extension {knowledge.extension(code)}")
        except ParseError as error:
            found.odd(error.reason)
            return
        found.types.append(code)
        if code in seen:
            found.odd(f"extension {knowledge.extension(code)} comes twice; the first one counts")
            continue
        seen.add(code)
        parse = parsers.get(code)
        if parse is None:
            continue
        try:
            parse(data, found)
            data.finish("its content")
        except ParseError as error:
            found.odd(f"extension {knowledge.extension(code)}: {error.reason}")


# ---- the client's --------------------------------------------------------------------------------------------------


def _server_name(data: Reader, found: ClientExtensions) -> None:
    """RFC 6066 section 3. An empty extension or list is "", said by odd clients."""
    found.server_name = ""
    if not data.left:
        return
    names = data.block(2, "server_name_list")
    while names.left:
        kind = names.u8("name type")
        name = names.block(2, "host_name")
        if kind != _HOST_NAME:
            found.odd(f"server_name has a name of type {kind}")
        elif found.server_name_at is None:
            found.server_name_at = (name.pos, name.end)
            found.server_name = text(found.varies(name))
        else:
            found.odd("server_name has more than one host_name; the first one counts")


def _alpn(data: Reader, found: ClientExtensions) -> None:
    """RFC 7301 section 3.1."""
    found.alpn = data.block(2, "protocol_name_list").list(lambda item: item.vector(1, "protocol name"))


def _supported_versions(data: Reader, found: ClientExtensions) -> None:
    """RFC 8446 section 4.2.1."""
    found.supported_versions = numbers(data.block(1, "versions"), 2, "versions")


def _supported_groups(data: Reader, found: ClientExtensions) -> None:
    """RFC 8446 section 4.2.7."""
    found.supported_groups = numbers(data.block(2, "named_group_list"), 2, "named_group_list")


def _key_share(data: Reader, found: ClientExtensions) -> None:
    """RFC 8446 section 4.2.8."""
    shares, groups = data.block(2, "client_shares"), []
    while shares.left:
        groups.append(shares.u16("group"))
        found.varies(shares.block(2, "key_exchange"))
    found.key_share_groups = tuple(groups)


def _signature_schemes(data: Reader, found: ClientExtensions) -> None:
    """RFC 8446 section 4.2.3."""
    found.signature_schemes = _schemes(data)


def _signature_schemes_cert(data: Reader, found: ClientExtensions) -> None:
    """RFC 8446 section 4.2.3."""
    found.signature_schemes_cert = _schemes(data)


def _ec_point_formats(data: Reader, found: ClientExtensions) -> None:
    """RFC 8422 section 5.1.2."""
    found.ec_point_formats = numbers(data.block(1, "ec_point_format_list"), 1)


def _psk_key_exchange_modes(data: Reader, found: ClientExtensions) -> None:
    """RFC 8446 section 4.2.9."""
    found.psk_key_exchange_modes = numbers(data.block(1, "ke_modes"), 1)


def _compress_certificate(data: Reader, found: ClientExtensions) -> None:
    """RFC 8879 section 3."""
    found.compress_certificate = numbers(data.block(1, "algorithms"), 2, "algorithms")


def _certificate_authorities(data: Reader, found: ClientExtensions) -> None:
    """RFC 8446 section 4.2.4."""
    found.certificate_authorities = data.block(2, "authorities").list(lambda item: item.vector(2, "name"))


def _session_ticket(data: Reader, found: ClientExtensions) -> None:
    """RFC 5077 section 3.2: the ticket is the whole extension."""
    found.session_ticket_bytes = len(found.varies(data))


def _pre_shared_key(data: Reader, found: ClientExtensions) -> None:
    """RFC 8446 section 4.2.11."""
    identities, count = data.block(2, "identities"), 0
    while identities.left:
        found.varies(identities.block(2, "identity"))
        age = identities.pos
        identities.take(4, "obfuscated_ticket_age")
        found.varying.append((age, identities.pos))
        count += 1
    found.psk_identities = count
    binders = data.block(2, "binders")
    while binders.left:
        found.varies(binders.block(1, "binder"))


def _early_data(data: Reader, found: ClientExtensions) -> None:
    """RFC 8446 section 4.2.10: empty in a hello."""
    found.early_data = True


def _cookie(data: Reader, found: Found) -> None:
    """RFC 8446 section 4.2.2."""
    found.varies(data.block(2, "cookie"))


def _ech(data: Reader, found: ClientExtensions) -> None:
    """RFC 9849 section 5: the form says whether this is the outer hello. The rest is encrypted."""
    form = data.u8("ECH type")
    found.ech = _ECH_FORMS.get(form)
    if found.ech is None:
        found.odd(f"encrypted_client_hello has the unknown type {form}")
    found.varies(data)


def _esni(data: Reader, found: ClientExtensions) -> None:
    """draft-ietf-tls-esni before draft 7."""
    found.ech = "draft-esni"
    found.varies(data)


CLIENT: dict[int, Callable[[Reader, ClientExtensions], None]] = {
    ExtensionType.server_name: _server_name,
    ExtensionType.supported_groups: _supported_groups,
    ExtensionType.ec_point_formats: _ec_point_formats,
    ExtensionType.signature_algorithms: _signature_schemes,
    ExtensionType.application_layer_protocol_negotiation: _alpn,
    ExtensionType.compress_certificate: _compress_certificate,
    ExtensionType.session_ticket: _session_ticket,
    _KEY_SHARE_DRAFT: _key_share,
    ExtensionType.pre_shared_key: _pre_shared_key,
    ExtensionType.early_data: _early_data,
    ExtensionType.supported_versions: _supported_versions,
    ExtensionType.cookie: _cookie,
    ExtensionType.psk_key_exchange_modes: _psk_key_exchange_modes,
    ExtensionType.certificate_authorities: _certificate_authorities,
    ExtensionType.signature_algorithms_cert: _signature_schemes_cert,
    ExtensionType.key_share: _key_share,
    ExtensionType.encrypted_client_hello: _ech,
    ExtensionType.encrypted_server_name: _esni,
}


# ---- the server's --------------------------------------------------------------------------------------------------


def _selected_version(data: Reader, found: ServerExtensions) -> None:
    """RFC 8446 section 4.2.1."""
    found.selected_version = data.u16("selected_version")


def _server_key_share(data: Reader, found: ServerExtensions) -> None:
    """RFC 8446 section 4.2.8: a group alone in HelloRetryRequest, a group and a key in ServerHello."""
    found.key_share_group = data.u16("group")
    if data.left:
        found.varies(data.block(2, "key_exchange"))


def _server_alpn(data: Reader, found: ServerExtensions) -> None:
    """RFC 7301 section 3.1: exactly one."""
    names = data.block(2, "protocol_name_list")
    found.alpn = names.vector(1, "protocol name")
    names.finish("the chosen protocol")


def _selected_identity(data: Reader, found: ServerExtensions) -> None:
    """RFC 8446 section 4.2.11."""
    found.psk_identity = data.u16("selected_identity")


SERVER: dict[int, Callable[[Reader, ServerExtensions], None]] = {
    ExtensionType.application_layer_protocol_negotiation: _server_alpn,
    _KEY_SHARE_DRAFT: _server_key_share,
    ExtensionType.pre_shared_key: _selected_identity,
    ExtensionType.supported_versions: _selected_version,
    ExtensionType.cookie: _cookie,
    ExtensionType.key_share: _server_key_share,
}


# ---- of a TLS 1.3 CertificateRequest -------------------------------------------------------------------------------


def _request_schemes(data: Reader, found: RequestExtensions) -> None:
    """RFC 8446 section 4.2.3."""
    found.signature_schemes = _schemes(data)


def _request_authorities(data: Reader, found: RequestExtensions) -> None:
    """RFC 8446 section 4.2.4; keeps whole names of a list that is cut."""
    found.authorities_bytes = data.u16("authorities")
    cut = found.authorities_bytes > data.left
    block = Reader(data.data, data.pos, min(data.pos + found.authorities_bytes, data.end))
    data.pos = block.end
    found.authorities_raw = block.data[block.pos : block.end]
    found.authorities, whole = read_names(block)
    found.complete = whole and not cut


REQUEST: dict[int, Callable[[Reader, RequestExtensions], None]] = {
    ExtensionType.signature_algorithms: _request_schemes,
    ExtensionType.certificate_authorities: _request_authorities,
}


def read_names(block: Reader) -> tuple[tuple[bytes, ...], bool]:
    """DER names with a length field of two bytes each, and whether the list is whole; a cut name is left out."""
    names = []
    data, pos, end = block.data, block.pos, block.end
    while pos + 2 <= end:
        stop = pos + 2 + (data[pos] << 8 | data[pos + 1])
        if stop > end:
            break
        names.append(data[pos + 2 : stop])
        pos = stop
    block.pos = end
    return tuple(names), pos == end


def _schemes(data: Reader) -> tuple[int, ...]:
    return numbers(data.block(2, "supported_signature_algorithms"), 2, "supported_signature_algorithms")
