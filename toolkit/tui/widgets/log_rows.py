"""An entry of a log as rows of a terminal: folded to one or two, unfolded in full; searched words marked."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Final

from rich.cells import chop_cells
from rich.segment import Segment
from rich.style import Style

from toolkit.logs.entry import Entry, Kind, Notice, Severity
from toolkit.logs.expressions import Expression
from toolkit.logs.filters import text_of
from toolkit.logs.formats.colours import uncoloured
from toolkit.logs.tracebacks import place_of
from toolkit.logs.zones import clock, date_and_clock
from toolkit.secret import scrub
from toolkit.tui.log_query import LABELS, short_origin

Row = list[Segment]

LONGEST: Final = 20_000  # characters of a line that are drawn
MOST_ROWS: Final = 500  # of one entry
_ORIGINS: Final = ((160, 40), (100, 24), (0, 14))  # from so many columns on: cells for where an entry is from
_UNSEEN: Final = re.compile(r"[^\S ]|[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]")
_MARKS: Final = {Kind.EVENT: "event", Kind.GAP: "gap", Kind.SUPPRESSED: "gap", Kind.PROBLEM: "error"}


@dataclass
class Look:
    """How entries are drawn. `style` gives a named style: time, muted, level names in small letters, event, gap, own,
    match, error."""

    style: Callable[[str], Style]
    zone: tzinfo = UTC
    wrap: bool = False
    origins: bool = True
    search: Expression | None = None
    unfolded: set[int] = field(default_factory=set)


def rows_of(item: Entry | Notice, number: int, width: int, look: Look, before: str) -> list[Row]:
    """Its rows; `before` is the day of the item before it, see `day_of`. Rows may be wider than `width` unless lines
    are wrapped."""
    rows: list[Row] = []
    day = day_of(item, look.zone)
    if day and day != before:
        rows.append([Segment(f"── {day} ──", look.style("muted"))])
    if isinstance(item, Notice):
        sign = "──" if item.kind is Kind.EVENT else "!!"
        when = f"{_clock(item.time, width, look)} " if item.time else ""
        text = f"{sign} {when}{seen(item.text)} {sign}"
        style = look.style(_MARKS.get(item.kind, "muted"))
        return rows + [[Segment(line, style)] for line in chop_cells(text, max(width, 20))]
    style = look.style(item.severity.name.lower())
    head = _head(item, width, look, style)
    margin = min(sum(len(segment.text) for segment in head), max(width - 20, 0))
    if number in look.unfolded:
        return (rows + _unfolded(item, head, margin, width, look, style))[:MOST_ROWS]
    message = item.message or item.raw
    first, _, more = message.partition("\n")
    text = seen(first)
    if more and not item.fingerprint:
        text += f"  ▸ {more.count(chr(10)) + 1} more lines"
    rows += _texts(head, text, margin, width, look, style)
    if item.fingerprint:
        rows.append([Segment(" " * margin), *_marked(f"▸ {folded(item)}", look, style)])
    return rows[:MOST_ROWS]


def day_of(item: Entry | Notice, zone: tzinfo) -> str:
    """The day in that zone, with the zone's name: Tue 2026-11-24 UTC; "" without a time."""
    if not item.time:
        return ""
    said = date_and_clock(item.time, zone)
    return f"{said[:14]} {said.rpartition(' ')[2]}"


def folded(entry: Entry) -> str:
    """A traceback in one line: what was raised, and where in our own code."""
    place = place_of(entry)
    words = [seen(entry.exception.partition("\n")[0])] if entry.exception not in entry.message else []
    if place is not None:
        words.append(f"{seen(place.file)}:{place.line} in {seen(place.function)}")
    count = len(entry.frames)
    code = f": {seen(place.code)}" if place is not None and place.code else ""
    return f"{' at '.join(words)} ({count} {'frame' if count == 1 else 'frames'}){code}"


def seen(text: str) -> str:
    """What another program wrote, safe to draw: no codes, no control characters, no secret; long lines are cut."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… {len(text) - LONGEST:,} more characters"
    if "\x1b" in text:
        text = uncoloured(text)
    return scrub(_UNSEEN.sub(_visible, text))


def _visible(found: re.Match[str]) -> str:
    return "    " if found[0] == "\t" else "�"


def _clock(time: int, width: int, look: Look) -> str:
    """To the millisecond where there is room, else to the second; blanks without a time."""
    when = clock(time, look.zone) if time else " " * 12
    return when[:8] if width < 100 else when


def _head(entry: Entry, width: int, look: Look, style: Style) -> Row:
    when = _clock(entry.time, width, look)
    head = [Segment(f"{when} ", look.style("time")), Segment(f"{LABELS.get(entry.severity, '')} ", style)]
    if look.origins:
        room = next(cells for least, cells in _ORIGINS if width >= least)
        name = seen(short_origin(entry.origin))
        name = name if len(name) <= room else f"…{name[1 - room :]}"
        head.append(Segment(f"{name:<{room}} ", look.style("muted")))
    return head


def _texts(head: Row, text: str, margin: int, width: int, look: Look, style: Style) -> list[Row]:
    if not look.wrap:
        return [[*head, *_marked(text, look, style)]]
    lines = chop_cells(text, max(width - margin, 20)) or [""]
    return [
        [*(head if number == 0 else [Segment(" " * margin)]), *_marked(line, look, style)]
        for number, line in enumerate(lines)
    ]


def _unfolded(entry: Entry, head: Row, margin: int, width: int, look: Look, style: Style) -> list[Row]:
    """All that was written, calls in our own code marked, then the fields."""
    whole = Look(look.style, look.zone, True, look.origins, look.search)
    rows = _texts(head, seen((entry.message or entry.raw).partition("\n")[0]), margin, width, whole, style)
    indent = [Segment("  │ ", look.style("muted"))]
    own = {f'"{frame.file}", line {frame.line}' for frame in entry.frames if frame.ours}
    lines = entry.raw.split("\n")
    ours = False
    for line in lines if len(lines) > 1 or entry.raw != entry.message else ():
        if line.lstrip().startswith('File "'):
            ours = any(place in line for place in own)
        elif not line.startswith("    "):
            ours = False
        named = look.style("own") if ours else look.style("default")
        rows += _texts(indent, seen(line), 4, width, whole, named)
        if len(rows) > MOST_ROWS:
            rows[-1] = [Segment(f"  │ … of {len(lines):,} lines; Y copies all", look.style("muted"))]
            return rows
    for key, value in entry.fields.items():
        rows += _texts(
            [Segment("  · ", look.style("muted")), Segment(f"{seen(str(key))} ", look.style("time"))],
            seen(text_of(value)), 4, width - 20, whole, look.style("default"),
        )  # fmt: skip
    place = [seen(entry.origin)] if entry.origin else []
    rows += [
        _texts([Segment("  · ", look.style("muted"))], f"from {one}", 4, width, whole, look.style("muted"))[0]
        for one in place
    ]
    return rows


def _marked(text: str, look: Look, style: Style) -> Sequence[Segment]:
    if look.search is None:
        return [Segment(text, style)]
    parts: list[Segment] = []
    at = 0
    for start, end in look.search.spans(text):
        parts += [Segment(text[at:start], style), Segment(text[start:end], style + look.style("match"))]
        at = end
    return [*parts, Segment(text[at:], style)]


def names() -> tuple[str, ...]:
    """Every name that a Look's `style` is asked for."""
    levels = tuple(severity.name.lower() for severity in Severity)
    return (*levels, "time", "muted", "event", "gap", "own", "match")
