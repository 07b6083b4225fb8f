"""What every format gives back: a frame that can be read in part, and the error for one that cannot be read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    import pyarrow as pa

    from toolkit.cache.ranged import RangedReader

Rows = Sequence[int]  # numbers of rows from 0, ascending, each once
IDENTIFYING: Final = ("pert", "kind", "concentration", "experiment", "replicates")
PIECE_ROWS: Final = 8192  # with their vectors some MB
NAME_ROWS: Final = 65536  # without


class UnreadableFrame(ToolkitError):
    """A frame that is corrupt, truncated, unknown or refused. `kind` is its format as far as it was told."""

    def __init__(self, frame: str, kind: str, why: str, *, hint: str = "") -> None:
        self.frame = frame
        self.kind = kind
        self.why = why
        label = f" ({kind})" if kind else ""
        super().__init__(f"{frame or 'The frame'}{label} cannot be read: {why}", hint=hint or _HINT)


_HINT = "The other frames are still read. If a rebuild wrote it, rebuild again: `toolkit cache rebuild`."


class Frame(Protocol):
    """A dataframe that is read in part, and streamed. Everything may raise UnreadableFrame, or the source's error.

    `format` is what it is, outermost first ("parquet", "zstd+arrow"); `columns` are (name, type) in its own order.
    """

    @property
    def format(self) -> str: ...

    @property
    def rows(self) -> int: ...

    @property
    def columns(self) -> tuple[tuple[str, str], ...]: ...

    def names(self, columns: Sequence[str] = IDENTIFYING) -> Iterator[pa.RecordBatch]:
        """The identifying columns, those that exist: pert, kind, experiment as string, concentration (µM) as float64,
        replicates as int64; NaN is null."""
        ...

    def names_mark(self) -> str:
        """The same for frames that store the very same identifying columns; empty where to tell takes as much as to
        read them."""
        ...

    def vectors(self, columns: Sequence[str], rows: Rows | None = None) -> Iterator[pa.RecordBatch]:
        """Any columns as they are, some thousand rows at a time; all rows, or those of the numbers `rows`."""
        ...

    def close(self) -> None: ...


@contextmanager
def reading(reader: RangedReader, kind: str) -> Iterator[None]:
    """What a library raises over a damaged frame becomes UnreadableFrame; an error of the source stays what it is."""
    import pyarrow as pa

    try:
        yield
    except ToolkitError:
        raise
    except _DAMAGE as error:
        raise _explained(reader, kind, error) from error
    except pa.ArrowException as error:
        raise _explained(reader, kind, error) from error


_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)


def _explained(reader: RangedReader, kind: str, error: Exception) -> ToolkitError:
    if reader.problem is not None:
        return reader.problem
    said = str(error).strip().splitlines()
    return UnreadableFrame(reader.name, kind, (said[0][:200] if said else type(error).__name__).rstrip("."))


def in_pieces(batch: pa.RecordBatch, rows: int = PIECE_ROWS) -> Iterator[pa.RecordBatch]:
    """A batch `rows` at a time, once it is known to be whole: offsets, indices, UTF-8.

    Raises ArrowInvalid; to look into a damaged one that was not checked would end the program.
    """
    batch.validate(full=True)
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def within(rows: Rows | None, first: int, count: int) -> Rows | None:
    """Of `rows` those from `first` on among the next `count`, numbered from there; None, which is all, stays None."""
    if rows is None:
        return None
    return [row - first for row in rows[bisect_left(rows, first) : bisect_left(rows, first + count)]]


def only(batch: pa.RecordBatch, rows: Rows | None) -> pa.RecordBatch:
    """The batch, or its rows of these numbers."""
    return batch if rows is None or len(rows) == batch.num_rows else batch.take(list(rows))


def identifying(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The identifying columns in their own types. Raises ArrowInvalid where a value cannot be one."""
    import pyarrow as pa

    types = {"concentration": pa.float64(), "replicates": pa.int64()}
    arrays = [
        _as(column, types.get(name, pa.string()))
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _as(column: pa.Array, kind: pa.DataType) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type):
        if pa.types.is_float16(column.type):
            column = column.cast(pa.float32())
        column = pc.if_else(pc.is_nan(column), pa.nulls(1, column.type)[0], column)
    return column if column.type == kind else column.cast(kind)


def wanted(columns: Sequence[str], there: Sequence[str], reader: RangedReader, kind: str) -> list[str]:
    """Those of the identifying `columns` that a frame has. Raises UnreadableFrame where it names no perturbations."""
    if "pert" not in there:
        has = ", ".join(there[:8]) or "none"
        raise UnreadableFrame(reader.name, kind, f"it has no column pert (it has: {has})")
    return [name for name in columns if name in there]
