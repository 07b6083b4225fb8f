"""Loki's live stream: one session of /loki/api/v1/tail, a WebSocket.

Loki ends a session after an hour (its `querier.tail-max-duration`) whatever happens, and leaves entries out of one that
is read too slowly; it says both. Going on after the end is for whoever reads.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

import msgspec

from toolkit.errors import Interrupted, TimedOut, ToolkitError, Unreachable
from toolkit.systems import web
from toolkit.systems.interruption import ended_by
from toolkit.systems.live_session import SessionEnded
from toolkit.systems.loki.answer import Chunk, chunk_of
from toolkit.systems.loki.errors import Passing, Where, by_hand, nonsense, refused, unreachable, untrusted

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

    from toolkit.systems.loki.line import LokiLine

_PING_EVERY: Final = 5.0
_SILENT_AFTER: Final = 20.0  # seconds without an answer to a ping
_LONGEST_MESSAGE: Final = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Heard:
    """What one message brought: entries, and the times of those that Loki left out. Both empty: it is alive."""

    chunks: Sequence[Chunk] = ()
    dropped: Sequence[int] = ()


class Tail:
    """One session, connected. `read` waits for the next message; `close` ends that at once, from any thread."""

    def __init__(self, line: LokiLine, query: str, since: int, limit: int, stop: threading.Event | None) -> None:
        self._where: Where = line.where
        self._closed = threading.Event()
        self._raw: socket.socket | None = None
        self._stack = contextlib.ExitStack()
        self._pings: list[tuple[float, threading.Event]] = []
        asked = urlencode({"query": query, "start": str(since), "limit": str(limit), "delay_for": "0"})
        try:
            with ended_by(stop, self._cut):
                self._connection = self._connected(line, query, f"/loki/api/v1/tail?{asked}", stop)
        except BaseException:
            self._release()
            raise
        self._last = time.monotonic()

    def read(self, wait: float) -> Heard | None:
        """The next message, None where none came within `wait` seconds. Raises SessionEnded at the session's end."""
        from websockets.exceptions import ConnectionClosed, WebSocketException

        try:
            message = self._connection.recv(timeout=wait)
        except TimeoutError:
            return self._after_silence()
        except ConnectionClosed as closed:
            if self._closed.is_set():
                raise SessionEnded("closed", expected=True) from None
            words = (closed.rcvd.reason if closed.rcvd else "") or "the connection broke off"
            raise SessionEnded(words, expected="max duration" in words) from None
        except (WebSocketException, OSError) as error:
            raise SessionEnded(web.reason(error), expected=self._closed.is_set()) from None
        self._last = time.monotonic()
        self._pings.clear()
        return _heard(message)

    def close(self) -> None:
        """End the session without waiting for anybody."""
        self._closed.set()
        self._cut()

    def __enter__(self) -> Tail:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._release()

    def _after_silence(self) -> Heard | None:
        """Loki writes nothing while there is nothing: pings show that it is there."""
        now = time.monotonic()
        answered = [at for at, pong in self._pings if pong.is_set()]
        if answered:
            self._last = now
            self._pings.clear()
            return Heard()
        if now - self._last > _SILENT_AFTER:
            raise SessionEnded(f"nothing was heard for {now - self._last:.0f} s", expected=False)
        if now - max([self._last, *(at for at, _ in self._pings)]) > _PING_EVERY:
            from websockets.exceptions import ConnectionClosed

            with contextlib.suppress(ConnectionClosed):  # the next read says so
                self._pings.append((now, self._connection.ping()))
        return None

    def _release(self) -> None:
        with contextlib.suppress(Exception):  # its end is of no interest any more
            self._stack.close()
        if self._raw is not None:
            self._raw.close()

    def _cut(self) -> None:
        if self._raw is not None:
            with contextlib.suppress(OSError):  # it may have ended by itself
                self._raw.shutdown(socket.SHUT_RDWR)

    def _connected(self, line: LokiLine, query: str, path: str, stop: threading.Event | None) -> ClientConnection:
        from websockets.exceptions import InvalidStatus, WebSocketException
        from websockets.sync.client import connect

        url = urlsplit(line.where.address)
        hand = (by_hand(line.where, query, follow=True),)
        seconds = min(10.0, line.part.timeout_seconds)
        tls = line.tls()
        headers = line.headers()
        headers.pop("User-Agent")
        try:
            port = url.port or (443 if tls else 80)
            plain = socket.create_connection((url.hostname or "", port), timeout=seconds)
            self._raw = plain.dup()  # stays ours where TLS takes the other one over
            plain.settimeout(None)
            opened = connect(
                f"{'wss' if tls else 'ws'}://{url.netloc}{url.path}{path}",
                sock=plain,
                ssl=tls,
                additional_headers=headers,
                user_agent_header="mapapp-toolkit",
                open_timeout=seconds,
                ping_interval=None,
                close_timeout=1,
                max_size=_LONGEST_MESSAGE,
                proxy=None,
            )
            return self._stack.enter_context(opened)
        except InvalidStatus as error:
            answer = error.response
            found = refused(answer.status_code, dict(answer.headers), bytes(answer.body or b""), line.where, query)
            raise (found.error if isinstance(found, Passing) else found) from None
        except (OSError, WebSocketException, EOFError) as error:
            if stop is not None and stop.is_set():
                raise Interrupted("Stopped on request.") from None
            raise _no_connection(error, line.where, seconds, hand) from error


def _no_connection(error: Exception, where: Where, seconds: float, hand: tuple[str, ...]) -> ToolkitError:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return untrusted(error, where)
    if isinstance(error, TimeoutError):
        return TimedOut(f"{where} opened no live stream within {seconds:g} s.", hint="Is your VPN up?", by_hand=hand)
    if isinstance(error, OSError):
        return unreachable(error, where, hand)
    return Unreachable(
        f"{where} opened no live stream: {web.reason(error)}.",
        hint="A gateway before it has to let WebSockets through (Upgrade, Connection).",
        by_hand=hand,
    )


def _heard(message: Any) -> Heard:
    try:
        found = msgspec.json.decode(message)
        dropped = [int(one["timestamp"]) for one in found.get("dropped_entries") or ()]
        return Heard([chunk_of(stream) for stream in found.get("streams") or ()], dropped)
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise nonsense("something else than its live stream") from None
