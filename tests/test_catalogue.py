"""The catalogue is complete, documented and tested: every rule file, every page, every test table."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import ModuleType

import pytest

from analyzer import rules
from analyzer.connection import Seen
from analyzer.rules.entries import modules

EXPECTED = {
    "transport": {
        "connection-refused",
        "connection-timeout",
        "health-probe",
        "reset-during-handshake",
        "closed-during-handshake",
        "reset-after-handshake",
        "idle-reset",
        "handshake-timeout",
        "path-mtu-black-hole",
        "zero-window",
        "reset-injected",
    },
    "capture": {"capture-truncated", "capture-one-sided", "capture-gap", "capture-mid-stream"},
    "negotiation": {
        "not-tls",
        "ms-turn-pseudo-tls",
        "sslv2-client-hello",
        "version-mismatch",
        "no-shared-cipher",
        "sni-missing",
        "sni-unrecognized",
        "session-resumed",
        "hello-retry",
        "message-over-limit",
        "signature-scheme-mismatch",
        "dhe-leading-zero",
    },
    "alert": {"tls-alert", "encrypted-alert"},
    "client_auth": {
        "ca-list-truncated",
        "ca-list-too-long",
        "ca-list-empty",
        "client-issuer-not-in-ca-list",
        "client-certificate-missing",
        "client-certificate-rejected",
        "ca-list-polluted",
        "ca-list-names-intermediate",
        "client-certificate-not-requested",
        "renegotiated-client-auth",
        "revocation-stall",
    },
    "certificate": {
        "certificate-expired",
        "certificate-not-yet-valid",
        "self-signed",
        "certificate-expiring",
        "eku-missing",
        "key-usage-missing",
        "crl-missing",
        "crl-ldap-only",
        "weak-key",
        "weak-signature",
        "rsa-pss-signature",
        "certificate-unreadable",
    },
    "chain": {
        "server-chain-incomplete",
        "client-chain-incomplete",
        "chain-order",
        "root-sent",
        "untrusted-root",
        "chain-link-broken",
        "chain-unrelated-certificate",
        "chain-constraint-violated",
    },
    "names": {
        "server-name-mismatch",
        "cn-not-in-san",
        "wildcard-on-sip",
        "wildcard-before-fqdn",
        "short-name",
        "san-too-large",
    },
    "deployment": {
        "role-name-missing",
        "sip-domain-missing",
        "edge-internal-san",
        "certificate-shared-across-roles",
        "clock-skew",
        "federation-srv-cname",
        "federation-srv-outside-domain",
        "old-and-new-certificate",
        "pool-members-differ",
    },
}
"""The ids are a promise: none may vanish or change."""

TESTS = Path(__file__).parent / "rules"
MODULES = list(modules())
NAMES = [module.__name__.removeprefix("analyzer.rules.") for _, module in MODULES]

HITS = {"hit", "error", "warning", "note"}
SILENT = {"clear", "silent", "does not apply"}
BLIND = {"cannot_tell", "cannot tell"}
"""How test tables name their rows: by a helper (`hit(...)`) or by the expected answer ("error")."""

NUMBERS_FINE = frozenset(range(256))
"""Above this a number in a rule is a port, a code or a limit: rows of `knowledge`, or a named constant of tls/names.py."""
DOTTED = re.compile(r"^[0-2](\.\d+){3,}$")

each_rule = pytest.mark.parametrize(("family", "module"), MODULES, ids=NAMES)


def test_the_catalogue_is_what_was_promised() -> None:
    found: dict[str, set[str]] = {}
    for entry in rules.catalogue():
        found.setdefault(entry.family, set()).add(entry.id)
    assert found == EXPECTED


def test_the_catalogue_is_sorted_and_can_be_searched() -> None:
    ids = rules.ids()
    assert list(ids) == sorted(ids)
    for rule_id in ids:
        entry = rules.find(rule_id)
        assert entry is not None
        assert entry.id == rule_id
        assert rules.page(rule_id) == entry.page()
    assert rules.find("no-such-rule") is None


@each_rule
def test_the_file_is_what_a_rule_file_must_be(family: str, module: ModuleType) -> None:
    assert rules.problems(module) == []


@each_rule
def test_the_page_can_be_read_alone(family: str, module: ModuleType) -> None:
    page = rules.page(module.RULE.id)
    first = (module.__doc__ or "").splitlines()[0]
    assert first.endswith("."), "the first line is one whole sentence"
    for heading in ("What it does", "Why it matters", "What to do", "When it cannot tell", "References"):
        body = page.split(f"## {heading}\n", 1)[1].split("\n## ")[0]
        assert len(body.split()) >= 2, f"nothing under {heading!r}"


@each_rule
def test_needs_are_facts_of_a_record(family: str, module: ModuleType) -> None:
    for need in module.RULE.needs:
        assert isinstance(need, Seen)
        assert need, "an empty need is always there"


@each_rule
def test_no_code_port_or_identifier_is_written_into_a_rule(family: str, module: ModuleType) -> None:
    assert module.__file__ is not None
    for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | str) and not isinstance(node.value, bool):
            if isinstance(node.value, int):
                assert node.value in NUMBERS_FINE, f"line {node.lineno}: {node.value} belongs into knowledge"
            else:
                assert not DOTTED.match(node.value), f"line {node.lineno}: {node.value} belongs into knowledge"


@each_rule
def test_every_rule_has_hits_silent_cases_and_cases_it_cannot_tell(family: str, module: ModuleType) -> None:
    rule_id = module.RULE.id
    path = TESTS / family / f"test_{rule_id.replace('-', '_')}.py"
    assert path.exists(), f"no tests: {path}"
    words = vocabulary(path)
    assert rule_id in words, "the test names the rule"
    assert words & HITS, "no case in which the rule speaks"
    assert words & SILENT, "no case in which it is silent"
    never = "## When it cannot tell\nNever" in (module.__doc__ or "")
    assert never or words & BLIND, "no case that it cannot tell"


def vocabulary(path: Path) -> set[str]:
    """Every string and every called name of a test file."""
    words = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.add(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            words.add(node.func.id)
    return words


def test_every_test_table_belongs_to_a_rule() -> None:
    for family in EXPECTED:
        tested = {path.stem.removeprefix("test_").replace("_", "-") for path in (TESTS / family).glob("test_*.py")}
        assert tested == EXPECTED[family], f"in {family}"
