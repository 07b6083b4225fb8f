"""What two sides differ in: the values, and how they follow from perts and cosines. Nothing is read here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from toolkit.cache.group_frames import LayerName

if TYPE_CHECKING:
    from toolkit.cache.perturbations import Perts
    from toolkit.cache.row_keys import Treatment

MOVED: Final = 0.9  # a cosine below it is a move
_QUANTILES: Final = (0, 5, 25, 50, 75, 95, 100)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: a group, in one layer."""

    group: str
    layer: LayerName


@dataclass(frozen=True, slots=True)
class Named:
    """A pert that one side has and the other has not."""

    pert: str
    kind: str


@dataclass(frozen=True, slots=True)
class Concentrations:
    """A pert of both sides whose concentrations (µM) are others."""

    pert: str
    kind: str
    added: tuple[float, ...]
    removed: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """A pert whose vector is another one in B than in A: `cosine` between the two."""

    pert: str
    kind: str
    concentration: float | None
    cosine: float


@dataclass(frozen=True)
class FrameDifference:
    """One frame that both sides hold. Of the `vectors` that were compared `moved` have a cosine below the threshold;
    the `worst` of these stand here. `quantiles` of all cosines are p0 to p100.

    `not_comparable` are vectors that hold NaN, are all zeros or of the wrong length on one side. `unreadable` says why
    nothing is known.
    """

    frame: str
    split: bool = False
    perts: int = 0
    vectors: int = 0
    moved: int = 0
    median: float | None = None
    quantiles: Mapping[str, float] = field(default_factory=dict)
    worst: tuple[Moved, ...] = ()
    not_comparable: int = 0
    unreadable: str = ""


@dataclass(frozen=True)
class NameDifference:
    """What B has and A has not was added, the other way round removed."""

    added: tuple[Named, ...]
    removed: tuple[Named, ...]
    concentrations: tuple[Concentrations, ...]


def names_apart(pairs: Iterable[tuple[Perts, Perts]]) -> NameDifference:
    """The perts and concentrations in which A and B differ, over all pairs of frames (of A, of B) together."""
    a: dict[Named, set[float]] = {}
    b: dict[Named, set[float]] = {}
    for here, there in pairs:
        for side, perts in ((a, here), (b, there)):
            for name, kind, concentrations in zip(perts.names, perts.kinds, perts.concentrations, strict=True):
                side.setdefault(Named(name, kind), set()).update(concentrations)
    changed = [
        Concentrations(one.pert, one.kind, tuple(sorted(b[one] - a[one])), tuple(sorted(a[one] - b[one])))
        for one in a.keys() & b.keys()
        if a[one] != b[one]
    ]
    return NameDifference(
        tuple(sorted(b.keys() - a.keys(), key=_order)),
        tuple(sorted(a.keys() - b.keys(), key=_order)),
        tuple(sorted(changed, key=_order)),
    )


def vectors_apart(
    difference: FrameDifference, cosines: Mapping[Treatment, float], wanted: int, moved_below: float, limit: int
) -> FrameDifference:
    """The difference of a frame with what the `cosines` say of its vectors; `wanted` were to be compared."""
    import numpy as np

    if not cosines:
        return replace(difference, not_comparable=wanted)
    values = np.fromiter(cosines.values(), dtype=np.float64, count=len(cosines))
    at = np.percentile(values, _QUANTILES)
    moved = [(cosine, what) for what, cosine in cosines.items() if cosine < moved_below]
    moved.sort(key=lambda one: (one[0], one[1][0], one[1][2] or 0.0))
    return replace(
        difference,
        vectors=len(cosines),
        moved=len(moved),
        median=round(float(at[_QUANTILES.index(50)]), 6),
        quantiles={f"p{share}": round(float(value), 6) for share, value in zip(_QUANTILES, at, strict=True)},
        worst=tuple(Moved(*what, round(cosine, 6)) for cosine, what in moved[:limit]),
        not_comparable=wanted - len(cosines),
    )


def _order(one: Named | Concentrations) -> tuple[str, str]:
    return one.kind, one.pert
