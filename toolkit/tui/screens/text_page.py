"""A page of text on top of a screen, to read in full and to copy: a finding's details, an operation's record."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from toolkit.tui.house import house
from toolkit.tui.registry import bindings
from toolkit.tui.widgets.footer import Footer
from toolkit.tui.widgets.prose import ENDLESS


class TextPage(ModalScreen[None]):
    """What `draw` makes for a width, under `title`; `y` copies it, unwrapped."""

    BINDINGS = bindings("dialogue")

    DEFAULT_CSS = """
    TextPage {
        align: center middle; background: $background 60%;
        #page {
            width: 96%; max-width: 120; height: auto; max-height: 90%; background: $surface; padding: 0 1;
            border: round $primary; border-title-color: $primary; border-title-style: bold;
        }
    }
    """

    def __init__(self, title: str, draw: Callable[[int], Content]) -> None:
        super().__init__()
        self._title = title
        self._draw = draw

    def compose(self) -> ComposeResult:
        page = VerticalScroll(Static(self._draw(70), id="text"), id="page")
        page.border_title = Content(self._title)
        yield page
        yield Footer()

    def on_resize(self, event: events.Resize) -> None:
        del event
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        width = self.query_one("#page").content_size.width
        self.query_one("#text", Static).update(self._draw(max(width - 2, 30)))

    def action_copy(self) -> None:
        house(self).copy(self._draw(ENDLESS).plain, "the page")

    async def action_dismiss(self, result: None = None) -> None:
        self.dismiss(result)
