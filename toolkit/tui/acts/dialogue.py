"""A page of text on top of a screen."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "dialogue",
    "A page on top",
    (
        Act("dialogue.close", "escape,enter,q", "dismiss", "Close", "Close this page.", footer=True, palette=False),
        Act("dialogue.copy", "y", "copy", "Copy", "Copy this page's text.", footer=True, palette=False),
        Act("dialogue.interrupt", "ctrl+c", "app.help_quit", "Quit", "Twice: end the toolkit.", palette=False),
    ),
)
