"""The codes that our code branches on, spelled as in the RFCs. Every other name is in `knowledge`."""

from enum import IntEnum


class ContentType(IntEnum):
    """RFC 8446 section 5.1, RFC 6520 for heartbeat."""

    change_cipher_spec = 20
    alert = 21
    handshake = 22
    application_data = 23
    heartbeat = 24


class HandshakeType(IntEnum):
    """RFC 8446 section 4, RFC 5246 section 7.4, RFC 8879."""

    hello_request = 0
    client_hello = 1
    server_hello = 2
    hello_verify_request = 3
    new_session_ticket = 4
    end_of_early_data = 5
    hello_retry_request = 6
    encrypted_extensions = 8
    certificate = 11
    server_key_exchange = 12
    certificate_request = 13
    server_hello_done = 14
    certificate_verify = 15
    client_key_exchange = 16
    finished = 20
    certificate_url = 21
    certificate_status = 22
    supplemental_data = 23
    key_update = 24
    compressed_certificate = 25
    next_protocol = 67


class AlertLevel(IntEnum):
    """RFC 5246 section 7.2."""

    warning = 1
    fatal = 2


class AlertDescription(IntEnum):
    """RFC 8446 section 6, RFC 5246 section 7.2; those that rules branch on."""

    close_notify = 0
    unexpected_message = 10
    bad_record_mac = 20
    decryption_failed = 21
    record_overflow = 22
    handshake_failure = 40
    no_certificate = 41
    bad_certificate = 42
    unsupported_certificate = 43
    certificate_revoked = 44
    certificate_expired = 45
    certificate_unknown = 46
    illegal_parameter = 47
    unknown_ca = 48
    access_denied = 49
    decode_error = 50
    decrypt_error = 51
    protocol_version = 70
    insufficient_security = 71
    internal_error = 80
    inappropriate_fallback = 86
    user_canceled = 90
    no_renegotiation = 100
    missing_extension = 109
    unsupported_extension = 110
    unrecognized_name = 112
    bad_certificate_status_response = 113
    unknown_psk_identity = 115
    certificate_required = 116
    no_application_protocol = 120


class ExtensionType(IntEnum):
    """IANA TLS ExtensionType values that are parsed or asked for."""

    server_name = 0
    status_request = 5
    supported_groups = 10
    ec_point_formats = 11
    signature_algorithms = 13
    application_layer_protocol_negotiation = 16
    encrypt_then_mac = 22
    extended_master_secret = 23
    compress_certificate = 27
    session_ticket = 35
    pre_shared_key = 41
    early_data = 42
    supported_versions = 43
    cookie = 44
    psk_key_exchange_modes = 45
    certificate_authorities = 47
    post_handshake_auth = 49
    signature_algorithms_cert = 50
    key_share = 51
    encrypted_client_hello = 65037
    encrypted_server_name = 65486
    renegotiation_info = 65281


SSL2, SSL3, TLS10, TLS11, TLS12, TLS13 = 0x0002, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304
"""ProtocolVersion values as on the wire (SSLv2's is 0x0002)."""
EMPTY_RENEGOTIATION_INFO_SCSV, FALLBACK_SCSV = 0x00FF, 0x5600
"""Signalling cipher suite values: RFC 5746 section 3.3, RFC 7507 section 2."""


def is_grease(code: int) -> bool:
    """True for the reserved values of RFC 8701 section 2: 0x0a0a, 0x1a1a, ... 0xfafa."""
    return code & 0x0F0F == 0x0A0A and code >> 8 == code & 0xFF
