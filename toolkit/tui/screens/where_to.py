"""The question where a download shall go, with a default, and whether files that differ are replaced."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from toolkit.tui.about import About
from toolkit.tui.registry import act, bindings
from toolkit.tui.widgets.footer import Footer
from toolkit.tui.wording import foreign


@dataclass(frozen=True)
class Chosen:
    """Where to, and whether files that are there with other content are replaced."""

    to: Path
    overwrite: bool


class Place(Input):
    """The folder."""

    ABOUT = About("Where to", "A folder on this machine; it is made if it is not there. ~ is your home.")

    def __init__(self, value: str) -> None:
        super().__init__(value, id="place", select_on_focus=False)
        self._bindings.key_to_bindings["enter"] = [act("where-to.go").binding()]


class WhereTo(ModalScreen["Chosen | None"]):
    """Gives back the answer, None where nothing shall be downloaded. `what` is what is downloaded."""

    SCOPE = "where-to"
    BINDINGS = bindings("where-to")

    DEFAULT_CSS = """
    WhereTo {
        align: center middle; background: $background 60%;
        #where-to {
            width: 90%; max-width: 100; height: auto; background: $surface; padding: 0 1;
            border: round $primary; border-title-color: $primary; border-title-style: bold;
        }
        Place, Place:focus { height: 1; border: none; padding: 0 1; background: $panel; margin: 1 0; }
        #what, #existing, #wrong { height: auto; }
        #wrong { color: $text-error; text-style: bold; }
    }
    """

    def __init__(self, what: str, default: Path) -> None:
        super().__init__()
        self._what = what
        self._default = default
        self._overwrite = False

    def compose(self) -> ComposeResult:
        box = Vertical(id="where-to")
        box.border_title = Content("Download to")
        with box:
            yield Static(Content(foreign(self._what)), id="what")
            yield Place(str(self._default))
            yield Static("", id="existing")
            yield Static("", id="wrong")
        yield Footer()

    def on_mount(self) -> None:
        self._say()

    def _say(self) -> None:
        text = "files that are here with other content are replaced" if self._overwrite else (
            "files that are here with other content stay as they are, and are named at the end"
        )  # fmt: skip
        sign = Content.styled("! " if self._overwrite else "✓ ", "bold $text-warning" if self._overwrite else "")
        self.query_one("#existing", Static).update(Content.assemble(sign, text, "  (^o changes that)"))

    @on(Input.Changed)
    def _typing(self) -> None:
        self.query_one("#wrong", Static).update("")

    def action_overwrite(self) -> None:
        self._overwrite = not self._overwrite
        self._say()

    def action_go(self) -> None:
        typed = self.query_one(Place).value.strip()
        try:
            to = Path(typed or ".").expanduser().absolute()
            wrong = f"{to} is a file, not a folder." if to.is_file() else ""
        except (OSError, RuntimeError, ValueError) as error:
            wrong = f"That cannot be a folder: {error}."
        if wrong:
            self.query_one("#wrong", Static).update(Content(f"✗ {foreign(wrong)}"))
        else:
            self.dismiss(Chosen(to, self._overwrite))

    def action_close(self) -> None:
        self.dismiss(None)
