"""A pickled pandas dataframe, of any pandas since 1.3, read without pandas: its blocks, found in what was unpickled.

A pickle can only be read as a whole, so it is bounded, and its arrays stay in memory until it is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from toolkit.cache.formats.frame import (
    IDENTIFYING,
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
from toolkit.cache.formats.pickles import Array, Made, Unpickler
from toolkit.cache.ranged import RangedReader
from toolkit.progress import SILENT, Progress

if TYPE_CHECKING:
    import pyarrow as pa

MOST_PICKLED: Final = 1024**3  # bytes
_PROTOCOLS: Final = range(2, 6)
_LONGEST_TEXT: Final = 10_000
_MOST_VALUES: Final = 16_000_000  # in the lists of some thousand rows: one list may stand in them all

Column = Callable[[slice], "pa.Array"]


def is_pickle(head: bytes) -> bool:
    """Whether it begins with PROTO and a protocol that may be read."""
    return len(head) > 1 and head[0] == 0x80 and head[1] in _PROTOCOLS


class PickledFrame:
    """A pickled DataFrame over `reader`. Raises UnreadableFrame where it is longer than `most` bytes."""

    def __init__(self, reader: RangedReader, progress: Progress = SILENT, most: int = MOST_PICKLED) -> None:
        self.format = "pickle"
        self._reader = reader
        self._progress = progress
        if reader.size > most:
            raise UnreadableFrame(reader.name, self.format, f"pickles of more than {most:,} bytes are not opened")
        with reading(reader, self.format):
            made = Unpickler(reader, self.format, progress).load()
            self._columns, self.rows = _dataframe(made)
            types = {name: str(column(slice(0, 100)).type) for name, column in self._columns.items()}
        self.columns = tuple(types.items())

    def names(self, columns: Sequence[str] = IDENTIFYING) -> Iterator[pa.RecordBatch]:
        """See Frame."""
        some = wanted(columns, list(self._columns), self._reader, self.format)
        with reading(self._reader, self.format):
            for batch in self._read(some):
                yield identifying(batch)

    def names_mark(self) -> str:
        return ""

    def vectors(self, columns: Sequence[str], rows: Rows | None = None) -> Iterator[pa.RecordBatch]:
        """See Frame."""
        with reading(self._reader, self.format):
            yield from self._read(columns, rows)

    def close(self) -> None:
        self._columns = {}

    def _read(self, columns: Sequence[str], rows: Rows | None = None) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        for start in range(0, self.rows, PIECE_ROWS):
            self._progress.check_stop()
            piece = slice(start, min(start + PIECE_ROWS, self.rows))
            here = within(rows, start, piece.stop - start)
            if here is None or here:
                arrays = [self._columns[name](piece) for name in columns]
                for batch in in_pieces(pa.RecordBatch.from_arrays(arrays, names=list(columns))):
                    yield only(batch, here)


def _dataframe(made: object) -> tuple[dict[str, Column], int]:
    """(columns by name, rows) of an unpickled DataFrame; those of its index that have a name come first."""
    if not isinstance(made, Made) or made.what != "DataFrame" or not isinstance(made.state, dict):
        what = made.what if isinstance(made, Made) else type(made).__name__
        raise ValueError(f"it holds no DataFrame, but a {what or 'numpy array'}")
    manager = made.state.get("_mgr", made.state.get("_data"))
    blocks, (across, down) = _parts(manager)
    names = [str(name) for name in _labels(across)]
    columns: dict[str, Column] = {}
    rows = _length(down)
    for values, places in blocks:
        for place, (length, column) in zip(_places(places, len(names)), _columns(values), strict=True):
            if length != rows:
                raise ValueError(f"its column {names[place]!r:.40} has {length:,} rows, its index {rows:,}")
            columns[names[place]] = column
    missing = [name for name in names if name not in columns]
    if missing:
        raise ValueError(f"its column {missing[0]!r:.40} is missing")
    return _levels(down) | {name: columns[name] for name in names}, rows


def _parts(manager: object) -> tuple[list[tuple[object, object]], list[Made]]:
    """Blocks (values, places) and axes of a BlockManager, as pandas pickles it since 1.3."""
    if not isinstance(manager, Made) or manager.what != "BlockManager":
        raise ValueError("a DataFrame without its blocks")
    if manager.state is not None or len(manager.args) != 2:
        raise ValueError("it was pickled by a pandas older than 1.3")
    blocks, axes = manager.args
    return [(block.args[0], block.args[1]) for block in _sequence(blocks)], _sequence(axes)


def _places(places: object, count: int) -> list[int]:
    if isinstance(places, slice):
        found = list(range(*places.indices(count)))
    elif isinstance(places, Array) and places.values is not None:
        found = [int(place) for place in places.values]
    else:
        raise TypeError("columns at no places")
    if not all(0 <= place < count for place in found):
        raise ValueError("columns at places that there are not")
    return found


def _columns(values: object) -> list[tuple[int, Column]]:
    """(rows, column) of each column of a block: a 2-D array has several, an extension array one."""
    if isinstance(values, Array) and len(values.shape) == 2:
        count, rows = values.shape
        if values.objects is not None:
            objects = values.objects
            return [(rows, _of_objects(objects[at * rows : (at + 1) * rows])) for at in range(count)]
        table = values.values
        if table is None:
            raise ValueError("an array without its bytes")
        return [(rows, _of_numbers(table[at])) for at in range(count)]
    return [_column(values)]


def _column(values: object) -> tuple[int, Column]:
    """(rows, column) of a 1-D array of numpy or pandas. A datetime block's array may have a first dimension of one."""
    import pyarrow as pa

    if isinstance(values, pa.Array | pa.ChunkedArray):
        whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        return len(whole), lambda rows: whole[rows]
    if isinstance(values, Array):
        if values.objects is not None:
            return len(values.objects), _of_objects(values.objects)
        numbers = values.values
        if numbers is None:
            raise ValueError("an array without its bytes")
        flat = numbers.reshape(-1) if numbers.shape[:1] == (1,) else numbers
        if flat.ndim != 1:
            raise ValueError("a column of more than one dimension")
        return len(flat), _of_numbers(flat)
    if not isinstance(values, Made):
        raise TypeError(f"a column of {type(values).__name__}")
    return _extension(values)


def _extension(values: Made) -> tuple[int, Column]:
    state = values.state if values.state is not None else values.args[-1] if values.args else None
    parts = list(state.values()) if isinstance(state, dict) else _sequence(state)
    if values.what == "_new_Index":
        return _column(_data(values))
    if isinstance(state, dict) and "_mask" in state:
        return _masked(state)
    categories = next((p for p in parts if isinstance(p, Made) and p.what == "CategoricalDtype"), None)
    data = next((part for part in parts if _is_array(part)), None)
    if data is None:
        raise ValueError(f"columns of {values.what} are not read here")
    if categories is None:
        return _column(data)
    return _categorical(data, categories.state["categories"])


def _is_array(part: object) -> bool:
    import pyarrow as pa

    return isinstance(part, Array | pa.Array | pa.ChunkedArray)


def _categorical(codes: object, categories: object) -> tuple[int, Column]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    rows, numbers = _column(codes)
    count, words = _column(_data(categories))

    def column(part: slice) -> pa.Array:
        there = numbers(part)
        zero = _arrow(np.zeros(1, np.int8)).cast(there.type)[0]
        known = pc.if_else(pc.less(there, zero), pa.nulls(1, there.type)[0], there)
        return words(slice(0, count)).take(known)

    return rows, column


def _masked(state: dict[str, Any]) -> tuple[int, Column]:
    import pyarrow as pa
    import pyarrow.compute as pc

    rows, data = _column(state["_data"])
    others, mask = _column(state["_mask"])
    if rows != others:
        raise ValueError("a column whose mask is of another length")

    def column(part: slice) -> pa.Array:
        there = data(part)
        return pc.if_else(mask(part).cast(pa.bool_()), pa.nulls(1, there.type)[0], there)

    return rows, column


def _of_numbers(values: Any) -> Column:
    return lambda part: _arrow(values[part])


def _arrow(values: Any) -> pa.Array:
    """Numbers (1-D) as Arrow has them. Not by pa.array where that can be: it imports pandas where there is one, which
    takes a second."""
    import numpy as np
    import pyarrow as pa

    numbers = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("="), copy=False))
    kind = numbers.dtype.kind
    if kind in "iuf" and numbers.dtype.itemsize <= 8:
        return pa.Array.from_buffers(
            pa.from_numpy_dtype(numbers.dtype), len(numbers), [None, pa.py_buffer(numbers)], null_count=0
        )
    if kind == "b":
        bits = np.packbits(numbers, bitorder="little")
        return pa.Array.from_buffers(pa.bool_(), len(numbers), [None, pa.py_buffer(bits)], null_count=0)
    return pa.array(numbers)


def _of_objects(values: list[object]) -> Column:
    import pyarrow as pa

    def column(part: slice) -> pa.Array:
        some = [_plain(value) for value in values[part]]
        if sum(len(value) for value in some if hasattr(value, "shape") or isinstance(value, list)) > _MOST_VALUES:
            raise ValueError("longer lists than any vector")
        kinds = {type(value) for value in some} - {type(None)}
        if not kinds:
            return pa.nulls(len(some))
        if kinds == {str}:
            return _texts(some)
        if all(hasattr(value, "shape") for value in some) and len({value.dtype for value in some}) == 1:
            return _lists(some)
        return pa.array(some, from_pandas=True)

    return column


def _texts(texts: list[Any]) -> pa.Array:
    from pyarrow.lib import StringBuilder

    builder = StringBuilder()
    builder.append_values(texts)
    return builder.finish()


def _lists(vectors: list[Any]) -> pa.Array:
    """Numpy's vectors of one type, as a column of lists."""
    import numpy as np
    import pyarrow as pa

    ends = np.cumsum([0, *map(len, vectors)]).astype(np.int32)
    return pa.ListArray.from_arrays(_arrow(ends), _arrow(np.concatenate(vectors)))


def _plain(value: object) -> Any:
    """A value of an object column as Arrow takes it. Raises ValueError for anything nested deeper than a vector."""
    if isinstance(value, Array):
        if value.values is None and value.objects is not None:
            return _plain(value.objects)
        if value.values is None or value.values.ndim != 1:
            raise ValueError("a vector of more than one dimension")
        return value.values
    if isinstance(value, list | tuple):
        if not all(number is None or isinstance(number, int | float) for number in value):
            raise ValueError("a vector of something that is no number")
        return list(value)
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        raise ValueError(f"a text of {len(value):,} letters")
    if value is None or isinstance(value, str | int | float):
        return None if value != value else value  # NaN among objects is pandas' word for nothing
    what = value.what if isinstance(value, Made) else type(value).__name__
    raise ValueError(f"columns that hold a {what} are not read here")


def _levels(index: Made) -> dict[str, Column]:
    """The columns of an index that have a name: none for the usual range of numbers."""
    made, given = index.args[0], _given(index)
    if isinstance(made, type) and made.__name__ == "MultiIndex":
        codes = given.get("codes", given.get("labels"))
        parts = zip(given["names"], _sequence(given["levels"]), _sequence(codes), strict=True)
        return {str(name): _categorical(code, level)[1] for name, level, code in parts if name is not None}
    name = given.get("name")
    if name is None or "stop" in given:
        return {}
    return {str(name): _column(_data(index))[1]}


def _length(index: object) -> int:
    given = _given(index)
    if "stop" in given:
        return len(range(given["start"], given["stop"], given["step"]))
    if "levels" in given:
        codes = _sequence(given.get("codes", given.get("labels")))
        return _column(codes[0])[0]
    return _column(_data(index))[0]


def _labels(index: object) -> list[object]:
    given = _given(index)
    if "stop" in given:
        places = range(given["start"], given["stop"], given["step"])
        if len(places) > 100_000:
            raise ValueError(f"{len(places):,} columns")
        return list(places)
    if "levels" in given:
        raise ValueError("columns with names of several levels are not read here")
    count, column = _column(_data(index))
    return list(column(slice(0, count)).to_pylist())


def _given(index: object) -> dict[str, Any]:
    """What an Index was made of."""
    if (
        isinstance(index, Made)
        and index.what == "_new_Index"
        and len(index.args) == 2
        and isinstance(index.args[1], dict)
    ):
        return index.args[1]
    raise ValueError("an axis that is no index")


def _data(index: object) -> object:
    return _given(index)["data"]


def _sequence(value: object) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"a {type(value).__name__} where there should be a list")
    return list(value)
