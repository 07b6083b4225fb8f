"""logfmt: `level=info msg="loaded the group" group=g0`, as Grafana's and many Go programs write."""

from __future__ import annotations

import re
from typing import Any, Final

from toolkit.logs.entry import Severity
from toolkit.logs.formats import stamps
from toolkit.logs.formats.reading import Reading
from toolkit.logs.formats.severities import severity_of

_LONGEST: Final = 1 << 16  # a longer line is read as text
_LOOKS: Final = re.compile(r"[A-Za-z_@][\w.@/-]{0,63}=")
_SAYS: Final = ("msg=", "level=", "lvl=", "message=", "severity=")
# A key begins where a word begins, so that no place is looked at twice.
_PAIR: Final = re.compile(r'(?<!\S)([A-Za-z_@][\w.@/-]{0,99})=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))')
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}
_MESSAGES: Final = ("msg", "message", "event")
_LEVELS: Final = ("level", "lvl", "severity")
_TIMES: Final = ("time", "ts", "t", "timestamp")


def read(text: str) -> Reading | None:
    """Pairs that say a level or a message. What is no pair stays in the raw line alone."""
    head = text[:4096]
    if len(text) > _LONGEST or _LOOKS.match(text) is None or not any(word in head for word in _SAYS):
        return None
    fields = pairs(text)
    message = next((fields.pop(key) for key in _MESSAGES if key in fields), None)
    severity = None
    for key in _LEVELS:
        if key in fields and (severity := severity_of(fields[key])) is not None:
            del fields[key]
            break
    if message is None and severity is None:
        return None
    time = next((at for key in _TIMES if key in fields and (at := stamps.time_of(fields[key])) is not None), 0)
    return Reading(severity or Severity.DEFAULT, text if message is None else message, fields, time)


def pairs(text: str) -> dict[str, Any]:
    """The pairs in the first 64 KiB of a text; of a key that stands twice the last."""
    found: dict[str, Any] = {}
    for key, quoted, bare in _PAIR.findall(text[:_LONGEST]):
        found[key] = bare or _unescaped(quoted)
    return found


def quoted_and_pairs(text: str) -> tuple[str, dict[str, Any]]:
    """A text that begins with a quoted message, and the pairs behind it."""
    found = _QUOTED.match(text[:_LONGEST])
    if found is None:
        return text, {}
    return _unescaped(found[1]), pairs(text[found.end() :])


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), text) if "\\" in text else text
