"""The field that narrows a list while one types."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "filter",
    "Narrowing a list",
    (
        Act(
            "filter.take", "enter,down", "take", "To the rows", "Keep the filter, go to the rows.", True, palette=False
        ),
        Act("filter.clear", "escape", "clear", "No filter", "Take the filter away.", footer=True, palette=False),
    ),
)
