"""What `toolkit map …` prints: the pictures for a terminal, with their headlines and tables; and plain columns."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from toolkit import figures
from toolkit.cache.search.matching import micromolar
from toolkit.cache.stored import LAYERS
from toolkit.cli import output
from toolkit.cli.output import Column
from toolkit.pictures import matrix, plane
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from toolkit.cache.map.consistency import Consistency, Replicates
    from toolkit.cache.map.heatmap import Cells, Heatmap
    from toolkit.cache.map.named_frame import Phenoprint
    from toolkit.cache.map.projection import Line, Point, Projection

_PIPED = 1000  # columns: nothing is broken into parts where a program reads
_VERDICTS = {"agree": "green", "weak": "yellow", "disagree": "red", "unknown": "yellow"}
_HEADINGS = {"toward": "toward it", "away": "away from it", "neither": "neither", "unknown": "unknown"}


def heatmap(found: Heatmap) -> Sequence[RenderableType]:
    from rich.text import Text

    labels = [_label(one, found.frames) for one in found.perts]
    headline = _headline("Cosine similarity", found)
    return [*headline, *matrix.drawn(labels, found.matrix, _width()), Text(), matrix.legend(labels, _width())]


def projection(found: Projection) -> Sequence[RenderableType]:
    from rich.text import Text

    drawn = [[place for point in line.points if (place := _place(point))] for line in found.lines]
    parts: list[RenderableType] = [*_headline(f"Seen from {found.target.label}", found)]
    width = min(_width(), 100)
    parts += plane.drawn(drawn, width, max(16, width // 4))
    parts += [Text(f"{'projection on ' + found.target.label + ' →':>{width}}", style="dim"), Text()]
    rows = [(number, line, point) for number, line in enumerate(found.lines) for point in line.points]
    columns = [
        Column("", lambda row: _mark(*row)),
        Column("compound", lambda row: row[1].pert if row[2] is row[1].points[0] else ""),
        Column("µM", lambda row: _amount(row[2].pert.concentration), right=True),
        Column("projection", lambda row: _signed(row[2].projection), right=True),
        Column("rejection", lambda row: _signed(row[2].rejection).lstrip("+"), right=True),
        Column("cosine", lambda row: _signed(row[2].cosine), right=True),
        Column("heads", lambda row: _HEADINGS[row[1].heading] if row[2] is row[1].points[-1] else ""),
    ]
    parts.append(output.table(rows, columns))
    return parts


def consistency(found: Consistency) -> Sequence[RenderableType]:
    from rich.text import Text

    parts: list[RenderableType] = [*_headline("Replicates by experiment", found)]
    for one in found.replicates:
        verdict = Text(f"{one.label}: {one.verdict}", style=f"bold {_VERDICTS[one.verdict]}")
        apart = f"; {shown(one.apart)} is least like the others" if one.apart and one.verdict != "agree" else ""
        parts += [Text(), verdict + Text(f"  {one.why}{apart}", style="not bold default")]
        if len(one.perts) > 1:
            parts += matrix.drawn(_experiments(one), one.matrix, _width())
    longest = max(map(_experiments, found.replicates), key=len)
    parts += [Text(), matrix.legend(longest, _width()), Text(), output.table(found.replicates, _summary())]
    return parts


def heatmap_columns(found: Heatmap) -> list[Column]:
    """A row of the matrix: whose it is, then its similarities."""

    def at(column: int) -> Callable[[Any], str]:
        return lambda row: "" if row[1][column] is None else f"{row[1][column]:.6f}"

    return [
        Column("pert", lambda row: row[0].pert),
        Column("concentration", lambda row: _amount(row[0].concentration)),
        Column("experiment", lambda row: row[0].experiment or ""),
        Column("frame", lambda row: row[0].frame),
        *(Column(str(column + 1), at(column)) for column in range(len(found.perts))),
    ]


def projection_columns() -> list[Column]:
    return [
        Column("compound", lambda row: row[0].pert),
        Column("concentration", lambda row: _amount(row[1].pert.concentration)),
        Column("projection", lambda row: _bare(row[1].projection)),
        Column("rejection", lambda row: _bare(row[1].rejection)),
        Column("cosine", lambda row: _bare(row[1].cosine)),
        Column("heading", lambda row: row[0].heading),
    ]


def consistency_columns() -> list[Column]:
    return [
        Column("pert", lambda one: one.pert),
        Column("concentration", lambda one: _amount(one.concentration)),
        Column("verdict", lambda one: one.verdict),
        Column("experiments", lambda one: str(one.experiments)),
        Column("mean", lambda one: _bare(one.mean)),
        Column("least", lambda one: _bare(one.least)),
        Column("p", lambda one: "" if one.chance is None else f"{one.chance.p:g}"),
    ]


def lines(found: Projection) -> list[tuple[str, list[tuple[plane.Point, str]]]]:
    """The lines as plane draws them into a file."""
    return [
        (
            f"{line.pert}: {_HEADINGS[line.heading]}",
            [(place, _micromolar(point)) for point in line.points if (place := _place(point))],
        )
        for line in found.lines
    ]


def blocks(found: Consistency) -> list[tuple[str, list[str], Cells]]:
    """A heatmap for each pert, as a file has them."""
    return [(f"{one.label}: {one.verdict}", _experiments(one), one.matrix) for one in found.replicates]


def title(what: str, found: Heatmap | Projection | Consistency) -> str:
    """A file's title, in two lines."""
    return f"{what}: {found.group} in {LAYERS[found.layer]}\n{', '.join(found.frames)}"


def read(found: Heatmap | Projection | Consistency) -> str:
    """How much was read of how much, and where."""
    share = f" ({found.bytes_read / found.bytes_total:.1%})" if found.bytes_total else ""
    frames = ", ".join(found.frames)
    return f"Read {figures.size(found.bytes_read)} of {figures.size(found.bytes_total)}{share}: {frames}."


def _headline(what: str, found: Heatmap | Projection | Consistency) -> list[Text]:
    from rich.text import Text

    return [
        Text(f"{what}: {found.group} in {LAYERS[found.layer]}", style="bold"),
        Text(", ".join(found.frames), style="dim"),
    ]


def _label(one: Phenoprint, frames: Sequence[str]) -> str:
    """With its frame where the same pert may come from several."""
    alike = len({frame.partition("_")[0] for frame in frames}) < len(frames)
    return f"{one.label} {one.frame}" if alike else one.label


def _experiments(one: Replicates) -> list[str]:
    return [shown(replicate.experiment or replicate.label) for replicate in one.perts]


def _summary() -> list[Column]:
    return [
        Column("pert", lambda one: one.label),
        Column("verdict", lambda one: one.verdict, style=lambda one: _VERDICTS[one.verdict]),
        Column("mean", lambda one: _signed(one.mean), right=True),
        Column("least", lambda one: _signed(one.least), right=True),
        Column("experiments", lambda one: str(one.experiments), right=True),
        Column("chance", lambda one: _signed(one.chance.mean if one.chance else None), right=True),
        Column("p", lambda one: f"{one.chance.p:.2g}" if one.chance else "?", right=True),
    ]


def _mark(number: int, line: Line, point: Point) -> str:
    mark = plane.letter(number)
    return mark.upper() if point is line.points[-1] else mark


def _place(point: Point) -> plane.Point | None:
    return None if point.projection is None or point.rejection is None else (point.projection, point.rejection)


def _micromolar(point: Point) -> str:
    return "" if point.pert.concentration is None else micromolar(point.pert.concentration)


def _amount(concentration: float | None) -> str:
    return "" if concentration is None else f"{concentration:g}"


def _signed(value: float | None) -> str:
    return "?" if value is None else matrix.cell(value, 3)


def _bare(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _PIPED
