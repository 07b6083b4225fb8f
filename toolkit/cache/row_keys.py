"""What a row is about, as a number of 64 bits: so that a million rows are compared without keeping a million names.

Rows about the same have the same number. That two of a million others have it too is one chance in thirty million.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from toolkit.cache.perturbations import DIGITS

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from toolkit.cache.perturbations import Perts

TREATMENT: Final = ("pert", "kind", "concentration")
ROW: Final = (*TREATMENT, "experiment")
_MASK: Final = 2**64 - 1

Treatment = tuple[str, str, float | None]
"""What was done to some cells: (pert, kind, concentration in µM); a gene has no concentration."""


def keys(names: pa.RecordBatch, columns: Sequence[str] = TREATMENT) -> NDArray[np.uint64]:
    """The number (rows,) of each row by those `columns` that it has; `names` is as Frame.names() gives it."""
    import numpy as np

    total = np.zeros(names.num_rows, dtype=np.uint64)
    for column in columns:
        if column in names.schema.names:
            coded = names.column(column).dictionary_encode()
            numbers = [_number(column, value) for value in coded.dictionary.to_pylist()]
            nothing = len(numbers)  # where the null is counted
            total += np.array([*numbers, 0], dtype=np.uint64)[coded.indices.fill_null(nothing).to_numpy()]
    return total


def key(treatment: Treatment) -> int:
    """As `keys`, for one."""
    return sum(_number(column, value) for column, value in zip(TREATMENT, treatment, strict=True)) & _MASK


def treatments(perts: Perts) -> Iterator[Treatment]:
    """What a frame holds, each once: a pert at each of its concentrations."""
    for name, kind, concentrations in zip(perts.names, perts.kinds, perts.concentrations, strict=True):
        for concentration in concentrations or (None,):
            yield name, kind, concentration


@lru_cache(maxsize=8192)  # kinds, concentrations and experiments come again and again
def _number(column: str, value: Any) -> int:
    if value is None or value == "":
        return 0
    text = f"{value:.{DIGITS}g}" if isinstance(value, float) else value
    return int.from_bytes(hashlib.blake2b(f"{column}\0{text}".encode(), digest_size=8).digest(), "little")
