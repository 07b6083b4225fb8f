"""How the app goes from page to page: one key, one drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App
from textual.screen import Screen

if TYPE_CHECKING:
    from textual.await_complete import AwaitComplete
    from textual.widget import AwaitMount


class SparingScreen(Screen[None]):
    """A screen that draws nothing while its app hides what goes on: Textual would throw it away. One that lies below
    another is not drawn by itself, and says to that one what has changed, hidden or not."""

    def _compositor_refresh(self) -> None:
        if not self.app._batch_count or self is not self.app.screen:
            super()._compositor_refresh()


class SwitchingApp(App[int]):
    """An app whose modes change at once where they were shown before.

    Textual hides each change for 50 ms, and applies all styles once more to a mode that comes back. Pages have no
    styles beside those of their widgets, so only another theme makes that needed. A mode that is new is left to
    Textual, whose layout comes about while it is hidden; but the page that is left need not get its styles anew for it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._themes: dict[str, str] = {}  # under which theme each mode was shown last
        self._comes_back = False
        self._styles_hold = False
        self._begins = ""  # the mode that is shown for the first time

    def switch_mode(self, mode: str) -> AwaitMount:
        self._comes_back = mode in self._screen_stacks
        self._begins = "" if self._comes_back else mode
        self._styles_hold = self._comes_back and self._themes.get(mode) == self.theme
        try:
            waiting = super().switch_mode(mode)
        finally:
            self._comes_back = self._styles_hold = False
            self._begins = ""
        self._themes[mode] = self.theme
        return waiting

    def remove_mode(self, mode: str) -> AwaitComplete:
        self._themes.pop(mode, None)
        return super().remove_mode(mode)

    def delay_update(self, delay: float = 0.05) -> None:
        if not self._comes_back:
            super().delay_update(delay)

    def refresh_css(self, animate: bool = True) -> None:
        leaves = self._begins not in ("", self.current_mode)
        if not self._styles_hold and not leaves:
            super().refresh_css(animate)
