"""What the log agents of the sandbox's clusters have shipped: every line that a container wrote, kept although its pod
is gone. Loki and Cloud Logging serve it.
"""

from __future__ import annotations

import bisect
import heapq
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

MOST_LINES: Final = 400_000


@dataclass(frozen=True, slots=True)
class Container:
    """Who writes. `app` is the pod's label of that name (or app.kubernetes.io/name)."""

    cluster: str
    namespace: str
    pod: str
    name: str
    app: str


@dataclass(frozen=True, slots=True)
class Shipped:
    """A line that has arrived. `number` counts the arrivals, `at` is the container's own time and `arrived` the time of
    arrival, both in nanoseconds."""

    number: int
    at: int
    text: str
    container: Container
    arrived: int


@dataclass
class Collected:
    """All lines, by container and in order of arrival; the oldest arrivals are forgotten beyond `MOST_LINES`.

    `told` are called after each arrival.
    """

    told: list[Callable[[], None]] = field(default_factory=list)
    arrivals: list[Shipped] = field(default_factory=list)
    _by_container: dict[Container, list[Shipped]] = field(default_factory=dict)
    _next: int = 0

    def ship(self, container: Container, at: int, text: str) -> None:
        """A container wrote `text` at `at`. What it wrote long ago arrived then, too."""
        now = time.time_ns()
        line = Shipped(self._next, at, text, container, at if at < now - 60 * 10**9 else now)
        self._next += 1
        self.arrivals.append(line)
        own = self._by_container.setdefault(container, [])
        if own and at < own[-1].at:
            bisect.insort(own, line, key=lambda one: one.at)
        else:
            own.append(line)
        if len(self.arrivals) > MOST_LINES:
            self._forget(MOST_LINES // 10)
        for tell in self.told:
            tell()

    @property
    def next_number(self) -> int:
        return self._next

    def since_number(self, number: int) -> list[Shipped]:
        """What arrived from that number on, in order of arrival."""
        if not self.arrivals:
            return []
        return self.arrivals[max(0, number - self.arrivals[0].number) :]

    def containers(self) -> Iterable[Container]:
        return self._by_container.keys()

    def between(
        self, containers: Iterable[Container], low: int, high: int, *, backward: bool = False
    ) -> Iterator[Shipped]:
        """The lines of these containers of `low` <= at < `high`, in order of time and arrival, or against it."""
        parts = []
        for container in containers:
            own = self._by_container[container]
            first = bisect.bisect_left(own, low, key=lambda one: one.at)
            last = bisect.bisect_left(own, high, key=lambda one: one.at)
            parts.append(own[first:last][::-1] if backward else own[first:last])
        return heapq.merge(*parts, key=lambda one: (one.at, one.number), reverse=backward)

    def clear(self) -> None:
        """Forget everything: the world begins anew."""
        self.arrivals.clear()
        self._by_container.clear()

    def _forget(self, count: int) -> None:
        self.arrivals = self.arrivals[count:]
        self._by_container = {}
        for line in sorted(self.arrivals, key=lambda one: one.at):
            self._by_container.setdefault(line.container, []).append(line)
