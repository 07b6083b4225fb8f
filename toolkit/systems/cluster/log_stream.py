"""One answer of a log, on a connection of its own: blocks of bytes as they come, closed from any thread at once."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from toolkit.errors import Unreachable
from toolkit.systems.cluster.log_text import Chunks
from toolkit.systems.cluster.requests import Api, Query

if TYPE_CHECKING:
    import urllib3

_BLOCK: Final = 1 << 16
_GATHER: Final = 0.025  # seconds: so long a busy stream is let gather, since few large blocks cost less than many small


class Connections:
    """The connections that a log has open. `close()` ends whatever waits on them, and all later ones."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.sockets: list[socket.socket] = []

    def close(self) -> None:
        self.closed.set()
        for one in [*self.sockets]:
            _shut(one)

    @contextlib.contextmanager
    def answer(self, api: Api, path: str, query: Query, silence: float) -> Iterator[Answer]:
        """Ask, on a new connection. Raises what Api.stream raises."""
        manager = api.own_manager()
        own: list[socket.socket] = []
        self._remember_sockets(manager, api.address, own)
        try:
            response = api.stream(manager, path, query, silence)
            try:
                yield Answer(response, own[-1], self.closed)
            finally:
                response.close()
        finally:
            manager.clear()
            for one in own:
                self.sockets.remove(one)

    def _remember_sockets(self, manager: urllib3.PoolManager, address: str, own: list[socket.socket]) -> None:
        """So that `close` finds the connection even while it waits for the first answer."""
        sockets, closed = self.sockets, self.closed
        pool = manager.connection_from_url(address)
        plain: Any = pool.ConnectionCls

        class Remembered(plain):  # type: ignore[misc]
            def connect(self) -> None:
                super().connect()
                own.append(self.sock)
                sockets.append(self.sock)
                if closed.is_set():
                    _shut(self.sock)

        pool.ConnectionCls = Remembered


class Answer:
    """The body of one answer. It is read from the socket itself: a wait on it can time out and go on, and urllib3 takes
    HTTP's chunks one by one, of which there may be one for each line."""

    def __init__(self, response: urllib3.BaseHTTPResponse, sock: socket.socket, closed: threading.Event) -> None:
        self.patience: float | None = None
        self._response: Any = response
        self._socket = sock
        self._closed = closed

    def blocks(self, *, gather: bool) -> Iterator[bytes]:
        """The body as it comes; b"" after each `patience` seconds in which nothing came. Ends where the body ends, or
        is closed. Raises Unreachable where it is cut before its end."""
        import urllib3

        read = self._chunked if getattr(self._response, "chunked", False) else self._plain
        try:
            yield from read(gather)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            if not self._closed.is_set():
                raise Unreachable("The log broke off.") from error

    def _chunked(self, gather: bool) -> Iterator[bytes]:
        chunks, sock = Chunks(), self._socket
        block = self._read_already()
        while True:
            if block:
                data = chunks.decoded(block)
                if data:
                    yield data
            if chunks.ended:
                return
            if gather and len(block) < _BLOCK // 2:
                self._closed.wait(_GATHER)
            if self._closed.is_set():
                return
            sock.settimeout(self.patience)
            try:
                block = sock.recv(_BLOCK)
            except TimeoutError:
                yield b""
                block = b""
            else:
                if not block:
                    raise OSError("the connection ended before the log did")

    def _plain(self, gather: bool) -> Iterator[bytes]:
        del gather
        while block := self._response.read1(_BLOCK):
            yield block

    def _read_already(self) -> bytes:
        """What came with the answer's headers."""
        self._socket.settimeout(0)
        try:
            found: bytes = self._response._fp.fp.read1(_BLOCK)
        except (BlockingIOError, ssl.SSLWantReadError):
            return b""
        return found


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it may have ended by itself
        socket.socket.shutdown(one, socket.SHUT_RDWR)  # past TLS: whoever reads sees the end
