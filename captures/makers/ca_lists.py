"""Long lists of CA names, as a root store of many years holds them: distinguished names of 60 to 200 bytes."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from captures.makers.pki import CA_VALID, Authority, new_key

KINDS = ("Root CA", "Primary Certification Authority", "Global Root G2", "Trust Services Root", "Class 3 Public CA")
UNITS = ("", "", "Certification Services Division", "Trust Network", "(c) 2010 For authorized use only - see terms")
COUNTRIES = ("DE", "US", "CH", "FR", "ES", "JP", "NL", "AT", "IT", "PL")


def names(seed: int, rng: random.Random) -> x509.Name:
    """The seed-th name."""
    organization = f"Example {rng.choice(('Trust', 'Sign', 'Cert', 'Secure'))} Company {seed:03d}"
    parts = [(NameOID.COUNTRY_NAME, rng.choice(COUNTRIES)), (NameOID.ORGANIZATION_NAME, organization)]
    if unit := rng.choice(UNITS):
        parts.append((NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    parts.append((NameOID.COMMON_NAME, f"Example {rng.choice(KINDS)} {seed:03d}"))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def long_list(path: Path, *, limit: int = 65535, count: int = 1000, first: tuple[Authority, ...] = ()) -> Path:
    """Write a PEM file of CAs whose names fill at most `limit` bytes of a list, or are `count`; `first` among them.

    A list is cut as Schannel cuts it: at a boundary, when the next name would not fit.
    """
    rng, key, total, parts = random.Random(2801679), new_key("ec"), 0, []
    for authority in first:
        parts.append(authority.pem())
        total += len(authority.name.public_bytes()) + 2
    while len(parts) < count:
        name = names(len(parts), rng)
        total += len(name.public_bytes()) + 2
        if total > limit:
            break
        parts.append(_root(name, key, len(parts) + 1).public_bytes(serialization.Encoding.PEM))
    path.write_bytes(b"".join(parts))
    return path


def _root(name: x509.Name, key: object, serial: int) -> x509.Certificate:
    if not hasattr(key, "public_key"):
        raise TypeError("not a private key")
    start: dt.datetime = CA_VALID[0]
    builder = x509.CertificateBuilder(name, name, key.public_key(), serial, start, CA_VALID[1])
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(key, hashes.SHA256())  # type: ignore[arg-type]
