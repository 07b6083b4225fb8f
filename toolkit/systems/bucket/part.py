"""A download under way, on disk: the bytes that are here already (`.part`) and a note of which they are.

The file gets its own name only when it is whole and its checksum is right. The note holds the version, so bytes of
something that was written anew in between are never mixed with the old ones; and each chunk's checksum, because of a
Redis value nobody knows the whole one's beforehand.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
from pathlib import Path

from toolkit.errors import Failed, Refused
from toolkit.systems.bucket.objects import Content, Wanted

CHUNK = 8 << 20


class PartFile:
    """The unfinished file of one wanted object. Chunks may be written in any order, from any thread."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._part = wanted.file.with_name(wanted.file.name + ".part")
        self._note = wanted.file.with_name(wanted.file.name + ".part.json")
        self._lock = threading.Lock()
        self._done = self._noted()  # number of the chunk -> its CRC32C
        self.checksum = ""  # of the whole, once it is finished

    @property
    def item(self) -> Content:
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
        import google_crc32c

        with self._part.open("r+b") as file:
            file.seek(number * CHUNK)
            file.write(content)
        with self._lock:
            self._done[number] = google_crc32c.value(content)
            self._write_note()

    def finish(self, *, overwrite: bool) -> None:
        """Check it and give it its name. Raises Failed where a checksum is wrong; then all of it is thrown away."""
        whole, chunks = _checksums(self._part)
        if chunks != [self._done[number] for number in range(self._chunks)]:
            self._discard()
            raise Failed("what lies on the disk is not what arrived (CRC32C); it was thrown away")
        if self.item.crc32c not in ("", whole):
            self._discard()
            raise Failed("its checksum (CRC32C) is wrong; what had arrived was thrown away")
        self.checksum = whole
        with self._part.open("r+b") as file:
            os.fsync(file.fileno())
        if self.wanted.file.exists() and not overwrite:
            raise Refused("a file of that name has appeared meanwhile")
        self._part.replace(self.wanted.file)
        self._note.unlink(missing_ok=True)

    def _discard(self) -> None:
        self._part.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def _identity(self) -> dict[str, object]:
        return {
            "path": self.item.path,
            "version": self.item.version,
            "bytes": self.item.bytes,
            "chunk": CHUNK,
        }

    def _noted(self) -> dict[int, int]:
        """The chunks that an earlier try of the same version left here."""
        try:
            note = json.loads(self._note.read_text("utf-8"))
            done = {int(number): int(crc32c) for number, crc32c in note.pop("done").items()}
            if note == self._identity() and self._part.stat().st_size == self.item.bytes:
                return {number: crc32c for number, crc32c in done.items() if 0 <= number < self._chunks}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        return {}

    def _write_note(self) -> None:
        if self._chunks <= 1:
            return  # it is all or nothing
        new = self._note.with_name(self._note.name + ".new")
        new.write_text(json.dumps({**self._identity(), "done": self._done}), "utf-8")
        new.replace(self._note)


def checksum(file: Path) -> str:
    """The file's CRC32C in base64, as Google writes it. Raises OSError."""
    return _checksums(file)[0]


def _checksums(file: Path) -> tuple[str, list[int]]:
    """CRC32C of the whole, in base64, and of each chunk. Raises OSError."""
    import google_crc32c

    whole, chunks = 0, []
    with file.open("rb") as stream:
        while block := stream.read(CHUNK):
            whole = google_crc32c.extend(whole, block)
            chunks.append(google_crc32c.value(block))
    return base64.b64encode(whole.to_bytes(4, "big")).decode(), chunks


def same(wanted: Wanted) -> bool:
    """Whether the file is there already, with the object's content."""
    with contextlib.suppress(OSError):
        found = wanted.file.stat()
        return found.st_size == wanted.object.bytes and checksum(wanted.file) == wanted.object.crc32c
    return False
