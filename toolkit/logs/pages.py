"""A plain log file by pages, from any place of it: how a view opens a file of any size at once, and scrolls in it.

A page is a piece of the file that begins and ends where an entry does; nothing but the pages that are asked for is
read. Times are found by bisection, so a file's entries are taken to be in order of time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from toolkit.logs.entry import Line, Stream
from toolkit.logs.expressions import Expression
from toolkit.logs.files import BLOCK, FileSource, opened_file
from toolkit.logs.reading import own_time
from toolkit.logs.regions import Needle, goes_on, regions
from toolkit.progress import SILENT, Progress

STEP: Final = 256 * 1024  # bytes of a page
_LONGEST: Final = 4 * 2**20  # bytes of one entry, beyond which it is cut
_ENDS: Final = 64 * 1024  # bytes at either end in which a time is looked for


@dataclass(frozen=True, slots=True)
class Page:
    """The lines from byte `start` up to, not including, byte `end`."""

    start: int
    end: int
    lines: tuple[Line, ...]


class FilePages:
    """The pages of the file at `path`. `packed`: it can only be read from its beginning on. Raises what FileSource
    does."""

    def __init__(self, path: Path) -> None:
        self._source = FileSource(path, own_time=own_time)
        self._path = path
        self.name = self._source.name
        self.packed = self._source.packed
        self.stream = Stream("file", self.name)

    @property
    def size(self) -> int:
        """Bytes, as of now."""
        with opened_file(self._path) as file:
            return os.fstat(file.fileno()).st_size

    def identity(self) -> tuple[int, int]:
        """Another one when another file has come under its name."""
        with opened_file(self._path) as file:
            found = os.fstat(file.fileno())
            return found.st_dev, found.st_ino

    def before(self, end: int) -> Page:
        """The page that ends at `end`, which is where an entry begins, or the file's end."""
        step = STEP
        with opened_file(self._path) as file:
            while True:
                start = max(0, end - step)
                file.seek(start)
                block = file.read(end - start)
                begin = 0 if not start else _entry_after(block)
                if begin is not None and begin < len(block):
                    return self._page(start + begin, block[begin:])
                if step >= _LONGEST or not start:
                    return self._page(start, block)
                step *= 4

    def after(self, start: int, *, last: bool = False) -> Page:
        """The page that begins at `start`. `last`: a line without an end, at the file's end, is taken as whole."""
        step = STEP
        with opened_file(self._path) as file:
            size = os.fstat(file.fileno()).st_size
            while True:
                file.seek(start)
                block = file.read(step)
                if start + len(block) >= size:
                    cut = len(block) if last else block.rfind(b"\n") + 1
                    return self._page(start, block[:cut])
                cut = _last_entry(block)
                if cut or step >= _LONGEST:
                    return self._page(start, block[: cut or len(block)])
                step *= 4

    def at(self, time: int) -> int:
        """The byte from which on everything of `time` (nanoseconds) and later stands."""
        return self._source.offset_of(time)

    def find(self, expression: Expression, start: int, *, back: bool, progress: Progress = SILENT) -> int | None:
        """The byte where the next line begins in which it is found, from `start` on, or before it; None: in none."""
        needle = expression.needle() or expression.anywhere()
        with opened_file(self._path) as file:
            size = os.fstat(file.fileno()).st_size
            at = start
            while (at > 0) if back else (at < size):
                progress.check_stop()
                begin = max(0, at - BLOCK) if back else at
                file.seek(begin)
                block = file.read(at - begin if back else BLOCK)
                if begin and back:  # whole lines only; the first one is looked at with what stands before it
                    begin, block = _without_first(begin, block)
                elif not back and begin + len(block) < size:
                    block = block[: block.rfind(b"\n") + 1] or block
                places = [found.start() for found in needle.finditer(block)]
                if places:
                    place = places[-1] if back else places[0]
                    return begin + block.rfind(b"\n", 0, place) + 1
                at = begin if back else begin + len(block)
        return None

    def lines(self, start: int, end: int, needle: Needle | None, progress: Progress) -> Iterator[tuple[int, Line]]:
        """Every line from `start` to `end`, or of the entries in which `needle` is, with the bytes read so far."""
        read = start
        with opened_file(self._path) as file:
            file.seek(start)

            def chunks() -> Iterator[bytes]:
                nonlocal read
                rest = b""
                while read < end and (chunk := file.read(min(BLOCK, end - read))):
                    progress.check_stop()
                    read += len(chunk)
                    chunk = rest + chunk
                    cut = chunk.rfind(b"\n") + 1
                    rest = chunk[cut:]
                    yield chunk[:cut]
                if rest:
                    yield rest

            for piece in chunks() if needle is None else regions(chunks(), needle):
                for line in _split(piece, self.stream):
                    yield read, line

    def ends(self) -> tuple[int, int]:
        """The times of the first and the last line that has one, in nanoseconds; 0 where there is none nearby."""
        with opened_file(self._path) as file:
            head = file.read(_ENDS)
            file.seek(max(0, os.fstat(file.fileno()).st_size - _ENDS))
            tail = file.read(_ENDS)
        first = next((at for line in head.split(b"\n") if (at := _time(line))), 0)
        return first, next((at for line in reversed(tail.split(b"\n")) if (at := _time(line))), 0)

    def _page(self, start: int, block: bytes) -> Page:
        return Page(start, start + len(block), tuple(_split(block, self.stream)))


def _split(block: bytes, stream: Stream) -> Iterator[Line]:
    lines = block.split(b"\n")
    for line in lines if lines[-1] else lines[:-1]:
        yield Line(0, line.removesuffix(b"\r").decode("utf-8", "surrogateescape"), stream)


def _time(line: bytes) -> int:
    return own_time(line.decode("utf-8", "surrogateescape"))


def _entry_after(block: bytes) -> int | None:
    """Where the first entry begins that does so behind the block's first line; None: nowhere."""
    at = block.find(b"\n") + 1
    while 0 < at < len(block):
        if not goes_on(block, at):
            return at
        at = block.find(b"\n", at) + 1
    return None


def _last_entry(block: bytes) -> int:
    """Where the last entry begins, which may go on behind the block; 0: nowhere but at its beginning."""
    at = block.rfind(b"\n") + 1
    while at > 0 and (at == len(block) or goes_on(block, at)):
        at = block.rfind(b"\n", 0, at - 1) + 1
    return at


def _without_first(begin: int, block: bytes) -> tuple[int, bytes]:
    cut = block.find(b"\n") + 1
    return (begin + cut, block[cut:]) if 0 < cut < len(block) else (begin, block)
