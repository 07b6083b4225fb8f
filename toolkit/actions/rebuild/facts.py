"""What the person who decides about a rebuild should see: the right cluster, its runs, the image, the next run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from toolkit.actions.plan import Fact
from toolkit.cache.images import Match
from toolkit.cache.rebuilds import CacheManager, Elsewhere
from toolkit.cache.schedules import brief, local
from toolkit.checks.finding import Status
from toolkit.environments.model import Environment
from toolkit.systems.cluster.objects import Job

_SHOWN_RUNS = 5
_NEW = timedelta(hours=1)
_MATCHES = {
    Match.SAME: Status.OK,
    Match.DRIFTED: Status.WARN,
    Match.UNKNOWN: Status.WARN,
    Match.UNSET: Status.UNKNOWN,
}


def facts(manager: CacheManager, environment: Environment, address: str) -> Iterator[Fact]:
    """One line each, the most important first."""
    cronjob = manager.cronjob
    yield Fact("cluster", f"{cronjob.cluster} at {address}")
    yield _identity(manager)
    yield Fact("CronJob", f"{cronjob.name} in namespace {cronjob.namespace}")
    yield from _elsewhere(manager.elsewhere, cronjob.cluster)
    yield from _runs(manager.jobs[:_SHOWN_RUNS], environment.time_zone)
    if cronjob.suspended:
        yield Fact("suspended", "yes: it does not run by itself", Status.WARN)
    else:
        yield Fact("suspended", "no")
    yield Fact("concurrency", _concurrency(cronjob.concurrency_policy))
    yield Fact("image", manager.image.summary, _MATCHES[manager.image.match])
    yield from _next(manager, environment)


def _identity(manager: CacheManager) -> Fact:
    identity = manager.identity
    if identity is None:
        return Fact("identity", f"unknown: {manager.unknown}", Status.WARN)
    known = identity.known_since or datetime.now(UTC)
    text = f"kube-system UID {identity.uid}, Kubernetes {identity.version}"
    if datetime.now(UTC) - known < _NEW:
        return Fact("identity", f"{text}; first met at {known:%H:%M} UTC, remembered from then on", Status.WARN)
    return Fact("identity", f"{text}; the same since {known:%Y-%m-%d}")


def _elsewhere(others: tuple[Elsewhere, ...], own: str) -> Iterator[Fact]:
    asked = [other.cluster for other in others if not other.problem and not other.found]
    if asked:
        yield Fact("elsewhere", f"no CronJob of that name in {', '.join(asked)}")
    for other in others:
        if other.found:
            places = ", ".join(one.namespace for one in other.found)
            warning = f"ALSO in {other.cluster} (namespace {places}): is {own} the right one?"
            yield Fact("elsewhere", warning, Status.WARN)
        elif other.problem:
            yield Fact("elsewhere", f"{other.cluster} not checked: {other.problem}", Status.WARN)


def _runs(jobs: tuple[Job, ...], zone: str) -> Iterator[Fact]:
    if not jobs:
        yield Fact("last runs", "none that the cluster still knows", Status.WARN)
    for number, job in enumerate(jobs):
        yield Fact("last runs" if number == 0 else "", run_line(job, zone), _status(job))


def run_line(job: Job, zone: str) -> str:
    """A run on one line: when, how long, how it ended, by whom it was started."""
    begun = job.started or job.created
    when = brief(begun, zone) if begun else "at an unknown time"
    how = job.state + (f" ({job.reason})" if job.reason else "")
    long = f" after {minutes(job.seconds)}" if job.seconds is not None else ""
    return f"{when}  {how}{long}{', started by hand' if job.manual else ''}"


def minutes(seconds: float) -> str:
    """How long, for people: 45 s, 12 min, 1 h 05 min."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours} h {rest:02d} min" if hours else f"{rest} min"


def _status(job: Job) -> Status:
    return {"failed": Status.FAIL, "complete": Status.OK}.get(job.state, Status.WARN)


def _concurrency(policy: str) -> str:
    meaning = {
        "Forbid": "a scheduled run waits while another scheduled one is going on",
        "Replace": "a scheduled run ends the scheduled one before it",
        "Allow": "runs may overlap",
    }
    return f"{policy}: {meaning.get(policy, 'unknown')}; runs by hand do not count"


def _next(manager: CacheManager, environment: Environment) -> Iterator[Fact]:
    for problem in manager.problems:
        yield Fact("next run", f"unknown: {problem}", Status.WARN)
    if manager.schedule is None or not manager.schedule.next:
        return
    at = manager.schedule.next[0]
    text = f"{local(at, environment.time_zone)}, by its schedule {manager.schedule.expression!r}"
    if not manager.cronjob.time_zone:
        text += " (no time zone set: UTC)"
    if manager.cronjob.suspended:
        yield Fact("next run", "none while it is suspended", Status.WARN)
        return
    rest = at - datetime.now(UTC)
    usual = timedelta(minutes=environment.cache_manager.usual_minutes)
    if rest < usual:
        left = minutes(max(rest.total_seconds(), 0))
        yield Fact("next run", f"{text}: in {left}, before this one would end", Status.WARN)
    else:
        yield Fact("next run", text)
