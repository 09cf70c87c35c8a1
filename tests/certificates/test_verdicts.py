"""Verdicts of trust stores: what we say, why, and whether `openssl verify` says the same."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analyzer.certificates.chain import Chain, assess
from analyzer.certificates.faults import Kind, Use
from analyzer.certificates.verdicts import Answer, Verdict, judge
from tests.build import asn1, pki
from tests.build.pki import Identity, name_constraints
from tests.build.stores import AStore, openssl_verify

AT = datetime(2026, 6, 1, tzinfo=UTC)
OLD: dict[str, Any] = {"not_after": datetime(2024, 1, 1, tzinfo=UTC)}
LATER: dict[str, Any] = {"not_before": datetime(2030, 1, 1, tzinfo=UTC)}

ROOT = pki.root("Root")
SUB = ROOT.issue("Sub", ca=True)
LEAF = SUB.issue("a.example", san=["a.example"], eku=["serverAuth"], aia=["http://pki.example/sub.crt"])
BOTH = SUB.issue("b.example", san=["b.example"], eku=["serverAuth", "clientAuth"])
PLAIN = SUB.issue("plain.example", san=["plain.example"])
OTHER = pki.root("Other")
CROSS = OTHER.cross_sign(ROOT)
OLD_CROSS = OTHER.cross_sign(ROOT, **OLD)
RENEWED = pki.make("Root", keep=ROOT, ca=True, serial=2)
OLD_ROOT = pki.make("Root", keep=ROOT, ca=True, serial=3, **OLD)
NEW_KEY = pki.root("Root", key_label="Root, second generation")
TWIN = ROOT.issue("Sub", ca=True, key_label="Sub, another key")
NO_IDS = SUB.issue("no-ids.example", san=["no-ids.example"], akid=False)
OLD_SUB = ROOT.issue("OldSub", ca=True, **OLD)
NEW_SUB = ROOT.cross_sign(OLD_SUB)
ROLLOVER = pki.make("Root", issuer=ROOT, ca=True, keep=NEW_KEY)  # the new key, certified with the old one
UNDER_NEW = NEW_KEY.issue("new.example", san=["new.example"])

NARROW = ROOT.issue("Narrow", ca=True, path_length=0)
UNDER_NARROW = NARROW.issue("Below", ca=True)
TOO_DEEP = UNDER_NARROW.issue("deep.example", san=["deep.example"])
SELF_ISSUED = pki.make("Narrow", issuer=NARROW, ca=True, key_label="Narrow, next key")  # does not count as a level
NO_CA = ROOT.issue("NoCA", key_usage=["keyCertSign"], extensions=[pki.basic_constraints(False)])
LONE = pki.self_signed("lone.example", san=["lone.example"])
NO_SIGN = ROOT.issue("NoSign", ca=True, key_usage=["cRLSign"])
CLIENTS = ROOT.issue("Clients", ca=True, eku=["clientAuth"])
SERVERS = ROOT.issue("Servers", ca=True, eku=["serverAuth"])
CRITICAL = ROOT.issue("Critical", ca=True, extensions=[pki.extension("1.2.3.4", asn1.null(), critical=True)])
OLD_STYLE = pki.root("V1", version=b"", only_extensions=[])
MD5 = pki.root("MD5", key="rsa1024", digest="md5")
SHA1 = pki.root("SHA1", key="rsa1024", digest="sha1")
PSS = pki.root("PSS", key="rsa", pss=True)
EDWARDS = pki.root("Edwards", key="ed25519")


def below(issuer: Identity, name: str = "x.example", **given: Any) -> Identity:
    return issuer.issue(name, **({"san": [name]} | given))


def limited(name: str, *, permitted: tuple[str, ...] = (), excluded: tuple[str, ...] = ()) -> Identity:
    return ROOT.issue(name, ca=True, extensions=[name_constraints(permitted, excluded)])


DNS = limited("Dns", permitted=("corp.example",))
NEXT_DNS = pki.make(
    "Dns", issuer=DNS, ca=True, key_label="Dns, next key", extensions=[pki.subject_alt_name(["x.example"])]
)
NOT_DNS = limited("NotDns", excluded=("evil.example",))
NETWORK = limited("Network", permitted=("10.0.0.0/8",))
NETWORK_6 = limited("Network6", excluded=("2001:db8::/32",))
MAIL = limited("Mail", permitted=("email:corp.example",))
MAIL_BELOW = limited("MailBelow", permitted=("email:.corp.example",))
URIS = limited("Uris", permitted=("uri:.corp.example",))
PLACE = limited("Place", permitted=("dirname:O=Lab,C=DE",))
NOT_PLACE = limited("NotPlace", excluded=("dirname:O=Lab,C=DE",))

CASES = [
    # links
    pytest.param([LEAF, SUB], [ROOT], "trusted", None, id="leaf and intermediate, the root in the store"),
    pytest.param([LEAF, SUB, ROOT], [ROOT], "trusted", None, id="the root is sent along"),
    pytest.param([LEAF, ROOT, SUB], [ROOT], "trusted", None, id="the wrong order"),
    pytest.param([LEAF], [ROOT, SUB], "trusted", None, id="the store has the intermediate too"),
    pytest.param([LONE], [LONE], "trusted", None, id="a self-signed certificate that is in the store"),
    pytest.param([LEAF, SUB], [OTHER], "open", None, id="another root in the store"),
    pytest.param([LEAF, SUB, ROOT], [OTHER], "untrusted", None, id="a root that the store does not have"),
    pytest.param([LEAF], [ROOT], "open", None, id="the intermediate is missing"),
    pytest.param([LEAF, SUB], [SUB], "partial", None, id="the store has the intermediate and no root"),
    pytest.param([LEAF, TWIN], [ROOT], "broken", None, id="an intermediate of that name with another key"),
    pytest.param([NO_IDS, TWIN], [ROOT], "broken", None, id="another key, and no key identifier says so"),
    pytest.param([LEAF, TWIN, SUB], [ROOT], "trusted", None, id="two generations of the intermediate"),
    pytest.param([NO_IDS, TWIN, SUB], [ROOT], "trusted", None, id="two generations without key identifiers"),
    pytest.param([LEAF, SUB, NEW_KEY], [ROOT], "trusted", None, id="the root of another generation was sent along"),
    pytest.param([LEAF, SUB], [NEW_KEY], "broken", None, id="the store has the next generation of the root alone"),
    pytest.param([LEAF, SUB], [NEW_KEY, ROOT], "trusted", None, id="the store has both generations of the root"),
    pytest.param([LEAF, SUB], [RENEWED], "trusted", None, id="the root was renewed with its key"),
    pytest.param([LEAF, SUB, OLD_ROOT], [RENEWED], "trusted", None, id="the old edition of the root was sent along"),
    pytest.param([LEAF, SUB, CROSS], [OTHER], "trusted", None, id="cross-signed, by way of the other root"),
    pytest.param([LEAF, SUB, CROSS], [ROOT], "trusted", None, id="cross-signed, by way of the own root"),
    pytest.param([LEAF, SUB, OLD_CROSS], [ROOT], "trusted", None, id="an expired cross-certificate beside a good root"),
    pytest.param([LEAF, SUB, OLD_CROSS], [OTHER], "faulty", Kind.EXPIRED, id="only an expired cross-certificate"),
    pytest.param([UNDER_NEW, ROLLOVER], [ROOT], "trusted", None, id="the new key, certified with the old one"),
    pytest.param(
        [UNDER_NEW, NEW_KEY], [ROOT], "untrusted", None, id="another generation than the store's was sent along"
    ),
    # signatures
    pytest.param([below(MD5, digest="md5")], [MD5], "trusted", None, id="MD5"),
    pytest.param([below(SHA1, digest="sha1")], [SHA1], "trusted", None, id="SHA-1"),
    pytest.param([below(PSS, pss=True)], [PSS], "trusted", None, id="RSASSA-PSS"),
    pytest.param([below(EDWARDS)], [EDWARDS], "trusted", None, id="Ed25519"),
    pytest.param([below(SUB, signer=OTHER), SUB], [ROOT], "broken", None, id="signed by somebody else"),
    # dates
    pytest.param([below(SUB, "old.example", **OLD), SUB], [ROOT], "faulty", Kind.EXPIRED, id="the leaf expired"),
    pytest.param([below(SUB, **LATER), SUB], [ROOT], "faulty", Kind.NOT_YET_VALID, id="the leaf is not yet valid"),
    pytest.param([below(OLD_SUB), OLD_SUB], [ROOT], "faulty", Kind.EXPIRED, id="the intermediate expired"),
    pytest.param([below(OLD_SUB), OLD_SUB, NEW_SUB], [ROOT], "trusted", None, id="its new edition was sent as well"),
    pytest.param([LEAF, SUB], [OLD_ROOT], "faulty", Kind.EXPIRED, id="the root in the store expired"),
    # what CAs may do
    pytest.param([TOO_DEEP, UNDER_NARROW, NARROW], [ROOT], "faulty", Kind.PATH_LENGTH, id="one level too many"),
    pytest.param([below(NARROW), NARROW], [ROOT], "trusted", None, id="as many levels as allowed"),
    pytest.param(
        [below(SELF_ISSUED), SELF_ISSUED, NARROW], [ROOT], "trusted", None, id="a CA's next key is no level of its own"
    ),
    pytest.param([below(NO_CA), NO_CA], [ROOT], "faulty", Kind.NOT_A_CA, id="the intermediate is no CA"),
    pytest.param([below(NO_SIGN), NO_SIGN], [ROOT], "faulty", Kind.NO_CERT_SIGN, id="it may not sign certificates"),
    pytest.param([below(OLD_STYLE)], [OLD_STYLE], "trusted", None, id="a root of version 1"),
    pytest.param([below(CLIENTS), CLIENTS], [ROOT], "faulty", Kind.USE, id="an intermediate for clients only"),
    pytest.param([below(SERVERS), SERVERS], [ROOT], "trusted", None, id="an intermediate for servers"),
    pytest.param([below(SUB, eku=["clientAuth"]), SUB], [ROOT], "faulty", Kind.USE, id="a leaf for clients only"),
    pytest.param([below(CRITICAL), CRITICAL], [ROOT], "faulty", Kind.CRITICAL, id="an unknown critical extension"),
    # names
    pytest.param(
        [below(NEXT_DNS, "a.corp.example"), NEXT_DNS, DNS],
        [ROOT],
        "trusted",
        None,
        id="a CA's next key is no name below it",
    ),
    pytest.param([below(DNS, "a.corp.example"), DNS], [ROOT], "trusted", None, id="a permitted host"),
    pytest.param([below(DNS, "corp.example"), DNS], [ROOT], "trusted", None, id="the permitted domain itself"),
    pytest.param([below(DNS, "A.CORP.EXAMPLE"), DNS], [ROOT], "trusted", None, id="a permitted host in capitals"),
    pytest.param([below(DNS, "a.notcorp.example"), DNS], [ROOT], "faulty", Kind.NAMES, id="a host with a like ending"),
    pytest.param(
        [below(DNS, san=["a.corp.example", "b.example"]), DNS], [ROOT], "faulty", Kind.NAMES, id="one host of two"
    ),
    pytest.param([below(DNS, "b.example", san=None), DNS], [ROOT], "faulty", Kind.NAMES, id="a host as common name"),
    pytest.param(
        [below(DNS, "Some device", san=None), DNS], [ROOT], "trusted", None, id="a common name that is no host"
    ),
    pytest.param(
        [below(DNS, san=["192.0.2.1"]), DNS], [ROOT], "faulty", Kind.NAMES, id="its common name beside an address"
    ),
    pytest.param(
        [below(DNS, "box", san=["192.0.2.1"]), DNS], [ROOT], "trusted", None, id="an address where hosts count"
    ),
    pytest.param([below(NOT_DNS, "a.evil.example"), NOT_DNS], [ROOT], "faulty", Kind.NAMES, id="an excluded host"),
    pytest.param([below(NOT_DNS, "good.example"), NOT_DNS], [ROOT], "trusted", None, id="a host that is not excluded"),
    pytest.param([below(NETWORK, "box", san=["10.9.8.7"]), NETWORK], [ROOT], "trusted", None, id="a permitted address"),
    pytest.param(
        [below(NETWORK, "box", san=["11.0.0.1"]), NETWORK], [ROOT], "faulty", Kind.NAMES, id="an address outside"
    ),
    pytest.param(
        [below(NETWORK, "box", san=["::1"]), NETWORK], [ROOT], "faulty", Kind.NAMES, id="an address of the other kind"
    ),
    pytest.param(
        [below(NETWORK_6, "box", san=["2001:db8::1"]), NETWORK_6],
        [ROOT],
        "faulty",
        Kind.NAMES,
        id="an excluded IPv6 one",
    ),
    pytest.param(
        [below(MAIL, "box", san=["a@corp.example"]), MAIL], [ROOT], "trusted", None, id="a permitted mail host"
    ),
    pytest.param(
        [below(MAIL, "box", san=["a@mx.corp.example"]), MAIL], [ROOT], "faulty", Kind.NAMES, id="a mail host below it"
    ),
    pytest.param(
        [below(MAIL_BELOW, "box", san=["a@mx.corp.example"]), MAIL_BELOW],
        [ROOT],
        "trusted",
        None,
        id="any mail host below",
    ),
    pytest.param(
        [below(MAIL, "E=a@b.example,CN=box", san=None), MAIL], [ROOT], "faulty", Kind.NAMES, id="mail in the subject"
    ),
    pytest.param(
        [below(URIS, "box", san=["sip:a.corp.example"]), URIS], [ROOT], "faulty", Kind.NAMES, id="a URI without a host"
    ),
    pytest.param(
        [below(URIS, "box", san=["https://a.corp.example/x"]), URIS], [ROOT], "trusted", None, id="a permitted URI"
    ),
    pytest.param(
        [below(PLACE, "CN=box,O=lab,C=DE", san=None), PLACE], [ROOT], "trusted", None, id="a name below a name"
    ),
    pytest.param(
        [below(PLACE, "CN=box,O=Shop,C=DE", san=None), PLACE], [ROOT], "faulty", Kind.NAMES, id="a name elsewhere"
    ),
    pytest.param(
        [below(NOT_PLACE, "CN=box,O=Lab,C=DE", san=None), NOT_PLACE],
        [ROOT],
        "faulty",
        Kind.NAMES,
        id="an excluded name",
    ),
    pytest.param(
        [below(PLACE, "CN=box,O=Lab,C=DE", san=["dirname:CN=x,O=Shop,C=DE"]), PLACE],
        [ROOT],
        "faulty",
        Kind.NAMES,
        id="a name elsewhere among the alternative names",
    ),
]


def chain(*sent: Identity) -> Chain:
    return assess(tuple(one.der for one in sent))


def say(sent: list[Identity], held: list[Identity], use: Use = Use.SERVER, at: datetime | None = AT) -> Verdict:
    return judge(chain(*sent), AStore("our store", *held), use, None if at is None else int(at.timestamp()))


@pytest.mark.parametrize(("sent", "held", "answer", "kind"), CASES)
def test_the_answer_and_its_reason(sent: list[Identity], held: list[Identity], answer: str, kind: Kind | None) -> None:
    for order in (sent, [sent[0], *reversed(sent[1:])]):
        said = say(order, held)
        assert said.answer.value == answer, str(said)
        assert {fault.kind for fault in said.faults} == ({kind} if kind else set()), str(said)
        assert len(str(said)) < 1_000


@pytest.mark.parametrize(
    ("leaf", "server", "client"),
    [
        pytest.param(LEAF, "trusted", "faulty", id="for servers"),
        pytest.param(BOTH, "trusted", "trusted", id="for both"),
        pytest.param(PLAIN, "trusted", "trusted", id="without extendedKeyUsage"),
        pytest.param(below(SUB, eku=["any"]), "trusted", "trusted", id="for anything"),
        pytest.param(below(SUB, eku=["codeSigning"]), "faulty", "faulty", id="for something else"),
        pytest.param(below(SUB, eku=["2.16.840.1.113730.4.1"]), "trusted", "faulty", id="for servers as of old"),
    ],
)
def test_each_use_has_a_verdict_of_its_own(leaf: Identity, server: str, client: str) -> None:
    assert say([leaf, SUB], [ROOT], Use.SERVER).answer.value == server
    assert say([leaf, SUB], [ROOT], Use.CLIENT).answer.value == client


def test_without_a_time_dates_do_not_count() -> None:
    assert say([below(OLD_SUB), OLD_SUB], [ROOT], at=None).answer is Answer.TRUSTED


def test_what_is_missing_and_where_it_is() -> None:
    said = say([LEAF], [ROOT])
    assert said.missing is not None
    assert (said.missing.issuer.text, said.missing.child.short) == ("CN=Sub", "a.example")
    assert said.missing.urls == ("http://pki.example/sub.crt",)
    assert said.missing.key_id == SUB.key_id
    assert said.missing.offer is None
    assert str(said) == "open: CN=Sub, which issued a.example, was not sent and is not in our store"


def test_who_else_has_it() -> None:
    said = judge(chain(LEAF), AStore("our store", ROOT), Use.SERVER, None, (AStore("a peer", OTHER, SUB),))
    assert said.answer is Answer.OPEN
    assert said.missing is not None
    assert said.missing.offer is not None
    assert said.missing.offer.certificate.der == SUB.der
    assert "known from a peer" in said.why


def test_valid_by_one_path_and_expired_by_another() -> None:
    said = say([LEAF, SUB, OLD_CROSS], [ROOT, OTHER])
    ways = {one.path.top.short: [fault.kind for fault in one.faults] for one in said.paths}
    assert said.answer is Answer.TRUSTED
    assert ways == {"Root": [], "Other": [Kind.EXPIRED]}


def test_a_long_path_is_drawn_in_short() -> None:
    levels = [ROOT]
    for number in range(8):
        levels.append(levels[-1].issue(f"level {number}", ca=True))
    said = say(list(reversed(levels[1:])), [ROOT])
    assert said.why == "level 7 - level 6 - level 5 - level 4 - level 3 - ... - Root, a root in our store"


def test_a_search_that_was_cut_is_no_answer() -> None:
    levels = [ROOT]
    for number in range(40):
        levels.append(levels[-1].issue(f"level {number}", ca=True, key_label=f"level {number % 2}"))
    said = say(list(reversed(levels[1:])), [ROOT])
    assert (said.answer, said.why) == (Answer.UNKNOWN, "there are too many paths to try them all")


def test_a_certificate_has_no_end_of_faults() -> None:
    odd = [pki.extension(f"1.2.3.{number}", asn1.null(), critical=True) for number in range(100)]
    assert 10 < len(say([ROOT.issue("x", extensions=odd)], [ROOT]).faults) < 100


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        pytest.param([b"junk"], "cannot be read", id="no certificate"),
        pytest.param([pki.make("x", issuer=ROOT, issuer_name=asn1.name()).der], "names no issuer", id="no issuer"),
        pytest.param(
            [ROOT.issue("x", algorithm=asn1.seq(asn1.oid("1.2.3"))).der],
            "(1.2.3) cannot be verified",
            id="odd signature",
        ),
    ],
)
def test_what_cannot_be_told(sent: list[bytes], says: str) -> None:
    said = judge(assess(tuple(sent)), AStore("our store", ROOT), Use.SERVER)
    assert said.answer is Answer.UNKNOWN
    assert says in said.why


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
@pytest.mark.parametrize(("sent", "held", "answer", "kind"), CASES)
def test_openssl_says_the_same(
    sent: list[Identity], held: list[Identity], answer: str, kind: Kind | None, tmp_path: Path
) -> None:
    if sent == [NO_IDS, TWIN, SUB]:
        pytest.skip("openssl takes the first one of a name and does not try the next")
    options = ["-purpose", "sslserver", "-attime", str(int(AT.timestamp()))]
    accepted, words = openssl_verify(tmp_path, sent, held, *options)
    assert accepted == (answer == "trusted"), words
    if answer == "partial":
        assert openssl_verify(tmp_path, sent, held, *options, "-partial_chain")[0]
