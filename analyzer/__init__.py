"""mtlscope: why a mutual-TLS link does not come up.

    import analyzer
    result = analyzer.analyze("x.pcapng")
    for connection in result:
        print(connection.server_name, connection.diagnosis)

The public names are loaded when they are first used (PEP 562), so that `import analyzer` and `--version` cost nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from analyzer.version import __version__

if TYPE_CHECKING:
    from analyzer.comparison import compare
    from analyzer.connection import Connection
    from analyzer.correlation import correlate
    from analyzer.errors import CaptureError, MtlscopeError, UsageError
    from analyzer.findings import Difference, Finding
    from analyzer.result import Result, analyze
    from analyzer.rules.rule import Rule
    from analyzer.selection import Selection
    from analyzer.store.reader import Store, open_db

_WHERE = {
    "CaptureError": "errors",
    "Connection": "connection",
    "Difference": "findings",
    "Finding": "findings",
    "MtlscopeError": "errors",
    "Result": "result",
    "Rule": "rules.rule",
    "Selection": "selection",
    "Store": "store.reader",
    "UsageError": "errors",
    "analyze": "result",
    "compare": "comparison",
    "correlate": "correlation",
    "open_db": "store.reader",
}

__all__ = [
    "CaptureError",
    "Connection",
    "Difference",
    "Finding",
    "MtlscopeError",
    "Result",
    "Rule",
    "Selection",
    "Store",
    "UsageError",
    "__version__",
    "analyze",
    "compare",
    "correlate",
    "open_db",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
