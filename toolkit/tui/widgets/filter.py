"""A field above a list that narrows it while one types; hidden while there is no filter."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widgets import Input

from toolkit.tui.about import About
from toolkit.tui.registry import bindings


class Filter(Input):
    """`Changed` (of Input) comes with every letter; `Taken` when one goes on to the rows."""

    ABOUT = About("The filter", "Rows that have all the words typed here, in any column. Esc takes it away.")
    BINDINGS = bindings("filter")
    DEFAULT_CSS = """
    Filter {
        display: none; border: none; height: 1; padding: 0 1; background: $panel;
        &.-on { display: block; }
        &:focus { border: none; }
    }
    """

    class Taken(Message):
        """The rows are to have the focus."""

    @property
    def needle(self) -> str:
        return self.value.strip().lower()

    def begin(self) -> None:
        """Show it, and type into it."""
        self.add_class("-on")
        self.focus()

    def action_take(self) -> None:
        self.set_class(bool(self.value), "-on")
        self.post_message(self.Taken())

    def show_all(self) -> None:
        """Take the filter away, without anything being typed."""
        self.value = ""
        self.remove_class("-on")

    def action_clear(self) -> None:
        self.show_all()
        self.post_message(self.Taken())

    def on_blur(self, event: events.Blur) -> None:
        del event
        self.set_class(bool(self.value), "-on")
