"""Real captures of odd encapsulations against tshark. Needs the folder that MTLSCOPE_CORPUS names, and tshark."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from analyzer.capture.source import open_capture
from analyzer.packets.decode import Decoder
from tests.packets.segments import Row, check_conserved, rows

CORPUS = os.environ.get("MTLSCOPE_CORPUS")
pytestmark = pytest.mark.skipif(
    not CORPUS or not shutil.which("tshark"), reason="MTLSCOPE_CORPUS names no folder, or there is no tshark"
)
FIELDS = {
    "frame": "frame.number",
    "src_port": "tcp.srcport",
    "dst_port": "tcp.dstport",
    "seq": "tcp.seq_raw",
    "ack": "tcp.ack_raw",
    "window": "tcp.window_size_value",
    "wire_payload": "tcp.len",
}


def by_tshark(path: Path) -> list[dict[str, int]]:
    """TCP segments that are not quoted in ICMP; of nested headers the innermost."""
    fields = [part for name in FIELDS.values() for part in ("-e", name)]
    wanted = ["-Y", "tcp and not icmp and not icmpv6", "-T", "fields", "-E", "occurrence=l", *fields]
    lines = subprocess.run(["tshark", "-n", "-r", path, *wanted], capture_output=True, text=True).stdout.splitlines()
    return [dict(zip(FIELDS, map(int, line.split("\t")), strict=True)) for line in lines]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("vast-io__vast__plugins-pcap-integration-data-pcap-vlan.pcap.gz", id="VLAN"),
        pytest.param("arkime__arkime__tests-pcap-pppoe.pcap", id="PPPoE"),
        pytest.param("zeek__zeek__tunnels-geneve-47101.pcap", id="GENEVE"),
        pytest.param("ntop__nDPI__vxlan.pcap", id="VXLAN in a VLAN"),
        pytest.param("ntop__nDPI__4in6tunnel.pcap", id="IPv4 in IPv6"),
        pytest.param("ntop__nDPI__ja3_lots_of_cipher_suites_2_anon.pcap", id="GTP-U"),
        pytest.param("cisco__mercury__unit_tests-pcaps-sll2_tls.pcap", id="Linux cooked 2"),
        pytest.param("cisco__mercury__unit_tests-pcaps-sll_tls.pcap", id="Linux cooked"),
        pytest.param("cisco__mercury__unit_tests-pcaps-tls_sgt.pcap", id="Cisco metadata tags"),
        pytest.param("EricssonResearch__spindump__test-trace_quic_v23_pandora.pcap", id="UDP in fragments"),
    ],
)
def test_segments_are_those_that_tshark_sees(name: str) -> None:
    path = Path(str(CORPUS), "captures", name)
    if not path.exists():
        pytest.skip(f"{path} is not there")
    decoder, found = Decoder(), list[Row]()
    for batch in open_capture(str(path)):
        decoded = decoder.feed(batch)
        check_conserved(batch, decoded)
        found += rows(decoded.segments)
    assert [{name: row[name] for name in FIELDS} for row in found] == by_tshark(path)
