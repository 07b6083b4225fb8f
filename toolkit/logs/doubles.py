"""The same line seen by several sources (a pod's own log, Loki, Cloud Logging), shown once.

Two lines are the same where pod and text are the same and their times are near. Each source's copies are counted: what
a pod wrote twice is shown twice, even though both sources have both. The copy that is kept is the pod's own, whose time
is the container's, where it comes in time. How far the sources' clocks are apart is measured on texts that stand alone.
"""

from __future__ import annotations

import statistics
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from toolkit.logs.entry import Kind, Line, Notice, Stream

BOUND: Final = 2 * 10**9  # ns: so far apart two copies of a line may be, skew left out
MOST_REMEMBERED: Final = 100_000  # lines
_WIDE: Final = 600 * 10**9  # ns: so large a skew is recognised
_WORTH_TELLING: Final = 10**9  # ns
_WORTH_CORRECTING: Final = BOUND // 8
_ENOUGH: Final = 5  # measurements of a skew
_AGREE: Final = 0.6  # such a share of them has to be near the median
_LONGEST_HOLD: Final = 60 * 10**9  # ns


@dataclass(slots=True)
class _Shown:
    """A line that is shown, and which sources have seen it, as bits. `at` is its time without its source's skew."""

    key: int
    at: int
    time: int
    seer: int
    seen: int
    cell: list[Line | Notice | None]  # where the line waits to be given; empty once it was


@dataclass(slots=True)
class _Seer:
    """A source. `rank`: a lower one's times are trusted more; `offset`: how far its clock is ahead of theirs (ns)."""

    name: str
    rank: int
    bit: int
    offset: int = 0
    told: int = 0
    measured: deque[int] = field(default_factory=lambda: deque(maxlen=100))


class Doubles:
    """Give it everything in order of time, with `once`, and say before whose lines they are, with `seen_by`.

    `hold`: lines are given a little later (`rest` gives the last), so that the best copy can be chosen; without it a
    copy that is better but comes in a later batch is left out.
    """

    def __init__(self, sources: int, *, hold: bool = False, most: int = MOST_REMEMBERED) -> None:
        """`sources`: how many there are."""
        self._everybody = (1 << sources) - 1
        self._hold = hold
        self._most = most
        self._seers: list[_Seer] = []
        self._by_source: dict[int, int] = {}
        self._by_stream: dict[int, tuple[Stream, int]] = {}  # the stream is kept, so that its id stays its own
        self._open: dict[int, dict[int, list[_Shown]]] = {}  # by pod and text, by who has seen them; in order of time
        self._order: deque[_Shown] = deque()
        self._held: deque[list[Line | Notice | None]] = deque()
        self._newest = 0

    def seen_by(self, source: object, stream: Stream) -> None:
        """The lines of `stream` (this very object) come from `source` (likewise)."""
        if id(stream) in self._by_stream:
            return
        number = self._by_source.get(id(source))
        if number is None:
            number = self._by_source[id(source)] = len(self._seers)
            self._seers.append(_Seer(stream.source, stream.source != "pods", 1 << number))
        self._by_stream[id(stream)] = stream, number

    def once(self, items: Iterable[Line | Notice]) -> list[Line | Notice]:
        """These, without those that were shown already; and notices of the sources' skew."""
        held, by_stream = self._held, self._by_stream
        for item in items:
            cell: list[Line | Notice | None] = [item]
            if type(item) is Line:
                if item.time > self._newest:
                    self._newest = item.time
                known = by_stream.get(id(item.stream)) if item.stream.pod else None
                if known is not None and not self._is_first(item, known[1], cell):
                    continue
            held.append(cell)
        return self._released()

    def rest(self) -> list[Line | Notice]:
        """What is still held; nothing more will come."""
        self._hold = False
        return self._released()

    def _released(self) -> list[Line | Notice]:
        held, out = self._held, list[Line | Notice]()
        behind = max((-seer.offset for seer in self._seers), default=0)
        until = self._newest - min(BOUND + max(0, behind), _LONGEST_HOLD)
        while held:
            item = held[0][0]
            if self._hold and item is not None and item.time >= until and len(held) <= self._most:
                break
            held.popleft()[0] = None  # so that no better copy takes its place any more
            if item is not None:
                out.append(item)
        return out

    def _is_first(self, line: Line, number: int, cell: list[Line | Notice | None]) -> bool:
        """Whether `line` has to be shown: nobody else has shown it, or this copy is better and not too late."""
        seer = self._seers[number]
        key, at = hash((line.stream.pod, line.text)), line.time - seer.offset
        by_mask = self._open.get(key)
        if by_mask:
            found = self._pair(by_mask, seer, at)
            self._measure(by_mask, found, number, line)
            if found is not None:
                return self._joined(found, number, line, cell)
        shown = _Shown(key, at, line.time, number, seer.bit, cell)
        self._keep(shown)
        self._order.append(shown)
        if len(self._order) > self._most:
            self._forget(self._order.popleft())
        return True

    def _pair(self, by_mask: dict[int, list[_Shown]], seer: _Seer, at: int) -> _Shown | None:
        """The oldest line near `at` that this source has not seen."""
        best: _Shown | None = None
        for mask, lines in by_mask.items():
            if not mask & seer.bit:
                place = bisect_left(lines, at - BOUND, key=_at)
                if place < len(lines) and lines[place].at <= at + BOUND and (best is None or lines[place].at < best.at):
                    best = lines[place]
        return best

    def _joined(self, found: _Shown, number: int, line: Line, cell: list[Line | Notice | None]) -> bool:
        """This source has seen it too; whether its copy is shown instead."""
        seer = self._seers[number]
        self._forget(found)
        found.seen |= seer.bit
        better = seer.rank < self._seers[found.seer].rank and found.cell[0] is not None
        if better:
            found.cell[0] = None
            found.cell, found.seer, found.time, found.at = cell, number, line.time, line.time - seer.offset
        if found.seen != self._everybody:
            self._keep(found)
        return better

    def _keep(self, shown: _Shown) -> None:
        insort(self._open.setdefault(shown.key, {}).setdefault(shown.seen, []), shown, key=_at)

    def _forget(self, shown: _Shown) -> None:
        """Take it out of what is open, if it is."""
        by_mask = self._open.get(shown.key, {})
        lines = by_mask.get(shown.seen, [])
        place = bisect_left(lines, shown.at, key=_at)
        while place < len(lines) and lines[place] is not shown:
            place += 1
        if place < len(lines):
            del lines[place]
            if not lines:
                del by_mask[shown.seen]
            if not by_mask:
                del self._open[shown.key]

    def _measure(self, by_mask: dict[int, list[_Shown]], found: _Shown | None, number: int, line: Line) -> None:
        """What a text that stands alone says of the two sources' clocks."""
        if len(by_mask) != 1:
            return
        (lines,) = by_mask.values()
        other, here = lines[0], self._seers[number]
        if len(lines) != 1 or other.seen & here.bit or (found is None and abs(line.time - other.time) > _WIDE):
            return
        there, apart = self._seers[other.seer], line.time - other.time
        if (here.rank, here.bit) < (there.rank, there.bit):
            here, there, apart = there, here, -apart
        here.measured.append(apart + there.offset)
        if len(here.measured) < _ENOUGH:
            return
        median = int(statistics.median(here.measured))
        near = sum(abs(one - median) <= BOUND // 2 for one in here.measured)
        if near < _AGREE * len(here.measured):
            return
        if abs(median - here.offset) > _WORTH_CORRECTING:
            here.offset = median
            self._reckon_anew()
        if abs(median - here.told) > _WORTH_TELLING:
            here.told = median
            self._held.append([_notice(here, there, median, len(here.measured), line.time)])

    def _reckon_anew(self) -> None:
        """Another offset is known: the lines that are open are put where they belong by it."""
        everything = [shown for by_mask in self._open.values() for lines in by_mask.values() for shown in lines]
        self._open = {}
        for shown in everything:
            shown.at = shown.time - self._seers[shown.seer].offset
            self._keep(shown)


def _notice(here: _Seer, there: _Seer, skew: int, count: int, at: int) -> Notice:
    how = f"{abs(skew) / 10**9:.1f} s {'ahead of' if skew > 0 else 'behind'} {there.name}'s"
    text = f"{here.name}'s times are {how if abs(skew) > _WORTH_TELLING else f'those of {there.name} again'}"
    return Notice(at, Kind.SKEW, Stream(here.name, here.name), f"{text} (measured on {count} lines that both have)")


def _at(shown: _Shown) -> int:
    return shown.at
