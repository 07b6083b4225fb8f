"""A log that is watched: read, folded, filtered and counted in a thread of its own, and handed over in batches.

Whoever shows it takes what is there when it has time (`take`); what waits is bounded, and a reader that is ahead waits.
Nothing here is dropped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from toolkit.errors import Failed, Interrupted, ToolkitError
from toolkit.logs import timeline
from toolkit.logs.entry import Entry, Line, Notice
from toolkit.logs.filters import Filter
from toolkit.logs.histogram import Counting, Histogram
from toolkit.logs.kept import Item
from toolkit.logs.merging import merged
from toolkit.logs.patterns import Pattern, Patterns
from toolkit.logs.source import Source, Window
from toolkit.logs.tracebacks import Folding
from toolkit.progress import Progress

Raw = Line | Notice
Read = Callable[[Progress], Iterator[Sequence[Raw]]]

_BLOCK: Final = 500  # lines that are folded at once; the fewer, the shorter others wait for this thread
_MOST_WAITING: Final = 50_000  # items that were not taken yet
_BEAT: Final = 0.1
_SETTLED: Final = 500_000_000  # ns after which an open traceback is closed while lines are followed
_SUMMED: Final = 1_000  # entries a second of which templates are mined; beyond that, a part of them


@dataclass(frozen=True, slots=True)
class Batch:
    """What came: all of it, and what `wanted` keeps of it (None: all)."""

    items: Sequence[Item]
    kept: Sequence[Item] | None
    wanted: Filter


class Watching:
    """The lines that `read` gives, as they come. `read` runs in the thread, gives lists (empty ones as a beat), and
    ends or goes on for ever."""

    def __init__(
        self,
        read: Read,
        *,
        own_code: Sequence[str] = (),
        groups: Iterable[str] = (),
        wanted: Filter = Filter(),  # noqa: B008 - frozen
        heard: Callable[[], float | None] = lambda: None,
        most_waiting: int = _MOST_WAITING,
    ) -> None:
        self.problem: ToolkitError | None = None
        self.over = False
        self.last_at: float | None = None  # time.monotonic of the last line
        self.entries = self.summed = 0
        self.progress = Progress()
        self._read, self._heard = read, heard
        self._folding, self._wanted = Folding(own_code), wanted
        self._counting, self._patterns = Counting(), Patterns(groups)
        self._sums = threading.Lock()
        self._changed = threading.Condition()
        self._batches: list[Batch] = []
        self._waiting, self._most = 0, most_waiting
        self._budget, self._budget_at = float(_SUMMED), time.monotonic()

    def run(self) -> None:
        """Read until the end, or until it is closed; to be called in a thread. Raises nothing."""
        try:
            for lines in self._read(self.progress):
                self.progress.check_stop()
                for begin in range(0, len(lines), _BLOCK):
                    block = lines[begin : begin + _BLOCK]
                    if any(type(line) is Line for line in block):
                        self.last_at = time.monotonic()
                    self._hand_over(self._folding.add(block))
                if len(lines) < _BLOCK:
                    self._hand_over(self._folding.flush(time.time_ns() - _SETTLED))
            self._hand_over(self._folding.flush())
        except Interrupted:
            pass
        except ToolkitError as error:
            self.problem = error
        except Exception as error:  # noqa: BLE001 - a bug in reading must not be silent
            self.problem = Failed(f"{type(error).__name__}: {error}", hint="This is a bug of the toolkit.")
        finally:
            self.over = True

    def close(self) -> None:
        """End it, from any thread."""
        self.progress.stop.set()
        with self._changed:
            self._changed.notify_all()

    def take(self) -> list[Batch]:
        """What came since it was asked last."""
        with self._changed:
            taken, self._batches, self._waiting = self._batches, [], 0
            self._changed.notify_all()
        return taken

    def want(self, wanted: Filter) -> None:
        """Keep by this filter what comes from now on."""
        self._wanted = wanted

    @property
    def heard(self) -> float | None:
        """Seconds since the sources were last heard of, lines or not."""
        return self._heard()

    def histogram(self, most: int) -> Histogram:
        """Of everything that came, not of what is kept alone; at most `most` buckets."""
        with self._sums:
            return self._counting.histogram(most)

    def patterns(self, new_since: int | None) -> list[Pattern]:
        """What was said so far, see Patterns."""
        with self._sums:
            return self._patterns.ranked(new_since)

    def _hand_over(self, items: Sequence[Item]) -> None:
        if not items:
            return
        wanted = self._wanted
        entries = [item for item in items if isinstance(item, Entry)]
        kept = [item for item in items if isinstance(item, Notice) or wanted.keeps(item)] if wanted else None
        with self._sums:
            self.entries += len(entries)
            self._counting.add(entries)
            self._mine(entries)
        with self._changed:
            while self._waiting >= self._most and not self.progress.stop.is_set():
                self._changed.wait(0.5)
            self._batches.append(Batch(items, kept, wanted))
            self._waiting += len(items)

    def _mine(self, entries: Sequence[Entry]) -> None:
        """Take templates of them, as many as there is time for; of what goes wrong always."""
        now = time.monotonic()
        self._budget = min(self._budget + (now - self._budget_at) * _SUMMED, 5 * _SUMMED)
        self._budget_at = now
        if self._budget < len(entries):
            step = max(2, int(len(entries) / max(self._budget, 1)))
            entries = [one for number, one in enumerate(entries) if number % step == 0 or one.fingerprint]
        self._budget -= len(entries)
        self.summed += len(entries)
        self._patterns.add(entries)


def past(sources: Sequence[Source], marks: Source | None, window: Window) -> Read:
    """Reads what the sources have in `window`, with the marks between."""

    def read(progress: Progress) -> Iterator[list[Raw]]:
        streams = []
        if sources:
            streams.append(timeline.past(sources, window, progress))
        if marks is not None:
            streams.append(marks.past(window, progress))
        yield from blocks(merged(streams) if len(streams) > 1 else streams[0])

    return read


def blocks(items: Iterator[Raw]) -> Iterator[list[Raw]]:
    """In lists; the first ones are small, so that something is seen at once."""
    block: list[Raw] = []
    most, at = 50, time.monotonic()
    for item in items:
        block.append(item)
        if len(block) >= most or (len(block) % 64 == 0 and time.monotonic() - at > _BEAT):
            yield block
            block, most, at = [], _BLOCK, time.monotonic()
    yield block


class Followed:
    """Reads what the sources say from `since` (nanoseconds) on, as it comes."""

    def __init__(self, sources: Sequence[Source], marks: Source | None, since: int) -> None:
        self._following = timeline.Following(sources, since, marks=marks)

    def __call__(self, progress: Progress) -> Iterator[list[Raw]]:
        with self._following as following:
            for batch in following.batches(_BEAT):
                if progress.stop.is_set():
                    return
                yield batch

    def heard(self) -> float | None:
        """Seconds since the latest sign of life of any source but the journal."""
        ages = [age for origin, age in self._following.heard.items() if origin != "journal"]
        return min(ages, default=None)
