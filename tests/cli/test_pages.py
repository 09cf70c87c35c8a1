"""Commands that talk about the program itself, and the pages made from the code."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from analyzer.cli import analyze, docs, doctor
from analyzer.report import fields, outputs
from analyzer.rules import catalogue
from tests.cli.commands import Shell

USERS_EXTRAS = ("tui", "parquet", "sql", "report", "metrics")
"""Extras that options of the command line need."""


def test_rules_lists_every_rule(shell: Shell) -> None:
    told = shell("rules").out
    for entry in catalogue():
        assert f"  {entry.id} " in told
        assert entry.rule.title in told


def test_explain_prints_the_page(shell: Shell) -> None:
    entry = catalogue()[0]
    assert shell("explain", entry.id).out == entry.page()


def test_explain_takes_several(shell: Shell) -> None:
    first, second = catalogue()[:2]
    assert shell("explain", first.id, second.id).out == first.page() + second.page()


def test_fields_explains_every_key(shell: Shell) -> None:
    told = shell("fields").out
    for row in fields.rows():
        assert f"  {row.path} " in told


def test_fields_of_one_word(shell: Shell) -> None:
    told = shell("fields", "closed").out
    assert "closed.how" in told
    assert "server_name" not in told


def test_fields_are_found_by_their_meaning_too(shell: Shell) -> None:
    told = shell("fields", "sni").out
    assert "client_hello.server_name" in told
    assert "ech " not in told  # "esni" is another word


def test_every_key_that_needs_it_has_a_meaning() -> None:
    plain = [row.path for row in fields.rows() if not row.meaning and row.type in ("object", "string or null")]
    assert len(plain) < 20, plain


@pytest.mark.parametrize(
    "name",
    [
        *("README.md", "docs/rules.md", "docs/fields.md", "docs/schema/mtlscope-1.schema.json"),
        *("docs/mtlscope.1", "analyzer/rules/index.py"),
    ],
)
def test_generated_pages_are_up_to_date(name: str) -> None:
    path = docs.ROOT / name
    assert path.read_text(encoding="utf-8") == docs.pages()[path], f"{name} is old: run `make docs`"


def test_doctor_says_what_is_there(shell: Shell) -> None:
    done = shell("doctor")
    assert done.code == 0
    assert "ok       Python 3." in done.out
    assert "ok       numpy" in done.out


def test_doctor_says_how_to_get_what_is_missing(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)

    def version(name: str) -> str:
        if name in ("pandas", "numpy"):
            raise metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr("analyzer.cli.doctor.metadata.version", version)
    done = shell("doctor")
    assert done.code == 2
    assert "MISSING  numpy: nothing works without it; python -m pip install numpy" in done.out
    assert "without  pandas: needed for data frames" in done.out
    assert "without  dumpcap" in done.out


def test_doctor_knows_what_every_option_may_need() -> None:
    extras = tomllib.loads((docs.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    of_users = [extras["dependencies"], *(extras["optional-dependencies"][name] for name in USERS_EXTRAS)]
    named = {re.split(r"[>=\[]", package)[0] for packages in of_users for package in packages}
    assert named == set(doctor.dependencies())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param("TShark (Wireshark) 4.0.17 (Git)", "4.0.17", id="a version"),
        pytest.param("no number", "at /bin/tshark", id="no version"),
        pytest.param(None, "at /bin/tshark, which does not answer", id="it hangs"),
    ],
)
def test_tools_that_answer_oddly(said: str | None, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*words: Any, **how: Any) -> subprocess.CompletedProcess[str]:
        if said is None:
            raise subprocess.TimeoutExpired("tshark", 1)
        return subprocess.CompletedProcess([], 0, said, "")

    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr("analyzer.cli.doctor.subprocess.run", answer)
    assert doctor.tools()["tshark"] == told


@pytest.mark.parametrize(("system", "advice"), [("win32", "wireshark.org"), ("darwin", "brew"), ("linux", "apt")])
def test_how_to_get_tools_depends_on_the_system(system: str, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.cli.doctor.sys.platform", system)
    assert advice in doctor._get()


def test_make_docs_writes_only_what_differs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "README.md").write_text("no sample here", encoding="utf-8")
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    assert docs.main() == 0
    assert "wrote docs/fields.md" in capsys.readouterr().out.replace("\\", "/")
    assert docs.main() == 0
    assert capsys.readouterr().out == ""


LINK = re.compile(r"\]\((?!https?:)([^)#]*)(#[^)]*)?\)")
PAGES = sorted([*docs.ROOT.glob("*.md"), *(docs.ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(docs.ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target, _anchor in LINK.findall(page.read_text(encoding="utf-8")):
        assert not target or (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_names_every_output_and_only_options_that_exist() -> None:
    readme = (docs.ROOT / "README.md").read_text(encoding="utf-8")
    for name in outputs():
        assert f"| `{name}` |" in readme
    known = {option for action in analyze._parser()._actions for option in action.option_strings}
    lines = [line for line in readme.splitlines() if line.startswith("mtlscope ") or "`--" in line]
    used = {word for line in lines for word in re.findall(r"(?<![\w-])--[a-z-]+", line)}
    assert used <= known


def test_contributing_names_rooms_that_exist() -> None:
    told = (docs.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for name in re.findall(r"`((?:[a-z_]+/)*[a-z_]+(?:\.py|/))`", told):
        places = (docs.ROOT, docs.ROOT / "analyzer")
        assert any((place / name).exists() for place in places), f"CONTRIBUTING.md names {name}"
