"""Reads the two objects that kubectl sends as protobuf whatever the server prefers: a Job, and an access review.

The field numbers are those of Kubernetes' generated.proto files. Fields of a pod that are not listed here (volumes,
affinity, probes and such) are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from toolkit.sandbox.kubernetes.resources import Object, bad_request

_MAGIC: Final = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

# A field is (name, type); a type is "text", "number", "flag", a message, [a type] if repeated, {} for a map of texts.
Message = dict[int, tuple[str, Any]]

_OWNER: Message = {
    1: ("kind", "text"),
    3: ("name", "text"),
    4: ("uid", "text"),
    5: ("apiVersion", "text"),
    6: ("controller", "flag"),
    7: ("blockOwnerDeletion", "flag"),
}
_METADATA: Message = {
    1: ("name", "text"),
    2: ("generateName", "text"),
    3: ("namespace", "text"),
    11: ("labels", {}),
    12: ("annotations", {}),
    13: ("ownerReferences", [_OWNER]),
}
_ENVIRONMENT: Message = {1: ("name", "text"), 2: ("value", "text")}
_CONTAINER: Message = {
    1: ("name", "text"),
    2: ("image", "text"),
    3: ("command", ["text"]),
    4: ("args", ["text"]),
    5: ("workingDir", "text"),
    7: ("env", [_ENVIRONMENT]),
    14: ("imagePullPolicy", "text"),
}
_POD: Message = {
    2: ("containers", [_CONTAINER]),
    3: ("restartPolicy", "text"),
    7: ("nodeSelector", {}),
    8: ("serviceAccountName", "text"),
    10: ("nodeName", "text"),
    20: ("initContainers", [_CONTAINER]),
}
_TEMPLATE: Message = {1: ("metadata", _METADATA), 2: ("spec", _POD)}
_JOB_SPEC: Message = {
    1: ("parallelism", "number"),
    2: ("completions", "number"),
    3: ("activeDeadlineSeconds", "number"),
    6: ("template", _TEMPLATE),
    7: ("backoffLimit", "number"),
    8: ("ttlSecondsAfterFinished", "number"),
    10: ("suspend", "flag"),
}
_ATTRIBUTES: Message = {
    1: ("namespace", "text"),
    2: ("verb", "text"),
    3: ("group", "text"),
    4: ("version", "text"),
    5: ("resource", "text"),
    6: ("subresource", "text"),
    7: ("name", "text"),
}
_KINDS: dict[str, Message] = {
    "Job": {1: ("metadata", _METADATA), 2: ("spec", _JOB_SPEC)},
    "SelfSubjectAccessReview": {1: ("metadata", _METADATA), 2: ("spec", {1: ("resourceAttributes", _ATTRIBUTES)})},
}
_TYPE: Message = {1: ("apiVersion", "text"), 2: ("kind", "text")}
_ENVELOPE: Message = {1: ("type", _TYPE), 2: ("raw", "bytes")}


def decode(data: bytes) -> Object:
    """The object in a protobuf body. Raises Status (400) where it is broken or of a kind not known here."""
    if not data.startswith(_MAGIC):
        raise bad_request("the body is not Kubernetes protobuf")
    try:
        envelope = _message(data[len(_MAGIC) :], _ENVELOPE)
        kind = envelope["type"]["kind"]
        if kind not in _KINDS:
            raise bad_request(f"a {kind} in protobuf is not known here; send JSON")
        return {**envelope["type"], **_message(envelope.get("raw", b""), _KINDS[kind])}
    except (IndexError, KeyError, UnicodeDecodeError) as error:
        raise bad_request(f"the protobuf body is broken: {error}") from error


def _message(data: bytes, known: Message) -> Object:
    found: Object = {}
    for number, value in _fields(data):
        if number not in known:
            continue
        name, kind = known[number]
        if kind == {}:
            pair = _message(_bytes(value), {1: ("key", "text"), 2: ("value", "text")})
            found.setdefault(name, {})[pair.get("key", "")] = pair.get("value", "")
        elif isinstance(kind, list):
            found.setdefault(name, []).append(_value(value, kind[0]))
        elif kind != "text" or value:  # Go writes a text that is not set as an empty one
            found[name] = _value(value, kind)
    return found


def _value(value: int | bytes, kind: Any) -> Any:
    if isinstance(kind, dict):
        return _message(_bytes(value), kind)
    if kind == "text":
        return _bytes(value).decode()
    if kind == "bytes":
        return _bytes(value)
    return bool(value) if kind == "flag" else value


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise bad_request("the protobuf body is broken: a number where a text should be")
    return value


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == _BYTES:
            size, at = _varint(data, at)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise bad_request(f"the protobuf body is broken: wire type {wire}")
        if at + size > len(data):
            raise bad_request("the protobuf body is broken: it ends too early")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
        shift += 7
