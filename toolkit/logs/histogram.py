"""How many entries there were over time, by severity: counted in bounded memory, drawn as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Final

from toolkit.figures import duration
from toolkit.logs.entry import Entry, Severity
from toolkit.logs.zones import date_and_clock, offset

_SECOND: Final = 1_000_000_000
# Seconds; each a multiple of the one before, so that counts can be put together.
WIDTHS: Final = (1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800)
_MOST_CELLS: Final = 4_096
_BARS: Final = " ▁▂▃▄▅▆▇█"
_ENDS: Final = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class Bucket:
    """From `start` (nanoseconds since the epoch) on; `counts` by severity."""

    start: int
    counts: dict[Severity, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def at_least(self, severity: Severity) -> int:
        return sum(count for known, count in self.counts.items() if known >= severity)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Buckets of `seconds` each, ascending, without holes. `untimed` entries say no time, and are in none of them."""

    seconds: int
    buckets: tuple[Bucket, ...]
    untimed: int = 0


class Counting:
    """Takes entries in any order. What it remembers is bounded: where times lie far apart, it counts more coarsely."""

    def __init__(self) -> None:
        self.untimed = 0
        self._width = 0  # which of WIDTHS
        self._cells: dict[tuple[int, Severity], int] = {}

    def add(self, entries: Iterable[Entry]) -> None:
        cells, wide = self._cells, WIDTHS[self._width] * _SECOND
        for entry in entries:
            if entry.time <= 0:
                self.untimed += 1
                continue
            key = (entry.time // wide, entry.severity)
            cells[key] = cells.get(key, 0) + 1
            if len(cells) > _MOST_CELLS and self._width + 1 < len(WIDTHS):
                self._coarsen()
                cells, wide = self._cells, WIDTHS[self._width] * _SECOND

    def histogram(
        self, most: int = 60, where: tzinfo = UTC, *, since: int | None = None, until: int | None = None
    ) -> Histogram:
        """At most `most` buckets, as narrow as that allows, from `since` to `until` (nanoseconds; None: from the first
        entry to the last). They begin at round times in `where`."""
        wide = WIDTHS[self._width] * _SECOND
        starts = [at * wide for at, _ in self._cells]
        if not starts and (since is None or until is None):
            return Histogram(WIDTHS[0], (), self.untimed)
        first = since if since is not None else min(starts)
        last = max(until - 1 if until is not None else max(starts), first)
        shift = offset(first, where) * _SECOND
        for seconds in [*WIDTHS[self._width :], *(WIDTHS[-1] * 2**more for more in range(1, 40))]:
            size = seconds * _SECOND
            begin, end = (first + shift) // size, (last + shift) // size
            if end - begin < max(most, 1):
                break
        buckets = [Bucket(at * size - shift) for at in range(begin, end + 1)]
        for (at, severity), count in sorted(self._cells.items()):
            number = (max(at * wide, first) + shift) // size - begin
            if 0 <= number < len(buckets):
                counts = buckets[number].counts
                counts[severity] = counts.get(severity, 0) + count
        return Histogram(seconds, tuple(buckets), self.untimed)

    def _coarsen(self) -> None:
        factor = WIDTHS[self._width + 1] // WIDTHS[self._width]
        self._width += 1
        cells: dict[tuple[int, Severity], int] = {}
        for (at, severity), count in self._cells.items():
            key = (at // factor, severity)
            cells[key] = cells.get(key, 0) + count
        self._cells = cells


def spark(counts: Sequence[int]) -> str:
    """One character for each count; whatever is not 0 is seen."""
    most = max(counts, default=0)
    return "".join(_BARS[-(-count * 8 // most)] if count > 0 else _BARS[0] for count in counts)


def drawn(histogram: Histogram, width: int, where: tzinfo = UTC) -> list[str]:
    """A line for each bucket: its time, a bar, the count, and how many of them are errors. Fits into `width` columns
    from 50 up."""
    most = max((bucket.total for bucket in histogram.buckets), default=0)
    figures = len(f"{most:,}")
    errors = max((bucket.at_least(Severity.ERROR) for bucket in histogram.buckets), default=0)
    behind = figures + 1 + (len(f"  {errors:,} errors") if errors else 0)
    room = max(width - 21 - behind, 5)
    lines = []
    for bucket in histogram.buckets:
        bad = bucket.at_least(Severity.ERROR)
        said = f"  {bad:,} {'error' if bad == 1 else 'errors'}" if bad else ""
        time = date_and_clock(bucket.start, where)[4 : 23 if histogram.seconds < 60 else 20].strip()
        lines.append(f"{time:<20}{_bar(bucket.total, most, room)} {bucket.total:>{figures},}{said}".rstrip())
    every = f"a line is {duration(histogram.seconds)}"
    if histogram.untimed:
        every += f"; {histogram.untimed:,} without a time are not in it"
    return [*lines, every] if lines or histogram.untimed else []


def _bar(count: int, most: int, room: int) -> str:
    eighths = max(-(-count * room * 8 // most), 1) if count and most else 0
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_ENDS[rest] if rest else "")).ljust(room)
