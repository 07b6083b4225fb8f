"""The journal's changes as marks in a timeline of logs: what was begun, and what became of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from toolkit.actions.journal import Journal, Operation
from toolkit.logs.entry import Kind, Line, Notice, Stream
from toolkit.logs.source import Sink, Window
from toolkit.progress import SILENT, Progress

_STREAM: Final = Stream("journal", "journal")
_LOOK_EVERY: Final = 1.0  # seconds


class JournalEvents:
    """A Source of the changes made in `environment`, from this machine's journal."""

    name = "journal"

    def __init__(self, journal: Journal, environment: str) -> None:
        self._journal = journal
        self._environment = environment

    def past(self, window: Window, progress: Progress = SILENT) -> Iterator[Line | Notice]:
        """See Source."""
        del progress
        marks = [mark for operation in self._journal.operations() for mark in self._marks(operation)]
        yield from sorted((mark for mark in marks if window.holds(mark.time)), key=lambda mark: mark.time)

    def follow(self, since: int, sink: Sink, stop: threading.Event) -> None:
        """See Source."""
        told: set[tuple[int, str]] = set()
        while True:
            for mark in self.past(Window(since=since)):
                if isinstance(mark, Notice) and (mark.time, mark.text) not in told:
                    told.add((mark.time, mark.text))
                    sink.notice(mark)
            sink.alive(_STREAM.origin)
            if stop.wait(_LOOK_EVERY):
                return

    def _marks(self, operation: Operation) -> Iterator[Notice]:
        if operation.environment != self._environment:
            return
        what = operation.title or operation.action
        yield _mark(operation.started, f"{what}: begun by {operation.who} (plan {operation.plan})")
        if operation.ended is not None:
            yield _mark(operation.ended, f"{what}: {operation.result}. {operation.summary}".rstrip())


def _mark(at: datetime, text: str) -> Notice:
    since = at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return Notice((since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000, Kind.EVENT, _STREAM, text)
