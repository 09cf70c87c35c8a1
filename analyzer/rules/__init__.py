"""The catalogue: finds every rule file, checks it, runs the rules on a record.

A rule is found by walking this folder; nothing is registered by hand. The walk happens at the first use, not at import.
"""

from __future__ import annotations

from analyzer.rules.diagnosis import diagnosis
from analyzer.rules.entries import Entry, catalogue, find, ids, page, problems
from analyzer.rules.running import judge, survey, survey_verdicts, verdict, verdicts

__all__ = [
    "Entry",
    "catalogue",
    "diagnosis",
    "find",
    "ids",
    "judge",
    "page",
    "problems",
    "survey",
    "survey_verdicts",
    "verdict",
    "verdicts",
]
