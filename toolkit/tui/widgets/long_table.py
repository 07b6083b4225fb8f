"""A table of very many rows: only those on the screen are drawn, by Textual's line API; with a cursor and marks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

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
from textual.visual import Visual, visualize
from textual.widgets import Static

from toolkit.tui.about import About
from toolkit.tui.registry import bindings
from toolkit.tui.widgets.table import ROOMY, Column, fitted

T = TypeVar("T")

_GAP = 2
_SAMPLE = 200  # rows of the beginning, the end and from everywhere, by which the columns are as wide as they are
_KEPT = 400  # drawn rows


class LongRows(ScrollView, can_focus=True):
    """The rows: `count` of them, each drawn by `draw` when it comes into view."""

    ABOUT = About(
        "A long list",
        "However long: only what is on the screen is drawn. Home, End, PgUp and PgDn move far.",
    )
    BINDINGS = bindings("list")
    COMPONENT_CLASSES: ClassVar[set[str]] = {"long--cursor", "long--row"}

    DEFAULT_CSS = """
    LongRows {
        height: 1fr; background: transparent; overflow-x: hidden;
        .long--row { color: $foreground; }
        .long--cursor { background: $block-cursor-blurred-background; color: $foreground; }
        &:focus .long--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    }
    """

    class Moved(Message):
        """The cursor is on another row."""

    class Chosen(Message):
        """A row was clicked that was under the cursor already."""

    def __init__(self, draw: Callable[[int], Content], enter: Binding | None) -> None:
        super().__init__()
        self._draw = draw
        self._strips: dict[tuple[int, bool, bool], Strip] = {}
        self.count = 0
        self.cursor = 0
        if enter is not None:
            self._bindings.key_to_bindings["enter"] = [enter]

    def fill(self, count: int, cursor: int) -> None:
        """There are `count` rows now, with the cursor on one of them."""
        self.count = count
        self.virtual_size = Size(1, count)
        self.redraw()
        self.go(cursor)

    def redraw(self) -> None:
        """What a row looks like has changed."""
        self._strips.clear()
        self.refresh()

    def go(self, at: int) -> None:
        """Put the cursor on that row, and the row into view."""
        self.cursor = min(max(at, 0), max(self.count - 1, 0))
        height, top = max(self.size.height, 1), round(self.scroll_offset.y)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, immediate=True)
        self.refresh()
        self.post_message(self.Moved())

    def render_line(self, y: int) -> Strip:
        at = y + round(self.scroll_offset.y)
        width = self.size.width
        if at >= self.count:
            return Strip.blank(width, self.rich_style)
        key = (at, at == self.cursor, self.has_focus)
        if key not in self._strips:
            if len(self._strips) > _KEPT:
                self._strips.clear()
            style = self.get_visual_style("long--cursor" if at == self.cursor else "long--row")
            self._strips[key] = Visual.to_strips(self, visualize(self, self._draw(at)), width, 1, style)[0]
        return self._strips[key].adjust_cell_length(width)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._strips.clear()
        self.go(self.cursor)

    def on_click(self, event: events.Click) -> None:
        at = event.y + round(self.scroll_offset.y)
        if at < self.count:
            again = at == self.cursor
            self.go(at)
            if again:
                self.post_message(self.Chosen())

    @property
    def _page(self) -> int:
        return max(self.size.height - 1, 1)

    def action_cursor_down(self) -> None:
        self.go(self.cursor + 1)

    def action_cursor_up(self) -> None:
        self.go(self.cursor - 1)

    def action_scroll_down(self) -> None:
        self.go(self.cursor + 1)

    def action_scroll_up(self) -> None:
        self.go(self.cursor - 1)

    def action_page_down(self) -> None:
        self.go(self.cursor + self._page)

    def action_page_up(self) -> None:
        self.go(self.cursor - self._page)

    def action_scroll_home(self) -> None:
        self.go(0)

    def action_scroll_end(self) -> None:
        self.go(self.count - 1)

    def copy_text(self) -> str:
        table = self.parent
        return table.row_text() if isinstance(table, LongTable) else ""


class LongTable(Vertical, Generic[T]):
    """`show` fills it with things (any sequence: only what is on the screen is taken out of it). `sign` is what stands
    before a row, such as a mark. `enter` is enter's binding."""

    DEFAULT_CSS = """
    LongTable { height: 1fr; }
    LongTable > .heading { height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; }
    LongTable > LongRows { padding: 0; }
    """

    class Moved(Message):
        """Another thing is under the cursor now."""

    class Chosen(Message):
        """A row was clicked twice."""

    def __init__(
        self,
        columns: Sequence[Column[T]],
        *,
        enter: Binding | None = None,
        sign: Callable[[T], str] | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
    ) -> None:
        super().__init__(id=id)
        self._columns = columns
        self._enter = enter
        self._sign = sign
        self._things: Sequence[T] = ()
        self._shown: list[tuple[Column[T], int]] = []

    def compose(self) -> ComposeResult:
        yield Static("", classes="heading")
        yield LongRows(self._row, self._enter)

    @property
    def rows(self) -> LongRows:
        return self.query_one(LongRows)

    @property
    def in_focus(self) -> T | None:
        """The thing under the cursor."""
        at = self.rows.cursor
        return self._things[at] if at < len(self._things) else None

    def show(self, things: Sequence[T], cursor: int = 0) -> None:
        """Show these, in this order, with the cursor on that one."""
        self._things = things
        self._lay_out()
        self.rows.fill(len(things), cursor)

    def redraw(self) -> None:
        """What stands in the rows has changed, though they are the same."""
        self.rows.redraw()

    def row_text(self) -> str:
        """The row under the cursor, its cells in full and separated by tabs."""
        thing = self.in_focus
        return "" if thing is None else "\t".join(column.text(thing) for column in self._columns)

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._lay_out()
        self.rows.redraw()

    def on_long_rows_moved(self, event: LongRows.Moved) -> None:
        event.stop()
        self.post_message(self.Moved())

    def on_long_rows_chosen(self, event: LongRows.Chosen) -> None:
        event.stop()
        self.post_message(self.Chosen())

    def _lay_out(self) -> None:
        """As wide as a sample of the cells needs; the flexible columns give way, in turn."""
        columns = [column for column in self._columns if not column.roomy or self.app.size.width >= ROOMY]
        count = len(self._things)
        step = max(1, count // _SAMPLE)
        places = {*range(0, count, step), *range(min(count, _SAMPLE)), *range(max(0, count - _SAMPLE), count)}
        sample = [self._things[at] for at in sorted(places)]
        widths = [max(cell_len(text) for text in (c.heading, *map(c.text, sample))) for c in columns]
        over = sum(widths) + _GAP * (len(columns) - 1) - (self.size.width - self._margin - 2)
        for number in sorted((n for n, c in enumerate(columns) if c.flexible), key=lambda n: -widths[n]):
            if over > 0:
                given = min(over, max(0, widths[number] - max(8, cell_len(columns[number].heading))))
                widths[number] -= given
                over -= given
        self._shown = list(zip(columns, widths, strict=True))
        heads = (" " * _GAP).join(fitted(column.heading, width, column.right) for column, width in self._shown)
        self.query_one(".heading", Static).update(Content(" " * (self._margin - 1) + heads))

    @property
    def _margin(self) -> int:
        return 3 if self._sign else 1

    def _row(self, at: int) -> Content:
        thing = self._things[at]
        parts: list[str | tuple[str, str]] = [" "]
        if self._sign is not None:
            parts.append((f"{self._sign(thing):<2}", "bold"))
        for column, width in self._shown:
            parts.append((fitted(column.text(thing), width, column.right), column.style(thing) if column.style else ""))
            parts.append(" " * _GAP)
        return Content.assemble(*parts[:-1])
