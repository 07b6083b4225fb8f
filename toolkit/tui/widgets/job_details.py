"""A CronJob, job or pod in words: the pane beside the list, and the page that Enter opens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from textual.content import Content

from toolkit.checks.finding import Status
from toolkit.errors import ToolkitError
from toolkit.figures import age, duration
from toolkit.tui.widgets import runs
from toolkit.tui.widgets.job_rows import in_both_zones, lasted
from toolkit.tui.widgets.problem import drawn
from toolkit.tui.widgets.prose import ENDLESS, hanging, labelled
from toolkit.tui.wording import foreign, moment

if TYPE_CHECKING:
    from toolkit.checks.finding import Finding
    from toolkit.systems.cluster.events import ObjectEvent
    from toolkit.systems.cluster.objects import CronJob, Job, Pod
    from toolkit.tui.widgets.job_rows import Row


def about(row: Row, zone: str, width: int, commands: Sequence[str] = ()) -> Content:
    """The row in full: what it is, where, since when, why it failed; then the commands by hand."""
    if row.problem is not None:
        head = Content.assemble((foreign(row.place), "bold"), f"  {', '.join(row.look.place.parts)}")
        again = Content.styled("r tries again, y copies the row", "$text-muted")
        return Content("\n").join([head, drawn(row.problem, width), again])
    sign, word, style = row.state
    lines = [
        hanging(Content.assemble((f"{sign} {word}", style), "  "), foreign(row.name), width, "bold"),
        labelled("in", f"{foreign(row.place)}  ({', '.join(row.look.place.parts)})", width),
    ]
    if row.old:
        lines.append(labelled("", "its cluster does not answer now: this is what it said last", width, "$text-warning"))
    if row.look.moved and row.cronjob is not None:
        lines.append(hanging(Content.styled("! ", "bold $text-warning"), foreign(row.look.moved), width))
    if row.cronjob is not None:
        lines += _cronjob(row, row.cronjob, zone, width)
    elif row.job is not None:
        lines += _job(row.job, row.stem, zone, width)
    elif row.pod is not None:
        lines += _pod(row.pod, zone, width)
    return Content("\n").join([*lines, *command_lines(commands, width)])


def command_lines(commands: Sequence[str], width: int) -> list[Content]:
    return [
        labelled("by hand" if number == 0 else "", foreign(command), width, "$text-accent")
        for number, command in enumerate(commands)
    ]


def _cronjob(row: Row, cronjob: CronJob, zone: str, width: int) -> list[Content]:
    named = cronjob.time_zone or "UTC, as its spec names no zone"
    lines = []
    if cronjob.suspended:
        lines.append(labelled("next", "none: it is suspended", width, "$text-warning"))
    elif row.next_run is not None:
        lines.append(labelled("next", in_both_zones(row.next_run, zone), width))
    else:
        lines.append(labelled("next", "? its schedule cannot be read", width, "$text-warning"))
    last = row.last_run
    if last is not None:
        how = "by hand" if last.manual else "by schedule"
        text = f"{runs.sign(last)}, {how}, {age(runs.begun(last))}, {'for' if not last.over else 'took'} "
        lines.append(labelled("last", text + runs.took(last), width, runs.style(last)))
    elif cronjob.last_scheduled is not None:
        lines.append(labelled("last", f"scheduled {age(cronjob.last_scheduled)}; its job is gone", width))
    else:
        lines.append(labelled("last", "no run is known", width))
    if cronjob.last_successful is not None:
        lines.append(labelled("success", f"{age(cronjob.last_successful)}, {moment(cronjob.last_successful)}", width))
    lines.append(labelled("schedule", foreign(f"{cronjob.schedule} ({named})"), width))
    lines.append(labelled("overlap", f"{cronjob.concurrency_policy.lower()} (concurrencyPolicy)", width))
    return lines + _images(cronjob.images, width)


def _job(job: Job, owner: str, zone: str, width: int) -> list[Content]:
    lines = []
    if job.state == "failed":
        why = ": ".join(part for part in (job.reason, job.message) if part) or "for no stated reason"
        lines.append(labelled("why", foreign(why), width, "$text-error"))
    start = runs.begun(job)
    begun = in_both_zones(start, zone) if start is not None else "not yet"
    lines.append(labelled("begun", f"{'by hand' if job.manual else 'by schedule' if owner else 'by itself'}, {begun}",
                          width))  # fmt: skip
    if job.finished is not None:
        took = f"{moment(job.finished)}, took {lasted(start, job.finished)}"
        lines.append(labelled("ended", took, width))
    elif start is not None:
        lines.append(labelled("runs for", runs.took(job), width))
    if job.failures:
        lines.append(labelled("pods", f"{job.failures} failed", width, "$text-warning"))
    if owner:
        lines.append(labelled("made by", f"CronJob {foreign(owner)}", width))
    return lines + _images((job.image,), width)


def _pod(pod: Pod, zone: str, width: int) -> list[Content]:
    lines = []
    if pod.reason or pod.message:
        why = ": ".join(part for part in (pod.reason, pod.message) if part)
        lines.append(labelled("reason", foreign(why), width))
    if pod.exit_code is not None:
        lines.append(labelled("exit code", str(pod.exit_code), width, room=11))
    start = pod.started or pod.created
    if start is not None:
        lines.append(labelled("begun", in_both_zones(start, zone), width))
    ready = f"{pod.ready} of {len(pod.containers)} containers"
    lines.append(labelled("ready", ready if not pod.over else "it is over", width))
    for part in pod.parts:
        if part.restarts:
            since = f", its run before ended with {part.last_reason}" if part.last_reason else ""
            text = f"{part.name} {part.restarts} times{since}"
            lines.append(labelled("restarts", foreign(text), width, "$text-warning"))
    if pod.owner:
        lines.append(labelled("made by", foreign(pod.owner), width))
    if pod.node:
        lines.append(labelled("node", foreign(pod.node), width))
    digests = [part.digest for part in pod.parts if part.digest and not part.init]
    return lines + _images(pod.images, width) + [labelled("", foreign(digest), width) for digest in digests]


def _images(images: Sequence[str], width: int) -> list[Content]:
    return [labelled("image" if n == 0 else "", foreign(image), width) for n, image in enumerate(images) if image]


def image_lines(finding: Finding, images: Sequence[str], width: int) -> list[Content]:
    """Does what runs equal what eng-infrastructure asks for? For this row, then place by place."""
    from toolkit.cache.images import Image, agree, short

    lines = [Content(""), Content.styled("Image: what runs against what should", "bold")]
    wanted = finding.facts.get("wanted") or []
    if wanted and images:
        same = agree([Image.parse(one) for one in wanted], [Image.parse(one) for one in images], more=True)
        head = Content.styled("✓ same     " if same else "! differs  ", "$text-success" if same else "$text-warning")
        asked = ", ".join(short(one) for one in wanted)
        text = f"this runs {', '.join(short(one) for one in images)}, eng-infrastructure asks for {asked}"
        lines.append(hanging(head, foreign(text), width))
    since = finding.facts.get("since")
    if since:
        lines.append(labelled("since", f"{_moment(str(since))}: trunk asks for it", width))
    return lines + finding_lines(finding, width)


def _moment(text: str) -> str:
    """A time of a finding's facts, as times are written here."""
    try:
        return moment(datetime.fromisoformat(text))
    except ValueError:
        return foreign(text)


def finding_lines(finding: Finding, width: int) -> list[Content]:
    """A finding with its evidence."""
    from toolkit.tui.wording import STYLES, state

    head = Content.assemble((state(finding.status), STYLES[finding.status]), " ")
    lines = [hanging(head, foreign(finding.summary), width)]
    if finding.hint and finding.status is not Status.OK:
        lines.append(hanging(Content.styled("next     ", "bold"), foreign(finding.hint), width))
    lines += [hanging(Content("· "), foreign(one), width) for one in finding.evidence]
    return lines + command_lines(finding.by_hand, width)


def problem_lines(what: str, problem: ToolkitError, width: int) -> list[Content]:
    return [Content(""), Content.styled(what, "bold"), drawn(problem, width)]


def event_page(row: Row, events: Sequence[ObjectEvent], command: str, width: int) -> Content:
    """Events, the newest first; those of a job's pods say which pod."""
    head = labelled("by hand", foreign(command), width, "$text-accent")
    if not events:
        none = "No event is known. Kubernetes forgets events after an hour or so."
        return Content("\n").join([hanging(Content(""), none, width), Content(""), head])
    lines = []
    for event in events:
        sign, style = ("! warning", "bold $text-warning") if event.warning else ("· normal ", "$text-muted")
        whose = f"{event.kind.lower()} {event.name}: " if event.name != row.name else ""
        often = ""
        if event.count > 1:
            spread = (event.last - event.first).total_seconds() if event.first and event.last else 0.0
            often = f"  ({event.count} times in {duration(spread)})" if spread else f"  ({event.count} times)"
        first = Content.assemble(
            (sign, style), f"  {age(event.last):>11}  ", (foreign(event.reason), "bold"),
            (f"  {foreign(event.source)}{often}", "$text-muted"),
        )  # fmt: skip
        lines += [first, hanging(Content(" " * 11), foreign(f"{whose}{event.message}"), width)]
    return Content("\n").join([*lines, Content(""), head])


def yaml_page(text: str, command: str, width: int) -> Content:
    """The object as YAML; what is copied is YAML too."""
    lines = foreign(f"# {command}\n{text}").rstrip("\n").split("\n")
    if width >= ENDLESS:
        return Content("\n".join(lines))
    drawn_lines = [Content.styled(lines[0], "$text-muted")]
    for line in lines[1:]:
        key, colon, rest = line.partition(":")
        plain = not colon or (rest and not rest.startswith(" "))
        drawn_lines.append(Content(line) if plain else Content.assemble((key, "$text-accent"), colon, rest))
    return Content("\n").join(drawn_lines)
