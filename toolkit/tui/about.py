"""What a widget says of itself when somebody asks for help while it is in focus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.widget import Widget


@dataclass(frozen=True, slots=True)
class About:
    """`text` is a sentence or a few: what is shown, how to read it, what can be done. A widget carries it as ABOUT."""

    title: str
    text: str


def abouts(focused: Widget | None) -> list[About]:
    """What the widget in focus and those around it say, the outermost first: it knows what the list is a list of."""
    around = [] if focused is None else [node for node in focused.ancestors_with_self if hasattr(node, "ABOUT")]
    return list(dict.fromkeys(node.ABOUT for node in reversed(around)))
