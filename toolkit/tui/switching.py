"""How the app goes from page to page: one key, one drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.app import App

if TYPE_CHECKING:
    from textual.await_complete import AwaitComplete
    from textual.widget import AwaitMount

_AT_ONCE: Final = 0.001  # seconds; a timer of 0 never ends


class SwitchingApp(App[int]):
    """An app whose modes change at once.

    Textual hides each change for 50 ms, reads all styles anew, twice, for a mode that is new, and applies them once
    more to one that comes back. None of that is seen here: pages have no styles beside those of their widgets, which
    are read as they are mounted, and only another theme changes them later.
    """

    def __init__(self) -> None:
        super().__init__()
        self._themes: dict[str, str] = {}  # under which theme each mode was shown last
        self._comes_back = False
        self._styles_hold = False

    def switch_mode(self, mode: str) -> AwaitMount:
        self._comes_back = mode in self._screen_stacks
        self._styles_hold = not self._comes_back or self._themes.get(mode) == self.theme
        try:
            waiting = super().switch_mode(mode)
        finally:
            self._comes_back = self._styles_hold = False
        self._themes[mode] = self.theme
        return waiting

    def remove_mode(self, mode: str) -> AwaitComplete:
        self._themes.pop(mode, None)
        return super().remove_mode(mode)

    def delay_update(self, delay: float = 0.05) -> None:
        if not self._comes_back:
            super().delay_update(_AT_ONCE if self._styles_hold else delay)

    def refresh_css(self, animate: bool = True) -> None:
        if not self._styles_hold:
            super().refresh_css(animate)
