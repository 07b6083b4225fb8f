"""How alike vectors are: the formulas behind the map's pictures, on plain matrices. What lies where is not known here.

Everything is computed in float64 from the vectors as they are cached: (rows, dimension), which should have length 1.
Where a vector is zero or holds NaN or infinity it points nowhere, and what depends on its direction is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix: TypeAlias = NDArray[np.float64]

TOLERANCE: Final = 1e-3  # by which a length may differ from 1: float32, and once more rounded on its way
DRAWS: Final = 1000
_TRIES: Final = 4  # times as many draws as are wanted, for those that hold a pert twice


def lengths(vectors: Matrix) -> Matrix:
    """The Euclidean length of each row, (rows,); NaN where a value is no finite number."""
    import numpy as np

    largest = np.max(np.abs(vectors), axis=-1, initial=0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Scaled first: squares of very small and very large values would be 0 and infinity.
        scaled = np.linalg.norm(vectors / np.where(largest > 0, largest, 1.0)[:, None], axis=-1) * largest
    return np.where(np.isfinite(vectors).all(axis=-1), scaled, np.nan)


def directions(vectors: Matrix) -> Matrix:
    """Each row with length 1; NaN where it points nowhere."""
    import numpy as np

    largest = np.max(np.abs(vectors), axis=-1, initial=0.0)[:, None]
    pointing = np.isfinite(vectors).all(axis=-1, keepdims=True) & (largest > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = np.where(pointing, vectors / largest, np.nan)
        result: Matrix = scaled / np.linalg.norm(scaled, axis=-1, keepdims=True)
    return result


def cosines(vectors: Matrix) -> Matrix:
    """The cosine similarity of each pair of rows, (rows, rows): v·w / (|v| |w|), from -1 (opposite) to 1 (the same).

    It is a cell of the map's heatmap: red is similar, blue is opposite.
    """
    import numpy as np

    units = directions(vectors)
    matrix: Matrix = np.clip(units @ units.T, -1.0, 1.0)
    return (matrix + matrix.T) / 2  # a product need not be symmetric to the last bit


@dataclass(frozen=True)
class Projected:
    """Where vectors lie as seen from a target: `projection` along it and `rejection` away from it, (rows,) each."""

    projection: Matrix
    rejection: Matrix


def project(vectors: Matrix, target: Matrix) -> Projected:
    """Each row v as projection v·t and rejection |v - (v·t) t|, t being the direction of `target`, (dimension,).

    Vector rejection, as in any textbook of linear algebra; the axes are those of the app's projection/rejection plot.
    Only the target is brought to length 1, so projection² + rejection² = |v|²: cached vectors of length 1 lie on the
    circle around the origin, and one beside it shows that it is none. A control has no part of the target: (0, 1).
    """
    import numpy as np

    unit = directions(target[None, :])[0]
    along = vectors @ unit
    away = np.linalg.norm(vectors - along[:, None] * unit, axis=-1)
    return Projected(along, away)


def pairs(matrix: Matrix) -> Matrix:
    """The values above the diagonal of a (rows, rows) matrix, row by row, without NaN."""
    import numpy as np

    values: Matrix = matrix[np.triu_indices(len(matrix), 1)]
    return values[~np.isnan(values)]


def by_chance(pools: Sequence[Matrix], owners: Sequence[Sequence[str]], seed: int, draws: int = DRAWS) -> Matrix:
    """Mean pairwise cosines between *different* perturbations, one drawn at random from each pool: (at most `draws`,).

    A pool holds vectors (rows, dimension) of one experiment, and `owners` says whose each row is; so a draw looks like
    one perturbation's replicates, and is not. With n directions u the mean over all pairs is
    (|Σu|² - n) / (n (n - 1)). Empty where the pools cannot give different perturbations.

    After the null distribution of perturbation signal consistency in recursionpharma/EFAAR_benchmarking; there it is
    made of any rows, here one from each experiment, so that what experiments do to all their rows is in it as well.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    numbers: dict[str, int] = {}
    summed: Matrix | None = None
    drawn_owners = []
    for pool, whose in zip(pools, owners, strict=True):
        units = directions(pool)
        usable = np.flatnonzero(~np.isnan(units).any(axis=-1))
        if not len(usable):
            return np.empty(0)
        drawn = usable[rng.integers(len(usable), size=draws * _TRIES)]
        summed = units[drawn] if summed is None else summed + units[drawn]
        known = np.array([numbers.setdefault(owner, len(numbers)) for owner in whose])
        drawn_owners.append(known[drawn])
    if summed is None or len(pools) < 2:
        return np.empty(0)
    in_order = np.sort(np.stack(drawn_owners), axis=0)
    different = summed[~(in_order[1:] == in_order[:-1]).any(axis=0)][:draws]
    count = len(pools)
    means: Matrix = (np.einsum("ij,ij->i", different, different) - count) / (count * (count - 1))
    return means


def clustered(matrix: Matrix) -> list[int]:
    """The rows of a matrix of cosines in an order in which like stand beside like.

    Agglomerative clustering by average linkage (UPGMA, Sokal and Michener 1958); of two clusters that are joined, one
    is turned round where that brings their more similar ends together. Rows that point nowhere come last.
    """
    import numpy as np

    nowhere = np.flatnonzero(np.isnan(np.diag(matrix)))
    clusters = {row: [row] for row in range(len(matrix)) if row not in nowhere}
    alike = matrix.copy()
    np.fill_diagonal(alike, -np.inf)
    alike[nowhere, :] = alike[:, nowhere] = -np.inf
    while len(clusters) > 1:
        first, second = (int(at) for at in np.unravel_index(int(np.argmax(alike)), alike.shape))
        one, other = clusters.pop(first), clusters.pop(second)
        sizes = len(one), len(other)
        merged = (alike[first] * sizes[0] + alike[second] * sizes[1]) / sum(sizes)
        alike[first], alike[:, first] = merged, merged
        alike[second, :] = alike[:, second] = alike[first, first] = -np.inf
        ends = [(a, b) for a in (one, one[::-1]) for b in (other, other[::-1])]
        left, right = max(ends, key=lambda pair: matrix[pair[0][-1], pair[1][0]])
        clusters[first] = left + right
    return [row for rows in clusters.values() for row in rows] + [int(row) for row in nowhere]
