"""`toolkit image check`: is the cache manager's image the one that eng-infrastructure asks for, in every place?"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import typer

from toolkit import figures
from toolkit.cache import image_places
from toolkit.cache.images import Match, short
from toolkit.cli import diagnostics, options, output
from toolkit.cli.apps import command_group
from toolkit.cli.diagnostics import printable
from toolkit.cli.opening import opened
from toolkit.cli.output import Column, Format
from toolkit.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import RenderableType

    from toolkit.cache.image_places import Places
    from toolkit.cache.image_rows import Row
    from toolkit.systems.infra_history import Change

app = command_group("The cache manager's image: check.")

_MOST_SHOWN = 10
_SIGNS = {Match.SAME: "✓ same", Match.DRIFTED: "✗ differs", Match.UNKNOWN: "? unknown", Match.UNSET: "- not asked"}
_COLOURS = {Match.SAME: "green", Match.DRIFTED: "red", Match.UNKNOWN: "yellow", Match.UNSET: "dim"}


@app.callback()
def image() -> None:
    """The cache manager's image: check."""


@app.command("check")
def check(env: options.Env = None, form: options.Output = Format.TABLE) -> None:
    """Compare the image that trunk asks for with Argo CD's, the CronJob's and the one that the last run really had.

    Only reads. Exit code 1 where they differ; else that of what could not be asked, and 0 where all is the same.
    """
    with opened(env) as connections:
        places = image_places.look(connections)
    if form is Format.PLAIN:
        for row in places.rows:
            cells = (row.place, row.match, ",".join(row.images), ",".join(row.digests), figures.rfc3339(row.since))
            output.text("\t".join(printable(str(cell)) for cell in (*cells, row.problem)))
    elif form is Format.JSONL:
        output.objects([_row(row) for row in places.rows])
    else:
        output.document(_document(places), form, lambda: _drawn(places))
    if form is not Format.TABLE:
        for row in places.rows:
            if row.problem and row.match is not Match.UNSET:
                diagnostics.narrate(f"{row.place}: {row.problem}", "yellow")
    if places.exit_code is not ExitCode.OK:
        raise typer.Exit(places.exit_code)


def _row(row: Row) -> dict[str, object]:
    return {
        "place": row.place,
        "where": row.where,
        "match": str(row.match),
        "images": list(row.images),
        "digests": [digest or None for digest in row.digests],
        "since": _utc(row.since),
        "commit": row.commit or None,
        "detail": row.detail,
        "problem": row.problem,
        "hint": row.hint,
        "by_hand": list(row.by_hand),
    }


def _document(places: Places) -> dict[str, object]:
    application = places.application
    return {
        "differ": places.differ,
        "against": places.against or None,
        "places": [_row(row) for row in places.rows],
        "between": None if places.between is None else [_change(change) for change in places.between],
        "argocd": None
        if application is None
        else {
            "application": application.name,
            "sync": application.sync,
            "health": application.health,
            "revision": application.revision,
            "deployed": application.deployed or None,
            "deployed_at": _utc(application.deployed_at),
            "images": list(application.images),
            "automated": application.automated,
            "problems": list(application.problems),
            "link": places.link,
        },
        "pods": [
            {
                "pod": pod.pod,
                "job": pod.job,
                "started": _utc(pod.started),
                "image": pod.image,
                "digest": pod.digest or None,
            }
            for pod in places.pods
        ],
        "notes": list(places.notes),
        "sync_by_hand": places.sync_by_hand or None,
    }


def _change(change: Change) -> dict[str, object]:
    return {
        "commit": change.commit,
        "committed_at": _utc(change.committed_at),
        "author": change.author,
        "subject": change.subject,
    }


def _utc(moment: object) -> object:
    from datetime import datetime

    return moment.astimezone(UTC) if isinstance(moment, datetime) else None


def _drawn(places: Places) -> list[RenderableType]:
    from rich.text import Text

    columns = [
        Column("", lambda row: _SIGNS[row.match], style=lambda row: _COLOURS[row.match]),
        Column("place", lambda row: row.place),
        Column("image", lambda row: printable(_image(row))),
        Column("since", lambda row: f"{row.since.astimezone(UTC):%Y-%m-%d %H:%M}Z" if row.since else "-"),
    ]
    told = [(row.place, printable(_told(row))) for row in places.rows if _told(row)]
    parts: list[RenderableType] = [output.table(places.rows, columns), Text(""), output.pairs(told)]
    for row in places.rows:
        if row.hint and row.match is not Match.SAME:
            parts.append(Text.assemble((f"{row.place}: ", "bold"), printable(row.hint)))
    parts += [Text(f"! {printable(note)}", style="yellow") for note in places.notes]
    if places.against and places.against != places.rows[0].place:
        parts.append(Text(f"! compared with {places.against}: what trunk asks for is not known", style="yellow"))
    if places.between:
        parts.append(Text("Not deployed yet:", style="bold"))
        for change in places.between[:_MOST_SHOWN]:
            when = f"{change.committed_at.astimezone(UTC):%Y-%m-%d %H:%M}Z"
            parts.append(
                Text(f"  {change.commit[:9]}  {when}  {printable(change.author)}: {printable(change.subject)}")
            )
        if len(places.between) > _MOST_SHOWN:
            parts.append(Text(f"  {_MOST_SHOWN} of {len(places.between)} shown", style="dim"))
    if not places.differ:
        known = [row for row in places.rows if row.images]
        if len(known) > 1:
            parts.append(Text("No place differs.", style="bold green"))
        return parts
    parts.append(Text("They differ.", style="bold red"))
    if places.deployed_differs and places.sync_by_hand:
        parts.append(
            Text.assemble(("mend     ", "dim"), "sync it in Argo CD, once you know that the commit is meant to be out")
        )
        parts.append(Text.assemble(("link     ", "dim"), printable(places.link)))
        parts.append(Text.assemble(("by hand  ", "dim"), printable(places.sync_by_hand)))
    return parts


def _image(row: Row) -> str:
    """Names without their folders, with tags."""
    return ", ".join(short(image).rpartition("/")[2] for image in row.images) or "-"


def _told(row: Row) -> str:
    return "; ".join(one for one in (row.problem, *row.digests, row.detail) if one)
