"""`toolkit groups download`: a group's frames as files here, from the bucket or from Redis."""

from __future__ import annotations

import shlex
from collections import Counter
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

_READERS = {"parquet": "read_parquet", "arrow": "read_feather", "pickle": "read_pickle"}
_PACKED_FOR_PANDAS = ("gzip+", "zstd+")  # around a pickle, told by the file's name


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
    from toolkit.cli import elsewhere

    with opened(env) as connections, diagnostics.watching() as progress:
        from_bucket = layer is FromLayer.L3
        command = f"groups download {shlex.quote(group)} --env {connections.environment.name}"
        with elsewhere.measured(connections, command, progress, real=from_bucket and not dry_run) as timed:
            result = downloading.download(
                connections,
                group,
                to,
                "L3" if from_bucket else "L2",
                frames or (),
                timed,
                overwrite=overwrite,
                dry_run=dry_run,
            )
        if dry_run and from_bucket:
            elsewhere.said(connections, command, sum(file.bytes for file in result.frames if file.outcome == "to come"))
    if form is Format.PLAIN:
        output.rows(result.frames, _plain_columns(), form)
    else:
        output.document(result, form, lambda: _drawn(result))
    if any(file.outcome == "failed" and "--overwrite" not in file.why for file in result.frames):
        diagnostics.narrate("The same command again brings what is missing, and goes on where it stopped.")
    for note in result.notes:
        diagnostics.narrate(f"! {printable(note)}", "yellow")
    if form is Format.TABLE and not dry_run:
        _say_how_to_open(result)
    raise typer.Exit(ExitCode.OK if result.well else ExitCode.FOUND_WRONG)


def _drawn(result: GroupDownload) -> Sequence[RenderableType]:
    from rich.text import Text

    parts: list[RenderableType] = [Text(_headline(result), style="bold"), Text()]
    parts.append(output.table(result.frames, _columns(result.frames)))
    parts += [Text(f"! {file.frame}: {file.why}", style="red") for file in result.frames if file.why]
    for said, count in Counter(file.in_bucket for file in result.frames).items():
        if said == "differs":
            text = f"{_files(count)} differ from the bucket's, which have as many bytes: they are not of one build"
            parts.append(Text(f"! {text}", style="yellow"))
        elif said not in ("", "equal"):
            parts.append(Text(f"{_files(count)} {said}", style="dim"))
    return parts


def _headline(result: GroupDownload) -> str:
    """3 files downloaded, 1.2 GB; 5 there already; 0 failed: in DIR"""
    counted = Counter(file.outcome for file in result.frames)
    size = figures.size(sum(file.bytes for file in result.frames if file.outcome in ("to come", "downloaded")))
    said = []
    if counted["to come"]:
        said.append(f"{_files(counted['to come'])} would come, {size}")
    if counted["downloaded"]:
        said.append(f"{_files(counted['downloaded'])} downloaded, {size}")
    if counted["already there"]:
        said.append(f"{_files(counted['already there'])} there already, with the same content")
    if counted["failed"]:
        said.append(f"{_files(counted['failed'])} failed")
    return printable(f"{'; '.join(said)}: in {result.folder}")


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


def _say_how_to_open(result: GroupDownload) -> None:
    """One line, for the first file that pandas opens as it is."""
    for file in result.frames:
        inner = file.format
        for wrapper in _PACKED_FOR_PANDAS:
            inner = inner.removeprefix(wrapper) if inner.endswith("pickle") else inner
        if inner in _READERS and file.outcome != "failed":
            path = Path(result.folder) / file.file
            diagnostics.narrate(f"In pandas: pd.{_READERS[inner]}({str(path)!r})", "dim")
            return


def _files(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"
