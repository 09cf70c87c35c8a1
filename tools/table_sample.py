"""`python -m tools.table_sample` (`make docs`): writes the sample of the live table in docs/live.md as the code draws it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from analyzer.cli.docs import write_pages
from analyzer.connection import Connection
from analyzer.live.board import Board
from analyzer.pipeline import Run
from analyzer.report.page import UNICODE
from analyzer.screen.draw import About, Looking, draw

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/live.md"
WIDTH, HEIGHT = 110, 21
CAPTURES = (
    "mtls12-openssl.pcap",
    "connection-refused.pcap",
    "client-untrusted-12.pcap",
    "crl-missing.pcap",
    "mtls12-java.pcap",
    "client-expired-openssl.pcap",
    "client-cert-missing-13.pcap",
    "mtls13-openssl.pcap",
    "client-expired-openssl.pcap",
    "mtls12-openssl.pcap",
)
_SAMPLE = re.compile(r"(<!-- table -->\n```\n).*?(```\n)", re.DOTALL)


def sample() -> str:
    """The table after these captures; each is played as if it were live, some more than once."""
    clock = iter((0.0,))
    board = Board(lambda: next(clock, 4_210.0), lambda: (18_204, 2))
    for name in CAPTURES:
        for item in Run([str(ROOT / "captures" / name)]):
            if isinstance(item, Connection):
                board.see(item)
    board.tick(0)
    looking = Looking()
    about = About("eth0", "af-packet", "tcp port 5061 or tcp port 443")
    lines = draw(board.picture(), about, looking, WIDTH, HEIGHT, UNICODE)
    return "".join("".join(text for text, _style in line).rstrip() + "\n" for line in lines)


def page(text: str) -> str:
    """The page with the sample made anew."""
    return _SAMPLE.sub(lambda match: f"{match[1]}{sample()}{match[2]}", text)


if __name__ == "__main__":
    sys.exit(write_pages({PAGE: page(PAGE.read_text(encoding="utf-8"))}))
