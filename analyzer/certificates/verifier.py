"""The second opinion on a path: what the library's own verifier says. It gives one answer and few words, and it is strict
where peers are not (SHA-1, missing extensions); so it never decides anything here. Loaded when first asked.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from datetime import UTC, datetime
from ipaddress import ip_address
from itertools import islice
from typing import TYPE_CHECKING

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.certificates.faults import Use
from analyzer.certificates.hostnames import is_address
from analyzer.certificates.names import Name
from analyzer.certificates.paths import Store
from analyzer.dataclass import dataclass

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.x509.verification import PolicyBuilder, ServerVerifier, Subject

MAX_ROOTS = 64  # certificates of a store that are handed over; ours
MAX_SENT = 32  # certificates of a chain that are handed over; ours
MAX_LEVELS = 8  # CAs above the sent ones that are looked up in the store; ours
MAX_NAMES = 8  # names of a leaf that are tried; ours
MAX_SIZE = 2**18  # bytes of one certificate that is handed over; ours
MAX_TEXT = 300  # characters of its message that are kept


@dataclass(frozen=True, slots=True)
class Opinion:
    """`accepts`: its answer; None if it could not be asked. `words`: its own, or why it was not asked; "" if it accepts."""

    accepts: bool | None
    words: str = ""


def library_opinion(chain: Chain, store: Store, use: Use, at: int) -> Opinion:
    """Would the library accept this chain with this store, at this time (seconds since 1970)? The name is left out: the
    leaf is asked about a name of its own. Never raises."""
    roots = _relevant(chain, store)
    if not roots:
        return Opinion(None, "the store has no certificate of the issuers' names")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _ask(chain, roots, use, at)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as trouble:  # what it raises is not documented, and its Rust part panics outside of Exception
        return Opinion(None, f"it cannot be asked: {_words(trouble)}")


def _relevant(chain: Chain, store: Store) -> list[Certificate]:
    """What of the store bears a name on the way up; a whole store would take long to hand over."""
    found: dict[Certificate, None] = {}
    names: list[Name] = [name for c in chain.certificates[:MAX_SENT] for name in (c.issuer, c.subject) if name.readable]
    for _ in range(MAX_LEVELS):
        new = [
            root for name in dict.fromkeys(names) for root in islice(store.find(name), MAX_ROOTS) if root not in found
        ]
        found.update(dict.fromkeys(new))
        names = [root.issuer for root in new if not root.self_issued]
        if not names or len(found) >= MAX_ROOTS:
            break
    return list(found)[:MAX_ROOTS]


def _ask(chain: Chain, roots: Iterable[Certificate], use: Use, at: int) -> Opinion:
    from cryptography.x509.verification import PolicyBuilder, VerificationError
    from cryptography.x509.verification import Store as LibraryStore

    anchors = [loaded for loaded in map(_load, roots) if loaded is not None]
    leaf, *others = [_load(certificate) for certificate in chain.certificates[:MAX_SENT]]
    if leaf is None:
        return Opinion(False, "it cannot read the certificate")
    if not anchors:
        return Opinion(None, "it can read none of the store's certificates of these names")
    above = [one for one in others if one is not None]
    builder = PolicyBuilder().store(LibraryStore(anchors)).time(datetime.fromtimestamp(at, UTC).replace(tzinfo=None))
    try:
        if use is Use.CLIENT:
            builder.build_client_verifier().verify(leaf, above)
        else:
            _for_server(builder, chain.leaf).verify(leaf, above)
    except VerificationError as refusal:
        return Opinion(False, _words(refusal))
    return Opinion(True)


def _load(certificate: Certificate) -> x509.Certificate | None:
    from cryptography import x509

    if len(certificate.der) > MAX_SIZE:
        return None
    try:
        return x509.load_der_x509_certificate(certificate.der)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException:
        return None


def _for_server(builder: PolicyBuilder, leaf: Certificate) -> ServerVerifier:
    """Asks about a name that the leaf has; without one about any, which the library then refuses."""
    from cryptography.x509 import DNSName, IPAddress

    names: list[Subject] = []
    if leaf.san is not None:
        names += [DNSName(f"a{name[1:]}" if name.startswith("*.") else name) for name in leaf.san.dns if name.isascii()]
        names += [IPAddress(ip_address(name)) for name in leaf.san.ip if is_address(name)]
    for name in names[:MAX_NAMES]:
        try:
            return builder.build_server_verifier(name)
        except ValueError:  # no host name in its eyes
            continue
    return builder.build_server_verifier(DNSName("name.invalid"))


def _words(trouble: BaseException) -> str:
    """Without its drawing of the certificate, which is in the report anyway."""
    words = " ".join(str(trouble).partition("(encountered processing")[0].split())[:MAX_TEXT]
    return words or type(trouble).__name__
