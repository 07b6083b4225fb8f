"""The map's projection/rejection plot: do compounds come nearer to a target as their concentration rises?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from toolkit.cache.map.chosen_vectors import Looked, Missing, OpenFrames, health, not_there, open_frames
from toolkit.cache.map.map_frames import Wanted
from toolkit.cache.map.named_frame import Phenoprint
from toolkit.cache.map.similarity import project
from toolkit.errors import Failed, UsageError
from toolkit.progress import SILENT, Progress
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.cache.map.similarity import Matrix
    from toolkit.systems.connections import Connections

Heading = Literal["toward", "away", "neither", "unknown"]

# A projection beyond this many standard deviations of chance is one: cosines of unrelated directions spread by 1/√d.
BEYOND_CHANCE: Final = 3.0


@dataclass(frozen=True, slots=True)
class Point:
    """A compound at one concentration: `projection` along the target's direction, `rejection` away from it, as its
    vector is cached; `cosine` is their similarity. None where a vector points nowhere."""

    pert: Phenoprint
    projection: float | None
    rejection: float | None
    cosine: float | None


@dataclass(frozen=True)
class Line:
    """A compound over its concentrations, ascending. `heading` is where its highest concentration is."""

    pert: str
    heading: Heading
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Projection:
    """`threshold` is how large a cosine must be for a heading: larger than chance makes it."""

    group: str
    layer: str
    frames: tuple[str, ...]
    target: Phenoprint
    threshold: float
    lines: tuple[Line, ...]
    missing: tuple[Missing, ...]
    bytes_read: int
    bytes_total: int
    warnings: tuple[str, ...] = ()


def projection(
    connections: Connections, queries: Sequence[str], target: str, wanted: Wanted, progress: Progress = SILENT
) -> Projection:
    """Where the compounds that `queries` name lie as seen from `target`, a gene or a compound at one concentration.

    Raises NotFound where the target or all compounds are not there, UsageError for a target that is several vectors,
    Failed for one that points nowhere, and what open_frames and its frames raise.
    """
    with open_frames(connections, wanted, progress) as frames:
        frames.look_up([target, *queries])  # once for all: then every frame that is needed is open
        aim, phenoprint = _target(frames, target)
        looked = frames.look_up(queries)
        if not looked.rows:
            raise not_there(looked.missing)
        prints, values = frames.read(looked.rows)
        threshold = BEYOND_CHANCE / frames.dimension**0.5
        return Projection(
            shown(frames.source.group),
            frames.source.layer,
            frames.names,
            phenoprint,
            round(threshold, 3),
            _lines(prints, values, aim, threshold),
            looked.missing,
            frames.bytes_read,
            frames.bytes_total,
            (*frames.source.notes, *frames.notes, *looked.notes, *health([phenoprint, *prints])),
        )


def heading(points: Sequence[Point], threshold: float) -> Heading:
    """Where the point of the highest concentration lies: right of the control, left of it, or at neither side."""
    end = points[-1].cosine
    if end is None:
        return "unknown"
    return "toward" if end >= threshold else "away" if end <= -threshold else "neither"


def _target(frames: OpenFrames, target: str) -> tuple[Matrix, Phenoprint]:
    looked: Looked = frames.look_up([target])
    if not looked.rows:
        raise not_there(looked.missing)
    prints, values = frames.read(looked.rows)
    frames.notes += looked.notes
    if len(prints) > 1:
        known = ", ".join(one.label for one in prints)
        raise UsageError(
            f"--target {shown(target)} is {len(prints)} vectors: {known}.",
            hint=f"Name one, for example --target '{shown(prints[-1].pert)} at {prints[-1].concentration:g}'"
            if prints[-1].concentration is not None
            else "Name one frame with --frame.",
        )
    if not prints[0].length:
        raise Failed(
            f"The target's cached vector ({prints[0].label} in {prints[0].frame}) points nowhere: {health(prints)[0]}.",
            hint="--layer reads the other layer's; another --group has it from another build.",
        )
    return values[0], prints[0]


def _lines(prints: Sequence[Phenoprint], values: Matrix, aim: Matrix, threshold: float) -> tuple[Line, ...]:
    projected = project(values, aim)
    compounds: dict[tuple[str, str], list[Point]] = {}
    for one, along, away in zip(prints, projected.projection, projected.rejection, strict=True):
        cosine = along / one.length if one.length else None
        point = Point(one, _known(along), _known(away), _known(cosine))
        compounds.setdefault((one.pert, one.frame), []).append(point)
    return tuple(Line(pert, heading(points, threshold), tuple(points)) for (pert, _), points in compounds.items())


def _known(value: float | None) -> float | None:
    return None if value is None or value != value else round(float(value), 6)
