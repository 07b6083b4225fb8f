"""A line to filter a list by."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "filter-line",
    "A filter that is typed",
    (
        Act("filter-line.keep", "enter,down", "keep", "To the list", "Keep the filter, and go to the list.", True,
            palette=False),
        Act("filter-line.end", "escape", "show_all", "Show all", "Take the filter away.", footer=True, palette=False),
    ),
)  # fmt: skip
