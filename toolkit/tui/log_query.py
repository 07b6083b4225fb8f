"""What the logs screen is asked to show, and how it is opened: sources, range, filter chips. Everything that blocks is
in `open_log`, which is called in a thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from toolkit.errors import ToolkitError, UsageError
from toolkit.logs.entry import Severity
from toolkit.logs.filters import Filter
from toolkit.logs.source import Window

if TYPE_CHECKING:
    from toolkit.logs.asked import Links
    from toolkit.logs.file_window import FileWindow, Piece
    from toolkit.logs.watching import Watching
    from toolkit.systems.connections import Connections

LEVELS: Final = ("", "info", "warning", "error")


@dataclass(frozen=True)
class LogQuery:
    """`words` are sources as `toolkit logs` takes them; none: the last rebuild."""

    words: tuple[str, ...] = ()
    since: str = ""
    until: str = ""

    @property
    def title(self) -> str:
        return " ".join(self.words) or "last rebuild"


@dataclass(frozen=True)
class Chip:
    """One condition: `level`, `with`, `without` (RE2) or `origin`."""

    kind: str
    text: str

    @property
    def label(self) -> str:
        match self.kind:
            case "level":
                return f"level ≥ {self.text.upper()}"
            case "origin":
                return f"from {short_origin(self.text)}"
            case "without":
                return f"not /{self.text}/"
            case _:
                return f"/{self.text}/"


def wanted(chips: tuple[Chip, ...]) -> Filter:
    """The filter that the chips are together; several origins are alternatives. Raises UsageError."""
    import re2

    origins = [re2.escape(chip.text) for chip in chips if chip.kind == "origin"]
    return Filter.typed(
        grep=[_cased(chip.text) for chip in chips if chip.kind == "with"],
        exclude=[_cased(chip.text) for chip in chips if chip.kind == "without"],
        level=next((chip.text for chip in chips if chip.kind == "level"), ""),
        fields=[f"origin~^({'|'.join(origins)})$"] if origins else [],
    )


def _cased(text: str) -> str:
    """In small letters only, it means either case."""
    return text if text != text.lower() or text.startswith("(?") else f"(?i){text}"


def short_origin(origin: str) -> str:
    """The pod of cluster/namespace/pod/container, or the last part of what else it is."""
    parts = origin.split("/")
    return parts[-2] if len(parts) > 3 else parts[-1]


@dataclass
class OpenLog:
    """A log that is open. `file`: its pages can be gone through freely, and `first` is the last of them; `problems` say
    why there is no link to something. `finished`: the range has an end, nothing more will come."""

    query: LogQuery
    watching: Watching
    window: Window = field(default_factory=Window)
    note: str = ""
    finished: bool = False
    reread: bool = False
    file: FileWindow | None = None
    first: Piece | None = None
    links: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()
    rebuild: int | None = None
    read: Callable[[], float | None] = lambda: None

    def close(self) -> None:
        self.watching.close()


def open_log(connections: Connections, query: LogQuery, chips: tuple[Chip, ...] = ()) -> OpenLog:
    """Open it. Blocks; raises ToolkitError where a source cannot be named or reached."""
    from toolkit.actions.journal import Journal
    from toolkit.actions.journal_events import JournalEvents
    from toolkit.logs import asked, watching
    from toolkit.logs.reading import own_time
    from toolkit.logs.times import Reader
    from toolkit.logs.zones import local

    reader = Reader(time.time_ns(), local(), lambda: asked.began(connections))
    window, notes = reader.window(query.since, query.until)
    own_code, keep = connections.environment.logs.own_code, wanted(chips)
    if any(word == asked.STDIN for word in query.words):
        raise UsageError("What is piped in cannot be read here.", hint="Pipe it into `toolkit logs -`.")
    if len(query.words) == 1 and asked.local(query.words):
        opened = _file(query, window, keep, own_code)
        if opened is not None:
            return opened
    found = asked.asked(query.words, lambda: connections, asked.Files(own_time))
    if window == Window():
        window, note = asked.usual_window(found, connections, reader.now)
        notes = (*notes, note) if note else notes
    marks = JournalEvents(Journal(), connections.environment.name) if found.remote else None
    live = window.until is None and not any(getattr(source, "packed", "") for source in found.sources)
    groups = _groups(connections) if found.remote else ()
    if live:
        followed = watching.Followed(found.sources, marks, window.since or 0)
        watched = watching.Watching(followed, own_code=own_code, groups=groups, wanted=keep, heard=followed.heard)
    else:
        read = watching.past(found.sources, marks, window)
        watched = watching.Watching(read, own_code=own_code, groups=groups, wanted=keep)
    links, problems = links_of(connections, found.links, window)
    return OpenLog(
        query,
        watched,
        window,
        "; ".join(notes),
        not live,
        links=links,
        problems=problems,
        rebuild=_rebuild(connections),
    )


def links_of(
    connections: Connections, queries: Sequence[Links], window: Window
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Where the same queries over the same range are seen in a browser: names and addresses; and why some are not."""
    from toolkit.logs import links

    logs = connections.environment.logs
    found: list[tuple[str, str]] = []
    problems: list[str] = []
    for one in queries:
        try:
            if one.loki:
                found.append((f"{one.name}: Grafana", links.grafana(logs.loki, one.loki, window)))
            else:
                address = links.logs_explorer(logs.cloud_logging.project, one.cloud, window)
                found.append((f"{one.name}: Logs Explorer", address))
        except ToolkitError as error:
            problems.append(f"{one.name}: {error.message} {error.hint}".strip())
    return tuple(found), tuple(problems)


def _file(query: LogQuery, window: Window, keep: Filter, own_code: tuple[str, ...]) -> OpenLog | None:
    """A plain file: by pages, or searched through where there is a filter or a range; None for a packed one."""
    from toolkit.logs.file_window import FileWindow, growing, searched
    from toolkit.logs.pages import FilePages
    from toolkit.logs.watching import Watching, past

    pages = FilePages(Path(query.words[0].removeprefix("file:")).expanduser())
    if pages.packed:
        return None
    if window != Window():
        from toolkit.logs.files import FileSource
        from toolkit.logs.reading import own_time

        needle = next((one.needle() for one in keep.grep), None)
        path = Path(query.words[0].removeprefix("file:")).expanduser()
        source = FileSource(path, own_time=own_time, needle=needle)
        watched = Watching(past([source], None, window), own_code=own_code, wanted=keep)
        return OpenLog(query, watched, window, finished=True, reread=True)
    if keep:
        done = [0.0]
        read = searched(pages, keep, lambda share: done.__setitem__(0, share), follow=True)
        watched = Watching(read, own_code=own_code, wanted=keep)
        return OpenLog(query, watched, reread=True, read=lambda: done[0] if done[0] < 1 else None)
    file = FileWindow(pages, own_code)
    first = file.piece_before(file.size)
    return OpenLog(query, Watching(growing(pages, first.end), own_code=own_code), reread=True, file=file, first=first)


def _groups(connections: Connections) -> tuple[str, ...]:
    try:
        return tuple(name for name, _ in connections.redis.index(connections.environment.cache.index_key))
    except ToolkitError:
        return ()


def _rebuild(connections: Connections) -> int | None:
    from toolkit.logs import asked

    try:
        return asked.began(connections)
    except ToolkitError:
        return None


def next_level(chips: tuple[Chip, ...]) -> tuple[Chip, ...]:
    """The chips with the next level: all, info, warning, error, all."""
    now = next((chip.text for chip in chips if chip.kind == "level"), "")
    following = LEVELS[(LEVELS.index(now) + 1) % len(LEVELS)] if now in LEVELS else ""
    rest = tuple(chip for chip in chips if chip.kind != "level")
    return (*rest, Chip("level", following)) if following else rest


LABELS: Final = {
    Severity.DEFAULT: "     ",
    Severity.DEBUG: "DEBUG",
    Severity.INFO: "INFO ",
    Severity.NOTICE: "NOTE ",
    Severity.WARNING: "WARN ",
    Severity.ERROR: "ERROR",
    Severity.CRITICAL: "CRIT ",
    Severity.ALERT: "ALERT",
    Severity.EMERGENCY: "EMERG",
}
