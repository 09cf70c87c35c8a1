"""The notebooks run from top to bottom, use nothing but the public API, and are kept without outputs; and their plots."""

from __future__ import annotations

import ast
import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer import knowledge
from analyzer.connection import Connection

pytest.importorskip("plotly", reason="needs plotly: python -m pip install '.[notebooks]'")
pytest.importorskip("pandas", reason="needs pandas")

import pandas as pd

from notebooks import plots
from notebooks.far_end import far_end, packets
from notebooks.sentences import table

FOLDER = Path(plots.__file__).parent
CAPTURES = FOLDER.parent / "captures"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LARGEST = 20_000  # bytes of a notebook without outputs
MINUTES = 3

each = pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in NOTEBOOKS])


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    """The cells of one kind."""
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def connection(name: str) -> Connection:
    """The first connection of a capture."""
    return next(iter(analyzer.analyze(CAPTURES / f"{name}.pcap")))


def test_there_are_five_stories() -> None:
    assert len(NOTEBOOKS) == 5


@each
def test_a_notebook_is_kept_small_and_without_outputs(path: Path) -> None:
    whole = json.loads(path.read_text(encoding="utf-8"))
    assert path.stat().st_size <= LARGEST
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells(path, "code"))
    assert set(whole["metadata"]) <= {"kernelspec", "language_info"}, "what an editor added says something of a machine"
    assert whole["metadata"]["language_info"] == {"name": "python"}
    assert all(cell["metadata"] == {} for cell in whole["cells"])


@each
def test_a_notebook_tells_a_story(path: Path) -> None:
    first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
    assert first["cell_type"] == "markdown"
    assert first["source"][0].startswith("# ")
    assert len(cells(path, "markdown")) >= 4


@each
def test_only_the_public_api_is_used(path: Path) -> None:
    for node in ast.walk(ast.parse("\n\n".join("".join(cell["source"]) for cell in cells(path, "code")))):
        if isinstance(node, ast.Import):
            assert not [name.name for name in node.names if name.name.startswith("analyzer.")]
        if isinstance(node, ast.ImportFrom):
            assert not (node.module or "").startswith("analyzer")
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_")
            if isinstance(node.value, ast.Name) and node.value.id == "analyzer":
                assert node.attr in analyzer.__all__


@each
@pytest.mark.filterwarnings("default")
def test_a_notebook_runs(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="needs nbformat: python -m pip install '.[notebooks]'")
    nbclient = pytest.importorskip("nbclient", reason="needs nbclient: python -m pip install '.[notebooks]'")
    pytest.importorskip("ipykernel", reason="needs ipykernel: python -m pip install '.[notebooks]'")
    monkeypatch.delenv("PLOTLY_RENDERER", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parent) + os.pathsep + os.environ.get("PYTHONPATH", ""))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=60 * MINUTES, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    ).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output["text"] for output in shown if output.get("name") == "stderr"] == []
    drawn = [output["data"] for output in shown if "application/vnd.plotly.v1+json" in output.get("data", {})]
    assert drawn
    assert all("Plotly.newPlot" in data["text/html"] for data in drawn), "a page made from it shows the plots as well"


# The plots.


def test_the_limits_are_those_of_the_rules() -> None:
    assert knowledge.limit("schannel_ca_list_2003") == plots.SCHANNEL_2003
    assert knowledge.limit("schannel_ca_list") == plots.SCHANNEL
    assert knowledge.limit("ca_list_band") == plots.BAND


def test_the_time_line_has_a_row_for_each_connection() -> None:
    figure = plots.time_line([connection("mtls12-openssl"), connection("mtls12-openssl")])
    rows = {row for trace in figure.data for row in trace.y}
    assert len(rows) == 2
    assert {trace.name for trace in figure.data} >= {"TCP", "ClientHello", "server's handshake", "client's handshake"}


def test_a_logarithmic_time_line_has_no_zero() -> None:
    figure = plots.time_line([connection("mtls12-openssl")], log=True)
    assert min(value for trace in figure.data for value in trace.x) > 0


def test_flights_follow_each_other_without_overlap() -> None:
    found = plots.flights(connection("client-chain-incomplete-reset"))
    assert [flight.side for flight in found] == ["client", "server"] * 3
    assert all(flight.before <= flight.first <= flight.last for flight in found)
    assert all(a.last == b.before for a, b in pairwise(found))
    assert found[-1].names == "RST"


def test_who_gives_up_had_waited_for_the_other_side() -> None:
    found = plots.flights(connection("handshake-timeout-server"))
    assert [(flight.side, flight.awaited) for flight in found[-2:]] == [("client", "client"), ("client", "server")]
    assert found[-1].names in plots.ENDINGS


@pytest.mark.parametrize(
    ("size", "counts_as"),
    [
        pytest.param(70, 70, id="a short list"),
        pytest.param(12_288 - 321, 12_288 - 321, id="one name more had room below 2003's limit"),
        pytest.param(12_218, 12_288, id="just below the limit of 2003: cut"),
        pytest.param(12_288, 12_288, id="at the limit of 2003"),
        pytest.param(13_000, 13_000, id="between the two"),
        pytest.param(16_333, 16_384, id="just below the limit: cut"),
        pytest.param(38_389, 38_389, id="beyond"),
    ],
)
def test_a_list_just_below_a_limit_counts_as_cut(size: int, counts_as: int) -> None:
    assert plots._with_room(size) == counts_as


def test_each_list_of_cas_is_drawn_once() -> None:
    lists = [connection("ca-list-330-names"), connection("ca-list-330-names"), connection("ca-list-one-root")]
    figure = plots.ca_lists([*lists, connection("sip-on-tls-port")])
    assert sorted(size for trace in figure.data for size in trace.x) == [70, 38_389]
    assert sorted(told for trace in figure.data for told in trace.text) == [
        "38,389 bytes, 330 names",
        "70 bytes, 1 name",
    ]


def test_failures_are_counted_by_cause_and_peer() -> None:
    captures = [CAPTURES / f"{name}.pcap" for name in ("client-chain-incomplete", "server-expired", "mtls12-openssl")]
    figure = plots.failures(analyzer.analyze(captures).to_frame())
    assert set(figure.data[0].y) == {"client-chain-incomplete", "certificate-expired"}
    assert figure.data[0].z.sum() == 2


def test_nothing_failed() -> None:
    figure = plots.failures(analyzer.analyze(CAPTURES / "mtls12-openssl.pcap").to_frame())
    assert len(figure.data[0].y) == 0


def test_states_of_certificates() -> None:
    names = ("server-expired", "server-not-yet-valid", "certificate-expiring", "mtls12-openssl")
    result = analyzer.analyze([CAPTURES / f"{name}.pcap" for name in names])
    frame = result.certificates_frame()
    figure = plots.validity(frame[frame["leaf"]], result.to_frame()["ts"].max())
    assert [trace.name for trace in figure.data] == list(plots.STATES)


def test_what_is_left_out_is_said() -> None:
    many = [connection("mtls12-openssl")] * (plots.MOST_ROWS + 2)
    assert "(2 more are not drawn)" in plots.time_line(many).layout.title.text


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        pytest.param("sip.example.com", "sip.example.com", id="ordinary"),
        pytest.param("<a href='x'>&", "&lt;a href=&#x27;x&#x27;&gt;&amp;", id="markup stays text"),
        pytest.param("a" * 100, "a" * 59 + "…", id="cut"),
    ],
)
def test_texts_from_the_wire(raw: str, label: str) -> None:
    assert plots.text(raw) == label


def test_a_table_escapes() -> None:
    assert "<script>" not in table(pd.DataFrame({"x": ["<script>"]}))._repr_html_()


# The other end's capture.


def test_what_the_other_end_sees(tmp_path: Path) -> None:
    near, far = CAPTURES / "mtls12-openssl.pcap", tmp_path / "far.pcap"
    far_end(near, far, way_us=5, clock_us=500_000, arrives=lambda packet: True)
    here, there = list(packets(near)), list(packets(far))
    assert sorted(packet for _, packet in here) == sorted(packet for _, packet in there)
    both = analyzer.correlate(analyzer.analyze(far), analyzer.analyze(near))
    assert (both.nearer_client, both.clock_ns, both.way_ns) == ("A", -500_000_000, 5_000)
