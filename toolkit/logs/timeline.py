"""One timeline of many sources: of a past window, and of what comes from now on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Final, Self

from toolkit.logs.doubles import Doubles
from toolkit.logs.entry import Kind, Line, Notice, Stream
from toolkit.logs.following import MOST_BYTES, MOST_WAITING, Feed, Inbox
from toolkit.logs.merging import Reordering, merged
from toolkit.logs.reading_ahead import Ahead
from toolkit.logs.source import Source, Window
from toolkit.progress import Progress

_BLOCK: Final = 500  # lines
_TICK: Final = 0.1  # seconds between two releases of live lines
_GOODBYE: Final = 5.0  # seconds that closed sources are waited for
_SAY_EVERY: Final = 20_000  # lines

_Reading = Ahead[Line | Notice]


def past(sources: Sequence[Source], window: Window, progress: Progress) -> Iterator[Line | Notice]:
    """What the sources have in `window`, merged by time; lines that several of them have are given once.

    A source that fails is a Notice(problem), and the others go on; where all of them fail before their first line, the
    first one's error is raised. Raises Interrupted where `progress` asks to stop.
    """
    doubles = Doubles(len(sources), hold=True)
    readings = [Ahead(partial(source.past, window), progress, source.name) for source in sources]
    try:
        streams = [
            _of(source.name, reading, window, doubles) for source, reading in zip(sources, readings, strict=True)
        ]
        items = _counted(merged(streams), readings, progress)
        yield from items if len(sources) < 2 else _once(items, doubles)
    finally:
        for reading in readings:
            reading.close()


def _of(name: str, reading: _Reading, window: Window, doubles: Doubles) -> Iterator[Line | Notice]:
    """One source's lines, and what it failed of."""
    newest = window.since or 0
    for item in reading:
        if type(item) is Line:
            doubles.seen_by(reading, item.stream)
            newest = item.time
        yield item
    if reading.error is not None:
        missing = "The rest of its lines is missing." if reading.any else "Its lines are missing."
        text = f"{name}: {reading.error.message} {missing}"
        yield Notice(newest, Kind.PROBLEM, Stream(name, name), text)


def _counted(
    items: Iterator[Line | Notice], readings: Sequence[_Reading], progress: Progress
) -> Iterator[Line | Notice]:
    for count, item in enumerate(items):
        if count == 0:  # each source has given its first line by now, or ended
            errors = [reading.error for reading in readings if reading.error is not None and not reading.any]
            if len(errors) == len(readings):
                raise errors[0]
        if count % _SAY_EVERY == _SAY_EVERY - 1:
            progress.advance("logs", count + 1, None, "lines")
        yield item


def _once(items: Iterator[Line | Notice], doubles: Doubles) -> Iterator[Line | Notice]:
    while block := [*islice(items, _BLOCK)]:
        yield from doubles.once(block)
    yield from doubles.rest()


class Following:
    """What the sources say from `since` (nanoseconds since the epoch) on, as it comes. A context manager: it ends them.

    `marks` is a source of notices alone: what stands between the lines costs no comparing of lines. Lines wait
    `reorder` seconds for older ones of other streams. At most about `most_waiting` lines wait to be read;
    then the sources are held up.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        since: int,
        *,
        marks: Source | None = None,
        reorder: float = 0.5,
        most_waiting: int = MOST_WAITING,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._stop = threading.Event()
        self._inbox = Inbox(most_waiting, most_bytes)
        self._reordering = Reordering(reorder)
        self._doubles = Doubles(len(sources)) if len(sources) > 1 else None
        everything = [*sources, *([marks] if marks is not None else [])]
        self._feeds = [Feed(source, since, self._inbox, self._stop) for source in everything]

    def __enter__(self) -> Self:
        for feed in self._feeds:
            feed.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        end = time.monotonic() + _GOODBYE
        for feed in self._feeds:
            feed.thread.join(max(0.0, end - time.monotonic()))

    def close(self) -> None:
        """End it, from any thread, at once: `batches` ends, and the sources with it."""
        self._stop.set()
        self._inbox.close()

    @property
    def heard(self) -> Mapping[str, float]:
        """Seconds since each stream was last heard of, by its origin."""
        now = time.monotonic()
        return {origin: now - at for feed in self._feeds for origin, at in [*feed.heard.items()]}

    def batches(self, wait: float) -> Iterator[list[Line | Notice]]:
        """What is due, in order of time; an empty list at the latest after `wait` seconds in which nothing was. Ends
        when it is closed, or when all sources have come to their end by themselves."""
        end = time.monotonic() + wait
        while not self._stop.is_set():
            over = all(feed.over for feed in self._feeds)  # looked at before the inbox is emptied for the last time
            now = time.monotonic()
            next_due = self._reordering.next_due()
            until = end if next_due is None else min(end, max(next_due, now + _TICK))
            for arrived, feed, items in self._inbox.take(0 if over else max(0.0, until - now), first=next_due is None):
                if self._doubles is not None:
                    for item in (items[0], items[-1]):
                        self._doubles.seen_by(feed, item.stream)
                self._reordering.add(items, arrived)
            due = self._reordering.due(time.monotonic(), everything=over, full=self._inbox.full)
            self._inbox.done(due)
            if self._doubles is not None:
                due = self._doubles.once(due)
            if due or time.monotonic() >= end:
                yield due
                end = time.monotonic() + wait
            if over:
                return
