"""The question whether a group's normalized vectors are whole and of length 1: only so much is read as tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from toolkit.cache import stored
from toolkit.cache.inspect.group_frames import GroupFrames
from toolkit.cache.stored import StoredFrame
from toolkit.checks import shared
from toolkit.checks.finding import Finding, Status
from toolkit.checks.question import Input, Question
from toolkit.errors import NotFound, ToolkitError
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.progress import Progress
    from toolkit.systems.connections import Connections

_FRAMES: Final = 2  # that are read: genes and compounds, aggregated
_ROWS: Final = 20_000  # of a frame that are read; of a longer one evenly many from everywhere


def vectors_healthy(connections: Connections, inputs: Mapping[str, str], progress: Progress) -> Finding:
    """Are the normalized vectors of a group (without one: the app's default) of length 1, and free of NaN?

    Facts: `group`, `layer`; `rows` looked at of `total`; how many are `not_unit`, `nan`, `zero`; `frames` read;
    `examples`.
    """
    read = shared.layers(connections)
    progress.check_stop()
    names = stored.group_names(read)
    if inputs["group"]:
        raw = stored.named(read, inputs["group"], connections.environment.name)
    elif names and not isinstance(read.l2, ToolkitError) and read.l2.index:
        raw = names[0]
    elif names:
        raw = max(names)  # the index is not known; names carry the week they were built in
    else:
        raise NotFound("There is no group at all, so no vectors can be looked at.", hint="`toolkit groups list`")
    there = GroupFrames.of(connections, read, raw)
    held = there.l2 or there.l3
    chosen = _telling(list(held.values()))
    if not chosen:
        raise NotFound(f"{shown(raw)} has no frame whose vectors could be looked at.", hint="`toolkit groups list`")
    looked = _Looked()
    for frame in chosen:
        looked.add(connections, frame, progress)
    facts = looked.facts | {"group": shown(raw), "layer": "L2" if there.l2 else "L3"}
    by_hand = (f"toolkit groups inspect {shown(raw)}",)
    of = (
        f"{facts['rows']:,} of {facts['total']:,} vectors"
        if facts["rows"] < facts["total"]
        else f"{facts['rows']:,} vectors"
    )
    where = f"{', '.join(facts['frames'])} of {shown(raw)}"
    if looked.problems:
        summary = f"{where}: {'; '.join(dict.fromkeys(looked.problems))}"
        return Finding("", Status.FAIL, summary, evidence=tuple(looked.evidence), by_hand=by_hand, facts=facts)
    return Finding("", Status.OK, f"{of} in {where} are of length 1", by_hand=by_hand, facts=facts)


class _Looked:
    """What was seen of the frames so far."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {"rows": 0, "total": 0, "not_unit": 0, "nan": 0, "zero": 0, "frames": []}
        self.problems: list[str] = []
        self.evidence: list[str] = []

    def add(self, connections: Connections, stored_frame: StoredFrame, progress: Progress) -> None:
        from toolkit.cache.inspect.vector_health import VectorHealth
        from toolkit.cache.vectors import stream

        dimension = connections.environment.cache.vector_length
        health = VectorHealth(dimension)
        with stored.opened(stored.reader_of(connections, stored_frame), progress) as frame:
            for part in stream(frame, dimension, _sample(frame.rows)):
                progress.check_stop()
                health.add(part)
            total = frame.rows
        summary, problems = health.result(lambda rows: [f"row {row}" for row in rows])
        self.facts["frames"].append(shown(stored_frame.place.frame))
        self.facts["rows"] += summary.rows
        self.facts["total"] += total
        self.facts["not_unit"] += summary.not_unit_length
        self.facts["nan"] += summary.nan
        self.facts["zero"] += summary.zero
        for problem in problems:
            if problem.problem in ("nan", "zero", "not-unit-length"):
                self.problems.append(problem.text)
                self.evidence.append(f"{shown(stored_frame.place.frame)}: {problem.text}")


def _telling(frames: Sequence[StoredFrame]) -> list[StoredFrame]:
    """The frames that tell most for the least reading: normalized and aggregated ones first, the smaller first."""

    def cost(frame: StoredFrame) -> tuple[bool, bool, int]:
        name = frame.place.frame.casefold()
        return "normal" not in name, "split" in name, frame.bytes

    return sorted(frames, key=cost)[:_FRAMES]


def _sample(rows: int) -> Sequence[int] | None:
    return None if rows <= _ROWS else range(0, rows, -(-rows // _ROWS))


def default_vectors_healthy(connections: Connections, _: Mapping[str, str], progress: Progress) -> Finding:
    """The same of the app's default group, whichever group was asked about. Facts: those of `vectors_healthy`."""
    return vectors_healthy(connections, {"group": ""}, progress)


QUESTIONS = (
    Question(
        "vectors-healthy",
        "Are a group's normalized vectors of length 1, and free of NaN?",
        vectors_healthy,
        (Input("group", "group", "The group; without one the app's default."),),
        limit=60.0,
    ),
    Question(
        "default-vectors-healthy",
        "Are the default group's normalized vectors of length 1, and free of NaN?",
        default_vectors_healthy,
        limit=60.0,
    ),
)
