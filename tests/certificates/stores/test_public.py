"""The public roots: the table is what its certificates say, and it is read only when asked."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest

import analyzer
from analyzer import knowledge
from analyzer.certificates.certificate import load
from analyzer.certificates.names import parse_name
from analyzer.certificates.stores import public
from analyzer.certificates.stores.public import PUBLIC_ROOTS, Program, name_key, program_of
from tests.build import asn1, pki

ROWS = knowledge.public_roots()
SIGNED_BY_NOBODY = load(pki.root("Root").der)


def test_every_row_is_what_its_certificate_says() -> None:
    for sha256, key, key_id, microsoft, mozilla, packed, subject in ROWS:
        root = load(base64.b64decode(packed, validate=True))
        assert (root.sha256, name_key(root.subject)) == (sha256, key), f"{subject}: run python -m tools.public_roots"
        assert (root.subject_key_id or b"").hex() == key_id
        assert root.self_issued
        assert root.key is not None
        assert microsoft or mozilla
        assert set(program_of(microsoft, mozilla).microsoft) <= {"server", "client"}
        assert mozilla in ("", "server")


def test_there_are_as_many_as_the_lists_have() -> None:
    assert len(ROWS) > 400


@pytest.mark.parametrize("row", ROWS[::50], ids=lambda row: row[0][:8])
def test_a_root_is_found_by_all_that_it_has(row: list[str]) -> None:
    root = PUBLIC_ROOTS.with_sha256(row[0])
    assert root is not None
    assert root in PUBLIC_ROOTS.find(root.subject)


def test_a_name_is_found_in_another_spelling() -> None:
    spelled = [
        asn1.attribute("2.5.4.6", asn1.utf8("us")),
        asn1.attribute("2.5.4.10", asn1.printable("INTERNET SECURITY  research group")),
    ]
    name = asn1.name(*[[part] for part in spelled], [asn1.attribute("2.5.4.3", asn1.utf8("isrg ROOT x1"))])
    (root,) = PUBLIC_ROOTS.find(parse_name(name))
    assert root.short == "ISRG Root X1"
    assert root.signed_by(root)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(pki.subject_name("Root"), id="a private CA"),
        pytest.param(asn1.name(), id="the empty name"),
        pytest.param(b"junk", id="no name"),
    ],
)
def test_what_is_not_public_is_not_found(name: bytes) -> None:
    assert PUBLIC_ROOTS.find(parse_name(name)) == ()


def test_names_that_share_a_key_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "name_key", lambda name: ROWS[0][1])
    assert PUBLIC_ROOTS.find(SIGNED_BY_NOBODY.subject) == ()
    assert PUBLIC_ROOTS.find(load(base64.b64decode(ROWS[0][5])).subject)


def test_unknown_hashes_are_not_found() -> None:
    assert PUBLIC_ROOTS.with_sha256(SIGNED_BY_NOBODY.sha256) is None
    assert PUBLIC_ROOTS.program(SIGNED_BY_NOBODY.sha256) is None


@pytest.mark.parametrize(
    ("microsoft", "mozilla", "program"),
    [
        pytest.param("server client", "server", Program(("server", "client"), (), True), id="both lists"),
        pytest.param("", "server", Program((), (), True), id="Mozilla alone"),
        pytest.param(
            "server<2025-09-15 client",
            "",
            Program(("server", "client"), (("server", "2025-09-15"),), False),
            id="ended",
        ),
    ],
)
def test_words_of_the_table(microsoft: str, mozilla: str, program: Program) -> None:
    assert program_of(microsoft, mozilla) == program


def test_nothing_is_read_before_a_question() -> None:
    script = (
        "import analyzer.rules; analyzer.rules.catalogue()\n"
        "from analyzer.certificates.stores import public\n"
        "print(public._table.cache_info().currsize)"
    )
    root = Path(analyzer.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_the_columns_but_the_last_can_be_split_at_the_commas() -> None:
    lines = knowledge.public_root_lines()
    assert [line.split(",", public.PACKED + 1)[: public.PACKED + 1] for line in lines] == [row[:-1] for row in ROWS]
