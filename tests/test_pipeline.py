"""Paths in, judged connections out: whole runs over files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer import pipeline as module
from analyzer.capture import window
from analyzer.certificates.certificate import load
from analyzer.certificates.stores.store import TrustStore
from analyzer.connection import Connection, Outcome
from analyzer.errors import UsageError
from analyzer.findings import Verdict
from analyzer.folding.conversation import Conversation
from analyzer.judgement.trust import Trust
from analyzer.pipeline import Options, Run
from analyzer.report import jsonl
from analyzer.report.output import Item, OutputOptions
from analyzer.summary import INTERRUPTED, CaptureSummary, Repeated
from tests.build import pki
from tests.build.frames import ACK, RST
from tests.build.pcap import Packet, pcap
from tests.build.tcp import CLIENT, SERVER, Tcp, merged
from tests.scenarios import STORIES, Story
from tests.scenarios.story import SIP

NAMES = ("mutual", "client_ca_unknown", "mutual_13", "refused", "plain_http", "hole_in_the_server_flight")


def several(names: Sequence[str] = NAMES) -> list[Packet]:
    """These stories, one after the other, from ports of their own."""
    talks: list[Tcp] = []
    for number, name in enumerate(names):
        story = Story(sport=50_000 + number)
        story.wait(number * 0.5)
        STORIES[name](story)
        talks.append(story)
    return merged(*talks)


def write(folder: Path, name: str, packets: Sequence[Packet]) -> str:
    path = folder / name
    path.write_bytes(pcap(packets))
    return str(path)


def analysed(*paths: str, options: Options | None = None) -> tuple[Run, list[Item]]:
    run = Run(list(paths), options or Options())
    return run, list(run)


def connections(items: Sequence[Item]) -> list[Connection]:
    return [item for item in items if isinstance(item, Connection)]


def summary(items: Sequence[Item]) -> CaptureSummary:
    (found,) = [item for item in items if isinstance(item, CaptureSummary)]
    return found


def said(items: Sequence[Item]) -> bytes:
    """All of it as text: certificates that went from process to process are other objects."""
    out = BytesIO()
    jsonl.OUTPUT.write(items, out, OutputOptions())
    return out.getvalue()


# ---- one file --------------------------------------------------------------------------------------------------------


def test_connections_come_with_their_findings_and_the_summary_last(tmp_path: Path) -> None:
    run, items = analysed(write(tmp_path, "lab.pcap", several()))
    found = {conn.stream: conn for conn in connections(items)}
    assert found.keys() == set(range(len(NAMES)))
    assert isinstance(items[-1], CaptureSummary)
    assert found[0].findings == () and found[0].diagnosis is None
    assert found[1].findings[0].rule and found[1].diagnosis and found[1].outcome is Outcome.FAILED
    assert run.worst == 0 and run.errors == [] and run.crashes == []
    last = summary(items)
    assert last.packets == last.decoded + sum(last.reasons.values()) == len(several())
    assert (last.connections, last.tcp_streams, last.tls_connections) == (6, 6, 4)


def test_a_run_that_is_stopped_says_what_it_has_read(tmp_path: Path) -> None:
    paths = [write(tmp_path, f"{name}.pcap", several()) for name in "ab"]
    run = Run(paths)
    items = iter(run)
    first = [next(items), next(items)]
    last = summary(list(run.unfinished()))
    assert (last.capture, last.error) == (paths[0], f"{INTERRUPTED}; 1 more not read")
    assert (last.connections, last.packets) == (len(first), len(several()))


def test_between_two_inputs_it_is_the_second_that_was_not_read(tmp_path: Path) -> None:
    paths = [write(tmp_path, f"{name}.pcap", several()) for name in "ab"]
    run = Run(paths)
    for item in run:
        if isinstance(item, CaptureSummary):
            break
    last = summary(list(run.unfinished()))
    assert (last.capture, last.error, last.packets) == (paths[1], INTERRUPTED, 0)


def test_a_run_that_was_read_has_nothing_unfinished(tmp_path: Path) -> None:
    run, _ = analysed(write(tmp_path, "lab.pcap", several()))
    assert list(run.unfinished()) == []


def test_a_healthy_capture_has_no_worst(tmp_path: Path) -> None:
    run, _ = analysed(write(tmp_path, "lab.pcap", several(["mutual"])))
    assert run.worst is None


def test_the_same_capture_gives_the_same_items_again(tmp_path: Path) -> None:
    path = write(tmp_path, "lab.pcap", several())
    assert analysed(path)[1] == analysed(path)[1]


@pytest.mark.parametrize("frames", [1, 7])
def test_batches_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frames: int) -> None:
    path = write(tmp_path, "lab.pcap", several(sorted(STORIES)))
    whole = analysed(path)[1]
    monkeypatch.setattr("analyzer.capture.pcap.BATCH_FRAMES", frames)
    assert analysed(path)[1] == whole


def test_a_small_window_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "lab.pcap", several())
    whole = analysed(path)[1]
    usual = window.Window.__init__

    def small(self: window.Window, stream: object, *, prompt: bool = False, size: int = 0) -> None:
        usual(self, stream, prompt=prompt, size=4_096)  # type: ignore[arg-type]

    monkeypatch.setattr(window.Window, "__init__", small)
    assert analysed(path)[1] == whole


@pytest.mark.parametrize(
    ("options", "streams"),
    [
        pytest.param(Options(), [0, 1, 2, 3, 4, 5], id="all"),
        pytest.param(Options(ports=None), [0, 1, 2, 3, 5], id="any port: no TLS is no matter"),
        pytest.param(Options(ports=frozenset({443})), [0, 1, 2, 5], id="TLS is found by content elsewhere too"),
        pytest.param(Options(keep=lambda conn: conn.failed), [1], id="only what is kept"),
    ],
)
def test_options(tmp_path: Path, options: Options, streams: list[int]) -> None:
    _, items = analysed(write(tmp_path, "lab.pcap", several()), options=options)
    assert sorted(conn.stream for conn in connections(items)) == streams
    assert summary(items).connections == len(streams)


def test_verdicts_are_handed_out_for_every_rule(tmp_path: Path) -> None:
    seen: dict[int, Sequence[Verdict]] = {}

    def note(conn: Connection, verdicts: Sequence[Verdict]) -> None:
        seen[conn.stream] = verdicts

    analysed(write(tmp_path, "lab.pcap", several()), options=Options(verdicts=note))
    assert seen.keys() == set(range(6))
    assert len({len(verdicts) for verdicts in seen.values()}) == 1


def test_a_second_opinion_is_told_of_troubled_connections(tmp_path: Path) -> None:
    said: dict[int, Sequence[str]] = {}

    def note(conn: Connection, lines: Sequence[str]) -> None:
        said[conn.stream] = lines

    refused = Story(sport=50_001)
    refused.open()
    refused.hello().answer(chain=SIP.full_chain).certificate().alert(SERVER, 48).close(SERVER)
    path = write(tmp_path, "lab.pcap", merged(refused, _told("mutual")))
    analysed(path, options=Options(opinions=note))
    assert list(said) == [0]
    (line,) = said[0]
    assert line.startswith("the server's chain, judged with the roots that it sent itself: ")


def _told(name: str) -> Story:
    story = Story(sport=50_002)
    story.wait(1)
    STORIES[name](story)
    return story


def test_progress_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "lab.pcap", several())
    told: list[tuple[str, int, int | None]] = []
    list(Run([path], Options(), lambda name, done, size: told.append((name, done, size))))
    assert told[-1] == (path, Path(path).stat().st_size, Path(path).stat().st_size)


def test_nothing_to_analyse(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        list(Run([str(tmp_path / "missing.pcap")]))


def test_an_empty_capture_has_a_summary(tmp_path: Path) -> None:
    _, items = analysed(write(tmp_path, "lab.pcap", []))
    assert len(items) == 1 and summary(items).packets == 0


# ---- floods ----------------------------------------------------------------------------------------------------------


def test_a_flood_is_counted_and_its_packets_are_not_lost(tmp_path: Path) -> None:
    talks = []
    for number in range(60):
        talk = Tcp(sport=40_000 + number, isn=(number, 9), start_ns=Tcp().now_ns + number * 10_000_000_000).syn()
        talk.put(SERVER, seq=0, ack=talk.seq[CLIENT], flags=RST | ACK)
        talks.append(talk)
    _, items = analysed(write(tmp_path, "lab.pcap", merged(*talks)))
    (counted,) = [item for item in items if isinstance(item, Repeated)]
    assert (len(connections(items)), counted.count, counted.rule) == (25, 35, "connection-refused")
    assert counted.period_ns == 10_000_000_000
    assert summary(items).connections == 60 and isinstance(items[-1], CaptureSummary)


# ---- damage ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda raw: raw[:-9], id="cut off"),
        pytest.param(lambda raw: raw + b"\xff" * 40, id="garbage at the end"),
    ],
)
def test_what_came_before_the_damage_is_reported(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "lab.pcap"
    path.write_bytes(damage(pcap(several())))
    run, items = analysed(str(path))
    assert len(connections(items)) == 6
    assert len(run.errors) == 1 and run.errors[0].startswith(str(path)) and summary(items).error == run.errors[0]


BYTES = pcap(several())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(24, len(BYTES) - 1), st.integers(0, 255)), min_size=1, max_size=30),
    end=st.integers(24, len(BYTES)),
)
def test_any_damage_is_survived_and_packets_are_conserved(
    tmp_path: Path, changes: list[tuple[int, int]], end: int
) -> None:
    raw = bytearray(BYTES)
    for at, value in changes:
        raw[at] = value
    path = tmp_path / "damaged.pcap"
    path.write_bytes(raw[: max(end, len(BYTES) // 2)])
    run, items = analysed(str(path))
    found = summary(items)
    assert found.packets == found.decoded + sum(found.reasons.values())
    assert run.crashes == []


# ---- a bug of ours ---------------------------------------------------------------------------------------------------


def test_a_crash_stays_in_its_connection_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "lab.pcap", several())
    whole = analysed(path)[1]
    read = Conversation._read

    def fragile(self: Conversation) -> None:
        if self.flow.stream == 2:
            raise ValueError("a bug of ours")
        read(self)

    monkeypatch.setattr(Conversation, "_read", fragile)
    run, items = analysed(path)
    assert connections(items) == [conn for conn in connections(whole) if conn.stream != 2]
    (line,) = run.crashes
    assert line.startswith(f"{path}, connection 2, frame ") and line.endswith("ValueError: a bug of ours")
    assert summary(items).packets == summary(whole).packets


# ---- several inputs --------------------------------------------------------------------------------------------------


def ring(folder: Path, at: int) -> list[str]:
    """Two files of one capture, cut before packet `at`."""
    packets = several()
    names = ("lab_00001_20231114221320.pcap", "lab_00002_20231114221325.pcap")
    return [write(folder, name, part) for name, part in zip(names, (packets[:at], packets[at:]), strict=True)]


@pytest.mark.parametrize("at", [1, 5, 20, 60])
def test_connections_go_on_across_the_files_of_a_ring(tmp_path: Path, at: int) -> None:
    whole = connections(analysed(write(tmp_path, "whole.pcap", several()))[1])
    paths = ring(tmp_path, at)
    _, items = analysed(*paths)
    found = connections(items)
    names = [
        name for name in Connection.__dataclass_fields__ if name not in ("capture", "files", "findings", "diagnosis")
    ]
    for one, two in zip(found, whole, strict=True):
        assert [getattr(one, name) for name in names] == [getattr(two, name) for name in names]
    assert summary(items).files == tuple(paths) and summary(items).packets == len(several())
    first = found[0]
    assert first.capture == paths[0]
    assert (first.frame_label(1), first.frame_label(at + 3)) == (1, f"{paths[1]}#3")


def test_a_connection_that_begins_in_the_second_file_counts_from_there(tmp_path: Path) -> None:
    paths = ring(tmp_path, 20)
    later = [
        conn for conn in connections(analysed(*paths)[1]) if conn.client.first_frame and conn.client.first_frame > 20
    ]
    assert later and all(conn.capture == paths[1] for conn in later)
    assert all(isinstance(conn.frame_label(conn.client.first_frame or 0), int) for conn in later)


def test_inputs_stand_alone_and_come_in_their_order(tmp_path: Path) -> None:
    paths = [write(tmp_path, f"{name}.pcap", several([name])) for name in ("refused_13", "mutual")]
    _, items = analysed(*paths)
    assert [type(item).__name__ for item in items] == ["Connection", "CaptureSummary"] * 2
    assert [conn.capture for conn in connections(items)] == paths
    assert [conn.stream for conn in connections(items)] == [0, 0]


@pytest.mark.parametrize("workers", [1, 2])
def test_trust_stores_reach_the_rules_of_every_worker(workers: int, tmp_path: Path) -> None:
    paths = [write(tmp_path, f"{number}.pcap", several(("mutual",))) for number in range(2)]
    own, foreign = (TrustStore(one, (load(pki.root(one).der),)) for one in ("CN=Root", "CN=Elsewhere"))
    _, items = analysed(*paths, options=Options(workers=workers, trust=Trust(client=(own,), server=(foreign,))))
    for conn in connections(items):
        (said,) = [finding for finding in conn.findings if finding.rule == "untrusted-root"]
        assert said.summary.startswith(
            "the client's chain ends at the root CN=Root, which is not in the server's trust"
        )


def test_several_workers_give_the_same_items(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pcap"
    broken.write_bytes(pcap(several())[:-7])
    paths = [
        *(write(tmp_path, f"{name}.pcap", several([name, "probe"])) for name in ("mutual", "refused_13")),
        str(broken),
    ]
    one, items = analysed(*paths)
    two, others = analysed(*paths, options=Options(workers=2))
    assert said(others) == said(items)
    assert (two.errors, two.crashes, two.worst) == (one.errors, one.crashes, one.worst)


def test_the_names_that_others_rely_on() -> None:
    assert {"Analysis", "Options", "Run"} <= set(module.__all__)
