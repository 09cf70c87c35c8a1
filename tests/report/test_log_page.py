"""docs/logs.md: its samples are what the outputs write now (`pytest --update-golden` puts them in), and it names every key."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from analyzer.report.attempt import facts, repeated_facts, verdict
from analyzer.report.zeek_columns import SSL
from tests.report.logs import items_of, lines_of, output_of
from tests.report.records import everything, repeated

PAGE = Path(__file__).parents[2] / "docs" / "logs.md"
SAMPLE = re.compile(r"(<!-- sample: (\S+) -->\n(`{3,})\w*\n).*?(\3\n)", re.DOTALL)
SHOWN = "client-untrusted-12"
LONGEST = 3
"""Values of a list that a sample shows."""
COLUMNS = (
    "id.orig_h",
    "id.resp_h",
    "version",
    "server_name",
    "last_alert",
    "established",
    "ssl_history",
    "requested_client_certificate_authorities",
    "mtls_outcome",
    "mtls_client_cert_state",
    "mtls_closed_by",
    "mtls_diagnosis",
    "mtls_findings",
    "mtls_frames",
)


def cut(value: Any) -> Any:
    """The same with long lists cut, for a page."""
    if isinstance(value, dict):
        return {key: cut(member) for key, member in value.items()}
    if isinstance(value, list):
        return [cut(member) for member in value[:LONGEST]] + (["..."] if len(value) > LONGEST else [])
    return value


def sample(name: str) -> str:
    """A sample of the page, made from the code as it is."""
    items = items_of(SHOWN)
    if name == "md":
        return output_of("md", items).decode()
    if name == "zeek":
        lines = output_of("zeek", items).decode().splitlines()
        names = next(line for line in lines if line.startswith("#fields")).split("\t")[1:]
        row = dict(zip(names, next(line for line in lines if not line.startswith("#")).split("\t"), strict=True))
        return "".join(f"{column:<41} {row[column]}\n" for column in COLUMNS)
    kind, _, event = name.partition("-")
    document = next(one for one in lines_of(kind, items) if not event or one["event_type"] == event)
    return json.dumps(cut(document), indent=1) + "\n"


def test_samples_are_up_to_date(request: pytest.FixtureRequest) -> None:
    page = PAGE.read_text(encoding="utf-8")
    made = SAMPLE.sub(lambda found: f"{found[1]}{sample(found[2])}{found[4]}", page)
    if request.config.getoption("--update-golden"):
        PAGE.write_text(made, encoding="utf-8", newline="")
        page = made
    assert len(SAMPLE.findall(page)) == 5
    assert page == made, "docs/logs.md is old: pytest --update-golden writes its samples anew"


def test_every_key_of_ours_is_explained() -> None:
    page = PAGE.read_text(encoding="utf-8")
    columns = [column.name for column in SSL if column.name.startswith("mtls_")]
    keys = [*facts(everything()), *repeated_facts(repeated()), *(verdict(everything()) or {})]
    assert [name for name in [*columns, *keys] if f"`{name}`" not in page] == []
