"""What was deleted from the bucket and is still kept."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "bucket-deleted",
    "Deleted, and kept a while",
    (
        Act("bucket-deleted.mark", "space", "mark", "Mark", "Mark what is in focus, or take its mark away.", True,
            palette=False),
        Act("bucket-deleted.mark-all", "a", "mark_all", "Mark all", "Mark all that is shown; of a name the newest.",
            True, palette=False),
        Act("bucket-deleted.unmark", "u", "unmark", "Unmark all", "Take every mark away.", palette=False),
        Act("bucket-deleted.filter", "f", "filter", "Filter", "Show only what holds what you type.", True,
            palette=False),
        Act("bucket-deleted.info", "i", "info", "Info", "All that is known of that generation.", True, palette=False),
        Act("bucket-deleted.restore", "z", "restore", "Restore", "Plan to restore what is marked, or in focus.", True,
            palette=False),
        Act("bucket-deleted.back", "escape", "app.back", "Back", "Back to the folders.", True, palette=False),
    ),
)  # fmt: skip
