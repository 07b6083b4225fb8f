"""A drill, on top of any page of the sandbox."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "drill",
    "A drill",
    (
        Act("drill.go", "enter", "screen.go", "Go on", "Begin, or do what is offered below.", True, palette=False),
        Act("drill.answer", "a", "answer", "Answer …", "Say what the cause is.", True, palette=False),
        Act("drill.hint", "h", "hint", "Hint (-10)", "One step of help; costs 10 of 100 points.", True, palette=False),
        Act("drill.give-up", "g", "give_up", "Give up", "Twice: end the drill, and be told what it was.", True,
            palette=False),
        Act("drill.keep", "k", "keep", "Keep", "At the end: leave the sandbox as it is.", True, palette=False),
        Act("drill.last", "s", "last", "Last score", "How the last drill ended.", True, palette=False),
        Act("drill.leave", "escape", "screen.leave", "Leave", "Back to work on it; esc never ends a drill.", True,
            palette=False),
        Act("drill.up", "up", "scroll_page(-1)", "Up", "Scroll the page.", palette=False),
        Act("drill.down", "down", "scroll_page(1)", "Down", "Scroll the page.", palette=False),
        Act("drill.page-up", "pageup", "scroll_page(-10)", "Page up", "Scroll by a page.", palette=False),
        Act("drill.page-down", "pagedown", "scroll_page(10)", "Page down", "Scroll by a page.", palette=False),
    ),
)  # fmt: skip
