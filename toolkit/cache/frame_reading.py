"""Reading one frame from end to end: what it holds, and how its vectors are. What of it cannot be read is a problem of
this frame, and what could be read is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from heapq import nsmallest
from typing import TYPE_CHECKING, Final

from toolkit.cache import stored
from toolkit.cache.formats.frame import IDENTIFYING, UnreadableFrame, identifying
from toolkit.cache.frame_report import ColumnInfo, FrameReport, Problem, Step, listed, share
from toolkit.cache.mean_vectors import Means
from toolkit.cache.perturbations import Perts, summed_up
from toolkit.cache.row_keys import ROW, Treatment, key, keys, treatments
from toolkit.cache.vector_health import EXAMPLES, VectorHealth, label, repeated
from toolkit.cache.vectors import layout, stream
from toolkit.errors import Interrupted, ToolkitError
from toolkit.progress import Progress
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from toolkit.cache.formats import Frame
    from toolkit.cache.stored import StoredFrame
    from toolkit.systems.connections import Connections

SAMPLED: Final = 300  # treatments whose mean vectors are kept; the same ones in every frame that holds the same


@dataclass(frozen=True)
class Reading:
    """A frame's report with what it was made from. `means` are those of a sample of its treatments; `error` is why the
    layer did not answer any more."""

    report: FrameReport
    perts: Perts | None = None
    means: Means | None = None
    bytes_read: int = 0
    error: ToolkitError | None = None

    @property
    def split(self) -> bool:
        """Whether it is split by experiment."""
        return any(column.name == "experiment" for column in self.report.columns)


def read(
    connections: Connections, frame: StoredFrame, tell: Callable[[int], None], progress: Progress, *, vectors: bool
) -> Reading:
    """Look into `frame`, `vectors` included or not. `tell` is given the bytes read so far. Raises Interrupted."""
    reader = stored.reader_of(connections, frame)
    report = FrameReport(shown(frame.place.frame), frame.place.layer, frame.bytes)
    looking = _Looking(connections.environment.cache.vector_length, lambda: tell(reader.bytes_read), progress)
    reading = Reading(report)
    try:
        with stored.opened(reader, progress) as opened:
            for step in (looking.described, looking.named, looking.measured)[: 3 if vectors else 2]:
                reading = step(opened, reading)
                tell(reader.bytes_read)
    except Interrupted:
        raise
    except UnreadableFrame as problem:
        report = replace(reading.report, format=reading.report.format or problem.kind)
        reading = replace(reading, report=with_problems(report, unreadable(problem.why)))
    except ToolkitError as problem:
        report = with_problems(reading.report, unreadable(problem.message))
        reading = replace(reading, report=report, error=problem)
    return replace(reading, bytes_read=reader.bytes_read)


def unreadable(why: str) -> Problem:
    return Problem("unreadable", f"cannot be read: {shown(why)}")


def with_problems(report: FrameReport, *problems: Problem) -> FrameReport:
    """The report with problems more."""
    return replace(report, problems=(*report.problems, *problems))


@dataclass
class _Looking:
    """The steps over one frame, each of which adds to what is known of it."""

    dimension: int
    told: Callable[[], None]
    progress: Progress
    _experiments: set[str] = field(default_factory=set)
    _keys: list[NDArray[np.uint64]] = field(default_factory=list)

    def described(self, frame: Frame, reading: Reading) -> Reading:
        columns = tuple(ColumnInfo(shown(name), kind) for name, kind in frame.columns)
        return replace(reading, report=replace(reading.report, format=frame.format, rows=frame.rows, columns=columns))

    def named(self, frame: Frame, reading: Reading) -> Reading:
        perts = summed_up(self._noted(frame.names()))
        steps = Counter(one for series in perts.concentrations for one in series)
        report = replace(
            reading.report,
            perts=dict(sorted(Counter(shown(kind) for kind in perts.kinds).items())),
            concentrations=tuple(Step(concentration, steps[concentration]) for concentration in sorted(steps)),
            experiments=len(self._experiments) if reading.split else None,
        )
        return replace(reading, report=with_problems(report, *self._twice(frame)), perts=perts)

    def measured(self, frame: Frame, reading: Reading) -> Reading:
        try:
            place = layout(frame)
        except UnreadableFrame as problem:
            return replace(reading, report=with_problems(reading.report, Problem("no-vectors", problem.why)))
        if place.wide and len(place.columns) != self.dimension:
            text = f"all {frame.rows:,} vectors have {len(place.columns)} values, not {self.dimension}"
            wrong = Problem("wrong-dimension", text, frame.rows, frame.rows)
            return replace(reading, report=with_problems(reading.report, wrong))
        health = VectorHealth(self.dimension)
        means = Means(_sample(reading.perts), self.dimension)
        for part in stream(frame, self.dimension):
            self.progress.check_stop()
            health.add(part)
            means.add(part)
            self.told()
        summary, problems = health.result(lambda rows: _labels(frame, rows))
        return replace(reading, report=with_problems(replace(reading.report, vectors=summary), *problems), means=means)

    def _noted(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches as they are, once it is noted what `summed_up` does not keep."""
        for batch in batches:
            self.progress.check_stop()
            self._keys.append(keys(batch, ROW))
            if "experiment" in batch.schema.names:
                self._experiments.update(batch.column("experiment").unique().drop_null().to_pylist())
            yield batch
            self.told()

    def _twice(self, frame: Frame) -> Sequence[Problem]:
        """The problem that rows are about the same, where some are."""
        import numpy as np

        if not self._keys:
            return ()
        all_keys = np.concatenate(self._keys)
        self._keys = []
        again = repeated(all_keys)
        if not again.size:
            return ()
        firsts = sorted(int(np.flatnonzero(all_keys == one)[0]) for one in again[:EXAMPLES])
        rows, examples = int(np.isin(all_keys, again).sum()), tuple(_labels(frame, firsts))
        text = f"{share(rows, frame.rows, 'rows')} are about the same as another one{listed(examples, int(again.size))}"
        return (Problem("duplicate-row", text, rows, frame.rows, examples),)


def _sample(perts: Perts | None) -> list[Treatment]:
    """Some treatments, by their keys: so that frames which hold the same are sampled alike."""
    return [] if perts is None else nsmallest(SAMPLED, treatments(perts), key=key)


def _labels(frame: Frame, rows: Sequence[int]) -> list[str]:
    """Names of rows, by their numbers: of these rows alone the identifying columns are read."""
    there = [column for column, _ in frame.columns]
    columns = [column for column in IDENTIFYING if column in there]
    batches = map(identifying, frame.vectors(columns, rows))
    return [label(batch, row) for batch in batches for row in range(batch.num_rows)]
