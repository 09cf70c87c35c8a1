"""A trust store for tests: `AStore("ours", ROOT, OTHER)`; and openssl, asked about the same."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from analyzer.certificates.certificate import Certificate, load
from analyzer.certificates.names import Name
from tests.build.pki import Identity, pem


class AStore:
    """Certificates by subject."""

    def __init__(self, name: str, *identities: Identity) -> None:
        self.name = name
        self.identities = identities
        self.asked = 0

    def find(self, subject: Name) -> tuple[Certificate, ...]:
        """Those with this subject."""
        self.asked += 1
        return tuple(one for one in (load(identity.der) for identity in self.identities) if one.subject == subject)


def openssl_verify(
    folder: Path, sent: Sequence[Identity], store: Sequence[Identity], *options: str
) -> tuple[bool, str]:
    """Does `openssl verify` accept the first one with the others as help, and its words."""
    (folder / "store").write_text("".join(one.pem for one in store))
    return openssl_says(folder, [one.der for one in sent], *options)


def openssl_says(folder: Path, sent: Sequence[bytes], *options: str) -> tuple[bool, str]:
    """The same for DER, with the file `store` that is in the folder already."""
    (folder / "leaf").write_text(pem(sent[0]))
    (folder / "others").write_text("".join(map(pem, sent[1:])))
    untrusted = ["-untrusted", "others"] if len(sent) > 1 else []
    command = ["openssl", "verify", "-no-CApath", "-no-CAstore", "-auth_level", "0", *options, "-CAfile", "store"]
    done = subprocess.run([*command, *untrusted, "leaf"], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr
