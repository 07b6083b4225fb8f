"""A page of Markdown on top of a screen: a runbook to read, a case's report to copy."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Markdown

from toolkit.tui.house import house
from toolkit.tui.registry import bindings
from toolkit.tui.widgets.footer import Footer
from toolkit.tui.wording import foreign


class MarkdownPage(ModalScreen[None]):
    """`text` drawn as Markdown; `y` copies it as it is written."""

    BINDINGS = bindings("dialogue")
    AUTO_FOCUS = "#page"

    DEFAULT_CSS = """
    MarkdownPage {
        align: center middle; background: $background 60%;
        #page {
            width: 96%; max-width: 120; height: 90%; background: $surface; padding: 0 1;
            border: round $primary; border-title-color: $primary; border-title-style: bold;
        }
        Markdown { padding: 0 1; background: transparent; }
    }
    """

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = foreign(text)

    def compose(self) -> ComposeResult:
        page = VerticalScroll(Markdown(self._text, open_links=False), id="page")
        page.border_title = Content(self._title)
        yield page
        yield Footer()

    def action_copy(self) -> None:
        house(self).copy(self._text, "the page, as Markdown")

    async def action_dismiss(self, result: None = None) -> None:
        self.dismiss(result)
