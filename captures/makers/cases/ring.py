"""A ring of files as dumpcap -b writes it, with connections that go on from one file to the next."""

from __future__ import annotations

import subprocess
import time

from captures.makers.case import case, healthy, healthy13
from captures.makers.hosts import LabError
from captures.makers.lab import Lab

PACKETS_PER_FILE = 10


@case(
    "ring",
    "three connections over a ring of dumpcap's files",
    healthy(),
    healthy13(stream=1),
    healthy(stream=2),
    stacks=["openssl"],
    how=f"dumpcap -P -b packets:{PACKETS_PER_FILE} -w ring.pcap at the server; mutual TLS 1.2, 1.3 and 1.2 again",
)
def ring(lab: Lab) -> None:
    """The capture ran with rotated files; handshakes are cut in two by the change of the file."""
    lab.path.mkdir()
    lab.openssl_server(lab.ours, ask="required")
    args = ("dumpcap", "-q", "-P", "-i", "eth0", "-b", f"packets:{PACKETS_PER_FILE}", "-w", str(lab.path / "ring.pcap"))
    process = subprocess.Popen(("ip", "netns", "exec", lab.server.netns, *args), stderr=subprocess.PIPE, text=True)
    stderr = process.stderr
    if stderr is None or not any("File:" in line for line in iter(stderr.readline, "")):
        raise LabError("dumpcap did not start")
    time.sleep(0.5)
    for version in ("-tls1_2", "-tls1_3", "-tls1_2"):
        lab.openssl_client(lab.partner, version)
    time.sleep(1.5)
    process.terminate()
    process.wait()
    stderr.close()
