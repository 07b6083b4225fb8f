"""Questions that can be ended from another thread while they wait: their sockets are shut down."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import urllib3

_LOOKS_EVERY = 0.05  # seconds


@contextlib.contextmanager
def ended_by(stop: threading.Event | None, cut: Callable[[], None]) -> Iterator[None]:
    """While the block runs, setting `stop` calls `cut`, from another thread and at once."""
    if stop is None:
        yield
        return
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            if stop.wait(_LOOKS_EVERY):
                while not over.wait(_LOOKS_EVERY):
                    cut()  # again and again: what is just connecting has no socket yet
                return

    threading.Thread(target=watch, name="watching for a stop", daemon=True).start()
    try:
        yield
    finally:
        over.set()  # the thread sees it at its next look; it is not waited for


class SocketsInUse:
    """Remembers the sockets of its pools' connections, so that `cut` can end what waits on them."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []

    def pool(self, **options: Any) -> urllib3.PoolManager:
        """A pool of connections whose sockets are remembered; `options` as urllib3.PoolManager takes them."""
        import urllib3

        if options.get("ssl_context") is None:
            options.pop("ssl_context", None)
        manager = urllib3.PoolManager(**options)
        manager.pool_classes_by_scheme = {
            "http": self._remembering(urllib3.HTTPConnectionPool),
            "https": self._remembering(urllib3.HTTPSConnectionPool),
        }
        return manager

    def cut(self) -> None:
        """End all that waits; safe from any thread, and more than once."""
        for one in [*self._sockets]:
            with contextlib.suppress(OSError):  # it may have ended by itself
                socket.socket.shutdown(one, socket.SHUT_RDWR)  # past TLS: whoever reads sees the end

    def _remembering(self, plain: Any) -> Any:
        sockets = self._sockets
        connection: Any = plain.ConnectionCls

        class Connection(connection):  # type: ignore[misc]
            def connect(self) -> None:
                super().connect()
                sockets.append(self.sock)

        class Pool(plain):  # type: ignore[misc]
            ConnectionCls = Connection

        return Pool
