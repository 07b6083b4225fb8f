"""The map's heatmap of chosen perturbations: the cosine similarity of each pair, from the cached vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from toolkit.cache.map.chosen_vectors import Missing, health, not_there, open_frames
from toolkit.cache.map.map_frames import Wanted
from toolkit.cache.map.named_frame import Phenoprint
from toolkit.cache.map.similarity import clustered, cosines
from toolkit.progress import SILENT, Progress
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.cache.map.similarity import Matrix
    from toolkit.systems.connections import Connections

Order = Literal["as-typed", "clustered"]
Cells = tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True)
class Heatmap:
    """`matrix[a][b]` is the cosine similarity of perts a and b, None where one of them points nowhere.

    `bytes_read` of the `bytes_total` of `frames` were read. `missing` is what was asked for and is not there.
    """

    group: str
    layer: str
    frames: tuple[str, ...]
    order: Order
    perts: tuple[Phenoprint, ...]
    matrix: Cells
    missing: tuple[Missing, ...]
    bytes_read: int
    bytes_total: int
    warnings: tuple[str, ...] = ()


def heatmap(
    connections: Connections,
    queries: Sequence[str],
    wanted: Wanted,
    progress: Progress = SILENT,
    *,
    at: float | None = None,
    order: Order = "as-typed",
) -> Heatmap:
    """The similarities of what `queries` name; a compound without a concentration is one row for each it has, or the
    one `at` (µM).

    Raises NotFound where nothing of it is there, and what open_frames and its frames raise.
    """
    with open_frames(connections, wanted, progress) as frames:
        looked = frames.look_up(queries, at)
        if not looked.rows:
            raise not_there(looked.missing)
        prints, values = frames.read(looked.rows)
        matrix = cosines(values)
        if order == "clustered":
            rows = clustered(matrix)
            prints, matrix = [prints[row] for row in rows], matrix[rows][:, rows]
        return Heatmap(
            shown(frames.source.group),
            frames.source.layer,
            frames.names,
            order,
            tuple(prints),
            cells(matrix),
            looked.missing,
            frames.bytes_read,
            frames.bytes_total,
            (*frames.source.notes, *frames.notes, *looked.notes, *health(prints)),
        )


def cells(matrix: Matrix) -> Cells:
    """A matrix for people and JSON: to six digits, which is what float32 vectors give; None for NaN."""
    return tuple(tuple(None if value != value else round(float(value), 6) for value in row) for row in matrix)
