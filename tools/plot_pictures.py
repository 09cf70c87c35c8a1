"""Draw the pictures of docs/notebooks.md anew: `python -m tools.plot_pictures`. Needs chromium and the extra notebooks."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import analyzer
from notebooks import plots

ROOT = Path(__file__).parent.parent
CAPTURES, PICTURES = ROOT / "captures", ROOT / "docs" / "pictures"
WIDTH = 900  # pixels
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 5000  # milliseconds of the page's own time until it is taken


def figures() -> dict[str, Any]:
    """File name without suffix -> figure."""
    every = analyzer.analyze(CAPTURES)
    frame, certificates = every.to_frame(), every.certificates_frame()
    failed = frame[frame["outcome"] == "failed"]
    cause = failed["findings"].str.split().str[0]
    found = {Path(conn.capture).stem: conn for conn in every}
    courses = (
        "mtls12-openssl",
        "mtls13-openssl",
        "client-chain-incomplete",
        "handshake-timeout-server",
        "revocation-stall-server",
    )
    lists = [name for name in found if name.startswith("ca-list-")]
    leaves = certificates[certificates["leaf"]].sort_values("not_after").drop_duplicates(["subject", "not_after"])
    return {
        "time-line": plots.time_line([found[name] for name in courses], courses, log=True),
        "waterfall": plots.waterfall(found["client-chain-incomplete-reset"]),
        "ca-lists": plots.ca_lists([found[name] for name in lists], lists),
        "failures": plots.failures(failed[cause.map(cause.value_counts()) >= 3]),
        "validity": plots.validity(leaves.head(12), frame["ts"].max()),
    }


def draw(browser: str, figure: Any, target: Path) -> None:
    """A picture of one figure as the browser shows it."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "figure.html"
        figure.write_html(page, include_plotlyjs="directory", config={"displayModeBar": False})
        options = (
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--virtual-time-budget={PATIENCE}",
        )
        size = f"--window-size={WIDTH},{figure.layout.height + 16}"
        subprocess.run(
            [browser, *options, size, f"--screenshot={target}", page.as_uri()], check=True, capture_output=True
        )


def main() -> int:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print(f"none of {', '.join(BROWSERS)} is installed", file=sys.stderr)
        return 1
    PICTURES.mkdir(exist_ok=True)
    for name, figure in figures().items():
        target = PICTURES / f"{name}.png"
        draw(browser, figure, target)
        print(f"{target.relative_to(ROOT)}: {target.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
