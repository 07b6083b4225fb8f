"""Restarts MapApp's pods as `kubectl rollout restart` does, so that L1 holds the new default group."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from toolkit import figures
from toolkit.actions.app.facts import default_group_ground, facts, rebuild_ground
from toolkit.actions.app.rollout import End, RolloutWatch, Seen
from toolkit.actions.plan import Change, Damage, Fact, Outcome, Plan, Result
from toolkit.cache import memory
from toolkit.checks import app_pods
from toolkit.checks.finding import Finding, Status
from toolkit.errors import NotAllowed, Refused, ToolkitError
from toolkit.permit import Permit
from toolkit.progress import Progress
from toolkit.systems.cluster import Cluster
from toolkit.systems.cluster.deployments import Deployment
from toolkit.systems.connections import Connections

_BESIDES_SECONDS: Final = 60.0


class RestartApp:
    """Has the app's pods replaced. `wait`: until all are new and ready, at most `limit` seconds (None: as long as its
    own progress deadline allows for each pod).

    `even_so` allows it while a rebuild is going on, or while Redis does not hold what new pods load. `poll`: every so
    many seconds the rollout is looked at.
    """

    name = "app.restart"

    def __init__(
        self,
        connections: Connections,
        *,
        wait: bool = True,
        limit: float | None = None,
        even_so: bool = False,
        poll: float = 1.0,
    ) -> None:
        self.connections = connections
        self.wait = wait
        self.limit = limit
        self.even_so = even_so
        self.poll = poll

    def plan(self) -> Plan:
        """Look at the pods, and at what new ones would find.

        Raises Refused where the Deployment is paused or has no pods, and where new pods would load nothing, or half a
        cache; NotAllowed where Deployments may not be changed.
        """
        environment, cluster = self.connections.environment, memory.cluster_of(self.connections)
        found = memory.look(self.connections)
        deployment = found.deployment
        _guard(deployment, cluster)
        may = _may_restart(cluster, deployment)
        grounds = (rebuild_ground(self.connections), default_group_ground(self.connections))
        dangers = [ground.danger for ground in grounds if ground.danger]
        if dangers and not self.even_so:
            raise Refused(
                f"New pods would not load what they should. {dangers[0]}.",
                hint="Wait for the rebuild, or rebuild first (toolkit cache status); --even-so restarts them all the "
                "same.",
            )
        undo = self._undo(cluster, deployment)
        return Plan(
            action=self.name,
            environment=environment.name,
            title=f"Restart the pods of {environment.title or environment.name}",
            where=f"cluster {cluster.name}, namespace {deployment.namespace}",
            changes=(
                Change("restart", f"Deployment {deployment.name}", deployment.wanted, "pods, by a rollout"),
                Change("load anew", "the default group into L1, in each new pod"),
            ),
            damage=Damage.SMALL,
            confirm=deployment.name,
            undo=f"None needed: new pods load the same groups. Where they do not start: {undo}",
            by_hand=(
                cluster.kubectl("rollout", "restart", _named(deployment), namespace=deployment.namespace),
                cluster.kubectl("rollout", "status", _named(deployment), namespace=deployment.namespace),
                undo,
            ),
            preconditions=(
                ("cluster", _identity(cluster)),
                ("deployment", deployment.uid),
                ("generation", str(deployment.generation)),
                ("rebuilt", figures.rfc3339(found.rebuilt)),
                ("dangers", "; ".join(dangers)),
            ),
            facts=(*facts(found, cluster, self.connections), *(ground.fact for ground in grounds), may),
        )

    def apply(self, plan: Plan, permit: Permit, progress: Progress) -> Outcome:
        """Write the annotation that brings new pods and, unless told otherwise, see them come."""
        cluster = memory.cluster_of(self.connections)
        deployment = memory.deployment_of(self.connections)
        agreed = dict(plan.preconditions)
        if (agreed["deployment"], agreed["generation"]) != (deployment.uid, str(deployment.generation)):
            raise Refused(f"Deployment {deployment.name} was changed since the plan; look at a new plan.")
        progress.check_stop()
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        restarted = cluster.restart(deployment, stamp, permit)
        called = f"Deployment {deployment.name} in cluster {cluster.name}"
        progress.step(f"Restarting the {deployment.wanted} pods of {called}")
        if not self.wait:
            return Outcome(
                Result.DONE,
                f"The rollout of {called} was started.",
                (self._undo(cluster, deployment),),
                details=(self._status(cluster, deployment),),
            )
        limit = self.limit
        if limit is None:
            limit = deployment.deadline_seconds * max(deployment.wanted, 1) + _BESIDES_SECONDS
        seen = RolloutWatch(cluster, restarted, progress, limit, self.poll).to_the_end()
        return self._outcome(seen, cluster, deployment)

    def verify(self, plan: Plan, outcome: Outcome) -> tuple[Finding, ...]:
        """Are all pods newer than the last rebuild?"""
        del plan
        found = app_pods.finding(self.connections, memory.look(self.connections))
        status, summary, hint = found.status, found.summary, found.hint
        if outcome.result is not Result.DONE or not self.wait:
            # What is still to come is no failure of what was found; what is stuck says so itself.
            status = Status.WARN if status is Status.FAIL else status
            hint = "When the rollout is over: toolkit app status"
        elif status is Status.WARN:
            status = Status.FAIL
        return (Finding("L1", status, summary, hint, 0.0, found.evidence, found.by_hand, found.facts),)

    def _outcome(self, seen: Seen, cluster: Cluster, deployment: Deployment) -> Outcome:
        called = f"Deployment {deployment.name} in cluster {cluster.name}"
        count = f"{seen.ready} of {seen.wanted} new pods are ready"
        if seen.end is End.DONE:
            return Outcome(
                Result.DONE,
                f"All {seen.wanted} pods of {called} are new.",
                (self._undo(cluster, deployment),),
            )
        old = f"; {seen.old} old {'one serves' if seen.old == 1 else 'ones serve'} on" if seen.old else ""
        why = seen.trouble.text if seen.trouble is not None else ""
        summary = {
            End.STUCK: f"The rollout of {called} is stuck",
            End.GONE: f"{called} is gone: somebody deleted it",
            End.OTHER: f"Somebody changed {called} meanwhile: another rollout took this one's place",
            End.STOPPED: f"Waiting was stopped; the rollout of {called} goes on",
            End.LOST: f"The rollout of {called} was begun, and lost sight of: {seen.problem} It probably goes on",
            End.OVERDUE: f"The rollout of {called} is not over: {seen.problem}. It goes on",
        }[seen.end]
        failed = seen.end in (End.STUCK, End.GONE) and seen.ready == 0
        details = [part for part in (why, seen.problem if seen.end is End.STUCK else "") if part]
        return Outcome(
            Result.FAILED if failed else Result.PARTIAL,
            f"{summary.rstrip('.')}: {count}{old}.",
            (self._undo(cluster, deployment),),
            details=(*details, self._status(cluster, deployment)),
        )

    @staticmethod
    def _undo(cluster: Cluster, deployment: Deployment) -> str:
        return cluster.kubectl("rollout", "undo", _named(deployment), namespace=deployment.namespace)

    @staticmethod
    def _status(cluster: Cluster, deployment: Deployment) -> str:
        return cluster.kubectl("rollout", "status", _named(deployment), namespace=deployment.namespace)


def _named(deployment: Deployment) -> str:
    return f"deployment/{deployment.name}"


def _guard(deployment: Deployment, cluster: Cluster) -> None:
    if deployment.paused:
        raise Refused(
            f"Deployment {deployment.name} in cluster {cluster.name} is paused: somebody holds its rollouts back.",
            hint="Find out why first; it goes on when its rollout is resumed.",
            by_hand=(cluster.kubectl("rollout", "resume", _named(deployment), namespace=deployment.namespace),),
        )
    if deployment.wanted == 0:
        raise Refused(
            f"Deployment {deployment.name} in cluster {cluster.name} is scaled to 0: there is no pod to restart.",
            hint="Somebody switched it off; ask why.",
            by_hand=(cluster.kubectl("describe", _named(deployment), namespace=deployment.namespace),),
        )


def _may_restart(cluster: Cluster, deployment: Deployment) -> Fact:
    try:
        allowed = cluster.may_i("patch", "deployments", deployment.namespace, "apps")
    except NotAllowed:
        raise
    except ToolkitError as error:
        return Fact("may I", f"unknown: {error.message}", Status.WARN)
    if not allowed:
        raise NotAllowed(
            f"You may not change deployments in namespace {deployment.namespace} of cluster {cluster.name}.",
            hint="Ask whoever gives out roles there; reading still works: toolkit app status.",
            by_hand=(cluster.kubectl("auth", "can-i", "patch", "deployments", namespace=deployment.namespace),),
        )
    return Fact("may I", "change the Deployment: yes")


def _identity(cluster: Cluster) -> str:
    """The cluster's UID; its address where we may not know that."""
    try:
        return cluster.identity().uid
    except NotAllowed:
        return cluster.address
