"""A frame's vectors, streamed: whose each one is, and its values as a matrix.

They may lie in one column of lists, or in a column for each value; what of a vector cannot be one is said, not hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from toolkit.cache.formats.frame import IDENTIFYING, Rows, UnreadableFrame, identifying

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from toolkit.cache.formats import Frame

VECTOR: Final = "vector"
_LIST_OF_NUMBERS: Final = re.compile(r"list<\w+: (float|double|halffloat|u?int\d+)( not null)?>")


@dataclass(frozen=True)
class Layout:
    """Where a frame's vectors lie: in `columns`, one of lists or (`wide`) one for each value."""

    columns: tuple[str, ...]
    wide: bool


@dataclass(frozen=True)
class Vectors:
    """Some rows: `names` holds their identifying columns, as Frame.names() gives them; `values` is (rows, dimension)
    float32. A vector of another length than `dimension` is NaN from its beginning, and its row is in `odd`."""

    names: pa.RecordBatch
    values: NDArray[np.float32]
    odd: tuple[int, ...] = ()

    def column(self, name: str) -> list[Any]:
        """An identifying column as Python values; None in each row where the frame has none of that name."""
        names = self.names.schema.names
        values: list[Any] = self.names.column(name).to_pylist() if name in names else [None] * self.names.num_rows
        return values


def layout(frame: Frame, name: str = "") -> Layout:
    """Where the vectors of `frame` lie. Raises UnreadableFrame where it has none; `name` is what the error calls it."""
    types = [(column, kind) for column, kind in frame.columns if column not in IDENTIFYING]
    lists = [column for column, kind in types if _LIST_OF_NUMBERS.search(kind)]
    if lists:
        return Layout((VECTOR if VECTOR in lists else lists[0],), wide=False)
    numbers = [column for column, kind in types if kind in ("float", "double", "halffloat")]
    if len(numbers) > 1:
        return Layout(tuple(numbers), wide=True)
    raise UnreadableFrame(name, frame.format, "it has no column of vectors")


def stream(frame: Frame, dimension: int, rows: Rows | None = None, name: str = "") -> Iterator[Vectors]:
    """The vectors of `frame`, some thousand at a time: all, or those in `rows`.

    Raises UnreadableFrame, or the source's ToolkitError.
    """
    place = layout(frame, name)
    there = [column for column, _ in frame.columns]
    some = [column for column in IDENTIFYING if column in there]
    for batch in frame.vectors([*some, *place.columns], rows):
        names = identifying(batch.select(some))
        if place.wide:
            yield Vectors(names, _matrix([batch.column(column) for column in place.columns], dimension, name, frame))
        else:
            yield _of_lists(names, batch.column(place.columns[0]), dimension)


def _matrix(columns: Sequence[pa.Array], dimension: int, name: str, frame: Frame) -> NDArray[np.float32]:
    import numpy as np

    if len(columns) != dimension:
        why = f"its vectors have {len(columns)} values, not {dimension}"
        raise UnreadableFrame(name, frame.format, why)
    return np.column_stack([column.to_numpy(zero_copy_only=False).astype(np.float32) for column in columns])


def _of_lists(names: pa.RecordBatch, column: pa.Array, dimension: int) -> Vectors:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ExtensionArray):  # a tensor's storage is a list
        column = column.storage
    rows = len(column)
    known = pc.list_value_length(column)
    flat = column.flatten()
    # fill_null and to_numpy import pandas where there is one, which takes a second: only gaps need them.
    lengths = known.fill_null(-1).to_numpy(zero_copy_only=False) if known.null_count else np.from_dlpack(known)
    plain = flat.to_numpy(zero_copy_only=False) if flat.null_count else np.from_dlpack(flat)
    values = plain.astype(np.float32, copy=False)
    good = lengths == dimension
    if good.all():
        return Vectors(names, values.reshape(rows, dimension))
    matrix = np.full((rows, dimension), np.nan, dtype=np.float32)
    starts = np.concatenate([[0], np.cumsum(np.maximum(lengths, 0))[:-1]]).astype(np.int64)
    for row in np.flatnonzero(good):
        matrix[row] = values[starts[row] : starts[row] + dimension]
    return Vectors(names, matrix, tuple(int(row) for row in np.flatnonzero(~good)))
