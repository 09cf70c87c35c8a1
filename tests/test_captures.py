"""Each capture under captures/ against what is known of it, because we made it: its .toml says what must be found.

`captures/expected.csv` holds how often each rule fires on each capture: a change of a rule shows there as a diff.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from analyzer.connection import Connection
from analyzer.findings import Finding, Severity
from analyzer.pipeline import Options, Run
from analyzer.report.output import Item
from analyzer.rules import ids
from analyzer.summary import CaptureSummary
from analyzer.topology.reading import read_topology
from captures.makers.case import TOPOLOGY, Across, Expected, notes_in, read_across, read_toml, stem
from captures.makers.table import BEGIN, END, table

KEPT = Path(__file__).parent.parent / "captures"
CAPTURES = Path(os.environ.get("MTLSCOPE_CAPTURES", KEPT))
"""Another folder, to check a set that was made anew."""
EXPECTED = KEPT / "expected.csv"
SUFFIXES = {".pcap", ".pcapng", ".cap", ".gz"}
LARGEST, LARGEST_OF_ALL = 150_000, 6_000_000  # bytes


FILES = sorted(path for path in CAPTURES.rglob("*") if path.suffix in SUFFIXES)
NOTES = notes_in(CAPTURES)


def capture_of(notes: Path) -> Path:
    """The capture beside a .toml; the folder, if it holds a ring."""
    same = [path for path in FILES if path.parent == notes.parent and stem(path.name) == notes.stem]
    return same[0] if same else notes.parent


def title(notes: Path) -> str:
    """The name of a capture in test ids and in expected.csv."""
    return capture_of(notes).relative_to(CAPTURES).as_posix()


def options_for(path: Path) -> Options:
    """With the topology beside the capture, if there is one."""
    topology = path.with_name(f"{stem(path.name)}{TOPOLOGY}")
    return Options(topology=read_topology(str(topology))) if topology.exists() else Options()


@cache
def analysed(path: Path) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """All items of one capture, and what the run could not read or caught of our bugs."""
    run = Run([str(path)], options_for(path))
    items = tuple(run)
    return items, (*run.errors, *run.crashes)


def connections(path: Path) -> dict[int, Connection]:
    """By stream number."""
    return {item.stream: item for item in analysed(path)[0] if isinstance(item, Connection)}


def summary(path: Path) -> CaptureSummary:
    """What is said of the whole capture."""
    (whole,) = [item for item in analysed(path)[0] if isinstance(item, CaptureSummary)]
    return whole


def worst(findings: Iterable[Finding]) -> dict[str, str]:
    """Rule -> its worst severity."""
    ordered = sorted(findings, key=lambda finding: -finding.severity.rank)
    return {finding.rule: str(finding.severity) for finding in ordered}


def wrong_facts(expected: Expected, conn: Connection) -> Iterator[str]:
    """What the record says and the maker knows better."""
    pairs = {
        "outcome": (expected.outcome or None, str(conn.outcome)),
        "version": (expected.version, conn.version),
        "server_name": (expected.server_name, conn.server_name),
        "server_certificate_state": (expected.server_certificate_state, conn.server_certificate_state),
        "client_certificate_state": (expected.client_certificate_state, conn.client_certificate_state),
        "resumed": (expected.resumed, conn.resumed),
    }
    for name, (wanted, found) in pairs.items():
        if wanted is not None and wanted != found:
            yield f"{name} is {found}, not {wanted}"
    if expected.preamble and expected.preamble.lower() not in (conn.preamble or "").lower():
        yield f"preamble is {conn.preamble}, not {expected.preamble}"
    clear = tuple((str(alert.side), alert.code) for alert in conn.alerts if not alert.encrypted)
    if expected.alerts is not None and clear != expected.alerts:
        yield f"alerts in clear are {clear}, not {expected.alerts}"


def wrong_rules(expected: Expected | Across, findings: Iterable[Finding]) -> Iterator[str]:
    """Findings that are missing, too many, or of another severity."""
    found = worst(findings)
    for rule, severity in expected.expect.items():
        if found.get(rule) not in severity.split(" or "):
            yield f"{rule} is {found.get(rule, 'silent')}, not {severity}"
    for rule, severity in found.items():
        allowed = rule in expected.expect or rule in expected.may or severity == Severity.NOTE
        if rule in expected.never or not allowed:
            yield f"{rule} fires ({severity}) and must not"


def wrong_findings(expected: Expected, conn: Connection) -> Iterator[str]:
    """Of one connection: the wrong rules, or the wrong order."""
    yield from wrong_rules(expected, conn.findings)
    if expected.firsts:
        first = conn.findings[0].rule if conn.findings else "none"
        if first not in expected.firsts:
            yield f"the first finding is {first}, not {' or '.join(expected.firsts)}"


def wrong_diagnosis(expected: Expected, conn: Connection) -> Iterator[str]:
    """A diagnosis exists exactly where something is wrong, and it is not a note."""
    troubled = any(finding.severity == Severity.ERROR for finding in conn.findings)
    if troubled and not conn.diagnosis:
        yield "no diagnosis"
    if expected.outcome == "established" and not troubled and not conn.findings and conn.diagnosis:
        yield f"a diagnosis of a healthy connection: {conn.diagnosis}"


@pytest.mark.parametrize("notes", NOTES, ids=title)
def test_capture_shows_what_it_was_made_to_show(notes: Path) -> None:
    expectations = read_toml(notes)
    path = capture_of(notes)
    found = connections(path)
    complaints = list(analysed(path)[1])
    if missing := {item.stream for item in expectations} ^ set(found):
        complaints.append(f"connections expected or found, but not both: {sorted(missing)}")
    for expected in expectations:
        if conn := found.get(expected.stream):
            for check in (wrong_facts, wrong_findings, wrong_diagnosis):
                complaints += [f"connection {conn.stream}: {text}" for text in check(expected, conn)]
    complaints += [f"across connections: {text}" for text in wrong_rules(read_across(notes), summary(path).findings)]
    assert not complaints, "\n".join([title(notes), *complaints])


@pytest.mark.parametrize("notes", NOTES, ids=title)
def test_packets_are_conserved(notes: Path) -> None:
    whole = summary(capture_of(notes))
    assert whole.packets == whole.decoded + sum(whole.reasons.values())


@pytest.mark.parametrize("notes", [item for item in NOTES if item.parent.name == "formats"], ids=title)
def test_every_format_tells_the_same_story(notes: Path) -> None:
    first = connections(CAPTURES / "formats" / "pcap-us-little.pcap")[0]
    other = connections(capture_of(notes))[0]
    assert worst(other.findings) == worst(first.findings)
    assert [step.name for step in other.steps] == [step.name for step in first.steps]
    assert other.ssl_history == first.ssl_history


def test_every_capture_has_notes_and_is_small() -> None:
    told = {capture_of(notes) for notes in NOTES}
    assert [path for path in FILES if path not in told and path.parent not in told] == []
    sizes = [path.stat().st_size for path in FILES]
    assert max(sizes) <= LARGEST
    assert sum(sizes) <= LARGEST_OF_ALL


def test_every_note_names_rules_that_exist() -> None:
    known = set(ids())
    for notes in NOTES:
        for expected in read_toml(notes):
            assert {*expected.firsts, *named(expected)} <= known, notes
        assert named(read_across(notes)) <= known, notes


def named(expected: Expected | Across) -> set[str]:
    """All rules that an expectation speaks of."""
    return {*expected.expect, *expected.may, *expected.never}


def test_every_rule_has_a_capture_that_shows_it() -> None:
    shown = {rule for notes in NOTES for expected in read_toml(notes) for rule in expected.expect}
    shown |= {rule for notes in NOTES for rule in read_across(notes).expect}
    assert set(ids()) - shown == set()


@pytest.mark.skipif(CAPTURES != KEPT, reason="README.md tells of the captures that are kept")
def test_the_table_in_the_readme_is_of_these_captures() -> None:
    """`python -m captures.make --notes` writes it."""
    text = (KEPT / "README.md").read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0] == table(KEPT, NOTES)


def test_counts_of_findings(request: pytest.FixtureRequest) -> None:
    """Rewrite with `pytest --update-golden`, then read the diff."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for notes in NOTES:
        for conn in connections(capture_of(notes)).values():
            counts.update((title(notes), finding.rule, str(finding.severity)) for finding in conn.findings)
        across = summary(capture_of(notes)).findings
        counts.update((title(notes), finding.rule, str(finding.severity)) for finding in across)
    lines = ["capture,rule,severity,count", *(",".join((*key, str(counts[key]))) for key in sorted(counts))]
    text = "\n".join(lines) + "\n"
    if request.config.getoption("--update-golden"):
        EXPECTED.write_text(text, encoding="utf-8", newline="")
    assert text == EXPECTED.read_text(encoding="utf-8")
