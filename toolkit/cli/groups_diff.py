"""`toolkit groups diff`: two groups against each other, or one group in Redis against the bucket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import figures
from toolkit.cache.inspect.changes import changes, worst
from toolkit.cache.inspect.differences import MOVED
from toolkit.cache.stored import LAYERS
from toolkit.cli import diagnostics, options, output
from toolkit.cli.diagnostics import printable
from toolkit.cli.opening import opened
from toolkit.cli.output import Column, Format
from toolkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from toolkit.cache.inspect.comparison import Difference
    from toolkit.cache.inspect.differences import Concentrations, Side
    from toolkit.cache.inspect.group_frames import LayerName


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="A group: what was before.")],
    b: Annotated[
        str | None,
        typer.Argument(metavar="[B]", help="A group: what is now. Without it: A in Redis and in the bucket."),
    ] = None,
    frame: Annotated[
        list[str] | None, typer.Option("--frame", metavar="FRAME", help="Only this frame; may be given several times.")
    ] = None,
    layer: Annotated[
        str | None, typer.Option("--layer", metavar="LAYER", help="Where they are read: l2, l3, or A's and B's: l2,l3.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, metavar="N", help="Show so many of each list.")] = 20,
    moved_below: Annotated[
        float, typer.Option("--moved-below", min=-1.0, max=1.0, metavar="COSINE", help="A cosine below it is a move.")
    ] = MOVED,
    names_only: Annotated[bool, typer.Option("--names-only", help="Compare no vectors: quick, and a few MB.")] = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Two groups: perts and concentrations added and removed, vectors that moved, worst first.

    Frames split by experiment are compared only if named by --frame. Exit code 0: the same; 1: different.
    """
    from toolkit.cache.inspect import comparison

    sides = _sides(layer, b)
    with opened(env) as connections, diagnostics.watching() as progress:
        found = comparison.diff(
            connections,
            a,
            a if b is None else b,
            progress,
            sides=sides,
            frames=frame or (),
            moved_below=moved_below,
            limit=limit,
            vectors=not names_only,
        )
        if not found.errors and connections.redis.address.note:
            diagnostics.warn(connections.redis.address.note)
    if form is Format.PLAIN:
        output.rows(list(changes(found)), _PLAIN, form)
    else:
        output.document(_document(found), form, lambda: _drawn(found, limit, names_only=names_only))
    if form is Format.TABLE:
        read, total = figures.size(found.bytes_read), figures.size(found.bytes_total)
        diagnostics.narrate(f"Read {read} of the {total} that the frames of both have.", "dim")
    for note in found.notes:
        diagnostics.narrate(f"! {note}", "yellow")
    for problem in found.errors:
        diagnostics.error(problem)
    if found.errors:
        raise typer.Exit(found.errors[0].exit_code)
    if not found.same:
        raise typer.Exit(ExitCode.FOUND_WRONG)


def _sides(typed: str | None, b: str | None) -> tuple[LayerName | None, LayerName | None]:
    if typed is None:
        return (None, None) if b is not None else ("L2", "L3")
    known: dict[str, LayerName] = {"l2": "L2", "l3": "L3"}
    parts = [part.strip().lower() for part in typed.split(",")]
    if len(parts) > 2 or not all(part in known for part in parts):
        raise UsageError(f"--layer {typed!r} names no layers.", hint="l2 (Redis), l3 (the bucket), or l2,l3.")
    return known[parts[0]], known[parts[-1]]


def _document(found: Difference) -> dict[str, object]:
    return {item.name: getattr(found, item.name) for item in fields(found) if item.name != "errors"}


def _drawn(found: Difference, limit: int, *, names_only: bool) -> Sequence[RenderableType]:
    from rich.text import Text

    parts: list[RenderableType] = [output.pairs([("A", _side(found.a)), ("B", _side(found.b))]), Text()]
    if not found.frames:
        parts.append(Text("No frame is in both that could be compared; --frame names others.", style="yellow"))
    else:
        parts.append(output.table(found.frames, _FRAMES if not names_only else _FRAMES[:2]))
    for label, frames in (("only A has", found.only_a), ("only B has", found.only_b)):
        if frames:
            parts.append(Text(f"! {label} {', '.join(frames)}", style="yellow"))
    for frame in found.frames:
        if frame.unreadable:
            parts.append(Text(printable(f"! {frame.frame} cannot be compared: {frame.unreadable}"), style="yellow"))
        if frame.not_comparable:
            vectors = "1 vector is" if frame.not_comparable == 1 else f"{frame.not_comparable:,} vectors are"
            text = f"! {frame.frame}: {vectors} NaN, zero or of the wrong size on one side"
            parts.append(Text(text, style="yellow"))
    for sign, style, title, names in (
        ("+", "green", "added", found.added),
        ("-", "red", "removed", found.removed),
    ):
        shown = [Text(printable(f"{sign} {one.kind} {one.pert}"), style=style) for one in names[:limit]]
        parts += _listed(f"perts {title}", shown, len(names))
    changed = [Text(printable(_changed(one))) for one in found.concentrations[:limit]]
    parts += _listed("concentrations changed (µM)", changed, len(found.concentrations))
    moved = worst(found)[:limit]
    count = sum(frame.moved for frame in found.frames)
    if moved:
        title = f"vectors that moved (cosine below {found.moved_below:g}, worst first)"
        parts += _listed(title, [output.table(moved, _MOVED)], count, len(moved))
    elif count:
        parts += [Text(), Text(f"{count:,} vectors moved; 0 of {count:,} shown")]
    if found.same:
        what = "the same perts and concentrations"
        more = "" if names_only else f", and no vector moved (cosine below {found.moved_below:g})"
        parts += [Text(), Text(f"{what}{more}", style="green")]
    return parts


def _listed(title: str, lines: Sequence[RenderableType], count: int, there: int | None = None) -> list[RenderableType]:
    """A heading with the number of all, the lines, and how many of them these are where it is not all."""
    from rich.text import Text

    if not count:
        return []
    shown = len(lines) if there is None else there
    less = [Text(f"{shown:,} of {count:,} shown; --limit shows more", style="dim")] if shown < count else []
    return [Text(), Text(f"{title}: {count:,}", style="bold"), *lines, *less]


def _changed(one: Concentrations) -> str:
    added = " ".join(f"+{value:g}" for value in one.added)
    removed = " ".join(f"-{value:g}" for value in one.removed)
    return f"~ {one.pert}  {f'{added} {removed}'.strip()}"


def _side(side: Side) -> str:
    return printable(f"{side.group} in {LAYERS[side.layer]} ({side.layer})")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _cosine(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


_FRAMES = (
    Column("frame", lambda frame: printable(frame.frame)),
    Column("perts", lambda frame: f"{frame.perts:,}", right=True),
    Column("vectors", lambda frame: f"{frame.vectors:,}", right=True),
    Column("moved", lambda f: f"{f.moved:,}", right=True, style=lambda f: "red" if f.moved else ""),
    Column("median", lambda frame: _cosine(frame.median), right=True),
    Column("lowest 5%", lambda frame: _cosine(frame.quantiles.get("p5")), right=True),
    Column("worst", lambda frame: _cosine(frame.quantiles.get("p0")), right=True),
)
_MOVED = (
    Column("pert", lambda one: printable(one[1].pert)),
    Column("at µM", lambda one: _number(one[1].concentration) or "-", right=True),
    Column("cosine", lambda one: f"{one[1].cosine:.3f}", right=True),
    Column("frame", lambda one: printable(one[0].frame)),
)
_PLAIN = (
    Column("change", lambda one: one.change),
    Column("frame", lambda one: printable(one.frame)),
    Column("pert", lambda one: printable(one.pert)),
    Column("kind", lambda one: printable(one.kind)),
    Column("concentration", lambda one: _number(one.concentration)),
    Column("cosine", lambda one: "" if one.cosine is None else f"{one.cosine:.4f}"),
)
