"""Questions about the events of new groups: has one been built that no rebuild has seen, and do consumers keep up?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from toolkit import figures
from toolkit.checks import shared
from toolkit.checks.finding import Finding, Status
from toolkit.checks.question import Input, Question
from toolkit.errors import ToolkitError
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.environments.events import Kafka as Part
    from toolkit.progress import Progress
    from toolkit.systems.cluster.objects import Job
    from toolkit.systems.connections import Connections
    from toolkit.systems.kafka import Event, Lag

_MOST: Final = 20  # groups that a finding names


@dataclass(frozen=True, slots=True)
class _Rebuilds:
    """The last run that went well (its begin and end), and since when one is going on; None where there is none.

    Where the cluster knows of none, the last write to the bucket is its end (`by_the_bucket`)."""

    begun: datetime | None
    finished: datetime | None
    running: datetime | None
    problem: str = ""
    by_the_bucket: bool = False

    @property
    def border(self) -> datetime | None:
        """What was created later, no run that went well can have taken."""
        return self.begun or self.finished

    @property
    def words(self) -> str:
        if self.by_the_bucket:
            return f"the last write to the bucket, {figures.when(self.border)} (of no good run the cluster knows)"
        return f"the last good rebuild, which {'began' if self.begun else 'ended'} {figures.when(self.border)}"


def configured(part: Part) -> bool:
    return bool(part.bootstrap and part.topic)


def built_since(connections: Connections, inputs: Mapping[str, str], progress: Progress) -> Finding:
    """Was the group (or any) created after the last good rebuild began? Then no layer can have it.

    Facts: `configured`; `group` (null: any); `event_time` of its newest event (RFC 3339; null: none is known),
    `event_at` (partition:offset), `searched_since`; `rebuild_began`, `rebuild_ended` of the last run that went well
    (only the end: that of the last write to the bucket, where the cluster knows of no good run),
    `running_since` (null: none); `after` (null: not known); `since`: those created after it (each `group`, `time`).
    """
    part, group = connections.environment.kafka, inputs.get("group", "")
    if not configured(part):
        summary = "where the events of new groups are is not configured (kafka.bootstrap, kafka.topic)"
        return Finding("", Status.SKIPPED, summary, facts={"configured": False, "group": group or None})
    back = datetime.now(UTC) - timedelta(days=part.search_days)
    kafka = connections.kafka
    events = shared.once("group-events", lambda: kafka.events(back, None, progress))
    rebuilds = _rebuilds(connections)
    border = rebuilds.border
    of_group = [event for event in events if event.group == group and event.time is not None] if group else []
    event = of_group[-1] if of_group else None
    newer = [one for one in _newest_of_each(events) if border is not None and one.time and one.time >= border]
    after = None if border is None else event.time >= border if event and event.time else None
    facts = {
        "configured": True,
        "group": group or None,
        "event_time": figures.rfc3339(event.time) if event else None,
        "event_at": event.place if event else None,
        "searched_since": figures.rfc3339(back),
        "rebuild_began": figures.rfc3339(rebuilds.begun) or None,
        "rebuild_ended": figures.rfc3339(rebuilds.finished) or None,
        "running_since": figures.rfc3339(rebuilds.running) or None,
        "after": after if group else (bool(newer) if border is not None else None),
        "since": [{"group": one.group, "time": figures.rfc3339(one.time)} for one in newer[-_MOST:]],
    }
    evidence = tuple(f"created: {shown(one.group)}, {figures.when(one.time)}" for one in newer[-_MOST:])
    by_hand = (f"toolkit events find{f' {shown(group)}' if group else ''}", kafka.by_hand())
    status, summary, hint = _told(group, event, newer, rebuilds, part)
    return Finding("", status, summary, hint, evidence=evidence, by_hand=by_hand, facts=facts)


def consumer_lag(connections: Connections, _: Mapping[str, str], __: Progress) -> Finding:
    """Do the configured consumer groups keep up with the topic?

    Facts: `configured`; `groups`: each `name`, `behind` (messages; null: not known), `partitions` (each `partition`,
    `committed`, `end`, `behind`), `problem` ("" where there is none).
    """
    part = connections.environment.kafka
    if not configured(part) or not part.consumer_groups:
        summary = "no consumer group is configured to be watched (kafka.consumer_groups)"
        return Finding("", Status.SKIPPED, summary, facts={"configured": False, "groups": []})
    kafka = connections.kafka
    groups = [_group(name, found) for name, found in kafka.lag(part.consumer_groups).items()]
    facts = {"configured": True, "groups": groups}
    by_hand = (f"kafka-consumer-groups.sh --bootstrap-server {part.bootstrap} --describe --group {groups[0]['name']}",)
    evidence = tuple(f"{one['name']}: {one['problem'] or _behind(one)}" for one in groups)
    behind = [one for one in groups if one["behind"]]
    unknown = [one for one in groups if one["behind"] is None]
    if behind:
        text = "; ".join(f"{one['name']} is {_behind(one)}" for one in behind)
        hint = "A consumer that is down stays behind: ask again in a minute, then look at its pods."
        return Finding("", Status.WARN, text, hint, evidence=evidence, by_hand=by_hand, facts=facts)
    if unknown:
        text = "; ".join(f"{one['name']}: {one['problem']}" for one in unknown)
        hint = "Are the names in kafka.consumer_groups right, and may the account see them (DESCRIBE)?"
        return Finding("", Status.UNKNOWN, text, hint, evidence=evidence, by_hand=by_hand, facts=facts)
    text = f"{', '.join(one['name'] for one in groups)}: nothing left to read"
    return Finding("", Status.OK, text, evidence=evidence, by_hand=by_hand, facts=facts)


def _told(
    group: str, event: Event | None, newer: Sequence[Event], rebuilds: _Rebuilds, part: Part
) -> tuple[Status, str, str]:
    """Status, summary and next step."""
    border = rebuilds.border
    if border is None:
        text = rebuilds.problem or "the cluster knows of no rebuild that went well"
        return Status.UNKNOWN, f"whether a rebuild came after it cannot be told: {text}", "See `toolkit cache history`."
    last = rebuilds.words
    next_step = "A rebuild brings it into the cache: `toolkit cache rebuild`, or wait for the scheduled one."
    if rebuilds.running is not None:
        next_step = "A rebuild is going on. It has what was created before it began: `toolkit cache status`."
    if not group:
        if not newer:
            return Status.OK, f"no group was created after {last}", ""
        names = ", ".join(shown(one.group) for one in newer[-3:])
        return Status.WARN, f"created after {last}: {names}", next_step
    if event is None:
        text = f"no event of the last {part.search_days:g} days says that {shown(group)} was created"
        return Status.WARN, text, "Is it spelled so? `toolkit events find` lists those that were."
    when = figures.when(event.time)
    if event.time is not None and event.time >= border:
        return Status.FAIL, f"{shown(group)} was created {when}, after {last}: no layer can have it", next_step
    return Status.OK, f"{shown(group)} was created {when}, before {last}", ""


def _newest_of_each(events: Sequence[Event]) -> list[Event]:
    """Of each group its newest event, by time."""
    newest = {event.group: event for event in events if event.group}
    return sorted(newest.values(), key=lambda event: event.order)


def _rebuilds(connections: Connections) -> _Rebuilds:
    try:
        cronjob = shared.cronjob(connections).cronjob
        runs = shared.runs_of(connections, cronjob)
    except ToolkitError as error:
        return _Rebuilds(None, None, None, error.message)
    good = next((job for job in runs if job.state == "complete"), None)
    going = next((_begun(job) for job in runs if not job.over), None)
    if good is None and cronjob.last_successful is None:
        written = _last_write(connections)
        return _Rebuilds(None, written, going, by_the_bucket=written is not None)
    if good is None:
        return _Rebuilds(None, cronjob.last_successful, going)
    return _Rebuilds(_begun(good), good.finished, going)


def _last_write(connections: Connections) -> datetime | None:
    """When a frame was last written to the bucket; None where that cannot be told."""
    try:
        bucket = shared.layers(connections).l3
    except ToolkitError:
        return None
    if isinstance(bucket, ToolkitError):
        return None
    return max((one.updated for frames in bucket.frames.values() for one in frames.values()), default=None)


def _begun(job: Job) -> datetime | None:
    return job.started or job.created


def _group(name: str, found: list[Lag] | ToolkitError) -> dict[str, Any]:
    if isinstance(found, ToolkitError):
        return {"name": name, "behind": None, "partitions": [], "problem": found.message}
    partitions = [
        {"partition": one.partition, "committed": one.committed, "end": one.end, "behind": one.behind} for one in found
    ]
    known = [one.behind for one in found if one.behind is not None]
    nothing = not any(one.committed is not None for one in found)
    if nothing and any(one.end for one in found):
        problem = "has committed nothing for this topic: is it called so?"
        return {"name": name, "behind": None, "partitions": partitions, "problem": problem}
    return {"name": name, "behind": sum(known), "partitions": partitions, "problem": ""}


def _behind(one: Mapping[str, Any]) -> str:
    count = one["behind"]
    return f"{count} message{'' if count == 1 else 's'} behind" if count else "nothing left to read"


QUESTIONS = (
    Question(
        "built-since-rebuild",
        "Was a group created after the last good rebuild?",
        built_since,
        (Input("group", "group", "The group's name; without it any group is meant."),),
        limit=30.0,
    ),
    Question("consumer-lag", "Do the consumers of the group-created events keep up?", consumer_lag, limit=30.0),
)
