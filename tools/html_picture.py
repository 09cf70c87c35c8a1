"""Take the picture of docs/html.md anew, from the code as it is: `python -m tools.html_picture`.

Needs the extras report and browser, and a chromium.
"""

import shutil
import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from analyzer.pipeline import Options, Run
from analyzer.report import html
from analyzer.report.output import OutputOptions

PROJECT = Path(__file__).parent.parent
CAPTURES = ("client-chain-incomplete.pcap", "client-expired-openssl.pcap", "auth12-openssl.pcap")
PICTURE = "docs/html.png"
SIZE = (1000, 1250)


def page() -> bytes:
    """The report on a few captures, named as a reader finds them."""
    out = BytesIO()
    items = Run([str(PROJECT / "captures" / name) for name in CAPTURES], Options())
    html.OUTPUT.write(items, out, OutputOptions())
    return out.getvalue().replace(f"{PROJECT}/".encode(), b"")


def main() -> None:
    """Write the picture."""
    from playwright.sync_api import sync_playwright

    with TemporaryDirectory() as folder, sync_playwright() as play:
        file = Path(folder, "report.html")
        file.write_bytes(page())
        browser = play.chromium.launch(executable_path=shutil.which("chromium") or None, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="light")
        tab.goto(file.as_uri())
        tab.screenshot(path=str(PROJECT / PICTURE))
        browser.close()
    sys.stdout.write(f"{PICTURE}\n")


if __name__ == "__main__":
    main()
