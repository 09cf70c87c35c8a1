"""What a leaf is called: DNS names, wildcards, names without a domain. Each answer is worked out once for a chain."""

from __future__ import annotations

import re
from functools import lru_cache

from analyzer import knowledge
from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.connection import Connection
from analyzer.findings import Depth
from analyzer.judgement.chains import as_meant
from analyzer.judgement.memory import CAPACITY

_LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
_DNS_NAME = re.compile(rf"(?=.{{1,255}}\Z)(?:\*\.|{_LABEL}\.)(?:{_LABEL}\.)*(?![0-9]+\.?\Z){_LABEL}\.?")
_SHORT_NAME = re.compile(r"(?![0-9]+\Z)(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
LOCAL = "localhost"
"""RFC 6761 section 6.3: a name of its own kind, no host without a domain."""


def is_dns_name(text: str) -> bool:
    """A host name with a domain, or a wildcard of one: a dot, no spaces, and no address."""
    return _DNS_NAME.fullmatch(text) is not None


def is_short(text: str) -> bool:
    """A host name without a dot; "localhost" and bare numbers are none."""
    return _SHORT_NAME.fullmatch(text) is not None and text.lower() != LOCAL


def is_wildcard(name: str) -> bool:
    """A left-most label that stands for any."""
    return name.startswith("*.")


@lru_cache(maxsize=CAPACITY)
def unlisted_common_name(chain: Chain) -> str | None:
    """The leaf's common name, if it is a DNS name that the dNSNames beside it do not cover; None otherwise.

    Without any dNSName the common name is all there is, and peers fall back to it.
    """
    leaf = as_meant(chain).leaf
    common_name = leaf.subject.common_name
    if common_name is None or not is_dns_name(common_name) or leaf.covers(common_name) is not None:
        return None
    return common_name


@lru_cache(maxsize=CAPACITY)
def wildcard_common_name(chain: Chain) -> str | None:
    """The leaf's common name if it is a wildcard; None otherwise."""
    common_name = as_meant(chain).leaf.subject.common_name
    return common_name if common_name is not None and is_wildcard(common_name) and is_dns_name(common_name) else None


@lru_cache(maxsize=CAPACITY)
def has_wildcard(chain: Chain) -> bool:
    """Is any name of the leaf a wildcard, the common name included?"""
    return wildcard_common_name(chain) is not None or any(map(is_wildcard, as_meant(chain).leaf.names))


@lru_cache(maxsize=CAPACITY)
def only_wildcards(chain: Chain) -> bool:
    """Are all names of the leaf wildcards?"""
    names = as_meant(chain).leaf.names
    return bool(names) and all(map(is_wildcard, names))


@lru_cache(maxsize=CAPACITY)
def wildcard_before_name(chain: Chain) -> tuple[str, str] | None:
    """The first wildcard of the SAN and the first whole host name that stands behind it; None if there is no such pair."""
    leaf = as_meant(chain).leaf
    wildcard = ""
    for name in leaf.san.dns if leaf.san else ():
        if is_wildcard(name):
            wildcard = wildcard or name
        elif wildcard and is_dns_name(name):
            return wildcard, name
    return None


@lru_cache(maxsize=CAPACITY)
def short_names(chain: Chain) -> tuple[str, ...]:
    """dNSNames of the leaf without a dot."""
    leaf = as_meant(chain).leaf
    return tuple(filter(is_short, leaf.san.dns)) if leaf.san else ()


@lru_cache(maxsize=CAPACITY)
def short_common_name(chain: Chain) -> str | None:
    """The common name of a leaf without any SAN, if it looks like a host name without a dot; None otherwise."""
    leaf = as_meant(chain).leaf
    common_name = leaf.subject.common_name
    return common_name if leaf.san is None and common_name is not None and is_short(common_name) else None


@lru_cache(maxsize=CAPACITY)
def is_of_skype(chain: Chain) -> bool:
    """Does a dNSName of the leaf begin with a label that only Lync and Skype for Business use ("lyncdiscover.")?"""
    leaf = as_meant(chain).leaf
    labels = knowledge.skype_labels()
    return any(name.partition(".")[0].lower() in labels for name in (leaf.san.dns if leaf.san else ()))


def san_size(chain: Chain) -> int:
    """Bytes of the leaf's subjectAltName; 0 if there is none."""
    leaf = as_meant(chain).leaf
    return leaf.san.size if leaf.san else 0


def unreadable_leaf(chain: Chain) -> Certificate | None:
    """The leaf if nothing can be read from it; None otherwise."""
    leaf = as_meant(chain).leaf
    return None if leaf.readable else leaf


def depth_beside(conn: Connection) -> Depth:
    """The depth of a defect that never ends a handshake by itself: beside a failure it stands behind that one's cause."""
    return Depth.SYMPTOM if conn.failed else Depth.ROOT
