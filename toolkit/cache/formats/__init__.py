"""The formats of frames: which one it is, told by its first bytes, and one class for each."""

from __future__ import annotations

from typing import Final

from toolkit.cache.formats import arrow, packed, parquet, pickled_frame, told
from toolkit.cache.formats.frame import IDENTIFYING, Frame, UnreadableFrame
from toolkit.cache.ranged import RangedReader
from toolkit.progress import SILENT, Progress

__all__ = ["IDENTIFYING", "Frame", "UnreadableFrame", "open_frame"]

_DEEPEST: Final = 2  # wrappers around wrappers
_NOT_FOR_US: Final = {
    b"FEA1": "it is Feather V1, which Arrow itself no longer reads",
    b"PARE": "it is an encrypted Parquet file",
    b"BZh": "it is packed with bzip2, which is not unpacked here",
    b"\xfd7zXZ\x00": "it is packed with xz, which is not unpacked here",
    b"PK\x03\x04": "it is a zip archive, which is not unpacked here",
    b"\x89HDF": "it is HDF5, which is not read here",
    b"ORC": "it is ORC, which is not read here",
    b"Obj\x01": "it is Avro, which is not read here",
}


def open_frame(reader: RangedReader, progress: Progress = SILENT) -> Frame:
    """The frame that `reader` reads; close it when done. Raises UnreadableFrame, or the source's ToolkitError."""
    return _open(reader, progress, 0)


def _open(reader: RangedReader, progress: Progress, depth: int) -> Frame:
    size = reader.size
    head, _ = reader.fetch_many([(0, told.HEAD), (size - _tail(size), size)])
    match told.kind(head):
        case "parquet":
            return parquet.ParquetFrame(reader, progress)
        case "arrow":
            return arrow.ArrowFile(reader, progress)
        case "arrow-stream":
            return arrow.ArrowStream(reader, progress)
        case "pickle":
            return pickled_frame.PickledFrame(reader, progress)
        case "":
            raise UnreadableFrame(reader.name, "", _unknown(head))
        case wrapper if depth == _DEEPEST:
            raise UnreadableFrame(reader.name, wrapper, f"it is packed more than {depth} times")
        case wrapper:
            return _unpacked(reader, wrapper, progress, depth)


def _unpacked(reader: RangedReader, kind: str, progress: Progress, depth: int) -> Frame:
    spool = packed.unpack(reader, kind, progress)
    try:
        inner = _open(RangedReader(spool, reader.name), progress, depth + 1)
    except UnreadableFrame as problem:
        spool.close()
        raise UnreadableFrame(reader.name, f"{kind}+{problem.kind}".rstrip("+"), problem.why) from problem
    except BaseException:
        spool.close()
        raise
    return packed.Unpacked(kind, inner, spool)


def _tail(size: int) -> int:
    """Bytes of the end that are fetched with the beginning: most footers, and little of the whole."""
    return min(size, max(4 * 1024, min(size // 512, 64 * 1024)))


def _unknown(head: bytes) -> str:
    if not head:
        return "it is empty"
    if not any(head):
        return "it begins with zeros: probably it was never written"
    for magic, what in _NOT_FOR_US.items():
        if head.startswith(magic):
            return what
    return f"no format that is known here begins with {head[:8]!r}"
