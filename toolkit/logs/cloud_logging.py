"""Google Cloud Logging as a source of lines: what a filter finds, and what it goes on finding."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from toolkit.logs import resuming
from toolkit.logs.entry import Known, Line, Notice, Severity, Stream
from toolkit.logs.resuming import News
from toolkit.logs.source import Sink, Window

if TYPE_CHECKING:
    from toolkit.progress import Progress
    from toolkit.systems.cloud_logging import CloudLogging, Tail
    from toolkit.systems.cloud_logging.entry import LogEntry

SOURCE: Final = "cloud-logging"
_SEVERITIES: Final = {int(severity): severity for severity in Severity if severity is not Severity.DEFAULT}
_OF_A_CONTAINER: Final = ("cluster_name", "namespace_name", "pod_name", "container_name")


class CloudLoggingSource:
    """What `filter_` finds in `cloud_logging`.

    A line's text is textPayload, or jsonPayload as compact JSON, which is near to what the container wrote (Google's
    agent takes severity and time out of it). Known.fields are the payload's fields and what the entry says besides,
    under LogEntry's names. While following, entries that come up to a minute late are found after a cut.
    """

    late = 60.0
    quiet = 60.0  # a listing counts against the project's quota of 60 a minute
    settle = 5.0

    def __init__(self, cloud_logging: CloudLogging, filter_: str, *, name: str = SOURCE) -> None:
        self.name = name
        self.query = filter_
        self._cloud_logging = cloud_logging
        self._streams: dict[tuple[Any, ...], Stream] = {}

    def past(self, window: Window, progress: Progress) -> Iterator[Line | Notice]:
        pages = self._cloud_logging.entries(self.query, window.since, window.until, stop=progress.stop)
        with contextlib.closing(pages):  # type: ignore[type-var]
            for page in pages:
                progress.check_stop()
                yield from self._lines(page)

    def follow(self, since: int, sink: Sink, stop: threading.Event) -> None:
        resuming.follow(self, since, sink, stop)

    # -- as resuming.Followed

    def key(self, line: Line) -> int:
        """Entries of one log with the same time and insertId are the same entry."""
        return hash((id(line.stream), line.time, line.known.id if line.known else ""))

    def listed(self, since: int, stop: threading.Event) -> Iterator[Sequence[Line]]:
        for page in self._cloud_logging.entries(self.query, since, stop=stop):
            yield [*self._lines(page)]

    @contextlib.contextmanager
    def live(self, since: int, stop: threading.Event) -> Iterator[_Session]:
        del since  # Google's live session begins now; the listing brings what was before
        with self._cloud_logging.tail(self.query, stop=stop) as tail:
            yield _Session(self, tail)

    # -- lines

    def _lines(self, entries: Iterable[LogEntry]) -> Iterator[Line]:
        for entry in entries:
            known = Known(_SEVERITIES.get(entry.severity), _fields(entry), entry.insert_id)
            yield Line(entry.time, entry.text, self._stream(entry), known)

    def _stream(self, entry: LogEntry) -> Stream:
        """One Stream for each log of each thing that writes."""
        key = (entry.log, entry.resource_type, *sorted(entry.resource_labels.items()))
        found = self._streams.get(key)
        if found is None:
            resource = entry.resource_labels
            parts = [resource[name] for name in _OF_A_CONTAINER if resource.get(name)]
            origin = "/".join(parts) if resource.get("pod_name") else f"{entry.resource_type}/{entry.log}"
            labels = {"resource.type": entry.resource_type, "log": entry.log, **resource}
            found = self._streams[key] = Stream(SOURCE, origin, resource.get("pod_name", ""), labels)
        return found


class _Session:
    def __init__(self, source: CloudLoggingSource, tail: Tail) -> None:
        self._source, self._tail = source, tail

    def read(self, wait: float) -> News | None:
        heard = self._tail.read(wait)
        if heard is None:
            return None
        return News(
            [*self._source._lines(heard.entries)],
            missing=sum(count for _, count in heard.suppressed),
            why="; ".join(dict.fromkeys(why for why, _ in heard.suppressed)),
        )


def _fields(entry: LogEntry) -> Mapping[str, Any]:
    if not (entry.payload or entry.labels or entry.extra):
        return {}
    return {**entry.payload, **({"labels": entry.labels} if entry.labels else {}), **entry.extra}
