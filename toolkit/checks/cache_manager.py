"""Questions about the cache manager: where its CronJob is, whether a run is going on, and how the last one ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from toolkit.cache import rebuilds
from toolkit.checks import rebuild_log, shared
from toolkit.checks.finding import Finding, Status
from toolkit.checks.question import Question
from toolkit.errors import ToolkitError
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.progress import Progress
    from toolkit.systems.cluster import Cluster
    from toolkit.systems.cluster.objects import Job, Pod
    from toolkit.systems.connections import Connections

_TAIL: Final = 400
_LONGEST: Final = 300  # characters of an exception


def place(connections: Connections, _: Mapping[str, str], __: Progress) -> Finding:
    """Is the CronJob in the configured cluster and namespace, and if not: where?

    Facts: `in_place`; `configured` and `found` (cluster, namespace); `unasked` clusters; `suspended`.
    """
    part = rebuilds.part_of(connections)
    found = shared.cronjob(connections)
    cronjob = found.cronjob
    facts = {
        "in_place": found.in_place,
        "configured": {"cluster": part.cluster, "namespace": part.namespace},
        "found": {"cluster": cronjob.cluster, "namespace": cronjob.namespace},
        "unasked": list(found.unasked),
        "suspended": cronjob.suspended,
    }
    where = f"{shown(cronjob.name)} is in cluster {cronjob.cluster}, namespace {shown(cronjob.namespace)}"
    by_hand = (connections.cluster(cronjob.cluster).kubectl("get", "cronjobs", namespace=cronjob.namespace),)
    if not found.in_place:
        key = f"environments.{connections.environment.name}.cache_manager"
        hint = f'Correct {key}.cluster to "{cronjob.cluster}" and .namespace to "{shown(cronjob.namespace)}".'
        return Finding("", Status.FAIL, f"{where}, not in {part.cluster}", hint, by_hand=by_hand, facts=facts)
    if cronjob.suspended:
        return Finding(
            "", Status.WARN, f"{where}, but suspended", "Somebody stopped it; ask why.", by_hand=by_hand, facts=facts
        )
    return Finding("", Status.OK, where, by_hand=by_hand, facts=facts)


def running(connections: Connections, _: Mapping[str, str], __: Progress) -> Finding:
    """Is a run going on?

    Facts: `running` (their names), `minutes` that the longest has been going on, `overdue` (longer than is usual).
    """
    cluster, jobs = _runs(connections)
    going = [job for job in jobs if not job.over]
    begun = [job.started or job.created for job in going]
    now = datetime.now(UTC)
    minutes = max(((now - when).total_seconds() / 60 for when in begun if when), default=0.0)
    usual = connections.environment.cache_manager.usual_minutes
    facts = {"running": [job.name for job in going], "minutes": round(minutes, 1), "overdue": minutes > usual}
    by_hand = (cluster.kubectl("get", "jobs", namespace=shared.cronjob(connections).cronjob.namespace),)
    if not going:
        return Finding("", Status.OK, "no run is going on", by_hand=by_hand, facts=facts)
    summary = f"{shown(going[0].name)} has been running for {minutes:.0f} min; {usual} min are usual"
    hint = (
        "Groups come back one by one while it runs: wait for it."
        if minutes <= usual
        else "Longer than usual: see its log."
    )
    return Finding("", Status.WARN, summary, hint, by_hand=by_hand, facts=facts)


def last_run(connections: Connections, _: Mapping[str, str], progress: Progress) -> Finding:
    """How did the last run that is over end?

    Facts: `job` (null: no run is known), `state` (complete, failed), `reason` (of the Job), `pod_reason` (Evicted,
    OOMKilled …), `exception` (the traceback's last line, "" where the log has none), `log` (whether it could be read,
    in its pod or where logs are kept), `finished` (RFC 3339), `manual`.
    """
    cluster, jobs = _runs(connections)
    ended = [job for job in jobs if job.over]
    if not ended:
        return Finding("", Status.WARN, "no run is known that is over", facts={"job": None, "state": None})
    job = ended[0]
    facts: dict[str, Any] = {
        "job": job.name,
        "state": job.state,
        "reason": job.reason,
        "pod_reason": "",
        "exception": "",
        "log": False,
        "finished": job.finished.isoformat() if job.finished else None,
        "manual": job.manual,
    }
    when = f", {job.finished:%Y-%m-%d %H:%M}Z" if job.finished else ""
    by_hand = (
        cluster.kubectl("describe", "job", job.name, namespace=job.namespace),
        cluster.kubectl("logs", "-l", f"job-name={job.name}", "--tail=-1", namespace=job.namespace),
    )
    if job.state == "complete":
        return Finding("", Status.OK, f"{shown(job.name)} is complete{when}", by_hand=by_hand, facts=facts)
    evidence, why = _why_it_failed(connections, cluster, job, facts, progress)
    summary = f"{shown(job.name)} failed ({shown(job.reason or 'no reason is given')}){when}: {why}"
    return Finding("", Status.FAIL, summary, evidence=evidence, by_hand=by_hand, facts=facts)


def _runs(connections: Connections) -> tuple[Cluster, list[Job]]:
    """The cluster where the CronJob is, and its runs, the newest first."""
    cronjob = shared.cronjob(connections).cronjob
    return connections.cluster(cronjob.cluster), shared.runs_of(connections, cronjob)


def _why_it_failed(
    connections: Connections, cluster: Cluster, job: Job, facts: dict[str, Any], progress: Progress
) -> tuple[tuple[str, ...], str]:
    """Evidence and a reason in words; the facts are filled in."""
    pod: Pod | None = None
    lost = "its pod cannot be looked at"
    try:
        pod = next(iter(cluster.pods(job.namespace, f"job-name={job.name}")), None)
        lost = "its pod is gone"
        if pod is not None:
            facts["pod_reason"] = pod.reason
            lost = shown(pod.reason) or "its log cannot be read"
            progress.check_stop()
            return _told(pod, [line.text for line in _log(cluster, pod)], facts)
        problem = lost
    except ToolkitError as error:
        problem = error.message
    try:
        lines = rebuild_log.kept_lines(connections, job, progress)
    except ToolkitError as error:
        return (problem, error.message), lost
    if not lines:
        return (problem,), lost
    evidence, why = _told(pod, lines, facts)
    return (problem, *evidence), f"{why} (from the log that was kept: {lost})"


def _told(pod: Pod | None, lines: Sequence[str], facts: dict[str, Any]) -> tuple[tuple[str, ...], str]:
    from toolkit.logs.tracebacks import last_exception

    facts["log"] = True
    facts["exception"] = last_exception(lines)[:_LONGEST]
    stopped = pod.reason if pod is not None and pod.reason not in ("", "Error") else ""
    why = [f"{pod.reason}: {pod.message}"] if pod is not None and stopped else []
    evidence = tuple(shown(text) for text in (*why, *lines[-3:]))
    return evidence, shown(facts["exception"] or stopped or (lines[-1].strip() if lines else "its log is empty"))


def _log(cluster: Cluster, pod: Pod) -> Any:
    container = pod.containers[0] if len(pod.containers) > 1 else ""
    return cluster.follow_pod_log(pod.namespace, pod.name, container, follow=False, tail=_TAIL)


QUESTIONS = (
    Question("cache-manager-place", "Is the cache manager's CronJob where it is configured?", place),
    Question("rebuild-running", "Is a rebuild going on?", running),
    Question("last-rebuild", "How did the last rebuild end?", last_run, limit=30.0),
)
