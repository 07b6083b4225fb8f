"""What a format makes of a line."""

from __future__ import annotations

from typing import Any, NamedTuple

from toolkit.logs.entry import Severity


class Reading(NamedTuple):
    """`time` is the line's own, in nanoseconds since the epoch; 0: it says none."""

    severity: Severity
    message: str
    fields: dict[str, Any]
    time: int = 0
