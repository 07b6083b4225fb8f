"""klog, as Kubernetes' own programs write: `I1124 10:59:12.123456       1 file.go:12] message`.

It names no year: it is the one that lies nearest to now.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from toolkit.logs.entry import Severity
from toolkit.logs.formats import logfmt
from toolkit.logs.formats.reading import Reading

_HEAD: Final = re.compile(
    r"([DIWEF])(\d{4} \d\d:\d\d:\d\d)\.(\d{6}) {1,10}(\d{1,10}) ([^\s\]:]{1,200}:\d{1,7})\] ?", re.ASCII
)
_LEVELS: Final = {
    "D": Severity.DEBUG,
    "I": Severity.INFO,
    "W": Severity.WARNING,
    "E": Severity.ERROR,
    "F": Severity.CRITICAL,
}


def read(text: str) -> Reading | None:
    """The pairs of a structured message become fields; `caller` is the line of the source that wrote it."""
    found = _HEAD.match(text)
    if found is None:
        return None
    level, second, micros, thread, caller = found.groups()
    seconds = _seconds(second)
    if seconds is None:
        return None
    message = text[found.end() :]
    fields: dict[str, Any] = {"caller": caller, "thread": thread}
    if message[:1] == '"':
        message, pairs = logfmt.quoted_and_pairs(message)
        fields.update(pairs)
    elif '="' in message[:4096]:
        fields.update(logfmt.pairs(message))
    return Reading(_LEVELS[level], message, fields, seconds * 1_000_000_000 + int(micros) * 1000)


@lru_cache(4096)
def _seconds(text: str) -> int | None:
    now = datetime.now(UTC)
    for year in (now.year + 1, now.year, now.year - 1):
        try:
            at = datetime.strptime(f"{year}{text}", "%Y%m%d %H:%M:%S").replace(tzinfo=UTC)
        except ValueError:  # no such day, perhaps only in that year
            continue
        if at - now < timedelta(days=2):
            return int(at.timestamp())
    return None
