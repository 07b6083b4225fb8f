"""Arrow IPC: the file (which Feather V2 is) by its footer and the columns needed, and the stream from end to end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from toolkit.cache.formats.arrow_headers import FILE_MAGIC, batches_of_file, rows_of_stream
from toolkit.cache.formats.frame import (
    IDENTIFYING,
    Rows,
    UnreadableFrame,
    identifying,
    in_pieces,
    only,
    reading,
    wanted,
    within,
)
from toolkit.cache.ranged import RangedReader
from toolkit.progress import SILENT, Progress

if TYPE_CHECKING:
    import pyarrow as pa

_AHEAD: Final = 64 * 1024
_AHEAD_IN_STREAM: Final = 1024 * 1024
_MOST_AHEAD: Final = 8 * 1024 * 1024  # bytes of columns fetched ahead


class _Arrow:
    """What both kinds have in common; each says how its batches are read."""

    format: str
    columns: tuple[tuple[str, str], ...]
    _reader: RangedReader

    def names(self, columns: Sequence[str] = IDENTIFYING) -> Iterator[pa.RecordBatch]:
        """See Frame."""
        some = wanted(columns, [name for name, _ in self.columns], self._reader, self.format)
        with reading(self._reader, self.format):
            for batch in self._read(some):
                yield identifying(batch)

    def names_mark(self) -> str:
        return ""

    def vectors(self, columns: Sequence[str], rows: Rows | None = None) -> Iterator[pa.RecordBatch]:
        """See Frame. A batch is in memory at a time, as it was written."""
        with reading(self._reader, self.format):
            yield from self._read(columns, rows)

    def close(self) -> None:
        pass

    def _read(self, columns: Sequence[str], rows: Rows | None = None) -> Iterator[pa.RecordBatch]:
        raise NotImplementedError


class ArrowFile(_Arrow):
    """An Arrow IPC file over `reader`: of each batch only the buffers of the columns asked for are fetched."""

    def __init__(self, reader: RangedReader, progress: Progress = SILENT) -> None:
        self.format = "arrow"
        self._reader = reader
        self._progress = progress
        if reader.read_range(max(0, reader.size - len(FILE_MAGIC)), len(FILE_MAGIC)) != FILE_MAGIC:
            raise UnreadableFrame(reader.name, self.format, "it does not end as an Arrow file does: it is cut off")
        with reading(reader, self.format):
            file = self._opened([])
            self._batches = batches_of_file(reader)
            if len(self._batches) != file.num_record_batches:
                raise ValueError("its footer contradicts itself about the number of batches")
            self.rows = sum(batch.rows for batch in self._batches)
            self.columns = _columns(file.schema)
            self._slots = _slots(file.schema)

    def _read(self, columns: Sequence[str], rows: Rows | None = None) -> Iterator[pa.RecordBatch]:
        file = self._opened(_indices(columns, self.columns))
        wanted, first = [], 0
        for index, known in enumerate(self._batches):
            here = within(rows, first, known.rows)
            first += known.rows
            if here is None or here:
                wanted.append((index, here))
        fetched = 0
        for number, (index, here) in enumerate(wanted):
            self._progress.check_stop()
            if number >= fetched:
                fetched += self._fetch_ahead([index for index, _ in wanted[number:]], columns)
            batch = file.get_batch(index).select(list(columns))
            if batch.num_rows != self._batches[index].rows:
                raise UnreadableFrame(self._reader.name, self.format, "it lacks some of its rows")
            yield from _pieces(batch, here)

    def _fetch_ahead(self, batches: Sequence[int], columns: Sequence[str]) -> int:
        """Fetch the columns of the first of `batches`, of as many as fit. Gives back of how many; 1 may be too large,
        or not known where, and is then left to pyarrow."""
        ranges: list[tuple[int, int]] = []
        count = total = 0
        for index in batches:
            buffers = self._batches[index].buffers
            slots = [self._slots[column] for column in columns] if self._slots else []
            more = [piece for slot in slots for piece in buffers[slot] if piece[1] > piece[0]]
            total += sum(end - start for start, end in more)
            if total > _MOST_AHEAD:
                break
            ranges += more
            count += 1
        self._reader.fetch_many(ranges)
        return max(count, 1)

    def _opened(self, fields: list[int]) -> pa.ipc.RecordBatchFileReader:
        import pyarrow as pa

        options = pa.ipc.IpcReadOptions(included_fields=fields, use_threads=False)
        return pa.ipc.open_file(self._reader.as_file(_AHEAD), options=options)


class ArrowStream(_Arrow):
    """An Arrow IPC stream over `reader`. It has no footer: its batches' headers are walked to count the rows, and
    reading any of its columns fetches all of it."""

    def __init__(self, reader: RangedReader, progress: Progress = SILENT) -> None:
        self.format = "arrow-stream"
        self._reader = reader
        self._progress = progress
        with reading(reader, self.format):
            self.columns = _columns(self._opened([]).schema)
            self.rows = sum(rows_of_stream(reader, progress))

    def _read(self, columns: Sequence[str], rows: Rows | None = None) -> Iterator[pa.RecordBatch]:
        first = 0
        for batch in self._opened(_indices(columns, self.columns)):
            self._progress.check_stop()
            self._progress.advance(self._reader.name, self._reader.bytes_read, self._reader.size, "bytes")
            here = within(rows, first, batch.num_rows)
            first += batch.num_rows
            if here is None or here:
                yield from _pieces(batch.select(list(columns)), here)
        if first != self.rows:
            raise UnreadableFrame(self._reader.name, self.format, "it lacks some of its rows")

    def _opened(self, fields: list[int]) -> pa.ipc.RecordBatchStreamReader:
        import pyarrow as pa

        options = pa.ipc.IpcReadOptions(included_fields=fields, use_threads=False)
        return pa.ipc.open_stream(self._reader.as_file(_AHEAD_IN_STREAM), options=options)


def _pieces(batch: pa.RecordBatch, rows: Rows | None) -> Iterator[pa.RecordBatch]:
    first = 0
    for piece in in_pieces(batch):
        here = within(rows, first, piece.num_rows)
        first += piece.num_rows
        if here is None or here:
            yield only(piece, here)


def _columns(schema: pa.Schema) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, str(field.type)) for field in schema)


def _indices(columns: Sequence[str], there: Sequence[tuple[str, str]]) -> list[int]:
    names = [name for name, _ in there]
    return sorted(names.index(name) for name in columns)


def _slots(schema: pa.Schema) -> dict[str, slice] | None:
    """Which of a batch's buffers are each column's; None where that depends on more than its type."""
    slots: dict[str, slice] = {}
    at = 0
    for field in schema:
        count = _buffer_count(field.type)
        if count is None:
            return None
        slots[field.name] = slice(at, at + count)
        at += count
    return slots


def _buffer_count(kind: pa.DataType) -> int | None:
    """How many buffers an array of that type has, its children's among them (Arrow Columnar Format, "Buffer Listing for
    Each Layout"); None where it is not known here."""
    import pyarrow as pa

    types = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return _buffer_count(kind.storage_type)
    if types.is_null(kind):
        return 0
    if types.is_string(kind) or types.is_binary(kind) or types.is_large_string(kind) or types.is_large_binary(kind):
        return 3
    if types.is_primitive(kind) or types.is_dictionary(kind) or types.is_fixed_size_binary(kind):
        return 2
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        children = _buffer_count(kind.value_type)
        return None if children is None else children + (1 if types.is_fixed_size_list(kind) else 2)
    return None
