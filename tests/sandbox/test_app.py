"""`toolkit app …`: whose L1 is stale, and a restart that is watched to its end, on good days and bad ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import Sandbox

from toolkit.actions.app.restart import RestartApp
from toolkit.actions.plan import Outcome, Result
from toolkit.cache import memory
from toolkit.checks.finding import Status
from toolkit.errors import Refused, Unreachable
from toolkit.opening import choose
from toolkit.permit import Permit
from toolkit.progress import Advanced, Event, Progress, Step
from toolkit.sandbox import client
from toolkit.systems.cluster import Cluster
from toolkit.systems.cluster.requests import Api
from toolkit.systems.connections import Connections

E = ("--env", "sandbox")
ON = (*E, "-o", "json")
NEW_PODS = "new pods of sandbox"


def pods(sandbox: Sandbox, code: int | None = 0) -> dict[str, Any]:
    return {one["name"]: one for one in sandbox.run("app", "status", *ON, code=code).json()["pods"]}


def connect() -> Connections:
    return choose("sandbox", lambda _: None).connect()


def restarted(
    sandbox: Sandbox, tell: Callable[[Event, threading.Event], None] = lambda *_: None, **options: Any
) -> tuple[Outcome, RestartApp, list[Event]]:
    """The action applied without the gate, so that its watch can be told to look often and wait briefly."""
    del sandbox
    events: list[Event] = []
    stop = threading.Event()

    def hear(event: Event) -> None:
        events.append(event)
        tell(event, stop)

    action = RestartApp(connect(), poll=0.05, **options)
    plan = action.plan()
    outcome = action.apply(plan, Permit(plan.hash), Progress(hear, stop))
    return outcome, action, events


def words(outcome: Outcome) -> str:
    return " ".join((outcome.summary, *outcome.details))


def test_status_of_healthy_pods(sandbox: Sandbox) -> None:
    found = sandbox.run("app", "status", *ON).json()
    assert (found["cluster"], found["deployment"]) == ("rp006-prod", "dash-phenoapp-v2")
    assert (found["wanted"], found["ready"], found["stale"]) == (3, 3, [])
    for pod in found["pods"]:
        assert pod["loaded"] > found["rebuilt"]
        assert pod["image"] == "phenoapp/dash-phenoapp:v2.118.0"
        assert 3e9 < pod["memory"] < pod["memory_limit"] == 6 * 2**30
    assert "All pods began after the last rebuild" in sandbox.run("app", "status", *E).out


def test_memory_is_not_made_up_where_no_metrics_server_is(sandbox: Sandbox) -> None:
    found = sandbox.run("app", "status", "-e", "sandbox-mapapp", "-o", "json").json()
    assert (found["measured"], found["pods"][0]["memory"]) == (False, None)
    assert found["pods"][0]["memory_request"] == 4 * 2**30
    drawn = sandbox.run("app", "status", "-e", "sandbox-mapapp").out
    assert "asks 4.3 GB" in drawn
    assert "not measured: principal has no metrics server" in drawn


def test_status_of_stale_pods_restart_and_healthy_again(sandbox: Sandbox) -> None:
    sandbox.scenario("l1-stale")
    before = pods(sandbox, code=1)
    assert all(one["stale"] for one in before.values())
    ran = sandbox.run("app", "status", *E, code=1)
    assert "3 of 3 pods still serve the old default group" in ran.out
    assert "next: toolkit app restart --env sandbox" in ran.err
    plain = sandbox.run("app", "status", *E, "-o", "plain", code=1).out.splitlines()
    assert sorted(line.split("\t")[0] for line in plain) == sorted(before)
    done = sandbox.run("app", "restart", "--yes", *ON).json()
    assert (done["result"], done["findings"][0]["status"]) == ("done", "ok")
    assert "rollout undo deployment/dash-phenoapp-v2" in done["undo"][0]
    after = pods(sandbox)
    assert len(after) == 3
    assert not before.keys() & after.keys()
    assert not any(one["stale"] for one in after.values())


def test_a_restarted_container_has_loaded_anew(sandbox: Sandbox) -> None:
    """L1 is as old as the container, not as the pod."""
    from toolkit.cache.memory import app_pod
    from toolkit.systems.cluster.objects import read_pod

    state = {"running": {"startedAt": "2026-11-24T12:00:00Z"}}
    item = {
        "spec": {"containers": [{"name": "app"}]},
        "status": {
            "phase": "Running",
            "startTime": "2026-11-20T12:00:00Z",
            "containerStatuses": [{"name": "app", "state": state, "restartCount": 1}],
        },
    }
    del sandbox
    assert app_pod(read_pod("c", item), datetime(2026, 11, 22, tzinfo=UTC)).stale is False
    state["running"]["startedAt"] = "2026-11-20T12:00:06Z"
    assert app_pod(read_pod("c", item), datetime(2026, 11, 22, tzinfo=UTC)).stale is True


def test_the_plan_says_what_users_will_notice(sandbox: Sandbox) -> None:
    sandbox.scenario("l1-stale")
    before = pods(sandbox, code=1)
    plan = sandbox.run("app", "restart", "--dry-run", *ON).json()
    facts = {fact["label"]: fact for fact in plan["facts"]}
    assert (plan["action"], plan["damage"]) == ("app.restart", "small")
    assert "at least 3 of 3 pods serve all the time" in facts["downtime"]["value"]
    assert "at most 1 more than 3, at most 0 less" in facts["strategy"]["value"]
    assert "minAvailable 2" in facts["disruption budget"]["value"]
    assert facts["stale L1"]["status"] == "warn"
    assert all(name in facts["stale L1"]["value"] for name in before)
    assert "with_new_screen, the default group, whole" in facts["new pods load"]["value"]
    assert any("rollout restart deployment/dash-phenoapp-v2" in command for command in plan["by_hand"])
    assert pods(sandbox, code=1).keys() == before.keys()


def test_a_plan_is_carried_out_by_its_hash_once(sandbox: Sandbox) -> None:
    plan = sandbox.run("app", "restart", "--dry-run", *ON).json()["plan"]
    done = sandbox.run("app", "restart", "--plan", plan, *ON).json()
    assert (done["plan"], done["result"]) == (plan, "done")
    refused = sandbox.run("app", "restart", "--plan", plan, *E, code=5)
    assert "No plan" in refused.err


def test_a_plan_is_refused_where_the_deployment_was_changed_since(sandbox: Sandbox) -> None:
    plan = sandbox.run("app", "restart", "--dry-run", *ON).json()["plan"]
    restarted(sandbox, wait=False)
    assert "world is not any more as plan" in sandbox.run("app", "restart", "--plan", plan, *E, code=5).err


def test_read_only_refuses(sandbox: Sandbox) -> None:
    before = pods(sandbox)
    assert "read-only" in sandbox.run("app", "restart", "--yes", "--read-only", *E, code=5).err
    assert pods(sandbox).keys() == before.keys()


@pytest.mark.parametrize(
    ("scenario", "why"),
    [("redis-flushed", "Redis holds no group at all"), ("rebuild-running", "is going on: it has dropped the groups")],
)
def test_it_is_refused_while_new_pods_would_load_nothing(sandbox: Sandbox, scenario: str, why: str) -> None:
    sandbox.scenario(scenario)
    assert why in sandbox.run("app", "restart", "--yes", *E, code=5).err
    plan = sandbox.run("app", "restart", "--dry-run", "--even-so", *ON).json()
    assert [why in fact["value"] for fact in plan["facts"] if fact["status"] == "fail"] == [True]


def test_what_cannot_be_asked_is_said_and_not_guessed(sandbox: Sandbox) -> None:
    client.set_faults("cluster prod-cluster", {"refuse": True})
    ran = sandbox.run("app", "status", *E, code=3)
    assert "unknown" in ran.out
    assert "prod-cluster" in ran.err
    client.set_faults("cluster rp006-prod", {"refuse": True})
    assert "rp006-prod" in sandbox.run("app", "status", *E, code=3).err


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("image_gone", ("ImagePull", "v2.118.0: not found", "ProgressDeadlineExceeded")),
        ("never_ready", ("not ready", "Readiness probe failed", "Waiting for the image service")),
        ("crash", ("MemoryError: could not allocate 536870912 bytes",)),
    ],
)
def test_a_rollout_that_is_stuck_says_why(sandbox: Sandbox, fault: str, expected: tuple[str, ...]) -> None:
    before = pods(sandbox)
    client.set_faults(NEW_PODS, {fault: True, "deadline_seconds": 1.5 if fault != "crash" else 60})
    outcome, action, _ = restarted(sandbox)
    said = words(outcome)
    assert outcome.result is Result.FAILED
    assert "0 of 3 new pods are ready; 3 old ones serve on" in said
    assert all(text in said for text in expected), said
    assert "rollout undo deployment/dash-phenoapp-v2" in outcome.undo[0]
    assert [finding.status for finding in action.verify(action.plan(), outcome)] == [Status.WARN]
    now = pods(sandbox, code=1)
    assert before.keys() < now.keys()
    assert sandbox.run("app", "status", *E, code=1).out.count("yes") == 3


def test_stopping_to_wait_is_told_as_it_is(sandbox: Sandbox) -> None:
    client.set_faults(NEW_PODS, {"never_ready": True})

    def stop(event: Event, asked: threading.Event) -> None:
        if isinstance(event, Advanced) and event.what == "new pods ready":
            asked.set()

    outcome, _, events = restarted(sandbox, stop)
    assert outcome.result is Result.PARTIAL
    assert "Waiting was stopped; the rollout of Deployment dash-phenoapp-v2 in cluster rp006-prod goes on" in words(
        outcome
    )
    assert any("rollout status deployment/dash-phenoapp-v2" in line for line in outcome.details)
    assert any(isinstance(event, Step) and "Restarting the 3 pods" in event.text for event in events)
    client.set_faults(NEW_PODS, None)
    end = time.monotonic() + 30
    while not sandbox.run("app", "status", *ON, code=None).json()["rolled_out"]:
        assert time.monotonic() < end, "it was said to go on"


def test_waiting_has_an_end(sandbox: Sandbox) -> None:
    client.set_faults(NEW_PODS, {"never_ready": True})
    ran = sandbox.run("app", "restart", "--yes", "--timeout", "1", *ON, code=1).json()
    assert ran["result"] == "partial"
    assert "is not over" in ran["summary"]


def test_a_restart_of_somebody_else_in_the_middle_is_noticed(sandbox: Sandbox) -> None:
    client.set_faults(NEW_PODS, {"never_ready": True})
    begun = threading.Event()

    def other() -> None:
        assert begun.wait(20)
        time.sleep(1.1)  # the annotation has whole seconds
        action = RestartApp(connect(), wait=False)
        plan = action.plan()
        action.apply(plan, Permit(plan.hash), Progress())

    thread = threading.Thread(target=other)
    thread.start()
    outcome, _, _ = restarted(sandbox, lambda event, _: begun.set() if isinstance(event, Advanced) else None)
    thread.join(20)
    assert outcome.result is Result.PARTIAL
    assert "another rollout took this one's place" in outcome.summary


def test_a_plan_of_before_is_not_carried_out_by_the_action_itself(sandbox: Sandbox) -> None:
    del sandbox
    action = RestartApp(connect(), wait=False)
    plan = action.plan()
    action.apply(plan, Permit(plan.hash), Progress())
    with pytest.raises(Refused, match="changed since the plan"):
        action.apply(plan, Permit(plan.hash), Progress())


def test_a_rebuild_says_who_holds_the_old_groups(sandbox: Sandbox) -> None:
    done = sandbox.run("cache", "rebuild", "--yes", *ON, code=None).json()
    l1 = next(finding for finding in done["findings"] if finding["name"] == "L1")
    assert "3 of 3 pods" in l1["summary"]
    assert all(name in l1["summary"] for name in pods(sandbox, code=1))
    assert "toolkit app restart" in l1["hint"]


def changed(spec: dict[str, Any]) -> None:
    """The Deployment as somebody else made it."""
    cluster = memory.cluster_of(connect())
    cluster._api.patch("/apis/apps/v1/namespaces/rp006-neuro/deployments/dash-phenoapp-v2", {"spec": spec})


@pytest.mark.parametrize(("spec", "why"), [({"paused": True}, "is paused"), ({"replicas": 0}, "is scaled to 0")])
def test_what_cannot_roll_is_refused(sandbox: Sandbox, spec: dict[str, Any], why: str) -> None:
    changed(spec)
    assert why in sandbox.run("app", "restart", "--yes", *E, code=5).err


def test_the_plan_says_where_users_will_notice(sandbox: Sandbox) -> None:
    changed({"strategy": {"type": "Recreate", "rollingUpdate": None}})
    facts = sandbox.run("app", "restart", "--dry-run", *ON).json()["facts"]
    downtime = next(fact for fact in facts if fact["label"] == "downtime")
    assert downtime["status"] == "fail"
    assert "for a while no pod serves" in downtime["value"]
    assert sandbox.run("app", "restart", "--yes", *ON).json()["result"] == "done"


def test_whoever_may_not_restart_is_told_before_anything_happens(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pods(sandbox)
    monkeypatch.setattr(Cluster, "may_i", lambda *_: False)
    assert "may not change deployments" in sandbox.run("app", "restart", "--yes", *E, code=4).err
    assert pods(sandbox).keys() == before.keys()


@pytest.mark.parametrize("taken", [True, False])
def test_an_answer_that_gets_lost_is_looked_for_and_nothing_is_sent_again(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    sent = []
    patch = Api.patch

    def lost(api: Api, *asked: Any) -> Any:
        sent.append(asked)
        if taken:
            patch(api, *asked)
        raise Unreachable("The connection broke off.")

    monkeypatch.setattr(Api, "patch", lost)
    ran = sandbox.run("app", "restart", "--yes", *E, code=0 if taken else 3)
    assert len(sent) == 1
    assert taken or "was not restarted" in ran.err
