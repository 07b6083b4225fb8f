"""Quitting while a change goes on: say what that means, and let the person choose."""

from __future__ import annotations

import time

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from toolkit.tui.house import house
from toolkit.tui.operation import Operation
from toolkit.tui.registry import bindings
from toolkit.tui.widgets.footer import Footer

_PATIENCE = 20.0  # seconds to wait for a change to stop, before saying that it does not


class Leave(ModalScreen[None]):
    """Stay, stop and quit, or quit at once. Quits by itself when the change has ended meanwhile."""

    BINDINGS = bindings("leave")

    DEFAULT_CSS = """
    Leave {
        align: center middle; background: $background 60%;
        Vertical { width: 90%; max-width: 76; height: auto; background: $surface; padding: 1 2; }
        Vertical { border: round $warning; border-title-color: $text-warning; border-title-style: bold; }
    }
    """

    def __init__(self, operation: Operation) -> None:
        super().__init__()
        self.operation = operation
        self._asked_at: float | None = None

    def compose(self) -> ComposeResult:
        box = Vertical(Static(id="said"))
        box.border_title = "A change is going on"
        yield box
        yield Footer()

    def on_mount(self) -> None:
        self._draw()
        self.set_interval(0.1, self._look)

    def _look(self) -> None:
        if self._asked_at is not None and not self.operation.ongoing:
            house(self).end()
        else:
            self._draw()

    def _draw(self) -> None:
        plan = self.operation.plan
        lines = [Content.styled(plan.title if plan else self.operation.name, "bold"), Content("")]
        if self._asked_at is None:
            lines += [
                Content(
                    "Stop and quit (s): it stops at the next safe point; what was done until then is in the journal."
                ),
                Content("Quit at once (q): it is cut off; the journal keeps it as interrupted."),
                Content("Stay (esc): it goes on."),
            ]
        else:
            lines.append(Content(f"Asked to stop, {self.operation.phase} … q does not wait for it."))
            if time.monotonic() - self._asked_at > _PATIENCE:
                lines.append(Content.styled("It does not react: a system hangs.", "$text-warning"))
        self.query_one("#said", Static).update(Content("\n").join(lines))

    def action_stay(self) -> None:
        self.dismiss()

    def action_stop_and_quit(self) -> None:
        self._asked_at = time.monotonic()
        self.operation.stop()

    def action_quit_now(self) -> None:
        house(self).end()
