"""Peers whose hello randoms begin with their clock, as Schannel's did: OpenSSL can, but no program of it asks for that.

`python clocks.py ADDRESS PORT CERT KEY` is such a server, to be run under faketime: it echoes.
"""

from __future__ import annotations

import _ssl
import contextlib
import ctypes
import socket
import ssl
import sys
from pathlib import Path

SSL_CTRL_MODE = 33  # openssl/ssl.h
SEND_TIME = 0x20 | 0x40  # SSL_MODE_SEND_CLIENTHELLO_TIME, SSL_MODE_SEND_SERVERHELLO_TIME
CONTEXT_AT = 2 * ctypes.sizeof(ctypes.c_void_p)  # in PySSLContext of CPython, after the header of every object


def tell_time(context: ssl.SSLContext) -> ssl.SSLContext:
    """gmt_unix_time in the hellos of this context (RFC 5246 section 7.4.1.2)."""
    pointer = ctypes.c_void_p.from_address(id(context) + CONTEXT_AT)
    control = ctypes.CDLL(_ssl.__file__).SSL_CTX_ctrl
    control.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_void_p)
    control.restype = ctypes.c_long
    control(pointer, SSL_CTRL_MODE, SEND_TIME, None)
    return context


def main(address: str, port: str, cert: Path, key: Path) -> None:
    """Echo, one connection after another, TLS 1.2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(cert, key)
    tell_time(context)
    with socket.create_server((address, int(port))) as listener:
        while True:
            connection, _ = listener.accept()
            with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                while data := secure.recv(4096):
                    secure.sendall(data)
                secure.unwrap().close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
