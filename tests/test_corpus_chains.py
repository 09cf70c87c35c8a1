"""Every chain of the corpus (MTLSCOPE_CORPUS), judged with the roots that anybody in it sent: as `openssl verify` judges."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.certificates.faults import Use
from analyzer.certificates.names import Name
from analyzer.certificates.verdicts import Answer, judge
from analyzer.certificates.verifier import library_opinion
from analyzer.connection import Connection, Side
from analyzer.judgement.chains import as_meant, roots_in
from analyzer.pipeline import Options, Run
from tests.build.pki import pem
from tests.build.stores import openssl_says

CORPUS = Path(os.environ.get("MTLSCOPE_CORPUS", "none"))
CAPTURES = sorted(path for path in (CORPUS / "captures").glob("*"))
pytestmark = [
    pytest.mark.skipif(not CAPTURES, reason="MTLSCOPE_CORPUS names no folder with captures"),
    pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed"),
]


class Roots:
    """A store of these."""

    name = "the roots of the corpus"

    def __init__(self, roots: tuple[Certificate, ...]) -> None:
        self.roots = roots

    def find(self, subject: Name) -> tuple[Certificate, ...]:
        """Those with this subject."""
        return tuple(root for root in self.roots if root.subject == subject)


@cache
def chains() -> tuple[tuple[Chain, Use, int], ...]:
    """Each chain as it was meant, what for, and when it was first seen."""
    found: dict[tuple[Chain, Use], int] = {}
    for item in Run([str(path) for path in CAPTURES], Options(ports=None)):
        for sent in item.chains() if isinstance(item, Connection) else ():
            use = Use.SERVER if sent.side is Side.SERVER else Use.CLIENT
            found.setdefault((as_meant(sent.chain), use), sent.time_ns // 10**9)
    return tuple((chain, use, at) for (chain, use), at in found.items())


@cache
def store() -> Roots:
    """Every root that somebody sent."""
    return Roots(tuple(dict.fromkeys(root for chain, _, _ in chains() for root in roots_in(chain))))


def judged() -> Iterator[tuple[Chain, Use, int, Answer]]:
    for chain, use, at in chains():
        yield chain, use, at, judge(chain, store(), use, at).answer


def test_openssl_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("".join(pem(root.der) for root in store().roots))
    differ = []
    for chain, use, at, answer in judged():
        purpose = "sslserver" if use is Use.SERVER else "sslclient"
        sent = [certificate.der for certificate in chain.certificates]
        accepted, words = openssl_says(tmp_path, sent, "-purpose", purpose, "-attime", str(at))
        if accepted != (answer is Answer.TRUSTED):
            differ.append(f"{chain.leaf.short}: {answer} but {words}")
    assert len(chains()) > 100
    assert differ == []


def test_the_library_is_only_stricter() -> None:
    """It refuses SHA-1, roots of version 1, certificates without subjectAltName or key identifier."""
    opinions = [(answer, library_opinion(chain, store(), use, at).accepts) for chain, use, at, answer in judged()]
    assert (Answer.TRUSTED, True) in opinions
    assert [answer for answer, accepts in opinions if accepts and answer is not Answer.TRUSTED] == []
