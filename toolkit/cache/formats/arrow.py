"""Arrow IPC: the file (which Feather V2 is) by its footer and the columns needed, and the stream from end to end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from toolkit.cache.formats.arrow_headers import FILE_MAGIC, rows_of_file, rows_of_stream
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
            self._batches = rows_of_file(reader)
            if len(self._batches) != file.num_record_batches:
                raise ValueError("its footer contradicts itself about the number of batches")
            self.rows = sum(self._batches)
            self.columns = _columns(file.schema)

    def _read(self, columns: Sequence[str], rows: Rows | None = None) -> Iterator[pa.RecordBatch]:
        file = self._opened(_indices(columns, self.columns))
        first = 0
        for index, count in enumerate(self._batches):
            self._progress.check_stop()
            here = within(rows, first, count)
            first += count
            if here is None or here:
                batch = file.get_batch(index).select(list(columns))
                if batch.num_rows != count:
                    raise UnreadableFrame(self._reader.name, self.format, "it lacks some of its rows")
                yield from _pieces(batch, here)

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
