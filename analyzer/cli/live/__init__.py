"""`mtlscope live`: `command` is the command; beside it where packets come from, where the report goes, and who looks on."""

from analyzer.cli.live.command import run

__all__ = ["run"]
