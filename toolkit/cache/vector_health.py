"""Are vectors what they should be? Of length 1, whole, not all zeros, of the right dimension, no two the same.

Looked at as they stream by; some twenty bytes are kept of each row, never the row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from toolkit.cache.frame_report import Ailment, Problem, VectorSummary, listed, share
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from toolkit.cache.vectors import Vectors

TOLERANCE: Final = 1e-3  # how far a length may be from 1: what half-precision values leave of it
EXAMPLES: Final = 3

_OFFSET, _PRIME = 0xCBF29CE484222325, 0x100000001B3  # FNV-1a's, http://www.isthe.com/chongo/tech/comp/fnv


class VectorHealth:
    """Takes a frame's vectors of `dimension` values, part by part."""

    def __init__(self, dimension: int, tolerance: float = TOLERANCE) -> None:
        self._dimension = dimension
        self._tolerance = tolerance
        self._rows = 0
        self._counts: dict[Ailment, int] = {}
        self._examples: dict[Ailment, list[str]] = {}
        self._norms: list[NDArray[np.float32]] = []
        self._prints: list[NDArray[np.uint64]] = []
        self._printed: list[NDArray[np.uint32]] = []  # the number of each such row

    def add(self, part: Vectors) -> None:
        """Look at some rows."""
        import numpy as np

        lengths = norms(part.values)
        odd = np.zeros(len(lengths), dtype=bool)
        odd[list(part.odd)] = True
        nan = ~np.isfinite(lengths) & ~odd
        zero = lengths == 0
        usable = ~(odd | nan | zero)
        off = usable & (np.abs(lengths - 1) > self._tolerance)
        self._count("wrong-dimension", odd, part)
        self._count("nan", nan, part)
        self._count("zero", zero, part)
        self._count("not-unit-length", off, part)
        self._norms.append(lengths[usable])
        self._prints.append(_fingerprints(part.values[usable] if not usable.all() else part.values))
        self._printed.append((np.flatnonzero(usable) + self._rows).astype(np.uint32))
        self._rows += len(lengths)

    def result(self, named: Callable[[Sequence[int]], Sequence[str]]) -> tuple[VectorSummary, tuple[Problem, ...]]:
        """The summary, and what is wrong; `named` gives names to rows by their numbers, which are ascending."""
        import numpy as np

        lengths = np.concatenate(self._norms) if self._norms else np.empty(0, np.float32)
        sharing, rows, groups = self._duplicates()
        known = lengths.size > 0
        summary = VectorSummary(
            self._rows,
            self._dimension,
            _rounded(lengths.min()) if known else None,
            _rounded(np.median(lengths)) if known else None,
            _rounded(lengths.max()) if known else None,
            self._counts.get("not-unit-length", 0),
            self._counts.get("nan", 0),
            self._counts.get("zero", 0),
            self._counts.get("wrong-dimension", 0),
            sharing,
        )
        return summary, (*self._problems(lengths), *self._shared(sharing, rows, groups, named))

    def _count(self, ailment: Ailment, which: NDArray[np.bool_], part: Vectors) -> None:
        import numpy as np

        count = int(which.sum())
        if count:
            self._counts[ailment] = self._counts.get(ailment, 0) + count
            examples = self._examples.setdefault(ailment, [])
            for row in np.flatnonzero(which)[: EXAMPLES - len(examples)]:
                examples.append(label(part.names, int(row)))

    def _problems(self, lengths: NDArray[np.float32]) -> Sequence[Problem]:
        said: dict[Ailment, str] = {
            "wrong-dimension": f"have not {self._dimension} values",
            "nan": "hold NaN or infinity",
            "zero": "are all zeros",
        }
        if lengths.size:
            reach = f"{lengths.min():.4g} to {lengths.max():.4g}"
            said["not-unit-length"] = f"are not of length 1 (lengths are {reach})"
        problems = []
        for ailment, what in said.items():
            rows, examples = self._counts.get(ailment, 0), tuple(self._examples.get(ailment, ()))
            if rows:
                text = f"{share(rows, self._rows, 'vectors')} {what}{listed(examples, rows)}"
                problems.append(Problem(ailment, text, rows, self._rows, examples))
        return problems

    def _duplicates(self) -> tuple[int, list[list[int]], int]:
        """How many rows share their vector; the rows of some such vectors; how many vectors are shared."""
        import numpy as np

        if not self._prints:
            return 0, [], 0
        prints, numbers = np.concatenate(self._prints), np.concatenate(self._printed)
        self._prints, self._printed = [prints], [numbers]
        twice = repeated(prints)
        if not twice.size:
            return 0, [], 0
        rows = [[int(row) for row in numbers[prints == one][:2]] for one in twice[:EXAMPLES]]
        return int(np.isin(prints, twice).sum()), rows, int(twice.size)

    def _shared(
        self, sharing: int, rows: Sequence[Sequence[int]], groups: int, named: Callable[[Sequence[int]], Sequence[str]]
    ) -> Sequence[Problem]:
        if not sharing:
            return []
        wanted = sorted({row for pair in rows for row in pair})
        names = dict(zip(wanted, named(wanted), strict=True))
        examples = tuple(" = ".join(names[row] for row in pair) for pair in rows)
        vectors = "1 vector is" if groups == 1 else f"{groups:,} vectors are"
        text = (
            f"{share(sharing, self._rows, 'rows')} share their vector with another one; {vectors} there more than once"
        )
        return [
            Problem("duplicate-vector", f"{text}{listed(examples, groups)}", sharing, self._rows, examples),
        ]


def norms(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(rows,) lengths of vectors (rows, dimension); not finite where a value is not."""
    import numpy as np

    with np.errstate(all="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", values, values))
        extreme = np.flatnonzero(~np.isfinite(lengths) | (lengths < 1e-15))  # squares beyond what a float32 holds
        if extreme.size:
            wide = values[extreme].astype(np.float64)
            exact = np.sqrt(np.einsum("ij,ij->i", wide, wide))
            biggest = np.finfo(np.float32).max
            lengths[extreme] = np.where(np.isfinite(exact), np.minimum(exact, biggest), exact)
    result: NDArray[np.float32] = lengths
    return result


def repeated(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Those that stand there more than once, each once, ascending."""
    import numpy as np

    ordered = np.sort(numbers)
    found: NDArray[np.uint64] = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    return found


def label(names: pa.RecordBatch, row: int) -> str:
    """A row as people name it: `REC-0000123 at 3 µM in EXP-7`."""

    def value(column: str) -> Any:
        return names.column(column)[row].as_py() if column in names.schema.names else None

    concentration, experiment = value("concentration"), value("experiment")
    text = shown(value("pert") or "(no name)")
    if concentration is not None:
        text += f" at {concentration:.6g} µM"
    return f"{text} in {shown(experiment)}" if experiment else text


def _fingerprints(values: NDArray[np.float32]) -> NDArray[np.uint64]:
    """(rows,) numbers of 64 bits, the same for rows of the same bytes: FNV-1a over words, its high bits folded in."""
    import numpy as np

    words = np.ascontiguousarray(values.view(np.uint32).T)
    total = np.full(len(values), _OFFSET, dtype=np.uint64)
    for column in words:
        total ^= column
        total *= np.uint64(_PRIME)
        total ^= total >> np.uint64(32)
    return total


def _rounded(length: Any) -> float:
    return float(f"{float(length):.6g}")
