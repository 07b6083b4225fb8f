"""The map's pictures as pages, for whichever face shows them: headline, drawing and legend in a terminal; and how the
same is drawn into a file. What the pictures say is computed in cache/map."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from toolkit import figures
from toolkit.cache.search.matching import micromolar
from toolkit.cache.stored import LAYERS
from toolkit.pictures import matrix, plane
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.text import Text

    from toolkit.cache.map.consistency import Consistency, Replicates
    from toolkit.cache.map.heatmap import Cells, Heatmap
    from toolkit.cache.map.named_frame import Phenoprint
    from toolkit.cache.map.projection import Point, Projection

VERDICTS: Final = {"agree": "green", "weak": "yellow", "disagree": "red", "unknown": "yellow"}
HEADINGS: Final = {"toward": "toward it", "away": "away from it", "neither": "neither", "unknown": "unknown"}
_WIDEST_PLANE: Final = 100
_LOWEST_PLANE: Final = 16


def heatmap(found: Heatmap, width: int) -> list[Text]:
    """The matrix with its legend."""
    from rich.text import Text

    labels = [label(one, found.frames) for one in found.perts]
    return [
        *headline("Cosine similarity", found),
        *matrix.drawn(labels, found.matrix, width),
        Text(),
        matrix.legend(labels, width),
    ]


def projection(found: Projection, width: int, height: int = 0) -> list[Text]:
    """The plane, in `height` lines where that is given; what its letters are, the caller says in a table (`points`)."""
    from rich.text import Text

    drawn = [[where for point in line.points if (where := place(point))] for line in found.lines]
    width = min(width, _WIDEST_PLANE)
    above = headline(f"Seen from {found.target.label}", found)
    usual = max(_LOWEST_PLANE, width // 4)
    high = min(usual, max(_LOWEST_PLANE, height - len(above) - 1)) if height else usual
    return [
        *above,
        *plane.drawn(drawn, width, high),
        Text(f"{'projection on ' + found.target.label + ' →':>{width}}", style="dim"),
    ]


def points(found: Projection) -> list[tuple[str, str, str, str, str, str, str]]:
    """Each point of the plane: its letter, the compound (once a line), µM, projection, rejection, cosine, heading."""
    rows = []
    for number, line in enumerate(found.lines):
        for point in line.points:
            first, last = point is line.points[0], point is line.points[-1]
            rows.append(
                (
                    plane.letter(number).upper() if last else plane.letter(number),
                    line.pert if first else "",
                    amount(point.pert.concentration),
                    signed(point.projection),
                    signed(point.rejection).lstrip("+"),
                    signed(point.cosine),
                    HEADINGS[line.heading] if last else "",
                )
            )
    return rows


def consistency(found: Consistency, width: int) -> list[Text]:
    """A verdict and a matrix for each pert, and one legend."""
    from rich.text import Text

    parts = headline("Replicates by experiment", found)
    for one in found.replicates:
        verdict = Text(f"{one.label}: {one.verdict}", style=f"bold {VERDICTS[one.verdict]}")
        apart = f"; {shown(one.apart)} is least like the others" if one.apart and one.verdict != "agree" else ""
        parts += [Text(), *_told(verdict, f"{one.why}{apart}", width)]
        if len(one.perts) > 1:
            parts += matrix.drawn(experiments(one), one.matrix, width)
    longest = max(map(experiments, found.replicates), key=len)
    return [*parts, Text(), matrix.legend(longest, width)]


def _told(verdict: Text, why: str, width: int) -> list[Text]:
    """The verdict and its reason on one line, or the reason below where that is too long."""
    from rich.text import Text

    if verdict.cell_len + 2 + len(why) <= width:
        return [verdict + Text(f"  {why}", style="not bold default")]
    return [verdict, *(Text(f"  {line}") for line in textwrap.wrap(why, max(width - 2, 20)))]


def verdicts(found: Consistency) -> list[tuple[str, str, str, str, str, str, str]]:
    """Each pert: its verdict, mean and least cosine, experiments, what chance makes of it, and p."""
    return [
        (
            one.label,
            one.verdict,
            signed(one.mean),
            signed(one.least),
            str(one.experiments),
            signed(one.chance.mean if one.chance else None),
            f"{one.chance.p:.2g}" if one.chance else "?",
        )
        for one in found.replicates
    ]


def heatmap_file(found: Heatmap) -> Callable[[Figure], None]:
    from toolkit.pictures import files

    return files.heatmap([one.label for one in found.perts], found.matrix, title("Cosine similarity", found))


def projection_file(found: Projection) -> Callable[[Figure], None]:
    from toolkit.pictures import files

    return files.plane(lines(found), found.target.label, title(f"Seen from {found.target.label}", found))


def consistency_file(found: Consistency) -> Callable[[Figure], None]:
    from toolkit.pictures import files

    return files.strips(blocks(found), title("Replicates by experiment", found))


def lines(found: Projection) -> list[tuple[str, list[tuple[plane.Point, str]]]]:
    """The lines as plane draws them into a file."""
    return [
        (
            f"{line.pert}: {HEADINGS[line.heading]}",
            [(where, _micromolar(point)) for point in line.points if (where := place(point))],
        )
        for line in found.lines
    ]


def blocks(found: Consistency) -> list[tuple[str, list[str], Cells]]:
    """A heatmap for each pert, as a file has them."""
    return [(f"{one.label}: {one.verdict}", experiments(one), one.matrix) for one in found.replicates]


def title(what: str, found: Heatmap | Projection | Consistency) -> str:
    """A file's title, in two lines."""
    return f"{what}: {found.group} in {LAYERS[found.layer]}\n{', '.join(found.frames)}"


def read(found: Heatmap | Projection | Consistency) -> str:
    """How much was read of how much, and where."""
    share = f" ({found.bytes_read / found.bytes_total:.1%})" if found.bytes_total else ""
    frames = ", ".join(found.frames)
    return f"Read {figures.size(found.bytes_read)} of {figures.size(found.bytes_total)}{share}: {frames}."


def headline(what: str, found: Heatmap | Projection | Consistency) -> list[Text]:
    from rich.text import Text

    return [
        Text(f"{what}: {found.group} in {LAYERS[found.layer]}", style="bold"),
        Text(", ".join(found.frames), style="dim"),
    ]


def label(one: Phenoprint, frames: Sequence[str]) -> str:
    """With its frame where the same pert may come from several."""
    alike = len({frame.partition("_")[0] for frame in frames}) < len(frames)
    return f"{one.label} {one.frame}" if alike else one.label


def experiments(one: Replicates) -> list[str]:
    return [shown(replicate.experiment or replicate.label) for replicate in one.perts]


def place(point: Point) -> plane.Point | None:
    """Where it is on the plane; None where its vector points nowhere."""
    return None if point.projection is None or point.rejection is None else (point.projection, point.rejection)


def amount(concentration: float | None) -> str:
    return "" if concentration is None else f"{concentration:g}"


def signed(value: float | None) -> str:
    return "?" if value is None else matrix.cell(value, 3)


def _micromolar(point: Point) -> str:
    return "" if point.pert.concentration is None else micromolar(point.pert.concentration)
