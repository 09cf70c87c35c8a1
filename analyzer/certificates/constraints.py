"""Name constraints: which names a CA may speak for. RFC 5280 section 4.2.1.10.

Compared: dNSName, directoryName, iPAddress, rfc822Name and URI. Other kinds of names (as the UPN of Active Directory) are
not compared: whoever checks them may say more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.der import SEQUENCE, Der, Element
from analyzer.certificates.extensions import DIRECTORY, DNS, EMAIL, IP, URI
from analyzer.certificates.hostnames import is_address, normal_host
from analyzer.certificates.names import Name, parse_name
from analyzer.certificates.tolerant import extension_list, outline
from analyzer.dataclass import dataclass
from analyzer.errors import ParseError

NAME_CONSTRAINTS, SUBJECT_ALT_NAME = "2.5.29.30", "2.5.29.17"
PERMITTED, EXCLUDED = 0xA0, 0xA1
KINDS = {DNS: "dns", DIRECTORY: "dir", IP: "ip", EMAIL: "email", URI: "uri"}
MAX_SUBTREES = 1024  # of one certificate; ours, bounds the work
MAX_NAMES = 4096  # of one certificate that are compared; ours
MAX_COMPARISONS = 65_536  # of one pair of certificates; ours
CACHED = 512


@dataclass(frozen=True, slots=True)
class Subtree:
    """One base: `kind` is "dns", "dir", "ip", "email" or "uri"; the value as bytes for ip, a Name for dir, else text."""

    kind: str
    value: str | bytes | Name

    def __str__(self) -> str:
        """ "dns example.com", "ip 10.0.0.0/255.0.0.0"."""
        value = self.value
        if isinstance(value, bytes):
            half = len(value) // 2
            value = f"{ip_address(value[:half])}/{ip_address(value[half:])}" if half in (4, 16) else value.hex()
        return f"{self.kind} {value}"


@dataclass(frozen=True, slots=True)
class NameConstraints:
    """The extension of one CA. `whole` is False if something in it cannot be read: then nothing is known to be outside of
    what it permits. Kinds of names that are not compared here are left out."""

    permitted: tuple[Subtree, ...] = ()
    excluded: tuple[Subtree, ...] = ()
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Violation:
    """A name that a CA may not speak for. `kind`, `name`: of the certificate below. `by`: the excluded subtree that
    holds it; None if it is in no permitted one."""

    kind: str
    name: str
    by: Subtree | None

    def __str__(self) -> str:
        """A clause: "it excludes dns a.example", "dns b.example is outside of what it permits"."""
        if self.by is not None:
            return f"it excludes {self.kind} {self.name} (by {self.by})"
        return f"{self.kind} {self.name} is outside of what it permits"


@lru_cache(maxsize=CACHED)
def name_constraints(certificate: Certificate) -> NameConstraints | None:
    """The constraints that a CA's certificate states; None if it states none. Never raises."""
    found = _value(certificate, NAME_CONSTRAINTS)
    if found is None:
        return None
    reader, value = found
    try:
        outer = reader.element(value[2], value[3])
    except ParseError:
        return NameConstraints(whole=False)
    trees: dict[int, tuple[Subtree, ...]] = {PERMITTED: (), EXCLUDED: ()}
    noted = len(reader.notes)
    whole = outer[0] == SEQUENCE
    for part in reader.children(outer):
        if part[0] in trees:
            listed = reader.children(part)
            read = [_subtree(reader, tree) for tree in listed[:MAX_SUBTREES]]
            trees[part[0]] = tuple([tree for tree in read if isinstance(tree, Subtree)])
            whole = whole and len(listed) <= MAX_SUBTREES and False not in read
    return NameConstraints(trees[PERMITTED], trees[EXCLUDED], whole and len(reader.notes) == noted)


def _value(certificate: Certificate, wanted: str) -> tuple[Der, Element] | None:
    """The first extension with this OID; None if the list of extensions, read before, has none."""
    if all(dotted != wanted for dotted, _ in certificate.extensions):
        return None
    parts = outline(certificate.der)
    value = next((value for dotted, _, value in extension_list(parts) if dotted == wanted), None)
    return None if value is None else (parts.reader, value)


def _subtree(reader: Der, tree: Element) -> Subtree | bool:
    """True for a kind that is not compared here, False for what cannot be read. `minimum` and `maximum` are fixed by
    RFC 5280 and not looked at."""
    base = next(iter(reader.children(tree)), None)
    if base is None or tree[0] != SEQUENCE:
        return False
    kind, content = KINDS.get(base[0]), reader.content(base)
    if kind is None:
        return True
    if kind == "ip":
        return len(content) in (8, 32) and Subtree(kind, content)
    if kind == "dir":
        name = parse_name(content)
        return name.readable and Subtree(kind, name)
    return content.isascii() and Subtree(kind, content.decode("ascii").lower())


@lru_cache(maxsize=CACHED)
def names_in(certificate: Certificate, is_leaf: bool) -> tuple[tuple[str, str | Name], ...]:
    """Every name that constraints are about: (kind, name). Of a leaf without a dNSName the common name too, if it looks
    like a host name: peers that still take it for one compare it."""
    names: list[tuple[str, str | Name]] = []
    if certificate.subject.readable and certificate.subject.attributes:
        names.append(("dir", certificate.subject))
    san = certificate.san
    if san is not None:
        names += [("dns", name) for name in san.dns]
        names += [("ip", name) for name in san.ip]
        names += [("email", name) for name in san.email]
        names += [("uri", name) for name in san.uri]
        names += [("dir", name) for name in _directory_names(certificate)]
    common_name = certificate.subject.common_name
    if is_leaf and common_name and (san is None or not san.dns) and _looks_like_host(common_name):
        names.append(("dns", common_name))
    if san is None or not san.email:
        names += [("email", value) for kind, value in certificate.subject.attributes if kind == "emailAddress"]
    return tuple(names[:MAX_NAMES])


def _looks_like_host(text: str) -> bool:
    return "." in text and " " not in text and not is_address(text)


def _directory_names(certificate: Certificate) -> Iterator[Name]:
    assert certificate.san is not None
    if not any(name.startswith("dir:") for name in certificate.san.in_order):
        return
    found = _value(certificate, SUBJECT_ALT_NAME)
    if found is not None:
        reader, value = found
        for outer in reader.children(value)[:1]:
            yield from (parse_name(reader.content(name)) for name in reader.children(outer) if name[0] == DIRECTORY)


def violations(constraints: NameConstraints, below: Certificate, is_leaf: bool) -> tuple[Violation, ...]:
    """Names of the certificate that the constraints do not allow, one of each kind; () if all are fine."""
    found: dict[str, Violation] = {}
    left = MAX_COMPARISONS
    for kind, name in names_in(below, is_leaf):
        excluded = [tree for tree in constraints.excluded if tree.kind == kind]
        permitted = [tree for tree in constraints.permitted if tree.kind == kind and constraints.whole]
        left -= len(excluded) + len(permitted)
        if left < 0:
            break
        within = WITHIN[kind]
        by = next((tree for tree in excluded if within(name, tree.value)), None)
        if by is not None or (permitted and not any(within(name, tree.value) for tree in permitted)):
            found.setdefault(kind, Violation(kind, str(name), by))
    return tuple(found.values())


def _dns(name: object, base: object) -> bool:
    """Zero or more labels added to the left; a leading dot, which RFC 5280 does not know here, wants one or more."""
    if not isinstance(name, str) or not isinstance(base, str):
        return False
    host = name.lower().removesuffix(".") if name.isascii() else normal_host(name)
    base = base.removesuffix(".")
    if base.startswith("."):
        return host.endswith(base)
    return not base or host == base or host.endswith("." + base)


def _host(host: str, base: str) -> bool:
    """A host of a mail address or a URI: exactly this one, or with a leading dot any below."""
    return host.endswith(base) if base.startswith(".") else host == base


def _email(name: object, base: object) -> bool:
    if not isinstance(name, str) or not isinstance(base, str):
        return False
    local, at, host = name.rpartition("@")
    if "@" in base:
        wanted, _, domain = base.rpartition("@")
        return bool(at) and local.lower() == wanted and host.lower() == domain
    return not base or (bool(at) and _host(host.lower(), base))


def _uri(name: object, base: object) -> bool:
    """The host part; one without a host, or with an address, is in no subtree."""
    if not isinstance(name, str) or not isinstance(base, str):
        return False
    try:
        host = urlsplit(name).hostname or ""
    except ValueError:
        return False
    return not base or (bool(host) and not is_address(host) and _host(host.removesuffix("."), base))


def _ip(name: object, base: object) -> bool:
    if not isinstance(name, str) or not isinstance(base, bytes):
        return False
    try:
        address = ip_address(name).packed
    except ValueError:
        return False
    half = len(base) // 2
    network, mask = base[:half], base[half:]
    if len(address) != half:
        return False
    return all(octet & bit == wanted & bit for octet, bit, wanted in zip(address, mask, network, strict=True))


def _directory(name: object, base: object) -> bool:
    """The base's RDNs, root first, begin the name."""
    if not isinstance(name, Name) or not isinstance(base, Name) or name.folded is None or base.folded is None:
        return False
    return name.folded[: len(base.folded)] == base.folded


WITHIN: dict[str, Callable[[object, object], bool]] = {
    "dns": _dns,
    "ip": _ip,
    "email": _email,
    "uri": _uri,
    "dir": _directory,
}
