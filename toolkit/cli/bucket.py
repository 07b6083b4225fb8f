"""`toolkit bucket ls | du | get | rm | restore`: L3. Paths are full names in the bucket, or gs:// URLs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import figures
from toolkit.actions.bucket.get import get as get_from_bucket
from toolkit.actions.bucket.remove import RemoveFromBucket
from toolkit.actions.bucket.restore import RestoreInBucket
from toolkit.actions.bucket.selection import select
from toolkit.cache.frame_names import folder
from toolkit.cli import diagnostics, options, output
from toolkit.cli.acting import act
from toolkit.cli.apps import command_group
from toolkit.cli.opening import opened
from toolkit.cli.output import Column, Format
from toolkit.errors import ExitCode
from toolkit.systems.bucket import DownloadResult, ObjectInfo
from toolkit.systems.bucket.names import Target, shown, target
from toolkit.systems.bucket.sums import Sum, sums_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from toolkit.systems.bucket import Bucket
    from toolkit.systems.connections import Connections

app = command_group("The L3 bucket: ls, du, get, rm, restore.")

Paths = Annotated[list[str], typer.Argument(metavar="PATH...", help="Folders (FOLDER/), objects, or gs:// URLs.")]
MaybePaths = Annotated[
    list[str] | None, typer.Argument(metavar="PATH...", help="Folders (FOLDER/), objects, or gs:// URLs.")
]
MaybePath = Annotated[str | None, typer.Argument(metavar="PATH", help="A folder or an object; default: the groups.")]
ManifestFile = Annotated[
    Path | None,
    typer.Option(
        "--manifest", metavar="FILE", help="What an earlier `bucket rm` or `restore` wrote down, instead of paths."
    ),
]


@dataclass(frozen=True)
class Row:
    """A folder or an object. A folder's `bytes` are null unless they were asked for."""

    path: str
    kind: str
    bytes: int | None
    updated: datetime | None


@app.command("ls")
def ls(
    path: MaybePath = None,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Every object below, not one level.")] = False,
    sizes: Annotated[bool, typer.Option("--sizes", help="Add up each folder (lists all that is in it).")] = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """What lies in the bucket: one level of folders and objects."""
    with opened(env) as connections:
        bucket = connections.bucket
        where = _target(connections, path)
        found = [_row(item) for item in bucket.meant(where)] if recursive else _level(bucket, where, sizes=sizes)
        if not found and not where.whole and path is not None:
            select(bucket, [where], _prefix(connections))  # nothing is there: says so, and what may have been meant
        url = shown(bucket.url(where.path))
    columns = [
        Column("path", lambda row: shown(row.path)),
        Column("size", _size, plain=_bare_bytes, right=True),
        Column("updated", lambda row: figures.when(row.updated), plain=lambda row: figures.rfc3339(row.updated)),
    ]
    output.rows(found, columns, form, empty=f"Nothing is in {url}.")
    if form is Format.TABLE and found:
        folders = sum(row.kind == "folder" for row in found)
        objects = len(found) - folders
        diagnostics.narrate(f"{url}: {_count(folders, 'folder')}, {_count(objects, 'object')}", "dim")


@app.command("du")
def du(path: MaybePath = None, env: options.Env = None, form: options.Output = Format.TABLE) -> None:
    """How much lies in the bucket: each folder of one level, and all of it together."""
    with opened(env) as connections:
        bucket = connections.bucket
        where = _target(connections, path)
        sums = sums_of(where, bucket.meant(where))
        if not sums and not where.whole and path is not None:
            select(bucket, [where], _prefix(connections))
        total = Sum(
            path=where.path,
            kind="total",
            objects=sum(item.objects for item in sums),
            bytes=sum(item.bytes for item in sums),
            updated=max((item.updated for item in sums if item.updated), default=None),
        )
        url = shown(bucket.url(where.path))
    columns = [
        Column("path", lambda item: f"all of {url}" if item.kind == "total" else shown(item.path)),
        Column("objects", lambda item: f"{item.objects:,}", plain=lambda item: str(item.objects), right=True),
        Column("size", lambda item: figures.size(item.bytes), plain=lambda item: str(item.bytes), right=True),
        Column("newest", lambda item: figures.when(item.updated), plain=lambda item: figures.rfc3339(item.updated)),
    ]
    output.rows([*sums, total], columns, form)


@app.command("get")
def get(
    paths: Paths,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Where to put it; made if it is not there.")] = Path(),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that differ.")] = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Download folders and objects: side by side, checked (CRC32C), resumed where an earlier try stopped."""
    with opened(env) as connections, diagnostics.watching() as progress:
        result = get_from_bucket(connections, paths, to, progress, overwrite=overwrite)
    document = {
        "done": [str(file) for file in result.done],
        "already_there": [str(file) for file in result.already_there],
        "failed": [{"path": item.path, "reason": why} for item, why in result.failed],
        "bytes": result.bytes,
    }
    output.document(document, form, lambda: _drawn_download(result, to))
    raise typer.Exit(ExitCode.FOUND_WRONG if result.failed else ExitCode.OK)


@app.command("rm")
def rm(
    paths: MaybePaths = None,
    manifest: ManifestFile = None,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    plan: options.PlanHash = None,
    read_only: options.ReadOnly = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Remove folders and objects. `GROUP` is the folder GROUP/ (or the object GROUP), never GROUP2/."""
    with opened(env) as connections:
        action = RemoveFromBucket(connections, paths or (), manifest)
        act(action, connections, form, dry_run=dry_run, yes=yes, plan_hash=plan, read_only=read_only)


@app.command("restore")
def restore(
    paths: MaybePaths = None,
    manifest: ManifestFile = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what lives in their place now.")] = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    plan: options.PlanHash = None,
    read_only: options.ReadOnly = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Bring back what was removed, as long as the bucket keeps it. `PATH#GENERATION` means that generation."""
    with opened(env) as connections:
        action = RestoreInBucket(connections, paths or (), manifest, overwrite=overwrite)
        act(action, connections, form, dry_run=dry_run, yes=yes, plan_hash=plan, read_only=read_only)


def _prefix(connections: Connections) -> str:
    return folder(connections.environment.bucket.prefix)


def _target(connections: Connections, path: str | None) -> Target:
    """What was typed; without a path the folder that holds the groups."""
    return Target(_prefix(connections)) if path is None else target(path, connections.bucket.name)


def _level(bucket: Bucket, where: Target, *, sizes: bool) -> list[Row]:
    """One level below a folder, and the object of the same name, if there is one."""
    if sizes:
        return [Row(item.path, item.kind, item.bytes, item.updated) for item in sums_of(where, bucket.meant(where))]
    found = bucket.list(where.prefix)
    itself = bucket.find(where.name) if where.name is not None else None
    rows = [_row(itself)] if itself is not None else []
    rows += [Row(item.path, "folder", None, None) for item in found.folders]
    return rows + [_row(item) for item in found.objects]


def _row(item: ObjectInfo) -> Row:
    return Row(item.path, "object", item.bytes, item.updated)


def _size(row: Row) -> str:
    return "-" if row.bytes is None else figures.size(row.bytes)


def _bare_bytes(row: Row) -> str:
    return "" if row.bytes is None else str(row.bytes)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _drawn_download(result: DownloadResult, to: Path) -> Sequence[RenderableType]:
    from rich.text import Text

    lines = [Text(f"{_count(len(result.done), 'file')} in {to.resolve()}, {figures.size(result.bytes)}")]
    if result.already_there:
        lines.append(Text(f"{_count(len(result.already_there), 'file')} were there already, with the same content"))
    lines += [Text(f"failed: {shown(item.path)}: {why}", style="red") for item, why in result.failed]
    return lines
