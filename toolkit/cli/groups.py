"""`toolkit groups …`: the groups in Redis (L2) and in the bucket (L3)."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import figures
from toolkit.cache import groups
from toolkit.cache.groups import Group, GroupDetail, Overview
from toolkit.cache.presence import Presence
from toolkit.cli import diagnostics, groups_diff, groups_download, groups_find, groups_inspect, options, output
from toolkit.cli.apps import command_group
from toolkit.cli.opening import opened
from toolkit.cli.output import Column, Format
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from toolkit.systems.connections import Connections

app = command_group("The groups in the cache: list, show, find, inspect, diff, download, delete, flush, restore.")

BackupTo = Annotated[
    Path | None,
    typer.Option("--backup", metavar="DIR", help="First save every value in this new directory, for `groups restore`."),
]


@app.command("list")
def list_(env: options.Env = None, form: options.Output = Format.TABLE) -> None:
    """Every group: its rank in the app's dropdown, when it was built, and how much of it each layer holds."""
    with opened(env) as connections:
        found = groups.overview(connections)
        _say_moved(connections, found.problems)
    columns = _columns(wide=_wide()) if form is Format.TABLE else _plain_columns()
    output.rows(found.groups, columns, form, empty="There is no group, neither in Redis nor in the bucket.")
    if form is Format.TABLE and any(group.default for group in found.groups):
        diagnostics.narrate("* the app's default group", "dim")
    unread = {note for note in found.notes if any(problem.message in note for problem in found.problems)}
    _narrate([*(note for note in found.notes if note not in unread), *_notes_of_groups(found)])
    _end(found.problems)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="GROUP", help="The group's name.")],
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """One group: its frames, with their bytes in Redis and in the bucket."""
    with opened(env) as connections:
        detail = groups.show(connections, name)
        _say_moved(connections, detail.problems)
    if form is Format.PLAIN:
        output.rows(detail.frames, _frame_columns(wide=True), form)
    else:
        output.document(_document(detail), form, lambda: _drawn(detail))
    _end(detail.problems)


app.command("find")(groups_find.find)
app.command("inspect")(groups_inspect.inspect)
app.command("diff")(groups_diff.diff)
app.command("download")(groups_download.download)


@app.command("delete")
def delete(
    names: Annotated[list[str], typer.Argument(metavar="GROUP...", help="Groups' names, as `groups list` shows them.")],
    backup: BackupTo = None,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    plan: options.PlanHash = None,
    read_only: options.ReadOnly = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Delete groups from Redis: their frames and their place in the index. The bucket keeps its copy."""
    from toolkit.actions.groups.delete import DeleteGroups
    from toolkit.cli.acting import act

    with opened(env) as connections:
        action = DeleteGroups(connections, names, backup)
        act(action, connections, form, dry_run=dry_run, yes=yes, plan_hash=plan, read_only=read_only)


@app.command("flush")
def flush(
    backup: BackupTo = None,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    plan: options.PlanHash = None,
    read_only: options.ReadOnly = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Empty Redis altogether (FLUSHALL). The map stays empty until the cache is rebuilt."""
    from toolkit.actions.groups.flush import FlushRedis
    from toolkit.cli.acting import act

    with opened(env) as connections:
        action = FlushRedis(connections, backup)
        act(action, connections, form, dry_run=dry_run, yes=yes, plan_hash=plan, read_only=read_only)


@app.command("restore")
def restore(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="What `--backup` wrote.")],
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    plan: options.PlanHash = None,
    read_only: options.ReadOnly = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Put saved groups back into Redis: their frames, then their place in the index."""
    from toolkit.actions.groups.restore import RestoreGroups
    from toolkit.cli.acting import act

    with opened(env) as connections:
        action = RestoreGroups(connections, directory)
        act(action, connections, form, dry_run=dry_run, yes=yes, plan_hash=plan, read_only=read_only)


def _wide() -> bool:
    """Whether there is room for more than an 80-column terminal has."""
    return not sys.stdout.isatty() or shutil.get_terminal_size().columns >= 110


def _columns(*, wide: bool) -> list[Column]:
    return [
        Column("rank", lambda group: f"{group.rank or '-'}{'*' if group.default else ' '}", right=True),
        Column("group", lambda group: group.name, style=lambda group: "bold" if group.default else ""),
        Column("built", lambda group: figures.when(group.built_at) if wide else _age(group)),
        Column("redis", lambda g: _held(g.l2), style=lambda g: _style(g.l2, g.rank is not None), right=True),
        Column("bucket", lambda g: _held(g.l3), style=lambda g: _style(g.l3, True), right=True),
    ]


def _plain_columns() -> list[Column]:
    return [
        Column("rank", lambda group: str(group.rank or "")),
        Column("group", lambda group: group.name),
        Column("built", lambda group: figures.rfc3339(group.built_at)),
        Column("frames in redis", lambda group: _number(group.l2.frames)),
        Column("bytes in redis", lambda group: _number(group.l2.bytes)),
        Column("frames in bucket", lambda group: _number(group.l3.frames)),
        Column("bytes in bucket", lambda group: _number(group.l3.bytes)),
    ]


def _frame_columns(*, wide: bool) -> list[Column]:
    columns = [
        Column("frame", lambda frame: frame.name),
        Column("redis", lambda f: _size(f.l2_bytes), plain=lambda f: _number(f.l2_bytes), right=True),
        Column("bucket", lambda f: _size(f.l3_bytes), plain=lambda f: _number(f.l3_bytes), right=True),
        Column("written", lambda frame: figures.when(frame.updated), plain=lambda f: figures.rfc3339(f.updated)),
    ]
    if wide:
        generation = Column("generation", lambda f: str(f.generation or "-"), plain=lambda f: _number(f.generation))
        columns.append(generation)
    return columns


def _drawn(detail: GroupDetail) -> Sequence[RenderableType]:
    from rich.text import Text

    group = detail.group
    rank = "not in the index" if group.rank is None else f"{group.rank}{' (default)' if group.default else ''}"
    parts: list[RenderableType] = [
        output.pairs(
            [
                ("group", group.name),
                ("rank", rank),
                ("built", figures.when(group.built_at)),
                ("redis", _in_words(group.l2)),
                ("bucket", _in_words(group.l3)),
            ]
        ),
        Text(),
        output.table(detail.frames, _frame_columns(wide=_wide())),
    ]
    parts += [Text(f"! {note}", style="yellow") for note in detail.notes]
    return parts


def _document(detail: GroupDetail) -> dict[str, object]:
    """A group as `groups list` gives it, and its frames."""
    group = {item.name: getattr(detail.group, item.name) for item in fields(detail.group)}
    return {**group, "notes": detail.notes, "frames": detail.frames}


def _say_moved(connections: Connections, problems: Sequence[ToolkitError]) -> None:
    """A warning where the proxy is no longer where the configuration says."""
    if not problems and connections.redis.address.note:
        diagnostics.warn(connections.redis.address.note)


def _end(problems: Sequence[ToolkitError]) -> None:
    """Say what could not be read, and end with its exit code."""
    for problem in problems:
        diagnostics.error(problem)
    if problems:
        raise typer.Exit(problems[0].exit_code)


def _notes_of_groups(found: Overview) -> Iterable[str]:
    for group in found.groups:
        for note in group.notes:
            yield f"{group.name}: {note}"


def _narrate(notes: Iterable[str]) -> None:
    for note in notes:
        diagnostics.narrate(f"! {note}", "yellow")


def _age(group: Group) -> str:
    return "-" if group.built_at is None else figures.age(group.built_at)


def _held(presence: Presence) -> str:
    """8/8  2.1 GB"""
    if presence.present is None:
        return "unknown"
    return f"{presence.frames}/{presence.expected} {figures.size(presence.bytes):>7}" if presence.present else "-"


def _style(presence: Presence, should_be_there: bool) -> str:
    if presence.present is None:
        return "yellow"
    if presence.complete:
        return ""
    return "red" if presence.present or should_be_there else "dim"


def _in_words(presence: Presence) -> str:
    if presence.present is None:
        return f"unknown: {presence.reason}"
    return f"{presence.frames} of {presence.expected} frames, {figures.size(presence.bytes)}"


def _size(count: int | None) -> str:
    return "-" if count is None else figures.size(count)


def _number(count: int | None) -> str:
    return "" if count is None else str(count)
