"""Rings of rotated captures: which names go together, and when times say that they do not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from analyzer.capture.rings import family, joined
from tests.build import pcapng as ng
from tests.build.pcap import SECOND, Packet, pcap


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["x_00001_20261121093000.pcapng", "x_00002_20261121094000.pcapng"], id="dumpcap -b"),
        pytest.param(
            ["x_20261121093000_00001.pcapng", "x_20261121094000_00002.pcapng"], id="dumpcap -b with nametimenum"
        ),
        pytest.param(["x_99999_20261121093000", "x_100000_20261121094000"], id="dumpcap without an ending, past 99999"),
        pytest.param(["x.pcap", "x.pcap1", "x.pcap2", "x.pcap10"], id="tcpdump -C"),
        pytest.param(["x.pcap00", "x.pcap01", "x.pcap11"], id="tcpdump -C -W"),
        pytest.param(["x.pcap0.gz", "x.pcap1.gz"], id="tcpdump -C -z gzip"),
        pytest.param(["x-2026-11-21_09:30:00.pcap", "x-2026-11-21_10:30:00.pcap"], id="tcpdump -G with colons"),
        pytest.param(["x20261121-0930.pcap", "x20261121-1030.pcap"], id="tcpdump -G with minutes"),
        pytest.param(["x.20261121.cap", "x.20261122.cap"], id="tcpdump -G by day"),
        pytest.param(["x.1700000000.pcap", "x.1700003600.pcap"], id="tcpdump -G with %s"),
        pytest.param(["2026-11-21T09:30:00Z.pcap", "2026-11-21T10:30:00Z.pcap1"], id="tcpdump -G and -C"),
    ],
)
def test_names_of_one_ring(names: list[str]) -> None:
    assert len({family(f"d/{name}") for name in names}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("d/x.pcap", "d/y.pcap", id="another stem"),
        pytest.param("d/x.pcap0", "e/x.pcap1", id="another folder"),
        pytest.param("d/lab1.pcap", "d/lab2.pcap", id="a number in the stem"),
        pytest.param("d/lab1", "d/lab2", id="a number without an ending"),
        pytest.param("d/x.pcap", "d/x.pcapng", id="another ending"),
        pytest.param("d/x.pcap1", "d/x.pcap2.gz", id="one is compressed"),
        pytest.param("d/x_00001_20261121093000.pcap", "d/y_00002_20261121094000.pcap", id="dumpcap, another stem"),
        pytest.param("d/x_1_20269921993000.pcap", "d/x_2_20269921993000.pcap", id="no date"),
        pytest.param("d/tls12.pcap", "d/tls13.pcap", id="two versions"),
    ],
)
def test_names_of_different_captures(one: str, other: str) -> None:
    assert family(one) != family(other)


@pytest.mark.parametrize(
    ("files", "rings"),
    [
        pytest.param({"x.pcap0": [1, 2], "x.pcap1": [3, 4]}, ["01"], id="one after the other"),
        pytest.param({"x.pcap0": [5, 6], "x.pcap1": [1, 2], "x.pcap2": [3, 4]}, ["120"], id="a ring that went round"),
        pytest.param({"x.pcap0": [1, 3], "x.pcap1": [3, 4]}, ["01"], id="touching"),
        pytest.param({"x.pcap0": [1, 3], "x.pcap1": [2.995, 4]}, ["01"], id="a few ms out of order"),
        pytest.param({"x.pcap0": [1, 3], "x.pcap1": [2, 4]}, ["0", "1"], id="overlapping"),
        pytest.param({"x.pcap0": [1, 9], "x.pcap1": [2, 4]}, ["0", "1"], id="one within the other"),
        pytest.param({"x.pcap0": [1, 2], "x.pcap1": [], "x.pcap2": [3]}, ["021"], id="the file just begun is the last"),
        pytest.param({"x.pcap0": [1]}, ["0"], id="alone"),
    ],
)
def test_times_decide(tmp_path: Path, files: dict[str, Sequence[float]], rings: list[str]) -> None:
    for name, times in files.items():
        (tmp_path / name).write_bytes(pcap([Packet(b"x", round(time * SECOND)) for time in times]))
    got = joined([str(tmp_path / name) for name in files])
    assert ["".join(path[-1] for path in ring) for ring in got] == rings


def test_entries_that_are_no_packets_tell_nothing_of_the_order(tmp_path: Path) -> None:
    note = ng.block(0xBAD, b"\0\0\x7d\xd9note")
    paths = [str(tmp_path / f"x_0000{number}_2026112109300{number}.pcapng") for number in (1, 2, 3)]
    for time, (path, first) in enumerate(zip(paths, (note, b"", note), strict=True), 1):
        packet = ng.enhanced(Packet(b"x", time * SECOND))
        Path(path).write_bytes(ng.section() + ng.interface() + first + (packet if time < 3 else b""))
    assert joined(paths) == [tuple(paths)]


def test_other_link_types_stand_alone(tmp_path: Path) -> None:
    paths = [tmp_path / "x.pcap0", tmp_path / "x.pcap1"]
    for path, link in zip(paths, (1, 113), strict=True):
        path.write_bytes(pcap([Packet(b"x", link * SECOND)], link_type=link))
    assert joined([str(path) for path in paths]) == [(str(paths[0]),), (str(paths[1]),)]


def test_damaged_files_keep_their_place_in_the_ring(tmp_path: Path) -> None:
    paths = [tmp_path / "x.pcap0", tmp_path / "x.pcap1"]
    for path, time in zip(paths, (1, 3), strict=True):
        path.write_bytes(pcap([Packet(b"x", time * SECOND), Packet(b"y", time * SECOND)])[:-1])
    assert joined([str(path) for path in reversed(paths)]) == [(str(paths[0]), str(paths[1]))]


def test_rings_stand_where_their_first_file_was_named(tmp_path: Path) -> None:
    names = ["b.pcap", "x.pcap1", "a.pcap", "x.pcap0"]
    for time, name in enumerate(reversed(names)):
        (tmp_path / name).write_bytes(pcap([Packet(b"x", time * SECOND)]))
    got = joined([str(tmp_path / name) for name in names])
    assert [[Path(path).name for path in ring] for ring in got] == [["b.pcap"], ["x.pcap0", "x.pcap1"], ["a.pcap"]]
