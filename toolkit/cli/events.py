"""`toolkit events tail | find | lag`: the events of new groups in Kafka, and how far their consumers are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit import figures
from toolkit.checks import group_events
from toolkit.checks.finding import Status
from toolkit.cli import diagnostics, options, output
from toolkit.cli.apps import command_group
from toolkit.cli.opening import opened
from toolkit.cli.output import Column, Format
from toolkit.errors import ExitCode, UsageError
from toolkit.progress import Progress

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections
    from toolkit.systems.kafka import Event

app = command_group("Events of new groups, as phenoservice publishes them in Kafka: tail, find, lag.")

Since = Annotated[
    str, typer.Option("--since", "-s", metavar="TIME", help="15m, 3d, 18:00, 2026-11-19, last-rebuild, …")
]


@dataclass(frozen=True)
class EventRow:
    """One event. `time` is the message's, `stamped_by` whose clock that was; `document` is its JSON (null: none)."""

    time: datetime | None
    stamped_by: str
    partition: int
    offset: int
    key: str
    group: str
    document: Any
    bytes: int
    problem: str


@app.callback()
def group() -> None:
    """Events of new groups, as phenoservice publishes them in Kafka: tail, find, lag.

    Only reads: no consumer group is joined, and nothing is committed.
    """


@app.command("tail")
def tail(
    count: Annotated[int, typer.Option("--lines", "-n", metavar="N", min=0, help="The last N events.")] = 10,
    since: Since = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on: show each event as it is written.")] = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """The last events, by time; with -f also those that are still to come. Ctrl-C ends that."""
    if follow and form is Format.JSON:
        raise UsageError("--follow has no end, and one JSON document does.", hint="Use -o jsonl: one object a line.")
    with opened(env) as connections, diagnostics.watching() as progress:
        start, _ = _window(connections, since, "")
        if follow:
            _follow(connections, count, start, form, progress)
            return
        kafka = connections.kafka
        found = kafka.events(start, None, progress) if start is not None else kafka.latest(count, progress)
        output.rows([_row(one) for one in found], _COLUMNS, form, empty="The topic has no event of that time.")


@app.command("find")
def find(
    name: Annotated[str, typer.Argument(metavar="[GROUP]", help="A group's name, or a part of it.")] = "",
    since: Since = "",
    until: Annotated[str, typer.Option("--until", "-u", metavar="TIME", help="Until when; as --since.")] = "",
    exact: Annotated[bool, typer.Option("--exact", help="The whole name, not a part of it.")] = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """The events of a group, or of a time: when was it created?

    Without --since it looks back as far as kafka.search_days says. Exit code 1: there is none.
    """
    with opened(env) as connections, diagnostics.watching() as progress:
        part = connections.environment.kafka
        start, end = _window(connections, since, until)
        if start is None:
            start = datetime.now(UTC) - timedelta(days=part.search_days)
        kafka = connections.kafka
        found = [one for one in kafka.events(start, end, progress) if _matches(one, name.strip(), exact=exact)]
        span = f"since {figures.when(start)}" + (f" until {figures.when(end)}" if end else "")
        what = f"of {diagnostics.printable(name)} " if name else ""
        output.rows([_row(one) for one in found], _COLUMNS, form, empty=f"No event {what}{span}.")
    if not found:
        diagnostics.narrate(f"searched: {part.topic}, {span}", "dim")
        raise typer.Exit(ExitCode.FOUND_WRONG)


@app.command("lag")
def lag(env: options.Env = None, form: options.Output = Format.TABLE) -> None:
    """How far the watched consumer groups are behind the topic's end (kafka.consumer_groups).

    Exit code 1: one is behind; 3: it could not be told.
    """
    with opened(env) as connections:
        found = group_events.consumer_lag(connections, {}, Progress())
        if found.status is Status.SKIPPED:
            raise UsageError(
                f"No lag to look at: {found.summary}.",
                hint="Set them under [environments.NAME.kafka]; see docs/events.md.",
            )
    groups: Sequence[dict[str, Any]] = found.facts["groups"]
    columns = [
        Column("consumer group", lambda one: diagnostics.printable(one["name"]), plain=lambda one: one["name"]),
        Column("behind", _behind, right=True, style=_colour),
        Column("of it", _partitions, plain=_partitions),
        Column("", lambda one: diagnostics.printable(one["problem"]), plain=lambda one: one["problem"]),
    ]
    output.rows(groups, columns, form)
    if form is Format.TABLE and found.hint:
        diagnostics.narrate(f"next: {found.hint}")
    if found.status is not Status.OK:
        raise typer.Exit(ExitCode.FOUND_WRONG if found.status is Status.WARN else ExitCode.UNREACHABLE)


def _follow(connections: Connections, count: int, since: datetime | None, form: Format, progress: Progress) -> None:
    from toolkit.systems.kafka import Event, Notice

    shown = 0
    for item in connections.kafka.follow(count, since):
        progress.check_stop()
        if isinstance(item, Notice):
            if item.over:
                diagnostics.narrate(f"- {item.text}", "dim")
            else:
                diagnostics.warn(f"{item.text} It is tried again; nothing is missed.")
        elif isinstance(item, Event):
            if form is Format.TABLE:
                _print_line(item, first=shown == 0)
            else:
                output.rows([_row(item)], _COLUMNS, form)
            shown += 1


def _print_line(event: Event, *, first: bool) -> None:
    """Aligned without knowing what is still to come: the name, the only one of unknown width, stands last."""
    row = _row(event)
    cells = [f"{_time(row):<20}", f"{event.place:>8}", _name(row)]
    lines = [f"{'created':<20}  {'at':>8}  group"] if first else []
    output.block([*lines, "  ".join(cells)])


def _window(connections: Connections, since: str, until: str) -> tuple[datetime | None, datetime | None]:
    if not since.strip() and not until.strip():
        return None, None
    from toolkit.logs import asked, zones
    from toolkit.logs.times import Reader

    reader = Reader(time.time_ns(), zones.zone("local"), lambda: asked.began(connections))
    window, notes = reader.window(since, until)
    for note in notes:
        diagnostics.narrate(f"- {note}", "dim")
    return _moment(window.since), _moment(window.until)


def _moment(nanoseconds: int | None) -> datetime | None:
    return None if nanoseconds is None else datetime.fromtimestamp(nanoseconds / 1e9, UTC)


def _matches(event: Event, name: str, *, exact: bool) -> bool:
    if exact:
        return name in (event.group, event.key)
    return name.casefold() in event.group.casefold() or name.casefold() in event.key.casefold()


def _row(event: Event) -> EventRow:
    return EventRow(**{**asdict(event), "document": event.document})


def _time(row: EventRow) -> str:
    return "-" if row.time is None else f"{row.time:%Y-%m-%d %H:%M:%S}Z"


def _name(row: EventRow) -> str:
    name = diagnostics.printable(row.group) or "?"
    return f"{name}  (its message {diagnostics.printable(row.problem)})" if row.problem else name


_COLUMNS = [
    Column("created", _time, plain=lambda row: figures.rfc3339(row.time)),
    Column("ago", lambda row: figures.age(row.time).removesuffix(" ago"), plain=lambda row: row.stamped_by),
    Column("group", _name, plain=lambda row: row.group),
    Column("at", lambda row: f"{row.partition}:{row.offset}", right=True),
]


def _behind(one: dict[str, Any]) -> str:
    return "?" if one["behind"] is None else str(one["behind"])


def _colour(one: dict[str, Any]) -> str:
    return "yellow" if one["behind"] is None else "red" if one["behind"] else "green"


def _partitions(one: dict[str, Any]) -> str:
    """Of each partition what is committed, and where it ends."""
    return " ".join(
        f"{part['partition']}:{'-' if part['committed'] is None else part['committed']}/{part['end']}"
        for part in one["partitions"]
    )
