"""Tracebacks folded: the lines of one, with the log record before it, become one Entry with exception, frames and
fingerprint. How a traceback is written stands in traceback_text.py; what is done with many of them in grouping.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from toolkit.logs.entry import Entry, Frame, Kind, Line, Notice, Severity, Stream
from toolkit.logs.go_panics import GoPanic, begins_panic
from toolkit.logs.reading import read
from toolkit.logs.traceback_text import BEGIN, PythonTraceback, begins, embedded, fingerprint_of

MOST_LINES: Final = 2_000  # of one traceback; what is longer is closed
_MOST_CHARACTERS: Final = 1 << 20
_MOST_WAITING: Final = 50_000  # entries that wait behind an open traceback
_HEAD_BEFORE: Final = 250_000_000  # ns: how long before its traceback a record may have been written
_PATIENCE: Final = 2_000_000_000  # ns: how long after its last line a traceback may go on
_LATE: Final = 5_000_000_000  # ns: how far other streams get ahead of it meanwhile; their clocks may differ


class Folding:
    """Folds as lines come, in batches of any size; what comes out is in the order of the first lines that went in.

    A record of severity WARNING or above that is the last of its stream so far is held back as an open traceback is:
    one may follow. Both end when their stream goes on otherwise, when other streams have come far ahead in time, or by
    `flush`: whoever follows calls it a few times a second.
    """

    def __init__(self, own_code: Sequence[str]) -> None:
        self._own_code = tuple(own_code)
        self._waiting: deque[Entry | Notice | _Open] = deque()
        self._open: dict[Stream, _Open] = {}
        self._looked = 0  # when `_give_up` looked last, in the lines' time

    def add(self, items: Iterable[Line | Notice]) -> list[Entry | Notice]:
        """Take lines and notices in; gives what is ready."""
        out: list[Entry | Notice] = []
        for item in items:
            if not self._open:
                if self._waiting:
                    out.extend(self._released())
                if type(item) is Line:
                    entry = self._alone(item)
                    if entry is not None:
                        out.append(entry)
                else:
                    out.append(item)  # type: ignore[arg-type]
                continue
            if isinstance(item, Notice):
                if item.kind in (Kind.GAP, Kind.WENT) and (one := self._open.get(item.stream)) is not None:
                    self._close(one)
                self._waiting.append(item)
                continue
            self._beside_open(item)
            if len(self._waiting) > _MOST_WAITING:
                self._close(next(iter(self._open.values())))
        out.extend(self._released())
        return out

    def flush(self, before: int | None = None) -> list[Entry | Notice]:
        """Close what has not gone on since `before` (nanoseconds) nor since the last flush, and give what is ready.
        None: close everything, since nothing more will come."""
        for one in [*self._open.values()]:
            if before is None or (one.flushed and one.last < before):
                self._close(one)
            one.flushed = True
        return self._released()

    def _alone(self, line: Line) -> Entry | None:
        """The entry of a line while nothing is open; None where it opened something."""
        text = line.text
        if _may_begin(text):
            opened = self._begun(line, None)
            if opened is not None:
                return None
        entry = read(line)
        if entry.severity >= Severity.WARNING and "\n" not in text:
            self._opened(_Open(line, entry))
            return None
        if BEGIN in text or "exc_type" in text or (line.known is not None and line.known.fields):
            return with_embedded(entry, self._own_code)
        return entry

    def _beside_open(self, line: Line) -> None:
        if line.time:
            self._give_up(line.time)
        one = self._open.get(line.stream)
        if one is not None:
            if one.takes(line):
                return
            if one.traceback is None and _may_begin(line.text) and one.near(line) and self._begun(line, one):
                return
            self._close(one)
        entry = self._alone(line)
        if entry is not None:
            self._waiting.append(entry)

    def _begun(self, line: Line, head: _Open | None) -> _Open | None:
        """Open the traceback that begins with `line`, if one does; `head` is the record before it."""
        traceback: PythonTraceback | GoPanic | None = begins(line.text) or begins_panic(line.text)
        if traceback is None:
            return None
        if head is not None:
            head.traceback, head.last, head.flushed = traceback, line.time, False
            head.lines.append(line)
            return head
        return self._opened(_Open(line, None, traceback))

    def _opened(self, one: _Open) -> _Open:
        self._open[one.stream] = one
        self._waiting.append(one)
        return one

    def _give_up(self, now: int) -> None:
        if 0 <= now - self._looked < _LATE // 10:
            return
        self._looked = now
        for one in [*self._open.values()]:
            if one.last and now - one.last > _LATE:
                self._close(one)

    def _close(self, one: _Open) -> None:
        del self._open[one.stream]
        one.closed = True

    def _released(self) -> list[Entry | Notice]:
        """Everything up to the first traceback that is still open."""
        out: list[Entry | Notice] = []
        waiting = self._waiting
        while waiting:
            first = waiting[0]
            if isinstance(first, _Open):
                if not first.closed:
                    break
                out.extend(first.entries(self._own_code))
            else:
                out.append(first)
            waiting.popleft()
        return out


class _Open:
    """A record whose traceback may follow, or a traceback that may go on, of one stream."""

    __slots__ = ("characters", "closed", "entry", "flushed", "last", "lines", "stream", "traceback")

    def __init__(self, line: Line, entry: Entry | None, traceback: PythonTraceback | GoPanic | None = None) -> None:
        self.stream = line.stream
        self.lines = [line]
        self.entry = entry
        self.traceback = traceback
        self.last = line.time
        self.characters = len(line.text)
        self.closed = False
        self.flushed = False  # since its last line

    def near(self, line: Line) -> bool:
        return not line.time or not self.last or abs(line.time - self.last) <= _HEAD_BEFORE

    def takes(self, line: Line) -> bool:
        """Whether `line` is the next of this traceback; then it is taken."""
        if self.traceback is None or len(self.lines) >= MOST_LINES or self.characters > _MOST_CHARACTERS:
            return False
        if line.time and self.last and abs(line.time - self.last) > _PATIENCE:
            return False
        if not self.traceback.takes(line.text, self._after_a_record):
            return False
        self.lines.append(line)
        self.characters += len(line.text)
        self.last = line.time or self.last
        self.flushed = False
        return True

    def _after_a_record(self, text: str) -> bool:
        """Whether a line at the margin goes on with the exception's message: in a stream whose records begin with a
        level or time, a line without one belongs to the record before it."""
        return self.entry is not None and _unformatted(text)

    def entries(self, own_code: Sequence[str]) -> list[Entry]:
        """The folded entry, and lines that turned out not to belong to it."""
        traceback = self.traceback
        if traceback is None:
            return [] if self.entry is None else [with_embedded(self.entry, own_code)]
        extra = traceback.blank_at_end
        lines = self.lines[: len(self.lines) - extra] if extra else self.lines
        head = self.entry if self.entry is not None else _head(lines[0])
        found = traceback.read(own_code)
        folded = msgspec.structs.replace(
            head,
            message=head.message or found.exception or lines[0].text.strip(),
            severity=head.severity or Severity.ERROR,
            raw="\n".join([line.text for line in lines]),
            exception=found.exception,
            frames=found.frames,
            fingerprint=fingerprint_of(found),
        )
        return [folded, *(read(line) for line in self.lines[len(lines) :])]


def with_embedded(entry: Entry, own_code: Sequence[str]) -> Entry:
    """An entry of one line that carries a traceback in its message or one of its fields: with what it says."""
    found = embedded(entry.message, entry.fields, own_code)
    if found is None:
        return entry
    before = entry.message.partition(BEGIN)[0].strip() if BEGIN in entry.message else entry.message
    return msgspec.structs.replace(
        entry,
        message=before or found.exception or entry.message,
        severity=entry.severity or Severity.ERROR,
        exception=found.exception,
        frames=found.frames,
        fingerprint=fingerprint_of(found),
    )


def last_exception(texts: Iterable[str]) -> str:
    """Type and message of the last traceback in a log's lines; "" where there is none."""
    folding, stream = Folding(()), Stream("", "")
    entries = [*folding.add([Line(0, text, stream) for text in texts]), *folding.flush()]
    return next((one.exception for one in reversed(entries) if isinstance(one, Entry) and one.exception), "")


def place_of(entry: Entry) -> Frame | None:
    """Where it broke, as people ask: the innermost call in our own code, else the innermost of all."""
    return next((frame for frame in reversed(entry.frames) if frame.ours), entry.frames[-1] if entry.frames else None)


def _may_begin(text: str) -> bool:
    """Cheap, and true of every line with which a traceback of several lines begins."""
    return BEGIN in text or text.startswith(('  File "', "panic: ", "fatal error: ", "goroutine "))


def _head(line: Line) -> Entry:
    """A traceback's first line as its head: what stands before the word Traceback is the message."""
    entry = read(line)
    before = entry.message.partition(BEGIN)[0].strip(" \t|+") if BEGIN in entry.message else ""
    if before == "Exception Group":
        before = ""
    return msgspec.structs.replace(entry, message=before.rstrip(": "))


def _unformatted(text: str) -> bool:
    from toolkit.logs.formats import read_text

    reading: Any = read_text(text)
    return not reading.severity and not reading.time and not reading.fields
