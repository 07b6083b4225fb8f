"""Help: what the widget in focus says of itself, then every key and what it does, the screen's own first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual.content import Content

from toolkit.tui.about import About
from toolkit.tui.keymap import Keymap
from toolkit.tui.registry import SCOPES, acts
from toolkit.tui.screens.text_page import TextPage
from toolkit.tui.widgets.prose import ENDLESS, hanging

PLAIN = Keymap()
WORDS = (
    ("✓ ok", "$text-success", "as it should be"),
    ("! warn", "$text-warning", "works, but look at it"),
    ("✗ fail", "$text-error", "wrong"),
    ("? unknown", "$text-warning", "could not be answered"),
    ("- skipped", "$text-muted", "not asked, because something before it is broken or not configured"),
)


def text(scope: str, width: int = ENDLESS, *, keys: Keymap = PLAIN, around: Sequence[About] = ()) -> Content:
    """The help on the screen `scope`: the widgets `around` the focus first, then the screen's keys, then the others."""
    lines: list[Content] = []
    for about in around:
        lines += [Content.styled(about.title, "bold $text-primary"), hanging(Content("  "), about.text, width)]
    if around:
        lines.append(Content(""))
    for name in [scope, "app", "list", *(other for other in SCOPES if other not in (scope, "app", "list"))]:
        if not acts(name):
            continue
        lines.append(Content.styled(SCOPES[name], "bold $text-primary"))
        for act in acts(name):
            key = (f"  {keys.written(act):<9} ", "bold $text-accent")
            lines.append(hanging(Content.assemble(key, f"{act.label:<14} "), act.help, width, "$text-muted"))
        lines.append(Content(""))
    lines.append(Content.styled("Signs", "bold $text-primary"))
    lines += [Content.assemble("  ", (f"{word:<10}", style), meaning) for word, style, meaning in WORDS]
    return Content("\n").join(lines)


class Help(TextPage):
    """The help of the screen `scope`, with what the widgets `around` the focus say of themselves."""

    def __init__(self, scope: str, keys: Keymap = PLAIN, around: Sequence[About] = ()) -> None:
        super().__init__("Help: keys", partial(text, scope, keys=keys, around=around))
