"""JSON, one object a line: as Cloud Logging's agents and exports have it, structlog and python-json-logger, zap and
bunyan, and what Docker wraps around another line.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any, Final

import msgspec

from toolkit.logs.entry import Severity
from toolkit.logs.formats import stamps
from toolkit.logs.formats.reading import Reading
from toolkit.logs.formats.severities import severity_of

_LONGEST: Final = 1 << 20  # a longer line is read as text
_DEEPEST: Final = 64
_MESSAGES: Final = ("message", "msg", "event", "textPayload", "log")
_LEVELS: Final = ("severity", "level", "levelname", "lvl", "log.level", "levelno")
_TIMES: Final = ("timestamp", "time", "ts", "@timestamp", "asctime", "datetime", "t")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"{[]}"))
_STEPS: Final = bytes.maketrans(b"{[]}", b"\x02\x02\x00\x00")  # one deeper, one back: less 1 in the sum
_BEYOND_64_BITS: Final = re.compile(r"[0-9]{19}")
_decode: Final = msgspec.json.Decoder().decode


def read(text: str) -> Reading | None:
    """Whatever was neither the message nor the severity is in the fields, the time too."""
    value = _decoded(text)
    if not isinstance(value, dict):
        return None
    message, severity, time = _said(value)
    payload = value.get("jsonPayload")
    if isinstance(payload, dict):
        inner_message, inner_severity, inner_time = _said(payload)
        message = message if message is not None else inner_message
        severity = severity if severity is not None else inner_severity
        time = time or inner_time
    if message is None:
        request = value.get("httpRequest")
        message = _request(request) if isinstance(request, dict) else text
    return Reading(severity or Severity.DEFAULT, message, value, time)


def docker(reading: Reading) -> tuple[str, int] | None:
    """The line that Docker's json-file driver has wrapped, and its time; None where it is no such line."""
    fields = reading.fields
    wrapped = fields.get("log")
    if not isinstance(wrapped, str) or not fields.keys() <= {"log", "stream", "time", "attrs"} or "time" not in fields:
        return None
    return wrapped.rstrip("\n"), reading.time


def _said(value: dict[str, Any]) -> tuple[str | None, Severity | None, int]:
    """Message, severity and time, the former two taken out of `value` (but for Docker's `log`)."""
    message = severity = None
    for key in _MESSAGES:
        if key in value and isinstance(value[key], str):
            message = value[key] if key == "log" else value.pop(key)
            break
    for key in _LEVELS:
        if key in value:
            severity = severity_of(value[key], python=key == "levelno")
            if severity is not None:
                del value[key]
                break
    for key in _TIMES:
        if key in value:
            time = stamps.time_of(value[key])
            if time is not None:
                return message, severity, time
    return message, severity, 0


def _request(request: dict[str, Any]) -> str:
    parts = (request.get(key) for key in ("requestMethod", "requestUrl", "status", "latency"))
    return " ".join(str(part)[:2048] for part in parts if part is not None)


def _decoded(text: str) -> Any:
    if len(text) > _LONGEST or text.rstrip()[-1:] != "}":
        return None
    if text.count("{") + text.count("[") > _DEEPEST and _depth(text) > _DEEPEST:
        return None
    if _BEYOND_64_BITS.search(text) is None:
        try:
            return _decode(text)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
            pass  # NaN, control characters, bytes that are no UTF-8: Python's own reads those
    try:
        return json.loads(text, strict=False, parse_int=_number)
    except (ValueError, RecursionError):
        return None


def _number(digits: str) -> int | str:
    """A number beyond 64 bits stays text: nobody could write it as JSON again."""
    return int(digits) if len(digits) < 19 else digits


def _depth(text: str) -> int:
    """How deep brackets are nested; those inside strings count too, which at worst makes text of a line."""
    brackets = text.encode("utf-8", "replace").translate(_STEPS, _NO_BRACKETS)
    return max(accumulate(brackets, lambda depth, step: depth + step - 1), default=0)
