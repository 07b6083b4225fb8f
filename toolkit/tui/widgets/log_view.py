"""The lines of a log, however many: only what is visible is ever drawn, by Textual's line API.

It scrolls by items (an entry, a notice), so no heights have to be known but those on the screen. While it sticks to the
end, the end is drawn from below. A place is an item's number of the tape: it stays the same while others fall off.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from toolkit.logs.entry import Entry, Notice
from toolkit.logs.expressions import Expression
from toolkit.logs.kept import Item, Kept
from toolkit.logs.zones import rfc3339
from toolkit.tui.about import About
from toolkit.tui.registry import bindings
from toolkit.tui.widgets.log_rows import Look, Row, day_of, names, rows_of

_SIDEWAYS = 20
_WHEEL = 3


class LogView(Widget, can_focus=True):
    """What `kept` shows, with a cursor on an item. `place` of the cursor and the top are `tape.base + index`."""

    BINDINGS = bindings("list")
    ABOUT = About(
        "The lines",
        "Up, down, page up, page down, home and end move; moving up lets go of the end, f or end take hold of it. "
        "Enter opens an entry: the whole traceback, calls of our own code marked, and every field.",
    )

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"log--{name}" for name in names()} | {"log--cursor", "log--bar"}

    DEFAULT_CSS = """
    LogView {
        height: 1fr;
        .log--default, .log--info { color: $foreground; }
        .log--debug, .log--muted { color: $text-muted; }
        .log--time { color: $secondary; }
        .log--notice, .log--event { color: $primary; }
        .log--warning { color: $text-warning; }
        .log--gap { color: $text-warning; text-style: bold; }
        .log--error { color: $text-error; }
        .log--critical, .log--alert, .log--emergency { color: $text-error; text-style: bold; }
        .log--own { color: $text-accent; text-style: bold; }
        .log--match { background: $warning; color: $background; }
        .log--cursor { background: $block-cursor-blurred-background; }
        .log--bar { color: $scrollbar; background: $scrollbar-background; }
        &:focus .log--cursor { background: $block-cursor-background; }
    }
    """

    class Moved(Message):
        """The cursor is on another item, or sticking to the end began or ended."""

    class Edge(Message):
        """The first or last item that is here was come upon."""

        def __init__(self, first: bool) -> None:
            super().__init__()
            self.first = first

    def __init__(self, kept: Kept, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.kept = kept
        self.stick = True
        self.cursor = 0
        self.look = Look(self._named)
        self.names_origins = True
        self.empty = ""
        self._top = 0
        self._skip = 0  # rows of the top item that are above the view
        self._x = 0
        self._styles: dict[str, Style] = {}
        self._cache: dict[tuple[int, str], list[Row]] = {}
        self._drawn: list[Strip] | None = None
        self._places: list[int] = []  # of each drawn row

    # What is shown

    @property
    def items(self) -> list[Item]:
        return self.kept.shown.items

    @property
    def base(self) -> int:
        return self.kept.shown.base

    @property
    def end(self) -> int:
        """Behind the last place."""
        return self.base + len(self.items)

    @property
    def current(self) -> Item | None:
        at = self.cursor - self.base
        return self.items[at] if 0 <= at < len(self.items) else None

    @property
    def zone(self) -> tzinfo:
        return self.look.zone

    def restyle(self) -> None:
        """How everything is drawn has changed."""
        self._styles.clear()
        self.redraw(whole=True)

    def redraw(self, *, whole: bool = False) -> None:
        """What is kept has changed; `whole`: how it is drawn, too."""
        several = self.names_origins and len(self.kept.origins) != 1  # else each line would say the same
        if several != self.look.origins:
            self.look.origins, whole = several, True
        if whole or len(self._cache) > 2_000:
            self._cache.clear()
        self._drawn = None
        if self.stick and self.items:
            self.cursor = self.end - 1
        self.cursor = min(max(self.cursor, self.base), max(self.end - 1, self.base))
        self.refresh()

    def unshift(self) -> None:
        """Lines are drawn from their beginning again, maybe of other heights."""
        self._x = 0
        self.redraw(whole=True)
        if not self.stick:
            self._show_cursor()

    def search_for(self, expression: Expression | None) -> None:
        self.look.search = expression
        self.redraw(whole=True)

    def go(self, place: int) -> None:
        """Put the cursor there, and show it."""
        place = min(max(place, self.base), max(self.end - 1, self.base))
        self._let_go()
        self.cursor = place
        self._show_cursor()
        self._moved()

    def stick_to_end(self) -> None:
        self.stick = True
        self.kept.release()
        self.redraw()
        self._moved()

    def copy_text(self) -> str:
        """The entry in focus as one reads it: time in UTC, level, where from, and all that was written."""
        item = self.current
        if item is None:
            return ""
        if isinstance(item, Notice):
            return f"{rfc3339(item.time)} {item.text}"
        when = f"{rfc3339(item.time)} " if item.time else ""
        text = item.raw if item.fingerprint or not item.message else item.message
        return f"{when}{item.severity.name} {item.origin} {text}"

    def raw_text(self) -> str:
        """Exactly what was written."""
        item = self.current
        return item.raw if isinstance(item, Entry) else item.text if item is not None else ""

    # Moving

    def action_cursor_up(self) -> None:
        self._move(-1)

    def action_cursor_down(self) -> None:
        self._move(1)

    def action_unfold(self) -> None:
        at = self.cursor - self.base
        if 0 <= at < len(self.items):
            self.look.unfolded ^= {self.kept.shown.numbers[at]}
            self.redraw(whole=True)
            if not self.stick:
                self._show_cursor()

    def key_up(self) -> None:
        self._move(-1)

    def key_down(self) -> None:
        self._move(1)

    def key_pageup(self) -> None:
        self._page(-1)

    def key_pagedown(self) -> None:
        self._page(1)

    def key_left(self) -> None:
        self._sideways(-_SIDEWAYS)

    def key_right(self) -> None:
        self._sideways(_SIDEWAYS)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._scroll(-_WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._scroll(_WHEEL)

    def on_click(self, event: events.Click) -> None:
        if not self.items:
            return
        if event.x >= self.size.width - 1:
            self.go(self.base + (len(self.items) * event.y) // max(self.size.height, 1))
        elif event.y < len(self._places):
            place = self._places[event.y]
            if place == self.cursor and event.chain > 1:
                self.action_unfold()
            else:
                self._let_go()
                self.cursor = place
                self.redraw()
                self._moved()

    def _move(self, by: int) -> None:
        if by > 0 and self.cursor + by >= self.end:
            self.post_message(self.Edge(False))
            return
        if by < 0 and self.cursor + by < self.base:
            self.post_message(self.Edge(True))
            return
        self.go(self.cursor + by)

    def _page(self, pages: int) -> None:
        self._rows()
        seen_ = len({*self._places}) or 1
        if pages < 0 and self.cursor == self.base:
            self.post_message(self.Edge(True))
        elif pages > 0 and self.cursor == self.end - 1:
            self.post_message(self.Edge(False))
        else:
            self._let_go()
            self.cursor = min(max(self.cursor + pages * max(seen_ - 1, 1), self.base), self.end - 1)
            self._top, self._skip = min(max(self._top + pages * max(seen_ - 1, 1), self.base), self.cursor), 0
            self._show_cursor()
            self._moved()

    def _scroll(self, rows: int) -> None:
        """By rows, the cursor comes along only where it would be left behind."""
        if rows > 0 and self.stick:
            return
        self._rows()
        self._let_go()
        top, skip = self._top, self._skip
        step = 1 if rows > 0 else -1
        for _ in range(abs(rows)):
            skip += step
            if skip < 0:
                if top <= self.base:
                    skip = 0
                    self.post_message(self.Edge(True))
                    break
                top -= 1
                skip = len(self._item_rows(top)) - 1
            elif skip >= len(self._item_rows(top)):
                if top + 1 >= self.end:
                    skip -= 1
                    break
                top, skip = top + 1, 0
        self._top, self._skip, self._drawn = top, skip, None
        self._rows()
        if self._places and self.cursor not in self._places:
            self.cursor = self._places[0] if self.cursor < self._places[0] else self._places[-1]
        if rows > 0 and self._places and self._places[-1] == self.end - 1:
            self.post_message(self.Edge(False))
        self.redraw()
        self._moved()

    def _sideways(self, by: int) -> None:
        if not self.look.wrap:
            self._x = max(0, self._x + by)
            self.redraw()

    def _let_go(self) -> None:
        if self.stick:
            self._rows()  # where the end stood
            self.stick = False
            self.kept.hold = True

    def _moved(self) -> None:
        self.post_message(self.Moved())

    def _show_cursor(self) -> None:
        """Scroll as little as is needed for the whole item under the cursor to be seen."""
        self._drawn = None
        height = max(self.size.height, 1)
        if self.cursor < self._top or (self.cursor == self._top and self._skip):
            self._top, self._skip = self.cursor, 0
        else:
            room = height
            place = self.cursor
            rows = len(self._item_rows(place))
            while rows < room and place > self._top:
                room -= rows
                place -= 1
                rows = len(self._item_rows(place))
            if place > self._top or rows > room:
                if place == self.cursor:
                    self._top, self._skip = place, 0
                elif place > self._top or (rows - self._skip) > room:
                    self._top, self._skip = place, max(0, rows - room)
        self.redraw()

    # Drawing

    def on_resize(self) -> None:
        self.redraw(whole=True)
        if not self.stick:
            self._show_cursor()

    def render_line(self, y: int) -> Strip:
        rows = self._rows()
        return rows[y] if y < len(rows) else Strip.blank(self.size.width, self.rich_style)

    def _rows(self) -> list[Strip]:
        if self._drawn is not None and len(self._drawn) == self.size.height:
            return self._drawn
        width, height = self.size.width - 1, self.size.height
        found: list[tuple[int, Row]] = []
        if self.items and height > 0:
            self._top = min(max(self._top, self.base), self.end - 1)
            if not self.stick:
                place, skip = self._top, self._skip
                while place < self.end and len(found) < height + skip:
                    found += [(place, row) for row in self._item_rows(place)]
                    place += 1
                found = found[skip : skip + height]
            if self.stick or (len(found) < height and self._top > self.base):
                found = self._from_below(height)
        self._places = [place for place, _ in found]
        style, cursor = self.rich_style, self._named("cursor")
        bar = self._bar(height)
        drawn = []
        for number in range(height):
            row: Row = found[number][1] if number < len(found) else []
            strip = Strip(row).crop(self._x, self._x + width) if row else Strip([])
            strip = strip.extend_cell_length(width, style).apply_style(style)
            if number < len(found) and found[number][0] == self.cursor:
                strip = Strip([Segment(s.text, (s.style or style) + cursor) for s in strip])
            drawn.append(Strip([*strip, bar[number]]))
        if not self.items and height > 0:
            for number, line in enumerate(self.empty.split("\n")[:height]):
                text = Strip([Segment(f" {line}", style + self._named("muted"))])
                drawn[number] = Strip([*text.adjust_cell_length(width, style), bar[number]])
        self._drawn = drawn
        return drawn

    def _from_below(self, height: int) -> list[tuple[int, Row]]:
        found: list[tuple[int, Row]] = []
        place = self.end
        while place > self.base and len(found) < height:
            place -= 1
            found[:0] = [(place, row) for row in self._item_rows(place)]
        self._top, self._skip = place, max(0, len(found) - height)
        return found[self._skip :]

    def _item_rows(self, place: int) -> list[Row]:
        at = place - self.base
        if not 0 <= at < len(self.items):
            return [[]]
        before = day_of(self.items[at - 1], self.look.zone) if at > 0 else ""
        key = (self.kept.shown.numbers[at], before)
        rows = self._cache.get(key)
        if rows is None:
            rows = self._cache[key] = rows_of(self.items[at], key[0], self.size.width - 1, self.look, before) or [[]]
        return rows

    def _bar(self, height: int) -> list[Segment]:
        style = self._named("bar")
        count = len(self.items)
        shown = len({*self._places}) or 1
        if count <= shown or height < 2:
            return [Segment(" ", self.rich_style)] * height
        size = max(1, height * shown // count)
        first = self._places[0] - self.base if self._places else 0
        begin = round((height - size) * first / max(count - shown, 1))
        return [Segment("█" if begin <= number < begin + size else " ", style) for number in range(height)]

    def _named(self, name: str) -> Style:
        found = self._styles.get(name)
        if found is None:
            component = self.get_component_rich_style(f"log--{name}", partial=True)
            found = self._styles[name] = component
        return found
