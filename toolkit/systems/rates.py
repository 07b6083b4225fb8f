"""How fast bytes really came, remembered from the last time: what can be said beforehand of how long something takes.

A small file in the state directory. Only measurements go in, and nothing is said without one.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from toolkit import figures, paths

HERE: Final = "bucket to here"
_FILE: Final = "rates.json"
_LEAST_BYTES: Final = 4_000_000  # less says more of the latency than of the link
_LEAST_SECONDS: Final = 0.05
_STALE: Final = timedelta(days=30)
_WORTH_SECONDS: Final = 300.0  # what takes longer is worth going elsewhere …
_WORTH_TIMES: Final = 3.0  # … where it is so many times faster


@dataclass(frozen=True, slots=True)
class Rate:
    """`bytes` came in `seconds`, at that time."""

    bytes: int
    seconds: float
    at: datetime

    @property
    def per_second(self) -> float:
        return self.bytes / self.seconds

    def takes(self, count: int) -> float:
        """Seconds for `count` bytes."""
        return count / self.per_second


def on_biohive(host: str) -> str:
    """The link from Google's storage to that host."""
    return f"bucket to {host}"


def remember(link: str, count: int, seconds: float) -> None:
    """Note that `count` bytes came over `link` in `seconds`; too few to tell anything are not noted."""
    if count < _LEAST_BYTES or seconds < _LEAST_SECONDS:
        return
    known = _read()
    known[link] = {"bytes": count, "seconds": round(seconds, 3), "at": datetime.now(UTC).isoformat(timespec="seconds")}
    file = paths.state() / _FILE
    fresh = file.with_name(f"{_FILE}.{os.getpid()}.{time.monotonic_ns()}")
    with contextlib.suppress(OSError):  # what is only for an estimate never spoils the work itself
        fresh.write_text(json.dumps(known, indent=1), "utf-8")
        fresh.replace(file)


def recall(link: str) -> Rate | None:
    """The last measurement of that link; None where there is none, or none of this month."""
    entry: Any = _read().get(link)
    try:
        rate = Rate(int(entry["bytes"]), float(entry["seconds"]), datetime.fromisoformat(entry["at"]))
        fresh = datetime.now(UTC) - rate.at < _STALE
    except (AttributeError, TypeError, KeyError, ValueError):
        return None
    return rate if fresh and rate.bytes > 0 and rate.seconds > 0 else None


def elsewhere(count: int, here: Rate | None, there: Rate | None, host: str, command: str) -> str:
    """What to say before `count` bytes are moved: where it would be quicker, on the evidence of measurements. "" where
    it is not long, not known, or no quicker there. `command` is what to type for it there."""
    if here is None or here.takes(count) < _WORTH_SECONDS:
        return ""
    said = f"{figures.size(count)} at {_speed(here)} = {figures.duration(here.takes(count))} here"
    if there is None:
        return f"{said}; how long on BioHive ({host}) is not known yet: `toolkit biohive status` measures its link."
    if there.per_second < here.per_second * _WORTH_TIMES:
        return ""
    takes = figures.duration(max(there.takes(count), 1))
    return f"{said}; on BioHive ({host}) {takes} at {_speed(there)}: `{command}`"


def _speed(rate: Rate) -> str:
    return f"{figures.size(round(rate.per_second))}/s"


def _read() -> dict[str, Any]:
    try:
        found = json.loads((paths.state() / _FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
