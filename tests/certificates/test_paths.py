"""All ways upwards: cross-signed ones, cycles, floods of one name; and that the search stays small."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.certificates import signatures
from analyzer.certificates.chain import Chain, assess
from analyzer.certificates.paths import MAX_DEPTH, MAX_LINKS, MAX_PATHS, End, Origin, Search, find_paths, paths_of
from tests.build import asn1, pki
from tests.build.pki import Identity
from tests.build.stores import AStore

ROOT = pki.root("Root")
SUB = ROOT.issue("Sub", ca=True)
LEAF = SUB.issue("leaf.example", san=["leaf.example"])
OTHER = pki.root("Other")
CROSS = OTHER.cross_sign(ROOT)
CROSS_SUB = OTHER.cross_sign(SUB)
TWIN = ROOT.issue("Sub", ca=True, key_label="twin")
REKEYED = SUB.issue("rekeyed.example", akid=b"another key")
RING_A = pki.make("A", issuer=pki.root("B"), ca=True)
RING_B = pki.make("B", issuer=pki.root("A"), ca=True)


def chain(*sent: Identity | bytes) -> Chain:
    return assess(tuple(one if isinstance(one, bytes) else one.der for one in sent))


def drawn(search: Search) -> list[str]:
    """ "leaf.example Sub Root: root" for each path."""
    return [f"{' '.join(c.short for c in path.certificates)}: {path.end.value}" for path in search.paths]


@pytest.mark.parametrize(
    ("sent", "paths"),
    [
        pytest.param([LEAF], ["leaf.example: missing"], id="the leaf alone"),
        pytest.param([LEAF, SUB], ["leaf.example Sub: missing"], id="leaf and intermediate"),
        pytest.param([LEAF, SUB, ROOT], ["leaf.example Sub Root: root"], id="the whole chain"),
        pytest.param([LEAF, OTHER, SUB], ["leaf.example Sub: missing"], id="a stranger is on no path"),
        pytest.param([LEAF, TWIN], ["leaf.example: broken"], id="the name is there, the key is not"),
        pytest.param([LEAF, TWIN, SUB], ["leaf.example Sub: missing"], id="two of one name, one of them signed"),
        pytest.param(
            [REKEYED, SUB], ["rekeyed.example Sub: missing"], id="the key identifier differs, the key does not"
        ),
        pytest.param(
            [LEAF, SUB, ROOT, CROSS, OTHER],
            ["leaf.example Sub Root: root", "leaf.example Sub Root Other: root"],
            id="a cross-signed root: two ways",
        ),
        pytest.param(
            [LEAF, SUB, CROSS_SUB, ROOT],
            ["leaf.example Sub Root: root", "leaf.example Sub: missing"],
            id="a cross-signed intermediate: one way ends early",
        ),
        pytest.param([RING_A.issue("x"), RING_A, RING_B], ["x A B: loop"], id="two that issued each other"),
        pytest.param([b"junk", SUB], [f"{chain(b'junk').leaf.short}: unreadable"], id="no certificate"),
        pytest.param([LEAF, b"junk", SUB], ["leaf.example Sub: missing"], id="no certificate in between"),
    ],
)
def test_the_ways_up(sent: list[Identity | bytes], paths: list[str]) -> None:
    for order in (sent, [sent[0], *reversed(sent[1:])]):
        found = paths_of(chain(*order))
        assert drawn(found) == paths
        assert not found.cut


def test_what_does_not_belong_is_on_no_path() -> None:
    found = paths_of(chain(LEAF, SUB, TWIN, OTHER))
    assert {certificate.der for certificate in found.members} == {LEAF.der, SUB.der}


def test_the_rejected_ones_and_the_missing_name_are_told() -> None:
    (broken,) = paths_of(chain(LEAF, TWIN)).paths
    assert [certificate.der for certificate in broken.rejected] == [TWIN.der]
    assert broken.missing is None
    (missing,) = paths_of(chain(LEAF, SUB)).paths
    assert missing.missing is not None
    assert missing.missing.text == "CN=Root"


def test_a_link_says_how_it_holds() -> None:
    odd = SUB.issue("odd", algorithm=asn1.seq(asn1.oid("1.2.3")))
    (path,) = paths_of(chain(odd, SUB)).paths
    assert path.steps[1].verified is None
    assert [certificate.short for certificate in path.unverified] == ["odd"]
    (path,) = paths_of(chain(REKEYED, SUB)).paths
    assert (path.steps[1].verified, path.steps[1].key_id_differs) == (True, True)
    (path,) = paths_of(chain(LEAF, SUB)).paths
    assert (path.steps[1].verified, path.steps[1].key_id_differs) == (True, False)


def test_where_each_one_is_from() -> None:
    store, peer = AStore("store.pem", ROOT), AStore("a peer", SUB)
    (path,) = paths_of(chain(LEAF), store, (peer,)).paths
    assert [(step.origin, step.source) for step in path.steps] == [
        (Origin.SENT, ""),
        (Origin.ELSEWHERE, "a peer"),
        (Origin.STORE, "store.pem"),
    ]
    assert path.end is End.ANCHOR
    assert [step.certificate.short for step in path.lent] == ["Sub"]


def test_a_chain_is_searched_once_for_a_store() -> None:
    store = AStore("store.pem", ROOT)
    first = paths_of(chain(LEAF, SUB), store)
    asked = store.asked
    assert paths_of(chain(LEAF, SUB), store) is first
    assert store.asked == asked
    assert paths_of(chain(LEAF, SUB), AStore("store.pem", ROOT)) is not first


def meshed(names: int, editions: int) -> list[Identity]:
    """CAs that all issued each other, several times: more paths than anybody can count."""
    cas = [pki.root(f"Mesh {number}") for number in range(names)]
    return [
        one.cross_sign(other, serial=serial)
        for one in cas
        for other in cas
        if one is not other
        for serial in range(1, editions + 1)
    ]


def crowded(levels: int, crowd: int) -> list[Identity]:
    """A hierarchy in which each CA has many of the same name beside it, without key identifiers."""
    sent, issuer = [], ROOT
    for level in range(levels):
        name = f"crowd {level}"
        sent += [issuer.issue(name, ca=True, key_label=f"{name}, {n}", skid=False, akid=False) for n in range(crowd)]
        issuer = issuer.issue(name, ca=True, skid=False, akid=False)
        sent.append(issuer)
    return [issuer.issue("x", akid=False), *sent]


FLOODS = [
    pytest.param(crowded(8, 60), id="sixty of one name on each of eight levels"),
    pytest.param(
        [
            SUB.issue("x", akid=False),
            *(ROOT.issue("Sub", ca=True, key_label=f"key {n}", skid=False) for n in range(20)),
        ],
        id="twenty of one name with keys of their own",
    ),
    pytest.param([LEAF, *(ROOT.cross_sign(SUB, serial=n) for n in range(1, 21))], id="twenty of one name with one key"),
    pytest.param([pki.root("Mesh 0").issue("x"), *meshed(5, 3)], id="five that issued each other three times"),
    pytest.param(
        [LEAF, *(OTHER.cross_sign(SUB, serial=n) for n in range(1, 400))], id="four hundred of one name with one key"
    ),
]


@pytest.mark.parametrize("sent", FLOODS)
def test_floods_are_bounded(sent: list[Identity], monkeypatch: pytest.MonkeyPatch) -> None:
    certificates = assess(tuple(one.der for one in sent)).certificates
    verified = 0
    verify = signatures.verify

    def counting(der: bytes, issuer: bytes) -> bool | None:
        nonlocal verified
        verified += 1
        return verify(der, issuer)

    monkeypatch.setattr(signatures, "verify", counting)
    found = find_paths(certificates)
    assert len(found.paths) <= MAX_PATHS + MAX_DEPTH
    assert verified <= MAX_LINKS


def test_a_search_that_was_cut_says_so() -> None:
    assert paths_of(chain(pki.root("Mesh 0").issue("x"), *meshed(5, 3))).cut


def test_of_twenty_the_one_that_signed_is_found() -> None:
    sent = [SUB.issue("x", akid=False), *(ROOT.issue("Sub", ca=True, key_label=f"key {n}") for n in range(20)), SUB]
    found = paths_of(chain(*sent))
    assert drawn(found) == ["x Sub: missing"]
    assert found.paths[0].top.der == SUB.der


def test_a_hierarchy_without_end_is_cut() -> None:
    levels = [pki.root("level 0")]
    for number in range(1, 40):
        levels.append(levels[-1].issue(f"level {number}", ca=True, key_label=f"level {number % 2}"))
    found = paths_of(chain(*reversed(levels)))
    assert found.cut
    assert found.paths[0].end is End.LIMIT


PIECES = [SUB, ROOT, OTHER, CROSS, CROSS_SUB, TWIN, RING_A, RING_B, LEAF, REKEYED]


@settings(max_examples=60, deadline=None)
@given(
    sent=st.lists(st.sampled_from(PIECES).map(lambda one: one.der) | st.binary(max_size=20), min_size=1, max_size=8),
    held=st.lists(st.sampled_from(PIECES), max_size=3),
)
def test_any_certificates_can_be_searched(sent: list[bytes], held: list[Identity]) -> None:
    found = find_paths(assess(tuple(sent)).certificates, AStore("store", *held))
    for path in found.paths:
        assert path.steps[0].certificate.der == sent[0]
        keys = [(step.certificate.subject, step.certificate.spki_sha256) for step in path.steps]
        assert len(set(keys)) == len(keys)
        for child, parent in zip(path.steps, path.steps[1:], strict=False):
            assert child.certificate.issuer == parent.certificate.subject
            assert parent.verified is not False
