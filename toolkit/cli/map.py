"""`toolkit map heatmap | projection | consistency`: the map's pictures, from the cached vectors alone.

What a picture says is computed in cache/ and drawn in pictures/; here it is asked for and handed on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.cli import diagnostics, map_tables, options, output
from toolkit.cli.apps import command_group
from toolkit.cli.diagnostics import printable
from toolkit.cli.opening import opened
from toolkit.cli.output import Format
from toolkit.cli.typed_perts import FromFile, Perts, typed
from toolkit.errors import ExitCode

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from toolkit.cache.map.consistency import Consistency
    from toolkit.cache.map.heatmap import Heatmap
    from toolkit.cache.map.map_frames import Wanted
    from toolkit.cache.map.projection import Projection

app = command_group("What the map should show, from the cached vectors: heatmap, projection, consistency.")


class Order(StrEnum):
    AS_TYPED = "as-typed"
    CLUSTERED = "clustered"


class Layer(StrEnum):
    L2 = "L2"
    L3 = "L3"


Group = Annotated[
    str | None, typer.Option("--group", "-g", metavar="GROUP", help="Instead of the app's default group.")
]
InLayer = Annotated[
    Layer | None,
    typer.Option("--layer", case_sensitive=False, help="Redis (L2, which the app serves) or the bucket (L3)."),
]
Frames = Annotated[
    list[str] | None,
    typer.Option("--frame", metavar="FRAME", help="Use this frame, whatever its name says (may be repeated)."),
]
Normalized = Annotated[bool, typer.Option("--normalized/--raw", help="Normalized frames, or raw ones.")]
Split = Annotated[bool, typer.Option("--split-by/--no-split-by", help="Each experiment by itself, or all aggregated.")]
At = Annotated[
    float | None,
    typer.Option("--at", metavar="µM", min=0, help="Compounds typed without a concentration: at this one only."),
]
To = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Also as a picture: a .png or .svg file.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the file that is there.")]


@app.command("heatmap")
def heatmap(
    perts: Perts = None,
    file: FromFile = None,
    order: Annotated[Order, typer.Option("--order", help="Rows as typed, or like beside like.")] = Order.AS_TYPED,
    at: At = None,
    group: Group = None,
    normalized: Normalized = True,
    split: Split = False,
    frames: Frames = None,
    layer: InLayer = None,
    to: To = None,
    overwrite: Overwrite = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """How alike perts are: the cosine similarity of each pair of vectors. Red is similar, blue is opposite.

    Genes and compounds may stand beside each other. Exit code 0: each is there; 1: not.
    """
    queries = typed(perts, file, example="toolkit map heatmap KRAS BRAF NF1 'REC-0000123 at 3'")
    from toolkit.cache.map import heatmap as core
    from toolkit.pictures import map_pages

    _check(to, overwrite)
    with opened(env) as connections, diagnostics.watching() as progress:
        wanted = _wanted(group, layer, frames, split, normalized)
        found = core.heatmap(connections, queries, wanted, progress, at=at, order=order.value)
    match form:
        case Format.PLAIN:
            output.rows(list(zip(found.perts, found.matrix, strict=True)), map_tables.heatmap_columns(found), form)
        case _:
            output.document(found, form, lambda: map_tables.heatmap(found))
    if to is not None:
        _save(to, map_pages.heatmap_file(found), overwrite)
    _end(found, form)


@app.command("projection")
def projection(
    target: Annotated[
        str, typer.Option("--target", "-t", metavar="PERT", help="The gene (or compound at a concentration) aimed at.")
    ],
    compounds: Perts = None,
    file: FromFile = None,
    group: Group = None,
    normalized: Normalized = True,
    frames: Frames = None,
    layer: InLayer = None,
    to: To = None,
    overwrite: Overwrite = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Do compounds come nearer to a target as their concentration rises? Projection and rejection of each vector.

    (0, 1) is the control; a line that runs down and to the right, toward the target, is phenosimilar. Exit code 0: each
    is there; 1: not.
    """
    queries = typed(compounds, file, example="toolkit map projection REC-0000123 --target MTOR")
    from toolkit.cache.map import projection as core
    from toolkit.pictures import map_pages

    _check(to, overwrite)
    with opened(env) as connections, diagnostics.watching() as progress:
        wanted = _wanted(group, layer, frames, False, normalized)
        found = core.projection(connections, queries, target, wanted, progress)
    match form:
        case Format.PLAIN:
            points = [(line, point) for line in found.lines for point in line.points]
            output.rows(points, map_tables.projection_columns(), form)
        case _:
            output.document(found, form, lambda: map_tables.projection(found))
    if to is not None:
        _save(to, map_pages.projection_file(found), overwrite)
    _end(found, form)


@app.command("consistency")
def consistency(
    perts: Perts = None,
    file: FromFile = None,
    at: At = None,
    group: Group = None,
    normalized: Normalized = True,
    frames: Frames = None,
    layer: InLayer = None,
    to: To = None,
    overwrite: Overwrite = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Can a phenoprint be trusted: do a pert's replicates agree, from experiment to experiment, more than by chance?

    Exit code 0: all of them agree, if weakly; 1: one does not, cannot be compared, or is not there.
    """
    queries = typed(perts, file, example="toolkit map consistency BRCA1 TP53")
    from toolkit.cache.map import consistency as core
    from toolkit.pictures import map_pages

    _check(to, overwrite)
    with opened(env) as connections, diagnostics.watching() as progress:
        wanted = _wanted(group, layer, frames, True, normalized)
        found = core.consistency(connections, queries, wanted, progress, at=at)
    match form:
        case Format.PLAIN:
            output.rows(found.replicates, map_tables.consistency_columns(), form)
        case _:
            output.document(found, form, lambda: map_tables.consistency(found))
    if to is not None:
        _save(to, map_pages.consistency_file(found), overwrite)
    _end(found, form)
    if any(one.verdict in ("disagree", "unknown") for one in found.replicates):
        raise typer.Exit(ExitCode.FOUND_WRONG)


def _wanted(
    group: str | None, layer: Layer | None, frames: Sequence[str] | None, split: bool, normalized: bool
) -> Wanted:
    from toolkit.cache.map.map_frames import Wanted

    return Wanted(group, None if layer is None else layer.value, tuple(frames or ()), split, normalized)


def _check(to: Path | None, overwrite: bool) -> None:
    if to is not None:
        from toolkit.pictures import files

        files.check(to, overwrite=overwrite)


def _save(to: Path, draw: Callable[[Figure], None], overwrite: bool) -> None:
    from toolkit.pictures import files

    files.save(to, draw, overwrite=overwrite)
    diagnostics.narrate(f"Wrote {printable(str(to))}.")


def _end(found: Heatmap | Projection | Consistency, form: Format) -> None:
    """Warnings, bytes, and what is not there; then its exit code."""
    from toolkit.cache.map.chosen_vectors import not_there
    from toolkit.pictures import map_pages

    _warn(found.warnings)
    if form is Format.TABLE:
        diagnostics.narrate(map_pages.read(found), "dim")
    if found.missing:
        problem = not_there(found.missing)
        diagnostics.error(problem)
        raise typer.Exit(problem.exit_code)


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        diagnostics.warn(printable(warning))
