"""Where the columns of a Parquet file lie, from its footer: pyarrow ends the program over some damaged ones.

As parquet.thrift has it, in the compact protocol: FileMetaData (4: row_groups), RowGroup (1: columns, 3: num_rows),
ColumnChunk (3: meta_data), ColumnMetaData (3: path_in_schema, 7: total_compressed_size, 9: data_page_offset,
11: dictionary_page_offset).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

_DEEPEST: Final = 16
_FIXED: Final = {3: 1, 7: 8, 13: 16}  # byte, double, uuid
_INTEGERS: Final = range(4, 7)
_TRUE, _FALSE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 8, 9, 10, 11, 12


@dataclass(frozen=True, slots=True)
class Chunk:
    """The bytes `start` to `end` of the file, which hold a row group's values of the top-level column `column`."""

    column: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RowGroup:
    rows: int
    chunks: tuple[Chunk, ...]


def row_groups(footer: bytes) -> tuple[RowGroup, ...]:
    """The row groups of a file, in order. Raises ValueError where the footer is damaged."""
    try:
        groups = _Compact(footer).struct(0).get(4, [])
        return tuple(RowGroup(_number(group[3]), tuple(map(_chunk, group[1]))) for group in groups)
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError("its footer is damaged") from error


def _chunk(column: dict[int, Any]) -> Chunk:
    about = column[3]
    start = _number(about[9])
    dictionary = _number(about.get(11, 0))
    if dictionary > 0:  # some writers put 0 where there is none
        start = min(start, dictionary)
    length = _number(about[7])
    if start < 0 or length < 0:
        raise ValueError("its footer is damaged")
    return Chunk(about[3][0].decode("utf-8", "replace"), start, start + length)


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(value)
    return value


class _Compact:
    """Reads structs as dictionaries by field number. Raises IndexError behind the end."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def struct(self, depth: int) -> dict[int, Any]:
        if depth > _DEEPEST:
            raise ValueError("its footer is nested too deeply")
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            kind = head & 15
            fields[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in _INTEGERS:
            return self._integer()
        if kind == _BINARY:
            return self._take(self._varint())
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind in (_LIST, _SET):
            return self._list(depth)
        if kind == _MAP:
            return self._map(depth)
        if kind in (_TRUE, _FALSE):
            return self._byte() == _TRUE
        return self._take(_FIXED[kind])

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        count = head >> 4
        if count == 15:
            count = self._varint()
        if count > len(self._content) or depth > _DEEPEST:
            raise IndexError(count)
        return [self._value(head & 15, depth + 1) for _ in range(count)]

    def _map(self, depth: int) -> None:
        count = self._varint()
        if count > len(self._content) or depth > _DEEPEST:
            raise IndexError(count)
        kinds = self._byte() if count else 0
        for _ in range(count):
            self._value(kinds >> 4, depth + 1)
            self._value(kinds & 15, depth + 1)

    def _byte(self) -> int:
        byte = self._content[self._at]
        self._at += 1
        return byte

    def _take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._content):
            raise IndexError(end)
        taken = self._content[self._at : end]
        self._at = end
        return taken

    def _varint(self) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 127) << shift
            if byte < 128:
                return number
            shift += 7
            if shift > 63:
                raise ValueError("its footer is damaged")

    def _integer(self) -> int:
        number = self._varint()
        return (number >> 1) ^ -(number & 1)
