"""Quitting while a change or downloads go on: say what that means, and let the person choose."""

from __future__ import annotations

import time
from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from toolkit.tui.house import house
from toolkit.tui.operation import Operation
from toolkit.tui.registry import bindings
from toolkit.tui.transfer import Transfer
from toolkit.tui.widgets.footer import Footer
from toolkit.tui.widgets.transfer import moving
from toolkit.tui.wording import counted, cut, elided, foreign

_PATIENCE = 20.0  # seconds to wait for what goes on to stop, before saying that it does not
_NAMED = 3  # downloads that are named


class Leave(ModalScreen[None]):
    """Stay, stop and quit, or quit at once. Once asked to stop, it quits by itself as soon as all has ended."""

    BINDINGS = bindings("leave")

    DEFAULT_CSS = """
    Leave {
        align: center middle; background: $background 60%;
        Vertical { width: 90%; max-width: 76; height: auto; background: $surface; padding: 1 2; }
        Vertical { border: round $warning; border-title-color: $text-warning; border-title-style: bold; }
    }
    """

    def __init__(self, operation: Operation | None, transfers: Sequence[Transfer] = ()) -> None:
        super().__init__()
        self.operation = operation
        self.transfers = tuple(transfers)
        self._asked_at: float | None = None

    def compose(self) -> ComposeResult:
        box = Vertical(Static(id="said"))
        several = len(self.transfers) > 1
        downloads = f"{len(self.transfers)} downloads are going on" if several else "A download is going on"
        box.border_title = "A change is going on" if self.operation is not None else downloads
        yield box
        yield Footer()

    def on_mount(self) -> None:
        self._draw()
        self.set_interval(0.1, self._look)

    @property
    def _going(self) -> list[Transfer]:
        return [transfer for transfer in self.transfers if not transfer.over]

    def _look(self) -> None:
        changing = self.operation is not None and self.operation.ongoing
        if self._asked_at is not None and not changing and not self._going:
            house(self).end()
        else:
            self._draw()

    def _draw(self) -> None:
        lines = self._what()
        if self._asked_at is None:
            lines += [Content(text) for text in self._choices()]
        else:
            phase = f"Asked to stop, {self.operation.phase} …" if self.operation is not None else "Asked to stop …"
            lines.append(Content(f"{phase} q does not wait for it."))
            if time.monotonic() - self._asked_at > _PATIENCE:
                lines.append(Content.styled("It does not react: a system hangs.", "$text-warning"))
        self.query_one("#said", Static).update(Content("\n").join(lines))

    def _what(self) -> list[Content]:
        """What goes on."""
        width = max(min(self.app.size.width * 9 // 10, 76) - 6, 30)
        lines = []
        if self.operation is not None:
            plan = self.operation.plan
            lines += [Content.styled(plan.title if plan else self.operation.name, "bold"), Content("")]
        here = house(self).opened().environment.name if self.transfers else ""
        for transfer in self.transfers[:_NAMED]:
            lines.append(Content.styled(elided(foreign(transfer.called(here)), width), "bold"))
            how = "ended" if transfer.over else moving(transfer.snapshot())
            lines.append(Content(cut(f"  {foreign(how)}", width)))
        if (more := len(self.transfers) - _NAMED) > 0:
            lines.append(Content(f"  and {counted(more, 'more download')}"))
        return [*lines, Content("")] if self.transfers else lines

    def _choices(self) -> list[str]:
        kept = "What has come of a download stays; the same one goes on from there, here or by its command."
        if self.operation is None:
            return [
                kept,
                "",
                "Stop and quit (s): it ends after the pieces that are under way.",
                "Quit at once (q): those pieces come anew the next time.",
                "Stay (esc): it goes on.",
            ]
        return [
            *([kept, ""] if self.transfers else []),
            "Stop and quit (s): it stops at the next safe point; what was done until then is in the journal.",
            "Quit at once (q): it is cut off; the journal keeps it as interrupted.",
            "Stay (esc): it goes on.",
        ]

    def action_stay(self) -> None:
        self.dismiss()

    def action_stop_and_quit(self) -> None:
        self._asked_at = time.monotonic()
        if self.operation is not None:
            self.operation.stop()
        for transfer in self._going:
            transfer.stop()

    def action_quit_now(self) -> None:
        house(self).end()
