"""Where a download's bytes come from: frames of the bucket or of Redis, each in exactly one version.

An object has a generation and a checksum. A value of Redis has neither: its version is its fingerprint, looked at again
with every chunk, so that no bytes of a value that took its place are ever mixed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from toolkit.cache.formats import told
from toolkit.cache.name_index import fingerprint, samples
from toolkit.cache.stored import StoredFrame
from toolkit.errors import NotFound
from toolkit.progress import Progress
from toolkit.systems.bucket import transfer
from toolkit.systems.bucket.objects import Content, DownloadResult, Wanted
from toolkit.systems.bucket.part import checksum, same
from toolkit.systems.side_by_side import side_by_side

if TYPE_CHECKING:
    from toolkit.systems.bucket import Bucket, ObjectInfo
    from toolkit.systems.redis_proxy import RedisProxy

_PIECE: Final = 2 * 1024 * 1024  # bytes of Redis between two looks at whether to stop
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Version:
    """A frame as it is now: what to download, and which format its first bytes tell (empty: none that is known)."""

    content: Content
    format: str


@dataclass(frozen=True, slots=True)
class Value:
    """A value of Redis; see Content. `path` is its key."""

    path: str
    version: str
    bytes: int
    crc32c: str = ""


class InBucket:
    """Frames as objects of the bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def source(self, frame: StoredFrame) -> str:
        """What to call it in the manifest."""
        return self._bucket.url("" if frame.info is None else frame.info.path)

    def versions(self, frames: Sequence[StoredFrame]) -> list[Version | None]:
        """Each frame as it is now; None where it is gone, or was written anew just now. Raises ToolkitError."""

        def look(info: ObjectInfo) -> Version | None:
            try:
                return Version(info, _format(lambda end: self._bucket.read(info.path, 0, end, info.generation)))
            except NotFound:
                return None

        infos = [frame.info for frame in frames if frame.info is not None]
        found = dict(side_by_side(infos, look, workers=_AT_ONCE))
        return [found[info] for info in infos]

    def checksum_here(self, wanted: Wanted) -> str:
        """The CRC32C of the file that is there already, where it is the object as it is now; else empty."""
        return wanted.object.crc32c if same(wanted) else ""

    def bring(
        self, wanted: Sequence[Wanted], progress: Progress, *, overwrite: bool, finished: transfer.Finished
    ) -> DownloadResult:
        """See transfer.download."""
        return self._bucket.download(wanted, progress, overwrite=overwrite, finished=finished)

    def replaced(self, contents: Sequence[Content]) -> set[str]:
        """Paths of those that are no longer what they were. Raises ToolkitError."""
        now = side_by_side(contents, lambda content: self._bucket.find(content.path), workers=_AT_ONCE)
        return {content.path for content, info in now if info is None or info.version != content.version}


class InRedis:
    """Frames as values of Redis."""

    def __init__(self, redis: RedisProxy) -> None:
        self._redis = redis

    def source(self, frame: StoredFrame) -> str:
        """What to call it in the manifest."""
        return frame.name

    def versions(self, frames: Sequence[StoredFrame]) -> list[Version | None]:
        """As InBucket.versions."""
        prints = self._fingerprints([(frame.key, frame.bytes) for frame in frames])

        def look(at: int) -> Version | None:
            key, version = frames[at].key, prints[at]
            if not version:
                return None
            form = _format(lambda end: self._redis.get_range(key, 0, end))
            return Version(Value(key, version, frames[at].bytes), form)

        found = dict(side_by_side(range(len(frames)), look, workers=_AT_ONCE))
        return [found[at] for at in range(len(frames))]

    def checksum_here(self, wanted: Wanted) -> str:
        """As InBucket.checksum_here, as far as length and fingerprint tell."""
        size = wanted.object.bytes
        with suppress(OSError):
            if wanted.file.stat().st_size == size and _fingerprint_of(wanted.file, size) == wanted.object.version:
                return checksum(wanted.file)
        return ""

    def bring(
        self, wanted: Sequence[Wanted], progress: Progress, *, overwrite: bool, finished: transfer.Finished
    ) -> DownloadResult:
        """See transfer.download."""

        def read(content: Content, start: int, end: int) -> bytes:
            return self._read(content, start, end, progress)

        return transfer.download(wanted, read, progress, overwrite=overwrite, finished=finished)

    def replaced(self, contents: Sequence[Content]) -> set[str]:
        """As InBucket.replaced."""
        now = self._fingerprints([(content.path, content.bytes) for content in contents])
        return {content.path for content, version in zip(contents, now, strict=True) if version != content.version}

    def _read(self, content: Content, start: int, end: int, progress: Progress) -> bytes:
        """A chunk, and behind it what tells the version: a value that had been replaced before is noticed then."""
        pieces = []
        for at in range(start, end, _PIECE):
            progress.check_stop()
            pieces.append(self._redis.get_range(content.path, at, min(at + _PIECE, end)))
        chunk = b"".join(pieces)
        if len(chunk) != end - start or self._fingerprints([(content.path, content.bytes)]) != [content.version]:
            raise NotFound(f"{content.path} was replaced while it was downloaded.")
        return chunk

    def _fingerprints(self, values: Sequence[tuple[str, int]]) -> list[str]:
        """Of each (key, length) the fingerprint; empty where the value is not of that length. In one go."""
        wanted = [(key, start, end + 1) for key, length in values for start, end in samples(length)]
        pieces = iter(self._redis.get_ranges(wanted) if wanted else [])
        found = []
        for _, length in values:
            # One byte more is asked for than is looked at: behind the last of them there must be none.
            places = samples(length)
            seen = [next(pieces) for _ in places]
            whole = all(
                len(piece) == end - start + (end < length) for (start, end), piece in zip(places, seen, strict=True)
            )
            bare = [piece[: end - start] for (start, end), piece in zip(places, seen, strict=True)]
            found.append(fingerprint(length, bare) if whole else "")
        return found


def _format(read: Callable[[int], bytes]) -> str:
    """The format of what begins with `read(bytes)`."""
    head = read(told.HEAD)
    return told.told(read(told.WRAPPED) if told.wraps(told.kind(head)) else head)


def _fingerprint_of(file: Path, length: int) -> str:
    with file.open("rb") as stream:
        seen = []
        for start, end in samples(length):
            stream.seek(start)
            seen.append(stream.read(end - start))
    return fingerprint(length, seen)
