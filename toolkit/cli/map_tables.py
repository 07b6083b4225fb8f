"""What `toolkit map …` prints: the pictures for a terminal, with their tables; and plain columns."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.cli import output
from toolkit.cli.output import Column
from toolkit.pictures import map_pages

if TYPE_CHECKING:
    from rich.console import RenderableType

    from toolkit.cache.map.consistency import Consistency
    from toolkit.cache.map.heatmap import Heatmap
    from toolkit.cache.map.projection import Projection

_PIPED = 1000  # columns: nothing is broken into parts where a program reads


def heatmap(found: Heatmap) -> Sequence[RenderableType]:
    return map_pages.heatmap(found, _width())


def projection(found: Projection) -> Sequence[RenderableType]:
    from rich.text import Text

    columns = [
        Column("", lambda row: row[0]),
        Column("compound", lambda row: row[1]),
        Column("µM", lambda row: row[2], right=True),
        Column("projection", lambda row: row[3], right=True),
        Column("rejection", lambda row: row[4], right=True),
        Column("cosine", lambda row: row[5], right=True),
        Column("heads", lambda row: row[6]),
    ]
    return [*map_pages.projection(found, _width()), Text(), output.table(map_pages.points(found), columns)]


def consistency(found: Consistency) -> Sequence[RenderableType]:
    from rich.text import Text

    columns = [
        Column("pert", lambda row: row[0]),
        Column("verdict", lambda row: row[1], style=lambda row: map_pages.VERDICTS[row[1]]),
        Column("mean", lambda row: row[2], right=True),
        Column("least", lambda row: row[3], right=True),
        Column("experiments", lambda row: row[4], right=True),
        Column("chance", lambda row: row[5], right=True),
        Column("p", lambda row: row[6], right=True),
    ]
    return [*map_pages.consistency(found, _width()), Text(), output.table(map_pages.verdicts(found), columns)]


def heatmap_columns(found: Heatmap) -> list[Column]:
    """A row of the matrix: whose it is, then its similarities."""

    def at(column: int) -> Callable[[Any], str]:
        return lambda row: "" if row[1][column] is None else f"{row[1][column]:.6f}"

    return [
        Column("pert", lambda row: row[0].pert),
        Column("concentration", lambda row: map_pages.amount(row[0].concentration)),
        Column("experiment", lambda row: row[0].experiment or ""),
        Column("frame", lambda row: row[0].frame),
        *(Column(str(column + 1), at(column)) for column in range(len(found.perts))),
    ]


def projection_columns() -> list[Column]:
    return [
        Column("compound", lambda row: row[0].pert),
        Column("concentration", lambda row: map_pages.amount(row[1].pert.concentration)),
        Column("projection", lambda row: _bare(row[1].projection)),
        Column("rejection", lambda row: _bare(row[1].rejection)),
        Column("cosine", lambda row: _bare(row[1].cosine)),
        Column("heading", lambda row: row[0].heading),
    ]


def consistency_columns() -> list[Column]:
    return [
        Column("pert", lambda one: one.pert),
        Column("concentration", lambda one: map_pages.amount(one.concentration)),
        Column("verdict", lambda one: one.verdict),
        Column("experiments", lambda one: str(one.experiments)),
        Column("mean", lambda one: _bare(one.mean)),
        Column("least", lambda one: _bare(one.least)),
        Column("p", lambda one: "" if one.chance is None else f"{one.chance.p:g}"),
    ]


def _bare(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _PIPED
