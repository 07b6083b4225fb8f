"""A container's log as an endless source: closed from any thread at once, and going on after a cut where it stopped.

As stern does it, a cut stream is asked for again from the last second seen, and the lines that are known are left out
(log_place.py). A stream that says nothing is not believed: the server is asked for its last line. Nor is an end.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

from toolkit.errors import NotFound, TimedOut, Unreachable
from toolkit.systems.cluster.log_place import Place
from toolkit.systems.cluster.log_stream import Answer, Connections
from toolkit.systems.cluster.log_text import LONGEST_LINE, Lines, Stamps
from toolkit.systems.cluster.objects import Container, Pod, read_pod
from toolkit.systems.cluster.requests import Api, NotYet, Query
from toolkit.systems.pace import Pace

_SECOND: Final = 10**9
_FAILURES_IN_A_ROW: Final = 6
_FAILURES_OF_A_READING: Final = 3
_SUSPECT_SECONDS: Final = 1.0  # so long a stream may lag behind the server's last line
_WORTH_TELLING: Final = 2.0  # a shorter cut that was healed is nobody's concern
_QUIET_SECONDS: Final = 60.0

Kind = Literal["gap", "again", "quiet", "alive", "problem"]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line, and when the container wrote it (None where the server sent no time)."""

    time: datetime | None
    text: str


class Batch(NamedTuple):
    """Lines in the order in which they were written: times in nanoseconds since the epoch (0: none), and texts."""

    times: list[int]
    texts: list[str]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to the log, behind the lines that came before it, at `at` (nanoseconds since the epoch).

    gap: lines may be missing here. again: it goes on, whole. quiet: nothing for a minute, and nothing is missing.
    alive: asked, and nothing is missing. problem: the server cannot be asked; it is tried again.
    """

    kind: Kind
    text: str
    at: int


class PodLog:
    """Iterate over it for the lines, or over `batches()` for many of them and for what happens meanwhile; `close()`
    ends that from another thread. After the end `ended` says why: "closed", "the pod has ended", "the container has
    ended", "the pod is gone", "read to its end". `reconnects` counts the cuts that were healed.

    A container that has not started yet is waited for. After `silence` seconds without a line the server is asked
    whether there is one. `instance` is how often the container had been restarted: only where that is given, its
    restarts are followed. `patient`: an unreachable server is borne for ever.
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
        silence: float = 15.0,
        previous: bool = False,
        instance: int | None = None,
        patient: bool = False,
    ) -> None:
        self.pod = pod
        self.ended = ""
        self.reconnects = 0
        self._api = api
        self._pod_path = f"/api/v1/namespaces/{namespace}/pods/{pod}"
        self._container = container
        self._follow = follow
        self._tail = tail
        self._silence = silence
        self._previous = previous
        self._instance = instance
        self._patient = patient
        self._connections = Connections()
        self._closed, self._sockets = self._connections.closed, self._connections.sockets
        self._pace = Pace()
        self._stamps = Stamps()
        self._place = Place(int(since.timestamp()) if since else 0, tail=tail is not None)
        self._asked = False
        self._cut_at: float | None = None  # since when nothing can be heard
        self._heard = time.monotonic()
        self._said_quiet = self._said_problem = False

    @property
    def instance(self) -> int:
        """How often the container had been restarted when the run began that is read."""
        return self._instance or 0

    def close(self) -> None:
        """End the iteration, wherever it is waiting."""
        self._connections.close()

    def __iter__(self) -> Iterator[LogLine]:
        for item in self.batches():
            if isinstance(item, Batch):
                for at, text in zip(*item, strict=True):
                    if self._closed.is_set():
                        self.ended = "closed"
                        return
                    yield LogLine(datetime.fromtimestamp(at / _SECOND, UTC) if at else None, _readable(text))

    def batches(self) -> Iterator[Batch | Event]:
        """The log from where we are in it. After an end it may be asked for again: a container may be restarted."""
        self.ended, failures = "", 0
        while not self.ended:
            try:
                yield from self._restarted()
                for item in self._one_stream(previous=self._previous):
                    failures = 0
                    yield item
            except NotYet:
                if not self._follow:
                    raise
            except NotFound:
                self.ended = "the pod is gone"
                if self._cut_at is not None and self._place.last is not None and not self._closed.is_set():
                    yield self._event("gap", "the pod went while its log was cut off: its last lines may be missing")
            except _Anew:
                self._cut_at = self._cut_at or time.monotonic()
            except Unreachable as error:
                self._cut_at = self._cut_at or time.monotonic()
                failures += 1
                if not self._closed.is_set() and not self._patient and failures >= self._most_failures():
                    raise
                if not self._said_problem and time.monotonic() - self._cut_at > _WORTH_TELLING and self._patient:
                    self._said_problem = True
                    yield self._event("problem", f"{error.message} It is tried again until it works.", time.time_ns())
            if not self.ended:
                self._closed.wait(self._pace.pause(failures))
            if self._closed.is_set():
                self.ended = "closed"

    def _most_failures(self) -> int:
        return _FAILURES_IN_A_ROW if self._follow else _FAILURES_OF_A_READING

    # -- one stream

    def _one_stream(self, *, previous: bool) -> Iterator[Batch | Event]:
        """What one connection brings. Raises Unreachable where it is cut, _Anew where another one is better."""
        follow = self._follow and not previous
        self._place.resume()
        first, self._asked = not self._asked, True
        self.reconnects += not first
        lines = Lines()
        try:
            with self._connections.answer(
                self._api, self._pod_path + "/log", self._query(follow, previous), self._silence
            ) as answer:
                if first and self._was_restarted():  # while we were on our way
                    raise _Anew
                answer.patience = self._silence
                suspect = False
                for block in answer.blocks(gather=follow):
                    if block:
                        suspect, answer.patience = False, self._silence
                        yield from self._taken(lines.split(block), lines)
                    elif not follow:
                        raise TimedOut(f"The log of pod {self.pod} does not come to its end.")
                    elif suspect:
                        raise _Anew
                    else:
                        suspect = self._has_newer()
                        yield from self._nothing_came(answer, suspect)
        except TimedOut:
            # A container that says nothing may also let the answer's beginning wait.
            if not follow or self._has_newer():
                raise
            self._cut_at = None
            yield self._event("alive", "")
        else:
            if not self._closed.is_set():
                yield from self._came_to_its_end(lines, follow)

    def _query(self, follow: bool, previous: bool) -> Query:
        since = self._place.since
        return {
            "container": self._container,
            "follow": follow,
            "timestamps": True,
            "previous": previous or None,
            "tailLines": self._tail if self._place.last is None else None,
            "sinceTime": datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if since else None,
        }

    def _taken(self, raws: list[str], lines: Lines) -> Iterator[Batch | Event]:
        """What is new of these lines."""
        if not raws:
            return
        place = self._place
        times, texts = place.take(*self._stamps.read(raws), raws)
        if place.torn:
            if self._was_restarted():
                raise _Anew
            yield self._event("gap", "the server has forgotten the lines after this one: some may be missing")
            times, texts = place.go_on()
        if self._cut_at is not None and place.joined:
            lost, self._cut_at = time.monotonic() - self._cut_at, None
            if lost > _WORTH_TELLING and texts:
                yield self._event("again", f"goes on after {lost:.0f} s without a connection", times[0])
        self._heard, self._said_quiet, self._said_problem = time.monotonic(), False, False
        if texts:
            yield Batch(times, texts)
        while lines.shortened:
            size = lines.shortened.pop()
            yield self._event("gap", f"a line of {size:,} bytes is given by its first {LONGEST_LINE:,} alone")

    def _nothing_came(self, answer: Answer, suspect: bool) -> Iterator[Event]:
        answer.patience = min(self._silence, _SUSPECT_SECONDS) if suspect else self._silence
        if suspect:
            return
        yield self._event("alive", "")
        seconds = time.monotonic() - self._heard
        if seconds >= _QUIET_SECONDS and not self._said_quiet:
            self._said_quiet = True
            yield self._event("quiet", f"nothing for {seconds:.0f} s; it was asked, and nothing is missing")

    def _came_to_its_end(self, lines: Lines, follow: bool) -> Iterator[Batch | Event]:
        """A stream ended that was not cut; that is the log's end only where the container has ended, and its last line
        is ours. What stands behind the last line's end is a line only then."""
        if not follow:
            yield from self._taken(lines.rest(), lines)
            self.ended = "read to its end"
            return
        self._cut_at = None
        pod, container = self._look()
        over = pod.over or (self._instance is not None and container is not None and container.stopped)
        if over and self._restarts(container) == self._instance:
            yield from self._taken(lines.rest(), lines)
            if not self._has_newer(over=True):
                self.ended = "the pod has ended" if pod.over else "the container has ended"
                return
        self._cut_at = time.monotonic()

    # -- what the server has

    def _has_newer(self, *, over: bool = False) -> bool:
        """Whether the log's last line is one that we do not have; `over`: even if it has no line's end."""
        query = {**self._query(follow=False, previous=False), "tailLines": 1, "sinceTime": None}
        lines = Lines()
        try:
            with self._connections.answer(self._api, self._pod_path + "/log", query, self._silence) as answer:
                answer.patience = self._silence
                raws: list[str] = []
                for block in answer.blocks(gather=False):
                    if not block:
                        raise Unreachable(f"The log of pod {self.pod} does not answer.")
                    raws += lines.split(block)
        except NotYet:
            return False
        for raw in reversed(raws + lines.rest() if over else raws):
            ((at,), _) = Stamps().read([raw])
            if at:
                return self._place.is_newer(at, raw)
        return False

    def _look(self) -> tuple[Pod, Container | None]:
        pod = read_pod(self._api.name, self._api.get(self._pod_path))
        return pod, pod.container(self._container)

    # -- restarts

    def _restarts(self, container: Container | None) -> int | None:
        if self._instance is None or container is None:
            return self._instance
        return container.restarts

    def _was_restarted(self) -> bool:
        return self._instance is not None and self._restarts(self._look()[1]) != self._instance

    def _restarted(self) -> Iterator[Batch | Event]:
        """After a restart of the container: what its last run wrote until its end, and then the new log."""
        if self._instance is None or not self._asked:
            return
        container = self._look()[1]
        restarts = self._restarts(container)
        if container is None or restarts is None or restarts <= self._instance:
            return
        if restarts > self._instance + 1:
            missed = restarts - self._instance - 1
            yield self._event("gap", f"was restarted {missed + 1} times: of {missed} runs the end or all is missing")
            self._instance, self._place = restarts - 1, Place()
        why = f" ({container.last_reason})" if container.last_reason else ""
        try:
            whole = yield from self._previous_run()
        except NotYet:  # it is not kept any more
            whole = False
        self._instance = restarts
        if whole:
            yield self._event("again", f"was restarted{why}; it is followed on")
        else:
            yield self._event("gap", f"was restarted{why}: what its last run wrote at its end may be missing")

    def _previous_run(self) -> Generator[Batch | Event, None, bool]:
        """The rest of the log that we were reading. False: it has nothing in common with what we have, so perhaps we
        have been reading the new one already."""
        follow, self._follow = self._follow, False
        try:
            yield from self._one_stream(previous=True)
        except _Anew:
            return False
        finally:
            self._follow, self.ended = follow, ""
        self._place = Place()
        return True

    def _event(self, kind: Kind, text: str, at: int = 0) -> Event:
        return Event(kind, text, at or self._place.newest or time.time_ns())


class _Anew(Exception):
    """This stream is given up, and another one asked for."""


def _readable(text: str) -> str:
    """Without surrogates, which no terminal takes."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
