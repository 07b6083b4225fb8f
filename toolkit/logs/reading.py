"""From a Line to an Entry: what one line says, with what its source knows of it. Tracebacks are folded elsewhere."""

from __future__ import annotations

from typing import Final

from toolkit.logs.entry import Entry, Line, Severity
from toolkit.logs.formats import read_text

_BY_CHANNEL: Final = ("stdout", "stderr")


def read(line: Line) -> Entry:
    """One line as people read it; never raises, whatever is in it.

    What the source knows wins: its time (the line's own is taken only where the source says none), its severity unless
    that is DEFAULT, its fields over fields of the same name. But Google's agent calls whatever a container writes to
    stderr an ERROR: of such a log the line's own level wins.
    """
    time, text, stream, known = line
    severity, message, fields, own_time = read_text(text)
    if known is not None:
        if known.severity and not (severity and stream.labels.get("log") in _BY_CHANNEL):
            severity = known.severity
        if known.fields:
            fields = {**fields, **known.fields}
    return Entry(time or own_time, severity, stream.source, stream.origin, message, text, fields)


def level_of(word: str) -> Severity | None:
    """The severity that somebody means by a word, such as `warn`; None for an unknown one."""
    from toolkit.logs.formats.severities import severity_of

    return severity_of(word.strip().lower())


def own_time(text: str) -> int:
    """When the line itself says that it was written, in nanoseconds since the epoch; 0: it does not say."""
    from toolkit.logs.formats import read_text, stamps

    first = text[:1]
    if first.isdigit() or first == "[":
        stamp = stamps.leading(text)
        return stamp[0] if stamp else 0
    return 0 if first in (" ", "\t", "") else read_text(text[:4096]).time
