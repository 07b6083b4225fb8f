"""An entry as GKE's logging agent makes it of a container's line, and as the server gives it.

A line that is a JSON object becomes jsonPayload; the agent takes `severity`, `time` and the trace out of it, and makes
a payload of nothing but `message` a textPayload. Any other line is a textPayload of severity DEFAULT.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from toolkit.sandbox.collected import Container

SEVERITIES: Final = {
    "DEFAULT": 0,
    "DEBUG": 100,
    "INFO": 200,
    "NOTICE": 300,
    "WARNING": 400,
    "ERROR": 500,
    "CRITICAL": 600,
    "ALERT": 700,
    "EMERGENCY": 800,
}
_TRACE: Final = "logging.googleapis.com/trace"
_TAKEN_OUT: Final = ("severity", "time", "timestamp", _TRACE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A LogEntry. `at` and `received` are nanoseconds since the epoch; either of `text` and `payload` is set."""

    number: int
    at: int
    received: int
    insert_id: str
    log_name: str
    severity: int
    resource: dict[str, str]
    labels: dict[str, str]
    text: str | None = None
    payload: dict[str, Any] | None = None
    trace: str = ""
    resource_type: str = field(default="k8s_container")


def entry(project: str, container: Container, number: int, at: int, received: int, line: str, insert_id: str) -> Entry:
    """What the agent makes of `line`."""
    found = _object(line)
    taken = {key: found.pop(key) for key in _TAKEN_OUT if key in found} if found is not None else {}
    text: str | None = line if found is None else None
    if found is not None and set(found) == {"message"} and isinstance(found["message"], str):
        text, found = found["message"], None
    severity = SEVERITIES.get(str(taken.get("severity", "")).upper(), 0)
    return Entry(
        number=number,
        at=at,
        received=received,
        insert_id=insert_id,
        log_name=f"projects/{project}/logs/stderr",
        severity=severity,
        resource={
            "project_id": project,
            "location": "us-central1",
            "cluster_name": container.cluster,
            "namespace_name": container.namespace,
            "pod_name": container.pod,
            "container_name": container.name,
        },
        labels={"k8s-pod/app": container.app, "compute.googleapis.com/resource_name": f"gke-{container.cluster}-1"},
        text=text,
        payload=found,
        trace=str(taken.get(_TRACE, "")),
    )


def message(types: Any, found: Entry) -> Any:
    """`found` as Google's protocol buffer message; `types` has the class LogEntry."""
    made = types.LogEntry(
        log_name=found.log_name, insert_id=found.insert_id, severity=found.severity, labels=found.labels
    )
    made.resource.type = found.resource_type
    made.resource.labels.update(found.resource)
    for stamp, at in ((made.timestamp, found.at), (made.receive_timestamp, found.received)):
        stamp.seconds, stamp.nanos = divmod(at, 10**9)
    if found.payload is not None:
        made.json_payload.update(found.payload)
    else:
        made.text_payload = found.text or ""
    if found.trace:
        made.trace = found.trace
    return made


def _object(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
