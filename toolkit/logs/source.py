"""What a source of lines can do: give the lines of a past window, and follow what comes.

A source knows how to ask its system; reconnecting, merging and showing are done by those who use it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from toolkit.logs.entry import Line, Notice
from toolkit.progress import Progress


@dataclass(frozen=True, slots=True)
class Window:
    """From `since` up to, not including, `until`, in nanoseconds since the epoch; None: without that end."""

    since: int | None = None
    until: int | None = None

    def holds(self, time: int) -> bool:
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)


class Sink(Protocol):
    """Where followed lines go. `lines` blocks while whoever reads is behind (back-pressure); both are thread-safe.

    A batch holds lines of one stream, in the order in which they were written.
    """

    def lines(self, batch: Sequence[Line]) -> None: ...

    def notice(self, notice: Notice) -> None: ...

    def alive(self, stream: str) -> None:
        """The stream of that origin was heard of just now, although it wrote nothing."""
        ...


class Source(Protocol):
    """Where lines come from; `name` is what people call it.

    `past` gives Lines in ascending time, and Notices where something is missing; it raises ToolkitError. `follow`
    delivers what is written from `since` (nanoseconds) on until `stop` is set, then returns at once; it heals cuts by
    itself and says so by notices, and raises ToolkitError only where there is no going on.
    """

    @property
    def name(self) -> str: ...

    def past(self, window: Window, progress: Progress) -> Iterator[Line | Notice]: ...

    def follow(self, since: int, sink: Sink, stop: threading.Event) -> None: ...
