"""Runs the cache manager by hand, in the right cluster: the plan with its facts, the Job, its log, and the proof."""

from __future__ import annotations

from toolkit.actions.plan import Change, Damage, Fact, Outcome, Plan, Result
from toolkit.actions.rebuild.checks import look_at_groups, look_at_l1
from toolkit.actions.rebuild.facts import facts, minutes, run_line
from toolkit.actions.rebuild.failure import last_words, read_on
from toolkit.actions.rebuild.watch import End, Seen, Watch
from toolkit.cache import rebuilds
from toolkit.cache.rebuilds import CacheManager
from toolkit.checks.finding import Finding, Status
from toolkit.errors import NotAllowed, Refused, ToolkitError
from toolkit.permit import Permit
from toolkit.progress import Progress
from toolkit.systems.cluster import Cluster
from toolkit.systems.cluster.jobs import manual_job, manual_name, typed_name
from toolkit.systems.cluster.objects import Job
from toolkit.systems.connections import Connections

_SHOWN_LINES = 15
_TIMES_THE_USUAL = 4


class RebuildCache:
    """Makes a Job from the cache manager's CronJob. `wait`: until it is over; `follow`: with its pod's log.

    `even_if_suspended` allows it for a CronJob that is suspended. `poll`: every so many seconds the Job is looked at.
    """

    name = "cache.rebuild"

    def __init__(
        self,
        connections: Connections,
        *,
        follow: bool = True,
        wait: bool = True,
        even_if_suspended: bool = False,
        poll: float = 1.5,
    ) -> None:
        self.connections = connections
        self.follow = follow
        self.wait = wait
        self.even_if_suspended = even_if_suspended
        self.poll = poll
        self.job: Job | None = None  # the one that was made

    def plan(self) -> Plan:
        """Look everywhere and say what would happen.

        Raises Refused where a run is going on, where the CronJob is suspended or in another cluster, or where the
        cluster is not the one it was; NotAllowed where Jobs may not be made.
        """
        environment = self.connections.environment
        manager = rebuilds.look(self.connections, for_change=True)
        cluster = rebuilds.cluster_of(self.connections)
        self._guard(manager, cluster)
        may = _may_create(cluster, manager)
        cronjob, identity = manager.cronjob, manager.identity
        newest = manager.jobs[0].uid if manager.jobs else "none"
        return Plan(
            action=self.name,
            environment=environment.name,
            title=f"Rebuild the cache of {environment.title or environment.name}",
            where=f"cluster {cluster.name}, namespace {cronjob.namespace}",
            changes=(
                Change("create a Job from", f"CronJob {cronjob.name}"),
                Change("drop and build anew", "the groups in L2 (Redis)"),
                Change("write", "the groups' folders in L3 (the bucket)"),
            ),
            damage=Damage.LARGE,
            confirm=cluster.name,
            undo="None: groups that were dropped come back only by a rebuild that ends well. "
            "It can be stopped by deleting its Job; L2 is then half filled.",
            by_hand=(
                cluster.kubectl("get", "cronjob", cronjob.name, namespace=cronjob.namespace),
                f"{cluster.kubectl('create', 'job', namespace=cronjob.namespace)} "
                f"--from=cronjob/{cronjob.name} {typed_name(cronjob.name)}",
                f"{cluster.kubectl('logs', '-f', namespace=cronjob.namespace)} job/NAME",
            ),
            preconditions=(
                ("cluster", identity.uid if identity else cluster.address),
                ("cronjob", cronjob.uid),
                ("template", cronjob.template_digest),
                ("suspended", str(cronjob.suspended)),
                ("newest run", newest),
            ),
            facts=(*facts(manager, environment, cluster.address), may, self._duration()),
        )

    def apply(self, plan: Plan, permit: Permit, progress: Progress) -> Outcome:
        """Make the Job and, unless told otherwise, see it through."""
        cluster = rebuilds.cluster_of(self.connections)
        cronjob = rebuilds.find(self.connections, for_change=True)
        if dict(plan.preconditions)["cronjob"] != cronjob.uid:
            raise Refused(f"CronJob {cronjob.name} was made anew since the plan; look at a new plan.")
        _refuse_running([job for job in cluster.jobs_of(cronjob) if not job.over], cluster)
        self.job = cluster.create_job(manual_job(cronjob, manual_name(cronjob.name)), permit)
        where = f"cluster {cluster.name}, namespace {cronjob.namespace}"
        progress.step(f"Made Job {self.job.name} in {where}")
        if not self.wait:
            return Outcome(Result.DONE, f"Job {self.job.name} was started in {where}.", details=self._by_hand(cluster))
        usual = self.connections.environment.cache_manager.usual_minutes
        watch = Watch(cluster, self.job, progress, self.follow, usual * 60 * _TIMES_THE_USUAL, self.poll)
        seen = watch.to_the_end()
        self.job = seen.job
        return self._outcome(seen, cluster)

    def verify(self, plan: Plan, outcome: Outcome) -> tuple[Finding, ...]:
        """Are the groups really there, and who still holds the old ones?"""
        del plan, outcome
        if self.job is None:
            return ()
        if not self.job.over:
            summary = "not looked at: the run is not over"
            return (
                Finding("groups", Status.UNKNOWN, summary, "When it is: toolkit groups list, toolkit cache status"),
            )
        findings = look_at_groups(self.connections, self.job)
        if self.job.state == "complete":
            findings = (*findings, look_at_l1(self.connections, self.job))
        return findings

    def _guard(self, manager: CacheManager, cluster: Cluster) -> None:
        _refuse_running(manager.running, cluster)
        cronjob = manager.cronjob
        if cronjob.suspended and not self.even_if_suspended:
            raise Refused(
                f"CronJob {cronjob.name} in cluster {cluster.name} is suspended: somebody does not want it to run.",
                hint="Find out why first; --even-if-suspended runs it all the same.",
                by_hand=(cluster.kubectl("describe", "cronjob", cronjob.name, namespace=cronjob.namespace),),
            )

    def _duration(self) -> Fact:
        usual = self.connections.environment.cache_manager.usual_minutes
        return Fact("takes", f"about {minutes(usual * 60)}; until then L2 is empty or half filled")

    def _outcome(self, seen: Seen, cluster: Cluster) -> Outcome:
        job, usual = seen.job, self._by_hand(cluster)
        called = f"Job {job.name} in cluster {cluster.name}"
        if seen.end is End.COMPLETE:
            return Outcome(Result.DONE, f"{called} is complete{_after(job)}.")
        if seen.end is End.STOPPED:
            return Outcome(Result.PARTIAL, f"Waiting was stopped; {called} goes on.", details=usual)
        if seen.end is End.LOST:
            summary = f"{called} was started, and was lost sight of: {seen.problem} It probably goes on."
            return Outcome(Result.PARTIAL, summary, details=usual)
        if seen.end is End.OVERDUE:
            return Outcome(Result.PARTIAL, f"{called} is not over: {seen.problem}. It goes on.", details=usual)
        lines = [f"| {line}" for line in seen.lines[-_SHOWN_LINES:]]
        if lines and seen.pod is not None:
            lines.insert(0, f"last lines of pod {seen.pod.name}:")
        details = (*lines, *usual)
        if seen.end is End.GONE:
            summary = f"{called} is gone: somebody deleted it before it was over. L2 may be half filled."
            return Outcome(Result.FAILED, summary, details=details)
        why = ": ".join(part for part in (job.reason, job.message) if part) or "for no stated reason"
        words = last_words(seen.lines)
        pod = f" Pod {seen.pod.name}: {seen.pod.reason}." if seen.pod and seen.pod.reason not in ("", "Error") else ""
        summary = f"{called} failed{_after(job)}: {why}.{pod}{f' Last words: {words}' if words else ''}"
        return Outcome(Result.FAILED, summary, details=details)

    def _by_hand(self, cluster: Cluster) -> tuple[str, ...]:
        if self.job is None:
            return ()
        return read_on(cluster, self.job, self.connections.environment.gcp_project)


def _refuse_running(running: list[Job] | tuple[Job, ...], cluster: Cluster) -> None:
    if running:
        job = running[0]
        raise Refused(
            f"The cache manager is running already in cluster {cluster.name}: Job {job.name}, {run_line(job, 'UTC')}.",
            hint="Wait until it is over (toolkit cache status), or follow it.",
            by_hand=(
                cluster.kubectl("logs", "-f", f"job/{job.name}", namespace=job.namespace),
                cluster.kubectl("delete", "job", job.name, namespace=job.namespace) + "   # only to stop it",
            ),
        )


def _may_create(cluster: Cluster, manager: CacheManager) -> Fact:
    namespace = manager.cronjob.namespace
    try:
        allowed = cluster.may_i("create", "jobs", namespace, "batch")
        reads = cluster.may_i("get", "pods/log", namespace)
    except NotAllowed:
        raise
    except ToolkitError as error:
        return Fact("may I", f"unknown: {error.message}", Status.WARN)
    if not allowed:
        raise NotAllowed(
            f"You may not create jobs in namespace {namespace} of cluster {cluster.name}.",
            hint="Ask whoever gives out roles there; reading still works: toolkit cache status.",
            by_hand=(cluster.kubectl("auth", "can-i", "create", "jobs", namespace=namespace),),
        )
    if not reads:
        return Fact("may I", "create jobs: yes; read the pod's log: no", Status.WARN)
    return Fact("may I", "create jobs and read their log: yes")


def _after(job: Job) -> str:
    return f" after {minutes(job.seconds)}" if job.seconds is not None else ""
