"""What a view of a log keeps: the newest entries and those of them that are wanted, in bounded memory.

Two tapes: `all`, whatever came last, and `shown`, what the filter keeps, which goes back further where little is kept.
What falls off either is counted. While somebody reads above (`hold`), nothing that is shown falls off: what comes waits
at the end, and of that the oldest falls off, which is marked where it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from toolkit.logs.entry import Entry, Kind, Notice, Stream
from toolkit.logs.filters import Filter

MOST: Final = 100_000  # items of each tape
MOST_CHARACTERS: Final = 64 * 2**20  # of each tape's raw text

Item = Entry | Notice
_HERE: Final = Stream("view", "view")


class Tape:
    """Items with ascending numbers. `base` is how many have fallen off its beginning: `base + index` is an item's place
    for as long as it is here. Bounded by `most` items and `characters` of raw text. `entries` counts the entries among
    them: all but the marks that stand between them."""

    def __init__(self, most: int = MOST, characters: int = MOST_CHARACTERS) -> None:
        self.items: list[Item] = []
        self.numbers: list[int] = []
        self.base = self.entries = 0
        self.most, self._most_characters = most, characters
        self._characters = 0

    def __len__(self) -> int:
        return len(self.items)

    def extend(self, items: Sequence[Item], numbers: Sequence[int]) -> None:
        self.items.extend(items)
        self.numbers.extend(numbers)
        self._characters += length(items)
        self.entries += entries(items)

    @property
    def over(self) -> int:
        """How many too many there are."""
        count = max(0, len(self.items) - self.most)
        if self._characters > self._most_characters:
            left = self._characters - length(self.items[:count])
            while left > self._most_characters and count < len(self.items) - 1:
                left -= length(self.items[count : count + 1])
                count += 1
        return count

    def drop(self, count: int) -> int:
        """Take the first `count` off; gives how many entries were among them."""
        gone = self.items[:count]
        del self.items[:count]
        del self.numbers[:count]
        self.base += count
        self._characters -= length(gone)
        self.entries -= (lost := entries(gone))
        return lost

    def put_before(self, items: Sequence[Item], numbers: Sequence[int]) -> None:
        """Add older ones before the first."""
        self.items[:0] = items
        self.numbers[:0] = numbers
        self.base -= len(items)
        self._characters += length(items)
        self.entries += entries(items)

    def cut_end(self, count: int) -> list[Item]:
        """Take the last `count` off."""
        if count <= 0:
            return []
        gone = self.items[-count:]
        del self.items[-count:]
        del self.numbers[-count:]
        self._characters -= length(gone)
        self.entries -= entries(gone)
        return gone

    def index_of(self, number: int) -> int:
        """Where the item of that number is, or the next after it."""
        return bisect_left(self.numbers, number)


class Kept:
    """See above. `came` counts entries that came in all; `dropped` those that fell off what is shown;
    `unseen` those that had been let go of before the filter of now could look at them. `origins`: all that any of
    them was from."""

    def __init__(self, most: int = MOST, characters: int = MOST_CHARACTERS) -> None:
        self.all, self.shown = Tape(most, characters), Tape(most, characters)
        self.came = self.dropped = self.unseen = self._lost = 0
        self.hold = False
        self.origins: set[str] = set()
        self._pending = Tape(most, characters)
        self._missed = 0
        self._next = 0
        self._first = 0

    @property
    def waiting(self) -> int:
        """Items that came while somebody was reading above and stand behind the end that is shown."""
        return len(self._pending) + self._missed

    def add(self, items: Sequence[Item], wanted: Sequence[Item] | None = None) -> None:
        """Take what came; `wanted`: those of them that the filter keeps (None: all)."""
        numbers = range(self._next, self._next + len(items))
        self._next += len(items)
        origins = [item.origin for item in items if type(item) is Entry]
        self.came += len(origins)
        self.origins.update(origins)
        self.all.extend(items, numbers)
        self._lost += self.all.drop(self.all.over)
        if wanted is None:
            chosen, their = items, list(numbers)
        else:
            ids = {id(item) for item in wanted}
            chosen, their = wanted, [n for n, item in zip(numbers, items, strict=True) if id(item) in ids]
        if self.hold and (self._pending or len(self.shown) + len(chosen) > self.shown.most or self._over(chosen)):
            self._pending.extend(chosen, their)
            self._missed += self._pending.drop(self._pending.over)
            return
        self.shown.extend(chosen, their)
        self.dropped += self.shown.drop(self.shown.over)

    def release(self) -> None:
        """Nobody reads above any more: what waited is shown."""
        self.hold = False
        if not self._pending:
            return
        pending, missed = self._pending, self._missed
        self._pending, self._missed = Tape(self.shown.most), 0
        if missed:
            at = next((item.time for item in pending.items), 0)
            text = f"{missed:,} entries came while you read above, and are not kept in this view (r reads it all again)"
            self.shown.extend([Notice(at, Kind.GAP, _HERE, text, missed)], [pending.numbers[0]])
            self.dropped += missed
        self.shown.extend(pending.items, pending.numbers)
        self.dropped += self.shown.drop(self.shown.over)

    def put_before(self, items: Sequence[Item]) -> None:
        """Older ones, from a file."""
        self._first -= len(items)
        numbers = range(self._first, self._first + len(items))
        self.all.put_before(items, numbers)
        self.shown.put_before(items, list(numbers))

    def cut_end(self, count: int) -> None:
        """Let go of the last `count`, where both tapes hold the same: a file's."""
        self.all.cut_end(count)
        self.shown.cut_end(count)

    def cut_begin(self, count: int) -> None:
        """Let go of the first `count`, likewise."""
        self.all.drop(count)
        self.shown.drop(count)

    def chosen(self, wanted: Filter) -> tuple[list[Item], list[int]]:
        """What is kept by `wanted`, of all that is here. May be called in another thread, while nothing is added."""
        here = dict(zip(self.shown.numbers, self.shown.items, strict=True))
        here.update(zip(self._pending.numbers, self._pending.items, strict=True))
        here.update(zip(self.all.numbers, self.all.items, strict=True))
        numbers = sorted(n for n, item in here.items() if isinstance(item, Notice) or wanted.keeps(item))
        return [here[number] for number in numbers], numbers

    def choose(self, found: tuple[list[Item], list[int]], *, all_: bool) -> None:
        """Show these from now on; `all_`: without a filter."""
        shown = Tape(self.shown.most)
        shown.extend(*found)
        self._pending, self._missed = Tape(self.shown.most), 0
        shown.drop(shown.over)
        self.shown = shown
        self.dropped, self.unseen = (self.came - shown.entries, 0) if all_ else (0, self._lost)

    def _over(self, chosen: Sequence[Item]) -> bool:
        return self.shown.over > 0 and bool(chosen)


def entries(items: Sequence[Item]) -> int:
    """How many of them are entries."""
    return sum([type(item) is Entry for item in items])


def length(items: Sequence[Item]) -> int:
    """Characters of their raw text."""
    return sum([len(item.raw) for item in items if type(item) is Entry])
