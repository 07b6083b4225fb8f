"""Kafka's wire format: primitive types, and record batches of version 2, as the protocol guide describes them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import TypeVar

import google_crc32c

T = TypeVar("T")

_NONE = -1


class Reader:
    """Reads primitive types one after another. Raises struct.error where the bytes end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def int8(self) -> int:
        return self._number(">b", 1)

    def int16(self) -> int:
        return self._number(">h", 2)

    def int32(self) -> int:
        return self._number(">i", 4)

    def int64(self) -> int:
        return self._number(">q", 8)

    def text(self) -> str:
        return self._taken(self.int16()).decode("utf-8", "replace")

    def text_or_none(self) -> str | None:
        length = self.int16()
        return None if length == _NONE else self._taken(length).decode("utf-8", "replace")

    def blob(self) -> bytes:
        return self._taken(self.int32())

    def array(self, item: Callable[[], T]) -> list[T]:
        """A null array is an empty one here."""
        return [item() for _ in range(max(0, self.int32()))]

    def array_or_none(self, item: Callable[[], T]) -> list[T] | None:
        count = self.int32()
        return None if count == _NONE else [item() for _ in range(count)]

    def _number(self, form: str, size: int) -> int:
        found: int = struct.unpack_from(form, self._data, self._at)[0]
        self._at += size
        return found

    def _taken(self, length: int) -> bytes:
        if length < 0 or self._at + length > len(self._data):
            raise struct.error("the request ends early")
        self._at += length
        return self._data[self._at - length : self._at]


def int8(value: int) -> bytes:
    return struct.pack(">b", value)


def int16(value: int) -> bytes:
    return struct.pack(">h", value)


def int32(value: int) -> bytes:
    return struct.pack(">i", value)


def int64(value: int) -> bytes:
    return struct.pack(">q", value)


def text(value: str | None) -> bytes:
    if value is None:
        return int16(_NONE)
    encoded = value.encode()
    return int16(len(encoded)) + encoded


def blob(value: bytes) -> bytes:
    return int32(len(value)) + value


def array(items: Iterable[bytes]) -> bytes:
    written = list(items)
    return int32(len(written)) + b"".join(written)


def batch(offset: int, milliseconds: int, key: bytes | None, value: bytes | None) -> bytes:
    """A batch with one record, whose time is that of its creation."""
    record = int8(0) + _varint(0) + _varint(0) + _counted(key) + _counted(value) + _varint(0)
    record = _varint(len(record)) + record
    body = (
        int16(0)  # attributes: not compressed, create time
        + int32(0)
        + int64(milliseconds)
        + int64(milliseconds)
        + int64(_NONE)  # no producer that is idempotent
        + int16(_NONE)
        + int32(_NONE)
        + int32(1)
        + record
    )
    checked = int32(0) + int8(2) + struct.pack(">I", google_crc32c.value(body)) + body
    return int64(offset) + int32(len(checked)) + checked


def _counted(value: bytes | None) -> bytes:
    return _varint(_NONE) if value is None else _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Zigzag, seven bits a byte."""
    left = (value << 1) ^ (value >> 63)
    out = bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)
