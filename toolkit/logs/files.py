"""Log files and what is piped in, as sources: plain, gzip or zstd; read in blocks, never held in memory.

A file of any size is opened at once: its end is found from its end, a time by bisection (plain files are taken to be
in order of time), and a needle by looking through blocks of raw bytes, of which only what surrounds it is split up.
"""

from __future__ import annotations

import gzip
import io
import os
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from toolkit.errors import Failed, NotFound, ToolkitError, UsageError
from toolkit.logs.entry import Kind, Line, Notice, Stream
from toolkit.logs.regions import Needle, regions
from toolkit.logs.source import Sink, Window
from toolkit.progress import SILENT, Progress
from toolkit.systems.bucket.names import shown

BLOCK: Final = 512 * 1024  # larger ones are new memory each time, which costs more than reading them
_STEP: Final = 256 * 1024  # of what is followed
_LOOK_EVERY: Final = 0.1  # seconds
_UNORDERED: Final = 10 * 10**9  # nanoseconds by which a line may stand behind younger ones
_PROBE: Final = 64 * 1024
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_OTHERS: Final = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip", b"\x04\x22\x4d\x18": "lz4"}

OwnTime = Callable[[str], int]  # when a line says it was written, in nanoseconds since the epoch; 0: it does not


def _no_time(_: str) -> int:
    return 0


class FileSource:
    """The log file at `path`.

    `own_time` reads a line's time; without it every line has none. Of the past, `needle` gives only entries in which it
    is found, and `tail` only so many lines at the end. Raises NotFound, UsageError for what is no file or is packed in
    a way that is not known here.
    """

    def __init__(
        self, path: Path, *, own_time: OwnTime = _no_time, needle: Needle | None = None, tail: int | None = None
    ) -> None:
        self.name = shown(str(path))
        self._path = path
        self._stream = Stream("file", self.name)
        self._own_time = own_time
        self._needle = needle
        self._tail = tail
        with opened_file(path) as file:
            self._packed = _packing(file.read(8), self.name)

    @property
    def packed(self) -> str:
        """How it is packed; "" where it is not."""
        return self._packed

    def offset_of(self, since: int) -> int:
        """The offset of a line's beginning before which nothing is of `since` (nanoseconds) or later."""
        with opened_file(self._path) as file:
            return self._seek(file, since)

    def past(self, window: Window, progress: Progress = SILENT) -> Iterator[Line | Notice]:
        """See Source."""
        with opened_file(self._path) as raw, _unpacked(raw, self._packed, self.name) as file:
            if not self._packed:
                raw.seek(_from_end(raw, self._tail) if self._tail is not None else self._seek(raw, window.since))
            lines = self._lines(file, progress)
            if self._packed and self._tail is not None:
                lines = iter(_last(lines, self._tail))
            yield from self._within(lines, window)

    def follow(self, since: int, sink: Sink, stop: threading.Event) -> None:
        """See Source. A file that was cut short or replaced is read on from its beginning, and that is said."""
        if self._packed:
            raise UsageError(f"{self.name} is packed with {self._packed}: it cannot be followed.")
        following = _Following(self._path, self._stream, self._own_time)
        try:
            with opened_file(self._path) as file:
                following.begin(self._seek(file, since) if since else 0)
            while not stop.is_set():
                if not following.deliver(sink, since):
                    stop.wait(_LOOK_EVERY)
        finally:
            following.close()

    def _lines(self, file: BinaryIO, progress: Progress) -> Iterator[str]:
        chunks = _chunks(file, progress)
        for piece in _whole_lines(chunks) if self._needle is None else regions(chunks, self._needle):
            for line in _split(piece):
                yield _text(line)

    def _within(self, lines: Iterator[str], window: Window) -> Iterator[Line]:
        """Those in the window; a line without a time has that of the line before it."""
        stream, own_time, at = self._stream, self._own_time, 0
        everything = window.since is None and window.until is None
        for text in lines:
            at = own_time(text) or at
            if everything or window.holds(at):
                yield Line(at, text, stream)
            elif window.until is not None and at >= window.until + _UNORDERED and not self._packed:
                return

    def _seek(self, file: BinaryIO, since: int | None) -> int:
        """The offset of a line's beginning before which nothing is of `since` or later."""
        if since is None:
            return 0
        wanted = since - _UNORDERED
        low, high = 0, os.fstat(file.fileno()).st_size
        while high - low > _PROBE:
            middle = (low + high) // 2
            found = self._time_after(file, middle)
            if found is None or found >= wanted:
                high = middle
            else:
                low = middle
        return _line_start(file, low)

    def _time_after(self, file: BinaryIO, offset: int) -> int | None:
        """The time of the first line after `offset` that has one; None where there is none nearby."""
        file.seek(offset)
        for line in file.read(_PROBE).split(b"\n")[1:-1]:
            if found := self._own_time(_text(line)):
                return found
        return None


class StdinSource:
    """What is piped in, as it comes."""

    name = "stdin"

    def __init__(self, *, own_time: OwnTime = _no_time, file: int | None = None) -> None:
        self._stream = Stream("stdin", "stdin")
        self._own_time = own_time
        self._file = sys.stdin.fileno() if file is None else file

    def past(self, window: Window, progress: Progress = SILENT) -> Iterator[Line | Notice]:
        """See Source: all until its end, one line as soon as it is there."""
        at = 0
        for batch in self._batches(progress.stop):
            for text in batch:
                at = self._own_time(text) or at
                if window.holds(at or time.time_ns()):
                    yield Line(at, text, self._stream)

    def follow(self, since: int, sink: Sink, stop: threading.Event) -> None:
        """See Source; returns at its end."""
        at = 0
        for batch in self._batches(stop):
            lines = []
            for text in batch:
                at = self._own_time(text) or at
                if at >= since or not at:
                    lines.append(Line(at or time.time_ns(), text, self._stream))
            sink.lines(lines)

    def _batches(self, stop: threading.Event) -> Iterator[list[str]]:
        rest = b""
        while not stop.is_set():
            if not select.select([self._file], [], [], _LOOK_EVERY)[0]:
                continue
            block = os.read(self._file, _STEP)
            *whole, rest = (rest + block).split(b"\n")
            if not block and rest:
                whole, rest = [rest], b""
            if whole:
                yield [_text(line) for line in whole]
            if not block:
                return


class _Following:
    """A file that grows: where we are in it, and what of its last line is there."""

    def __init__(self, path: Path, stream: Stream, own_time: OwnTime) -> None:
        self._path, self._stream, self._own_time = path, stream, own_time
        self._file: io.BufferedReader | None = None
        self._rest: list[bytes] = []
        self._at = 0
        self._missed = False

    def begin(self, offset: int) -> None:
        self._file = self._path.open("rb")
        self._file.seek(offset)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def deliver(self, sink: Sink, since: int) -> bool:
        """Hand on what is new; whether there was anything."""
        file = self._file
        if file is None:
            return self._look_again(sink)
        if os.fstat(file.fileno()).st_size < file.tell():
            self._say(sink, Kind.GAP, "was cut short while it was followed; it is read from its beginning")
            file.seek(0)
            self._rest = []
        block = file.read1(_STEP)
        if not block:
            sink.alive(self._stream.origin)
            return self._look_again(sink)
        self._hand_on(block, sink, since)
        return True

    def _hand_on(self, block: bytes, sink: Sink, since: int) -> None:
        first, *more = block.split(b"\n")
        self._rest.append(first)
        if not more:
            return
        whole = [b"".join(self._rest), *more[:-1]]
        self._rest = [more[-1]]
        lines = []
        for line in whole:
            text = _text(line)
            self._at = self._own_time(text) or self._at
            if not self._at or self._at >= since:
                lines.append(Line(self._at or time.time_ns(), text, self._stream))
        if lines:
            sink.lines(lines)

    def _look_again(self, sink: Sink) -> bool:
        """Nothing new in the open file: is another one there under its name by now?"""
        try:
            there = self._path.stat()
        except OSError:
            if not self._missed:
                self._missed = True
                self._say(sink, Kind.PROBLEM, "is not there any more; it is waited for")
            return False
        if self._file is not None:
            here = os.fstat(self._file.fileno())
            if (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino):
                return False
            if any(self._rest):
                self._hand_on(b"\n", sink, 0)
            self._file.close()
            self._file = None
        try:
            self.begin(0)
        except OSError:
            return False
        self._rest, self._missed = [], False
        self._say(sink, Kind.AGAIN, "was replaced by a new file, which is followed now")
        return True

    def _say(self, sink: Sink, kind: Kind, text: str) -> None:
        sink.notice(Notice(time.time_ns(), kind, self._stream, f"{self._stream.origin} {text}"))


@contextmanager
def opened_file(path: Path) -> Iterator[io.BufferedReader]:
    """The file, to be read. Raises NotFound, UsageError for a folder, Failed where it cannot be read."""
    name = shown(str(path))
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {name}.", hint="`toolkit logs --help` lists the other sources.") from error
    except IsADirectoryError as error:
        raise UsageError(f"{name} is a folder.", hint="Name the files in it: toolkit logs FOLDER/*.log") from error
    except OSError as error:
        raise Failed(f"{name} cannot be read: {error.strerror}.") from error
    with file:
        yield file


def _packing(head: bytes, name: str) -> str:
    for magic, kind in _OTHERS.items():
        if head.startswith(magic):
            raise UsageError(
                f"{name} is packed with {kind}, which is not read here.",
                hint=f"Unpack it and pipe it in: … {name} | toolkit logs -",
            )
    return "gzip" if head.startswith(_GZIP) else "zstd" if head.startswith(_ZSTD) else ""


@contextmanager
def _unpacked(raw: io.BufferedReader, packed: str, name: str) -> Iterator[BinaryIO]:
    """Raises Failed where what is packed is damaged or cut off."""
    raw.seek(0)
    try:
        match packed:
            case "gzip":
                with gzip.open(raw) as unpacked:
                    yield unpacked  # type: ignore[misc]
            case "zstd":
                import pyarrow as pa

                with pa.input_stream(raw, compression="zstd") as unpacked:
                    yield unpacked
            case _:
                yield raw
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        if isinstance(error, ToolkitError) or not packed:
            raise
        raise Failed(
            f"{name} is damaged or cut off: {error}.",
            hint="What stands before that place is shown without -n and without a summary.",
        ) from error


def _chunks(file: BinaryIO, progress: Progress) -> Iterator[bytes]:
    """The file, from where it is on."""
    while chunk := file.read(BLOCK):
        progress.check_stop()
        yield chunk


def _whole_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same, in pieces that end where a line does."""
    rest: list[bytes] = []
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if end:
            yield b"".join([*rest, chunk[:end]])
            rest = []
        rest.append(chunk[end:])
    if last := b"".join(rest):
        yield last


def _split(piece: bytes) -> Sequence[bytes]:
    lines = piece.split(b"\n")
    return lines[:-1] if not lines[-1] else lines


def _text(line: bytes) -> str:
    return line.removesuffix(b"\r").decode("utf-8", "surrogateescape")


def _from_end(file: BinaryIO, lines: int) -> int:
    """Where the last `lines` lines begin."""
    at = size = os.fstat(file.fileno()).st_size
    wanted = lines + 1  # line ends, of which the last is the file's end
    while at > 0:
        start = max(0, at - BLOCK)
        file.seek(start)
        block = file.read(at - start)
        if at == size and not block.endswith(b"\n"):
            wanted -= 1
        found = block.count(b"\n")
        if found >= wanted:
            place = len(block)
            for _ in range(wanted):
                place = block.rfind(b"\n", 0, place)
            return start + place + 1
        wanted -= found
        at = start
    return 0


def _line_start(file: BinaryIO, offset: int) -> int:
    """The beginning of the first line that begins at `offset` or after it."""
    if not offset:
        return 0
    file.seek(offset - 1)
    at = offset - 1
    while block := file.read(_PROBE):
        end = block.find(b"\n")
        if end >= 0:
            return at + end + 1
        at += len(block)
    return at


def _last(lines: Iterator[str], count: int) -> Sequence[Any]:
    from collections import deque

    return deque(lines, maxlen=count)
