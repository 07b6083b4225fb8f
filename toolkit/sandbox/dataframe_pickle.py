"""A dataframe as pandas 1.3 to 2 pickled it (DataFrame.to_pickle), written without pandas, whose import takes a second.

Each column is a block of its own, as in a dataframe to which they were added one by one; texts and vectors are Python
objects. What numpy and Python can pickle themselves they do; pandas' own classes are written by their names, in the
opcodes of the module pickle. A test lets pandas open the result.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from sys import intern
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa

_PROTOCOL: Final = 3
# What each vector begins with is remembered at these places; `_plain` uses the lowest ones.
_RECONSTRUCT, _NDARRAY, _DTYPE = (bytes([place]) for place in (253, 254, 255))


class Sink(Protocol):
    def write(self, content: bytes | memoryview, /) -> object: ...


def write(batches: Iterable[pa.RecordBatch], columns: Sequence[str], rows: int, sink: Sink) -> None:
    """Stream `batches`, `rows` rows in all, into `sink`. The last of `columns` holds the vectors, of one length."""
    *others, vectors = columns
    kept: dict[str, list[pa.Array]] = {name: [] for name in others}
    sink.write(pickle.PROTO + bytes([_PROTOCOL]))
    sink.write(_name("pandas.core.frame", "DataFrame") + pickle.EMPTY_TUPLE + pickle.NEWOBJ)
    sink.write(pickle.EMPTY_DICT + pickle.MARK + _plain("_mgr"))
    sink.write(_name("pandas.core.internals.managers", "BlockManager") + pickle.MARK + pickle.MARK)
    # The block of vectors comes first: it streams, and the other columns, which are small, wait.
    sink.write(_BLOCK + _remembered() + _objects(rows) + pickle.EMPTY_LIST)
    for batch in batches:
        for name in others:
            kept[name].append(batch[name])
        for part in (pickle.MARK, _vectors(batch[vectors]), pickle.APPENDS):
            sink.write(part)
    sink.write(_OBJECTS_END + _block_end(len(others)))
    for place, name in enumerate(others):
        sink.write(_BLOCK + _values(pa.chunked_array(kept.pop(name)), rows) + _block_end(place))
    sink.write(pickle.TUPLE + _axes(columns, rows) + pickle.TUPLE + pickle.REDUCE)
    rest = {"_typ": "dataframe", "_metadata": [], "attrs": {}, "_flags": {"allows_duplicate_labels": True}}
    for key, value in rest.items():
        sink.write(_plain(key) + _plain(value))
    sink.write(pickle.SETITEMS + pickle.BUILD + pickle.STOP)


def _plain(value: object) -> bytes:
    """What the module pickle itself writes, without beginning and end."""
    return pickle.dumps(value, _PROTOCOL)[2:-1]


def _name(module: str, name: str) -> bytes:
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


def _call(function: bytes, *arguments: bytes) -> bytes:
    return function + pickle.MARK + b"".join(arguments) + pickle.TUPLE + pickle.REDUCE


# -- arrays, as numpy pickles them: an empty one, then its state (version, shape, type, Fortran's order?, content)

_function: Any = np.empty(0).__reduce__()[0]
_ARRAY_MADE: Final = _name(_function.__module__, _function.__name__)
_EMPTY_ARRAY: Final = _call(_ARRAY_MADE, _plain(np.ndarray), _plain((0,)), _plain(b"b"))
_OBJECTS_END: Final = pickle.TUPLE + pickle.BUILD


def _objects(rows: int) -> bytes:
    """An array of one column of objects, up to the list of them."""
    return _EMPTY_ARRAY + pickle.MARK + _plain(1) + _plain((1, rows)) + _plain(np.dtype("O")) + pickle.NEWFALSE


def _values(column: pa.ChunkedArray, rows: int) -> bytes:
    """A column: of texts as objects, of numbers as they are; null is NaN."""
    if pa.types.is_string(column.type):
        return _objects(rows) + _plain([intern(text) for text in column.to_pylist()]) + _OBJECTS_END
    return _plain(column.to_numpy().reshape(1, rows))


def _remembered() -> bytes:
    parts = {
        _DTYPE: _plain(np.dtype("<f4")),
        _RECONSTRUCT: _ARRAY_MADE,
        _NDARRAY: _plain(np.ndarray),
    }
    return b"".join(part + pickle.BINPUT + place + pickle.POP for place, part in parts.items())


def _vectors(column: pa.FixedSizeListArray) -> memoryview:
    """The vectors, each an array of float32: the same bytes before and behind the numbers of each."""
    numbers = column.flatten().to_numpy().astype("<f4", copy=False).reshape(len(column), -1).view(np.uint8)
    length = numbers.shape[1]
    empty = _call(*(pickle.BINGET + place for place in (_RECONSTRUCT, _NDARRAY)), _plain((0,)), _plain(b"b"))
    shape = _plain((length // 4,))
    before = empty + pickle.MARK + _plain(1) + shape + pickle.BINGET + _DTYPE + pickle.NEWFALSE
    before += pickle.BINBYTES + length.to_bytes(4, "little")
    behind = pickle.TUPLE + pickle.BUILD
    written = np.empty((len(column), len(before) + length + len(behind)), np.uint8)
    written[:, : len(before)] = np.frombuffer(before, np.uint8)
    written[:, len(before) : -len(behind)] = numbers
    written[:, -len(behind) :] = np.frombuffer(behind, np.uint8)
    return written.reshape(-1).data


# -- around the columns


_BLOCK: Final = _name("pandas._libs.internals", "_unpickle_block") + pickle.MARK


def _block_end(place: int) -> bytes:
    """Behind a block's values: which column they are, and that a dataframe has two dimensions."""
    return _plain(slice(place, place + 1, 1)) + _plain(2) + pickle.TUPLE + pickle.REDUCE


def _axes(columns: Sequence[str], rows: int) -> bytes:
    """The list of the axes: the columns' names, and the rows' numbers."""
    names = np.empty(len(columns), object)
    names[:] = columns
    across = _index("Index", {"data": names, "name": None})
    down = _index("RangeIndex", {"name": None, "start": 0, "stop": rows, "step": 1})
    return pickle.EMPTY_LIST + pickle.MARK + across + down + pickle.APPENDS


def _index(kind: str, made_of: dict[str, Any]) -> bytes:
    modules = {"Index": "pandas.core.indexes.base", "RangeIndex": "pandas.core.indexes.range"}
    return _call(_name("pandas.core.indexes.base", "_new_Index"), _name(modules[kind], kind), _plain(made_of))
