"""Many entries in few lines: templates with counts, tracebacks by cause, counts over time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from toolkit.cli import diagnostics, output
from toolkit.cli.diagnostics import printable
from toolkit.cli.log_lines import clean
from toolkit.cli.output import Column, Format
from toolkit.errors import ToolkitError
from toolkit.logs.entry import Entry, Notice
from toolkit.logs.source import Window
from toolkit.logs.tracebacks import place_of
from toolkit.logs.zones import date_and_clock, rfc3339

if TYPE_CHECKING:
    from toolkit.cli.logs import Want
    from toolkit.systems.connections import Connections


def group_names(connections: Connections | None) -> Sequence[str]:
    """The groups' names, which templates leave out; none where they cannot be had."""
    if connections is None:
        return ()
    try:
        index = connections.redis.index(connections.environment.cache.index_key)
    except ToolkitError:
        return ()
    return [name for name, _ in index]


def show(
    items: Iterator[Entry | Notice],
    want: Want,
    new_since: int | None,
    groups: Sequence[str],
    window: Window,
    zone: tzinfo,
    form: Format,
) -> None:
    """Sum up and print what is wanted. With --new-since None, nothing is called new."""
    from toolkit.logs.grouping import grouped
    from toolkit.logs.histogram import Counting
    from toolkit.logs.patterns import Patterns

    patterns, counting = Patterns(groups), Counting()
    tracebacks: list[Entry] = []
    seen = 0
    for item in items:
        if isinstance(item, Notice):
            diagnostics.narrate(f"! {printable(item.text)}", "yellow")
            continue
        seen += 1
        if want.patterns:
            patterns.add([item])
        if want.histogram:
            counting.add([item])
        if want.errors and item.fingerprint:
            tracebacks.append(item)
    if want.patterns:
        _show_patterns(patterns.ranked(new_since), zone, form)
    if want.errors:
        _show_errors(grouped(tracebacks), zone, form)
    if want.histogram:
        _show_histogram(counting, window, zone, form)
    diagnostics.narrate(f"{seen:,} entries read.", "dim")


def _show_patterns(ranked: Sequence[Any], zone: tzinfo, form: Format) -> None:
    rows = [
        {
            "template": clean(one.template),
            "count": one.count,
            "first": _time(one.first),
            "last": _time(one.last),
            "new": one.new,
            "severity": one.severity.name,
        }
        for one in ranked
    ]
    if form in (Format.JSON, Format.JSONL):
        output.rows(rows, [], form)
        return
    columns = [
        Column("new", lambda one: "new" if one.new else "", style=lambda _: "bold yellow"),
        Column("count", lambda one: f"{one.count:,}", plain=lambda one: str(one.count), right=True),
        Column("level", lambda one: one.severity.name.lower() if one.severity else ""),
        Column("last", lambda one: _clock(one.last, zone), plain=lambda one: _time(one.last) or ""),
        Column("template", lambda one: printable(one.template), style=lambda one: _style(one.severity)),
    ]
    output.rows(ranked, columns, form, empty="Nothing is said there.")


def _show_errors(groups: Sequence[Any], zone: tzinfo, form: Format) -> None:
    rows = [
        {
            "fingerprint": one.fingerprint,
            "exception": clean(one.example.exception),
            "count": one.count,
            "first": _time(one.first),
            "last": _time(one.last),
            "place": _place(one.example),
            "when": _clock(one.last, zone),
        }
        for one in groups
    ]
    columns = [
        Column("count", lambda one: f"{one['count']:,}", plain=lambda one: str(one["count"]), right=True),
        Column("last", lambda one: one["when"], plain=lambda one: one["last"] or ""),
        Column("exception", lambda one: printable(one["exception"]), style=lambda _: "red"),
        Column("where", lambda one: printable(one["place"])),
        Column("fingerprint", lambda one: one["fingerprint"], style=lambda _: "dim"),
    ]
    if form in (Format.JSON, Format.JSONL):
        rows = [{key: value for key, value in row.items() if key != "when"} for row in rows]
    output.rows(rows, columns, form, empty="No traceback there.")


def _show_histogram(counting: Any, window: Window, zone: tzinfo, form: Format) -> None:
    from toolkit.logs.histogram import drawn

    found = counting.histogram(40, zone, since=window.since, until=window.until)
    if form is Format.TABLE:
        output.block(drawn(found, min(shutil.get_terminal_size().columns, 120), zone))
        return
    rows = [
        {"start": rfc3339(one.start), "seconds": found.seconds, "counts": {s.name: n for s, n in one.counts.items()}}
        for one in found.buckets
    ]
    columns = [
        Column("start", lambda one: one["start"]),
        Column("count", lambda one: str(sum(one["counts"].values()))),
    ]
    output.rows(rows, columns, form)


def _place(entry: Entry) -> str:
    place = place_of(entry)
    return "" if place is None else f"{place.file}:{place.line} in {place.function}"


def _time(at: int) -> str | None:
    return rfc3339(at) if at else None


def _clock(at: int, zone: tzinfo) -> str:
    return date_and_clock(at, zone)[4:23].strip() if at else "-"


def _style(severity: int) -> str:
    return "red" if severity >= 500 else "yellow" if severity >= 400 else ""
