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
    import pyarrow as pa

_TEXTS = ("pert", "kind", "experiment")
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
    """The perturbations in a frame's identifying columns, as Frame.names() gives them."""
    import pyarrow as pa

    coded = [_coded(batch) for batch in batches if batch.num_rows]
    if not coded:
        return Perts([], [], [], [], [])
    table = pa.Table.from_batches(coded).unify_dictionaries()
    del coded
    texts: dict[str, list[Any]] = {}
    for at, name in enumerate(table.column_names):
        if name in _TEXTS:  # grouped by number, they take a quarter of the room and of the time
            chunks = table.column(at).chunks
            texts[name] = chunks[0].dictionary.to_pylist()
            table = table.set_column(at, name, pa.chunked_array([chunk.indices for chunk in chunks]))
    keys = [name for name in ("pert", "kind") if name in table.column_names]
    wanted = {"concentration": "distinct", "replicates": "sum", "experiment": "count_distinct"}
    aggregates = [(column, how) for column, how in wanted.items() if column in table.column_names]
    summed = table.group_by(keys, use_threads=False).aggregate(aggregates)
    rows = summed.num_rows

    def column(name: str, missing: Any) -> list[Any]:
        values = summed.column(name).to_pylist() if name in summed.column_names else [missing] * rows
        known = texts.get(name)
        return values if known is None else [missing if at is None else known[at] for at in values]

    perts = zip(
        column("pert", ""),
        column("kind", ""),
        column("concentration_distinct", ()),
        column("replicates_sum", None),
        column("experiment_count_distinct", None),
        strict=True,
    )
    return Perts.of(
        Pert(name, kind, _ascending(tuple(concentrations)), replicates, experiments)
        for name, kind, concentrations, replicates, experiments in perts
        if name
    )


def _coded(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with its texts once each, and numbers in their place."""
    import pyarrow as pa

    columns = [
        column.dictionary_encode() if name in _TEXTS else column
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


@lru_cache(maxsize=4096)  # compounds have the same few series
def _ascending(concentrations: tuple[float | None, ...]) -> tuple[float, ...]:
    known = {float(f"{value:.{DIGITS}g}") for value in concentrations if value is not None and value == value}
    return tuple(sorted(known))
