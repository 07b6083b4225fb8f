"""A rebuild from its plan to its proof, on three sandbox clusters; and each of its bad days."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cluster_fixtures import CRONJOB, IMAGE, NAMESPACE, World, clusters, cronjob, pod, until, well

from toolkit.actions import gate
from toolkit.actions.gate import Consent
from toolkit.actions.journal import Journal
from toolkit.actions.plan import Plan, Result
from toolkit.actions.rebuild import RebuildCache
from toolkit.cache import layers, rebuilds
from toolkit.cache.layers import L2, L3, Layers
from toolkit.cache.rebuilds import CacheManager
from toolkit.checks.finding import Status
from toolkit.environments import model
from toolkit.errors import ConfigurationError, ExitCode, NotAllowed, NotFound, Refused, ToolkitError, Unreachable
from toolkit.progress import Event, Line, Progress, Step
from toolkit.sandbox.kubernetes.cronjobs import Run
from toolkit.systems.connections import Connections

HOME, OTHER, APP = "prod-cluster", "rp006-prod", "principal"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with clusters(tmp_path_factory.mktemp("rebuild"), HOME, OTHER, APP) as world:
        yield world


@pytest.fixture
def world(shared: World) -> Iterator[World]:
    """The cache manager in prod-cluster, three pods of the app in another cluster; all is well."""
    shared.put(HOME, cronjob())
    labels = {"app": "dash-phenoapp-v2"}
    shared.put(
        APP,
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "dash-phenoapp-v2", "namespace": NAMESPACE},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}},
        },
    )
    for number in range(2):
        shared.put(APP, pod(f"app-{number}", labels=labels))
    yield shared
    shared.runner = well

    def clean() -> None:
        for server in shared.servers.values():
            server.faults = type(server.faults)()
            server.allow_everything()
            if server.get("Namespace", "", NAMESPACE):
                server.delete("Namespace", "", NAMESPACE)

    shared.loop.call(clean)


def environment(**cache_manager: Any) -> model.Environment:
    return model.Environment(
        name="rp006",
        title="RP006",
        gcp_project="rp006-prod",
        cache_manager=model.CacheManager(
            **{"cluster": HOME, "namespace": NAMESPACE, "cronjob": CRONJOB, **cache_manager}
        ),
        app=model.App(cluster=APP, namespace=NAMESPACE, deployment="dash-phenoapp-v2"),
    )


def connect(world: World, **cache_manager: Any) -> Connections:
    parts = {name: world.part(name) for name in world.servers}
    return Connections(environment(**cache_manager), model.Settings(clusters=parts))


@pytest.fixture
def connections(world: World) -> Iterator[Connections]:
    found = connect(world)
    yield found
    found.close()


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says what the look at L2 and L3 finds; by default three whole groups, written at the time of looking."""

    def say(*, frames: int = 8, written: timedelta = timedelta()) -> None:
        built = datetime(2026, 1, 1, tzinfo=UTC)

        def objects() -> dict[str, Any]:
            return {f"f{n}": SimpleNamespace(updated=datetime.now(UTC) + written, bytes=1) for n in range(frames)}

        def read(connections: object) -> Layers:
            names = [f"g{number}" for number in range(3)]
            index = tuple((name, built.timestamp() - number) for number, name in enumerate(names))
            in_redis = {name: {f"f{n}": 1 for n in range(frames)} for name in names}
            return Layers(L2(index, in_redis), L3({name: objects() for name in names}))

        monkeypatch.setattr(layers, "read", read)

    say()
    return say


class Heard:
    """What was told while it worked."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.progress = Progress(tell=self.events.append)

    @property
    def lines(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Line)]

    @property
    def steps(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Step)]


@pytest.fixture
def heard() -> Heard:
    return Heard()


def rebuild(connections: Connections, heard: Heard, **options: Any) -> gate.Done:
    action = RebuildCache(connections, poll=0.05, **options)
    consent = Consent(ask=lambda plan: plan.confirm)
    return gate.carry_out(action, connections.environment, consent, Journal(), heard.progress, read_only=False)


def fact(plan: Plan, label: str) -> str:
    return " | ".join(one.value for one in plan.facts if one.label == label)


# -- the plan


def test_the_plan_shows_the_right_cluster_and_all_that_matters(world: World, connections: Connections) -> None:
    plan = RebuildCache(connections).plan()
    server = world.servers[HOME]
    assert plan.confirm == HOME
    assert server.url in fact(plan, "cluster")
    assert server.uid in fact(plan, "identity")
    assert "first met at" in fact(plan, "identity")
    assert fact(plan, "elsewhere") == f"no CronJob of that name in {APP}, {OTHER}"
    assert "MST" in fact(plan, "next run") or "MDT" in fact(plan, "next run")
    assert "01:00 UTC" in fact(plan, "next run")
    assert "Forbid" in fact(plan, "concurrency")
    assert fact(plan, "suspended") == "no"
    assert "infra_repo.remote is not configured" in fact(plan, "image")
    assert "yes" in fact(plan, "may I")
    assert any(f"--from=cronjob/{CRONJOB}" in command for command in plan.by_hand)
    assert all("--context ctx-prod-cluster" in command for command in plan.by_hand)


def test_looking_changes_nothing_and_two_plans_are_the_same(world: World, connections: Connections) -> None:
    before = world.loop.call(lambda: {name: server.store.version for name, server in world.servers.items()})
    first, second = RebuildCache(connections).plan(), RebuildCache(connections).plan()
    assert first.hash == second.hash
    assert before == world.loop.call(lambda: {name: server.store.version for name, server in world.servers.items()})


def test_another_template_is_another_plan(world: World, connections: Connections) -> None:
    before = RebuildCache(connections).plan()
    world.put(HOME, cronjob(image="registry.example/cache-manager:2.0.0"))
    assert RebuildCache(connections).plan().hash != before.hash


def test_the_last_five_runs_are_shown(world: World, connections: Connections, heard: Heard, groups: object) -> None:
    world.put(HOME, cronjob(successfulJobsHistoryLimit=10))
    for _ in range(6):
        assert rebuild(connections, heard, follow=False).well
    plan = RebuildCache(connections).plan()
    runs = [one.value for one in plan.facts if "complete" in one.value]
    assert len(runs) == 5
    assert all("by hand" in run for run in runs)


# -- carried out


def test_a_rebuild_is_made_followed_and_proven(
    world: World, connections: Connections, heard: Heard, groups: object
) -> None:
    async def runner(run: Run) -> int:
        run.log("dropping the groups")
        await asyncio.sleep(0.1)
        run.log("writing the groups")
        return 0

    world.runner = runner
    done = rebuild(connections, heard)
    assert done.outcome.result is Result.DONE
    assert heard.lines == ["dropping the groups", "writing the groups"]
    (job,) = world.list(HOME, "Job")
    name = job["metadata"]["name"]
    assert len(name) <= 63
    assert name in done.outcome.summary
    assert job["metadata"]["annotations"] == {"cronjob.kubernetes.io/instantiate": "manual", "team": "phenoapp"}
    assert job["metadata"]["labels"] == {"app": "cache-manager"}
    (owner,) = job["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("CronJob", CRONJOB, True)
    assert "blockOwnerDeletion" not in owner
    assert job["spec"]["template"]["spec"]["containers"][0]["image"] == IMAGE
    findings = {finding.name: finding for finding in done.findings}
    assert findings["L2"].status is Status.OK
    assert findings["L3"].status is Status.OK
    assert findings["written anew"].status is Status.OK
    assert findings["L1"].status is Status.WARN
    assert "app-0, app-1" in findings["L1"].summary
    assert any("rollout restart deployment/dash-phenoapp-v2" in command for command in findings["L1"].by_hand)
    assert done.well


def test_pods_that_started_after_it_hold_the_new_groups(
    world: World, connections: Connections, heard: Heard, groups: object
) -> None:
    for number in range(2):
        world.put(APP, pod(f"app-{number}", labels={"app": "dash-phenoapp-v2"}, started="2099-01-01T00:00:00Z"))
    done = rebuild(connections, heard)
    assert {finding.name: finding.status for finding in done.findings}["L1"] is Status.OK


def test_without_waiting_it_is_started_and_no_more_is_said(
    world: World, connections: Connections, heard: Heard, groups: object
) -> None:
    gone_on = threading.Event()

    async def runner(run: Run) -> int:
        while not gone_on.is_set():
            await asyncio.sleep(0.02)
        return 0

    world.runner = runner
    done = rebuild(connections, heard, wait=False)
    gone_on.set()
    assert done.outcome.result is Result.DONE
    assert "was started" in done.outcome.summary
    assert [finding.status for finding in done.findings] == [Status.UNKNOWN]


@pytest.mark.parametrize("follow", [True, False])
def test_a_failed_run_says_why_and_where_to_read_on(
    world: World, connections: Connections, heard: Heard, groups: Callable[..., None], follow: bool
) -> None:
    groups(frames=3)

    async def runner(run: Run) -> int:
        run.log("writing g0")
        raise ValueError("the bucket is full")

    world.runner = runner
    done = rebuild(connections, heard, follow=follow)
    assert done.outcome.result is Result.FAILED
    assert not done.well
    assert "BackoffLimitExceeded" in done.outcome.summary
    assert "ValueError: the bucket is full" in done.outcome.summary
    assert any("ValueError" in line for line in done.outcome.details)
    assert any("kubectl" in line and "logs" in line for line in done.outcome.details)
    query = next(line for line in done.outcome.details if "Logs Explorer" in line)
    assert 'labels."k8s-pod/job-name"=' in query
    assert "rp006-prod" in query
    assert {finding.name: finding.status for finding in done.findings}["L2"] is Status.FAIL


def test_a_retried_pod_is_followed_too(world: World, connections: Connections, heard: Heard, groups: object) -> None:
    item = cronjob()
    item["spec"]["jobTemplate"]["spec"]["backoffLimit"] = 1
    world.put(HOME, item)
    tries: list[str] = []

    async def runner(run: Run) -> int:
        tries.append(run.pod)
        run.log(f"try {len(tries)}")
        await asyncio.sleep(0.15)
        return 0 if len(tries) == 2 else 1

    world.runner = runner
    done = rebuild(connections, heard)
    assert done.outcome.result is Result.DONE
    assert heard.lines == ["try 1", "try 2"]


def test_a_run_that_takes_too_long_for_kubernetes_is_failed(
    world: World, connections: Connections, heard: Heard, groups: object
) -> None:
    item = cronjob()
    item["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] = 0.3
    world.put(HOME, item)

    async def runner(run: Run) -> int:
        await run.cancelled.wait()
        return 0

    world.runner = runner
    done = rebuild(connections, heard)
    assert done.outcome.result is Result.FAILED
    assert "DeadlineExceeded" in done.outcome.summary


def test_a_deleted_job_is_not_waited_for(world: World, connections: Connections, heard: Heard, groups: object) -> None:
    ended: list[bool] = []

    async def runner(run: Run) -> int:
        run.log("working")
        asyncio.get_running_loop().call_later(
            0.2, run.cluster.delete, "Job", run.namespace, run.job["metadata"]["name"]
        )
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(run.cancelled.is_set())
        return 0

    world.runner = runner
    done = rebuild(connections, heard)
    assert done.outcome.result is Result.FAILED
    assert "is gone" in done.outcome.summary
    assert ended == [True]


def test_stopping_to_wait_leaves_the_job_alone_and_names_it(
    world: World, connections: Connections, heard: Heard, groups: object
) -> None:
    gone_on = threading.Event()

    async def runner(run: Run) -> int:
        run.log("working")
        heard.progress.stop.set()
        while not gone_on.is_set():
            await asyncio.sleep(0.02)
        return 0

    world.runner = runner
    done = rebuild(connections, heard)
    assert done.outcome.result is Result.PARTIAL
    (job,) = world.list(HOME, "Job")
    assert "goes on" in done.outcome.summary
    assert job["metadata"]["name"] in done.outcome.summary
    gone_on.set()
    until(lambda: world.list(HOME, "Job")[0]["status"].get("succeeded"), "the job went on to its end")


def test_a_cluster_that_goes_away_meanwhile_is_borne(
    world: World, connections: Connections, heard: Heard, groups: object
) -> None:
    async def runner(run: Run) -> int:
        run.log("working")
        run.cluster.faults.refuse = True
        run.cluster.cut_streams()
        await asyncio.sleep(1.5)
        run.log("done")
        run.cluster.faults.refuse = False
        return 0

    world.runner = runner
    done = rebuild(connections, heard)
    assert done.outcome.result is Result.DONE
    assert heard.lines == ["working", "done"]
    assert any("Trying on" in step for step in heard.steps)


def test_a_credential_that_expires_meanwhile_does_not_hide_that_the_job_runs(
    world: World, connections: Connections, heard: Heard, groups: object
) -> None:
    async def runner(run: Run) -> int:
        run.cluster.revoke(run.cluster.token)
        await asyncio.sleep(0.5)
        return 0

    world.runner = runner
    try:
        done = rebuild(connections, heard)
    finally:
        world.loop.call(world.servers[HOME].grant, world.servers[HOME].token, "on-call")
    assert done.outcome.result is Result.PARTIAL
    assert "lost sight of" in done.outcome.summary
    assert "expired" in done.outcome.summary


def test_a_pod_that_cannot_start_is_said(world: World, connections: Connections, heard: Heard, groups: object) -> None:
    async def runner(run: Run) -> int:
        waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
        status = {"phase": "Pending", "containerStatuses": [{"name": "cache-manager", "state": waiting}]}
        run.cluster.patch("Pod", run.namespace, run.pod, {"status": status})
        await asyncio.sleep(0.4)
        return 1

    world.runner = runner
    rebuild(connections, heard)
    assert any("ImagePullBackOff" in step for step in heard.steps)


def test_a_log_that_may_not_be_read_does_not_stop_it(
    world: World, connections: Connections, heard: Heard, groups: object
) -> None:
    world.loop.call(world.servers[HOME].deny, "get", "pods/log")
    plan = RebuildCache(connections).plan()
    assert "read the pod's log: no" in fact(plan, "may I")
    done = rebuild(connections, heard)
    assert done.outcome.result is Result.DONE
    assert any("cannot be followed" in step for step in heard.steps)


def test_groups_that_are_not_new_are_found_out(
    world: World, connections: Connections, heard: Heard, groups: Callable[..., None]
) -> None:
    groups(written=timedelta(days=-7))
    done = rebuild(connections, heard)
    assert done.outcome.result is Result.DONE
    assert {finding.name: finding.status for finding in done.findings}["written anew"] is Status.WARN


def test_an_empty_redis_after_a_complete_run_is_not_well(
    world: World, connections: Connections, heard: Heard, groups: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "read", lambda connections: Layers(L2(), L3()))
    done = rebuild(connections, heard)
    assert done.outcome.result is Result.DONE
    assert not done.well
    assert {finding.name: finding.status for finding in done.findings}["L2"] is Status.FAIL


def test_layers_that_cannot_be_read_afterwards_are_unknown(
    world: World, connections: Connections, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Unreachable("The proxy does not answer.")
    monkeypatch.setattr(layers, "read", lambda connections: Layers(away, away))
    done = rebuild(connections, heard)
    assert done.outcome.result is Result.DONE
    findings = {finding.name: finding for finding in done.findings}
    assert findings["groups"].status is Status.UNKNOWN
    assert "The proxy does not answer" in findings["groups"].summary


# -- refused


def test_a_cronjob_in_another_cluster_is_refused_and_found(world: World, heard: Heard) -> None:
    wrong = connect(world, cluster=OTHER)
    with pytest.raises(Refused) as caught:
        rebuild(wrong, heard)
    assert caught.value.exit_code == ExitCode.REFUSED
    assert f"cluster {HOME}, namespace {NAMESPACE}" in caught.value.message
    assert f'environments.rp006.cache_manager.cluster to "{HOME}"' in caught.value.hint
    with pytest.raises(NotFound) as missing:
        rebuilds.history(wrong)
    assert HOME in missing.value.message
    wrong.close()


def test_a_cronjob_in_another_namespace_is_refused_and_found(world: World) -> None:
    wrong = connect(world, namespace="default")
    with pytest.raises(Refused) as caught:
        RebuildCache(wrong).plan()
    assert f'cache_manager.namespace to "{NAMESPACE}"' in caught.value.hint
    wrong.close()


def test_a_cronjob_that_is_nowhere_says_where_it_was_looked_for(world: World) -> None:
    wrong = connect(world, cronjob="nobody-knows")
    world.loop.call(lambda: setattr(world.servers[OTHER].faults, "status", 403))
    with pytest.raises(NotFound) as caught:
        RebuildCache(wrong).plan()
    assert f"nor in {APP}" in caught.value.message
    assert f"{OTHER} was not checked" in caught.value.message
    wrong.close()


def test_a_second_cronjob_of_that_name_is_a_warning(world: World, connections: Connections) -> None:
    world.put(OTHER, cronjob())
    plan = RebuildCache(connections).plan()
    assert f"ALSO in {OTHER}" in fact(plan, "elsewhere")


def test_another_cluster_that_cannot_be_asked_is_said_and_hinders_nothing(
    world: World, connections: Connections
) -> None:
    world.loop.call(lambda: setattr(world.servers[OTHER].faults, "status", 401))
    world.loop.call(world.servers[APP].deny, "list", "cronjobs")
    plan = RebuildCache(connections).plan()
    assert f"{OTHER} not checked" in fact(plan, "elsewhere")
    assert f"{APP} not checked: only its namespace {NAMESPACE}" in fact(plan, "elsewhere")
    assert {one.status for one in plan.facts if one.label == "elsewhere"} == {Status.WARN}


def test_a_cluster_without_a_context_is_not_checked(world: World) -> None:
    parts = {HOME: world.part(HOME), "far-away": model.Cluster()}
    found = Connections(environment(), model.Settings(clusters=parts))
    plan = RebuildCache(found).plan()
    assert "far-away not checked" in fact(plan, "elsewhere")
    found.close()


@pytest.mark.parametrize("by_schedule", [True, False])
def test_a_run_that_is_going_on_is_refused(
    world: World, connections: Connections, heard: Heard, by_schedule: bool
) -> None:
    hold = threading.Event()

    async def runner(run: Run) -> int:
        while not hold.is_set():
            await asyncio.sleep(0.02)
        return 0

    world.runner = runner
    if by_schedule:
        world.loop.call(world.controller.schedule_now, world.servers[HOME], NAMESPACE, CRONJOB)
    else:
        rebuild(connections, heard, wait=False)
    name = world.list(HOME, "Job")[0]["metadata"]["name"]
    with pytest.raises(Refused) as caught:
        RebuildCache(connections).plan()
    hold.set()
    assert "running already" in caught.value.message
    assert name in caught.value.message
    until(lambda: world.list(HOME, "Job")[0]["status"].get("succeeded"), "it ended")


def test_a_suspended_cronjob_is_refused_unless_told(
    world: World, connections: Connections, heard: Heard, groups: object
) -> None:
    world.put(HOME, cronjob(suspend=True))
    with pytest.raises(Refused) as caught:
        RebuildCache(connections).plan()
    assert "suspended" in caught.value.message
    assert "--even-if-suspended" in caught.value.hint
    assert rebuild(connections, heard, even_if_suspended=True).outcome.result is Result.DONE


def test_whoever_may_not_make_jobs_is_told_before_anything_happens(world: World, connections: Connections) -> None:
    world.loop.call(world.servers[HOME].deny, "create", "jobs", NAMESPACE)
    with pytest.raises(NotAllowed) as caught:
        RebuildCache(connections).plan()
    assert f"namespace {NAMESPACE}" in caught.value.message


def test_an_unreachable_cluster_is_unreachable(world: World, connections: Connections) -> None:
    world.loop.call(lambda: setattr(world.servers[HOME].faults, "refuse", True))
    with pytest.raises(Unreachable) as caught:
        RebuildCache(connections).plan()
    assert HOME in caught.value.message


def test_whoever_may_not_read_kube_system_can_rebuild_all_the_same(world: World, connections: Connections) -> None:
    world.loop.call(world.servers[HOME].deny, "get", "namespaces")
    plan = RebuildCache(connections).plan()
    assert "unknown" in fact(plan, "identity")


def test_a_world_that_moves_before_the_job_is_made_is_refused(
    world: World, connections: Connections, heard: Heard
) -> None:
    def ask(plan: Plan) -> str:
        world.put(HOME, cronjob(image="registry.example/cache-manager:9.9.9"))
        return plan.confirm

    action = RebuildCache(connections)
    with pytest.raises(gate.PlanMoved):
        gate.carry_out(action, connections.environment, Consent(ask=ask), Journal(), heard.progress, read_only=False)
    assert world.list(HOME, "Job") == []


def test_what_is_not_configured_is_named(world: World) -> None:
    for key in ("cluster", "cronjob"):
        found = connect(world, **{key: ""})
        with pytest.raises(ConfigurationError) as caught:
            RebuildCache(found).plan()
        assert f"environments.rp006.cache_manager.{key} is empty" in caught.value.message


# -- reading


def test_status_and_history_read_without_a_namespace(world: World, heard: Heard, groups: object) -> None:
    found = connect(world, namespace="")
    rebuild(found, heard)
    seen: CacheManager = rebuilds.look(found)
    assert seen.cronjob.namespace == NAMESPACE
    assert seen.running == ()
    (job,) = rebuilds.history(found)
    assert job.state == "complete"
    assert len(rebuilds.schedule(found, 4).next) == 4
    found.close()


def test_an_image_that_drifted_is_a_warning(world: World, tmp_path: Path, connections: Connections) -> None:
    class Repository:
        by_hand = "git show"

        def wanted_image(self, name: str) -> Any:
            assert name == CRONJOB
            at = datetime(2026, 11, 1, tzinfo=UTC)
            return SimpleNamespace(
                images=("registry.example/cache-manager:2.0.0",), commit="abc", committed_at=at, branch="trunk", note=""
            )

    infra = model.InfraRepo(remote=str(tmp_path), path="a.yaml")
    connections.environment = replace_part(connections.environment, infra)
    connections._infra_repo = Repository()  # type: ignore[assignment]
    plan = RebuildCache(connections).plan()
    (shown,) = [one for one in plan.facts if one.label == "image"]
    assert shown.status is Status.WARN
    assert "asks for cache-manager:2.0.0" in shown.value


def replace_part(environment: model.Environment, infra: model.InfraRepo) -> model.Environment:
    import msgspec

    return msgspec.structs.replace(environment, infra_repo=infra)


def test_every_error_is_one_of_ours(world: World, connections: Connections) -> None:
    for fault in ("refuse", "html"):
        world.loop.call(lambda fault=fault: setattr(world.servers[HOME].faults, fault, True))
        with pytest.raises(ToolkitError):
            RebuildCache(connections).plan()
