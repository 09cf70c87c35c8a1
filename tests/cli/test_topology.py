"""--topology, and mtlscope topology: from a capture to a guess, from a topology to findings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import analyzer
from analyzer.topology.reading import read_topology
from tests.build import pki
from tests.cli.commands import Shell

CAPTURE = str(Path(__file__).parents[2] / "captures" / "mtls12-openssl.pcap")
EDGE = """\
sip_domains = ["example.com", "two.example"]
[[host]]
fqdn = "edge01.example.com"
role = "edge"
external = ["192.0.2.20"]
[[host]]
fqdn = "sip.partner.example"
role = "partner"
addresses = ["192.0.2.10"]
"""


@pytest.fixture
def edge(tmp_path: Path) -> str:
    """A topology that names both ends of the capture."""
    path = tmp_path / "edge.toml"
    path.write_text(EDGE, encoding="ascii")
    return str(path)


def test_the_text_report_calls_servers_by_role_and_name(shell: Shell, edge: str) -> None:
    done = shell("--topology", edge, CAPTURE)
    assert done.code == 1
    assert "\n  partner sip.partner.example → edge external sip.example.com\n" in done.out
    assert "sip-domain-missing" in done.out


def test_without_a_topology_nothing_is_said(shell: Shell) -> None:
    done = shell(CAPTURE)
    assert done.code == 0
    assert "edge external" not in done.out


def test_jsonl_has_the_findings(shell: Shell, edge: str) -> None:
    lines = map(json.loads, shell("-T", "jsonl", "--topology", edge, CAPTURE).out.splitlines())
    found = [finding["rule"] for line in lines if line["type"] == "connection" for finding in line["findings"]]
    assert found == ["sip-domain-missing"]


def test_several_workers_know_the_topology_too(shell: Shell, edge: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.pcap"
    copy.write_bytes(Path(CAPTURE).read_bytes())
    done = shell("-j", "2", "-T", "jsonl", "--topology", edge, CAPTURE, str(copy))
    assert done.out.count('"sip-domain-missing"') == 2


@pytest.mark.parametrize("given", ["path", "text", "object"])
def test_python_takes_a_file_or_what_was_read_from_it(given: str, edge: str) -> None:
    topology = {"path": Path(edge), "text": edge, "object": read_topology(edge)}[given]
    result = analyzer.analyze(CAPTURE, topology=topology)  # type: ignore[arg-type]
    assert [finding.rule for finding in result.findings] == ["sip-domain-missing"]


def test_a_mistake_in_the_file_is_one_line(shell: Shell, edge: str) -> None:
    Path(edge).write_text(EDGE.replace('"edge"', '"egde"'), encoding="ascii")
    done = shell("--topology", edge, CAPTURE)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert "line 4, host 1, role: found" in done.err
    assert "did you mean: edge" in done.err


def test_a_guess_is_toml_that_can_be_given_back(shell: Shell, tmp_path: Path) -> None:
    target = tmp_path / "guess.toml"
    printed = shell("topology", CAPTURE)
    assert printed.code == 0
    assert shell("topology", "-r", CAPTURE, "-o", str(target)).out == ""
    assert target.read_text(encoding="ascii") == printed.out
    assert read_topology(str(target)).label("192.0.2.20", 5061) == "edge external sip.example.com"
    assert shell("--topology", str(target), CAPTURE).code in (0, 1)


def test_a_guess_never_overwrites(shell: Shell, edge: str) -> None:
    done = shell("topology", CAPTURE, "-o", edge)
    assert done.code == 2
    assert "never overwrites a topology" in done.err
    assert Path(edge).read_text(encoding="ascii") == EDGE


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["topology"], 2, "no capture to guess from"),
        (["topology", "missing.pcap"], 2, "missing.pcap"),
        (["topology", CAPTURE, "missing.pcap"], 3, "missing.pcap"),
        (["topology", CAPTURE, "-o", f"{CAPTURE}/x"], 2, "cannot write"),
    ],
)
def test_what_cannot_be_guessed(words: list[str], code: int, told: str, shell: Shell) -> None:
    done = shell(*words)
    assert done.code == code
    assert told in done.err


def test_a_host_judges_with_the_store_that_the_topology_names(shell: Shell, edge: str) -> None:
    """The server's own store lacks the client's root; the client's is that of --trust, which has the server's."""
    chains = [item.server_chain.chain for item in analyzer.analyze(CAPTURE) if item.server_chain]
    (other := Path(edge).with_name("other.der")).write_bytes(pki.root("CN=Elsewhere").der)
    (own := Path(edge).with_name("own.der")).write_bytes(chains[0].certificates[-1].der)
    Path(edge).write_text(EDGE.replace('role = "edge"', 'role = "edge"\ntrust = ["other.der"]'), encoding="ascii")
    done = shell("-v", "-T", "jsonl", "--trust", str(own), "--topology", edge, CAPTURE)
    told = [f["summary"] for line in map(json.loads, done.out.splitlines()) for f in line.get("findings", ())]
    found = [summary for summary in told if "trust store" in summary]
    assert [(summary.split("'s chain")[0], str(other) in summary) for summary in found] == [("the client", True)]
    assert f"{other}: certificates read: 1" in done.err
    result = analyzer.analyze(CAPTURE, trust=own, topology=edge)
    assert [f.summary for f in result.findings if f.rule == "untrusted-root"] == found


def test_a_store_of_a_host_that_is_not_there_is_said(shell: Shell, edge: str) -> None:
    Path(edge).write_text(EDGE.replace('role = "edge"', 'role = "edge"\ntrust = ["none.der"]'), encoding="ascii")
    done = shell("--topology", edge, CAPTURE)
    assert done.code == 2
    assert done.err.startswith(f"mtlscope: {edge}: trust: {Path(edge).with_name('none.der')}: no such file")
