"""The app's one table, however long: only the rows that are visible are drawn, by Textual's line API.

The cursor stays on its thing, by its key, while rows come and go. A flexible column takes the room that the others
leave, so that nothing is pushed off the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar, Generic, TypeVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingsMap
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual
from textual.widgets import Static

from toolkit.tui.about import About
from toolkit.tui.registry import bindings
from toolkit.tui.wording import cut, elided

T = TypeVar("T")

ROOMY = 110  # columns of a terminal from which on the roomy columns are shown
_GAP = 2
_LEAST = 8  # cells that a flexible column keeps
_SAMPLE = 50  # rows from everywhere by which columns are as wide as they are, beside those that were visible
_NEAR = 2_000  # rows around the old place among which the cursor's thing is looked for first
_KEPT = 400  # drawn rows


@dataclass(frozen=True)
class Column(Generic[T]):
    """A column: its heading, the text of a row's cell and its style. `flexible` ones give way where there is too
    little room, and the last of them takes what is left; `roomy` ones are shown only where the terminal is wide.
    `prose` is cut at its end; of a name both ends are shown."""

    heading: str
    text: Callable[[T], str]
    style: Callable[[T], str] | None = None
    right: bool = False
    flexible: bool = False
    roomy: bool = False
    prose: bool = False


class Rows(ScrollView, can_focus=True):
    """`count` rows with a cursor; `draw` gives the text of one, with its margin, when it comes into view. `own` are
    bindings that work while the rows have the focus."""

    ABOUT = About(
        "A list of rows",
        "One row is under the cursor; what lies below tells more of it. Home, End, PgUp and PgDn move far.",
    )
    ALLOW_SELECT = False
    BINDINGS = bindings("list")
    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--cursor"}

    DEFAULT_CSS = """
    Rows {
        height: auto; max-height: 100%; overflow-x: hidden; background: transparent; color: $foreground;
        .rows--cursor { color: $foreground; background: $block-cursor-blurred-background;
                        text-style: $block-cursor-blurred-text-style; }
        &:focus .rows--cursor { color: $block-cursor-foreground; background: $block-cursor-background;
                                text-style: $block-cursor-text-style; }
    }
    """

    class Moved(Message):
        """Another row is under the cursor now, or the rows are other ones."""

    class Chosen(Message):
        """The row under the cursor was clicked."""

    def __init__(self, draw: Callable[[int], Content], *, own: Sequence[Binding] = ()) -> None:
        super().__init__()
        self._draw = draw
        self._strips: dict[tuple[int, int, bool, bool], Strip] = {}
        self.count = 0
        self.cursor = 0
        self._bindings.key_to_bindings.update(BindingsMap(own).key_to_bindings)

    def copy_text(self) -> str:
        table = self.parent
        return table.row_text() if isinstance(table, Table) else ""

    def show(self, count: int, cursor: int) -> None:
        """There are `count` rows now, and the cursor is on this one. Who has scrolled away from it is let look."""
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        was_seen = not self.count or top <= self.cursor < top + height
        self.count = count
        self.cursor = min(max(cursor, 0), max(count - 1, 0))
        self.virtual_size = Size(1, count)
        self.redraw()
        if was_seen:
            self._keep_in_view()
        self.post_message(self.Moved())

    def redraw(self) -> None:
        """What stands in the rows has changed."""
        self._strips.clear()
        self.refresh()

    def go(self, row: int) -> None:
        """Put the cursor on that row, and scroll as little as is needed to see it."""
        before, self.cursor = self.cursor, min(max(row, 0), max(self.count - 1, 0))
        if not self._keep_in_view():
            self.refresh_line(before)
            self.refresh_line(self.cursor)
        if before != self.cursor:
            self.post_message(self.Moved())

    def _keep_in_view(self) -> bool:
        """Whether that took scrolling."""
        height, before = self.scrollable_content_region.height, self.scroll_offset.y
        if height <= 0:
            return False
        top = min(before, max(self.count - height, 0))
        top = min(max(top, self.cursor - height + 1), self.cursor)
        if top != before:
            self.scroll_to(y=top, animate=False, force=True, immediate=True)
        return top != before

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._keep_in_view()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        row, width = self.scroll_offset.y + y, self.scrollable_content_region.width
        if row >= self.count or width <= 0:
            return Strip.blank(width, self.rich_style)
        here = row == self.cursor
        known = (row, width, here, self.has_focus)
        if known not in self._strips:
            if len(self._strips) > _KEPT:
                self._strips.clear()
            style = self.get_visual_style("rows--cursor") if here else self.visual_style
            self._strips[known] = Visual.to_strips(self, self._draw(row), width, 1, style)[0]
        return self._strips[known]

    # Moving

    def action_cursor_up(self) -> None:
        self.go(self.cursor - 1)

    def action_cursor_down(self) -> None:
        self.go(self.cursor + 1)

    def action_scroll_up(self) -> None:
        self.go(self.cursor - 1)

    def action_scroll_down(self) -> None:
        self.go(self.cursor + 1)

    def action_page_up(self) -> None:
        self.go(self.cursor - max(self.scrollable_content_region.height - 1, 1))

    def action_page_down(self) -> None:
        self.go(self.cursor + max(self.scrollable_content_region.height - 1, 1))

    def action_scroll_home(self) -> None:
        self.go(0)

    def action_scroll_end(self) -> None:
        self.go(self.count - 1)

    def on_click(self, event: events.Click) -> None:
        row = self.scroll_offset.y + event.y
        if row >= self.count:
            return
        if row == self.cursor:
            self.post_message(self.Chosen())
        self.go(row)


class Table(Vertical, Generic[T]):
    """`show` fills it with things, any sequence of them. With a `key` the cursor stays on the thing it was on, without
    one it goes to the first. `own` are bindings that work while the rows have the focus; `sign` is what stands in
    a row's margin, such as a mark; `copied` is what a row is copied as, else its cells."""

    DEFAULT_CSS = """
    Table { height: auto; max-height: 100%; }
    Table > .heading { dock: top; height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; }
    """

    class Moved(Message):
        """Another thing is under the cursor now, or the same one was drawn anew."""

    class Chosen(Message):
        """The row under the cursor was clicked."""

    def __init__(
        self,
        columns: Sequence[Column[T]],
        key: Callable[[T], str] | None = None,
        *,
        own: Sequence[Binding] = (),
        sign: Callable[[T], str] | None = None,
        copied: Callable[[T], str] | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
    ) -> None:
        super().__init__(id=id)
        self._columns = columns
        self._key = key
        self._own = own
        self._sign = sign
        self._copied = copied
        self._things: Sequence[T] = ()
        self._at: str | None = None  # the key of what was last under the cursor
        self._wanted: str | None = None
        self._width = 0
        self._widest: dict[int, int] = {}  # cells that a column took so far: it never shrinks under one's eyes
        self._shown: list[tuple[Column[T], int]] = []  # what is drawn, and in how many cells

    def compose(self) -> ComposeResult:
        yield Static("", classes="heading")
        yield Rows(self._row, own=self._own)

    def on_mount(self) -> None:
        self.watch(self.rows, "scroll_y", self._scrolled, init=False)

    @property
    def rows(self) -> Rows:
        return self.query_one(Rows)

    @property
    def things(self) -> Sequence[T]:
        return self._things

    @property
    def in_focus(self) -> T | None:
        """The thing under the cursor."""
        at = self.rows.cursor
        return self._things[at] if at < len(self._things) else None

    def show(self, things: Sequence[T]) -> None:
        """Show these, in this order."""
        kept = self.in_focus
        if kept is not None and self._key is not None:
            self._at = self._key(kept)
        self._things = things
        rows = self.rows
        here = rows.cursor if self._key is not None else 0
        pointed = None if self._wanted is None else self._place(self._wanted, here)
        same = None if pointed is not None or self._at is None else self._place(self._at, here)
        self._fit(_sampled(things))
        if same is not None:
            rows.show(len(things), same)
            return
        if pointed is not None:
            here, self._wanted = pointed, None
        rows.show(len(things), here)
        rows.go(here)

    def point_at(self, key: str) -> None:
        """Put the cursor on the thing with that key, as soon as it is shown."""
        self._wanted = key
        self.show(self._things)

    def redraw(self) -> None:
        """What stands in the rows has changed, though the things are the same."""
        self._fit(self._visible())
        self.rows.redraw()

    def row_text(self) -> str:
        """The row under the cursor: its cells in full and separated by tabs, or what `copied` says."""
        thing = self.in_focus
        if thing is None:
            return ""
        return self._copied(thing) if self._copied else "\t".join(column.text(thing) for column in self._columns)

    def on_resize(self, event: events.Resize) -> None:
        del event
        if (width := self.content_size.width) != self._width:
            self._width = width
            self._widest.clear()
            self._fit(_sampled(self._things))
        self._fit(self._visible())

    def on_rows_moved(self, event: Rows.Moved) -> None:
        event.stop()
        self.post_message(self.Moved())

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        event.stop()
        self.post_message(self.Chosen())

    def _scrolled(self) -> None:
        self._fit(self._visible())

    def _visible(self) -> list[T]:
        rows = self.rows
        top = rows.scroll_offset.y
        return [self._things[at] for at in range(top, min(top + rows.size.height, len(self._things)))]

    def _place(self, key: str, near: int) -> int | None:
        """Where the thing with that key is; near the old place it is found at once."""
        things, known = self._things, self._key
        if known is None or not things:
            return None
        near = min(near, len(things) - 1)
        first, last = max(near - _NEAR, 0), min(near + _NEAR, len(things))
        places = chain((near,), range(first, last), range(first), range(last, len(things)))
        return next((at for at in places if known(things[at]) == key), None)

    def _fit(self, things: Sequence[T]) -> None:
        """Make the columns wide enough for these, too; where that changes them, draw anew."""
        for number, column in enumerate(self._columns):
            before = self._widest.get(number, cell_len(column.heading))
            self._widest[number] = max(before, max((cell_len(column.text(thing)) for thing in things), default=0))
        wide = self.app.size.width >= ROOMY
        shown = [(column, self._widest[n]) for n, column in enumerate(self._columns) if wide or not column.roomy]
        room = self._width - (2 if self._sign else 1) - 1  # at the right a margin, or the scroll bar
        shown = _shared(shown, room)
        if shown != self._shown:
            self._shown = shown
            cells = [fitted(column.heading, width, column.right) for column, width in shown]
            heading = (" " if self._sign else "") + (" " * _GAP).join(cells)
            self.query_one(".heading", Static).update(Content(heading))
            self.rows.redraw()

    def _row(self, at: int) -> Content:
        thing = self._things[at]
        parts: list[str | tuple[str, str]] = []
        parts.append((f"{self._sign(thing):<2}", "bold $text-accent") if self._sign else " ")
        for column, width in self._shown:
            text = column.text(thing)
            text = fitted(cut(text, width) if column.prose else text, width, column.right)
            parts += [(text, column.style(thing) if column.style else ""), " " * _GAP]
        return Content.assemble(*parts[:-1])


def fitted(text: str, width: int, right: bool) -> str:
    """A cell's text in exactly `width` cells."""
    text = elided(text, width)
    room = " " * max(0, width - cell_len(text))
    return room + text if right else text + room


def _sampled(things: Sequence[T]) -> list[T]:
    """The first ones and the last, and some from everywhere."""
    count = len(things)
    places = {*range(0, count, max(1, count // _SAMPLE)), *range(min(count, _SAMPLE)), max(count - 1, 0)}
    return [things[at] for at in sorted(places) if at < count]


def _shared(wanted: Sequence[tuple[Column[T], int]], room: int) -> list[tuple[Column[T], int]]:
    """The columns with their widths in `room` cells: the widest of the flexible ones give way first."""
    widths = [width for _, width in wanted]
    over = sum(widths) + _GAP * (len(widths) - 1) - room
    flexible = [number for number, (column, _) in enumerate(wanted) if column.flexible]
    for number in sorted(flexible, key=lambda number: -widths[number]):
        if over > 0:
            least = max(_LEAST, cell_len(wanted[number][0].heading))
            given = min(over, max(0, widths[number] - least))
            widths[number] -= given
            over -= given
    if over < 0 and flexible:
        widths[flexible[-1]] -= over
    return [(column, width) for (column, _), width in zip(wanted, widths, strict=True)]
