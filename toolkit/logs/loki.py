"""Loki as a source of lines: what a LogQL query finds, and what it goes on finding."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from toolkit.logs import resuming
from toolkit.logs.entry import Kind, Known, Line, Notice, Severity, Stream
from toolkit.logs.resuming import News
from toolkit.logs.source import Sink, Window
from toolkit.systems.loki import LONGEST_RANGE

if TYPE_CHECKING:
    from toolkit.progress import Progress
    from toolkit.systems.loki import Loki
    from toolkit.systems.loki.answer import Chunk
    from toolkit.systems.loki.tail import Tail

SOURCE: Final = "loki"

# What agents call the same thing: Promtail and Alloy, Vector, Fluent Bit, OpenTelemetry.
_CLUSTER: Final = ("cluster", "cluster_name", "k8s_cluster_name")
_NAMESPACE: Final = ("namespace", "namespace_name", "k8s_namespace_name", "kubernetes_namespace_name")
_POD: Final = ("pod", "pod_name", "k8s_pod_name", "kubernetes_pod_name")
_CONTAINER: Final = ("container", "container_name", "k8s_container_name", "kubernetes_container_name")

_SEVERITIES: Final = {
    "trace": Severity.DEBUG,
    "debug": Severity.DEBUG,
    "info": Severity.INFO,
    "notice": Severity.NOTICE,
    "warn": Severity.WARNING,
    "warning": Severity.WARNING,
    "err": Severity.ERROR,
    "error": Severity.ERROR,
    "critical": Severity.CRITICAL,
    "fatal": Severity.CRITICAL,
    "alert": Severity.ALERT,
    "emergency": Severity.EMERGENCY,
}


class LokiSource:
    """What `query` finds in `loki`. A window without a beginning reaches 30 days back, and says so.

    A line's severity is the one that its labels or metadata name (`level`, `severity`); `detected_level`, which Loki
    only guesses, stays a field. While following, lines that come up to a minute late are found after a cut.
    """

    late = 60.0
    quiet = 30.0
    settle = 2.0

    def __init__(self, loki: Loki, query: str, *, name: str = SOURCE) -> None:
        self.name = name
        self.query = query
        self._loki = loki
        self._streams: dict[tuple[tuple[str, str], ...], tuple[Stream, Severity | None]] = {}

    def past(self, window: Window, progress: Progress) -> Iterator[Line | Notice]:
        until = window.until
        since = window.since
        if since is None:
            since = (time.time_ns() if until is None else until) - LONGEST_RANGE
            text = f"{self.name} was asked for 30 days only: older lines need a beginning of the time"
            yield Notice(since, Kind.GAP, Stream(SOURCE, self.name), text)
        pages = self._loki.entries(self.query, since, until, stop=progress.stop)
        with contextlib.closing(pages):  # type: ignore[type-var]
            for page in pages:
                progress.check_stop()
                yield from sorted(self._lines(page.chunks), key=lambda line: line.time)
                if page.stuck is not None:
                    yield self._stuck(page.stuck)

    def follow(self, since: int, sink: Sink, stop: threading.Event) -> None:
        resuming.follow(self, since, sink, stop)

    # -- as resuming.Followed

    def key(self, line: Line) -> int:
        """Loki keeps the same line of a stream at the same time only once."""
        return hash((id(line.stream), line.time, line.text))

    def listed(self, since: int, stop: threading.Event) -> Iterator[Sequence[Line]]:
        for page in self._loki.entries(self.query, since, stop=stop):
            yield [*self._lines(page.chunks)]

    @contextlib.contextmanager
    def live(self, since: int, stop: threading.Event) -> Iterator[_Session]:
        with self._loki.tail(self.query, since, stop=stop) as tail:
            yield _Session(self, tail)

    # -- lines

    def _lines(self, chunks: Iterable[Chunk]) -> Iterator[Line]:
        for chunk in chunks:
            stream, severity = self._stream(chunk.labels)
            of_stream = None if severity is None else Known(severity)
            for entry in chunk.entries:
                known = of_stream
                if entry.metadata:
                    known = Known(severity or _severity(entry.metadata), entry.metadata)
                yield Line(entry.time, entry.text, stream, known)

    def _stream(self, labels: Mapping[str, str]) -> tuple[Stream, Severity | None]:
        """One Stream for each set of labels, so that lines of the same one can be told by identity."""
        key = tuple(sorted(labels.items()))
        found = self._streams.get(key)
        if found is None:
            pod = _first(labels, _POD)
            parts = [_first(labels, names) for names in (_CLUSTER, _NAMESPACE, _POD, _CONTAINER)]
            origin = "/".join(part for part in parts if part)
            if not pod:
                origin = "{" + ", ".join(f"{name}={value}" for name, value in key) + "}"
            found = self._streams[key] = (Stream(SOURCE, origin, pod, dict(labels)), _severity(labels))
        return found

    def _stuck(self, at: int) -> Notice:
        text = f"{self.name} has more lines at this very nanosecond than it gives at once: some are missing"
        return Notice(at, Kind.GAP, Stream(SOURCE, self.name), text)


class _Session:
    def __init__(self, source: LokiSource, tail: Tail) -> None:
        self._source, self._tail = source, tail

    def read(self, wait: float) -> News | None:
        heard = self._tail.read(wait)
        if heard is None:
            return None
        return News(
            [*self._source._lines(heard.chunks)],
            missing=len(heard.dropped),
            why="we read too slowly",
            fetch=min(heard.dropped, default=None),
        )


def _first(labels: Mapping[str, str], names: Sequence[str]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def _severity(labels: Mapping[str, str]) -> Severity | None:
    return _SEVERITIES.get(_first(labels, ("severity", "level")).lower())
