"""The perturbations that a frame holds, summed up: which, of what kind, at which concentrations, seen how often.

Only the identifying columns (`pert`, `kind`, `concentration`, `experiment`, `replicates`) are looked at, no vector.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    _Numbers = NDArray[np.int64]

_BITS = 32  # below the number of a perturbation: the code of one of its values
_CODE = (1 << _BITS) - 1
_TABLE = 16_000_000  # pairs, up to which they are ticked off in a table: faster than to sort them
DIGITS = 6  # significant digits of a concentration: what a float32 on its way through a frame leaves of 0.3


@dataclass(frozen=True, slots=True)
class Pert:
    """What one frame knows of one perturbation. `concentrations` are in µM, ascending; empty for a gene.

    `replicates` are all of its rows' together, `experiments` how many there are; None where the frame has no such
    column.
    """

    name: str
    kind: str
    concentrations: tuple[float, ...] = ()
    replicates: int | None = None
    experiments: int | None = None


class Perts(Sequence[Pert]):
    """A frame's perturbations, sorted by name: columns side by side, so that many of them are small and quickly read.

    The same name may stand there twice, as two kinds.
    """

    def __init__(
        self,
        names: Sequence[str],
        kinds: Sequence[str],
        concentrations: Sequence[Sequence[float]],
        replicates: Sequence[int | None],
        experiments: Sequence[int | None],
    ) -> None:
        self.names = names
        self.kinds = kinds
        self.concentrations = concentrations
        self.replicates = replicates
        self.experiments = experiments

    @classmethod
    def of(cls, perts: Iterable[Pert]) -> Perts:
        rows = sorted(perts, key=lambda pert: (pert.name, pert.kind))
        return cls(
            [pert.name for pert in rows],
            [pert.kind for pert in rows],
            [pert.concentrations for pert in rows],
            [pert.replicates for pert in rows],
            [pert.experiments for pert in rows],
        )

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[row] for row in range(*at.indices(len(self)))]
        return Pert(
            self.names[at],
            self.kinds[at],
            tuple(self.concentrations[at]),
            self.replicates[at],
            self.experiments[at],
        )

    def named(self, name: str) -> tuple[Pert, ...]:
        """Those of exactly that name."""
        first = last = bisect_left(self.names, name)
        while last < len(self.names) and self.names[last] == name:
            last += 1
        return tuple(self[row] for row in range(first, last))


def summed_up(batches: Iterable[pa.RecordBatch]) -> Perts:
    """The perturbations in a frame's identifying columns, as Frame.names() gives them. It holds one batch at a time."""
    sums = _Sums()
    for batch in batches:
        if batch.num_rows:
            sums.add(batch)
    return sums.perts()


class _Sums:
    """What was counted so far, by the number of each perturbation (name, kind). Pyarrow's own group_by imports pandas
    where there is one, which takes longer than all of this."""

    def __init__(self) -> None:
        import numpy as np

        self._number_of: dict[tuple[str, str], int] = {}
        self._codes: dict[str, dict[Any, int]] = {"concentration": {}, "experiment": {}}
        self._seen: dict[str, list[_Numbers]] = {}  # by column: perturbations' numbers and values' codes, as one
        self._replicates = np.zeros(0, np.int64)
        self._counted = np.zeros(0, np.bool_)

    def add(self, batch: pa.RecordBatch) -> None:
        """Count some rows."""
        import numpy as np

        numbers = self._numbers(batch)
        for column, codes in self._codes.items():
            if column in batch.schema.names:
                values, at = _coded(batch.column(column))
                if values == [None]:
                    self._seen.setdefault(column, [])
                    continue
                code = np.array([codes.setdefault(value, len(codes)) for value in values], np.int64)[at]
                self._seen.setdefault(column, []).append(numbers << _BITS | code)
        more = len(self._number_of) - len(self._counted)
        self._replicates = np.pad(self._replicates, (0, more))
        self._counted = np.pad(self._counted, (0, more))
        if "replicates" in batch.schema.names:
            values, at = _coded(batch.column("replicates"))
            np.add.at(self._replicates, numbers, np.array([value or 0 for value in values], np.int64)[at])
            self._counted[numbers[np.array([value is not None for value in values])[at]]] = True

    def perts(self) -> Perts:
        """All of them, sorted."""
        keys = list(self._number_of)
        order = sorted((number for number, key in enumerate(keys) if key[0]), key=keys.__getitem__)
        concentrations, experiments = self._concentrations(), self._experiments()
        replicates = [
            total if counted else None
            for total, counted in zip(self._replicates.tolist(), self._counted.tolist(), strict=True)
        ]
        return Perts(
            [keys[number][0] for number in order],
            [keys[number][1] for number in order],
            [concentrations[number] for number in order],
            [replicates[number] for number in order],
            [experiments[number] for number in order],
        )

    def _numbers(self, batch: pa.RecordBatch) -> _Numbers:
        """The perturbation of each row, by number."""
        import numpy as np

        names, at = _coded(batch.column("pert"))
        kinds, kind_at = _coded(batch.column("kind")) if "kind" in batch.schema.names else ([""], at)
        if len(kinds) == 1:
            keys = [(name or "", kinds[0] or "") for name in names]
        else:
            both, at = np.unique(at * len(kinds) + kind_at, return_inverse=True)
            keys = [(names[one // len(kinds)] or "", kinds[one % len(kinds)] or "") for one in both.tolist()]
        known = self._number_of
        return np.array([known.setdefault(key, len(known)) for key in keys], np.int64)[at]

    def _concentrations(self) -> list[tuple[float, ...]]:
        import numpy as np

        values = list(self._codes["concentration"])
        numbers, codes = self._distinct("concentration")
        ends = np.cumsum(np.bincount(numbers, minlength=len(self._number_of))).tolist()
        known = [values[code] for code in codes.tolist()]
        return [_ascending(tuple(known[first:last])) for first, last in zip([0, *ends], ends, strict=False)]

    def _experiments(self) -> Sequence[int | None]:
        import numpy as np

        if "experiment" not in self._seen:
            return [None] * len(self._number_of)
        numbers, _ = self._distinct("experiment")
        counts: list[int] = np.bincount(numbers, minlength=len(self._number_of)).tolist()
        return counts

    def _distinct(self, column: str) -> tuple[_Numbers, _Numbers]:
        """The number and the code of each pair seen, once, ascending; without those that stand for no value."""
        import numpy as np

        seen = self._seen.get(column) or [np.zeros(0, np.int64)]
        codes = len(self._codes[column])
        if len(self._number_of) * codes <= _TABLE:
            table = np.zeros((len(self._number_of), codes), np.bool_)
            for pairs in seen:
                table[pairs >> _BITS, pairs & _CODE] = True
            numbers, code = np.nonzero(table)
        else:
            pairs = np.sort(np.concatenate(seen))
            pairs = pairs[np.diff(pairs, prepend=-1) > 0]
            numbers, code = pairs >> _BITS, pairs & _CODE
        there = code != self._codes[column].get(None, -1)
        return numbers[there], code[there]


def _coded(column: pa.Array) -> tuple[list[Any], _Numbers]:
    """A column's values, each once (None among them, where there are gaps), and which of them each row has.

    Neither pa.scalar nor to_numpy are used for it: they import pandas, too.
    """
    import numpy as np

    encoded = column.dictionary_encode(null_encoding="encode")
    return encoded.dictionary.to_pylist(), np.from_dlpack(encoded.indices).astype(np.int64)


@lru_cache(maxsize=4096)  # compounds have the same few series
def _ascending(concentrations: tuple[float | None, ...]) -> tuple[float, ...]:
    known = {float(f"{value:.{DIGITS}g}") for value in concentrations if value is not None and value == value}
    return tuple(sorted(known))
