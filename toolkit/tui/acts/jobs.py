"""Page 4."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope, page_act

SCOPE = Scope(
    "jobs",
    "Jobs",
    (
        Act("jobs.details", "enter", "screen.details", "Details", "All that is known, and whether its image is right.",
            True),
        Act("jobs.rebuild", "b", "screen.rebuild", "Rebuild …", "Start the cache manager now, through the gate.", True),
        Act("jobs.follow", "f", "screen.follow", "Log", "Its log on the logs page, followed while it runs.", True),
        Act("jobs.events", "v", "screen.events", "Events", "What Kubernetes did about it, the newest first.", True),
        Act("jobs.yaml", "Y", "screen.yaml", "YAML", "The object as YAML; nothing secret is shown.", True),
        Act("jobs.filter", "ctrl+f", "screen.filter", "Filter", "Only rows with all the words typed; esc ends it."),
        Act("jobs.kind", "s", "screen.kind", "Show", "Show all, or CronJobs, jobs, pods, what is wrong."),
        Act("jobs.restart", "R", "screen.restart", "Restart app …", "Restart MapApp's pods, through the gate."),
    ),
    page_act("jobs", "4", "Jobs", "CronJobs, jobs and pods of every part, in whichever cluster."),
)  # fmt: skip
