"""Settings: which one wins, what a mistake is told as, and that a run takes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.cli import settings
from analyzer.cli.analyze import _parser
from analyzer.cli.settings import SETTINGS, in_force, user_file, variable
from analyzer.errors import UsageError
from tests.cli.commands import Shell
from tests.cli.test_analyze import PCAP


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, below one where the project's file goes; the user's file goes into "home"."""
    here = tmp_path / "project" / "deep" / "deeper"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("APPDATA", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", "")
    return here


def user(text: str) -> None:
    import os

    path = user_file(os.environ)
    assert path is not None
    path.parent.mkdir(parents=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("of_user", "of_project", "of_variable", "words", "winner"),
    [
        pytest.param(None, None, None, [], "error", id="nothing is set: the default"),
        pytest.param("note", None, None, [], "note", id="the user's file"),
        pytest.param("note", "never", None, [], "never", id="the project's file wins over the user's"),
        pytest.param("note", "never", "warning", [], "warning", id="a variable wins over both"),
        pytest.param("note", "never", "", [], "never", id="an empty variable is none"),
        pytest.param(
            "note", "never", "warning", ["--fail-on", "error"], "error", id="an option wins, also the default's"
        ),
        pytest.param("note", "never", "warning", ["--no-config"], "error", id="--no-config leaves all out"),
    ],
)
def test_what_wins(
    of_user: str | None,
    of_project: str | None,
    of_variable: str | None,
    words: list[str],
    winner: str,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if of_user is not None:
        user(f'fail-on = "{of_user}"')
    if of_project is not None:
        (project.parent.parent / "mtlscope.toml").write_text(f'fail-on = "{of_project}"')
    if of_variable is not None:
        monkeypatch.setenv("MTLSCOPE_FAIL_ON", of_variable)
    assert _parser().parse(["x.pcap", *words]).fail_on == winner


def test_the_nearest_project_file_counts_alone(project: Path) -> None:
    (project.parent.parent / "mtlscope.toml").write_text('quiet = true\ncolor = "never"')
    (project / "mtlscope.toml").write_text('color = "always"')
    assert {name: one.value for name, one in in_force().items()} == {"color": "always"}


def test_files_are_joined_setting_by_setting(project: Path) -> None:
    user('color = "never"\nworkers = 2')
    (project / "mtlscope.toml").write_text("workers = 3")
    assert {name: one.value for name, one in in_force().items()} == {"color": "never", "workers": 3}


def test_an_option_that_may_be_repeated_replaces_the_setting(project: Path) -> None:
    (project / "mtlscope.toml").write_text('trust = ["."]')
    assert _parser().parse(["x"]).trust == [str(project)]
    assert _parser().parse(["x", "--trust", "a", "--trust", "b"]).trust == ["a", "b"]


def test_paths_start_from_the_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = project.parent.parent
    (top / "roots").mkdir()
    (top / "hosts.toml").write_text("")
    (top / "mtlscope.toml").write_text('trust = ["client=roots", "roots"]\ntopology = "hosts.toml"')
    found = in_force()
    assert found["trust"].value == [f"client={top / 'roots'}", str(top / "roots")]
    assert found["topology"].value == str(top / "hosts.toml")


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("ports = [5061, 443]", "ports", "5061,443"),
        ("ports = 5061", "ports", "5061"),
        ('ports = "any"', "ports", "any"),
        ('timezone = "+02:00"', "timezone", "+02:00"),
        ('format = "jsonl"', "format", "jsonl"),
        ("progress = false", "progress", True),
        ("each = true", "each", True),
    ],
)
def test_what_a_setting_may_be(line: str, name: str, value: settings.Value, project: Path) -> None:
    (project / "mtlscope.toml").write_text(f"# a comment\n\n{line}\n")
    assert in_force()[name] == settings.InForce(value, f"{project / 'mtlscope.toml'} line 3")


@pytest.mark.parametrize(
    ("key", "text", "name", "value"),
    [
        ("MTLSCOPE_PORTS", "5061, 443", "ports", "5061,443"),
        ("MTLSCOPE_WORKERS", "4", "workers", 4),
        ("MTLSCOPE_QUIET", "yes", "quiet", True),
        ("MTLSCOPE_PROGRESS", "0", "progress", True),
    ],
)
def test_what_a_variable_may_be(key: str, text: str, name: str, value: settings.Value, project: Path) -> None:
    assert in_force({key: text}, project) == {name: settings.InForce(value, key)}


def test_variables_of_others_are_none_of_our_business(project: Path) -> None:
    assert in_force({"MTLSCOPE_CORPUS": "x", "MTL": "y"}, project) == {}


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        pytest.param('\nfail-on = "warn"', " line 2", "fail-on is 'warn'; expected one of", id="a wrong word"),
        pytest.param('\nfail-on = "warn"', " line 2", "did you mean: warning", id="and the nearest right one"),
        pytest.param("fail_on = 1", " line 1", "no setting called 'fail_on'; did you mean: fail-on", id="another name"),
        pytest.param("zzz = 1", " line 1", "no setting called 'zzz'; there are ports, ", id="no name at all"),
        pytest.param("[output]\nfile = 1", " line 1", "no setting called 'output'", id="a table"),
        pytest.param("a.b = 1", " line 1", "no setting called 'a'", id="a dotted key"),
        pytest.param("ports = [70000]", " line 1", "ports is [70000]; expected ports such as", id="no port"),
        pytest.param("ports = true", " line 1", "ports is true; expected", id="not even a number"),
        pytest.param("ports = []", " line 1", "ports is []; expected", id="no ports at all"),
        pytest.param("workers = 0", " line 1", "workers is 0; expected a number of at least 1", id="too few"),
        pytest.param("workers = true", " line 1", "workers is true; expected a number", id="a truth is no number"),
        pytest.param("quiet = 1", " line 1", "quiet is 1; expected true or false", id="a number is no truth"),
        pytest.param('timezone = "Europe/Berln"', " line 1", "did you mean: Europe/Berlin", id="a misspelt zone"),
        pytest.param("timezone = 2", " line 1", "timezone is 2; expected a text", id="a number is no zone"),
        pytest.param('trust = ["no"]', " line 1", "expected a file or folder that is there", id="no such store"),
        pytest.param('topology = "\\u0000"', " line 1", "topology is '\\x00'; expected", id="no path at all"),
        pytest.param(f'topology = "{"x" * 5000}"', " line 1", "expected a file or folder", id="too long a path"),
        pytest.param('topology = "~no-such-user/x"', " line 1", "expected a file or folder", id="no such user"),
        pytest.param("x = = 2", " line 1, column 5", "no TOML: Invalid value", id="no TOML"),
        pytest.param("a = " + "[" * 5000, "", "no TOML", id="too deep"),
        pytest.param('"\\u001b[31m" = 1', " line 1", "no setting called '\\x1b[31m'", id="a hostile name"),
        pytest.param("#" * (2**20 + 1), "", "larger than 1 MB", id="too large"),
        pytest.param(b"# \xff", "", "byte 2 is no UTF-8", id="no UTF-8"),
    ],
)
def test_a_mistake_is_told_in_one_line(text: str | bytes, place: str, told: str, project: Path, shell: Shell) -> None:
    path = project / "mtlscope.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    for words in (("config",), ("x.pcap",), ("diff", "a", "b")):
        done = shell(*words)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"mtlscope: {path}{place}: ")
        assert told in done.err
        assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("key", "text", "told"),
    [
        ("MTLSCOPE_FAIL_ON", "warn", "environment: MTLSCOPE_FAIL_ON is 'warn'; expected one of"),
        ("MTLSCOPE_FAILON", "error", "no variable called 'MTLSCOPE_FAILON'; did you mean: MTLSCOPE_FAIL_ON"),
        ("MTLSCOPE_WORKERS", "many", "MTLSCOPE_WORKERS is 'many'; expected a number of at least 1"),
    ],
)
def test_a_mistake_in_a_variable(key: str, text: str, told: str, project: Path) -> None:
    with pytest.raises(UsageError) as caught:
        in_force({key: text}, project)
    assert told in str(caught.value)


def test_a_mistake_does_not_matter_without_configuration(project: Path, shell: Shell) -> None:
    (project / "mtlscope.toml").write_text("zzz = 1")
    assert "no such file" in shell("--no-config", "gone.pcap").err.lower()


@pytest.mark.parametrize(
    ("environ", "platform", "path"),
    [
        ({"HOME": "/h"}, "linux", Path("/h/.config/mtlscope/config.toml")),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/c"}, "linux", Path("/c/mtlscope/config.toml")),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "relative"}, "linux", Path("/h/.config/mtlscope/config.toml")),
        ({"HOME": "/h"}, "darwin", Path("/h/Library/Application Support/mtlscope/config.toml")),
        ({"APPDATA": "/a"}, "win32", Path("/a/mtlscope/config.toml")),
        ({}, "linux", None),
        ({}, "win32", None),
        ({}, "darwin", None),
    ],
)
def test_where_the_users_file_belongs(environ: dict[str, str], platform: str, path: Path | None) -> None:
    assert user_file(environ, platform) == path


def test_config_says_what_is_in_force_and_from_where(
    project: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "mtlscope.toml").write_text('progress = false\ntrust = ["server=."]\n')
    monkeypatch.setenv("MTLSCOPE_COLOR", "never")
    lines = {line.split()[0]: line.split()[1:] for line in shell("config").out.splitlines() if line}
    assert lines["progress"] == ["false", str(project / "mtlscope.toml"), "line", "1"]
    assert lines["trust"] == [f"server={project}", str(project / "mtlscope.toml"), "line", "2"]
    assert lines["color"] == ["never", "MTLSCOPE_COLOR"]
    assert lines["fail-on"] == ["error", "default"]
    assert set(SETTINGS) <= set(lines)


def test_a_run_takes_settings_and_says_so(project: Path, shell: Shell) -> None:
    (project / "mtlscope.toml").write_text('format = "jsonl"\nfail-on = "never"')
    (project / "a.pcap").write_bytes(PCAP)
    done = shell("-v", "--fail-on", "note", "a.pcap")
    assert done.out.startswith('{"schema":"mtlscope/1"')
    assert f"setting format from {project / 'mtlscope.toml'} line 1" in done.err
    assert "setting fail-on" not in done.err
    assert shell("--no-config", "a.pcap").out[:1] != "{"


def test_every_setting_is_an_option_of_analyze_and_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/configuration.md").read_text()
    options = {option: action for action in _parser()._actions for option in action.option_strings}
    for name, setting in SETTINGS.items():
        assert options[setting.option].dest == setting.dest
        assert f"| `{name}` | `{variable(name)}` | `{setting.option}` |" in page


def test_a_place_that_cannot_be_looked_at_holds_no_settings(project: Path) -> None:
    """As a home that belongs to somebody else, which root may enter in a test."""
    assert in_force({"HOME": "/" + "x" * 300}, project / ("y" * 300)) == {}
