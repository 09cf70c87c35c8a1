"""Facts from the stored view of tshark that belongs to each capture of the corpus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analyzer.agreement.facts import Facts, firsts, hello_frames, types
from analyzer.knowledge import alert
from analyzer.tls.names import HandshakeType

SERVER_PORTS = ("443", "8883")
LEVELS = {"warning": 1, "fatal": 2, "encrypted": -1}
ALERTS = {alert(code): code for code in range(256)} | {"encrypted": -1}


class Oracle:
    """What tshark saw in one capture, without the secrets that a capture may carry."""

    def __init__(self, folder: Path, name: str) -> None:
        whole = json.loads((folder / f"{name}.json").read_text())
        blind = folder / f"{name}.nosecrets.json"
        if blind.exists() and (without := json.loads(blind.read_text()))["packets"] == whole["packets"]:
            whole = without  # taking the secrets away stopped at odd blocks in two files
        self._data: dict[str, Any] = whole

    @property
    def packets(self) -> int:
        return int(self._data["packets"])

    def streams(self) -> Iterator[tuple[int, Facts]]:
        """Frame of the first packet -> facts, of the TCP connections in which it found TLS."""
        for stream in self._data["tls_streams"]:
            if stream["proto"] == "tcp":
                yield int(stream["first_frame"]), _facts(stream)


def _facts(stream: dict[str, Any]) -> Facts:
    messages = [(frame, _side(side), HandshakeType[name]) for frame, side, name in stream["messages"]]
    facts: dict[str, object] = {
        "stream": stream["stream"],
        "packets": stream["frames"],
        "cut_packets": stream["truncated_frames"],
        "version": _code(stream["negotiated_version"]),
        "cipher": _code(stream["negotiated_cipher"]),
        "server_name": next(iter(stream["sni"] or ()), None),
        "alpn": next((name for hello in stream["server_hellos"] for name in hello.get("alpn", ())), None),
        "messages": types(messages),
        "hello_frames": hello_frames(messages),
        "alerts": tuple(sorted((item["frame"], _side(item["from"]), *_alert(item)) for item in stream["alerts"])),
        "fin": firsts((frame, _side(side)) for frame, side in stream["fin"]),
        "rst": firsts((frame, _side(side)) for frame, side in stream["rst"]),
    }
    if stream["client"]:
        facts |= {"client": stream["client"], "server": stream["server"]}
    for side in ("client", "server"):
        facts[f"{side}_certificates"] = tuple(
            one["sha256"]
            for message in stream["certificates"]
            if _side(message["from"]) == side
            for one in message["certs"]
        )
    return {**facts, **_hellos(stream), **_request(stream)}


def _side(name: str) -> str:
    """Without a hello an address stands here."""
    if name in ("client", "server"):
        return name
    return "server" if name.rpartition(":")[2] in SERVER_PORTS else "client"


def _alert(item: dict[str, Any]) -> tuple[int, int]:
    return LEVELS[item["level"]], ALERTS.get(item["desc"], item["desc"])


def _code(text: str | None) -> int | None:
    return None if text is None else int(text, 16)


def _codes(values: list[str] | None) -> tuple[int, ...]:
    return tuple(int(value, 0) for value in values or ())


def _hellos(stream: dict[str, Any]) -> Facts:
    facts: dict[str, object] = {}
    if stream["client_hellos"]:
        hello = stream["client_hellos"][-1]
        facts |= {
            "hello_suites": _codes(hello["ciphers"]),
            "hello_extensions": tuple(hello["extensions"]),
            "hello_groups": _codes(hello.get("groups")),
            "hello_versions": _codes(hello.get("supported_versions")),
            "hello_alpn": tuple(hello.get("alpn", ())),
            "hello_key_shares": tuple(hello.get("key_share_groups", ())),
        }
        if "random" in hello:
            facts |= {"hello_random": hello["random"], "hello_session_id": hello["session_id_len"]}
    if stream["server_hellos"]:
        answer = stream["server_hellos"][-1]
        facts |= {
            "answer_random": answer["random"],
            "answer_extensions": tuple(answer["extensions"]),
        }
        if answer["session_id_len"] is not None:  # drafts of TLS 1.3 up to 21 had none
            facts["answer_session_id"] = answer["session_id_len"]
    return facts


def _request(stream: dict[str, Any]) -> Facts:
    if not stream["certificate_requests"]:
        return {"ca_lengths": None}
    request = stream["certificate_requests"][0]
    return {
        "ca_lengths": tuple(request["dn_lengths"]),
        "ca_bytes": request["dn_total_len"],
        "certificate_types": _codes(request["cert_types"]),
        "request_schemes": _codes(request["sig_algs"]),
    }
