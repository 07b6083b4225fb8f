"""Help: every key and what it does, the screen's own first; made from the registry."""

from __future__ import annotations

from functools import partial

from textual.content import Content

from toolkit.tui.registry import SCOPES, acts, shown
from toolkit.tui.screens.text_page import TextPage
from toolkit.tui.widgets.prose import ENDLESS, hanging

WORDS = (
    ("✓ ok", "$text-success", "as it should be"),
    ("! warn", "$text-warning", "works, but look at it"),
    ("✗ fail", "$text-error", "wrong"),
    ("? unknown", "$text-warning", "could not be answered"),
    ("- skipped", "$text-muted", "not asked, because something before it is broken or not configured"),
)


def text(scope: str, width: int = ENDLESS) -> Content:
    """The help as it is read on the screen `scope`."""
    lines: list[Content] = []
    for name in [scope, "app", "list", *(other for other in SCOPES if other not in (scope, "app", "list"))]:
        lines.append(Content.styled(SCOPES[name], "bold $text-primary"))
        for act in acts(name):
            key = (f"  {shown(act.key):<9} ", "bold $text-accent")
            lines.append(hanging(Content.assemble(key, f"{act.label:<14} "), act.help, width, "$text-muted"))
        lines.append(Content(""))
    lines.append(Content.styled("Signs", "bold $text-primary"))
    lines += [Content.assemble("  ", (f"{word:<10}", style), meaning) for word, style, meaning in WORDS]
    return Content("\n").join(lines)


class Help(TextPage):
    """The help of the screen `scope`."""

    def __init__(self, scope: str) -> None:
        super().__init__("Help: keys", partial(text, scope))
