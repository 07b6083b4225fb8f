"""What the diagnosis is asked about, while it is filled in."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "why-asked",
    "Why? What is asked",
    (
        Act("why-asked.ask", "enter", "screen.ask", "Ask", "Ask about what is filled in.", True, palette=False),
        Act("why-asked.map", "space", "screen.map", "The map", "On `map`: mark that the map as a whole looks odd.",
            palette=False),
    ),
)  # fmt: skip
