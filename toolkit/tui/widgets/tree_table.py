"""A table whose rows come and go, however many: only what is visible is drawn, by Textual's line API, and the cursor
stays on its thing while a tree unfolds and grows above it.

It has the face of `widgets.table.Table`. The rows are any sequence; a thing is known again by its key, which is looked
for near its old place first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, ClassVar, Generic, TypeVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
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
from toolkit.tui.widgets.table import ROOMY, Column
from toolkit.tui.wording import elided

T = TypeVar("T")

_GAP = 2
_NEAR = 2_000  # rows around the old place among which the cursor's thing is looked for first
_LEAST = 8  # cells that a flexible column keeps


class TreeRows(ScrollView, can_focus=True):
    """The rows, with the cursor."""

    ABOUT = About(
        "A list of rows",
        "One row is under the cursor; what lies below tells more of it. Home, End, PgUp and PgDn move far.",
    )
    BINDINGS = bindings("list")
    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--cursor"}

    DEFAULT_CSS = """
    TreeRows {
        height: 1fr; background: transparent;
        .rows--cursor { color: $block-cursor-blurred-foreground; background: $block-cursor-blurred-background;
                        text-style: $block-cursor-blurred-text-style; }
        &:focus .rows--cursor { color: $block-cursor-foreground; background: $block-cursor-background;
                                text-style: $block-cursor-text-style; }
    }
    """

    class Moved(Message):
        """Another row is under the cursor."""

    class Chosen(Message):
        """A row was clicked that was under the cursor already."""

    def __init__(self, own: Sequence[Binding] = ()) -> None:
        super().__init__()
        self.count = 0
        self.cursor = 0
        self._draw: Callable[[int, int], Content] = lambda _row, _width: Content("")
        for binding in own:
            self._bindings.key_to_bindings[binding.key] = [binding]

    def draw_with(self, draw: Callable[[int, int], Content]) -> None:
        """`draw(row, width)` gives one row's text."""
        self._draw = draw

    def copy_text(self) -> str:
        table = self.parent
        return table.row_text() if isinstance(table, TreeTable) else ""

    def show(self, count: int, cursor: int) -> None:
        """There are `count` rows now, and the cursor is on this one."""
        self.count = count
        self.cursor = min(max(cursor, 0), max(count - 1, 0))
        self.virtual_size = Size(self.scrollable_content_region.width, count)
        self._keep_in_view()
        self.refresh()

    def go(self, row: int) -> None:
        """Put the cursor on that row, and scroll as little as is needed to see it."""
        row = min(max(row, 0), max(self.count - 1, 0))
        if row == self.cursor:
            return
        before, self.cursor = self.cursor, row
        self._keep_in_view()
        self.refresh_lines(before - self.scroll_offset.y)
        self.refresh()
        self.post_message(self.Moved())

    def _keep_in_view(self) -> None:
        height = self.scrollable_content_region.height
        top = self.scroll_offset.y
        if height <= 0:
            return
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True, immediate=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True, immediate=True)

    def on_resize(self, event: events.Resize) -> None:
        del event
        self.show(self.count, self.cursor)

    def render_line(self, y: int) -> Strip:
        row = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        if row >= self.count or width <= 0:
            return Strip.blank(width, self.rich_style)
        style = self.get_visual_style("rows--cursor") if row == self.cursor else self.visual_style
        strips = Visual.to_strips(self, self._draw(row, width), width, 1, style)
        return strips[0] if strips else Strip.blank(width, self.rich_style)

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
        if row < self.count:
            if row == self.cursor:
                self.post_message(self.Chosen())
            self.go(row)


class TreeTable(Vertical, Generic[T]):
    """`show` fills it with things; the cursor stays on the thing it was on (by `key`). `own` are bindings that work
    while the rows have the focus; `copied` is what a row is copied as, else its cells."""

    DEFAULT_CSS = """
    TreeTable { height: 1fr; }
    TreeTable > .heading { height: 1; color: $text-muted; text-wrap: nowrap; }
    """

    class Moved(Message):
        """Another thing is under the cursor now, or the same one was drawn anew."""

    class Chosen(Message):
        """A row was clicked."""

    def __init__(
        self,
        columns: Sequence[Column[T]],
        key: Callable[[T], str],
        *,
        own: Sequence[Binding] = (),
        copied: Callable[[T], str] | None = None,
    ) -> None:
        super().__init__()
        self._columns = columns
        self._key = key
        self._own = own
        self._copied = copied
        self._things: Sequence[T] = ()
        self._at: str | None = None
        self._wanted: str | None = None
        self._widest: dict[int, int] = {}  # cells that a column took so far: it never shrinks under one's eyes
        self._heading = ""
        self._shown = 0  # how often rows were shown
        self._fit: tuple[tuple[int, int, int, int], tuple[list[Column[T]], list[int]]] | None = None

    def compose(self) -> ComposeResult:
        yield Static("", classes="heading")
        rows = TreeRows(self._own)
        rows.draw_with(self._row)
        yield rows

    @property
    def rows(self) -> TreeRows:
        return self.query_one(TreeRows)

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
        rows = self.rows
        self._things = things
        self._shown += 1
        cursor = rows.cursor
        if self._wanted is not None and (at := self._place(self._wanted, cursor)) is not None:
            cursor, self._wanted = at, None
        elif self._at is not None and (at := self._place(self._at, cursor)) is not None:
            cursor = at
        rows.show(len(things), cursor)
        self._remember()
        self._draw_heading()
        self.post_message(self.Moved())

    def point_at(self, key: str) -> None:
        """Put the cursor on the thing with that key, as soon as it is shown."""
        self._wanted = key
        self.show(self._things)

    @property
    def wanted(self) -> str | None:
        """The key that `point_at` waits for."""
        return self._wanted

    def row_text(self) -> str:
        """The row under the cursor, its cells in full and separated by tabs."""
        thing = self.in_focus
        if thing is not None and self._copied is not None:
            return self._copied(thing)
        return "" if thing is None else "\t".join(column.text(thing).strip() for column in self._columns)

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._widest.clear()
        self._fit = None
        self._draw_heading()

    def on_tree_rows_moved(self, event: TreeRows.Moved) -> None:
        event.stop()
        self._remember()
        self.post_message(self.Moved())

    def on_tree_rows_chosen(self, event: TreeRows.Chosen) -> None:
        event.stop()
        self.post_message(self.Chosen())

    def _remember(self) -> None:
        thing = self.in_focus
        self._at = None if thing is None else self._key(thing)

    def _place(self, key: str, near: int) -> int | None:
        things, known = self._things, self._key
        near = min(near, len(things) - 1)
        first, last = max(near - _NEAR, 0), min(near + _NEAR, len(things))
        if first < last and known(things[near]) == key:
            return near
        for at in chain(range(first, last), range(first), range(last, len(things))):
            if known(things[at]) == key:
                return at
        return None

    def _draw_heading(self) -> None:
        columns, widths = self._fitting(self.rows.scrollable_content_region.width)
        cells = [_fitted(column.heading, width, column.right) for column, width in zip(columns, widths, strict=True)]
        text = (" " * _GAP).join(cells)
        if text != self._heading:
            self._heading = text
            self.query_one(".heading", Static).update(Content(text))

    def _row(self, row: int, width: int) -> Content:
        columns, widths = self._fitting(width)
        thing = self._things[row]
        parts: list[Any] = []
        for column, room in zip(columns, widths, strict=True):
            parts += [
                (_fitted(column.text(thing), room, column.right), column.style(thing) if column.style else ""),
                " " * _GAP,
            ]
        return Content.assemble(*parts[:-1])

    def _fitting(self, width: int) -> tuple[list[Column[T]], list[int]]:
        """The columns that are shown, and their widths: by what is visible now, and was before."""
        rows = self.rows
        top = rows.scroll_offset.y
        drawn_for = (width, top, rows.scrollable_content_region.height, self._shown)
        if self._fit is not None and self._fit[0] == drawn_for:
            return self._fit[1]
        seen = self._things[top : top + max(rows.scrollable_content_region.height, 1)]
        numbers = [n for n, column in enumerate(self._columns) if not column.roomy or self.app.size.width >= ROOMY]
        widths = []
        for number in numbers:
            column = self._columns[number]
            longest = max((cell_len(column.text(thing)) for thing in seen), default=0)
            longest = max(longest, cell_len(column.heading), self._widest.get(number, 0))
            self._widest[number] = longest
            widths.append(longest)
        over = sum(widths) + _GAP * (len(widths) - 1) - width
        for place, number in enumerate(numbers):
            if self._columns[number].flexible:
                given = min(over, widths[place] - _LEAST)
                widths[place] -= given  # negative: it takes the room that is left
                break
        fit = [self._columns[number] for number in numbers], widths
        self._fit = drawn_for, fit
        return fit


def _fitted(text: str, width: int, right: bool) -> str:
    text = elided(text, width)
    room = " " * max(0, width - cell_len(text))
    return room + text if right else text + room
