"""What comes in while sources are followed: one thread for each of them, one bounded inbox for all.

Whoever reads slowly holds the sources up: the inbox takes no more, so that they stop reading, and go on without loss.
A source that fails is asked again, slower and slower; nothing that was delivered comes twice over it.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Final

from toolkit.errors import Interrupted, ToolkitError
from toolkit.logs.entry import Kind, Line, Notice, Stream
from toolkit.logs.source import Sink, Source
from toolkit.systems.pace import Pace

MOST_WAITING: Final = 100_000  # lines
MOST_BYTES: Final = 64 * 2**20  # characters of them, more or less
_LONGEST_PAUSE: Final = 30.0
_LONG_ENOUGH: Final = 60.0  # seconds: a source that held so long failed anew, not again
_REMEMBERED: Final = 50_000  # lines of each source, in case that it has to be asked again
_LATE: Final = 60 * 10**9  # ns: so late lines may come

# When (time.monotonic), from whom, and lines or notices, as a rule of one stream.
Arrived = tuple[float, object, Sequence[Line | Notice]]


class Inbox:
    """Batches on their way from the sources to whoever reads. Counts what waits until it is `done` with."""

    def __init__(self, most_lines: int = MOST_WAITING, most_bytes: int = MOST_BYTES) -> None:
        self._most_lines, self._most_bytes = most_lines, most_bytes
        self._lines = self._bytes = 0
        self._batches: deque[Arrived] = deque()
        self._closed = False
        lock = threading.Lock()
        self._changed, self._room = threading.Condition(lock), threading.Condition(lock)

    @property
    def full(self) -> bool:
        return self._lines >= self._most_lines or self._bytes >= self._most_bytes

    def put(self, items: Sequence[Line | Notice], feed: object = None) -> None:
        """Add a batch; waits while the inbox is full. Once it is closed, nothing is added."""
        lines, size = _size(items)
        with self._room:
            while self.full and not self._closed:
                self._room.wait()
            if self._closed:
                return
            self._batches.append((time.monotonic(), feed, items))
            self._lines += lines
            self._bytes += size
            if len(self._batches) == 1 or self.full:
                self._changed.notify()

    def take(self, wait: float, *, first: bool) -> list[Arrived]:
        """All that is there. Waits up to `wait` seconds: `first`: until there is something; else until it is full."""
        end = time.monotonic() + wait
        with self._changed:
            while not self._closed and not self.full and not (first and self._batches):
                left = end - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            taken = [*self._batches]
            self._batches.clear()
            return taken

    def done(self, items: Sequence[Line | Notice]) -> None:
        """These have been read, and make room."""
        lines, size = _size(items)
        with self._room:
            self._lines -= lines
            self._bytes -= size
            if not self.full:
                self._room.notify_all()

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._batches.clear()
            self._changed.notify_all()
            self._room.notify_all()


def _size(items: Sequence[Line | Notice]) -> tuple[int, int]:
    """How many lines, and how long they are together; notices are few."""
    sizes = [len(item[1]) for item in items if type(item) is Line]
    return len(sizes), sum(sizes)


class Delivered:
    """What a source delivered lately, in case that it fails and has to be asked again from some time on."""

    def __init__(self, since: int) -> None:
        self._since = since
        self._newest = 0
        self._batches: deque[Sequence[Line]] = deque()
        self._count = 0
        self._again: Counter[tuple[str, int, str]] = Counter()

    def new(self, batch: Sequence[Line]) -> Sequence[Line]:
        """The lines of `batch` that were not delivered before the source was asked again; they are now."""
        if self._again:
            fresh = []
            for line in batch:
                key = (line.stream.origin, line.time, line.text)
                if self._again[key] > 0:
                    self._again[key] -= 1
                else:
                    fresh.append(line)
            batch = fresh
        if batch:
            self._newest = max(self._newest, batch[-1].time)
            self._batches.append(batch)
            self._count += len(batch)
            while self._count > _REMEMBERED and len(self._batches) > 1:
                gone = self._batches.popleft()
                self._count -= len(gone)
                self._since = max(self._since, max([line.time for line in gone]) + 1)
        return batch

    def ask_again(self) -> int:
        """From when on to ask the source again."""
        since = max(self._since, self._newest - _LATE)
        self._again = Counter(
            (line.stream.origin, line.time, line.text)
            for batch in self._batches
            for line in batch
            if line.time >= since
        )
        return since


class Feed(Sink):
    """Follows one source in a thread of its own, and puts what it says into the inbox. `over`: it has come to its end
    by itself."""

    def __init__(self, source: Source, since: int, inbox: Inbox, stop: threading.Event) -> None:
        self.over = False
        self.heard: dict[str, float] = {}  # by origin, time.monotonic
        self._source = source
        self._inbox = inbox
        self._stop = stop
        self._delivered = Delivered(since)
        self._since = since
        self._stream = Stream(source.name, source.name)
        self._failed: str | None = None
        self._lock = threading.Lock()  # a source may have threads of its own
        self.thread = threading.Thread(target=self._run, name=f"following {source.name}", daemon=True)

    # -- as Sink

    def lines(self, batch: Sequence[Line]) -> None:
        """See Sink."""
        if not batch or self._stop.is_set():
            return
        self.heard[batch[0].stream.origin] = time.monotonic()
        with self._lock:
            batch = self._delivered.new(batch)
        if self._failed is not None:
            self._works_again()
        if batch:
            self._inbox.put(batch, self)

    def notice(self, notice: Notice) -> None:
        """See Sink."""
        if self._stop.is_set():
            return
        if notice.kind is Kind.WENT:
            for origin in [one for one in [*self.heard] if f"{one}/".startswith(f"{notice.stream.origin}/")]:
                self.heard.pop(origin, None)
        elif notice.kind is not Kind.PROBLEM:
            self.heard[notice.stream.origin] = time.monotonic()
        self._inbox.put([notice], self)

    def alive(self, stream: str) -> None:
        """See Sink."""
        self.heard[stream] = time.monotonic()
        if self._failed is not None:
            self._works_again()

    # -- its thread

    def _run(self) -> None:
        pace, failures, since = Pace(_LONGEST_PAUSE), 0, self._since
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                self._source.follow(since, self, self._stop)
            except Interrupted:
                break
            except ToolkitError as error:
                self._say_problem(error.message, error.hint)
            except Exception as error:  # noqa: BLE001  one source's bug must not end the others
                self._say_problem(f"{type(error).__name__}: {error}", "This is a bug of the toolkit.")
            else:
                break
            failures = 1 if time.monotonic() - begun > _LONG_ENOUGH else failures + 1
            self._stop.wait(pace.pause(failures))
            with self._lock:
                since = self._delivered.ask_again()
        self.over = True
        self._inbox.wake()

    def _say_problem(self, message: str, hint: str) -> None:
        if self._stop.is_set() or message == self._failed:
            return
        self._failed = message
        text = f"{self._source.name}: {message} It is tried again until it works.{f' {hint}' if hint else ''}"
        self.notice(Notice(time.time_ns(), Kind.PROBLEM, self._stream, text))

    def _works_again(self) -> None:
        self._failed = None
        self.notice(Notice(time.time_ns(), Kind.AGAIN, self._stream, f"{self._source.name} works again"))
