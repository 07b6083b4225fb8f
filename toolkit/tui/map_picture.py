"""A picture of the map for the terminal app: asked for from the core, with how it is drawn here and into a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.tui.picture_query import PictureQuery

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.text import Text

    from toolkit.cache.map.chosen_vectors import Missing
    from toolkit.progress import Progress
    from toolkit.systems.connections import Connections

COLOURS = "red: similar (+1)   white: unrelated (0)   blue: opposite (-1)"
PLANE = "○ is the control; a line down and to the right heads toward the target"


@dataclass(frozen=True)
class Picture:
    """`draw` gives the lines for a width and (as far as it can) a height; `table` is (headings, rows) of what the
    picture cannot say exactly. `signs` says in words what its colours and signs mean, `read` how much was read."""

    query: PictureQuery
    draw: Callable[[int, int], list[Text]]
    to_file: Callable[[Figure], None]
    signs: str
    read: str
    table: tuple[Sequence[str], Sequence[Sequence[str]]] = ((), ())
    missing: tuple[Missing, ...] = ()
    warnings: tuple[str, ...] = ()


def picture(connections: Connections, group: str, query: PictureQuery, progress: Progress) -> Picture:
    """The picture that `query` asks for. Raises as the core's heatmap, projection and consistency do."""
    from toolkit.cache.map import consistency, heatmap, projection
    from toolkit.cache.map.map_frames import Wanted
    from toolkit.pictures import map_pages

    split = query.kind == "consistency" or query.split
    wanted = Wanted(group, query.layer, query.frames, split, query.normalized)
    if query.kind == "heatmap":
        map_ = heatmap.heatmap(connections, query.perts, wanted, progress, at=query.at, order=query.order)
        return Picture(
            query,
            lambda width, _: map_pages.heatmap(map_, width),
            map_pages.heatmap_file(map_),
            COLOURS,
            map_pages.read(map_),
            missing=map_.missing,
            warnings=map_.warnings,
        )
    if query.kind == "projection":
        plane = projection.projection(connections, query.perts, query.target, wanted, progress)
        return Picture(
            query,
            lambda width, height: map_pages.projection(plane, width, height),
            map_pages.projection_file(plane),
            PLANE,
            map_pages.read(plane),
            (("", "compound", "µM", "projection", "rejection", "cosine", "heads"), map_pages.points(plane)),
            plane.missing,
            plane.warnings,
        )
    replicates = consistency.consistency(connections, query.perts, wanted, progress, at=query.at)
    return Picture(
        query,
        lambda width, _: map_pages.consistency(replicates, width),
        map_pages.consistency_file(replicates),
        COLOURS,
        map_pages.read(replicates),
        (("pert", "verdict", "mean", "least", "experiments", "chance", "p"), map_pages.verdicts(replicates)),
        replicates.missing,
        replicates.warnings,
    )
