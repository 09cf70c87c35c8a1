"""Rings of rotated captures: which names go together, and when times say that they do not."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
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
        pytest.param(["x_21112026_0930.pcap", "x_21112026_1030.pcap"], id="tcpdump -G, day before month"),
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


HOUR, DAY = 3_600, 86_400
NINE = 9 * HOUR + 600  # ten past nine
LARGE = 250_000
FIVE = (0, 1, 2, 3, 4)


def write(folder: Path, files: Mapping[str, Sequence[float]], size: int = 1) -> list[str]:
    """Captures with packets of `size` bytes at these seconds; compressed if the name says so."""
    for name, times in files.items():
        raw = pcap([Packet(bytes(size), round(time * SECOND)) for time in times])
        (folder / name).write_bytes(gzip.compress(raw, 1) if name.endswith(".gz") else raw)
    return [str(folder / name) for name in files]


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"cap": [1, 2], "cap1": [2.1, 3], "cap2": [3.1, 4]}, id="-C, no ending"),
        pytest.param({"cap.tcpdump": [1, 2], "cap.tcpdump1": [2.1, 3]}, id="-C, an ending of one's own"),
        pytest.param({"cap2": [1, 2], "cap0": [2.1, 3], "cap1": [3.1, 4]}, id="-C -W, gone round"),
        pytest.param({f"cap{at:02}": [at, at + 0.9] for at in range(12)}, id="-C -W, two digits"),
        pytest.param({"cap.gz": [1, 2], "cap1.gz": [2.1, 3], "cap2": [3.1, 4]}, id="-C -z gzip, no ending"),
        pytest.param({"x.pcap.gz": [1, 2], "x.pcap1": [3, 4]}, id="-C -z gzip, one is being written"),
        pytest.param({"x.pcap.gz": [1, 2], "x.pcap1": []}, id="-C -z gzip, one was just begun"),
        pytest.param(
            {"x_00001_20261121093000.pcapng.gz": [1, 2], "x_00002_20261121094000.pcapng": [3, 4]}, id="dumpcap, too"
        ),
        pytest.param(
            {"x-2026-11-21-09.pcap": [NINE, NINE + HOUR], "x-2026-11-21-10.pcap": [NINE + HOUR + 1, NINE + HOUR + 9]},
            id="-G, date and hour",
        ),
        pytest.param(
            {"x-2026112123.pcap": [1, HOUR], "x-2026112200.pcap": [HOUR + 1, 2 * HOUR]}, id="-G, past midnight"
        ),
        pytest.param(
            {"x-09.pcap": [NINE, NINE + HOUR], "x-10.pcap": [NINE + HOUR + 1, NINE + HOUR + 9]}, id="-G, hour"
        ),
        pytest.param(
            {"x-11.pcap.gz": [NINE + 9, NINE + HOUR], "x-12.pcap": [NINE + HOUR + 1]}, id="-G -z gzip, another zone"
        ),
        pytest.param(
            {"x-090000.pcap": [3, 59], "x-090100.pcap": [60, 119], "x-090200.pcap": [120]}, id="-G 60, time of day"
        ),
        pytest.param({"0930.pcap": [3, 59], "0931.pcap": [60, 119]}, id="-G, nothing but a time"),
    ],
)
def test_rings_of_tcpdump(tmp_path: Path, files: dict[str, Sequence[float]]) -> None:
    paths = write(tmp_path, files)
    assert joined(paths[::-1]) == [tuple(paths)]


def test_equal_sizes_tell_a_ring_also_when_it_rested(tmp_path: Path) -> None:
    files = {"cap": FIVE, "cap1": [DAY + at for at in FIVE], "cap2": [3 * DAY]}
    paths = write(tmp_path, files, LARGE)
    assert joined(paths) == [tuple(paths)]


@pytest.mark.parametrize(
    ("files", "size"),
    [
        pytest.param({"lab": [1, 2], "lab1": [9, 10]}, 1, id="a pause"),
        pytest.param({"lab": FIVE, "lab1": [DAY + at for at in FIVE]}, LARGE, id="a pause; one size tells nothing"),
        pytest.param({"lab": [1, 3], "lab1": [2, 4]}, 1, id="overlapping"),
        pytest.param({"lab1": [1, 2], "lab2": [2.1, 3]}, 1, id="no first one"),
        pytest.param({"lab": [1, 2], "lab2": [2.1, 3]}, 1, id="one is missing"),
        pytest.param({"lab": [1, 2], "lab0": [2.1, 3], "lab1": [3.1, 4]}, 1, id="two first ones"),
        pytest.param({"lab": [1, 2], "lab2": [2.1, 3], "lab1": [3.1, 4]}, 1, id="the numbers go another way"),
        pytest.param({"lab": [1, 2], "lab1": [2.1, 3, 4, 5]}, LARGE, id="the last one is larger"),
        pytest.param({"lab": [1, 1.5, 2], "lab1": [2.1], "lab2": [2.2, 2.3]}, LARGE, id="one between is smaller"),
        pytest.param({"lab": [1, 2], "lab1.gz": [2.1, 3]}, 1, id="only the last one is compressed"),
        pytest.param(
            {"case-01.pcap": [NINE, NINE + 900], "case-02.pcap": [NINE + 901, NINE + 1_800]}, 1, id="cases, not hours"
        ),
        pytest.param(
            {"case-01.pcap": [NINE, NINE + 900], "case-02.pcap": [NINE + HOUR, NINE + HOUR + 9]}, 1, id="an hour apart"
        ),
        pytest.param(
            {"x-09.pcap": [NINE, NINE + HOUR], "x-14.pcap": [NINE + HOUR + 1, NINE + HOUR + 9]}, 1, id="five hours?"
        ),
        pytest.param({"tls-12.pcap": [1, 2], "tls-13.pcap": [2.1, 3]}, 1, id="two versions"),
        pytest.param({"case-000123.pcap": [1, 60], "case-000124.pcap": [61, 99]}, 1, id="numbers, not seconds"),
        pytest.param({"2026-11-21-01.pcap": [1, 60], "2026-11-21-02.pcap": [61, 99]}, 1, id="the second of that day"),
    ],
)
def test_captures_made_one_after_the_other_stay_alone(
    tmp_path: Path, files: dict[str, Sequence[float]], size: int
) -> None:
    paths = write(tmp_path, files, size)
    found = [ring for ring in joined(paths) if len(ring) > 1]
    assert found == []


def test_compressed_copies_leave_the_ring_whole(tmp_path: Path) -> None:
    paths = write(tmp_path, {"x.pcap0": [1, 2], "x.pcap1": [3, 4], "x.pcap0.gz": [1, 2]})
    assert joined(paths) == [(paths[0], paths[1]), (paths[2],)]


def test_only_the_latest_file_of_a_compressed_ring_is_not_compressed(tmp_path: Path) -> None:
    paths = write(tmp_path, {"x.pcap.gz": [1, 2], "x.pcap1": [3, 4], "x.pcap2": [5, 6]})
    assert joined(paths) == [(paths[0],), (paths[1], paths[2])]


def test_standard_input_is_not_read_to_look_for_a_ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"-1": [1, 2]})
    monkeypatch.chdir(tmp_path)
    assert joined(["-", "-1"]) == [("-",), ("-1",)]


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
