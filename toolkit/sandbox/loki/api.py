"""Loki's HTTP API over what the clusters' containers wrote, after "Loki HTTP API" of Loki 3's documentation.

It has query_range, tail, labels, label values, series, and /ready. It leaves out: pushing, metric queries, instant
queries, index statistics, patterns, deletion, parquet, `step` and `interval`; `delay_for` is taken and not followed.
Which LogQL it reads is said in logql.py. It wants a token and a tenant, as a gateway before a Loki does.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiohttp import WSMsgType, web

from toolkit.sandbox.collected import Collected, Container, Shipped
from toolkit.sandbox.loki import logql
from toolkit.sandbox.web_server import Door, WebFaults

MOST_ENTRIES: Final = 5000
_LONGEST_RANGE: Final = (30 * 24 + 1) * 3600 * 10**9
_TAIL_BATCH: Final = 100  # entries in one message


@dataclass
class Faults(WebFaults):
    """Besides: too_many: so many next requests get 429, with `retry_after` seconds. close_tail_after: seconds after
    which a live stream is ended with Loki's own time limit (an hour in real life). cut_tail_after: each live stream
    breaks off after so many lines. drop: so many next live lines are left out of live streams and reported as dropped.
    mute_tails: live streams stay open and bring nothing. skew_seconds: what arrives from now on has stamps that are off
    by so much. most_entries: the limit for one answer.
    """

    too_many: int = 0
    retry_after: float = 1.0
    close_tail_after: float = 3600.0
    cut_tail_after: int | None = None
    drop: int = 0
    mute_tails: bool = False
    skew_seconds: float = 0.0
    most_entries: int = MOST_ENTRIES


class Refusal(Exception):
    """Answered with this code and text, as Loki answers: in plain text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass
class LokiServer:
    """Serves `collected` to whoever has `token` (as a bearer, or as the password of any user) and names `tenant`."""

    collected: Collected
    token: str = ""
    tenant: str = ""
    certificate: Path | None = None
    faults: Faults = field(default_factory=Faults)
    requests_seen: int = 0
    tails_open: int = 0
    url: str = ""
    _skew: dict[int, int] = field(default_factory=dict)
    _most_skew: int = 0
    _labels: dict[Container, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._news = asyncio.Event()
        self._door = Door()
        self.collected.told.append(self._tell)

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/ready", self._ready)
        for path, handler in (
            ("query_range", self._query_range),
            ("labels", self._label_names),
            ("label/{name}/values", self._label_values),
            ("series", self._series),
            ("tail", self._tail),
        ):
            app.router.add_get(f"/loki/api/v1/{path}", self._guarded(handler))
        self.url = await self._door.open(app, self.certificate)

    async def stop(self) -> None:
        self._door.closing.set()
        self._tell()
        await self._door.close()

    # -- answering

    async def _ready(self, request: web.Request) -> web.Response:
        del request
        return web.Response(text="ready\n")

    def _guarded(self, handler: Any) -> Any:
        async def answer(request: web.Request) -> web.StreamResponse:
            self.requests_seen += 1
            faults = self.faults
            if (instead := await faults.instead(request, self._door, '{"status": "succ')) is not None:
                return instead
            if faults.status:
                return web.Response(status=faults.status, text="this Loki has a fault switched on")
            if faults.too_many > 0:
                faults.too_many -= 1
                headers = {"Retry-After": f"{faults.retry_after:g}"}
                return web.Response(status=429, text="too many outstanding requests", headers=headers)
            try:
                self._admit(request)
                found: web.StreamResponse = await handler(request)
            except Refusal as refusal:
                return web.Response(status=refusal.code, text=str(refusal))
            return found

        return answer

    def _admit(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        kind, _, value = given.partition(" ")
        if kind == "Basic":
            with contextlib.suppress(ValueError):
                value = base64.b64decode(value).decode("utf-8", "replace").partition(":")[2]
        if self.token and not hmac.compare_digest(value.encode(), self.token.encode()):
            raise Refusal(401, "invalid token")
        if self.tenant and not request.headers.get("X-Scope-OrgID"):
            raise Refusal(401, "no org id")
        if self.tenant and request.headers["X-Scope-OrgID"] != self.tenant:
            raise Refusal(403, f"the token may not read tenant {request.headers['X-Scope-OrgID']}")

    async def _query_range(self, request: web.Request) -> web.Response:
        asked = request.query
        query = _parsed(asked.get("query", ""))
        now = time.time_ns()
        high = _time(asked.get("end"), now)
        low = _time(asked.get("start"), high - 3600 * 10**9)
        limit = self._limit(asked)
        if high - low > _LONGEST_RANGE:
            raise Refusal(
                400, f"the query time range exceeds the limit (query length: {_hours(high - low)}, limit: 30d1h)"
            )
        backward = asked.get("direction", "backward").lower() != "forward"
        found = self._found(query, low, high, limit, backward=backward)
        categorised = "categorize-labels" in request.headers.get("X-Loki-Response-Encoding-Flags", "")
        data = {"resultType": "streams", "result": _streams(found, categorised), "stats": {}}
        if categorised:
            data["encodingFlags"] = ["categorize-labels"]
        return web.json_response({"status": "success", "data": data})

    def _found(
        self, query: logql.Query, low: int, high: int, limit: int, *, backward: bool
    ) -> list[tuple[int, str, dict[str, str], dict[str, str]]]:
        """(time, line, stream's labels, metadata) of at most `limit` entries, the first in that direction."""
        selected = [one for one in self.collected.containers() if query.selects(self.labels(one))]
        skew = self._most_skew
        found = []
        for line in self.collected.between(selected, low - skew, high + skew, backward=backward):
            at, labels, metadata = self._stamp(line), self.labels(line.container), _metadata(line.text)
            if low <= at < high and query.passes(line.text, {**labels, **metadata}):
                found.append((at, line.text, labels, metadata))
                if len(found) == limit and not skew:
                    break
        if skew:
            found.sort(key=lambda one: one[0], reverse=backward)
        return found[:limit]

    async def _label_names(self, request: web.Request) -> web.Response:
        del request
        names = {name for container in self.collected.containers() for name in self.labels(container)}
        return web.json_response({"status": "success", "data": sorted(names)})

    async def _label_values(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        values = {self.labels(container).get(name, "") for container in self.collected.containers()} - {""}
        return web.json_response({"status": "success", "data": sorted(values)})

    async def _series(self, request: web.Request) -> web.Response:
        queries = [_parsed(text) for text in request.query.getall("match[]", [])]
        all_labels = [self.labels(container) for container in self.collected.containers()]
        data = [labels for labels in all_labels if any(query.selects(labels) for query in queries)]
        return web.json_response({"status": "success", "data": data})

    # -- the live stream

    async def _tail(self, request: web.Request) -> web.StreamResponse:
        query = _parsed(request.query.get("query", ""))
        limit = self._limit(request.query)
        since = _time(request.query.get("start"), time.time_ns() - 3600 * 10**9)
        categorised = "categorize-labels" in request.headers.get("X-Loki-Response-Encoding-Flags", "")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.tails_open += 1
        reading = asyncio.create_task(_until_closed(socket))
        try:
            await self._feed(socket, request, reading, query, since, limit, categorised=categorised)
        except ConnectionError:
            pass  # the client has gone
        finally:
            self.tails_open -= 1
            reading.cancel()
        return socket

    async def _feed(
        self,
        socket: web.WebSocketResponse,
        request: web.Request,
        reading: asyncio.Task[None],
        query: logql.Query,
        since: int,
        limit: int,
        *,
        categorised: bool,
    ) -> None:
        faults, begun, sent, pinged = self.faults, time.monotonic(), 0, time.monotonic()
        seen = self.collected.next_number
        history = self._found(query, since, time.time_ns() + _LONGEST_RANGE, limit, backward=True)
        waiting = [*reversed(history)]
        dropped: list[dict[str, Any]] = []
        while not self._door.closing.is_set() and not reading.done():
            self._news.clear()
            for line in self.collected.since_number(seen):
                seen = line.number + 1
                labels, metadata = self.labels(line.container), _metadata(line.text)
                if not query.selects(labels) or not query.passes(line.text, {**labels, **metadata}):
                    continue
                if faults.drop > 0:
                    faults.drop -= 1
                    dropped.append({"timestamp": str(self._stamp(line)), "labels": labels})
                elif not faults.mute_tails:
                    waiting.append((self._stamp(line), line.text, labels, metadata))
            while waiting or dropped:
                batch, waiting = waiting[:_TAIL_BATCH], waiting[_TAIL_BATCH:]
                if faults.cut_tail_after is not None and sent + len(batch) > faults.cut_tail_after:
                    batch, waiting = batch[: max(0, faults.cut_tail_after - sent)], []
                message = {"streams": _streams(batch, categorised), "dropped_entries": dropped}
                await socket.send_str(json.dumps(message))
                sent, dropped = sent + len(batch), []
                if faults.cut_tail_after is not None and sent >= faults.cut_tail_after:
                    if request.transport is not None:
                        request.transport.abort()
                    return
            if time.monotonic() - begun >= faults.close_tail_after:
                await socket.close(code=1011, message=b"reached tail max duration limit")
                return
            if time.monotonic() - pinged >= 1:
                pinged = time.monotonic()
                await socket.ping()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), min(0.1, faults.close_tail_after))

    # -- lines

    def labels(self, container: Container) -> dict[str, str]:
        """The labels of the stream that a container's lines make."""
        if container not in self._labels:
            self._labels[container] = {
                "app": container.app,
                "cluster": container.cluster,
                "container": container.name,
                "job": f"{container.namespace}/{container.app}",
                "namespace": container.namespace,
                "pod": container.pod,
            }
        return self._labels[container]

    def _stamp(self, line: Shipped) -> int:
        return line.at + self._skew.get(line.number, 0)

    def _limit(self, asked: Mapping[str, str]) -> int:
        limit, most = int(asked.get("limit", "100")), self.faults.most_entries
        if limit > most:
            raise Refusal(
                400, f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {most})"
            )
        return limit

    def _tell(self) -> None:
        if self.faults.skew_seconds and self.collected.arrivals:
            skew = self._skew[self.collected.arrivals[-1].number] = int(self.faults.skew_seconds * 1e9)
            self._most_skew = max(self._most_skew, abs(skew))
        self._news.set()


async def _until_closed(socket: web.WebSocketResponse) -> None:
    async for message in socket:
        if message.type in (WSMsgType.CLOSE, WSMsgType.ERROR):
            return


def _parsed(text: str) -> logql.Query:
    try:
        return logql.parse(text)
    except logql.Unreadable as unreadable:
        raise Refusal(400, str(unreadable)) from None


def _time(text: str | None, default: int) -> int:
    """Nanoseconds, or seconds with a fraction."""
    if not text:
        return default
    try:
        return int(float(text) * 1e9) if "." in text else int(text)
    except ValueError:
        raise Refusal(400, f'could not parse "{text}" to a valid timestamp') from None


def _hours(nanoseconds: int) -> str:
    return f"{nanoseconds // (3600 * 10**9)}h0m0s"


_LEVELS = (("CRITICAL", "critical"), ("ERROR", "error"), ("Traceback", "error"), ("WARNING", "warn"), ("INFO", "info"))


def _metadata(text: str) -> dict[str, str]:
    """The structured metadata that Loki 3 adds by itself: the level, as it guesses it from the line."""
    return {"detected_level": next((level for word, level in _LEVELS if word in text), "unknown")}


def _streams(found: list[tuple[int, str, dict[str, str], dict[str, str]]], categorised: bool) -> list[dict[str, Any]]:
    """Grouped by stream; without categorised labels, metadata are labels like the others."""
    streams: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for at, text, labels, metadata in found:
        shown = labels if categorised else {**labels, **metadata}
        stream = streams.setdefault(tuple(sorted(shown.items())), {"stream": shown, "values": []})
        value: list[Any] = [str(at), text]
        stream["values"].append([*value, {"structuredMetadata": metadata}] if categorised else value)
    return [*streams.values()]
