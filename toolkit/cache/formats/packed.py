"""What is wrapped around a frame: gzip, zlib, zstd, lz4. It is unpacked as a whole, to a temporary file here.

Such a stream cannot be entered in its middle, so all of it is fetched, a piece at a time.
"""

from __future__ import annotations

import tempfile
import threading
import weakref
import zlib
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Final

from toolkit.cache.formats.frame import IDENTIFYING, Frame, Rows, UnreadableFrame, reading
from toolkit.cache.ranged import PIECE, RangedFile, RangedReader
from toolkit.errors import Failed
from toolkit.progress import Progress

if TYPE_CHECKING:
    import pyarrow as pa

MOST_UNPACKED: Final = 4 * 1024**3  # bytes; a group is half of that
_IN_MEMORY: Final = 32 * 1024 * 1024
_STEP: Final = 1024 * 1024
_TOLD_EVERY: Final = 4 * 1024 * 1024
_MAGIC: Final = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
}
_ZLIB: Final = 0x78


def packing(head: bytes) -> str:
    """What the first bytes say is wrapped around: gzip, zlib, zstd, lz4 or, where it is none of them, nothing."""
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            return name
    if len(head) > 1 and head[0] == _ZLIB and int.from_bytes(head[:2], "big") % 31 == 0:  # RFC 1950, 2.2
        return "zlib"
    return ""


class Unpacked:
    """The frame `inner`, which was wrapped in `kind`; `spool` holds its bytes until it is closed."""

    def __init__(self, kind: str, inner: Frame, spool: Spool) -> None:
        self.format = f"{kind}+{inner.format}"
        self.rows = inner.rows
        self.columns = inner.columns
        self._inner = inner
        self._spool = spool

    def names(self, columns: Sequence[str] = IDENTIFYING) -> Iterator[pa.RecordBatch]:
        return self._inner.names(columns)

    def names_mark(self) -> str:
        return self._inner.names_mark()

    def vectors(self, columns: Sequence[str], rows: Rows | None = None) -> Iterator[pa.RecordBatch]:
        return self._inner.vectors(columns, rows)

    def close(self) -> None:
        self._inner.close()
        self._spool.close()


class Spool:
    """Unpacked bytes, in memory or where there are many in a temporary file; gone when closed, or forgotten."""

    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
        self._lock = threading.Lock()
        self._size = 0
        self.close = weakref.finalize(self, self.file.close)

    def append(self, content: bytes) -> int:
        """Gives back how many bytes there are now."""
        try:
            self.file.write(content)
        except OSError as error:
            raise Failed(
                f"A packed frame cannot be unpacked in {tempfile.gettempdir()}: {error.strerror}.",
                hint="Make room there, or name another folder by TMPDIR.",
            ) from error
        self._size += len(content)
        return self._size

    def size(self) -> int:
        return self._size

    def fetch(self, start: int, end: int) -> bytes:
        with self._lock:
            self.file.seek(start)
            return self.file.read(end - start)


def unpack(reader: RangedReader, kind: str, progress: Progress, most: int = MOST_UNPACKED) -> Spool:
    """All of `reader` unpacked. Raises UnreadableFrame where it is damaged, cut off, or becomes more than `most`."""
    spool = Spool()
    told = 0
    try:
        with reading(reader, kind):
            for content in _unpacked(reader, kind):
                progress.check_stop()
                if reader.bytes_read - told >= _TOLD_EVERY:
                    told = reader.bytes_read
                    progress.advance(reader.name, told, reader.size, "bytes")
                if spool.append(content) > most:
                    raise UnreadableFrame(reader.name, kind, f"unpacked it is more than {most:,} bytes")
    except BaseException:
        spool.close()
        raise
    return spool


def _unpacked(reader: RangedReader, kind: str) -> Iterator[bytes]:
    packed = reader.as_file(read_ahead=PIECE)
    if kind == "zlib":
        yield from _inflated(packed)
        return
    import pyarrow as pa

    with pa.input_stream(packed, compression=kind) as unpacked:
        while content := unpacked.read(_STEP):
            yield content


def _inflated(packed: RangedFile) -> Iterator[bytes]:
    inflating = zlib.decompressobj()
    waiting = b""
    while not inflating.eof:
        waiting = waiting or packed.read(_STEP)
        try:
            content = inflating.decompress(waiting, _STEP)
        except zlib.error as error:
            raise ValueError(str(error)) from error
        if not waiting and not content:
            raise ValueError("it is cut off")
        waiting = inflating.unconsumed_tail
        yield content
    if inflating.unused_data or packed.read(1):
        raise ValueError("something follows its end")
