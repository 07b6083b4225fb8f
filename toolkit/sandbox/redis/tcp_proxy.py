"""The sandbox's redis-proxy: passes bytes between a loopback address and Redis, and can fail as real ones do.

It knows nothing of what it passes. Neither side is read faster than the other can be written to.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

Target = Path | tuple[str, int]

_BUFFER = 256 * 1024
_HIGH_WATER = 1024 * 1024
_MOST_LATE = 32 * 1024 * 1024  # bytes of replies on a long line's way


@dataclass(frozen=True, slots=True)
class Refuse:
    """Nobody listens at the address any more; what was connected is cut off."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Connections are taken, and nothing is ever said on them; those that are open fall silent too."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Each connection is torn down once `after` more bytes of the server's replies have passed."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class Delay:
    """The server's replies come `seconds` late, as over a long line: each request waits, the rate is not bounded."""

    seconds: float


Fault = Refuse | Hang | Cut | Delay


def loopback_host(number: int) -> str:
    """The `number`th (1 to 250) of several loopback addresses, where the platform has more than one."""
    return f"127.77.0.{number}" if sys.platform == "linux" else "127.0.0.1"


class TcpProxy:
    """Listens at an address and passes everything on to `target`. All methods belong to its event loop."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.host = ""
        self.port = 0
        self.fault: Fault | None = None
        self.connections_seen = 0
        self.bytes_passed = 0  # of the server's replies
        self._server: asyncio.Server | None = None
        self._sessions: set[_Session] = set()

    @property
    def address(self) -> str:
        """host:port, as a client would be told."""
        return f"{self.host}:{self.port}"

    @property
    def open_connections(self) -> int:
        return len(self._sessions)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen at `host` (loopback only) and `port` (0: any free one). Raises OSError where that is taken."""
        if not host.startswith("127.") and host not in ("::1", "localhost"):
            raise ValueError(f"the sandbox listens on loopback only, not on {host}")
        self._server = await asyncio.get_running_loop().create_server(self._session, host, port)
        self.host, self.port = self._server.sockets[0].getsockname()[:2]

    async def stop(self) -> None:
        """Listen no more, and cut what is connected."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        while self._sessions:
            for session in tuple(self._sessions):
                session.cut()
            await asyncio.sleep(0.001)
        if server is not None:
            await server.wait_closed()

    async def move(self, host: str, port: int) -> None:
        """Stop listening here, and from now on listen there; as when a Service gets another external address."""
        await self.stop()
        await self.start(host, port)

    async def set_fault(self, fault: Fault | None) -> None:
        """Fail like that from now on; None: pass everything again."""
        refused = isinstance(self.fault, Refuse)
        self.fault = fault
        if isinstance(fault, Refuse):
            await self.stop()
        elif refused and self._server is None:
            await self.start(self.host, self.port)
        for session in tuple(self._sessions):
            session.fault_changed()

    def _session(self) -> asyncio.BaseProtocol:
        session = _Session(self)
        self.connections_seen += 1
        self._sessions.add(session)
        return session.client

    def forget(self, session: _Session) -> None:
        self._sessions.discard(session)


class _Session:
    """One client's connection and the one to the target that was made for it."""

    def __init__(self, proxy: TcpProxy) -> None:
        self._proxy = proxy
        self._passed = 0
        self._allowed: int | None = None
        self._closed = False
        self._late: deque[bytes] = deque()
        self.late_bytes = 0
        self._connecting: asyncio.Task[None] | None = None
        # A client may say that it has finished and still wait for the answer (`printf PING | nc …`).
        self.client = _Side(self._to_target, self._ended, self._client_connected, may_half_close=True)
        self.server = _Side(self._to_client, self._ended, self._server_connected, may_half_close=False)
        self.client.other, self.server.other = self.server, self.client

    def _client_connected(self) -> None:
        self.client.pause()
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        target = self._proxy.target
        try:
            if isinstance(target, tuple):
                await loop.create_connection(lambda: self.server, *target)
            else:
                await loop.create_unix_connection(lambda: self.server, str(target))
        except OSError:
            self.cut()

    def _server_connected(self) -> None:
        if self._closed:
            self.server.abort()
            return
        self.client.resume()  # paused since it was taken
        self.fault_changed()

    def fault_changed(self) -> None:
        fault = self._proxy.fault
        while self._late and not isinstance(fault, Delay):
            self._arrived()
        self._allowed = self._passed + fault.after if isinstance(fault, Cut) else None
        if self.server.transport is None:
            return
        for side in (self.client, self.server):
            side.hold(isinstance(fault, Hang))

    def _to_target(self, data: bytes) -> None:
        self.server.write(data)

    def _to_client(self, data: bytes) -> None:
        fault = self._proxy.fault
        if not isinstance(fault, Delay):
            self._pass(data)
            return
        self._late.append(data)
        before, self.late_bytes = self.late_bytes, self.late_bytes + len(data)
        if before < _MOST_LATE <= self.late_bytes:
            self.server.pause()
        asyncio.get_running_loop().call_later(fault.seconds, self._arrived)

    def _arrived(self) -> None:
        """What has been under way longest comes through, whichever timer it is: so the order stays."""
        if self._closed or not self._late:
            return
        data = self._late.popleft()
        before, self.late_bytes = self.late_bytes, self.late_bytes - len(data)
        if self.late_bytes < _MOST_LATE <= before:
            self.server.resume()
        self._pass(data)

    def _pass(self, data: bytes) -> None:
        if self._allowed is not None and self._passed + len(data) >= self._allowed:
            self.client.write(data[: self._allowed - self._passed])
            self.client.end()
            self.cut(abort_client=False)
            return
        self._passed += len(data)
        self._proxy.bytes_passed += len(data)
        self.client.write(data)

    def _ended(self) -> None:
        """One side has closed: what is still under way to the other is delivered, then it closes too."""
        self._closed = True
        self.client.end()
        self.server.end()
        self._forget_if_over()

    def _forget_if_over(self) -> None:
        connecting = self._connecting is not None and not self._connecting.done()
        if not (connecting or self.client.connected or self.server.connected):
            self._proxy.forget(self)

    def cut(self, *, abort_client: bool = True) -> None:
        """Tear both connections down at once."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
        if abort_client:
            self.client.abort()
        self.server.abort()
        self._forget_if_over()


class _Side(asyncio.BufferedProtocol):
    """One of a session's two connections. Reading stops while the other side cannot be written to."""

    other: _Side

    def __init__(
        self,
        received: Callable[[bytes], None],
        ended: Callable[[], None],
        made: Callable[[], None],
        *,
        may_half_close: bool,
    ) -> None:
        self._may_half_close = may_half_close
        self._received = received
        self._ended = ended
        self._made = made
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._reasons = 0  # why reading is paused, counted
        self._held = False
        self.transport: asyncio.Transport | None = None
        self.connected = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.connected = True
        self.transport.set_write_buffer_limits(_HIGH_WATER)
        self._made()

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        self._received(bytes(self._view[:nbytes]))

    def eof_received(self) -> bool:
        if self._may_half_close and self.other.transport is not None and self.other.transport.can_write_eof():
            self.other.transport.write_eof()
            return True  # keep our half open: an answer may still come
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.connected = False
        self._ended()

    def pause_writing(self) -> None:
        self.other.pause()

    def resume_writing(self) -> None:
        self.other.resume()

    def hold(self, held: bool) -> None:
        """Read nothing while held."""
        if held != self._held:
            self._held = held
            (self.pause if held else self.resume)()

    def pause(self) -> None:
        self._reasons += 1
        if self._reasons == 1 and self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()

    def resume(self) -> None:
        self._reasons -= 1
        if self._reasons == 0 and self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def end(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()
