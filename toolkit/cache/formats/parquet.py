"""Parquet: its footer, and of its columns those that are needed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from toolkit.cache.formats.frame import (
    IDENTIFYING,
    NAME_ROWS,
    PIECE_ROWS,
    Rows,
    UnreadableFrame,
    identifying,
    in_pieces,
    only,
    reading,
    wanted,
    within,
)
from toolkit.cache.formats.parquet_footer import RowGroup, row_groups
from toolkit.cache.ranged import RangedReader
from toolkit.progress import SILENT, Progress

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

MAGIC: Final = b"PAR1"
_ENCRYPTED: Final = b"PARE"
_TAIL: Final = 8  # the footer's length, and the magic bytes again
_AHEAD: Final = 8 * 1024 * 1024  # bytes of columns fetched ahead
_BUFFER: Final = 1024 * 1024
_LONGEST_FOOTER: Final = 256 * 1024 * 1024
_STRINGS, _CONTAINERS = 64 * 1024 * 1024, 4_000_000  # more in a footer is damage


class ParquetFrame:
    """A Parquet file over `reader`."""

    def __init__(self, reader: RangedReader, progress: Progress = SILENT) -> None:
        self.format = "parquet"
        self._reader = reader
        self._progress = progress
        with reading(reader, self.format):
            self._metadata, self._groups = self._footer()
            self.rows = sum(group.rows for group in self._groups)
            schema = self._metadata.schema.to_arrow_schema()
            self.columns = tuple((field.name, str(field.type)) for field in schema)
        if self.rows != self._metadata.num_rows or any(group.rows < 0 for group in self._groups):
            raise UnreadableFrame(reader.name, self.format, "its footer contradicts itself about the number of rows")
        if any(chunk.end > reader.size for group in self._groups for chunk in group.chunks):
            raise UnreadableFrame(reader.name, self.format, "its footer points behind its end: it is cut off")

    def names(self, columns: Sequence[str] = IDENTIFYING) -> Iterator[pa.RecordBatch]:
        """See Frame. Fetches the columns of several row groups at once."""
        some = wanted(columns, [name for name, _ in self.columns], self._reader, self.format)
        with reading(self._reader, self.format):
            file = self._opened(buffer=0)
            fetched = -1
            for group in range(len(self._groups)):
                self._progress.check_stop()
                if group > fetched:
                    fetched = self._fetch_ahead(group, some)
                for batch in self._batches(file, group, some, NAME_ROWS):
                    yield identifying(batch)

    def names_mark(self) -> str:
        """See Frame. Of the columns' bytes as they are stored, and of what the footer says of them."""
        there = [name for name, _ in self.columns]
        some = [name for name in IDENTIFYING if name in there]
        chunks = [chunk for group in self._groups for chunk in group.chunks if chunk.column in some]
        if sum(chunk.end - chunk.start for chunk in chunks) > _AHEAD:
            return ""
        with reading(self._reader, self.format):
            contents = self._reader.fetch_many((chunk.start, chunk.end) for chunk in chunks)
            seen = hashlib.blake2b(repr(list(self._described(some))).encode(), digest_size=20)
            for content in contents:
                seen.update(len(content).to_bytes(8, "big"))
                seen.update(content)
        return seen.hexdigest()

    def _described(self, columns: Sequence[str]) -> Iterator[tuple[object, ...]]:
        """What it takes, beside their bytes, to know what some columns hold."""
        yield tuple(column for column in self.columns if column[0] in columns)
        for number, group in enumerate(self._groups):
            about = self._metadata.row_group(number)
            yield (group.rows,)
            for at, chunk in enumerate(group.chunks):
                if chunk.column in columns:
                    one, kind = about.column(at), self._metadata.schema.column(at)
                    levels = (kind.max_definition_level, kind.max_repetition_level)
                    yield (chunk.column, one.physical_type, one.compression, one.num_values, *levels)

    def vectors(self, columns: Sequence[str], rows: Rows | None = None) -> Iterator[pa.RecordBatch]:
        """See Frame. Reads page by page, whatever the size of a row group; of some rows, up to a row group's last."""
        first = 0
        with reading(self._reader, self.format):
            file = self._opened(buffer=_BUFFER)
            for group, there in enumerate(self._groups):
                here = within(rows, first, there.rows)
                first += there.rows
                if here is None or here:
                    yield from self._some(self._batches(file, group, columns), here)

    def _some(self, batches: Iterator[pa.RecordBatch], rows: Rows | None) -> Iterator[pa.RecordBatch]:
        first = 0
        for batch in batches:
            self._progress.check_stop()
            here = within(rows, first, batch.num_rows)
            first += batch.num_rows
            if here is None or here:
                yield only(batch, here)
            if rows is not None and rows[-1] < first:
                return

    def close(self) -> None:
        pass

    def _footer(self) -> tuple[pq.FileMetaData, tuple[RowGroup, ...]]:
        """The metadata, of which not a byte too many is read where it is as short as usual."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        size = self._reader.size
        tail = self._reader.read_range(max(0, size - _TAIL), _TAIL)
        if tail[4:] == _ENCRYPTED:
            raise UnreadableFrame(self._reader.name, self.format, "its footer is encrypted")
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] != MAGIC:
            raise UnreadableFrame(self._reader.name, self.format, "it does not end as Parquet does: it is cut off")
        if length > min(size - _TAIL, _LONGEST_FOOTER):
            raise UnreadableFrame(self._reader.name, self.format, f"its footer claims to have {length:,} bytes")
        footer = self._reader.read_range(size - _TAIL - length, length)
        alone = pa.BufferReader(MAGIC + footer + tail)
        limits = {"thrift_string_size_limit": _STRINGS, "thrift_container_size_limit": _CONTAINERS}
        return pq.ParquetFile(alone, **limits).metadata, row_groups(footer)

    def _opened(self, *, buffer: int) -> pq.ParquetFile:
        import pyarrow.parquet as pq

        return pq.ParquetFile(
            self._reader.as_file(),
            metadata=self._metadata,
            buffer_size=buffer,
            pre_buffer=False,
            page_checksum_verification=True,
        )

    def _batches(
        self, file: pq.ParquetFile, group: int, columns: Sequence[str], most: int = PIECE_ROWS
    ) -> Iterator[pa.RecordBatch]:
        rows = 0
        for batch in file.iter_batches(most, row_groups=[group], columns=list(columns), use_threads=False):
            rows += batch.num_rows
            yield from in_pieces(batch, most)
        if rows != self._groups[group].rows:
            raise UnreadableFrame(self._reader.name, self.format, f"row group {group} lacks some of its rows")

    def _fetch_ahead(self, first: int, columns: Sequence[str]) -> int:
        """Fetch the columns from row group `first` on, as many row groups as fit. Gives back the last one fetched."""
        ranges: list[tuple[int, int]] = []
        total = 0
        for group in range(first, len(self._groups)):
            chunks = [(chunk.start, chunk.end) for chunk in self._groups[group].chunks if chunk.column in columns]
            total += sum(end - start for start, end in chunks)
            if ranges and total > _AHEAD:
                self._reader.fetch_many(ranges)
                return group - 1
            ranges += chunks
        if total <= _AHEAD:
            self._reader.fetch_many(ranges)
        return len(self._groups) - 1
