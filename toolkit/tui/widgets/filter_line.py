"""A line at the foot of a list: what is typed filters it at once; enter keeps the filter, escape takes it away."""

from __future__ import annotations

from textual.message import Message
from textual.widgets import Input

from toolkit.tui.about import About
from toolkit.tui.registry import bindings


class FilterLine(Input):
    """Hidden until `begin`; posts Changed as it is typed, and Left when the list shall have the focus again."""

    ABOUT = About("A filter", "The list shows only what holds these letters, large or small. Escape shows all again.")
    BINDINGS = bindings("filter-line")

    DEFAULT_CSS = """
    FilterLine, FilterLine:focus {
        height: 1; border: none; padding: 0 1; background: $panel; display: none;
    }
    FilterLine.-on { display: block; }
    """

    class Left(Message):
        """Back to the list."""

    def __init__(self) -> None:
        super().__init__(placeholder="filter: type a part of a name", id="filter", select_on_focus=False)

    @property
    def needle(self) -> str:
        return self.value.strip().lower()

    def begin(self) -> None:
        self.add_class("-on")
        self.focus()

    def show_all(self) -> None:
        """Show all again, without anything being typed."""
        self.value = ""
        self.remove_class("-on")

    def action_keep(self) -> None:
        if not self.needle:
            self.remove_class("-on")
        self.post_message(self.Left())

    def action_show_all(self) -> None:
        self.show_all()
        self.post_message(self.Left())
