"""A container's log as an endless source: closed from any thread at once, and going on after a cut where it stopped.

As stern does it, a cut stream is asked for again from the last second seen, and the lines of that second which were
already shown are left out.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from toolkit.errors import NotFound, TimedOut, Unreachable
from toolkit.systems.cluster.objects import read_pod, time
from toolkit.systems.cluster.requests import Api, NotYet

if TYPE_CHECKING:
    import urllib3

_CHUNK: Final = 1 << 16
_LONGEST_LINE: Final = 1 << 20
_FAILURES_IN_A_ROW: Final = 6
_LONGEST_PAUSE: Final = 10.0


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line, and when the container wrote it (None where the server sent no time)."""

    time: datetime | None
    text: str


class Place:
    """Where in a log we are. A server gives lines from a whole second on, so the lines of the last second are kept."""

    def __init__(self) -> None:
        self.second = ""  # as `sinceTime` takes it; "" before the first line
        self._first = ""
        self._seen: Counter[str] = Counter()
        self._again: Counter[str] = Counter()

    def resume(self) -> None:
        """A new stream begins, at `second`."""
        self._again = Counter(self._seen)

    def is_new(self, raw: str) -> bool:
        """Whether the line `raw` (it begins with its time) has not been seen yet; from now on it has."""
        if self._again[raw] > 0:
            self._again[raw] -= 1
            return False
        stamp = raw.partition(" ")[0]
        if stamp < self._first:
            return False  # older than the tail that was asked for at first
        self._first = self._first or stamp
        second = stamp[:19] + "Z"
        if second > self.second:
            self.second = second
            self._seen.clear()
        self._seen[raw] += 1
        return True


class PodLog:
    """Iterate over it for the lines; `close()` ends that from another thread. After the end `ended` says why:
    "closed", "the pod has ended", "the pod is gone". `reconnects` counts the cuts that were healed.

    A container that has not started yet is waited for. `silence` seconds without a line lead to a new connection.
    """

    def __init__(
        self,
        api: Api,
        namespace: str,
        pod: str,
        container: str = "",
        *,
        follow: bool = True,
        since: datetime | None = None,
        tail: int | None = None,
        silence: float = 60.0,
    ) -> None:
        self.pod = pod
        self.ended = ""
        self.reconnects = 0
        self._api = api
        self._pod_path = f"/api/v1/namespaces/{namespace}/pods/{pod}"
        self._query: dict[str, str | int | bool | None] = {
            "container": container,
            "follow": follow,
            "timestamps": True,
            "tailLines": tail,
        }
        self._follow = follow
        self._since = since.strftime("%Y-%m-%dT%H:%M:%SZ") if since else ""
        self._silence = silence
        self._closed = threading.Event()
        self._sockets: list[socket.socket] = []
        self._asked = False
        self._place = Place()

    def close(self) -> None:
        """End the iteration, wherever it is waiting."""
        self._closed.set()
        for one in [*self._sockets]:
            with contextlib.suppress(OSError):  # it may have ended by itself
                socket.socket.shutdown(one, socket.SHUT_RDWR)  # past TLS: whoever reads sees the end

    def __iter__(self) -> Iterator[LogLine]:
        failures = 0
        while not self.ended:
            try:
                for line in self._one_stream():
                    failures = 0
                    yield line
                self.ended = self._why_it_ended()
                failures = 0
            except NotYet:
                if not self._follow:
                    raise
            except NotFound:
                self.ended = "the pod is gone"
            except Unreachable:
                failures += 1
                if not self._closed.is_set() and (failures == _FAILURES_IN_A_ROW or not self._follow):
                    raise
            if not self.ended:
                self._closed.wait(min(0.1 * 2**failures, _LONGEST_PAUSE))
            if self._closed.is_set():
                self.ended = "closed"

    def _why_it_ended(self) -> str:
        """Why a stream ended that was not cut: "" where there is more to come. Raises Unreachable, NotFound."""
        if self._closed.is_set() or not self._follow:
            return "closed"
        pod = read_pod(self._api.name, self._api.get(self._pod_path))
        return "the pod has ended" if pod.over else ""

    def _one_stream(self) -> Iterator[LogLine]:
        """The lines of one connection. Raises Unreachable where it is cut."""
        import urllib3

        self._place.resume()
        query: dict[str, str | int | bool | None] = {**self._query, "sinceTime": self._place.second or self._since}
        if self._place.second:
            query["tailLines"] = None
        self.reconnects += self._asked
        self._asked = True
        manager = self._api.own_manager()
        self._remember_sockets(manager)
        try:
            response = self._api.stream(manager, self._pod_path + "/log", query, self._silence)
        except TimedOut:
            return  # a container that says nothing may also let the answer's beginning wait
        else:
            try:
                for text in _lines(response):
                    line = _line(text)
                    if line.time is not None and not self._place.is_new(text):
                        continue
                    if self._closed.is_set():
                        return
                    yield line
            except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                if not self._closed.is_set() and not isinstance(error, urllib3.exceptions.ReadTimeoutError):
                    raise Unreachable(f"The log of pod {self.pod} broke off.") from error
            finally:
                response.close()
        finally:
            manager.clear()
            self._sockets.clear()

    def _remember_sockets(self, manager: urllib3.PoolManager) -> None:
        """So that `close` finds the connection even while it waits for the first answer."""
        sockets, closed = self._sockets, self._closed
        pool = manager.connection_from_url(self._api.address)
        plain: Any = pool.ConnectionCls

        class Remembered(plain):  # type: ignore[misc]
            def connect(self) -> None:
                super().connect()
                sockets.append(self.sock)
                if closed.is_set():
                    socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

        pool.ConnectionCls = Remembered


def _line(raw: str) -> LogLine:
    stamp, _, text = raw.partition(" ")
    at = time(stamp)
    return LogLine(at, text) if at is not None else LogLine(None, raw)


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[str]:
    """The lines of a stream as they come. What a cut leaves without a line's end is dropped: it will come again."""
    rest = b""
    for chunk in _chunks(response):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")
        if len(rest) > _LONGEST_LINE:
            yield rest.decode("utf-8", "replace")
            rest = b""
    if rest:
        yield rest.decode("utf-8", "replace")


def _chunks(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    if getattr(response, "chunked", False):
        yield from response.stream(_CHUNK)
        return
    while chunk := response.read1(_CHUNK):
        yield chunk
