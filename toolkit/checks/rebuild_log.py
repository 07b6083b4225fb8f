"""What was kept of a rebuild's log where its pod is gone: what the kept query `cache-manager` finds in Loki."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from toolkit.progress import Progress
    from toolkit.systems.cluster.objects import Job
    from toolkit.systems.connections import Connections

_LINES: Final = 400
_SECOND: Final = 10**9
_BEFORE: Final = 20 * 60 * _SECOND  # before its end: a run writes for an hour, and why it failed stands last
_AFTER: Final = 2 * 60 * _SECOND  # collectors' and clusters' clocks differ


def kept_lines(connections: Connections, job: Job, progress: Progress) -> list[str]:
    """The last lines of the run, the oldest first; none where nothing was kept, or nowhere is configured to ask.

    Raises what the source raises.
    """
    from toolkit.logs.asked import CACHE_MANAGER, kept
    from toolkit.logs.entry import Line
    from toolkit.logs.source import Window

    source = kept(CACHE_MANAGER, connections)
    ended = job.finished or job.started or job.created
    if source is None or ended is None:
        return []
    until = _nanoseconds(ended) + _AFTER
    lines: deque[str] = deque(maxlen=_LINES)
    for item in source.past(Window(until - _AFTER - _BEFORE, until), progress):
        # A pod is called as its Job, and five letters more.
        if isinstance(item, Line) and item.stream.pod.rpartition("-")[0] in ("", job.name):
            lines.append(item.text)
    return list(lines)


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp()) * _SECOND
