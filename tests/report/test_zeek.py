"""-T zeek and -T zeek-json: names and types as Zeek has them, a row for every attempt, values that read back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.certificates.certificate import load
from analyzer.certificates.chain import assess
from analyzer.connection import Connection
from analyzer.report import attempt, zeek, zeek_columns, zeek_json
from analyzer.report.output import Item, OutputOptions
from analyzer.report.zeek_columns import SSL, X509, serial
from tests.build.connections import connection
from tests.cli.commands import Shell
from tests.report.logs import CAPTURES, counted, each_story, items_of, listed, output_of
from tests.report.logs import zeek_logs as logs
from tests.report.records import (
    NAMES,
    SERVER,
    everything,
    failed,
    full_summary,
    healthy,
    poisoned_item,
    repeated,
    summary,
)

LAB = str(CAPTURES / "client-untrusted-12.pcap")
ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|\\)")


def unescaped(cell: str) -> str:
    """What a reader of the log makes of a string."""
    found = ESCAPE.sub(lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1][1:], 16)]), cell.encode())
    return found.decode()


@pytest.fixture
def shell(capfd: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capfd)


def objects(items: list[Item]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output_of("zeek-json", items).splitlines()]


@pytest.mark.parametrize(("log", "columns"), [("ssl", SSL), ("x509", X509)], ids=["ssl", "x509"])
def test_columns_are_those_of_zeek(log: str, columns: tuple[Any, ...]) -> None:
    """All that Zeek always writes comes first and in its order; then what its options add; then ours."""
    known = [row for row in listed("zeek.csv") if row["log"] == log]
    ours = [(column.name, column.type) for column in columns if not column.name.startswith("mtls_")]
    assert ours == [(row["field"], row["type"]) for row in known]
    assert [column.name for column in columns][: len(known)] == [row["field"] for row in known]


@each_story
def test_json_values_have_the_types_of_the_columns(story: str) -> None:
    kinds = {"time": float, "count": int, "port": int, "bool": bool, "string": str, "addr": str}
    columns = {
        "ssl": {column.name: column.type for column in SSL},
        "x509": {column.name: column.type for column in X509},
    }
    for line in objects(items_of(story)):
        log = columns[line.pop("_path")]
        for name, value in line.items():
            if log[name].startswith("vector"):
                assert all(type(part) is str for part in value)
            else:
                assert type(value) is kinds[log[name]], name


@each_story
def test_a_row_for_every_attempt(story: str) -> None:
    items = items_of(story)
    assert len(logs(items)["ssl"]) == counted(items) > 0
    assert sum(line["_path"] == "ssl" for line in objects(items)) == counted(items)


def test_a_certificate_is_written_once_in_a_role() -> None:
    found = logs([healthy(), failed(stream=1), healthy(stream=2)])
    roles = [(row["fingerprint"], row["host_cert"], row["client_cert"]) for row in found["x509"]]
    assert len(roles) == len(set(roles)) == 4, "both leaves, and the one intermediate from either side"


def test_counted_connections_are_one_row() -> None:
    (row,) = logs([repeated()])["ssl"]
    assert (row["mtls_repeated"], row["mtls_findings"], row["id.resp_p"]) == ("400", "connection-refused", "5061")


def test_what_zeek_calls_unknown() -> None:
    conn = connection(
        "> ClientHello", "< Alert 200", version="0x7f1c", version_code=0x7F1C, cipher="0xfefe", cipher_code=0xFEFE
    )
    (row,) = logs([conn])["ssl"]
    assert (row["version"], row["cipher"], row["last_alert"]) == ("unknown-32540", "unknown-65278", "unknown-200")


@pytest.mark.parametrize(
    ("value", "kind", "cell"),
    [
        pytest.param(None, "string", "-", id="unset"),
        pytest.param("", "string", "(empty)", id="empty"),
        pytest.param("-", "string", "\\x2d", id="a text that looks unset"),
        pytest.param("(empty)", "string", "\\x28empty)", id="a text that looks empty"),
        pytest.param((), "vector[string]", "(empty)", id="empty list"),
        pytest.param(("a,b", "-"), "vector[string]", "a\\x2cb,\\x2d", id="a separator in an element"),
        pytest.param("CN=a,O=b", "string", "CN=a,O=b", id="a comma in a text is no separator"),
        pytest.param("a\tb\nc\\", "string", "a\\x09b\\x0ac\\\\", id="separator of columns, line end, backslash"),
        pytest.param("ü\u202e", "string", "\\xc3\\xbc\\xe2\\x80\\xae", id="outside ASCII"),
        pytest.param("a\udcff", "string", "a\\\\xff", id="a file name that is no UTF-8"),
        pytest.param(1_790_000_000_123_456_789, "time", "1790000000.123456", id="time"),
        pytest.param(-1_500_000_000, "time", "-1.500000", id="before 1970"),
        pytest.param(5061, "port", "5061", id="number"),
        pytest.param(True, "bool", "T", id="true"),
        pytest.param(False, "bool", "F", id="false"),
    ],
)
def test_cell(value: Any, kind: str, cell: str) -> None:
    assert zeek.cell(value, kind).decode() == cell


@given(st.text())
def test_a_text_reads_back(text: str) -> None:
    cell = zeek.cell(text, "string").decode()
    assert cell.isascii()
    assert cell.isprintable()
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert cell == "(empty)" if not text else unescaped(cell) == text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_a_list_reads_back(texts: list[str]) -> None:
    cell = zeek.cell(tuple(texts), "vector[string]").decode()
    assert ["" if part == "(empty)" else unescaped(part) for part in cell.split(",")] == texts


@pytest.mark.parametrize("hostile", ["\t", "\n#fields\tx", "-", "\x1b[2J", "\u2028", "a,b"], ids=ascii)
def test_no_text_adds_a_row_or_a_column(hostile: str) -> None:
    items = [poisoned_item(everything(), hostile), repeated(), summary()]
    assert len(logs(items)["ssl"]) == 2
    assert all(line.isascii() for line in output_of("zeek-json", items).splitlines())


def test_a_log_without_rows_has_a_header() -> None:
    text = output_of("zeek", [full_summary()]).decode()
    assert text.count("#fields\t") == text.count("#close\t") == 2


@pytest.mark.parametrize(("text", "said"), [("abc", "0ABC"), ("-1f", "-1F"), ("0", "00"), (None, None)])
def test_serial(text: str | None, said: str | None) -> None:
    assert serial(replace(load(SERVER.der), serial=text)) == said


def test_the_same_times_in_both() -> None:
    outs = (BytesIO(), BytesIO())
    zeek_json.write_files([healthy()], outs, OutputOptions())
    assert b"_path" not in outs[0].getvalue() + outs[1].getvalue()
    assert json.loads(outs[0].getvalue())["ts"] == 1_790_000_000.0


@pytest.mark.parametrize("name", ["zeek", "zeek-json"])
def test_into_a_folder(name: str, shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "logs"
    assert shell(LAB, "-T", name, "-o", f"{folder}/", "--fail-on", "never").out == ""
    assert sorted(path.name for path in folder.iterdir()) == ["ssl.log", "x509.log"]
    assert shell(LAB, "-T", name, "-o", str(folder), "--fail-on", "never").code == 0, "a folder that is there"
    assert all(path.stat().st_size for path in folder.iterdir())


def test_a_folder_only_for_outputs_of_several_files(shell: Shell, tmp_path: Path) -> None:
    assert shell(LAB, "-T", "csv", "-o", str(tmp_path)).code == 2


def test_a_folder_that_cannot_be_made(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = shell(LAB, "-T", "zeek", "-o", f"{tmp_path}/file/")
    assert said.code == 2
    assert "cannot make the folder" in said.err


def test_rows_are_seen_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(zeek, "monotonic", lambda: next(clock))
    seen: list[int] = []

    class Sink(BytesIO):
        def flush(self) -> None:
            seen.append(self.tell())

    zeek.write([healthy(), healthy(stream=1)], Sink(), OutputOptions())
    assert len(seen) > 2


@pytest.mark.parametrize("output", [zeek, zeek_json])
def test_no_row_of_a_live_run_waits_for_the_next_one(output: ModuleType) -> None:
    class Sink(BytesIO):
        flushed = 0

        def flush(self) -> None:
            self.flushed = self.tell()

    outs = (Sink(), Sink())

    def items() -> Iterator[Connection]:
        for stream in range(3):
            yield healthy(stream=stream)
            assert outs[0].flushed == outs[0].tell() > 0
            assert outs[1].flushed == outs[1].tell() > 0

    output.write_files(items(), outs, OutputOptions(prompt=True))


def test_memory_of_certificates_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zeek_columns, "WRITTEN", 1)
    found = logs([healthy(), healthy(stream=1)])
    assert len(found["x509"]) == 8, "written twice rather than remembered"


def test_memory_of_ca_lists_is_bounded() -> None:
    lists = [replace(NAMES, id=f"list {place}") for place in range(2 * attempt.LISTS)]
    found = logs([healthy(request=names, stream=place) for place, names in enumerate(lists)])
    told = {row["requested_client_certificate_authorities"] for row in found["ssl"]}
    assert told == {"CN=Root CA,CN=Issuing CA"}
    assert len(attempt._lists) <= attempt.LISTS


def test_another_list_under_the_same_id() -> None:
    other = replace(NAMES, names=NAMES.names[::-1])
    found = logs([healthy(request=NAMES), healthy(request=other)])["ssl"]
    told = [row["requested_client_certificate_authorities"] for row in found]
    assert told == ["CN=Root CA,CN=Issuing CA", "CN=Issuing CA,CN=Root CA"]


def test_a_certificate_that_cannot_be_read() -> None:
    conn = healthy(server_chain=assess((b"no certificate",)))
    row = logs([conn])["x509"][0]
    assert {
        row[f"certificate.{name}"] for name in ("version", "serial", "key_alg", "key_type", "key_length", "curve")
    } == {"-"}
