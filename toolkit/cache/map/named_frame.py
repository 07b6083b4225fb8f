"""A frame that is open, with the names of all its rows: which rows hold a perturbation, and the vectors of some rows.

Of the names all are read, of the vectors those that are asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from toolkit.cache import vectors
from toolkit.cache.map.similarity import TOLERANCE, lengths
from toolkit.cache.search.matching import Question, micromolar
from toolkit.errors import Failed
from toolkit.progress import Progress
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from toolkit.cache.formats import Frame
    from toolkit.cache.map.similarity import Matrix
    from toolkit.cache.ranged import RangedReader
    from toolkit.cache.stored import StoredFrame


@dataclass(frozen=True, slots=True)
class Phenoprint:
    """Whose vector it is, and where it lies. `concentration` in µM, None for a gene; `experiment` is None in an
    aggregated frame. `length` is the cached vector's: 1 in a healthy cache, None where a value is no number."""

    pert: str
    kind: str
    concentration: float | None
    experiment: str | None
    replicates: int | None
    length: float | None
    group: str
    layer: str
    frame: str

    @property
    def label(self) -> str:
        """For people: REC-0000123 3 µM, and the experiment where there is one."""
        name = self.pert if self.concentration is None else f"{self.pert} {micromolar(self.concentration)}"
        return shown(name if self.experiment is None else f"{name} {self.experiment}")

    @property
    def healthy(self) -> bool:
        """Whether its length is 1, as nearly as float32 can tell."""
        return self.length is not None and abs(self.length - 1) <= TOLERANCE


class NamedFrame:
    """A frame that was opened over `reader`. Raises UnreadableFrame, or the source's ToolkitError, as all it does."""

    def __init__(self, lying: StoredFrame, frame: Frame, reader: RangedReader, progress: Progress) -> None:
        self.name = shown(lying.place.frame)
        self.split = any(column == "experiment" for column, _ in frame.columns)
        self._lying = lying
        self._frame = frame
        self._reader = reader
        self._progress = progress
        self._columns: dict[str, Any] = {}

    def read_names(self) -> None:
        """Read the identifying columns. Once, before anything below."""
        import pyarrow as pa

        batches = list(self._frame.names())
        if not batches:
            self._columns = {"pert": pa.array([], pa.string()).dictionary_encode()}
            return
        table = pa.Table.from_batches(batches)
        for name in table.column_names:
            column = table.column(name)
            coded = column.dictionary_encode() if pa.types.is_string(column.type) else column
            self._columns[name] = coded.combine_chunks()
            self._progress.check_stop()

    @cached_property
    def perts(self) -> dict[str, int]:
        """The names of the perturbations, with their codes."""
        return {name: code for code, name in enumerate(self._columns["pert"].dictionary.to_pylist()) if name}

    @cached_property
    def rows(self) -> int:
        return len(self._columns["pert"])

    def rows_of(self, pert: str, at: float | None = None) -> list[int]:
        """The rows of exactly that name, those at concentration `at` (µM) where one is given; by concentration."""
        import numpy as np

        code = self.perts.get(pert)
        if code is None:
            return []
        rows = [int(row) for row in np.flatnonzero(self._codes("pert") == code)]
        known = {row: self.value("concentration", row) for row in rows}
        rows.sort(key=lambda row: (known[row] is None, known[row]))
        wanted = Question(pert, pert, at)
        return [row for row in rows if at is None or (known[row] is not None and wanted.fits([known[row]]))]

    def concentrations(self, pert: str) -> list[float]:
        """Those at which it is there, ascending; none for a gene."""
        known = {_rounded(self.value("concentration", row)) for row in self.rows_of(pert)}
        return sorted(one for one in known if one is not None)

    def value(self, name: str, row: int) -> Any:
        """An identifying column's value; None where the frame has no such column."""
        column = self._columns.get(name)
        return None if column is None else column[row].as_py()

    def rows_in(self, experiment: str | None) -> NDArray[np.int64]:
        """The rows of an experiment, ascending."""
        import numpy as np

        column = self._columns.get("experiment")
        if column is None:
            return np.arange(self.rows)
        known = column.dictionary.to_pylist()
        code = known.index(experiment) if experiment in known else -1
        rows: NDArray[np.int64] = np.flatnonzero(self._codes("experiment") == code)
        return rows

    def vectors(self, rows: Collection[int], dimension: int) -> Matrix:
        """The vectors of `rows` (ascending, each once), (rows, dimension) float64."""
        import numpy as np

        wanted = sorted(set(rows))
        values: Matrix = np.empty((len(wanted), dimension))
        at = 0
        for part in vectors.stream(self._frame, dimension, wanted, self._lying.name) if wanted else ():
            self._progress.check_stop()
            count = len(part.values)
            for row, pert in zip(wanted[at : at + count], part.column("pert"), strict=True):
                if pert != self.value("pert", row):
                    raise self._replaced()
            values[at : at + count] = part.values
            at += count
        if at != len(wanted):
            raise self._replaced()
        return values

    def phenoprints(self, rows: Sequence[int], values: Matrix) -> list[Phenoprint]:
        """Whose the vectors `values` of `rows` are."""
        place = self._lying.place
        return [
            Phenoprint(
                self.value("pert", row),
                self.value("kind", row) or "",
                _rounded(self.value("concentration", row)),
                self.value("experiment", row),
                self.value("replicates", row),
                None if length != length else float(length),
                shown(place.group),
                place.layer,
                self.name,
            )
            for row, length in zip(rows, lengths(values), strict=True)
        ]

    @property
    def bytes_read(self) -> int:
        return self._reader.bytes_read

    @property
    def bytes(self) -> int:
        return self._lying.bytes

    def _codes(self, name: str) -> NDArray[np.int32]:
        codes: NDArray[np.int32] = self._columns[name].indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return codes

    def _replaced(self) -> Failed:
        return Failed(
            f"{self._lying.name} was replaced while it was being read.",
            hint="A rebuild is probably running (`toolkit cache status`); try again when it has ended.",
        )


def _rounded(concentration: float | None) -> float | None:
    """What a float32 on its way through a frame leaves of 0.3."""
    return None if concentration is None else float(f"{concentration:.6g}")
