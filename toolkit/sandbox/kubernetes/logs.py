"""What the containers of a sandbox cluster wrote, kept in memory and followed as a kubelet lets it be followed."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Final

_REMEMBERED_LINES: Final = 50_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `at` is nanoseconds since the epoch."""

    at: int
    text: str

    @property
    def stamp(self) -> str:
        """RFC 3339 with nanoseconds, as a kubelet writes it."""
        seconds, nanoseconds = divmod(self.at, 1_000_000_000)
        return f"{_second(seconds)}.{nanoseconds:09d}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


class Forgotten(Exception):
    """A follower was so slow that lines which it has not had are not remembered any more."""


@dataclass
class ContainerLog:
    """One container's lines, the oldest forgotten first. `close()` is the container's end: followers then end too."""

    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=_REMEMBERED_LINES))
    written: int = 0
    closed: bool = False
    _waiting: list[asyncio.Future[None]] = field(default_factory=list)

    def append(self, text: str, at: int | None = None) -> Line:
        """Add a line, and give it back; times never run backwards."""
        stamp = time.time_ns() if at is None else at
        if self.lines and at is None:
            stamp = max(stamp, self.lines[-1].at)
        line = Line(stamp, text)
        self.lines.append(line)
        self.written += 1
        self._wake()
        return line

    def extend(self, texts: Iterable[str]) -> None:
        """Add many lines, all of now, a nanosecond apart."""
        at = max(time.time_ns(), self.lines[-1].at if self.lines else 0)
        added = [Line(at + number, text) for number, text in enumerate(texts)]
        self.lines.extend(added)
        self.written += len(added)
        self._wake()

    def forget(self) -> None:
        """What was written so far is not kept any more, as when a kubelet has rotated the log away."""
        self.lines.clear()

    def close(self) -> None:
        self.closed = True
        self._wake()

    def select(self, since: int = 0, tail: int | None = None) -> list[Line]:
        """The lines from time `since` (nanoseconds) on, at most the last `tail` of them."""
        if tail is None:
            return [line for line in self.lines if line.at >= since]
        return [line for line in islice(reversed(self.lines), max(tail, 0)) if line.at >= since][::-1]

    async def follow(self, since: int = 0, tail: int | None = None) -> AsyncIterator[list[Line]]:
        """What `select` gives, then new lines as they come, in batches; ends when the container has ended.

        Raises Forgotten where the follower is too slow.
        """
        seen = self.written
        yield self.select(since, tail)
        while True:
            new = self.written - seen
            if new > len(self.lines):
                raise Forgotten
            if new:
                seen = self.written
                newest = [*islice(reversed(self.lines), new)]
                yield [line for line in reversed(newest) if line.at >= since]
            elif self.closed:
                return
            else:
                waiter = asyncio.get_running_loop().create_future()
                self._waiting.append(waiter)
                await waiter

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()
