"""The cache manager's last runs as bars, the newest at the right: the longer a run, the higher its bar; sign, letter
and colour say how it ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING

from textual.content import Content

from toolkit.figures import duration
from toolkit.tui.widgets.runs import SIGNS, begun, style, took

if TYPE_CHECKING:
    from toolkit.systems.cluster.objects import Job

EIGHTHS = "▁▂▃▄▅▆▇█"
_GAP = 2
_LEAST = 6  # cells of a run's bar


def lasted(job: Job) -> float:
    """Seconds, until now where the run is going on."""
    start = begun(job)
    return 0.0 if start is None else max(0.0, ((job.finished or datetime.now(UTC)) - start).total_seconds())


def usual(jobs: Sequence[Job], otherwise: float) -> float:
    """How long a run takes that goes well: the median of those that did, in seconds; `otherwise` without any."""
    good = [job.seconds for job in jobs if job.state == "complete" and job.seconds is not None]
    return median(good) if good else otherwise


def strip(jobs: Sequence[Job], width: int, rows: int = 1) -> list[Content]:
    """As many of the last runs (`jobs`: the newest first) as fit in `width`. Of one row each is `▇✓ 58m`; of more,
    the bars stand on sign and duration, and these on how long ago the run began."""
    if not jobs:
        return [Content.styled("no run kept: the cluster has forgotten them, or none ever began", "$text-muted")]
    labels = [f"{SIGNS.get(job.state, '?')} {took(job)}" for job in jobs]
    cells = [max(len(label) + (rows == 1), _LEAST if rows > 1 else 0) for label in labels]
    shown: list[int] = []
    used = 0
    for number, cell in enumerate(cells):
        if used + cell > width:
            break
        shown.insert(0, number)
        used += cell + _GAP
    longest = max((lasted(jobs[number]) for number in shown), default=0.0) or 1.0
    if rows == 1:
        parts = []
        for number in shown:
            bar = EIGHTHS[min(int(lasted(jobs[number]) / longest * 8), 7)]
            parts.append(Content.styled(f"{bar}{labels[number]}", style(jobs[number])))
        return [Content(" " * _GAP).join(parts)]
    lines = []
    for row in range(rows - 1, -1, -1):
        parts = []
        for number in shown:
            eighths = min(max(int(lasted(jobs[number]) / longest * rows * 8), 1) - row * 8, 8)
            bar = EIGHTHS[eighths - 1] if eighths > 0 else " "
            parts.append(Content.styled(f"{bar * (cells[number] - 1)} ", style(jobs[number])))
        lines.append(Content(" " * _GAP).join(parts))
    lines.append(Content(" " * _GAP).join(Content.styled(f"{labels[n]:<{cells[n]}}", style(jobs[n])) for n in shown))
    ages = [_ago(jobs[number]) for number in shown]
    lines.append(
        Content(" " * _GAP).join(
            Content.styled(f"{age:<{cells[n]}}", "$text-muted") for n, age in zip(shown, ages, strict=True)
        )
    )
    return lines


def progress(job: Job, usually: float, width: int) -> Content:
    """The run that is going on against the usual duration: a bar while it is within it, words once it is not."""
    share = lasted(job) / usually if usually else 0.0
    about = duration(usually)
    if share > 1:
        return Content.styled(f"{took(job)}, usually {about}: overdue", "bold $text-warning")
    text = f"{took(job)} of about {about} "
    room = min(width - len(text) - 5, 24)
    if room < 6:
        return Content(text.rstrip())
    full = int(share * room)
    return Content.assemble(
        text, ("█" * full, "$text-warning"), ("░" * (room - full), "$text-muted"), f" {share * 100:.0f}%"
    )


def _ago(job: Job) -> str:
    start = begun(job)
    return "-" if start is None else duration((datetime.now(UTC) - start).total_seconds()).partition(" ")[0]
