"""The part of a file that a view holds: a run of pages, which grows at either end as one scrolls, and lets go of what
is far from where one looks. Nothing is lost by that: it is in the file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from toolkit.errors import ToolkitError
from toolkit.logs.entry import Kind, Line, Notice
from toolkit.logs.filters import Filter
from toolkit.logs.kept import Item, Kept
from toolkit.logs.pages import FilePages, Page
from toolkit.logs.regions import Needle
from toolkit.logs.tracebacks import Folding
from toolkit.progress import Progress

MOST: Final = 50_000  # items that are held, a page more or less
_LOOK_EVERY: Final = 0.1  # seconds
_PARTIAL: Final = 0.5  # seconds after which a last line without an end is taken as it is


@dataclass(frozen=True, slots=True)
class Piece:
    """A page's entries, and where they stand."""

    start: int
    end: int
    items: Sequence[Item]


class FileWindow:
    """Which bytes of the file are in `kept`. `piece_…` read and may be called in a thread; the others are quick."""

    def __init__(self, pages: FilePages, own_code: Sequence[str]) -> None:
        self.pages = pages
        self.size = pages.size
        self._own_code = tuple(own_code)
        self._held: list[tuple[int, int, int]] = []  # start, end, items

    @property
    def start(self) -> int:
        return self._held[0][0] if self._held else 0

    @property
    def end(self) -> int:
        return self._held[-1][1] if self._held else 0

    def piece_before(self, end: int) -> Piece:
        return self._read(self.pages.before(end))

    def piece_after(self, start: int) -> Piece:
        return self._read(self.pages.after(start, last=True))

    def begin(self, kept: Kept, piece: Piece) -> None:
        """Hold this piece and nothing else."""
        self._held = [(piece.start, piece.end, len(piece.items))]
        kept.add(piece.items)

    def put_before(self, kept: Kept, piece: Piece) -> None:
        """Add what stands before; pages far behind are let go of."""
        if piece.end != self.start:
            return
        self._held.insert(0, (piece.start, piece.end, len(piece.items)))
        kept.put_before(piece.items)
        while len(self._held) > 2 and sum(count for *_, count in self._held) > MOST:
            *_, count = self._held.pop()
            kept.cut_end(count)

    def add(self, kept: Kept, piece: Piece) -> None:
        """Add what stands behind; pages far before are let go of."""
        if piece.start != self.end:
            return
        self._held.append((piece.start, piece.end, len(piece.items)))
        kept.add(piece.items)
        while len(self._held) > 2 and sum(count for *_, count in self._held) > MOST:
            *_, count = self._held.pop(0)
            kept.cut_begin(count)

    def grew(self, count: int) -> None:
        """`count` items were added at the end that came while the file was followed."""
        if self._held:
            start, end, before = self._held[-1]
            self._held[-1] = start, end, before + count

    def place(self, index: int) -> float:
        """How far into the file the item of that index stands, about: 0 to 1."""
        for start, end, count in self._held:
            if index < count:
                return min(1.0, (start + (end - start) * index / max(count, 1)) / max(self.size, 1))
            index -= count
        return 1.0

    def offset(self, index: int) -> int:
        """About where the item of that index stands, in bytes."""
        return int(self.place(index) * self.size)

    def profile(self, most: int) -> list[tuple[int, int, int]]:
        """From when to when (nanoseconds), and how many bytes the file has of that time; `most` of them at most."""
        first, last = self.pages.ends()
        if not first or last <= first:
            return []
        wide = max(1, (last - first) // most + 1)
        starts = [first + number * wide for number in range(most) if first + number * wide <= last]
        places = [0, *(self.pages.at(at + 10**10) for at in starts[1:]), self.size]
        return [(at, at + wide, max(0, places[number + 1] - places[number])) for number, at in enumerate(starts)]

    def _read(self, page: Page) -> Piece:
        folding = Folding(self._own_code)
        return Piece(page.start, page.end, [*folding.add(page.lines), *folding.flush()])


def growing(pages: FilePages, start: int) -> Callable[[Progress], Iterator[Sequence[Line | Notice]]]:
    """Reads what is written to the file behind `start`, for ever. A file that was cut short or replaced is read from
    its beginning, and that is said."""

    def read(progress: Progress) -> Iterator[Sequence[Line | Notice]]:
        at, identity, partial = start, pages.identity(), 0.0
        while not progress.stop.wait(0 if at < start else _LOOK_EVERY):
            try:
                size, now = pages.size, pages.identity()
            except ToolkitError:
                yield []  # it is not there just now: another may come
                continue
            if now != identity or size < at:
                what = "was replaced by a new file" if now != identity else "was cut short"
                text = f"{pages.name} {what}; it is read from its beginning"
                yield [Notice(time.time_ns(), Kind.GAP, pages.stream, text)]
                at, identity = 0, now
            while not progress.stop.is_set():
                page = pages.after(at, last=bool(partial) and time.monotonic() - partial > _PARTIAL)
                if not page.lines:
                    partial = 0.0 if at >= size else partial or time.monotonic()
                    break
                at, partial = page.end, 0.0
                yield page.lines
            yield []

    return read


def searched(
    pages: FilePages, wanted: Filter, tell: Callable[[float], None], *, follow: bool
) -> Callable[[Progress], Iterator[Sequence[Line | Notice]]]:
    """Reads the whole file for what `wanted` may keep, and goes on with what is written to it. `tell` hears how far it
    is, 0 to 1."""

    def read(progress: Progress) -> Iterator[Sequence[Line | Notice]]:
        size = pages.size
        needle: Needle | None = next((one.needle() for one in wanted.grep), None)
        block: list[Line] = []
        told = time.monotonic()
        for at, line in pages.lines(0, size, needle, progress):
            block.append(line)
            if len(block) >= 500 or (len(block) % 50 == 0 and time.monotonic() - told > 0.1):
                tell(at / max(size, 1))
                told = time.monotonic()
                yield block
                block = []
        yield block
        tell(1.0)
        if follow:
            yield from growing(pages, size)(progress)

    return read
