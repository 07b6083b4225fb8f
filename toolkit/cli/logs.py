"""`toolkit logs`: every source in one timeline, read or followed, filtered, summed up."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from toolkit.cli import diagnostics, log_summaries, options, output
from toolkit.cli.apps import single_command
from toolkit.cli.log_lines import Lines
from toolkit.cli.opening import opened
from toolkit.cli.output import Column, Format
from toolkit.errors import ExitCode, ToolkitError, UsageError
from toolkit.logs import asked, zones
from toolkit.logs.asked import Asked, Files
from toolkit.logs.entry import Entry, Kind, Line, Notice
from toolkit.logs.filters import Filter
from toolkit.logs.reading import own_time
from toolkit.logs.source import Source, Window
from toolkit.logs.times import Reader
from toolkit.logs.tracebacks import Folding
from toolkit.progress import Progress

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections

app = single_command("Logs of every source in one timeline: pods, Loki, Cloud Logging, files.")

_BATCH: Final = 2_000  # lines that are folded and printed at once
_BEAT: Final = 1.0  # seconds
_SETTLED: Final = 500_000_000  # ns after which an open traceback is closed while lines are followed
_LINES_OF_AN_ENTRY: Final = 20
_OWN_CODE: Final = ("phenoapp", "/app/")


@dataclass(frozen=True)
class Want:
    """What is done with the entries: shown, or summed up."""

    patterns: bool = False
    errors: bool = False
    histogram: bool = False

    @property
    def summary(self) -> bool:
        return self.patterns or self.errors or self.histogram


@app.command()
def logs(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE...]",
            help="cache-manager, app, a kept query, pod:CLUSTER/NAMESPACE/NAME, pods:CLUSTER/NAMESPACE/LABELS, "
            "loki:LOGQL, cloud:FILTER, journal, a file, or - (stdin). Without: the last rebuild, and errors around it.",
        ),
    ] = None,
    since: Annotated[
        str, typer.Option("--since", "-s", metavar="TIME", help="15m, 18:00, 2026-11-19, '18:00 MT', last-rebuild …")
    ] = "",
    until: Annotated[str, typer.Option("--until", "-u", metavar="TIME", help="Up to, not including.")] = "",
    tz: Annotated[str, typer.Option("--tz", metavar="ZONE", help="Zone in and out: local, UTC, MT …")] = "local",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    tail: Annotated[int | None, typer.Option("--tail", "-n", min=1, metavar="N", help="Only the last N.")] = None,
    grep: Annotated[
        list[str] | None, typer.Option("--grep", "-g", metavar="REGEX", help="Only with this in it (all of several).")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option("--exclude", "-v", metavar="REGEX", help="Without this.")] = None,
    ignore_case: Annotated[bool, typer.Option("--ignore-case", "-i", help="In --grep, --exclude, --field.")] = False,
    level: Annotated[str, typer.Option("--level", "-l", metavar="LEVEL", help="This severity and above.")] = "",
    fields: Annotated[
        list[str] | None, typer.Option("--field", metavar="TEST", help="key=value, key!=value, key~regex; a.b=c.")
    ] = None,
    names: Annotated[
        list[str] | None, typer.Option("--name", metavar="NAME", help="Only about this pert or group, as a word.")
    ] = None,
    patterns: Annotated[bool, typer.Option("--patterns", help="What is said, as templates with counts.")] = False,
    new_since: Annotated[
        str, typer.Option("--new-since", metavar="TIME", help="With --patterns: what was first said from then on.")
    ] = "",
    errors: Annotated[bool, typer.Option("--errors", help="Tracebacks, counted by cause.")] = False,
    histogram: Annotated[bool, typer.Option("--histogram", help="How many over time.")] = False,
    previous: Annotated[
        bool, typer.Option("--previous", "-p", help="Also what containers wrote before a restart.")
    ] = False,
    link: Annotated[
        bool, typer.Option("--link", help="Print where the same is seen in Grafana or Google's console.")
    ] = False,
    queries: Annotated[bool, typer.Option("--queries", help="List the environment's kept queries, and stop.")] = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Read logs: pods, Loki, Cloud Logging, files, one timeline.

    Tracebacks are folded to one entry, the same line of two sources is shown once, gaps and changes (the journal) stand
    between the lines. -o plain prints raw text, -o jsonl one object a line.
    """
    want = Want(patterns, errors, histogram)
    if follow and (want.summary or until):
        raise UsageError("--follow goes with neither --until nor a summary.", hint="Leave one of them out.")
    if new_since and not patterns:
        raise UsageError("--new-since goes with --patterns.")
    words = list(sources or ())
    wanted = Filter.typed(
        grep=grep or (),
        exclude=exclude or (),
        level=level,
        fields=fields or (),
        names=names or (),
        ignore_case=ignore_case,
    )
    zone = zones.zone(tz)
    with ExitStack() as stack:
        connections = None if asked.local(words) and not queries else stack.enter_context(opened(env))
        if queries and connections is not None:
            _show_queries(connections, form)
            return
        reader = Reader(time.time_ns(), zone, lambda: asked.began(connections) if connections else None)
        window, notes = reader.window(since, until)
        files = _files(words, wanted, window, tail, follow=follow, summary=want.summary)
        found = asked.asked(words, lambda: _there(connections), files, previous=previous)
        if window == Window():
            window, note = asked.usual_window(found, connections, reader.now)
            notes = (*notes, note) if note else notes
        if link:
            _show_links(found, connections, window, form)
            return
        for note in notes:
            diagnostics.narrate(f"- {note}", "dim")
        marks = _marks(connections) if connections is not None and found.remote else None
        own_code = connections.environment.logs.own_code if connections else _OWN_CODE
        progress = stack.enter_context(diagnostics.watching())
        lines = Lines(form, zone, origins=len(found.sources) > 1 or found.remote)
        if follow or found.stdin:
            since_ns = window.since or (0 if not found.remote else reader.now)
            _follow(found.sources, marks, since_ns, Folding(own_code), wanted, lines, progress)
            return
        problems: list[Notice] = []
        items = _past(found.sources, marks, window, progress)
        entries = _noted(_entries(items, Folding(own_code), wanted, progress), problems)
        if want.summary:
            moment = reader.moment(new_since, "--new-since").time if new_since else None
            groups = log_summaries.group_names(connections)
            log_summaries.show(entries, want, moment, groups, window, zone, form)
        else:
            _show(entries, lines, tail, form, whole=files.tail is None)
    if problems:
        unseen = tail is not None or (form is Format.JSON and not want.summary)
        for problem in problems if unseen else ():
            diagnostics.narrate(f"! {diagnostics.printable(problem.text)}", "red")
        raise typer.Exit(ExitCode.UNREACHABLE)


def _there(connections: Connections | None) -> Connections:
    if connections is None:
        raise UsageError("That source needs an environment.")
    return connections


def _files(
    words: Sequence[str], wanted: Filter, window: Window, tail: int | None, *, follow: bool, summary: bool
) -> Files:
    """How files are read: their lines' times only where something goes by them, their end alone where that is all."""
    timed = follow or len(words) > 1 or window != Window() or asked.STDIN in words
    needle = next((one.needle() for one in wanted.grep), None)
    near_end = None
    if tail is not None and not (wanted or summary or timed):
        near_end = tail * _LINES_OF_AN_ENTRY + _BATCH  # an entry may be a traceback
    return Files(own_time if timed else None, needle, near_end)


def _marks(connections: Connections) -> Source:
    """The changes that the journal knows."""
    from toolkit.actions.journal import Journal
    from toolkit.actions.journal_events import JournalEvents

    return JournalEvents(Journal(), connections.environment.name)


def _past(
    sources: Sequence[Source], marks: Source | None, window: Window, progress: Progress
) -> Iterator[Line | Notice]:
    """The sources merged, with the journal's marks between them. The error of a source that is alone is raised."""
    from toolkit.logs import timeline
    from toolkit.logs.merging import merged

    streams = []
    if len(sources) == 1:
        streams.append(sources[0].past(window, progress))
    elif sources:
        streams.append(timeline.past(sources, window, progress))
    if marks is not None:
        streams.append(marks.past(window, progress))
    return streams[0] if len(streams) == 1 else merged(streams)


def _entries(
    items: Iterable[Line | Notice], folding: Folding, wanted: Filter, progress: Progress
) -> Iterator[Entry | Notice]:
    batch: list[Line | Notice] = []
    for item in items:
        batch.append(item)
        if len(batch) >= _BATCH:
            progress.check_stop()
            yield from _kept(folding.add(batch), wanted)
            batch.clear()
    yield from _kept(folding.add(batch), wanted)
    yield from _kept(folding.flush(), wanted)


def _noted(entries: Iterator[Entry | Notice], problems: list[Notice]) -> Iterator[Entry | Notice]:
    for entry in entries:
        if isinstance(entry, Notice) and entry.kind is Kind.PROBLEM:
            problems.append(entry)
        yield entry


def _kept(items: Sequence[Entry | Notice], wanted: Filter) -> Iterator[Entry | Notice]:
    if not wanted:
        yield from items
        return
    for item in items:
        if isinstance(item, Notice) or wanted.keeps(item):
            yield item


def _show(entries: Iterator[Entry | Notice], lines: Lines, tail: int | None, form: Format, *, whole: bool) -> None:
    """Print them; `whole`: they are all that there is, not only those near the end."""
    if form is Format.JSON:
        from toolkit.cli.log_lines import document

        kept = entries if tail is None else deque(entries, maxlen=tail)
        output.rows([document(entry) for entry in kept if isinstance(entry, Entry)], [], form)
        return
    if tail is not None:
        last: deque[Entry | Notice] = deque(maxlen=tail)
        seen = 0
        for entry in entries:
            seen += 1
            last.append(entry)
        lines.show([*last])
        if not seen:
            diagnostics.narrate("No entry there.", "dim")
        if seen > len(last) and whole:
            diagnostics.narrate(f"{len(last):,} of {seen:,} shown.", "dim")
        return
    count = 0
    for batch in _batched(entries):
        count += len(batch)
        lines.show(batch)
    if not count:
        diagnostics.narrate("No entry there.", "dim")


def _batched(entries: Iterator[Entry | Notice]) -> Iterator[list[Entry | Notice]]:
    """In batches; the first one is small, so that something is seen at once."""
    batch: list[Entry | Notice] = []
    most = 50
    for entry in entries:
        batch.append(entry)
        if len(batch) >= most:
            yield batch
            batch, most = [], _BATCH
    if batch:
        yield batch


def _follow(
    sources: Sequence[Source],
    marks: Source | None,
    since: int,
    folding: Folding,
    wanted: Filter,
    lines: Lines,
    progress: Progress,
) -> None:
    from toolkit.logs.timeline import Following

    with Following(sources, since, marks=marks) as following, diagnostics.heartbeat() as beat:
        for batch in following.batches(_BEAT / 4):
            for begin in range(0, len(batch), _BATCH):  # of many lines, not all are entries and text at once
                progress.check_stop()
                _show_followed(folding.add(batch[begin : begin + _BATCH]), wanted, lines, beat)
            progress.check_stop()
            _show_followed(folding.flush(time.time_ns() - _SETTLED), wanted, lines, beat)
            beat.told(following.heard)
        lines.show([*_kept(folding.flush(), wanted)])
    progress.check_stop()


def _show_followed(items: Sequence[Entry | Notice], wanted: Filter, lines: Lines, beat: diagnostics.Heartbeat) -> None:
    shown = [*_kept(items, wanted)]
    if shown:
        beat.clear()
        lines.show(shown)


def _show_queries(connections: Connections, form: Format) -> None:
    kept = [
        {"name": name, "source": query.source, "help": query.help, "query": query.query}
        for name, query in connections.environment.logs.queries.items()
    ]
    columns = [
        Column("name", lambda one: one["name"]),
        Column("source", lambda one: one["source"]),
        Column("what for", lambda one: one["help"]),
    ]
    if form is Format.PLAIN:
        columns.append(Column("query", lambda one: one["query"]))
    output.rows(kept, columns, form, empty="No query is kept: environments.NAME.logs.queries is empty.")


def _show_links(found: Asked, connections: Connections | None, window: Window, form: Format) -> None:
    from toolkit.logs import links

    shown: list[dict[str, Any]] = []
    for one in found.links:
        logs = _there(connections).environment.logs
        try:
            if one.loki:
                address = links.grafana(logs.loki, one.loki, window)
            else:
                address = links.logs_explorer(logs.cloud_logging.project, one.cloud, window)
        except ToolkitError as error:
            diagnostics.warn(f"{one.name}: {error.message} {error.hint}")
        else:
            shown.append({"name": one.name, "link": address})
    if form in (Format.JSON, Format.JSONL):
        output.rows(shown, [], form)
        return
    for entry in shown:
        output.text(entry["link"])
    if not shown:
        raise UsageError("None of these sources can be seen in a browser.", hint="Name a kept query: --queries.")
