"""Labelled text that wraps under itself: the label stands alone in its column, whatever the width."""

from __future__ import annotations

import textwrap

from textual.content import Content

ENDLESS = 100_000  # the width of text that is copied: a command stays on one line


def hanging(head: Content, text: str, width: int, style: str = "") -> Content:
    """`head`, then `text` wrapped to `width` cells with every line under the first."""
    indent = head.cell_length
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += textwrap.wrap(paragraph, max(width - indent, 16), break_on_hyphens=False) or [""]
    first, *rest = lines
    parts = [Content.assemble(head, (first, style))]
    parts += [Content.assemble(" " * indent, (line, style)) for line in rest]
    return Content("\n").join(parts)


def labelled(label: str, text: str, width: int, style: str = "", room: int = 9) -> Content:
    """A quiet label in `room` cells, then the text."""
    return hanging(Content.styled(f"{label:<{room}}", "$text-muted"), text, width, style)
