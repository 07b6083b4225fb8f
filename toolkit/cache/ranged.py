"""Reading pieces of a long value, wherever it lies: a key of Redis, an object of the bucket, a file.

Neighbouring pieces are asked for as one, several side by side, and what came lately is kept, so that no byte is fetched
twice while it is needed. What the bytes mean is not known here.
"""

from __future__ import annotations

import io
import threading
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from toolkit.errors import Failed, ToolkitError
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from toolkit.systems.bucket import Bucket, ObjectInfo
    from toolkit.systems.redis_proxy import RedisProxy

PIECE: Final = 4 * 1024 * 1024  # bytes in one request, at most: well within the timeout of a slow line
GAP: Final = 16 * 1024  # fetching so many bytes too many costs less than one more request
KEPT: Final = 32 * 1024 * 1024  # bytes kept of what was fetched
_SIDE_BY_SIDE: Final = 6
_FIRST_AHEAD: Final = 16 * 1024
_LARGE: Final = 64 * 1024


class Source(Protocol):
    """Where bytes come from. `fetch` gives those from `start` up to, not including, `end`; both raise ToolkitError."""

    def size(self) -> int: ...

    def fetch(self, start: int, end: int) -> bytes: ...


class RedisValue:
    """The value of a key. Raises Failed where there is no such key."""

    def __init__(self, redis: RedisProxy, key: str) -> None:
        self._redis = redis
        self._key = key

    def size(self) -> int:
        length = self._redis.lengths([self._key])[self._key]
        if length is None:
            hint = "`toolkit groups list` shows what is there now."
            raise Failed(f"Redis has no key {shown(self._key)!r} any more.", hint=hint)
        return length

    def fetch(self, start: int, end: int) -> bytes:
        return self._redis.get_range(self._key, start, end)


class BucketObject:
    """An object of the bucket, in exactly the generation of `info`."""

    def __init__(self, bucket: Bucket, info: ObjectInfo) -> None:
        self._bucket = bucket
        self._info = info

    def size(self) -> int:
        return self._info.bytes

    def fetch(self, start: int, end: int) -> bytes:
        return self._bucket.read(self._info.path, start, end, self._info.generation)


class LocalFile:
    """A file of this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def size(self) -> int:
        return self._path.stat().st_size

    def fetch(self, start: int, end: int) -> bytes:
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)


class RangedReader:
    """Pieces of `source`, which errors call `name`. Thread-safe.

    `bytes_read` counts what was fetched. `problem` is the last error of the source: a library that reads through
    `as_file` may not hand it on.
    """

    def __init__(self, source: Source, name: str = "", *, kept: int = KEPT, gap: int = GAP) -> None:
        self.name = name
        self.bytes_read = 0
        self.problem: ToolkitError | None = None
        self._source = source
        self._gap = gap
        self._kept = _Kept(kept)
        self._size: int | None = None
        self._lock = threading.RLock()
        self._counting = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes in all, asked for once. Raises ToolkitError."""
        with self._lock:
            if self._size is None:
                self._size = self._source.size()
            return self._size

    def read_range(self, start: int, length: int, *, ahead: int = 0) -> bytes:
        """What data[start:start + length] is. Where something must be fetched for it, `ahead` bytes more come with it.

        Raises the source's ToolkitError; Failed where the value became shorter meanwhile.
        """
        if start < 0 or length < 0:
            raise ValueError("a range begins at 0 or later, and is not shorter than nothing")
        with self._lock:
            return self._read([(start, start + length)], ahead)[0]

    def fetch_many(self, ranges: Iterable[tuple[int, int]]) -> list[bytes]:
        """The bytes of each range (start, end), end not included. Near ones are one request; requests run side by side.

        They are kept too, as far as there is room: that is how to fetch ahead of a library that reads piece by piece.
        """
        with self._lock:
            return self._read(list(ranges), 0)

    def as_file(self, read_ahead: int = 0) -> RangedFile:
        """A seekable binary file over it. Who reads on where he stopped gets up to `read_ahead` bytes more fetched."""
        return RangedFile(self, read_ahead)

    def _read(self, ranges: Sequence[tuple[int, int]], ahead: int) -> list[bytes]:
        size = self.size
        wanted = [(min(start, size), min(max(start, end), size)) for start, end in ranges]
        missing = [gap for start, end in wanted for gap in self._kept.missing(start, end)]
        if missing:
            start, end = missing[-1]
            missing[-1] = (start, min(end + ahead, size))
        requests = [piece for start, end in _together(missing, self._gap) for piece in self._new(start, end)]
        for (start, _), content in zip(requests, self._fetch(requests), strict=True):
            self._kept.put(start, content)
        pieces = [self._kept.take(start, end) for start, end in wanted]
        self._kept.shrink()
        return pieces

    def _new(self, start: int, end: int) -> Iterable[tuple[int, int]]:
        """Pieces of a request, without what is already here."""
        for first, last in self._kept.missing(start, end):
            for at in range(first, last, PIECE):
                yield at, min(at + PIECE, last)

    def _fetch(self, requests: Sequence[tuple[int, int]]) -> list[bytes]:
        if len(requests) < 2:
            return [self._fetch_one(*request) for request in requests]
        with ThreadPoolExecutor(min(len(requests), _SIDE_BY_SIDE), thread_name_prefix="ranged") as pool:
            try:
                return list(pool.map(lambda request: self._fetch_one(*request), requests))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _fetch_one(self, start: int, end: int) -> bytes:
        try:
            content = self._source.fetch(start, end)
            if len(content) != end - start:
                raise Failed(
                    f"{self.name or 'The value'} was replaced while it was being read.",
                    hint="A rebuild is probably running (`toolkit cache status`); try again when it has ended.",
                )
        except ToolkitError as problem:
            self.problem = problem
            raise
        with self._counting:
            self.bytes_read += len(content)
        return content


class RangedFile(io.RawIOBase):
    """A RangedReader as a file: what pyarrow and others ask for."""

    def __init__(self, reader: RangedReader, read_ahead: int = 0) -> None:
        super().__init__()
        self._reader = reader
        self._at = 0
        self._stopped_at = -1
        self._most_ahead = read_ahead
        self._ahead = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def size(self) -> int:
        return self._reader.size

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at}.get(whence)
        at = offset + (self._reader.size if start is None else start)
        if at < 0:
            raise ValueError("there is nothing before the beginning")
        self._at = at
        return at

    def read(self, size: int = -1) -> bytes:
        length = max(0, self._reader.size - self._at) if size < 0 else size
        if self._at == self._stopped_at:
            self._ahead = min(max(self._ahead * 2, _FIRST_AHEAD), self._most_ahead)
        else:
            self._ahead = 0
        content = self._reader.read_range(self._at, length, ahead=self._ahead)
        self._at += len(content)
        self._stopped_at = self._at
        return content

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        content = self.read(len(view))
        view[: len(content)] = content
        return len(content)


class _Kept:
    """Pieces that were fetched, none overlapping another. Large ones go first; of these, those used longest ago."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._starts: list[int] = []
        self._pieces: dict[int, bytes] = {}  # by start; the one used last stands last
        self._bytes = 0

    def missing(self, start: int, end: int) -> list[tuple[int, int]]:
        """The parts of start..end that are not here."""
        gaps, at = [], start
        for first in self._touching(start, end):
            if first > at:
                gaps.append((at, first))
            at = max(at, first + len(self._pieces[first]))
        if at < end:
            gaps.append((at, end))
        return gaps

    def put(self, start: int, content: bytes) -> None:
        """Keep a piece of which nothing is here yet."""
        if content:
            self._starts.insert(bisect_right(self._starts, start), start)
            self._pieces[start] = content
            self._bytes += len(content)

    def take(self, start: int, end: int) -> bytes:
        """The bytes start..end, which are all here."""
        parts = []
        for first in self._touching(start, end):
            piece = self._pieces.pop(first)
            self._pieces[first] = piece
            parts.append(piece[max(0, start - first) : end - first])
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def shrink(self) -> None:
        """Large pieces go first: a footer outlasts what is streamed by."""
        if self._bytes > self._limit:
            large = [start for start, piece in self._pieces.items() if len(piece) > _LARGE]
            small = [start for start, piece in self._pieces.items() if len(piece) <= _LARGE]
            for start in large + small:
                self._bytes -= len(self._pieces.pop(start))
                self._starts.remove(start)
                if self._bytes <= self._limit:
                    return

    def _touching(self, start: int, end: int) -> list[int]:
        """The beginnings of the pieces that hold something of start..end, in order."""
        if end <= start:
            return []
        first = max(0, bisect_right(self._starts, start) - 1)
        found = []
        for at in self._starts[first:]:
            if at >= end:
                break
            if at + len(self._pieces[at]) > start:
                found.append(at)
        return found


def _together(ranges: Iterable[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """The ranges in order, those that overlap or lie at most `gap` apart as one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
