"""Opening a pickle without running any of it: the names it asks for become records of what it wanted made.

Known are the names under which pandas and numpy pickle a dataframe; any other is refused. Not even those are called or
imported: a pickled class becomes a `Made`, an array is built from its bytes here. What a dataframe is made of is
read in pickled_frame.py.
"""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final

from toolkit.cache.formats.frame import UnreadableFrame

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from toolkit.cache.ranged import RangedReader
    from toolkit.progress import Progress

_BUFFER: Final = 1024 * 1024
_TOLD_EVERY: Final = 4 * 1024 * 1024
_LONGEST: Final = 1 << 40

# Where pandas keeps what a dataframe is pickled as, over its versions.
_CLASSES_OF: Final = re.compile(
    r"pandas\.(arrays|core\.(frame|indexes|arrays|internals|dtypes\.dtypes|flags)|_libs\.internals)(\.\w+)*"
)
_CLASS: Final = re.compile(r"[A-Z][A-Za-z0-9]*")
_OF_PANDAS_ITSELF: Final = re.compile(
    r"DataFrame|Categorical|[A-Z]\w*Index|Index|[A-Z]\w*Dtype",
)
_SIMPLE: Final = re.compile(r"[?]|b1|[iu][1248]|f(2|4|8)|[Mm]8|O8?")
_UNIT: Final = re.compile(r"Y|M|W|D|h|m|s|ms|us|ns|generic")
_ORDERS: Final = {"<": "<", ">": ">", "|": "|", "=": "="}

# Opcodes that pickles of protocol 2 to 5 of dataframes do not need: extensions, persistent ids, buffers out of band …
_NOT_NEEDED: Final = (
    pickle.PERSID, pickle.BINPERSID, pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.INST, pickle.OBJ,
    pickle.NEXT_BUFFER, pickle.READONLY_BUFFER, pickle.INT, pickle.LONG, pickle.FLOAT, pickle.STRING, pickle.UNICODE,
    pickle.GET, pickle.PUT, pickle.DICT, pickle.LIST, pickle.NEWOBJ_EX,
)  # fmt: skip


class Made:
    """Something of pandas that the pickle wanted made: `what` by its name, of `args`, then given `state`."""

    __slots__ = ("args", "state")
    what = ""
    args: tuple[object, ...]
    state: Any

    def __new__(cls, *args: object) -> Made:
        made = super().__new__(cls)
        made.args = args
        made.state = None
        return made

    def __init__(self, *args: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        self.state = state


class Array(Made):
    """A numpy array: `values` where it holds numbers, `objects` (in C order) where it holds Python's."""

    __slots__ = ("objects", "shape", "values")

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.values: np.ndarray[Any, Any] | None = None
        self.objects: list[object] | None = None
        self.shape: tuple[int, ...] = (0,)

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise ValueError("an array without its shape, type and bytes")
        _, shape, dtype, fortran, content = state
        self.fill(shape, dtype, content, fortran=bool(fortran))

    def fill(self, shape: object, dtype: object, content: object, *, fortran: bool) -> None:
        """Raises ValueError where the bytes are not as many as shape and type say."""
        import numpy as np

        if not isinstance(dtype, DType):
            raise TypeError("an array of no type")
        self.shape = _shape(shape)
        if isinstance(content, list):
            if not dtype.of_objects or len(content) != _count(self.shape):
                raise ValueError(f"an array of shape {self.shape} with {len(content):,} objects")
            self.objects = content
            return
        if dtype.of_objects or not isinstance(content, bytes | bytearray):
            raise ValueError("an array without its bytes")
        kind = dtype.numpy()
        if len(content) != _count(self.shape) * kind.itemsize:
            raise ValueError(f"an array of shape {self.shape} with {len(content):,} bytes")
        flat = np.frombuffer(content, kind)
        self.values = flat.reshape(self.shape, order="F" if fortran else "C")


class DType(Made):
    """A numpy type: a number, a time or an object; nothing structured."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) < 5 or state[2:5] != (None, None, None):
            raise ValueError("a structured array, which is not read here")
        self.state = state

    @property
    def code(self) -> str:
        code = self.args[0] if self.args else None
        if not isinstance(code, str) or not _SIMPLE.fullmatch(code):
            raise ValueError(f"arrays of type {code!r:.40} are not read here")
        return code

    @property
    def of_objects(self) -> bool:
        return self.code.startswith("O")

    def numpy(self) -> np.dtype[Any]:
        import numpy as np

        code = self.code
        if self.state is None:
            return np.dtype(code)
        if code[0] in "Mm":
            (unit, step, *_) = self.state[-1][1]
            unit = unit.decode("ascii") if isinstance(unit, bytes) else unit
            if not _UNIT.fullmatch(unit) or not isinstance(step, int) or not 0 < step < 10_000:
                raise ValueError("a time in no known unit")
            code = f"{code}[{step}{unit}]" if unit != "generic" else code
        return np.dtype(code).newbyteorder(_ORDERS[self.state[1]])  # type: ignore[arg-type]


# Python's own unpickler in Python: it takes no memory for lengths and places that a damaged pickle only claims.
_InPython: Any = getattr(pickle, "_Unpickler")  # noqa: B009


class Unpickler(_InPython):  # type: ignore[misc]
    """Reads the pickle that `reader` holds. `load` raises UnreadableFrame for a name that no dataframe needs, and
    ValueError and its like for a damaged one."""

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        opcode: load for opcode, load in _InPython.dispatch.items() if bytes([opcode]) not in _NOT_NEEDED
    }

    def __init__(self, reader: RangedReader, kind: str, progress: Progress) -> None:
        super().__init__(_Bounded(reader, progress))
        self._name = reader.name
        self._kind = kind

    def load(self) -> object:
        try:
            return super().load()
        except (pickle.UnpicklingError, KeyError) as error:
            raise ValueError(f"damaged, or none of a dataframe ({error})") from error

    def find_class(self, module: str, name: str) -> object:
        known = _known(module, name)
        if known is _REFUSED:
            raise UnreadableFrame(
                self._name,
                self._kind,
                f"the pickle asks for {_legible(module)}.{_legible(name)}, which no dataframe needs: refused",
                hint="Who can write to this cache? Only pandas' and numpy's own classes are let in, and none is run.",
            )
        return known

    def load_build(self) -> None:
        """Give the last thing made its state; nothing but what was made here takes one."""
        state = self.stack.pop()
        made = self.stack[-1]
        if not isinstance(made, Made):
            raise TypeError(f"a state for a {type(made).__name__}")
        made.__setstate__(state)

    def load_bytearray8(self) -> None:
        self.append(self.read(int.from_bytes(self.read(8), "little")))

    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8


class _Bounded:
    """The pickle as a file that refuses to read behind its end, before any memory is taken for it."""

    def __init__(self, reader: RangedReader, progress: Progress) -> None:
        self._file = io.BufferedReader(reader.as_file(read_ahead=_TOLD_EVERY), _BUFFER)
        self._read = self._file.read
        self._left = reader.size
        self._told_at = reader.size
        self._reader = reader
        self._progress = progress

    def read(self, length: int) -> bytes:
        left = self._left - length  # of a pickle of many small things most is read in bytes: here every call counts
        if length < 0 or left < 0:
            raise EOFError("it is cut off")
        self._left = left
        if self._told_at - left >= _TOLD_EVERY:
            self._tell()
        return self._read(length)

    def readinto(self, buffer: bytearray) -> int:
        buffer[:] = self.read(len(buffer))
        return len(buffer)

    def readline(self) -> bytes:
        line = self._file.readline(1000)
        self._left -= len(line)
        return line

    def _tell(self) -> None:
        self._told_at = self._left
        self._progress.check_stop()
        self._progress.advance(self._reader.name, self._reader.size - self._left, self._reader.size, "bytes")


def _reconstruct(*_: object) -> Array:
    return Array()


def _from_buffer(content: object, dtype: object, shape: object, order: object, *_: object) -> Array:
    array = Array()
    array.fill(shape, dtype, content, fortran=order == "F")
    return array


def _scalar(dtype: object, content: object = b"") -> object:
    array = Array()
    array.fill((1,), dtype, content, fortran=False)
    if array.values is None:
        raise ValueError("a number without its bytes")
    return array.values[0].item()


def _encode(text: object, encoding: object) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise ValueError("bytes in an unknown encoding")
    return text.encode("latin-1")


def _bytearray(content: object = b"") -> bytes:
    if not isinstance(content, bytes):
        raise TypeError("bytes made of something else")
    return content


def _slice(start: object, stop: object, step: object) -> slice:
    if not all(part is None or isinstance(part, int) for part in (start, stop, step)):
        raise ValueError("columns at no places")
    return slice(start, stop, step)


def _arrow_type(alias: object) -> pa.DataType:
    import pyarrow as pa

    kind = pa.type_for_alias(alias)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_primitive(kind)):
        raise ValueError(f"Arrow arrays of type {kind} are not read here")
    return kind


def _arrow_array(data: object) -> pa.Array:
    """As pyarrow restores it, but looked through before anybody reads it."""
    import pyarrow as pa

    if not isinstance(data, tuple) or len(data) != 7:
        raise ValueError("an Arrow array without its parts")
    kind, length, _, offset, buffers, children, dictionary = data
    if not isinstance(kind, pa.DataType) or children or dictionary is not None:
        raise ValueError("a nested Arrow array, which is not read here")
    if not all(isinstance(number, int) and 0 <= number < _LONGEST for number in (length, offset)):
        raise ValueError("an Arrow array of no length")
    array = pa.Array.from_buffers(kind, length, buffers, -1, offset)
    array.validate(full=True)
    return array


def _arrow_buffer(content: object) -> pa.Buffer:
    import pyarrow as pa

    return pa.py_buffer(_bytearray(content))


def _arrow_chunks(chunks: object, kind: object = None) -> pa.ChunkedArray:
    import pyarrow as pa

    if not isinstance(chunks, list | tuple) or not all(isinstance(chunk, pa.Array) for chunk in chunks):
        raise TypeError("an Arrow array of something else")
    return pa.chunked_array(chunks, kind)


_REFUSED: Final = object()
_MULTIARRAY, _NUMERIC = (
    ("numpy.core.multiarray", "numpy._core.multiarray"),
    ("numpy.core.numeric", "numpy._core.numeric"),
)
_BUILTINS = ("builtins", "__builtin__")
_KNOWN: Final[dict[tuple[str, str], object]] = {
    ("numpy", "ndarray"): Array,
    ("numpy", "dtype"): DType,
    ("_codecs", "encode"): _encode,
    ("pandas", "NA"): None,
    ("pandas._libs.missing", "NA"): None,
    ("pyarrow.lib", "_restore_array"): _arrow_array,
    ("pyarrow.lib", "py_buffer"): _arrow_buffer,
    ("pyarrow.lib", "type_for_alias"): _arrow_type,
    ("pyarrow.lib", "chunked_array"): _arrow_chunks,
    **{(module, "_reconstruct"): _reconstruct for module in _MULTIARRAY},
    **{(module, "scalar"): _scalar for module in _MULTIARRAY},
    **{(module, "_frombuffer"): _from_buffer for module in _NUMERIC},
    **{(module, "slice"): _slice for module in _BUILTINS},
    **{(module, "bytearray"): _bytearray for module in _BUILTINS},
    **{(module, "bytes"): _bytearray for module in _BUILTINS},  # protocol 2 has no other word for none
}
_MADE_BY: Final = {
    ("pandas._libs.internals", "_unpickle_block"),
    ("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked"),
    ("pandas.core.indexes.base", "_new_Index"),
    ("pandas.core.indexes.datetimes", "_new_DatetimeIndex"),
}


def _known(module: str, name: str) -> object:
    if (module, name) in _KNOWN:
        return _KNOWN[module, name]
    if (module, name) in _MADE_BY:
        return _stand_in(name)
    allowed = _OF_PANDAS_ITSELF if module == "pandas" else _CLASS if _CLASSES_OF.fullmatch(module) else None
    if allowed is not None and allowed.fullmatch(name):
        return _stand_in(name)
    return _REFUSED


def _stand_in(name: str) -> Callable[..., Made]:
    return type(name, (Made,), {"what": name, "__slots__": ()})


def _shape(shape: object) -> tuple[int, ...]:
    sizes = (shape,) if isinstance(shape, int) else shape
    if (
        not isinstance(sizes, tuple)
        or len(sizes) > 2
        or not all(isinstance(n, int) and 0 <= n < _LONGEST for n in sizes)
    ):
        raise ValueError(f"an array of shape {shape!r:.40}")
    return sizes


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _legible(name: str) -> str:
    return ascii(name)[1:-1][:80]
