"""An inspection of a group as findings: what was gone through line by line, then frame by frame, with what one would
type to see it by hand. Nothing is read here."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from toolkit import figures
from toolkit.cache.frame_names import folder
from toolkit.cache.stored import LAYERS
from toolkit.checks.finding import Finding, Status
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from toolkit.cache.inspect.frame_report import FrameReport
    from toolkit.cache.inspect.inspection import Inspection
    from toolkit.systems.connections import Connections

_STATUS: Final = {"ok": Status.OK, "warn": Status.FAIL, "unknown": Status.UNKNOWN}
_LENGTHS: Final = (
    'python -c "import numpy as np, pandas as pd; f = pd.read_parquet({file!r}); '
    "v = np.stack(f['vector']) if 'vector' in f else f.select_dtypes('number').to_numpy(); "
    'print(pd.Series(np.linalg.norm(v, axis=1)).describe())"'
)


def findings(connections: Connections, found: Inspection) -> tuple[Finding, ...]:
    """One for each line of the checklist, then one for each frame in each layer that says something of its own.

    Facts of a frame: `layer`, `rows`, `bytes`, `perts` by kind, `problems` by name.
    """
    hands = _ByHand(connections, found.group)
    lines = []
    for line in found.checklist:
        wrong = [frame for frame in found.frames if frame.problems]
        by_hand = (f"toolkit groups inspect {shlex.quote(found.group)}", *hands.of_check(line.check, wrong, found))
        lines.append(Finding(line.title, _STATUS[line.status], line.evidence, by_hand=by_hand))
    return (*lines, *(_frame(frame, found, hands) for frame in found.frames if not frame.same_as))


def _frame(frame: FrameReport, found: Inspection, hands: _ByHand) -> Finding:
    parts = [] if frame.rows is None else [f"{frame.rows:,} rows"]
    parts += [f"{count:,} {kind or 'of no kind'}" for kind, count in frame.perts.items()]
    vectors = frame.vectors
    if vectors is not None and vectors.norm_min is not None and vectors.norm_max is not None:
        low, high = f"{vectors.norm_min:.3g}", f"{vectors.norm_max:.3g}"
        parts.append(f"length {low}" if low == high else f"length {low} to {high}")
    parts += [] if frame.bytes is None else [figures.size(frame.bytes)]
    parts += [frame.format] if frame.format else []
    summary = "; ".join(problem.text for problem in frame.problems) or ", ".join(parts)
    return Finding(
        f"{frame.frame} ({frame.layer})",
        Status.FAIL if frame.problems else Status.OK,
        summary,
        evidence=tuple(_evidence(frame, found, parts)),
        by_hand=hands.of_frame(frame),
        facts={
            "layer": frame.layer,
            "rows": frame.rows,
            "bytes": frame.bytes,
            "perts": dict(frame.perts),
            "problems": [problem.problem for problem in frame.problems],
        },
    )


def _evidence(frame: FrameReport, found: Inspection, parts: Iterable[str]) -> Iterator[str]:
    if frame.problems:
        yield ", ".join(parts)
    if frame.columns:
        yield (
            "columns: "
            + ", ".join(f"{column.name} ({column.type})" for column in frame.columns[:12])
            + (f" and {len(frame.columns) - 12:,} more" if len(frame.columns) > 12 else "")
        )
    if frame.concentrations:
        yield "at µM (perts): " + " ".join(f"{step.concentration:g} ({step.perts:,})" for step in frame.concentrations)
    if frame.experiments is not None:
        yield f"{frame.experiments:,} experiments"
    for problem in frame.problems:
        if problem.examples:
            yield f"{problem.problem}: {', '.join(problem.examples)}"
    for agreement in found.layers:
        if agreement.frame == frame.frame:
            yield f"{LAYERS['L2']} against {LAYERS['L3']}: {agreement.text}"


class _ByHand:
    """The commands to look at frames; those of Redis only where it is known how it is reached."""

    def __init__(self, connections: Connections, group: str) -> None:
        self._connections, self._group = connections, group
        environment = connections.environment
        self._bucket, self._cache = environment.bucket, environment.cache

    def of_check(self, check: str, wrong: Iterable[FrameReport], found: Inspection) -> tuple[str, ...]:
        """For a line of the checklist: of the first frame in which something is wrong, else of the first there is."""
        frame = next(iter(wrong), None) or next(iter(found.frames), None)
        if frame is None:
            return ()
        if check == "all-frames":
            where = f"gs://{self._bucket.name}/{folder(self._bucket.prefix)}{self._group}/"
            return (
                f"gcloud storage ls -l {shlex.quote(where)}",
                *self._redis("zrange", self._cache.index_key, "0", "-1"),
            )
        return self.of_frame(frame)

    def of_frame(self, frame: FrameReport) -> tuple[str, ...]:
        """Its size and checksum where it lies; its vectors' lengths, of a copy."""
        names = {"group": self._group, "frame": frame.frame}
        key, path = self._cache.frame_key.format(**names), self._cache.frame_object.format(**names)
        url = shlex.quote(f"gs://{self._bucket.name}/{folder(self._bucket.prefix)}{path}")
        if frame.layer == "L2":
            return self._redis("strlen", key)
        file = path.rpartition("/")[2]
        return (f"gcloud storage objects describe {url}", f"gcloud storage cp {url} .", _LENGTHS.format(file=file))

    def _redis(self, *words: str) -> tuple[str, ...]:
        try:
            return (self._connections.redis.by_hand(*words),)
        except ToolkitError:
            return ()
