"""The library's verifier as the second opinion: its answer, its words, and that nothing it does reaches anybody else."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.x509 import verification
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.certificates.chain import Chain, assess
from analyzer.certificates.faults import Use
from analyzer.certificates.verifier import library_opinion
from tests.build import pki
from tests.build.pki import Identity
from tests.build.stores import AStore

AT = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
OLD: dict[str, Any] = {"not_after": datetime(2024, 1, 1, tzinfo=UTC)}
ROOT = pki.root("Root")
SUB = ROOT.issue("Sub", ca=True)
LEAF = SUB.issue("a.example", san=["a.example"], eku=["serverAuth"])
NEW_ROOT = pki.root("Root", key_label="the next generation of Root")
OTHER = pki.root("Other")


def chain(*sent: Identity) -> Chain:
    return assess(tuple(one.der for one in sent))


@pytest.mark.parametrize(
    ("sent", "use", "held", "accepts", "says"),
    [
        pytest.param([LEAF, SUB], Use.SERVER, [ROOT], True, "", id="a good chain"),
        pytest.param([LEAF], Use.SERVER, [ROOT, SUB], True, "", id="the store has the intermediate"),
        pytest.param([LEAF, SUB], Use.SERVER, [NEW_ROOT, ROOT], True, "", id="two roots of one name"),
        pytest.param([LEAF, SUB], Use.SERVER, [SUB], True, "", id="a store without the root is enough for it"),
        pytest.param(
            [LEAF], Use.SERVER, [ROOT], None, "no certificate of the issuers' names", id="nothing to begin with"
        ),
        pytest.param([LEAF, SUB, OTHER], Use.SERVER, [OTHER], False, "candidates exhausted", id="another root"),
        pytest.param([LEAF, SUB], Use.CLIENT, [ROOT], False, "required EKU not found", id="a server's certificate"),
        pytest.param(
            [SUB.issue("b.example", san=["b.example"], **OLD), SUB],
            Use.SERVER,
            [ROOT],
            False,
            "not valid at",
            id="expired",
        ),
        pytest.param([SUB.issue("c.example"), SUB], Use.SERVER, [ROOT], False, "", id="no alternative name"),
        pytest.param([SUB.issue("d", san=["*.d.example"]), SUB], Use.SERVER, [ROOT], True, "", id="a wildcard"),
        pytest.param([SUB.issue("e", san=["192.0.2.1"]), SUB], Use.SERVER, [ROOT], True, "", id="an address"),
        pytest.param(
            [SUB.issue("f", san=["bad name"]), SUB], Use.SERVER, [ROOT], False, "", id="a name that is no host"
        ),
    ],
)
def test_its_answer_and_its_words(
    sent: list[Identity], use: Use, held: list[Identity], accepts: bool | None, says: str
) -> None:
    opinion = library_opinion(chain(*sent), AStore("our store", *held), use, AT)
    assert opinion.accepts is accepts, opinion.words
    assert says in opinion.words
    assert "encountered processing" not in opinion.words


def test_what_cannot_be_read_is_no_exception() -> None:
    assert library_opinion(assess((b"junk", SUB.der)), AStore("store", ROOT), Use.SERVER, AT).accepts is False
    odd = pki.root("Root", spki=b"\x30\x00")
    assert library_opinion(chain(LEAF, SUB), AStore("store", odd), Use.SERVER, AT).accepts is not True


@pytest.mark.parametrize(
    "trouble", [ValueError("no such thing"), type("PanicException", (BaseException,), {})("panic")]
)
def test_whatever_it_raises_stays_here(monkeypatch: pytest.MonkeyPatch, trouble: BaseException) -> None:
    def fail(*_: object) -> None:
        raise trouble

    monkeypatch.setattr(verification, "PolicyBuilder", fail)
    opinion = library_opinion(chain(LEAF, SUB), AStore("store", ROOT), Use.SERVER, AT)
    assert opinion.accepts is None
    assert str(trouble) in opinion.words


def test_an_interrupt_is_no_opinion(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verification, "PolicyBuilder", interrupt)
    with pytest.raises(KeyboardInterrupt):
        library_opinion(chain(LEAF, SUB), AStore("store", ROOT), Use.SERVER, AT)


def test_an_interrupt_while_it_reads_is_none_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cryptography.x509.load_der_x509_certificate", interrupt)
    with pytest.raises(KeyboardInterrupt):
        library_opinion(chain(LEAF, SUB), AStore("store", ROOT), Use.SERVER, AT)


def test_a_huge_certificate_is_not_handed_over() -> None:
    huge = SUB.issue("huge.example", extensions=[pki.extension("1.2.3", bytes(300_000))])
    opinion = library_opinion(chain(huge, SUB), AStore("store", ROOT), Use.SERVER, AT)
    assert (opinion.accepts, opinion.words) == (False, "it cannot read the certificate")


def test_a_store_of_one_name_is_not_handed_over_whole() -> None:
    many = [ROOT.issue("Sub", ca=True, serial=number, key_label="many") for number in range(200)]
    store = AStore("store", ROOT, *many)
    assert library_opinion(chain(LEAF, SUB), store, Use.SERVER, AT).accepts in (True, False)
    assert store.asked < 50


def test_to_know_it_costs_nothing() -> None:
    program = "import sys, analyzer.certificates.verifier; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@settings(max_examples=40, deadline=None)
@given(
    sent=st.lists(st.sampled_from([LEAF.der, SUB.der, ROOT.der]) | st.binary(max_size=30), min_size=1, max_size=4),
    use=st.sampled_from(Use),
    at=st.integers(-(2**40), 2**40),
)
def test_anything_gets_an_opinion(sent: list[bytes], use: Use, at: int) -> None:
    assert library_opinion(assess(tuple(sent)), AStore("store", ROOT), use, at).accepts in (True, False, None)
