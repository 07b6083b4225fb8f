"""`toolkit groups inspect`: what a group's frames hold, whether their vectors are sound, whether the layers agree."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import figures
from toolkit.cache.stored import LAYERS
from toolkit.cli import diagnostics, options, output
from toolkit.cli.diagnostics import printable
from toolkit.cli.opening import opened
from toolkit.cli.output import Column, Format
from toolkit.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import RenderableType

    from toolkit.cache.frame_report import FrameReport
    from toolkit.cache.inspection import Inspection

_STATUS = {"ok": "green", "warn": "red", "unknown": "yellow"}


def inspect(
    name: Annotated[str, typer.Argument(metavar="GROUP", help="The group's name.")],
    frame: Annotated[
        list[str] | None, typer.Option("--frame", metavar="FRAME", help="Only this frame; may be given several times.")
    ] = None,
    layer: Annotated[
        options.Layer | None,
        typer.Option("--layer", help="Whose vectors are read. By default Redis', if it holds the group."),
    ] = None,
    names_only: Annotated[bool, typer.Option("--names-only", help="Read no vectors: quick, and a few MB.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Compare the checksums of all bytes in Redis and bucket.")
    ] = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Look into a group: rows, perts and concentrations of each frame, health of its vectors, Redis against the bucket.

    Ends with a checklist: why does the map look funny? Exit code 0: nothing is wrong; 1: something is.
    """
    from toolkit.cache import inspection

    with opened(env) as connections, diagnostics.watching() as progress:
        found = inspection.inspect(
            connections,
            name,
            progress,
            frames=frame or (),
            layer=None if layer is None else layer.level,
            vectors=not names_only,
            full=full,
        )
        if not found.errors and connections.redis.address.note:
            diagnostics.warn(connections.redis.address.note)
    if form is Format.PLAIN:
        output.rows(found.frames, _plain_columns(), form)
    else:
        output.document(_document(found), form, lambda: _drawn(found))
    if form is Format.TABLE:
        share = f" ({found.bytes_read / found.bytes_total:.1%})" if found.bytes_total else ""
        read, total = figures.size(found.bytes_read), figures.size(found.bytes_total)
        diagnostics.narrate(f"Read {read} of the {total}{share} that both layers hold of it.", "dim")
    for problem in found.errors:
        diagnostics.error(problem)
    if found.errors:
        raise typer.Exit(found.errors[0].exit_code)
    if not found.well:
        raise typer.Exit(ExitCode.FOUND_WRONG)


def _document(found: Inspection) -> dict[str, object]:
    return {item.name: getattr(found, item.name) for item in fields(found) if item.name != "errors"}


def _drawn(found: Inspection) -> Sequence[RenderableType]:
    from rich.text import Text

    main = [frame for frame in found.frames if frame.layer == found.layer]
    others = [frame for frame in found.frames if frame.layer != found.layer and not frame.same_as]
    head = [("group", printable(found.group)), ("read from", f"{LAYERS[found.layer]} ({found.layer})")]
    formats = sorted({frame.format for frame in found.frames if frame.format})
    if len(formats) == 1:
        head.append(("format", formats[0]))
    columns = _columns(found, formats=len(formats) > 1)
    parts: list[RenderableType] = [output.pairs(head), Text(), output.table(main, columns)]
    series = {_series(frame) for frame in main if frame.concentrations}
    parts += [Text(f"at µM (perts): {one}", style="dim") for one in sorted(series)]
    if others:
        title = f"in {LAYERS[others[0].layer]} otherwise, or there alone"
        parts += [Text(), Text(title, style="bold"), output.table(others, columns)]
    wrong = [(frame, problem) for frame in found.frames for problem in frame.problems]
    if wrong:
        parts += [Text(), Text("problems", style="bold")]
        for frame, problem in wrong:
            parts.append(Text(printable(f"! {frame.frame} ({frame.layer}): {problem.text}"), style="red"))
    parts += [Text(), Text("why does the map look funny?", style="bold")]
    parts.append(output.table(found.checklist, _CHECKS))
    return parts


_CHECKS = (
    Column("", lambda line: line.status, style=lambda line: _STATUS[line.status]),
    Column("should be so", lambda line: line.title),
    Column("evidence", lambda line: printable(line.evidence)),
)


def _columns(found: Inspection, *, formats: bool) -> list[Column]:
    columns = [
        Column("frame", lambda frame: printable(frame.frame), style=lambda frame: "red" if frame.problems else ""),
        Column("rows", lambda frame: _count(frame.rows), right=True),
        Column("size", lambda frame: figures.size(frame.bytes) if frame.bytes is not None else "-", right=True),
        *([Column("format", lambda frame: frame.format or "-")] if formats else []),
        Column("perts", _perts),
        Column("length", _length),
        Column("L2=L3", lambda frame: _agreement(found, frame)),
    ]
    if _wide():
        columns.insert(-2, Column("experiments", lambda frame: _count(frame.experiments), right=True))
        columns.insert(-2, Column("columns", lambda frame: ", ".join(printable(one.name) for one in frame.columns)))
    return columns


def _plain_columns() -> list[Column]:
    return [
        Column("frame", lambda frame: printable(frame.frame)),
        Column("layer", lambda frame: frame.layer),
        Column("rows", lambda frame: _bare(frame.rows)),
        Column("bytes", lambda frame: _bare(frame.bytes)),
        Column("format", lambda frame: frame.format),
        Column("problems", lambda frame: ",".join(problem.problem for problem in frame.problems)),
    ]


def _wide() -> bool:
    return not sys.stdout.isatty() or shutil.get_terminal_size().columns >= 130


def _perts(frame: FrameReport) -> str:
    return ", ".join(f"{count:,} {printable(kind) or 'of no kind'}" for kind, count in frame.perts.items()) or "-"


def _length(frame: FrameReport) -> str:
    vectors = frame.vectors
    if vectors is None or vectors.norm_min is None or vectors.norm_max is None:
        return "-"
    low, high = f"{vectors.norm_min:.3g}", f"{vectors.norm_max:.3g}"
    return low if low == high else f"{low}-{high}"


def _agreement(found: Inspection, frame: FrameReport) -> str:
    for agreement in found.layers:
        if agreement.frame == frame.frame:
            short = {"only-l2": "L2 only", "only-l3": "L3 only"}
            return short.get(agreement.verdict, {True: "yes", False: "no", None: "?"}[agreement.same])
    return "-"


def _series(frame: FrameReport) -> str:
    return " ".join(f"{step.concentration:g} ({step.perts:,})" for step in frame.concentrations)


def _count(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def _bare(count: int | None) -> str:
    return "" if count is None else str(count)
