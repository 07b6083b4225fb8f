"""Google Cloud Logging, API v2 over gRPC: entries.list, page by page, and TailLogEntries, what is being written.

The channel and Google's messages stand in cloud_logging/google.py, an entry in cloud_logging/entry.py, what its
refusals mean in cloud_logging/errors.py. The filter language is passed through; `part.filter` is added to every query.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from toolkit.errors import ConfigurationError, Interrupted, ToolkitError
from toolkit.systems.cloud_logging.entry import LogEntry, read
from toolkit.systems.cloud_logging.errors import BUSY, PASSING, by_hand, explained
from toolkit.systems.interruption import ended_by
from toolkit.systems.live_session import SessionEnded

if TYPE_CHECKING:
    from toolkit.environments import model
    from toolkit.systems.cloud_logging.google import Google

T = TypeVar("T")

PAGE: Final = 1000  # entries, the most that Google gives at once
_TRIES: Final = 4
_TRIES_WHEN_BUSY: Final = 6
_MOST_WAITING: Final = 65.0  # seconds in all: quotas are counted by the minute
_BUFFER_SECONDS: Final = 2.0  # how long Google holds entries back, to put them into order
_MOST_WAITING_MESSAGES: Final = 64


@dataclass(frozen=True, slots=True)
class Heard:
    """What one message of a live session brought. `suppressed`: (reason, at least how many entries) left out."""

    entries: Sequence[LogEntry] = ()
    suppressed: Sequence[tuple[str, int]] = ()


class CloudLogging:
    """The entries of one project, as `part` configures it. Opened at the first question; thread-safe."""

    def __init__(self, part: model.CloudLogging) -> None:
        if not part.project:
            raise ConfigurationError(
                "Whose logs are meant is not configured: logs.cloud_logging.project is empty.",
                hint="Set it under [environments.NAME.logs.cloud_logging]; `toolkit config path` shows where.",
            )
        self.part = part
        self._lock = threading.Lock()
        self._google: Google | None = None

    def entries(
        self,
        filter_: str,
        since: int | None = None,
        until: int | None = None,
        *,
        newest_first: bool = False,
        stop: threading.Event | None = None,
        page: int = PAGE,
    ) -> Iterator[list[LogEntry]]:
        """Page after page of what `filter_` finds from `since` up to, not including, `until` (nanoseconds), the oldest
        first unless `newest_first`. Setting `stop` ends a waiting question with Interrupted.

        Without `since` Google looks back over all that it keeps (usually 30 days).
        """
        asked = self.filter(filter_, since, until)
        google = self._opened()
        request = google.ListLogEntriesRequest(
            resource_names=[f"projects/{self.part.project}"],
            filter=asked,
            order_by="timestamp desc" if newest_first else "timestamp asc",
            page_size=page,
        )
        while True:
            answer = self._asked(google, request, asked, stop)
            yield [read(entry) for entry in answer.entries]
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    def tail(self, filter_: str, *, stop: threading.Event | None = None) -> Tail:
        """A live session of what `filter_` finds from now on. Google holds entries back for 2 s, to sort them."""
        google = self._opened()
        asked = self.filter(filter_)
        request = google.TailLogEntriesRequest(resource_names=[f"projects/{self.part.project}"], filter=asked)
        request.buffer_window.FromMilliseconds(int(_BUFFER_SECONDS * 1000))
        return Tail(google, request, lambda error: self._explained(error, asked), stop)

    def filter(self, filter_: str, since: int | None = None, until: int | None = None) -> str:
        """The whole filter that is sent: the configured one, the given one, and the range of time."""
        given = [one for one in (self.part.filter, filter_) if one.strip()]
        if len(given) == 1 and since is None and until is None:
            return given[0]
        given = [f"({_closed(one)})" for one in given]
        low = [f'timestamp>="{rfc3339(since)}"'] if since is not None else []
        high = [f'timestamp<"{rfc3339(until)}"'] if until is not None else []
        return " AND ".join([*given, *low, *high])

    def by_hand(self, filter_: str, since: int | None = None, until: int | None = None) -> str:
        """The `gcloud logging read` command that asks the same."""
        return by_hand(self.part, self.filter(filter_, since, until))

    def close(self) -> None:
        """End the channel, and with it every question; the next one opens it again."""
        with self._lock:
            if self._google is not None:
                self._google.channel.close()
                self._google = None

    def _opened(self) -> Google:
        from toolkit.systems.cloud_logging.google import open_google

        with self._lock:
            if self._google is None:
                self._google = open_google(self.part)
            return self._google

    def _asked(self, google: Google, request: Any, asked: str, stop: threading.Event | None) -> Any:
        import grpc

        waited, again = 0.0, 0
        while True:
            call = google.list_entries.future(request, timeout=self.part.timeout_seconds)
            try:
                with ended_by(stop, call.cancel):
                    return call.result()
            except grpc.FutureCancelledError:
                raise Interrupted("Stopped on request.") from None
            except grpc.RpcError as error:
                if stop is not None and stop.is_set():
                    raise Interrupted("Stopped on request.") from None
                again += 1
                busy = error.code().name in BUSY
                pause = (1.0 if busy else 0.25) * 2 ** (again - 1)
                tries = _TRIES_WHEN_BUSY if busy else _TRIES
                if error.code().name not in (*BUSY, *PASSING) or again == tries or waited + pause > _MOST_WAITING:
                    raise self._explained(error, asked) from error
            waited += pause
            if stop is None:
                time.sleep(pause)
            elif stop.wait(pause):
                raise Interrupted("Stopped on request.")

    def _explained(self, error: Any, asked: str) -> ToolkitError:
        return explained(error.code().name, str(error.details() or ""), self.part, asked)


class Tail:
    """One live session. `read` waits for the next message; `close` ends it at once, from any thread.

    A thread of its own takes the messages from gRPC; it waits where nobody reads, and Google then leaves entries out.
    """

    def __init__(
        self,
        google: Google,
        request: Any,
        explained: Callable[[Any], ToolkitError],
        stop: threading.Event | None,
    ) -> None:
        self._explained = explained
        self._closed = threading.Event()
        self._stop = stop
        self._messages: queue.Queue[Any] = queue.Queue(_MOST_WAITING_MESSAGES)
        self._call = google.tail_entries(self._requests(request))
        self._thread = threading.Thread(target=self._take, name="tail of Cloud Logging", daemon=True)
        self._thread.start()

    def read(self, wait: float) -> Heard | None:
        """The next message, None where none came within `wait` seconds.

        Raises SessionEnded at the session's end, and ToolkitError where Google says no.
        """
        if self._closed.is_set():
            raise SessionEnded("closed", expected=True)
        try:
            found = self._messages.get(timeout=wait)
        except queue.Empty:
            return None
        if isinstance(found, Exception):
            self._messages.put(found)  # whoever reads on hears it again
            raise self._end(found)
        reasons = [(_REASONS.get(one.reason, "for a reason it does not say"), one) for one in found.suppression_info]
        return Heard([read(entry) for entry in found.entries], [(why, one.suppressed_count) for why, one in reasons])

    def close(self) -> None:
        """End the session without waiting for anybody."""
        self._closed.set()
        self._call.cancel()

    def __enter__(self) -> Tail:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        with contextlib.suppress(queue.Empty):
            while True:  # the thread may be waiting for a place
                self._messages.get_nowait()
        self._thread.join(2)

    def _requests(self, request: Any) -> Iterator[Any]:
        """One request; the stream of them stays open, since its end would end the session."""
        yield request
        self._closed.wait()

    def _take(self) -> None:
        end: Exception
        try:
            for message in self._call:
                self._put(message)
            end = SessionEnded("Google ended the live session", expected=True)
        except Exception as error:  # noqa: BLE001  whatever it is, whoever reads has to hear of it
            end = error
        self._put(end)
        if self._closed.is_set():  # whoever waits has to wake up
            with contextlib.suppress(queue.Full):
                self._messages.put_nowait(end)

    def _put(self, item: Any) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(queue.Full):
                self._messages.put(item, timeout=0.1)
                return

    def _end(self, error: Exception) -> Exception:
        code = getattr(error, "code", None)
        if self._closed.is_set():
            return SessionEnded("closed", expected=True)
        if isinstance(error, SessionEnded) or code is None:
            return error if isinstance(error, SessionEnded) else SessionEnded(str(error), expected=False)
        name, details = code().name, str(error.details() or "")  # type: ignore[attr-defined]
        if name in ("OUT_OF_RANGE", "DEADLINE_EXCEEDED", "ABORTED"):
            return SessionEnded(details or "Google's time limit", expected=True)
        if name in (*PASSING, *BUSY, "CANCELLED"):
            return SessionEnded(f"{name.lower().replace('_', ' ')}: {details}", expected=False)
        return self._explained(error)


_REASONS: Final = {1: "more came than its quota allows", 2: "we read too slowly"}


def _closed(filter_: str) -> str:
    """A comment at its end ends with its line, and must not swallow the bracket."""
    return filter_ + "\n" if "--" in filter_ else filter_


def rfc3339(nanoseconds: int) -> str:
    """In UTC with nanoseconds, as the filter language takes it."""
    seconds, rest = divmod(nanoseconds, 10**9)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:09d}Z"
