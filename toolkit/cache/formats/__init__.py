"""The formats of frames: which one it is, told by its first and last bytes, and one class for each."""

from __future__ import annotations

from toolkit.cache.formats import parquet
from toolkit.cache.formats.frame import IDENTIFYING, Frame, UnreadableFrame
from toolkit.cache.ranged import RangedReader
from toolkit.progress import SILENT, Progress

__all__ = ["IDENTIFYING", "Frame", "UnreadableFrame", "open_frame"]

_HEAD = 16


def _tail(size: int) -> int:
    """Bytes of the end that are fetched with the beginning: most footers, and little of the whole."""
    return min(size, max(4 * 1024, min(size // 512, 64 * 1024)))


def open_frame(reader: RangedReader, progress: Progress = SILENT) -> Frame:
    """The frame that `reader` reads. Raises UnreadableFrame, or the source's ToolkitError."""
    size = reader.size
    head, _ = reader.fetch_many([(0, _HEAD), (size - _tail(size), size)])
    if not size:
        raise UnreadableFrame(reader.name, "", "it is empty")
    if head.startswith(parquet.MAGIC):
        return parquet.ParquetFrame(reader, progress)
    raise UnreadableFrame(reader.name, "", f"no format known here begins with {head[:8]!r}")
