"""Google's Cloud Logging API v2 over gRPC: ListLogEntries and TailLogEntries of what the clusters' containers wrote,
after its reference ("Cloud Logging API, Package google.logging.v2") and with its own messages.

Leaves out: writing, deleting, log names, buckets, views, sinks, credentials (it takes anybody), TLS, resource names
other than projects. Which filters it reads is said in filters.py.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from toolkit.sandbox.cloud_logging import filters
from toolkit.sandbox.cloud_logging.entries import Entry, entry, message
from toolkit.sandbox.collected import Collected, Container, Shipped

MOST_ENTRIES: Final = 1000
_SERVICE: Final = "google.logging.v2.LoggingServiceV2"
_TAIL_BATCH: Final = 200


@dataclass
class Faults:
    """What is wrong with Cloud Logging at the moment; set these freely while it runs.

    status: the next `times` calls (all, while it is None) end with this gRPC status, and with `details`. hang: nothing
    is answered. cut_tail_after: each live session breaks off (UNAVAILABLE) after so many entries. tail_limit: seconds
    after which a live session is ended (an hour in life). suppress: so many next entries are left out of live
    sessions, for the reason `suppressed_because` (1: rate limit, 2: not consumed). mute_tails: live sessions stay open
    and bring nothing. delay: seconds until an entry can be read. skew_seconds: what arrives from now on has stamps
    that are off by so much.
    """

    status: str = ""
    times: int | None = None
    details: str = ""
    hang: bool = False
    cut_tail_after: int | None = None
    tail_limit: float = 3600.0
    suppress: int = 0
    suppressed_because: int = 1
    mute_tails: bool = False
    delay: float = 0.15
    skew_seconds: float = 0.0


@dataclass
class CloudLoggingServer:
    """Serves `collected`; `project_of` says to which project a container's entries go ("": to none)."""

    collected: Collected
    project_of: Callable[[Container], str]
    faults: Faults = field(default_factory=Faults)
    requests_seen: int = 0
    tails_open: int = 0
    url: str = ""
    _entries: dict[int, Entry] = field(default_factory=dict)
    _skew: dict[int, int] = field(default_factory=dict)
    _most_skew: int = 0
    _server: Any = None
    _types: Any = None

    def __post_init__(self) -> None:
        self._news = asyncio.Event()
        self._stopping = asyncio.Event()
        self._salt = uuid.uuid4().hex[:8]
        self.collected.told.append(self._tell)

    async def start(self) -> None:
        """Listen. Google's messages are imported when somebody first asks: that takes a second."""
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        import grpc

        self._server = grpc.aio.server()
        handlers = {
            "ListLogEntries": grpc.unary_unary_rpc_method_handler(self._list),
            "TailLogEntries": grpc.stream_stream_rpc_method_handler(self._tail),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))
        port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()
        self.url = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        self._stopping.set()
        self._news.set()
        if self._server is not None:
            await self._server.stop(0.2)

    # -- calls

    async def _list(self, body: bytes, context: Any) -> bytes:
        request = await self._admitted("ListLogEntriesRequest", body, context)
        test, projects = await _asked(request, context)
        if request.order_by not in ("", "timestamp asc", "timestamp desc"):
            await _refuse(context, "INVALID_ARGUMENT", f"Invalid order_by: {request.order_by!r}.")
        newest_first = request.order_by == "timestamp desc"
        place = await _place(request.page_token, request.filter, context)
        size = min(request.page_size if request.page_size > 0 else 50, MOST_ENTRIES)
        found = self._found(test, projects, place, size + 1, newest_first=newest_first)
        answer = self._types.ListLogEntriesResponse()
        for one in found[:size]:
            answer.entries.append(message(self._types, one))
        if len(found) > size:
            answer.next_page_token = _token(_order(found[size - 1]), request.filter)
        return bytes(answer.SerializeToString())

    async def _tail(self, bodies: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        request = None
        async for body in bodies:
            request = await self._admitted("TailLogEntriesRequest", body, context)
            break
        if request is None:
            return
        test, projects = await _asked(request, context)
        self.tails_open += 1
        try:
            async for answer in self._fed(test, projects, context):
                yield answer.SerializeToString()
        finally:
            self.tails_open -= 1

    async def _fed(self, test: filters.Filter, projects: set[str], context: Any) -> AsyncIterator[Any]:
        faults, begun, sent, seen = self.faults, time.monotonic(), 0, self.collected.next_number
        suppressed = 0
        while not self._stopping.is_set():
            self._news.clear()
            batch: list[Entry] = []
            ripe = time.time_ns() - int(faults.delay * 1e9)
            for line in self.collected.since_number(seen):
                if line.arrived > ripe:
                    break
                seen = line.number + 1
                one = self._entry(line)
                if one is None or _project(one) not in projects or not test(one):
                    continue
                if faults.suppress > 0:
                    faults.suppress, suppressed = faults.suppress - 1, suppressed + 1
                elif not faults.mute_tails:
                    batch.append(one)
            batch.sort(key=_order)
            while batch or suppressed:
                part, batch = batch[:_TAIL_BATCH], batch[_TAIL_BATCH:]
                if faults.cut_tail_after is not None:
                    part, batch = part[: max(0, faults.cut_tail_after - sent)], []
                answer = self._types.TailLogEntriesResponse()
                answer.entries.extend(message(self._types, one) for one in part)
                if suppressed:
                    answer.suppression_info.add(reason=faults.suppressed_because, suppressed_count=suppressed)
                yield answer
                sent, suppressed = sent + len(part), 0
                if faults.cut_tail_after is not None and sent >= faults.cut_tail_after:
                    await _refuse(context, "UNAVAILABLE", "The service is currently unavailable.")
            if time.monotonic() - begun >= faults.tail_limit:
                await _refuse(context, "OUT_OF_RANGE", "Session has run for the maximum allowed duration.")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), 0.05)
                await asyncio.sleep(min(faults.delay, 0.05))

    async def _admitted(self, kind: str, body: bytes, context: Any) -> Any:
        """The request, if no fault is switched on."""
        self.requests_seen += 1
        if self._types is None:
            self._types = await asyncio.to_thread(_Types)
        faults = self.faults
        while faults.hang and not self._stopping.is_set():
            await asyncio.sleep(0.02)
        if faults.status and faults.times != 0:
            if faults.times is not None:
                faults.times -= 1
            await _refuse(context, faults.status, faults.details or "this Cloud Logging has a fault switched on")
        return getattr(self._types, kind).FromString(body)

    # -- entries

    def _found(
        self,
        test: filters.Filter,
        projects: set[str],
        place: tuple[int, str] | None,
        most: int,
        *,
        newest_first: bool,
    ) -> list[Entry]:
        """The first `most` entries after `place`, in that direction."""
        ripe, skew = time.time_ns() - int(self.faults.delay * 1e9), self._most_skew
        low, high = test.since, test.until
        if place is not None and newest_first:
            high = min(high, place[0] + 1)
        elif place is not None:
            low = max(low, place[0])
        containers = [one for one in self.collected.containers() if self.project_of(one) in projects]
        found: list[Entry] = []
        for line in self.collected.between(containers, low - skew, high + skew, backward=newest_first):
            one = self._entry(line) if line.arrived <= ripe else None
            if one is None or not test(one):
                continue
            if place is None or (_order(one) < place if newest_first else _order(one) > place):
                found.append(one)
                if len(found) == most and not skew:
                    break
        if skew:
            found.sort(key=_order, reverse=newest_first)
        return found[:most]

    def _entry(self, line: Shipped) -> Entry | None:
        """The entry that was made of a line, made once."""
        found = self._entries.get(line.number)
        if found is None:
            project = self.project_of(line.container)
            if not project:
                return None
            at = line.at + self._skew.get(line.number, 0)
            received = line.arrived + int(self.faults.delay * 1e9)
            insert_id = f"{self._salt}{line.number:09x}"
            found = entry(project, line.container, line.number, at, received, line.text, insert_id)
            self._entries[line.number] = found
            if len(self._entries) > 2 * len(self.collected.arrivals):
                first = self.collected.arrivals[0].number
                self._entries = {number: one for number, one in self._entries.items() if number >= first}
        return found

    def _tell(self) -> None:
        if self.faults.skew_seconds and self.collected.arrivals:
            skew = self._skew[self.collected.arrivals[-1].number] = int(self.faults.skew_seconds * 1e9)
            self._most_skew = max(self._most_skew, abs(skew))
        self._news.set()


class _Types:
    """Google's protocol buffer classes, without the wrappers around them."""

    def __init__(self) -> None:
        from google.cloud.logging_v2.types import LogEntry, logging

        def raw(wrapper: Any) -> Any:
            return wrapper.pb()

        self.LogEntry = raw(LogEntry)
        self.ListLogEntriesRequest = raw(logging.ListLogEntriesRequest)
        self.ListLogEntriesResponse = raw(logging.ListLogEntriesResponse)
        self.TailLogEntriesRequest = raw(logging.TailLogEntriesRequest)
        self.TailLogEntriesResponse = raw(logging.TailLogEntriesResponse)


async def _refuse(context: Any, status: str, details: str) -> None:
    """End the call; does not come back."""
    import grpc

    await context.abort(getattr(grpc.StatusCode, status), details)


async def _asked(request: Any, context: Any) -> tuple[filters.Filter, set[str]]:
    """The filter and the projects of a request."""
    names = [str(name) for name in request.resource_names]
    if not names or not all(name.startswith("projects/") and name.count("/") == 1 for name in names):
        await _refuse(context, "INVALID_ARGUMENT", f"Invalid resource names: {', '.join(names) or 'none'}.")
    try:
        return filters.parse(request.filter), {name.removeprefix("projects/") for name in names}
    except filters.Unreadable as unreadable:
        await _refuse(context, "INVALID_ARGUMENT", str(unreadable))
        raise


def _project(one: Entry) -> str:
    return one.resource["project_id"]


def _order(one: Entry) -> tuple[int, str]:
    return one.at, one.insert_id


def _token(place: tuple[int, str], filter_: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([*place, filter_]).encode()).decode()


async def _place(token: str, filter_: str, context: Any) -> tuple[int, str] | None:
    """Where the page before ended. A token belongs to the filter it was given for."""
    if not token:
        return None
    try:
        at, insert_id, of = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        of = None
    if of != filter_:
        await _refuse(context, "INVALID_ARGUMENT", "page_token doesn't match arguments from the request")
    return int(at), str(insert_id)
