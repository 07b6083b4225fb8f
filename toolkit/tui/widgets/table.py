"""A table whose flexible column takes the room that the others leave, so that nothing is pushed off the screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from toolkit.tui.about import About
from toolkit.tui.registry import bindings
from toolkit.tui.wording import elided

T = TypeVar("T")

_GAP = 2
ROOMY = 110  # columns of a terminal from which on the roomy columns are shown


@dataclass(frozen=True)
class Column(Generic[T]):
    """A column: its heading, the text of a row's cell and its style. `flexible` ones share the room that is left;
    `roomy` ones are shown only where the terminal is wide."""

    heading: str
    text: Callable[[T], str]
    style: Callable[[T], str] | None = None
    right: bool = False
    flexible: bool = False
    roomy: bool = False


class RowList(OptionList):
    """The rows, with the cursor."""

    ABOUT = About(
        "A list of rows",
        "One row is under the cursor; what lies below tells more of it. Home, End, PgUp and PgDn move far.",
    )

    BINDINGS = bindings("list")

    DEFAULT_CSS = """
    RowList { height: auto; max-height: 1fr; border: none; background: transparent; padding: 0; text-wrap: nowrap; }
    RowList:focus { border: none; background: transparent; background-tint: transparent; }
    RowList > .option-list--option { padding: 0 1; }
    """

    def __init__(self, enter: Binding | None = None) -> None:
        super().__init__()
        if enter is not None:
            self._bindings.key_to_bindings["enter"] = [enter]

    def copy_text(self) -> str:
        table = self.parent
        return table.row_text() if isinstance(table, Table) else ""


class Table(Vertical, Generic[T]):
    """`show` fills it with things; the cursor stays on the thing it was on (by `key`). `enter` is enter's binding."""

    DEFAULT_CSS = """
    Table { height: auto; max-height: 100%; }
    Table > .heading { height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; }
    """

    class Moved(Message):
        """Another thing is under the cursor now, or the same one was drawn anew."""

    class Chosen(Message):
        """Enter was pressed, or a row clicked."""

    def __init__(
        self,
        columns: Sequence[Column[T]],
        key: Callable[[T], str],
        *,
        enter: Binding | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
    ) -> None:
        super().__init__(id=id)
        self._columns = columns
        self._key = key
        self._enter = enter
        self._things: Sequence[T] = ()
        self._width = 0
        self._wanted: str | None = None

    def compose(self) -> ComposeResult:
        yield Static("", classes="heading")
        yield RowList(self._enter)

    @property
    def rows(self) -> RowList:
        return self.query_one(RowList)

    @property
    def in_focus(self) -> T | None:
        """The thing under the cursor."""
        at = self.rows.highlighted
        return self._things[at] if at is not None and at < len(self._things) else None

    def show(self, things: Sequence[T]) -> None:
        """Show these, in this order."""
        kept = self.in_focus
        self._things = things
        self._draw(None if kept is None else self._key(kept))

    def point_at(self, key: str) -> None:
        """Put the cursor on the thing with that key, as soon as it is shown."""
        self._wanted = key
        self._draw(key)

    def row_text(self) -> str:
        """The row under the cursor, its cells in full and separated by tabs."""
        thing = self.in_focus
        return "" if thing is None else "\t".join(column.text(thing) for column in self._columns)

    def on_resize(self, event: events.Resize) -> None:
        if event.size.width != self._width:
            kept = self.in_focus
            self._draw(None if kept is None else self._key(kept))

    @on(OptionList.OptionHighlighted)
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self.post_message(self.Moved())

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Chosen())

    def _draw(self, key: str | None) -> None:
        self._width = self.size.width
        columns = [column for column in self._columns if not column.roomy or self.app.size.width >= ROOMY]
        widths = self._widths(columns)
        cells = [(column.heading, width, column.right) for column, width in zip(columns, widths, strict=True)]
        self.query_one(".heading", Static).update(Content((" " * _GAP).join(fitted(*cell) for cell in cells)))
        rows = self.rows
        rows.clear_options()
        rows.add_options([Option(self._row(thing, columns, widths)) for thing in self._things])
        keys = [self._key(thing) for thing in self._things]
        if self._wanted in keys:
            key, self._wanted = self._wanted, None
        if keys:
            rows.highlighted = keys.index(key) if key in keys else 0
        self.post_message(self.Moved())

    def _row(self, thing: T, columns: Sequence[Column[T]], widths: Sequence[int]) -> Content:
        parts: list[str | tuple[str, str]] = []
        for column, width in zip(columns, widths, strict=True):
            text = fitted(column.text(thing), width, column.right)
            parts += [(text, column.style(thing) if column.style else ""), " " * _GAP]
        return Content.assemble(*parts[:-1])

    def _widths(self, columns: Sequence[Column[T]]) -> list[int]:
        widths = [max(cell_len(text) for text in (c.heading, *map(c.text, self._things))) for c in columns]
        over = sum(widths) + _GAP * (len(columns) - 1) - (self._width - 4)  # row's padding, and a scroll bar
        flexible = [number for number, column in enumerate(columns) if column.flexible]
        for number in sorted(flexible, key=lambda n: -widths[n]):
            if over > 0:
                least = max(8, cell_len(columns[number].heading))
                given = min(over, max(0, widths[number] - least))
                widths[number] -= given
                over -= given
        return widths


def fitted(text: str, width: int, right: bool) -> str:
    """A cell's text in exactly `width` cells."""
    text = elided(text, width)
    room = " " * max(0, width - cell_len(text))
    return room + text if right else text + room
