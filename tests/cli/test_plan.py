"""mtlscope plan: the certificates of a topology on the command line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from analyzer.cli.plan import COLUMNS
from tests.cli.commands import Shell
from tests.topology.lab import LAB


@pytest.fixture
def lab(tmp_path: Path) -> str:
    """The lab's topology as a file."""
    path = tmp_path / "lab.toml"
    path.write_text(LAB, encoding="ascii")
    return str(path)


def test_text_has_every_fact_on_its_line(shell: Shell, lab: str) -> None:
    done = shell("plan", lab)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("10 certificates\n\n1. front end, default\n   for        fe1.corp.example\n")
    assert (
        "   issuer     public CA\n   CN         sip.lab.example\n   SAN        sip.lab.example\n"
        "              webcon.lab.example\n              sip.two.example\n   EKU        serverAuth, clientAuth\n"
    ) in done.out
    assert max(map(len, done.out.splitlines())) <= 100


def test_csv_has_a_row_a_certificate(shell: Shell, lab: str, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(shell("plan", lab, "-T", "csv").out)))
    assert len(rows) == 10
    assert tuple(rows[0]) == COLUMNS
    edge = next(row for row in rows if row["usage"] == "external side")
    assert edge["san"] == "sip.lab.example webcon.lab.example sip.two.example"
    target = tmp_path / "plan.csv"
    assert shell("plan", lab, "-T", "csv", "-o", str(target)).out == ""
    assert list(csv.DictReader(io.StringIO(target.read_text(encoding="ascii")))) == rows


@pytest.mark.parametrize(("kind", "suffix", "comment"), [("openssl", "cnf", "# "), ("certreq", "inf", "; ")])
def test_request_files_are_written_or_printed(
    kind: str, suffix: str, comment: str, shell: Shell, lab: str, tmp_path: Path
) -> None:
    folder = tmp_path / "requests"
    told = shell("plan", lab, "-T", kind, "-o", str(folder)).out.splitlines()
    assert [Path(line) for line in told] == sorted(folder.iterdir())
    assert all(path.suffix == f".{suffix}" for path in folder.iterdir())
    printed = shell("plan", lab, "-T", kind).out
    for path in folder.iterdir():
        assert f"{comment}{path.name}\n{path.read_text(encoding='ascii')}" in printed.replace("\r\n", "\n")


def test_a_request_that_was_changed_by_hand_is_kept(shell: Shell, lab: str, tmp_path: Path) -> None:
    shell("plan", lab, "-T", "openssl", "-o", str(tmp_path / "r"))
    assert shell("plan", lab, "-T", "openssl", "-o", str(tmp_path / "r")).code == 0
    first = min((tmp_path / "r").iterdir())
    first.write_text("mine", encoding="ascii")
    done = shell("plan", lab, "-T", "openssl", "-o", str(tmp_path / "r"))
    assert done.code == 2
    assert "is there already with other contents" in done.err
    assert first.read_text(encoding="ascii") == "mine"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["missing.toml"], "cannot read the topology missing.toml"),
        (["LAB", "-T", "opensll"], "is none of text, csv, openssl, certreq; did you mean: openssl"),
        (["LAB", "-o", "LAB"], "is the topology; choose another file"),
        (["LAB", "-o", "LAB/x"], "cannot write"),
        (["LAB", "-T", "openssl", "-o", "LAB"], "cannot write into"),
        ([], "FILE"),
    ],
)
def test_mistakes_are_one_line(words: list[str], told: str, shell: Shell, lab: str) -> None:
    done = shell("plan", *(word.replace("LAB", lab) for word in words))
    assert done.code == 2
    assert told in done.err
    assert done.err.count("\n") == 1


def test_a_topology_without_servers_has_no_plan(shell: Shell, tmp_path: Path) -> None:
    empty = tmp_path / "empty.toml"
    empty.write_text('sip_domains = "lab.example"', encoding="ascii")
    done = shell("plan", str(empty))
    assert done.code == 2
    assert "no pool or host with a role that needs a certificate" in done.err
