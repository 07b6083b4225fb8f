"""Python's logging, in the forms in which it is mostly set up. The time has been taken off already:

`LEVEL name: message` · `LEVEL:name:message` · `LEVEL: message` · `- name - LEVEL - message` · `[pid] [LEVEL] message`
(gunicorn) · `LEVEL in module: message` (Flask) · `[level    ] message key=value` (structlog) ·
`| LEVEL | place - message` (loguru)
"""

from __future__ import annotations

import re
from typing import Any, Final

from toolkit.logs.entry import Severity
from toolkit.logs.formats import logfmt
from toolkit.logs.formats.severities import WORDS

_NAME: Final = r"[A-Za-z_][\w.-]{0,199}"
_WORD: Final = re.compile(rf"([A-Za-z]{{3,13}})(?::({_NAME}):|:|\b)[ \t]*(?:(?:in )?({_NAME}): )?")
_BRACKETS: Final = re.compile(rf"(?:\[(\d{{1,10}})\] ?)?\[ ?([A-Za-z]{{3,13}}) {{0,9}}\][ \t]*(?:({_NAME}): )?")
_DASHES: Final = re.compile(rf"-? ?(?:({_NAME}) - )?([A-Za-z]{{3,13}}) - ")
_BARS: Final = re.compile(r"\| ([A-Z]{3,13}) {0,9}\| (\S{1,200}) - ")
_PAIRS_BEHIND: Final = re.compile(r"\s{2,}(?=[A-Za-z_][\w.]{0,63}=)")

Found = tuple[Severity, str, dict[str, Any]]


def read(text: str, *, stamped: bool) -> Found | None:
    """Severity, message and fields; None where no level is said. Without a time before it (`stamped`) a level must be
    in capitals, or have a colon behind it."""
    first = text[:1]
    if first == "[":
        found = _BRACKETS.match(text)
        if found is not None and (severity := WORDS.get(found[2])) is not None:
            return _bracketed(text, found, severity)
        return None
    if first == "|":
        found = _BARS.match(text)
        if found is not None and (severity := WORDS.get(found[1])) is not None:
            return severity, text[found.end() :], {"logger": found[2]}
        return None
    found = _WORD.match(text)
    if found is not None:
        severity = WORDS.get(found[1])
        if severity is not None:
            return _begins_with_level(text, found, severity, stamped)
    if stamped or first == "-":
        found = _DASHES.match(text)
        if found is not None and (severity := WORDS.get(found[2])) is not None:
            return severity, text[found.end() :], {"logger": found[1]} if found[1] else {}
    return None


def _begins_with_level(text: str, found: re.Match[str], severity: Severity, stamped: bool) -> Found | None:
    level, joined, name = found.groups()
    end = found.end(1)
    behind = text[end : end + 1]
    if not stamped and not level.isupper() and behind != ":":
        return None
    if joined is not None:  # LEVEL:name:message
        if not level.isupper():
            return None
        return severity, text[found.end(2) + 1 :].lstrip(" \t"), {"logger": joined}
    if name is not None and _is_logger(name):
        return severity, text[found.end() :], {"logger": name}
    return severity, text[end + (behind == ":") :].lstrip(" \t"), {}


def _bracketed(text: str, found: re.Match[str], severity: Severity) -> Found:
    pid, _, name = found.groups()
    fields: dict[str, Any] = {"pid": pid} if pid else {}
    if name is not None and _is_logger(name):
        fields["logger"] = name
        return severity, text[found.end() :], fields
    message = text[found.end(3) - len(name) if name else found.end() :]
    if "=" in message[:4096]:
        pairs = _PAIRS_BEHIND.search(message, 0, 4096)
        if pairs is not None:  # structlog pads the event, and writes the pairs behind it
            fields.update(logfmt.pairs(message[pairs.end() :]))
            message = message[: pairs.start()]
    return severity, message.rstrip(" "), fields


def _is_logger(name: str) -> bool:
    """Whether the word before a colon is a logger's name, as modules are called, and no part of the message."""
    return name[0].islower() or name[0] == "_" or "." in name
