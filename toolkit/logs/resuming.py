"""Following a query whose live sessions end: by the server's time limit, by a cut, by silence. Nothing is lost or
doubled over it.

A new session is opened first; then what was written since the last lines is asked for (a listing), from some time
before them on, since lines arrive late; and what was delivered already is left out of both. The same listing is made
when a session has been quiet for long, so that a stream that is dead without a word is found out.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from toolkit.errors import Interrupted, ToolkitError, Unreachable
from toolkit.logs.entry import Kind, Line, Notice, Stream
from toolkit.logs.source import Sink
from toolkit.systems.live_session import SessionEnded

_SECOND: Final = 10**9
_WAIT: Final = 0.25  # seconds between two looks at `stop`
_LONGEST_PAUSE: Final = 30.0
_SHORTEST: Final = 0.2  # from one session's beginning to the next one's, whatever happens
_LONG_ENOUGH: Final = 10.0  # a session of so many seconds was a good one: no pause before the next
MOST_REMEMBERED: Final = 200_000  # lines


@dataclass(frozen=True, slots=True)
class News:
    """What a session brought; nothing at all: it is alive. `missing` lines were left out by the server; `fetch` is a
    time from which a listing brings them."""

    lines: Sequence[Line] = ()
    missing: int = 0
    why: str = ""
    fetch: int | None = None


class Session(Protocol):
    """A live session. `read` waits up to `wait` seconds (None: nothing came) and raises SessionEnded."""

    def read(self, wait: float) -> News | None: ...


class Followed(Protocol):
    """What can be followed. `late` is how many seconds lines may come late; `quiet` how many seconds of quiet lead to a
    listing. `settle` seconds after a session's beginning there is a second listing: the server may have been slow to
    begin. `key` is the same for two copies of a line, and only then."""

    name: str
    late: float
    quiet: float
    settle: float

    def key(self, line: Line) -> int: ...

    def listed(self, since: int, stop: threading.Event) -> Iterator[Sequence[Line]]: ...

    def live(self, since: int, stop: threading.Event) -> AbstractContextManager[Session]: ...


class Remembered:
    """Which lines were delivered already, as far back as `floor`: later ones that were delivered are all remembered."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self.floor = 0
        self._most = most
        self._times: dict[int, int] = {}

    def is_new(self, key: int, time_: int) -> bool:
        """Whether this line was not delivered yet; from now on it was."""
        if key in self._times:
            return False
        self._times[key] = time_
        if len(self._times) > self._most:
            oldest = next(iter(self._times))
            self.floor = max(self.floor, self._times.pop(oldest) + 1)
        return True


def follow(source: Followed, since: int, sink: Sink, stop: threading.Event) -> None:
    """As Source.follow: deliver what is written from `since` on to `sink` until `stop` is set.

    Raises ToolkitError where there is no going on: the first session cannot be opened, or the server says no.
    """
    with contextlib.suppress(Interrupted):
        _Following(source, since, sink, stop).run()


class _Following:
    def __init__(self, source: Followed, since: int, sink: Sink, stop: threading.Event) -> None:
        self._source, self._since, self._sink, self._stop = source, since, sink, stop
        self._remembered = Remembered()
        self._newest = 0
        self._stream = Stream(source.name, source.name)
        self._quiet_said = False

    def run(self) -> None:
        ended: str | None = None
        failures, said = 0, False
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                with self._source.live(self._resume(), self._stop) as session:
                    self._deliver_listed(self._resume())
                    if ended is not None:
                        self._tell(Kind.AGAIN, f"{self._source.name} goes on, whole, after {ended}")
                        ended, said = None, False
                    self._listen(session)
            except SessionEnded as end:
                ended = end.why
                lasted = time.monotonic() - begun
                failures = failures + 1 if lasted < _LONG_ENOUGH and not end.expected else 0
                if lasted < _SHORTEST:
                    self._stop.wait(_SHORTEST - lasted)
            except Unreachable as error:
                if not self._newest and ended is None and failures == 0:
                    raise  # it never worked
                failures += 1
                ended = ended or error.message
                if not said and failures > 1:
                    said = True
                    self._tell(Kind.PROBLEM, f"{error.message} It is tried again until it works.")
            if failures:
                self._stop.wait(min(0.2 * 2**failures, _LONGEST_PAUSE))

    def _listen(self, session: Session) -> None:
        """Deliver what the session brings, until it ends."""
        heard = begun = time.monotonic()
        settled = False
        while not self._stop.is_set():
            news = session.read(_WAIT)
            now = time.monotonic()
            if not settled and now - begun > self._source.settle:
                settled = True
                self._deliver_listed(self._resume())
            if news is not None:
                self._sink.alive(self._source.name)
                if news.lines and self._deliver(news.lines):
                    heard, self._quiet_said = now, False
                if news.missing:
                    self._make_good(news)
            elif now - heard > self._source.quiet:
                heard = now
                self._look_after()

    def _look_after(self) -> None:
        """Nothing came for long: is there really nothing?"""
        behind = time.time_ns() - int(min(15.0, self._source.quiet) * _SECOND)
        found = [line for page in self._source.listed(self._resume(), self._stop) for line in self._delivered(page)]
        self._sink.alive(self._source.name)
        if any(line.time < behind for line in found):
            raise SessionEnded(f"its live stream had fallen silent ({len(found)} lines were fetched)", expected=False)
        if not found and not self._quiet_said:
            self._quiet_said = True
            self._tell(Kind.QUIET, f"{self._source.name} has nothing new; it was asked, and nothing is missing")

    def _make_good(self, news: News) -> None:
        """The server left lines out: they are fetched where that can be done."""
        missing, words = news.missing, f"{self._source.name} left {news.missing:,} lines out of its live stream"
        if news.fetch is None:
            self._tell(Kind.SUPPRESSED, f"{words} ({news.why})", missing)
            return
        try:
            self._deliver_listed(max(news.fetch, self._remembered.floor))
        except Unreachable as error:
            self._tell(
                Kind.SUPPRESSED, f"{words} ({news.why}), and they could not be fetched: {error.message}", missing
            )
        else:
            self._tell(Kind.SUPPRESSED, f"{words} ({news.why}); they were fetched, none is missing", 0)

    def _resume(self) -> int:
        """From when on a listing has to ask."""
        if not self._newest:
            return self._since
        late = int(self._source.late * _SECOND)
        return max(self._since, self._remembered.floor, self._newest - late)

    def _deliver_listed(self, since: int) -> None:
        for page in self._source.listed(since, self._stop):
            self._deliver(page)

    def _deliver(self, lines: Iterable[Line]) -> bool:
        return bool(self._delivered(lines))

    def _delivered(self, lines: Iterable[Line]) -> list[Line]:
        """Give what is new to the sink, stream by stream; gives it back."""
        key, is_new, since = self._source.key, self._remembered.is_new, self._since
        fresh = [line for line in lines if line.time >= since and is_new(key(line), line.time)]
        if not fresh:
            return fresh
        # A clock that is ahead must not let us ask from the future on.
        self._newest = max(self._newest, min(max(line.time for line in fresh), time.time_ns()))
        by_stream: dict[int, list[Line]] = {}
        for line in fresh:
            by_stream.setdefault(id(line.stream), []).append(line)
        for batch in by_stream.values():
            self._sink.lines(batch)
        return fresh

    def _tell(self, kind: Kind, text: str, count: int | None = None) -> None:
        self._sink.notice(Notice(time.time_ns(), kind, self._stream, text, count))


def unless_stopped(error: ToolkitError, stop: threading.Event) -> ToolkitError:
    """`error`, or Interrupted where it came of being stopped."""
    return Interrupted("Stopped on request.") if stop.is_set() else error
