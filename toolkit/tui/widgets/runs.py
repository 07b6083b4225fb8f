"""The cache manager's last runs as a strip: a block each, with its sign, how long it took and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual.content import Content

from toolkit.figures import age, duration
from toolkit.tui.wording import moment

if TYPE_CHECKING:
    from toolkit.systems.cluster.objects import Job
    from toolkit.tui.core import Manager

SIGNS = {"complete": "✓", "failed": "✗", "running": "●", "pending": "○"}
STYLES = {
    "complete": "$text-success",
    "failed": "bold $text-error",
    "running": "bold $text-warning",
    "pending": "$text-muted",
}


def begun(job: Job) -> datetime | None:
    return job.started or job.created


def took(job: Job) -> str:
    """How long a run took, or has been going on."""
    start = begun(job)
    return "-" if start is None else duration(((job.finished or datetime.now(UTC)) - start).total_seconds())


def sign(job: Job) -> str:
    """How a run stands, as sign and word."""
    return f"{SIGNS.get(job.state, '?')} {job.state}"


def style(job: Job) -> str:
    return STYLES.get(job.state, "")


def strip(jobs: Sequence[Job], width: int) -> Content:
    """As many of the last runs as fit in `width`, the oldest left: `✓ 58m  ✗ 3m  ● 12m`."""
    blocks: list[Content] = []
    used = 0
    for job in jobs:
        text = f" {SIGNS.get(job.state, '?')} {took(job)} "
        used += len(text) + 1
        if used > width + 1:
            break
        blocks.insert(0, Content.styled(text, f"{style(job)} on $panel"))
    return Content(" ").join(blocks) if blocks else Content.styled("none that the cluster still knows", "$text-muted")


def summary(manager: Manager, zone: str, width: int) -> list[Content]:
    """The cache manager in a few lines: where it is, the last run, the next in both zones, the strip of runs."""
    muted = "$text-muted"
    cronjob = manager.cronjob
    lines = [Content.assemble(("in    ", muted), (cronjob.cluster, "bold"), f" / {cronjob.namespace}")]
    going, last = manager.running, manager.last
    if going is not None:
        lines.append(Content.assemble(("now   ", muted), (f"{sign(going)} ", style(going)), f"for {took(going)}"))
    if last is not None:
        ended = f"{age(last.finished)}, took {took(last)}"
        lines.append(Content.assemble(("last  ", muted), (f"{sign(last)} ", style(last)), ended))
    if cronjob.suspended:
        lines.append(Content.assemble(("next  ", muted), ("! suspended", "bold $text-warning"), ": no run will start"))
    elif manager.next_run is None:
        lines.append(Content.assemble(("next  ", muted), ("? unknown ", "$text-warning"), manager.problem))
    else:
        lines.append(Content.assemble(("next  ", muted), moment(manager.next_run), f"  {age(manager.next_run)}"))
        lines.append(Content.assemble(("      ", muted), moment(manager.next_run, zone)))
    lines.append(Content.assemble(("runs  ", muted), strip(manager.jobs, width - 6)))
    return lines
