"""What a log is made of: lines as their sources give them, entries as people read them, and notices of what happened
to a source meanwhile.

A Line is cheap, since there are many: it is read (severity, message, fields) only where somebody asks, see reading.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

import msgspec


class Severity(IntEnum):
    """As Cloud Logging's LogSeverity; DEFAULT: none was said."""

    DEFAULT = 0
    DEBUG = 100
    INFO = 200
    NOTICE = 300
    WARNING = 400
    ERROR = 500
    CRITICAL = 600
    ALERT = 700
    EMERGENCY = 800


@dataclass(frozen=True, slots=True)
class Stream:
    """One thing that writes lines. `source` is pods, loki, cloud-logging, file, stdin or journal; `origin` is what
    people call it (`prod-cluster/rp006-neuro/pod-x/main`, a file's name); `labels` are what the source knows besides.

    `pod` is the pod's name where there is one: a line of it that comes from two sources is the same line.
    """

    source: str
    origin: str
    pod: str = ""
    labels: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False)


@dataclass(frozen=True, slots=True)
class Known:
    """What a source says of a line beyond its text: Cloud Logging's severity, payload and insertId, Loki's metadata."""

    severity: Severity | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""


class Line(NamedTuple):
    """One line. `time` is nanoseconds since the epoch, as the source says it; 0: it says none. `text` is exactly what
    was written, without the line's end; bytes that are no UTF-8 stand in it as surrogate escapes."""

    time: int
    text: str
    stream: Stream
    known: Known | None = None


class Kind(StrEnum):
    """What a notice is about. gap: lines may be missing here. suppressed: the server left lines out. again: a stream
    goes on after a cut, whole. came, went: a pod. quiet: nothing for a while, and asking showed that nothing is
    missing. late: lines of a stream come when younger ones have been shown. skew: a source's clock differs. event: what
    the journal knows (a flush, a rebuild). problem: a source cannot be asked."""

    GAP = "gap"
    SUPPRESSED = "suppressed"
    AGAIN = "again"
    CAME = "came"
    WENT = "went"
    QUIET = "quiet"
    LATE = "late"
    SKEW = "skew"
    EVENT = "event"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened to `stream`, at `time` (nanoseconds since the epoch); `text` is for people. `count` is how many
    lines are missing, where that is known."""

    time: int
    kind: Kind
    stream: Stream
    text: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One call of a traceback. `ours`: it is in code of our own, not of a library."""

    file: str
    line: int
    function: str
    code: str = ""
    ours: bool = False


class Entry(msgspec.Struct, frozen=True):
    """What was written at one time: a line, or the lines of a traceback folded into one.

    `raw` is exactly what was written, with its line ends where there were several lines. `exception` is the type and
    message of the last exception of a folded traceback, `frames` its calls, outermost first, `fingerprint` the same for
    tracebacks of the same cause. A Struct, since one is made for every line: a frozen dataclass takes far longer.
    """

    time: int
    severity: Severity
    source: str
    origin: str
    message: str
    raw: str
    fields: dict[str, Any] = {}
    exception: str = ""
    fingerprint: str = ""
    frames: Sequence[Frame] = ()
