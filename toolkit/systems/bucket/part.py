"""A download under way, on disk: the bytes that are here already (`.part`) and a note of which they are.

The file gets its own name only when it is whole and its checksum is right. The note holds the generation, so bytes of
an object that was written anew in between are never mixed with the old ones.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
from pathlib import Path

from toolkit.errors import Failed, Refused
from toolkit.systems.bucket.objects import ObjectInfo, Wanted

CHUNK = 8 << 20
_BLOCK = 1 << 20


class PartFile:
    """The unfinished file of one wanted object. Chunks may be written in any order, from any thread."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._part = wanted.file.with_name(wanted.file.name + ".part")
        self._note = wanted.file.with_name(wanted.file.name + ".part.json")
        self._lock = threading.Lock()
        self._done = self._noted()

    @property
    def item(self) -> ObjectInfo:
        return self.wanted.object

    @property
    def missing(self) -> list[int]:
        """Numbers of the chunks that are not here yet."""
        return [number for number in range(self._chunks) if number not in self._done]

    @property
    def bytes_here(self) -> int:
        return sum(end - start for start, end in map(self.span, self._done))

    @property
    def _chunks(self) -> int:
        return -(-self.item.bytes // CHUNK)

    def span(self, number: int) -> tuple[int, int]:
        """Where the chunk begins, and where it ends (not included)."""
        return number * CHUNK, min((number + 1) * CHUNK, self.item.bytes)

    def begin(self) -> None:
        """Make the folder and the unfinished file, at its full length. Raises OSError."""
        self.wanted.file.parent.mkdir(parents=True, exist_ok=True)
        if not self._done:
            with self._part.open("wb") as file:
                file.truncate(self.item.bytes)
            self._write_note()

    def write(self, number: int, content: bytes) -> None:
        """Put a chunk where it belongs, and note that it is here. Raises OSError."""
        with self._part.open("r+b") as file:
            file.seek(number * CHUNK)
            file.write(content)
        with self._lock:
            self._done.add(number)
            self._write_note()

    def finish(self, *, overwrite: bool) -> None:
        """Check it and give it its name. Raises Failed where the checksum is wrong; then all of it is thrown away."""
        if self.item.crc32c and checksum(self._part) != self.item.crc32c:
            self._part.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)
            raise Failed("its checksum (CRC32C) is wrong; what had arrived was thrown away")
        with self._part.open("r+b") as file:
            os.fsync(file.fileno())
        if self.wanted.file.exists() and not overwrite:
            raise Refused("a file of that name has appeared meanwhile")
        self._part.replace(self.wanted.file)
        self._note.unlink(missing_ok=True)

    def _identity(self) -> dict[str, object]:
        return {
            "path": self.item.path,
            "generation": self.item.generation,
            "bytes": self.item.bytes,
            "chunk": CHUNK,
        }

    def _noted(self) -> set[int]:
        """The chunks that an earlier try of the same generation left here."""
        try:
            note = json.loads(self._note.read_text("utf-8"))
            done = note.pop("done")
            if note == self._identity() and self._part.stat().st_size == self.item.bytes:
                return {number for number in done if isinstance(number, int) and 0 <= number < self._chunks}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        return set()

    def _write_note(self) -> None:
        if self._chunks <= 1:
            return  # it is all or nothing
        new = self._note.with_name(self._note.name + ".new")
        new.write_text(json.dumps({**self._identity(), "done": sorted(self._done)}), "utf-8")
        new.replace(self._note)


def checksum(file: Path) -> str:
    """The file's CRC32C in base64, as Google writes it. Raises OSError."""
    import google_crc32c

    value = 0
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            value = google_crc32c.extend(value, block)
    return base64.b64encode(value.to_bytes(4, "big")).decode()


def same(wanted: Wanted) -> bool:
    """Whether the file is there already, with the object's content."""
    with contextlib.suppress(OSError):
        found = wanted.file.stat()
        return found.st_size == wanted.object.bytes and checksum(wanted.file) == wanted.object.crc32c
    return False
