"""One line to type, with what it may hold said below it as it is typed: parameters of a picture, a folder."""

from __future__ import annotations

from collections.abc import Callable

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from toolkit.errors import UsageError
from toolkit.tui.about import About
from toolkit.tui.registry import act, bindings
from toolkit.tui.widgets.banner import Banner
from toolkit.tui.widgets.footer import Footer
from toolkit.tui.widgets.prose import hanging
from toolkit.tui.wording import foreign


class AskedLine(Input):
    """What is typed."""

    ABOUT = About("A line to type", "It begins with what is likely meant. Enter takes it, escape leaves all as it was.")

    def __init__(self, value: str, placeholder: str) -> None:
        super().__init__(value, placeholder=placeholder, id="line", select_on_focus=False)
        self._bindings.key_to_bindings["enter"] = [act("ask.take").binding()]


class Ask(ModalScreen["str | None"]):
    """Gives back the line, or None. `check` raises UsageError for one that cannot be taken: that is said, and what was
    typed stays."""

    SCOPE = "ask"
    BINDINGS = bindings("ask")

    DEFAULT_CSS = """
    Ask {
        align: center bottom; background: $background 40%;
        Banner { dock: top; }
        #ask {
            width: 100%; height: auto; max-height: 80%; background: $surface; padding: 0 1; margin-bottom: 1;
            border-top: solid $primary; border-title-color: $primary; border-title-style: bold;
        }
        Input, Input:focus { height: 1; border: none; padding: 0; background: $panel; }
        #hint { height: auto; color: $text-muted; }
        #wrong { height: auto; color: $text-error; text-style: bold; }
    }
    """

    def __init__(
        self,
        title: str,
        value: str = "",
        *,
        hint: str = "",
        placeholder: str = "",
        check: Callable[[str], object] = lambda _: None,
    ) -> None:
        super().__init__()
        self._title, self._value, self._hint, self._placeholder, self._check = title, value, hint, placeholder, check

    def compose(self) -> ComposeResult:
        yield Banner()
        with Vertical(id="ask") as box:
            box.border_title = Content(self._title)
            yield AskedLine(self._value, self._placeholder)
            yield Static("", id="wrong")
            yield Static("", id="hint")
        yield Footer()

    def on_mount(self) -> None:
        self._look()

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._look()

    @on(Input.Changed)
    def _look(self) -> None:
        width = max(self.app.size.width - 4, 30)
        said = self._problem()
        self.query_one("#wrong", Static).update(hanging(Content("✗ "), said, width) if said else Content(""))
        self.query_one("#hint", Static).update(hanging(Content(""), self._hint, width))

    def _problem(self) -> str:
        try:
            self._check(self.query_one(AskedLine).value)
        except UsageError as error:
            return foreign(error.message)
        return ""

    @on(Input.Submitted)
    def action_take(self) -> None:
        self._look()
        if not self._problem():
            self.dismiss(self.query_one(AskedLine).value)

    def action_close(self) -> None:
        self.dismiss(None)
