"""What the containers of a sandbox cluster wrote, kept in memory and followed as a kubelet lets it be followed."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
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
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"


@dataclass
class ContainerLog:
    """One container's lines, the oldest forgotten first. `close()` is the container's end: followers then end too."""

    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=_REMEMBERED_LINES))
    written: int = 0
    closed: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

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

    def close(self) -> None:
        self.closed = True
        self._wake()

    def select(self, since: int = 0, tail: int | None = None) -> list[Line]:
        """The lines from time `since` (nanoseconds) on, at most the last `tail` of them."""
        found = [line for line in self.lines if line.at >= since]
        if tail is None:
            return found
        return found[-tail:] if tail > 0 else []

    async def follow(self, since: int = 0, tail: int | None = None) -> AsyncIterator[list[Line]]:
        """What `select` gives, then new lines as they come, in batches; ends when the container has ended."""
        seen = self.written
        yield self.select(since, tail)
        while True:
            new = min(self.written - seen, len(self.lines))
            if new:
                seen = self.written
                newest = [*islice(reversed(self.lines), new)]
                yield [line for line in reversed(newest) if line.at >= since]
            elif self.closed:
                return
            else:
                await self._changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
