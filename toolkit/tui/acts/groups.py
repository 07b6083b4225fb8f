"""Page 2."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope, page_act

SCOPE = Scope(
    "groups",
    "Groups",
    (
        Act("groups.frames", "enter", "screen.frames", "Frames", "The frames of the group in focus.", footer=True),
        Act("groups.events", "v", "events", "Events", "When groups were created (Kafka), as it is told."),
        Act("groups.why", "w", "app.why", "Why?", "Why is the group in focus missing?", footer=True),
    ),
    page_act("groups", "2", "Groups", "The groups in the cache, and their frames."),
)
