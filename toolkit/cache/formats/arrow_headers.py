"""How many rows an Arrow file or stream has and where its columns lie, from the headers of its batches alone: pyarrow
would fetch the batches, and those one buffer after the other.

As Arrow's specification has it: File.fbs (Footer: version, schema, dictionaries, recordBatches; Block: offset,
metaDataLength, bodyLength), Message.fbs (Message: version, header_type, header, bodyLength; RecordBatch: length, nodes,
buffers; Buffer: offset, length).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from toolkit.cache.ranged import RangedReader
from toolkit.progress import Progress

FILE_MAGIC: Final = b"ARROW1"
STREAM_MAGIC: Final = b"\xff\xff\xff\xff"
_RECORD_BATCH: Final = 3  # the member of the union MessageHeader
_LONGEST_HEADER: Final = 64 * 1024 * 1024
_BLOCK: Final = struct.Struct("<qi4xq")
_BUFFER: Final = struct.Struct("<qq")


@dataclass(frozen=True, slots=True)
class Batch:
    """A record batch of a file: its rows, and its buffers as (start, end) in the file, in the order of its columns."""

    rows: int
    buffers: tuple[tuple[int, int], ...]


def batches_of_file(reader: RangedReader) -> list[Batch]:
    """Each record batch of a file. Raises ValueError where it is damaged."""
    end = reader.size - len(FILE_MAGIC) - 4
    (length,) = struct.unpack("<I", _exactly(reader, max(0, end), 4))
    if length > min(end, _LONGEST_HEADER):
        raise ValueError(f"its footer claims to have {length:,} bytes")
    headers, bodies = [], []
    for offset, header, body in _blocks(_exactly(reader, end - length, length)):
        if offset < 0 or body < 0 or not 8 <= header <= _LONGEST_HEADER or offset + header + body > end:
            raise ValueError("its footer points out of the file")
        headers.append((offset, offset + header))
        bodies.append((offset + header, offset + header + body))
    batches = []
    for content, (start, stop) in zip(reader.fetch_many(headers), bodies, strict=True):
        at = 8 if content.startswith(STREAM_MAGIC) else 4  # the mark before the length came with Arrow 0.15
        kind, _, count = _message(content[at:])
        if kind != _RECORD_BATCH or count < 0:
            raise ValueError("its footer points to something that is no batch")
        buffers = tuple((start + first, start + last) for first, last in _buffers(content[at:]))
        if any(not start <= first <= last <= stop for first, last in buffers):
            raise ValueError("one of its columns lies outside of its batch")
        batches.append(Batch(count, buffers))
    return batches


def rows_of_stream(reader: RangedReader, progress: Progress) -> Iterator[int]:
    """The rows of each record batch, from its header alone. Raises ValueError where the stream breaks off.

    The encapsulated message format of Arrow's specification: a marker, the header's length, the header (a flatbuffer),
    the body. A stream may end without its end mark.
    """
    at = 0
    while at < reader.size:
        progress.check_stop()
        marker, length = struct.unpack("<II", _exactly(reader, at, 8))
        if marker != int.from_bytes(STREAM_MAGIC, "little"):
            raise ValueError(f"no message begins at byte {at:,}")
        if not length:
            return
        if length > _LONGEST_HEADER:
            raise ValueError(f"the message at byte {at:,} claims a header of {length:,} bytes")
        kind, body, rows = _message(_exactly(reader, at + 8, length))
        at += 8 + length + body
        if body < 0 or rows < 0 or at > reader.size:
            raise ValueError("it is cut off")
        if kind == _RECORD_BATCH:
            yield rows


def _exactly(reader: RangedReader, start: int, length: int) -> bytes:
    content = reader.read_range(start, length)
    if len(content) < length:
        raise ValueError("it is cut off")
    return content


def _blocks(footer: bytes) -> list[tuple[int, int, int]]:
    """(offset, bytes of the header, bytes of the body) of each record batch."""
    try:
        (root,) = struct.unpack_from("<I", footer, 0)
        at = _field(footer, root, 3)
        if not at:
            return []
        at += struct.unpack_from("<I", footer, at)[0]
        (count,) = struct.unpack_from("<I", footer, at)
        if count * _BLOCK.size > len(footer):
            raise IndexError(count)
        return [_BLOCK.unpack_from(footer, at + 4 + number * _BLOCK.size) for number in range(count)]
    except (struct.error, IndexError) as error:
        raise ValueError("its footer is damaged") from error


def _buffers(header: bytes) -> list[tuple[int, int]]:
    """(start, end) in the body of each buffer of the RecordBatch in a Message."""
    try:
        (root,) = struct.unpack_from("<I", header, 0)
        table = _field(header, root, 2)
        table += struct.unpack_from("<I", header, table)[0]
        at = _field(header, table, 2)
        if not at:
            return []
        at += struct.unpack_from("<I", header, at)[0]
        (count,) = struct.unpack_from("<I", header, at)
        if count * _BUFFER.size > len(header):
            raise IndexError(count)
        found = (_BUFFER.unpack_from(header, at + 4 + number * _BUFFER.size) for number in range(count))
        return [(offset, offset + length) for offset, length in found]
    except (struct.error, IndexError) as error:
        raise ValueError("the header of one of its batches is damaged") from error


def _message(header: bytes) -> tuple[int, int, int]:
    """(kind, bytes of the body, rows) of a Message (Message.fbs: version, header_type, header, bodyLength)."""
    try:
        (root,) = struct.unpack_from("<I", header, 0)
        kind_at, table_at, body_at = (_field(header, root, number) for number in (1, 2, 3))
        kind = header[kind_at] if kind_at else 0
        body = int(struct.unpack_from("<q", header, body_at)[0]) if body_at else 0
        if kind != _RECORD_BATCH or not table_at:
            return kind, body, 0
        table = table_at + struct.unpack_from("<I", header, table_at)[0]
        rows_at = _field(header, table, 0)
        return kind, body, int(struct.unpack_from("<q", header, rows_at)[0]) if rows_at else 0
    except (struct.error, IndexError) as error:
        raise ValueError("the header of one of its messages is damaged") from error


def _field(header: bytes, table: int, number: int) -> int:
    """Where field `number` of a flatbuffer's table lies; 0 where it is left out."""
    vtable = table - struct.unpack_from("<i", header, table)[0]
    if vtable < 0:
        raise IndexError(vtable)
    if struct.unpack_from("<H", header, vtable)[0] < 6 + 2 * number:
        return 0
    (offset,) = struct.unpack_from("<H", header, vtable + 4 + 2 * number)
    return table + offset if offset else 0
