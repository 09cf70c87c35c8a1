"""TLS records from their payloads. Never imports analyzer.tls: it must not share that code's mistakes."""

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23


def record(payload: bytes, kind: int = HANDSHAKE, version: int = 0x0303) -> bytes:
    """One record, whatever its size."""
    return bytes([kind]) + version.to_bytes(2, "big") + len(payload).to_bytes(2, "big") + payload


def records(payload: bytes, size: int, kind: int = HANDSHAKE, version: int = 0x0303) -> bytes:
    """A payload in records of at most `size` bytes each."""
    return b"".join(record(payload[at : at + size], kind, version) for at in range(0, len(payload), size))


def change_cipher_spec(version: int = 0x0303) -> bytes:
    """The one-byte message that says: encrypted from here on."""
    return record(b"\1", CHANGE_CIPHER_SPEC, version)


def alert(description: int, level: int = 2, version: int = 0x0303) -> bytes:
    """An alert in clear."""
    return record(bytes([level, description]), ALERT, version)


def application_data(size: int, version: int = 0x0303, fill: int = 0xDA) -> bytes:
    """A record of type application data with `size` bytes that mean nothing."""
    return record(bytes([fill]) * size, APPLICATION_DATA, version)


def encrypted(kind: int, size: int, version: int = 0x0303, fill: int = 0xE5) -> bytes:
    """A record whose content cannot be seen."""
    return record(bytes([fill]) * size, kind, version)
