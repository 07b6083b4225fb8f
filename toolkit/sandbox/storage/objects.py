"""What the sandbox's storage server holds: buckets, live objects by name, and soft-deleted ones by generation.

No HTTP here. Contents are kept in memory, or as files where a directory is given. Thread-safe: the server's loop and
whoever plays the world's other parts write side by side.
"""

from __future__ import annotations

import base64
import threading
import time
from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import google_crc32c

_BLOCK = 1 << 20
_LAST = "\U0010ffff"  # sorts behind every name that begins with the same prefix
WEEK = 7 * 24 * 3600  # Google's default for new buckets


class StorageError(Exception):
    """An answer that is not success: HTTP status, Google's reason code and message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class Version:
    """One generation of an object. `crc32c` in base64, as Google writes it."""

    bucket: str
    path: str
    generation: int
    content: bytes | Path
    size: int
    crc32c: str
    content_type: str
    created: datetime
    content_encoding: str = ""
    soft_deleted_at: datetime | None = None
    hard_deleted_at: datetime | None = None

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """Bytes start to end (not included), in blocks."""
        if isinstance(self.content, bytes):
            for offset in range(start, end, _BLOCK):
                yield self.content[offset : min(offset + _BLOCK, end)]
            return
        with self.content.open("rb") as file:
            file.seek(start)
            while start < end and (block := file.read(min(_BLOCK, end - start))):
                start += len(block)
                yield block


@dataclass
class StoredBucket:
    """A bucket with its objects; `names` are the live ones' names in Google's listing order."""

    name: str
    project: str
    location: str = "US-CENTRAL1"
    soft_delete_seconds: int = WEEK
    versioning: bool = False
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    live: dict[str, Version] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    soft: dict[str, list[Version]] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A page of a listing. `token` continues it; empty at its end."""

    items: tuple[Version, ...]
    prefixes: tuple[str, ...]
    token: str


class Store:
    """All buckets. Raises StorageError where Google would answer with one."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._lock = threading.RLock()
        self._buckets: dict[str, StoredBucket] = {}
        self._generation = 0
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)

    def add_bucket(self, bucket: StoredBucket) -> None:
        with self._lock:
            self._buckets[bucket.name] = bucket

    def bucket(self, name: str) -> StoredBucket:
        with self._lock:
            if name not in self._buckets:
                raise StorageError(404, "notFound", "The specified bucket does not exist.")
            return self._buckets[name]

    def put(self, bucket: str, path: str, content: bytes | Path, content_type: str, encoding: str = "") -> Version:
        """Write a new generation; one that lived before is soft-deleted, as without object versioning."""
        with self._lock:
            held = self.bucket(bucket)
            self._generation = max(self._generation + 1, time.time_ns() // 1000)
            if isinstance(content, bytes) and self._directory is not None:
                file = self._directory / str(self._generation)
                file.write_bytes(content)
                content = file
            count, checksum = _measured(content)
            version = Version(
                bucket, path, self._generation, content, count, checksum, content_type, datetime.now(UTC), encoding
            )
            self._bury(held, path)
            held.live[path] = version
            insort(held.names, path)
            return version

    def get(self, bucket: str, path: str, generation: int | None = None) -> Version:
        with self._lock:
            version = self.bucket(bucket).live.get(path)
            if version is None or (generation is not None and version.generation != generation):
                wanted = path if generation is None else f"{path}#{generation}"
                raise StorageError(404, "notFound", f"No such object: {bucket}/{wanted}")
            return version

    def live_generation(self, bucket: str, path: str) -> int:
        """The live generation, 0 where there is none: what ifGenerationMatch is compared with."""
        with self._lock:
            version = self.bucket(bucket).live.get(path)
            return version.generation if version else 0

    def delete(self, bucket: str, path: str) -> None:
        with self._lock:
            self.get(bucket, path)
            self._bury(self.bucket(bucket), path)

    def soft_deleted(self, bucket: str, path: str, generation: int) -> Version:
        with self._lock:
            for version in self.bucket(bucket).soft.get(path, ()):
                if version.generation == generation and not _over(version, datetime.now(UTC)):
                    return version
            raise StorageError(404, "notFound", f"No such object: {bucket}/{path}#{generation}")

    def restore(self, bucket: str, path: str, generation: int) -> Version:
        """A new live copy of a soft-deleted generation; that one stays kept until its time is over."""
        with self._lock:
            old = self.soft_deleted(bucket, path, generation)
            content = old.content if isinstance(old.content, bytes) else old.content.read_bytes()
            return self.put(bucket, path, content, old.content_type, old.content_encoding)

    def page(self, bucket: str, prefix: str, delimiter: str, token: str, limit: int, *, soft: bool) -> Page:
        """One page, in the order of names; `limit` counts objects and prefixes together."""
        with self._lock:
            held = self.bucket(bucket)
            kept = self._kept(held) if soft else {}
            names = sorted(kept) if soft else held.names
            after = _decoded(token)
            at = max(bisect_left(names, prefix), bisect_left(names, after)) if after else bisect_left(names, prefix)
            items: list[Version] = []
            prefixes: list[str] = []
            while at < len(names) and names[at].startswith(prefix):
                name = names[at]
                if len(items) + len(prefixes) >= limit:
                    return Page(tuple(items), tuple(prefixes), _encoded(name))
                cut = name.find(delimiter, len(prefix)) if delimiter else -1
                if cut >= 0:
                    folder = name[: cut + len(delimiter)]
                    prefixes.append(folder)
                    at = bisect_left(names, folder + _LAST, at)
                    continue
                items += kept[name] if soft else (held.live[name],)
                at += 1
            return Page(tuple(items), tuple(prefixes), "")

    def paths(self, bucket: str, prefix: str = "") -> list[str]:
        with self._lock:
            return [name for name in self.bucket(bucket).names if name.startswith(prefix)]

    def _bury(self, held: StoredBucket, path: str) -> None:
        """Take the live object of that name away, if there is one: into the soft-deleted ones, or for good."""
        version = held.live.pop(path, None)
        if version is None:
            return
        del held.names[bisect_left(held.names, path)]
        if held.soft_delete_seconds:
            now = datetime.now(UTC)
            end = now + timedelta(seconds=held.soft_delete_seconds)
            kept = replace(version, soft_deleted_at=now, hard_deleted_at=end)
            held.soft.setdefault(path, []).append(kept)
        else:
            self._forget(version)

    def _kept(self, held: StoredBucket) -> dict[str, list[Version]]:
        """The soft-deleted versions whose time is not over."""
        now = datetime.now(UTC)
        for path, versions in list(held.soft.items()):
            over = [version for version in versions if _over(version, now)]
            if over:
                for version in over:
                    self._forget(version)
                held.soft[path] = [v for v in versions if v not in over]
                if not held.soft[path]:
                    del held.soft[path]
        return held.soft

    def _forget(self, version: Version) -> None:
        if isinstance(version.content, Path) and version.content.parent == self._directory:
            version.content.unlink(missing_ok=True)


def _over(version: Version, now: datetime) -> bool:
    return version.hard_deleted_at is not None and version.hard_deleted_at <= now


def _measured(content: bytes | Path) -> tuple[int, str]:
    """Length and CRC32C."""
    if isinstance(content, bytes):
        checksum, count = google_crc32c.value(content), len(content)
    else:
        about = content.stat()
        count = about.st_size
        checksum = _checksum(content, about.st_ino, about.st_mtime_ns, count)
    return count, base64.b64encode(checksum.to_bytes(4, "big")).decode()


@lru_cache(maxsize=1024)  # the sandbox puts the same files at every change of scenario, and they may be large
def _checksum(file: Path, inode: int, changed_ns: int, size: int) -> int:
    """CRC32C of the file that had this number, time and size."""
    del inode, changed_ns, size
    checksum = 0
    with file.open("rb") as content:
        while block := content.read(_BLOCK):
            checksum = google_crc32c.extend(checksum, block)
    return checksum


def _encoded(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _decoded(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode() if token else ""
    except ValueError as error:
        raise StorageError(400, "invalid", "Invalid page token.") from error
