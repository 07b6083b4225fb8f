"""A difference between two groups as one list: each pert, concentration and vector that is another one, a line each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from toolkit.cache.inspect.comparison import Difference
    from toolkit.cache.inspect.differences import FrameDifference, Moved


@dataclass(frozen=True, slots=True)
class Change:
    """One of them. `concentration` (µM) is empty where the whole pert came or went; `frame` and `cosine` are those of
    a vector that moved."""

    change: Literal["added", "removed", "moved"]
    pert: str
    kind: str
    concentration: float | None = None
    frame: str = ""
    cosine: float | None = None


def changes(found: Difference) -> Iterator[Change]:
    """Perts added, then removed, then the concentrations of those that both have, then what moved, worst first."""
    for one in found.added:
        yield Change("added", one.pert, one.kind)
    for one in found.removed:
        yield Change("removed", one.pert, one.kind)
    for pert in found.concentrations:
        for value in pert.added:
            yield Change("added", pert.pert, pert.kind, value)
        for value in pert.removed:
            yield Change("removed", pert.pert, pert.kind, value)
    for frame, moved in worst(found):
        yield Change("moved", moved.pert, moved.kind, moved.concentration, frame.frame, moved.cosine)


def worst(found: Difference) -> list[tuple[FrameDifference, Moved]]:
    """What moved, of all frames that were compared, the farthest first."""
    every = [(frame, moved) for frame in found.frames for moved in frame.worst]
    return sorted(every, key=lambda one: (one[1].cosine, one[1].pert, one[0].frame))
