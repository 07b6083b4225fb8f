"""Logging in to Vault from within the app."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "login",
    "Logging in to Vault",
    (
        Act("login.method", "ctrl+t", "other_method", "Token/userpass", "Log in another way.", True, palette=False),
        Act("login.go", "enter", "screen.go", "Log in", "Log in with what was typed.", footer=True, palette=False),
        Act("login.next", "tab,down", "app.focus_next", "Next field", "To the next field.", palette=False),
        Act("login.help", "f1", "app.show_help", "Help", "What the keys do here.", footer=True, palette=False),
        Act("login.close", "escape", "close", "Close", "Stay as you are.", footer=True, palette=False),
        Act("login.interrupt", "ctrl+c", "app.help_quit", "Quit", "Twice: end the toolkit.", palette=False,
            priority=True),
    ),
)  # fmt: skip
