"""Chains as sent: order, links, gaps. Root signs Sub, Sub signs the leaf; the rest are variations."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.certificates import signatures
from analyzer.certificates.chain import Chain, assess
from tests.build import asn1, pki

ROOT = pki.root("Root")
SUB = ROOT.issue("Sub", ca=True)
LEAF = SUB.issue("leaf")
DEEP = SUB.issue("Deep", ca=True)
DEEP_LEAF = DEEP.issue("deep leaf")
OTHER = pki.root("Other")
OTHER_LEAF = OTHER.issue("other leaf")
LONE = pki.self_signed("lone")
CROSS_SUB = OTHER.cross_sign(SUB)  # the same name and key as SUB, from another root
TWIN = ROOT.issue("Sub", ca=True, key_label="another key")  # the same name as SUB, another key
NO_IDS = SUB.issue("leaf", akid=False)
FORGED = SUB.issue("leaf", signer=OTHER)
OLD_ROOT = pki.root("Old", version=b"", only_extensions=[])
JUNK = b"junk"
JUNK_NAME = hashlib.sha256(JUNK).hexdigest()[:16]


def chain(*sent: pki.Identity | bytes) -> Chain:
    return assess(tuple(one if isinstance(one, bytes) else one.der for one in sent))


def names(certificates: tuple[object, ...]) -> list[str]:
    return [getattr(certificate, "short", "?") for certificate in certificates]


@pytest.mark.parametrize(
    ("sent", "path", "missing"),
    [
        pytest.param([LEAF, SUB, ROOT], ["leaf", "Sub", "Root"], None, id="all, with the root"),
        pytest.param([LEAF, SUB], ["leaf", "Sub"], "CN=Root", id="all but the root"),
        pytest.param([LEAF], ["leaf"], "CN=Sub", id="the leaf alone"),
        pytest.param([LONE], ["lone"], None, id="a self-signed leaf"),
        pytest.param([LEAF, ROOT], ["leaf"], "CN=Sub", id="a link left out"),
        pytest.param([DEEP_LEAF, ROOT, SUB, DEEP], ["deep leaf", "Deep", "Sub", "Root"], None, id="the wrong order"),
        pytest.param([LEAF, OTHER, SUB], ["leaf", "Sub"], "CN=Root", id="a stranger in between"),
        pytest.param([LEAF, LEAF, SUB, SUB], ["leaf", "Sub"], "CN=Root", id="everything twice"),
        pytest.param([JUNK, SUB], [JUNK_NAME], None, id="a leaf that is no certificate"),
        pytest.param([LEAF, JUNK, SUB], ["leaf", "Sub"], "CN=Root", id="no certificate in between"),
    ],
)
def test_the_path_upwards(sent: list[pki.Identity | bytes], path: list[str], missing: str | None) -> None:
    found = chain(*sent)
    assert names(found.path) == path
    assert (found.missing_issuer.text if found.missing_issuer else None) == missing
    assert found.leaf is found.path[0]
    assert found.top is found.path[-1]
    assert found.ends_in_root == found.top.self_issued
    assert found.broken_links == ()


@pytest.mark.parametrize(
    ("sent", "in_order", "unlinked", "gap", "duplicates"),
    [
        pytest.param([LEAF, SUB, ROOT], True, [], False, [], id="as RFC 5246 wants it"),
        pytest.param([LEAF], True, [], False, [], id="the leaf alone is in order"),
        pytest.param([LEAF, ROOT, SUB], False, [], False, [], id="the root before its intermediate"),
        pytest.param(
            [LEAF, SUB, OTHER_LEAF], True, ["other leaf"], False, [], id="a stranger that is no CA, at the end"
        ),
        pytest.param([LEAF, OTHER_LEAF, SUB, ROOT], False, ["other leaf"], False, [], id="a stranger in between"),
        pytest.param([LEAF, ROOT], True, ["Root"], True, [], id="a gap below a root that was sent"),
        pytest.param([DEEP_LEAF, SUB], True, ["Sub"], True, [], id="a gap below an intermediate that was sent"),
        pytest.param(
            [LEAF, SUB, ROOT, OTHER], True, ["Other"], False, [], id="a stranger above a whole chain is no gap"
        ),
        pytest.param([LEAF, LEAF, SUB], True, [], False, ["leaf"], id="a duplicate in between is another matter"),
        pytest.param([LEAF, OLD_ROOT], True, ["Old"], True, [], id="a gap below a root of version 1"),
        pytest.param([LEAF, SUB, SUB, LEAF], True, [], False, ["Sub", "leaf"], id="duplicates"),
        pytest.param([LEAF, SUB, JUNK], True, [JUNK_NAME], False, [], id="bytes that are no certificate"),
    ],
)
def test_order_strangers_gaps_and_duplicates(
    sent: list[pki.Identity | bytes], in_order: bool, unlinked: list[str], gap: bool, duplicates: list[str]
) -> None:
    found = chain(*sent)
    assert (found.in_order, names(found.unlinked), found.gap) == (in_order, unlinked, gap)
    assert names(found.duplicates) == duplicates
    assert len(found.certificates) == len(sent)


@pytest.mark.parametrize(
    ("sent", "path", "alternatives"),
    [
        pytest.param([LEAF, CROSS_SUB, SUB, ROOT], [LEAF, SUB, ROOT], [CROSS_SUB], id="the one whose root was sent"),
        pytest.param(
            [LEAF, CROSS_SUB, SUB, OTHER], [LEAF, CROSS_SUB, OTHER], [SUB], id="the other one, with the other root"
        ),
        pytest.param([LEAF, TWIN, SUB], [LEAF, SUB], [TWIN], id="the one with the right key identifier"),
        pytest.param([NO_IDS, TWIN, SUB], [NO_IDS, SUB], [TWIN], id="without identifiers, the one that signed"),
        pytest.param([FORGED, TWIN], [FORGED, TWIN], [], id="a single candidate is taken, signed or not"),
    ],
)
def test_several_certificates_of_one_name(
    sent: list[pki.Identity], path: list[pki.Identity], alternatives: list[pki.Identity]
) -> None:
    for order in (sent, [sent[0], *reversed(sent[1:])]):
        found = chain(*order)
        assert [certificate.der for certificate in found.path] == [identity.der for identity in path]
        assert [certificate.der for certificate in found.alternatives] == [identity.der for identity in alternatives]
        assert found.unlinked == ()


def test_a_key_identifier_spares_the_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "verify", None)
    assert chain(SUB.issue("never verified"), TWIN, SUB).top.der == SUB.der


def test_of_two_that_do_equally_well_the_one_that_lasts_longer_is_taken() -> None:
    short = ROOT.issue("Sub", ca=True, not_after=datetime(2030, 1, 1, tzinfo=UTC))
    undated = ROOT.issue("Sub", ca=True, validity=asn1.seq())
    assert chain(LEAF, undated, short, SUB).top.der == SUB.der


@pytest.mark.parametrize(
    ("sent", "broken"),
    [
        pytest.param([LEAF, SUB, ROOT], [], id="every signature is good"),
        pytest.param([FORGED, SUB, ROOT], [("leaf", "Sub")], id="the leaf was signed by somebody else"),
        pytest.param([LEAF, TWIN, ROOT], [("leaf", "Sub")], id="the intermediate has another key"),
        pytest.param([SUB.issue("leaf", algorithm=asn1.seq(asn1.oid("1.2.3"))), SUB], [], id="an unknown algorithm"),
        pytest.param([FORGED, ROOT], [], id="no link, nothing broken"),
    ],
)
def test_links_whose_signature_is_bad(sent: list[pki.Identity], broken: list[tuple[str, str]]) -> None:
    assert [(child.short, parent.short) for child, parent in chain(*sent).broken_links] == broken


def test_two_that_signed_each_other_are_no_endless_path() -> None:
    one, two = pki.root("one"), pki.root("two")
    found = chain(one.issue("leaf"), two.cross_sign(one), one.cross_sign(two))
    assert names(found.path) == ["leaf", "one", "two"]
    assert (found.missing_issuer, found.ends_in_root) == (None, False)


def test_a_flood_of_one_name_is_bounded() -> None:
    flood = [pki.root("two").issue("one", ca=True, serial=number) for number in range(300)]
    flood += [pki.root("one").issue("two", ca=True, serial=number) for number in range(300)]
    assert len(chain(pki.root("one").issue("leaf"), *flood).path) <= 32


def test_equal_lists_give_the_same_object() -> None:
    assert chain(LEAF, SUB) is chain(LEAF, SUB)


@settings(max_examples=30, deadline=None)
@given(order=st.permutations([SUB, DEEP, ROOT, CROSS_SUB, OTHER, TWIN, LONE]))
def test_the_order_above_the_leaf_does_not_change_the_path(order: list[pki.Identity]) -> None:
    usual = chain(DEEP_LEAF, SUB, DEEP, ROOT, CROSS_SUB, OTHER, TWIN, LONE)
    found = chain(DEEP_LEAF, *order)
    assert (found.path, set(found.unlinked)) == (usual.path, set(usual.unlinked))
    assert set(found.alternatives) == set(usual.alternatives)


@settings(max_examples=60, deadline=None)
@given(
    sent=st.lists(
        st.sampled_from([LEAF.der, SUB.der, ROOT.der, FORGED.der, TWIN.der]) | st.binary(max_size=20),
        min_size=1,
        max_size=6,
    )
)
def test_any_list_is_a_chain(sent: list[bytes]) -> None:
    found = assess(tuple(sent))
    assert found.leaf.der == sent[0]
    each = {certificate.der for certificate in (*found.path, *found.unlinked, *found.alternatives)}
    assert each == set(sent)
    assert isinstance(found.broken_links, tuple)
