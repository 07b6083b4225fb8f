"""An entry of Cloud Logging (a LogEntry) as ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class LogEntry:
    """`time` is nanoseconds since the epoch, `severity` as LogSeverity counts.

    `text` is the payload as text: textPayload as it is; jsonPayload and protoPayload as compact JSON, which is what
    their `payload` holds too. `labels` are the entry's own, `resource_labels` those of what wrote it.
    """

    time: int
    severity: int
    text: str
    insert_id: str
    log: str
    resource_type: str
    resource_labels: Mapping[str, str]
    labels: Mapping[str, str]
    payload: Mapping[str, Any]
    extra: Mapping[str, Any]


def read(entry: Any) -> LogEntry:
    """`entry` is a google.logging.v2.LogEntry."""
    kind = entry.WhichOneof("payload")
    payload: dict[str, Any] = {}
    if kind == "text_payload":
        text = entry.text_payload
    elif kind == "json_payload":
        payload = _struct(entry.json_payload)
        text = _compact(payload)
    elif kind == "proto_payload":
        payload = _any(entry.proto_payload)
        text = _compact(payload)
    else:
        text = ""
    stamp = entry.timestamp if entry.HasField("timestamp") else entry.receive_timestamp
    return LogEntry(
        time=stamp.seconds * 10**9 + stamp.nanos,
        severity=entry.severity,
        text=text,
        insert_id=entry.insert_id,
        log=unquote(entry.log_name.rpartition("/logs/")[2]),
        resource_type=entry.resource.type,
        resource_labels=dict(entry.resource.labels),
        labels=dict(entry.labels),
        payload=payload,
        extra=_extra(entry),
    )


def _extra(entry: Any) -> dict[str, Any]:
    """What else is said of few entries, under the names that LogEntry's JSON has for it."""
    extra: dict[str, Any] = {}
    if entry.trace:
        extra["trace"] = entry.trace
    if entry.span_id:
        extra["spanId"] = entry.span_id
    for name, field in (("httpRequest", "http_request"), ("sourceLocation", "source_location")):
        if entry.HasField(field):
            extra[name] = _message(getattr(entry, field))
    return extra


def _struct(struct: Any) -> dict[str, Any]:
    """Its message first, then by name: a Struct's own order is another one at each reading."""
    fields = struct.fields
    return {key: _value(fields[key]) for key in sorted(fields, key=lambda key: (key != "message", key))}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _struct(value.struct_value)
    if kind == "list_value":
        return [_value(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    return None if kind in ("null_value", None) else getattr(value, kind)


def _any(payload: Any) -> dict[str, Any]:
    """A payload of some type of Google's: an audit log's is known, others are only named."""
    from google.cloud.audit import audit_log_pb2

    if payload.Is(audit_log_pb2.AuditLog.DESCRIPTOR):
        audit = audit_log_pb2.AuditLog()
        payload.Unpack(audit)
        return {"@type": payload.type_url, **_message(audit)}
    return {"@type": payload.type_url, "bytes": len(payload.value)}


def _message(message: Any) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    try:
        return dict(MessageToDict(message))
    except TypeError:  # something in it is of a type that is not known here
        return {"unreadable": type(message).__name__}


def _compact(payload: Mapping[str, Any]) -> str:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
