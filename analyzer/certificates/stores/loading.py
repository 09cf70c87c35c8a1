"""`load_store(path)`: a trust store from a file or folder that the user names. What it is, its content says."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from analyzer.capture.strangers import recognise
from analyzer.certificates.stores import pem, pkcs7, shapes, single, sst
from analyzer.certificates.stores.content import Content, Format
from analyzer.certificates.stores.folder import files_in
from analyzer.certificates.stores.store import Problem, TrustStore
from analyzer.errors import UsageError
from analyzer.nearest import did_you_mean, nearest

FORMATS: tuple[Format, ...] = (sst.FORMAT, pkcs7.FORMAT, single.FORMAT, pem.FORMAT)
"""PEM last: it is looked for anywhere in the file, and the others start with what no text starts with."""
MAX_BYTES = 2**26
"""Of one file; ours: the largest stores have a few megabytes, and what is larger is something else."""
MAX_STORE = 2**28
"""Of all files of a folder; ours."""
READABLE = "certificates as PEM, DER (.cer), PKCS#7 (.p7b), a serialized store (.sst), or a folder of these"

SIDES = ("client", "server")

ADVICE = {
    shapes.PKCS12: "Take the certificates out: openssl pkcs12 -in {name} -nokeys -out roots.pem; on Windows export as .p7b",
    shapes.PRIVATE_KEY: "Keep it where it is and give the certificates of the CAs",
    shapes.ENCRYPTED_KEY: "Keep it where it is and give the certificates of the CAs",
    shapes.REQUEST: "Give the certificates of the CAs",
    shapes.CRL: "Give the certificates of the CAs",
    shapes.TRUST_LIST: "Export the store itself: certutil -generateSSTFromWU roots.sst, or Export-Certificate -Type SST",
}
JAVA = ("a Java key store", "Export it first: keytool -list -rfc -keystore {name} > roots.pem")
CAPTURE = ("a packet capture", "Captures stand without an option in front")
MAGICS = {
    b"\xfe\xed\xfe\xed": JAVA,
    b"\xce\xce\xce\xce": JAVA,
    b"\xd4\xc3\xb2\xa1": CAPTURE,
    b"\xa1\xb2\xc3\xd4": CAPTURE,
    b"\x0a\x0d\x0d\x0a": CAPTURE,
    b"GMBU": CAPTURE,
}
"""First bytes -> what it is, what to do."""


def load_store(path: str | os.PathLike[str]) -> TrustStore:
    """Everything that can be read there. Raise UsageError if there is no certificate at all."""
    name = os.fspath(path)
    if not name:
        raise UsageError(f"a trust store without a path; expected {READABLE}")
    if os.path.isdir(name):  # noqa: PTH112 - Path would drop the "./" that the user wrote
        return _load_folder(name)
    data = _read(name)
    content = read_content(data)
    if not content.certificates:
        raise UsageError(f"{name}: {_nothing(name, data, content)}")
    return TrustStore(name, tuple(content.certificates), tuple(content.problems))


def load_sides(given: Iterable[tuple[str | None, str | os.PathLike[str]]]) -> dict[str, tuple[TrustStore, ...]]:
    """The stores of "client" and "server" from pairs of side and path; None is both. Each path is read once.

    Raise UsageError as `load_store` does, and for a side that is none.
    """
    stores: dict[str, TrustStore] = {}
    sides: dict[str, list[TrustStore]] = {side: [] for side in SIDES}
    for side, path in given:
        if side is not None and side not in sides:
            raise UsageError(f"no side called {side!r} has a trust store; expected {' or '.join(SIDES)}")
        name = os.fspath(path)
        if name not in stores:
            stores[name] = load_store(name)
        for one in SIDES if side is None else (side,):
            sides[one].append(stores[name])
    return {side: tuple(dict.fromkeys(found)) for side, found in sides.items()}


def load_hosts(given: Iterable[tuple[str, ...]], file: str) -> dict[tuple[str, ...], tuple[TrustStore, ...]]:
    """The stores of hosts by their paths, each path read once. Raise UsageError as `load_store` does; it names this file,
    whose words they are."""
    hosts = dict.fromkeys(paths for paths in given if paths)
    try:
        stores = {path: load_store(path) for path in dict.fromkeys(chain.from_iterable(hosts))}
    except UsageError as error:
        raise UsageError(f"{file}: trust: {error}") from None
    return {paths: tuple(stores[path] for path in paths) for paths in hosts}


def read_content(data: bytes) -> Content:
    """What these bytes hold; nothing if they are of no known format."""
    content = Content()
    bare = pem.base64_der(data[3:] if data.startswith(b"\xef\xbb\xbf") else data)
    for piece in (data,) if bare is None else (data, bare):
        found = next((one for one in FORMATS if one.sniff(piece)), None)
        if found is not None:
            found.read(piece, content)
            break
    return content


def _load_folder(name: str) -> TrustStore:
    found = Content()
    files, left = files_in(name), MAX_STORE
    for file in files:
        try:
            data = _read(str(Path(name) / file), left)
        except UsageError as trouble:
            found.problem(file, str(trouble).removeprefix(f"{Path(name) / file}: "))
            continue
        left -= len(data)
        content = read_content(data)
        found.certificates += content.certificates
        for problem in content.problems:
            found.problem(f"{file}, {problem.place}", problem.reason)
        if not content.certificates and not content.problems:
            found.problem(file, f"no certificate in it ({_what(data, content)})")
    if not found.certificates:
        raise UsageError(f"{name}: no certificate in this folder ({len(files):,} files read); expected {READABLE}")
    return TrustStore(name, tuple(found.certificates), tuple(found.problems))


def _read(name: str, most: int = MAX_BYTES) -> bytes:
    most = min(most, MAX_BYTES)
    try:
        with Path(name).open("rb") as stream:
            data = stream.read(most + 1)
    except FileNotFoundError:
        raise UsageError(f"{name}: no such file or folder{_near(name)}; expected {READABLE}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > most:
        raise UsageError(f"{name}: more than {most:,} bytes, which is no trust store; expected {READABLE}")
    return data


def _near(name: str) -> str:
    """ "; did you mean: x", or "" if no file beside it has a name like that."""
    folder, last = Path(name).parent, Path(name).name
    try:
        found = nearest(last, os.listdir(folder), 1, 0.6)  # noqa: PTH208 - names are all that is needed
    except (OSError, ValueError):
        return ""
    return did_you_mean([str(folder / one) for one in found])


def _nothing(name: str, data: bytes, content: Content) -> str:
    """Why there is no certificate: what was found, what was expected, what to do."""
    if content.problems:
        first, more = content.problems[0], len(content.problems) - 1
        also = f" (and {more:,} more)" if more else ""
        return f"no certificate that can be read: {first}{also}; expected {READABLE}"
    what = _what(data, content)
    advice = ADVICE.get(what) or (MAGICS[data[:4]][1] if data[:4] in MAGICS else "")
    quoted = f". {advice.format(name=name)}" if advice else ""
    return f"no certificate in it, but {what}; expected {READABLE}{quoted}"


def _what(data: bytes, content: Content) -> str:
    """What this is that holds no certificate."""
    if not data:
        return "the file is empty"
    if content.others:
        return ", ".join(content.others)
    if data[:4] in MAGICS:
        return MAGICS[data[:4]][0]
    kind = shapes.shape(data)
    if kind not in (shapes.NOT_DER, shapes.UNKNOWN):
        return kind
    stranger, _ = recognise(data[:4096])
    return stranger or f"bytes that start with {data[:4].hex(' ')}"


__all__ = ["MAX_BYTES", "READABLE", "SIDES", "Problem", "load_hosts", "load_sides", "load_store", "read_content"]
