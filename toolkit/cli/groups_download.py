"""`toolkit groups download`: a group's frames as files here, from the bucket or from Redis."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import figures
from toolkit.cli import diagnostics, options, output
from toolkit.cli.diagnostics import printable
from toolkit.cli.opening import opened
from toolkit.cli.output import Column, Format
from toolkit.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import RenderableType

    from toolkit.cache.download import FrameFile, GroupDownload


class FromLayer(StrEnum):
    L3 = "l3"
    L2 = "l2"


def download(
    group: Annotated[str, typer.Argument(metavar="GROUP", help="The group's name, as `groups list` shows it.")],
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="Where its folder goes; made if it is not there.")
    ] = Path(),
    layer: Annotated[
        FromLayer, typer.Option("--layer", case_sensitive=False, help="l3, the bucket, or l2, Redis.")
    ] = FromLayer.L3,
    frames: Annotated[
        list[str] | None, typer.Option("--frame", metavar="FRAME", help="This frame only; may be repeated.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that differ.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would come, and as which files.")] = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Download a group's frames: side by side, checked (CRC32C), resumed where an earlier try stopped.

    Each becomes a file of the frame's name and real format in DIR/GROUP, with a manifest.json beside them. Exit code
    1: some could not be had.
    """
    from toolkit.cache import download as downloading
    from toolkit.cache.download import words

    with opened(env) as connections, diagnostics.watching() as progress:
        result = downloading.download(
            connections,
            group,
            to,
            "L3" if layer is FromLayer.L3 else "L2",
            frames or (),
            progress,
            overwrite=overwrite,
            dry_run=dry_run,
        )
    if form is Format.PLAIN:
        output.rows(result.frames, _plain_columns(), form)
    else:
        output.document(result, form, lambda: _drawn(result))
    if words.can_go_on(result):
        diagnostics.narrate("The same command again brings what is missing, and goes on where it stopped.")
    for note in result.notes:
        diagnostics.narrate(f"! {printable(note)}", "yellow")
    if form is Format.TABLE and not dry_run and (how := words.how_to_open(result)):
        diagnostics.narrate(how, "dim")
    raise typer.Exit(ExitCode.OK if result.well else ExitCode.FOUND_WRONG)


def _drawn(result: GroupDownload) -> Sequence[RenderableType]:
    from rich.text import Text

    from toolkit.cache.download import words

    parts: list[RenderableType] = [Text(printable(words.headline(result)), style="bold"), Text()]
    parts.append(output.table(result.frames, _columns(result.frames)))
    parts += [Text(f"! {file.frame}: {file.why}", style="red") for file in result.frames if file.why]
    for well, text in words.compared(result):
        parts.append(Text(text, style="dim") if well else Text(f"! {text}", style="yellow"))
    return parts


def _columns(files: Sequence[FrameFile]) -> list[Column]:
    columns = [
        Column("file", lambda file: printable(file.file or file.frame)),
        Column("size", lambda file: figures.size(file.bytes), right=True),
        Column("", lambda file: file.outcome, style=lambda file: _STYLES[file.outcome]),
    ]
    if any(file.in_bucket for file in files):
        columns.append(Column("bucket's", lambda file: file.in_bucket.partition(":")[0]))
    return columns


_STYLES = {"downloaded": "green", "already there": "green", "failed": "red", "to come": ""}


def _plain_columns() -> list[Column]:
    return [
        Column("frame", lambda file: file.frame),
        Column("outcome", lambda file: file.outcome),
        Column("file", lambda file: file.file),
        Column("bytes", lambda file: str(file.bytes)),
        Column("format", lambda file: file.format),
        Column("crc32c", lambda file: file.crc32c),
        Column("why", lambda file: file.why),
    ]
