"""A small HTTP server for scrapes: it listens when it is made, answers in threads of its own, and never holds up the end."""

from __future__ import annotations

import os
import socket
import socketserver
from collections.abc import Callable, Iterable
from threading import BoundedSemaphore, Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from analyzer.addresses import endpoint
from analyzer.errors import UsageError

PATIENCE = 5.0
"""Seconds that a client may keep us waiting for its next bytes, or with taking ours."""
AT_ONCE = 8
"""Scrapes answered at the same time; others are hung up on."""
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Handler(WSGIRequestHandler):
    """One request. It writes no log."""

    timeout = PATIENCE

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name of the base class)
        """Say nothing."""


class _Http(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # elsewhere two could listen at one port

    def __init__(self, host: str, port: int, family: socket.AddressFamily) -> None:
        self.address_family = family
        self._places = BoundedSemaphore(AT_ONCE)
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Without asking DNS for our own name, which the base class does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread, if there is a place."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, then make place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is nobody's business."""


class Server:
    """Listens at once and answers from `begin` on. `url`, `port`: where."""

    def __init__(self, host: str, port: int, application: Application) -> None:
        """Raise UsageError if that address is none of ours, or taken."""
        where = endpoint(host, port)
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            self._http = _Http(str(address[0]), port, family)
        except OSError as error:
            raise UsageError(f"cannot listen at {where}: {error.strerror or error}") from None
        self._http.set_app(application)
        self._thread: Thread | None = None
        self.port = self._http.server_port  # of our own choice if 0 was asked for
        self.url = f"http://{where.removesuffix(str(port))}{self.port}/metrics"

    def begin(self) -> None:
        """Start to answer; nothing more from the second call on."""
        if self._thread is None:
            self._thread = Thread(target=self._http.serve_forever, args=(0.1,), daemon=True, name="metrics")
            self._thread.start()

    def close(self) -> None:
        """Answer nobody any more. What is being answered is left to itself."""
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()
