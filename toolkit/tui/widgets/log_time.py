"""How much a log says over time: a bar a column, red where there are errors; arrows and clicks go to a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from toolkit.figures import duration, size
from toolkit.logs.histogram import spark
from toolkit.logs.zones import clock, date_and_clock
from toolkit.tui.about import About
from toolkit.tui.wording import counted

_AXIS = 76  # cells that the times below the bars need


@dataclass(frozen=True, slots=True)
class Bar:
    """From `start` to `end` (nanoseconds): how many entries, how many of them errors; of a file, how many bytes."""

    start: int
    end: int
    count: int
    errors: int = 0


class LogTime(Widget, can_focus=True):
    """The bars, and the one of the entry in focus."""

    ABOUT = About(
        "The histogram",
        "Left and right go through time, bar by bar, and the view jumps along; home and end to the first and last bar. "
        "Enter goes back to the lines. A bar is of everything that was read, whatever the filter; red: errors.",
    )

    DEFAULT_CSS = """
    LogTime { height: 2; background: $surface; color: $text-muted; }
    LogTime:focus { background: $panel; }
    """

    class Jump(Message):
        """Go to this time, in nanoseconds."""

        def __init__(self, to: int) -> None:
            super().__init__()
            self.to = to

    class Left(Message):
        """Back to the lines."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.bars: Sequence[Bar] = ()
        self.bytes = False
        self.at = -1
        self.zone: tzinfo = UTC

    def show(self, bars: Sequence[Bar], *, in_bytes: bool) -> None:
        if (bars, in_bytes) != (self.bars, self.bytes):
            self.bars, self.bytes = bars, in_bytes
            self.refresh()

    def mark(self, time: int) -> None:
        """The entry in focus is of this time."""
        found = next((n for n, bar in enumerate(self.bars) if bar.start <= time < bar.end), -1)
        if found != self.at:
            self.at = found
            self.refresh()

    def step(self, by: int) -> None:
        """Jump to the next bar in that direction that is not empty."""
        at = self.at + by if self.at >= 0 else (0 if by > 0 else len(self.bars) - 1)
        while 0 <= at < len(self.bars) and not self.bars[at].count:
            at += by
        if 0 <= at < len(self.bars):
            self._jump(at)

    def key_left(self) -> None:
        self.step(-1)

    def key_right(self) -> None:
        self.step(1)

    def key_down(self) -> None:
        self.post_message(self.Left())

    def on_click(self, event: events.Click) -> None:
        if 0 <= event.x - 1 < len(self.bars):
            self._jump(event.x - 1)

    def _jump(self, at: int) -> None:
        self.at = at
        self.refresh()
        self.post_message(self.Jump(self.bars[at].start))

    def render(self) -> Content:
        if not self.bars:
            return Content(" no times yet")
        parts: list[Content] = [Content(" ")]
        for number, (bar, drawn) in enumerate(zip(self.bars, spark([bar.count for bar in self.bars]), strict=True)):
            style = "$text-error" if bar.errors else "$primary"
            parts.append(Content.styled(drawn, f"{style} reverse" if number == self.at else style))
        return Content("").join([*parts, Content("\n"), self._axis()])

    def _axis(self) -> Content:
        first, last = self.bars[0], self.bars[-1]
        begin, end = date_and_clock(first.start, self.zone), self._text(last.end)
        middle = f"a bar is {duration((first.end - first.start) / 1e9)}"
        if 0 <= self.at < len(self.bars):
            bar = self.bars[self.at]
            amount = size(bar.count) if self.bytes else counted(bar.count, "entry", "entries")
            middle = f"▲ {self._text(bar.start)}: {amount}" + (
                f", {counted(bar.errors, 'error')}" if bar.errors else ""
            )
        elif self.bytes:
            middle += ", its height bytes of the file"
        room = min(self.size.width - 2, max(len(self.bars), _AXIS))
        gap = max(room - len(begin) - len(end) - len(middle), 2)
        return Content(f" {begin}{' ' * (gap // 2)}{middle}{' ' * (gap - gap // 2)}{end}"[: self.size.width])

    def _text(self, time: int) -> str:
        wide = self.bars[-1].end - self.bars[0].start > 20 * 3600 * 10**9
        return date_and_clock(time, self.zone)[4:20] if wide else clock(time, self.zone)[:8]
