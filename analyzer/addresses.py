"""How an address and a port are written together."""

from __future__ import annotations


def endpoint(ip: str, port: int) -> str:
    """ "192.0.2.1:5061" or "[2001:db8::1]:5061"."""
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
