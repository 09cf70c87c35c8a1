"""The logs for other tools on the captures of others, named by MTLSCOPE_CORPUS: a record for every attempt, and only what
these tools know."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from analyzer.pipeline import Options, Run
from tests.report.logs import active_markdown, counted, foreign_to_ecs, foreign_to_eve, lines_of, zeek_logs

CORPUS = Path(os.environ.get("MTLSCOPE_CORPUS", "none"))
NAMES = sorted(path.name for path in (CORPUS / "captures").glob("*"))
pytestmark = pytest.mark.skipif(not NAMES, reason="MTLSCOPE_CORPUS names no folder with captures")


@pytest.mark.parametrize("name", NAMES, ids=NAMES)
def test_every_log_of_every_capture(name: str) -> None:
    items = list(Run([str(CORPUS / "captures" / name)], Options(ports=None)))
    records = counted(items)

    assert foreign_to_eve(items) == []
    assert foreign_to_ecs(items) == []
    assert active_markdown(items) == set()
    assert len(zeek_logs(items).get("ssl", [])) == records
    assert sum(line["_path"] == "ssl" for line in lines_of("zeek-json", items)) == records
    assert sum(line["event_type"] == "tls" for line in lines_of("eve", items)) == records
    assert sum(line["event"]["kind"] == "event" for line in lines_of("ecs", items)) == records
