"""The two lines above a log: what is read and how it is doing; which filters are on, and how much they show."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from toolkit.figures import duration, size
from toolkit.tui.wording import cut

if TYPE_CHECKING:
    from toolkit.tui.screens.logs_reading import LogReading


class Line(Widget):
    """One line of text, drawn anew only when it has changed."""

    DEFAULT_CSS = """
    Line { height: 1; text-wrap: nowrap; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._text = Content("")

    def render(self) -> Content:
        return self._text

    def put(self, text: Content) -> None:
        if text != self._text:
            self._text = text
            self.refresh()


class Status(Line):
    """What is read; whether it is followed; when the last line came."""

    def say(self, page: LogReading) -> None:
        left = page.query_.title
        if page.query_.since or page.query_.until:
            left += f"  {page.query_.since or '…'} – {page.query_.until or 'now'}"
        note = page.opened.note if page.opened is not None else ""
        sign, style, state = _state(page)
        room = self.size.width - cell_len(state) - cell_len(sign) - 4
        title = note if note.startswith("the last rebuild") and not page.query_.words else f"{left}  {note}".rstrip()
        words = cut(title, room)
        gap = max(self.size.width - cell_len(words) - cell_len(sign) - cell_len(state) - 3, 1)
        self.put(Content.assemble((f" {words}", "bold"), " " * gap, (sign, style), f" {state} "))


def _state(page: LogReading) -> tuple[str, str, str]:
    """Sign, its style, and words."""
    opened = page.opened
    if page.problem is not None:
        return "✗", "bold $text-error", "failed"
    if page.busy or opened is None:
        return "…", "$text-muted", page.busy or "opening"
    watching = opened.watching
    part = opened.read()
    if part is not None:
        return "…", "$text-muted", f"searching the file: {part:.0%}"
    if opened.finished:
        return ("✓", "$text-success", "complete") if watching.over else ("…", "$text-muted", "reading")
    beat = "no line yet" if opened.file is None else "nothing new yet"
    if watching.last_at is not None:
        ago = time.monotonic() - watching.last_at
        beat = "last line just now" if ago < 1 else f"last line {duration(ago)} ago"
        heard = watching.heard
        if ago > 10 and heard is not None:
            beat += f", heard {duration(heard)} ago" if heard >= 5 else ", connected"
    if watching.over:
        return "!", "bold $text-warning", f"ended; {beat}"
    if page.view.stick:
        return "●", "bold $text-success", f"following, {beat}"
    waiting = page.kept.waiting
    return "‖", "bold $text-warning", (f"{waiting:,} newer wait (f), " if waiting else "held (f follows), ") + beat


class Chips(Line):
    """The filters, each with its ✕ to click; counts of what is shown, kept and not kept."""

    def say(self, page: LogReading) -> None:
        parts: list[Content] = [Content(" ")]
        room = self.size.width
        right = self._counts(page)
        room -= cell_len(right) + 2
        if not page.chips:
            keys = cut("no filter (l level, + with, - without, i this)  p patterns", max(room, 0))
            parts.append(Content.styled(keys, "$text-muted"))
        for number, chip in enumerate(page.chips):
            label = cut(chip.label, 30)
            drop = f"@click=screen.drop({number})"
            parts += [Content.styled(f" {label} ✕ ", f"$text-accent on $panel {drop}"), Content(" ")]
        left = Content("").join(parts)
        gap = max(self.size.width - left.cell_length - cell_len(right) - 1, 1)
        self.put(Content.assemble(left, " " * gap, (right, "$text-muted")))

    @staticmethod
    def _counts(page: LogReading) -> str:
        kept, opened = page.kept, page.opened
        shown = kept.shown.entries
        if opened is not None and opened.file is not None:
            view = page.view
            share = opened.file.place(view.cursor - view.base)
            return f"at {share:.0%} of {size(opened.file.size)}"
        text = f"{shown:,} of {kept.came:,}" if page.chips or kept.dropped else f"{shown:,} entries"
        if kept.dropped:
            text += f", {kept.dropped:,} older not kept"
        if kept.unseen:
            text += f", {kept.unseen:,} older were let go unseen (r reads all)"
        return text
