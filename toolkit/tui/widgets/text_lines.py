"""Lines that somebody has drawn already, with their own colours: a picture. Only what is on the screen is rendered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from toolkit.tui.about import About

if TYPE_CHECKING:
    from rich.text import Text


class TextLines(ScrollView, can_focus=True):
    """Shows `lines`; scrolls both ways."""

    ABOUT = About(
        "A picture",
        "Red is similar, blue is opposite; every cell has its number or sign as well. Arrows, PgUp and PgDn scroll.",
    )

    DEFAULT_CSS = """
    TextLines { height: 1fr; background: transparent; padding: 0 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._lines: Sequence[Text] = ()

    def show(self, lines: Sequence[Text]) -> None:
        self._lines = lines
        widest = max((line.cell_len for line in lines), default=0)
        self.virtual_size = Size(widest, len(lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        left, top = round(self.scroll_offset.x), round(self.scroll_offset.y)
        width, base = self.size.width, self.rich_style
        at = y + top
        if at >= len(self._lines):
            return Strip.blank(width, base)
        line = self._lines[at]
        strip = Strip(line.render(self.app.console), line.cell_len).apply_style(base)
        return strip.crop_extend(left, left + width, base)

    def copy_text(self) -> str:
        """The picture as text, without its colours."""
        return "\n".join(line.plain.rstrip() for line in self._lines)
