"""Page 3."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope, page_act

SCOPE = Scope(
    "bucket",
    "Bucket",
    (
        Act("bucket.unfold", "enter", "screen.unfold", "Open/close", "Open or close the folder in focus."),
        Act("bucket.open", "right", "screen.open", "Open", "Open the folder in focus; in an open one, go in.",
            palette=False),
        Act("bucket.close", "left", "screen.close", "Close", "Close the folder in focus, or go to the one around.",
            palette=False),
        Act("bucket.mark", "space", "mark", "Mark", "Mark the folder or object in focus, or take its mark away.", True),
        Act("bucket.mark-all", "a", "mark_all", "Mark all", "Mark all beside it, or all that the filter shows."),
        Act("bucket.unmark", "u", "unmark", "Unmark all", "Take every mark away."),
        Act("bucket.filter", "f", "filter", "Filter", "Show only what holds what you type.", footer=True),
        Act("bucket.info", "i", "info", "Info", "All that is known of it, and the commands by hand."),
        Act("bucket.download", "g", "download", "Get", "Download what is marked, or what is in focus.", True),
        Act("bucket.show-download", "G", "show_download", "Downloads",
            "The downloads that go on, or were last: in full, and what can be done still."),
        Act("bucket.stop", "s", "stop", "Stop download",
            "Stop the newest download; again: put away what is said of those that ended."),
        Act("bucket.delete", "x", "delete", "Delete", "Plan to delete what is marked, or in focus; asks first.", True),
        Act("bucket.restore", "z", "deleted", "Restore", "What was deleted and is kept a while, to restore it.", True),
    ),
    page_act("bucket", "3", "Bucket", "The folders of the L3 bucket, with their sizes."),
)  # fmt: skip
