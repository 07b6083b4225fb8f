"""What frames were found to hold, kept on disk: a second question about the same frame reads nothing of it.

A frame has one entry, with the version it was made from: a generation of the bucket, or the fingerprint of a Redis
value. Frames that hold the same perturbations share one file of them. Everything here can be made again: a file that is
missing, damaged or of another version of the toolkit is as good as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from toolkit import paths
from toolkit.cache.perturbations import Perts

_T = TypeVar("_T")

_FORMAT = "v1"
_MOST_BYTES = 512 * 1024 * 1024
_MOST_ENTRIES = 5_000
_NEWBORN = 600.0  # seconds for which a file that no entry names is left alone: its entry is just being written


@dataclass(frozen=True, slots=True)
class Place:
    """A frame by where it lies: `store` is the bucket's name, or empty for Redis."""

    environment: str
    layer: str
    group: str
    frame: str
    store: str = ""

    @property
    def file(self) -> str:
        parts = (self.environment, self.layer, self.store, self.group, self.frame)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:40]


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What is known of a frame in one version; `perts` names the file of its perturbations."""

    version: str
    format: str
    rows: int
    bytes: int
    perts: str


class _Stored(msgspec.Struct, array_like=True):
    """Perts as they are written: `kinds` and `concentrations` once each, and by number for each name."""

    names: str
    kinds: list[str]
    kind_of: list[int]
    concentrations: list[tuple[float, ...]]
    concentrations_of: list[int]
    replicates: list[int | None]
    experiments: list[int | None]


class NameIndex:
    """The index in `directory` (by default in the user's cache directory), for any number of processes at once.

    `problem` says why something could not be kept; then questions are answered all the same, by reading again.
    """

    def __init__(
        self, directory: Path | None = None, *, most_bytes: int = _MOST_BYTES, most_entries: int = _MOST_ENTRIES
    ) -> None:
        self.problem = ""
        self._most_bytes, self._most_entries = most_bytes, most_entries
        self._loaded: dict[str, Perts] = {}
        self._names: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        self._directory: Path | None = None
        try:
            self._directory = (directory or paths.cache() / "names") / _FORMAT
            for name in ("entries", "perts"):
                (self._directory / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            self._unkept(error)
            self._directory = None

    def get(self, place: Place, version: str) -> tuple[Entry, Perts] | None:
        """What is kept of the frame in exactly that version; the same Perts for frames that hold the same."""
        entry = self._entry(place, version)
        if self._directory is None or entry is None:
            return None
        perts = self._loaded.get(entry.perts)
        if perts is None:
            try:
                content = (self._directory / "perts" / entry.perts).read_bytes()
                if _digest(content) != entry.perts:
                    return None
                stored = msgspec.msgpack.decode(content, type=_Stored)
                perts = _unpacked(stored, self._split(stored))
            except (OSError, msgspec.DecodeError, ValueError, LookupError):
                return None
            self._loaded[entry.perts] = perts
        file = self._directory / "entries" / place.file
        with contextlib.suppress(OSError):  # a file used lately is one to keep
            if time.time() - file.stat().st_mtime > 3600:
                os.utime(file)
        return entry, perts

    def knows(self, place: Place, version: str) -> bool:
        """Whether something is kept of the frame in exactly that version."""
        return self._entry(place, version) is not None

    def put(self, place: Place, version: str, perts: Perts, *, format: str, rows: int, size: int) -> Perts:  # noqa: A002
        """Keep what a frame holds, in place of what was kept of its earlier version. Gives back the Perts to go on
        with: those of another frame, where it holds the same."""
        content = msgspec.msgpack.encode(_packed(perts))
        digest = _digest(content)
        perts = self._loaded.setdefault(digest, perts)
        if self._directory is not None:
            entry = Entry(version, format, rows, size, digest)
            try:
                target = self._directory / "perts" / digest
                if target.exists():
                    os.utime(target)
                else:
                    _write(target, content)
                _write(self._directory / "entries" / place.file, msgspec.msgpack.encode(entry))
            except OSError as error:
                self._unkept(error)
        return perts

    def tidy(self) -> None:
        """Keep the index within its bounds: entries used longest ago go first, then perturbations that none names.

        Where another process is at it, it is left to that one.
        """
        from filelock import FileLock, Timeout

        if self._directory is None:
            return
        try:
            with FileLock(self._directory / "tidy.lock", timeout=0, mode=0o600):
                self._tidy(self._directory)
        except (Timeout, FileNotFoundError):  # another process is at it, or has just put one file in another's place
            return
        except OSError as error:
            self._unkept(error)

    def _entry(self, place: Place, version: str) -> Entry | None:
        if self._directory is None:
            return None
        try:
            entry = msgspec.msgpack.decode((self._directory / "entries" / place.file).read_bytes(), type=Entry)
        except (OSError, msgspec.DecodeError):
            return None
        return entry if entry.version == version else None

    def _tidy(self, directory: Path) -> None:
        sizes = {file.name: file.stat().st_size for file in (directory / "perts").iterdir()}
        entries = sorted((directory / "entries").iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
        named: set[str] = set()
        total = kept = 0
        for file in entries:
            try:
                perts = msgspec.msgpack.decode(file.read_bytes(), type=Entry).perts
            except msgspec.DecodeError:
                perts = ""
            more = 0 if perts in named else sizes.get(perts, 0)
            if perts in sizes and kept < self._most_entries and total + more <= self._most_bytes:
                named.add(perts)
                total, kept = total + more, kept + 1
            elif perts or time.time() - file.stat().st_mtime > _NEWBORN:
                file.unlink(missing_ok=True)
        for name in sizes.keys() - named:
            file = directory / "perts" / name
            # Beyond the bounds it goes at once; within them it may be another process' that writes its entry next.
            if sum(sizes.values()) > self._most_bytes or time.time() - file.stat().st_mtime > _NEWBORN:
                file.unlink(missing_ok=True)

    def _split(self, stored: _Stored) -> list[str]:
        """The names: one list for all frames that differ in the rest alone. Most groups have the same perturbations."""
        if not stored.kind_of:
            return []
        with self._lock:
            if stored.names not in self._names:
                self._names[stored.names] = stored.names.split("\0")
            return self._names[stored.names]

    def _unkept(self, error: OSError) -> None:
        self.problem = f"What was read could not be kept for the next question: {error.strerror or error}"


def fingerprint(length: int, samples: Sequence[bytes], *more: object) -> str:
    """The version of a value that has no generation: from its length and samples of its bytes."""
    seen = hashlib.blake2b(digest_size=16)
    for part in (str(length).encode(), *samples, *(str(one).encode() for one in more)):
        seen.update(len(part).to_bytes(8, "big") + part)
    return seen.hexdigest()


def samples(length: int) -> list[tuple[int, int]]:
    """Which bytes (start, end) of a value of `length` go into its fingerprint: its beginning, its end, where Parquet
    and Arrow describe all the rest, and some between: a rebuilt frame has other vectors everywhere."""
    head, tail, between, pieces = 512, 2048, 64, 6
    if length <= 2 * (head + tail):
        return [(0, length)]
    step = (length - head - tail) // (pieces + 1)
    middle = [(head + step * at, head + step * at + between) for at in range(1, pieces + 1)]
    return [(0, head), *middle, (length - tail, length)]


def _packed(perts: Perts) -> _Stored:
    kinds = {kind: at for at, kind in enumerate(dict.fromkeys(perts.kinds))}
    sets = {one: at for at, one in enumerate(dict.fromkeys(map(tuple, perts.concentrations)))}
    return _Stored(
        "\0".join(name.replace("\0", " ") for name in perts.names),
        list(kinds),
        [kinds[kind] for kind in perts.kinds],
        list(sets),
        [sets[tuple(one)] for one in perts.concentrations],
        list(perts.replicates),
        list(perts.experiments),
    )


class _Numbered(Sequence[_T]):
    """A column as it is stored: each value once, and by number for each row. Decoded where it is looked at."""

    def __init__(self, values: Sequence[_T], numbers: Sequence[int]) -> None:
        if numbers and not 0 <= min(numbers) <= max(numbers) < len(values):
            raise ValueError("a number that stands for no value")
        self._values, self._numbers = values, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self._values[number] for number in self._numbers[at]]
        return self._values[self._numbers[at]]


def _unpacked(stored: _Stored, names: Sequence[str]) -> Perts:
    perts = Perts(
        names,
        _Numbered(stored.kinds, stored.kind_of),
        _Numbered(stored.concentrations, stored.concentrations_of),
        stored.replicates,
        stored.experiments,
    )
    columns = (perts.kinds, perts.concentrations, perts.replicates, perts.experiments)
    if any(len(column) != len(names) for column in columns):
        raise ValueError("columns of different lengths")
    return perts


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=20).hexdigest()


def _write(target: Path, content: bytes) -> None:
    """Whole, or not at all; readable by its owner alone."""
    handle, temporary = tempfile.mkstemp(prefix=".", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
