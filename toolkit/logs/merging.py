"""Many streams merged by time: past ones exactly, live ones as well as a short wait allows.

The lines of one stream keep their order even where their times run backwards: a line stands no earlier than the one
before it. Lines of the same time keep the order of their streams. A notice stands by its own time.
"""

from __future__ import annotations

import heapq
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import itemgetter
from typing import Final

from toolkit.logs.entry import Kind, Line, Notice, Stream

_BEHIND: Final = 10 * 10**9  # ns: a stream whose lines are so old is still catching up
_PATIENCE: Final = 3.0  # seconds that others wait for such a stream
_FORGET: Final = 600.0  # seconds after which a stream that says nothing is forgotten
_SECOND: Final = 10**9


def merged(streams: Sequence[Iterator[Line | Notice]]) -> Iterator[Line | Notice]:
    """All that the streams give, by time; each is read only as far as it is needed."""
    return map(itemgetter(1), heapq.merge(*map(_with_keys, streams), key=itemgetter(0)))


def _with_keys(stream: Iterable[Line | Notice]) -> Iterator[tuple[int, Line | Notice]]:
    newest, ahead = 0, list[Notice]()
    for item in stream:
        if isinstance(item, Notice):
            if item.time > newest:
                ahead.append(item)  # lines before it may follow
            else:
                yield newest, item
            continue
        if item.time > newest:
            newest = item.time
            if ahead:
                ahead.sort(key=_time)
                while ahead and ahead[0].time <= newest:
                    yield ahead[0].time, ahead.pop(0)
        yield newest, item
    yield from ((notice.time, notice) for notice in sorted(ahead, key=_time))


def _time(item: Line | Notice) -> int:
    return item.time


@dataclass(slots=True)
class _Run:
    """Lines of one stream that wait: in the order in which they were written, with ascending keys."""

    keys: list[int]
    items: list[Line | Notice]
    arrived: float


@dataclass(slots=True)
class _Waiting:
    """A stream: what of it waits, the key of its last line, whether it comes late just now, and whether it is only
    catching up with the present."""

    stream: Stream
    runs: list[_Run]
    newest: int = 0
    heard: float = 0.0
    late: bool = False
    behind: bool = False


class Reordering:
    """Holds live lines for `window` seconds after their arrival, and releases them in order of time.

    A line that comes when younger ones have been released already is released at once, behind a Notice(late), one for
    each spell. While a stream is catching up (its lines are old), others wait for it up to three seconds. A line from
    the future has a wrong clock, and stands where it arrived. `waiting` counts what is held.
    """

    def __init__(self, window: float = 0.5) -> None:
        self.waiting = 0
        self._window = window
        self._streams: dict[Stream, _Waiting] = {}
        self._released = 0  # the key of the youngest line that is out
        self._late: list[Line | Notice] = []
        self._first: float | None = None  # when the oldest of what waits arrived
        self._swept = 0.0

    def add(self, items: Sequence[Line | Notice], arrived: float, now: int | None = None) -> None:
        """Lines that arrived at `arrived` (time.monotonic), `now` by the clock (nanoseconds since the epoch)."""
        wall = time.time_ns() if now is None else now
        begin = 0
        while begin < len(items):  # a batch has lines of one stream as a rule
            stream = items[begin].stream
            end = begin + 1
            while end < len(items) and items[end].stream is stream:
                end += 1
            self._add(stream, items[begin:end] if begin or end < len(items) else items, arrived, wall)
            begin = end

    def due(self, now: float, *, everything: bool = False) -> list[Line | Notice]:
        """What is released at `now` (time.monotonic); `everything`: nothing waits any longer."""
        released, self._late = self._late, []
        cutoff = self._cutoff(now, everything)
        keys: list[int] = []
        items: list[Line | Notice] = []
        first: float | None = None
        for one in self._streams.values():
            while one.runs and (everything or one.runs[0].keys[0] <= cutoff):
                run = one.runs[0]
                if everything or run.keys[-1] <= cutoff:
                    keys += run.keys
                    items += run.items
                    del one.runs[0]
                else:
                    end = bisect_right(run.keys, cutoff)
                    keys += run.keys[:end]
                    items += run.items[:end]
                    one.runs[0] = _Run(run.keys[end:], run.items[end:], run.arrived)
            if one.runs and (first is None or one.runs[0].arrived < first):
                first = one.runs[0].arrived
        self._first = first
        if now - self._swept > _FORGET:
            self._swept = now
            self._streams = {
                stream: one for stream, one in self._streams.items() if one.runs or now - one.heard < _FORGET
            }
        if keys:
            order = sorted(range(len(keys)), key=keys.__getitem__)
            released += [items[at] for at in order]
            youngest = next((at for at in reversed(order) if isinstance(items[at], Line)), None)
            if youngest is not None:
                self._released = max(self._released, keys[youngest])
        self.waiting -= len(released)
        return released

    def next_due(self) -> float | None:
        """When something is due (time.monotonic); None where nothing waits."""
        if self._late:
            return 0.0
        return None if self._first is None else self._first + self._window

    def _add(self, stream: Stream, items: Sequence[Line | Notice], arrived: float, wall: int) -> None:
        one = self._streams.get(stream)
        if one is None:
            one = self._streams[stream] = _Waiting(stream, [])
        self.waiting += len(items)
        keys = self._keys(one, items, wall + int(self._window * _SECOND), wall)
        one.heard, one.behind = arrived, wall - one.newest > _BEHIND
        late = bisect_left(keys, self._released)
        if late:
            self._come_late(one, items[:late], keys[late - 1])
        else:
            one.late = False
        if late < len(keys):
            one.runs.append(_Run(keys[late:], [*items[late:]], arrived))
            if self._first is None or arrived < self._first:
                self._first = arrived

    def _keys(self, one: _Waiting, items: Sequence[Line | Notice], latest: int, wall: int) -> list[int]:
        """By what the items are ordered: their times, but never before the line before them, nor in the future."""
        newest = one.newest
        if Notice in map(type, items):
            keys = []
            for item in items:
                at = item.time if item.time <= latest else wall
                if isinstance(item, Notice):
                    keys.append(max(at, newest))
                else:
                    newest = max(at, newest)
                    keys.append(newest)
            one.newest = newest
            return [*accumulate(keys, max)]
        keys = [item.time for item in items]
        if max(keys) > latest:
            keys = [at if at <= latest else wall for at in keys]
        if keys[0] < newest or keys != sorted(keys):
            keys = [*accumulate(keys, max, initial=newest)][1:]
        one.newest = keys[-1]
        return keys

    def _come_late(self, one: _Waiting, items: Sequence[Line | Notice], key: int) -> None:
        if not one.late and any(isinstance(item, Line) for item in items):
            one.late = True
            seconds = (self._released - key) / _SECOND
            text = f"{one.stream.origin} comes late, by {seconds:.1f} s: its lines stand behind younger ones here"
            self._late.append(Notice(key, Kind.LATE, one.stream, text))
            self.waiting += 1
        self._late += items

    def _cutoff(self, now: float, everything: bool) -> int:
        """Up to which key everything is released."""
        if everything or self._first is None:
            return 0
        old, very_old, behind = 0, 0, None
        for one in self._streams.values():
            for run in one.runs:
                if run.arrived > now - self._window:
                    break
                old = max(old, run.keys[-1])
                if run.arrived <= now - _PATIENCE:
                    very_old = max(very_old, run.keys[-1])
            if one.behind and one.newest >= self._released and one.heard > now - self._window:
                behind = one.newest if behind is None else min(behind, one.newest)
        return old if behind is None else max(very_old, min(old, behind))
