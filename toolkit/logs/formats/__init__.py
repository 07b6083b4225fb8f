"""How lines are written: one module for each way, and which of them a line is in.

A module's `read` gives a Reading, or None where the line is not in its format; none of them raises, whatever is in the
line. Patterns are anchored at the line's beginning and bounded, or linear.
"""

from __future__ import annotations

from toolkit.logs.entry import Severity
from toolkit.logs.formats import access, json_lines, klog, logfmt, python_logging, stamps
from toolkit.logs.formats.colours import uncoloured
from toolkit.logs.formats.reading import Reading

__all__ = ["Reading", "read_text"]

_MOST_STAMPS = 3  # the container's before the program's own
_DEFAULT = Severity.DEFAULT  # an enumeration's member is slow to look up
_KLOG = frozenset("DIWEF")
_STAMPED = frozenset("[0123456789")


def read_text(text: str) -> Reading:
    """What a line says. Colours are left out of it; a line in no known format is its own message."""
    if "\x1b" in text:
        text = uncoloured(text)
    time = 0
    for _ in range(_MOST_STAMPS):
        first = text[:1]
        if first == "{":
            found = json_lines.read(text)
            if found is None:
                break
            if "log" in found.fields and (inner := json_lines.docker(found)) is not None:
                text, time = inner[0], time or inner[1]
                continue
            return found if not time else found._replace(time=time)
        if first in _KLOG:
            found = klog.read(text)
            if found is not None:
                return found if not time else found._replace(time=time)
        if first not in _STAMPED:
            break
        stamp = stamps.leading(text)
        if stamp is None:
            break
        time = time or stamp[0]
        text = text[stamp[1] :]
    return _worded(text, time)


def _worded(text: str, time: int) -> Reading:
    """A line without its times: a level and a logger's name before the message, or pairs, or just text."""
    found = python_logging.read(text, stamped=time != 0)
    if found is not None:
        severity, message, fields = found
        if "HTTP/" in message[:4096]:
            fields = {**fields, **access.fields_of(message)}
        return Reading(severity, message, fields, time)
    if "=" in text[:64]:
        pairs = logfmt.read(text)
        if pairs is not None:
            return pairs if not time else pairs._replace(time=time)
    if "HTTP/" in text[:4096]:
        request = access.read(text)
        if request is not None:
            return request if not time else request._replace(time=time)
    return Reading(_DEFAULT, text, {}, time)
