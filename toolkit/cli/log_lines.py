"""How entries of logs are shown: a line each for people, objects for programs, raw text unchanged."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

from toolkit.cli import diagnostics, output
from toolkit.cli.diagnostics import printable
from toolkit.logs.entry import Entry, Kind, Notice, Severity
from toolkit.logs.tracebacks import place_of
from toolkit.logs.zones import clock, date_and_clock, rfc3339

_LEVELS: Final = {
    Severity.DEFAULT: ("     ", ""),
    Severity.DEBUG: ("DEBUG", "2"),
    Severity.INFO: ("INFO ", ""),
    Severity.NOTICE: ("NOTE ", "36"),
    Severity.WARNING: ("WARN ", "33"),
    Severity.ERROR: ("ERROR", "31"),
    Severity.CRITICAL: ("CRIT ", "1;31"),
    Severity.ALERT: ("ALERT", "1;31"),
    Severity.EMERGENCY: ("EMERG", "1;31"),
}
_MARKS: Final = {Kind.EVENT: "36", Kind.GAP: "1;33", Kind.PROBLEM: "1;31", Kind.SUPPRESSED: "1;33"}
_ORIGIN: Final = 18  # columns


class Lines:
    """Prints entries and notices in one zone. `origins`: whether each line says where it comes from."""

    def __init__(self, form: output.Format, zone: tzinfo, *, origins: bool = True) -> None:
        self._form = form
        self._zone = zone
        self._origins = origins
        self._colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._told: dict[str, str] = {}
        self._day = ""

    def show(self, items: Sequence[Entry | Notice]) -> None:
        """Print them; notices go to stderr where stdout is for programs."""
        if not items:
            return
        if self._form is output.Format.TABLE:
            output.block([line for item in items for line in self._drawn(item)])
            return
        for item in items:
            if isinstance(item, Notice):
                diagnostics.narrate(f"! {rfc3339(item.time)} {printable(item.text)}", "yellow")
        entries = [item for item in items if isinstance(item, Entry)]
        if self._form is output.Format.PLAIN:
            output.raw([entry.raw for entry in entries])
        else:
            output.objects([document(entry) for entry in entries])

    def _drawn(self, item: Entry | Notice) -> list[str]:
        if isinstance(item, Notice):
            sign = "──" if item.kind is Kind.EVENT else "!!"
            text = f"{sign} {clock(item.time, self._zone)} {printable(item.text)} {sign}"
            return [*self._new_day(item.time), self._styled(text, _MARKS.get(item.kind, "2"))]
        level, style = _LEVELS[item.severity]
        when = clock(item.time, self._zone) if item.time else " " * 12
        head = f"{when} {self._styled(level, style)} {self._styled(self._origin(item), '2') if self._origins else ''}"
        first, *more = item.message.split("\n") if item.message else [item.raw.partition("\n")[0]]
        lines = [*self._new_day(item.time), f"{head}{self._styled(printable(first), style)}"]
        margin = " " * (19 + (_ORIGIN + 1 if self._origins else 0))
        lines += [f"{margin}{printable(line)}" for line in more]
        if item.fingerprint:
            lines += [f"{margin}{self._styled(printable(line), style)}" for line in _told(item)]
        return lines

    def _new_day(self, time: int) -> list[str]:
        if not time:
            return []
        said = date_and_clock(time, self._zone)
        day, zone = said[:14], said.rpartition(" ")[2]
        if day == self._day:
            return []
        self._day = day
        return [self._styled(f"── {day} {zone} ──", "2")]

    def _origin(self, entry: Entry) -> str:
        """A short name for where it comes from; the whole is said once, on stderr."""
        known = self._told.get(entry.origin)
        if known is None:
            known = self._told[entry.origin] = self._shortened(entry.origin)
            if known.strip() != entry.origin:
                diagnostics.narrate(f"  {known.strip()} is {printable(entry.origin)}", "dim")
        return known

    def _shortened(self, origin: str) -> str:
        parts = printable(origin).split("/")
        name = parts[-2] if len(parts) > 3 else parts[-1]  # the pod, of cluster/namespace/pod/container
        short = name if len(name) <= _ORIGIN else f"…{name[1 - _ORIGIN :]}"
        taken = sum(other.rstrip().rstrip("0123456789").rstrip("~") == short for other in self._told.values())
        if taken:
            ending = f"~{taken + 1}"
            short = short[: _ORIGIN - len(ending)] + ending
        return f"{short:<{_ORIGIN}} "

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if style and self._colours else text


def _told(entry: Entry) -> list[str]:
    """A folded traceback in a line or two: what was raised, and where in our own code."""
    lines = [entry.exception] if entry.exception and entry.exception not in entry.message else []
    place = place_of(entry)
    where = "" if place is None else f"{place.file}:{place.line} in {place.function}"
    if place is not None and place.code:
        where += f": {place.code}"
    count = f"{len(entry.frames)} frames" if len(entry.frames) != 1 else "1 frame"
    return [*lines, f"{where}  ({count}, {entry.fingerprint}; -o plain shows all)".strip()]


def document(entry: Entry) -> dict[str, Any]:
    """An entry as programs get it: the contract of `logs -o jsonl`."""
    found: dict[str, Any] = {
        "time": rfc3339(entry.time) if entry.time else None,
        "severity": entry.severity.name,
        "source": entry.source,
        "origin": entry.origin,
        "message": entry.message,
        "fields": clean(entry.fields),
        "raw": entry.raw,
    }
    if entry.fingerprint:
        found["exception"] = entry.exception
        found["fingerprint"] = entry.fingerprint
        found["frames"] = [
            {"file": one.file, "line": one.line, "function": one.function, "code": one.code, "ours": one.ours}
            for one in entry.frames
        ]
    return {key: clean(value) for key, value in found.items()}


def clean(value: Any) -> Any:
    """The same without halves of pairs, which JSON cannot hold: bytes that were no UTF-8 become replacements."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-8", "replace").decode()
        return value
    if isinstance(value, Mapping):
        return {clean(str(key)): clean(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [clean(one) for one in value]
    return value
