"""Events of a cluster's objects: what its controllers and nodes did about one, as `kubectl describe` lists it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from toolkit.systems.cluster.objects import Object, time


@dataclass(frozen=True, slots=True)
class ObjectEvent:
    """An event about `kind` `name`. `warning`: else it is normal; it came `count` times between `first` and `last`;
    `source` is who says it (kubelet, job-controller …). Events are forgotten after an hour or so."""

    kind: str
    name: str
    warning: bool
    reason: str
    message: str
    count: int
    first: datetime | None
    last: datetime | None
    source: str


def read_event(found: Object) -> ObjectEvent:
    """An Event of v1; a series (events.k8s.io) counts by itself."""
    about, series = found.get("involvedObject") or {}, found.get("series") or {}
    at = time(found.get("eventTime"))
    first = time(found.get("firstTimestamp")) or at
    return ObjectEvent(
        kind=str(about.get("kind") or ""),
        name=str(about.get("name") or ""),
        warning=found.get("type") == "Warning",
        reason=str(found.get("reason") or ""),
        message=str(found.get("message") or ""),
        count=int(found.get("count") or series.get("count") or 1),
        first=first,
        last=time(series.get("lastObservedTime")) or time(found.get("lastTimestamp")) or first,
        source=str((found.get("source") or {}).get("component") or found.get("reportingComponent") or ""),
    )


def newest_first(event: ObjectEvent) -> str:
    """A key to sort by, backwards."""
    return event.last.isoformat() if event.last else ""
