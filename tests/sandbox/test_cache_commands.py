"""`toolkit cache …` as it is typed, on the running sandbox."""

from __future__ import annotations

from conftest import Sandbox

E = ("--env", "sandbox")
CRONJOB = "rp006-neuro-cache-manager-rxrx-cronjob"


def test_status_says_which_cluster_and_what_is_next(sandbox: Sandbox) -> None:
    found = sandbox.run("cache", "status", *E, "-o", "json").json()
    assert (found["cluster"], found["cronjob"]) == ("prod-cluster", CRONJOB)
    assert found["cluster_uid"]
    assert found["next"].endswith("Z")
    assert found["running"] == []
    assert found["last"]["state"] == "complete"
    assert {one["cluster"] for one in found["elsewhere"]} == {"principal", "rp006-prod"}
    assert found["image_match"] in ("same", "unset", "unknown")
    assert "template" not in found
    shown = sandbox.run("cache", "status", *E).out
    assert "not running" in shown
    assert "no CronJob of that name in principal, rp006-prod" in shown


def test_history_is_the_newest_first_and_says_what_it_leaves_out(sandbox: Sandbox) -> None:
    runs = sandbox.run("cache", "history", *E, "-o", "json").json()
    assert [run["started"] for run in runs] == sorted((run["started"] for run in runs), reverse=True)
    assert {run["state"] for run in runs} == {"complete", "failed"}
    assert any(run["manual"] for run in runs)
    cut = sandbox.run("cache", "history", *E, "-n", "2", "-o", "plain")
    assert len(cut.out.splitlines()) == 2
    assert f"2 of {len(runs)} runs shown" in cut.err


def test_schedule_is_told_in_both_zones(sandbox: Sandbox) -> None:
    found = sandbox.run("cache", "schedule", *E, "-n", "3", "-o", "json").json()
    assert len(found["next"]) == 3
    assert found["suspended"] is False
    assert "UTC" in sandbox.run("cache", "schedule", *E).out
    assert len(sandbox.run("cache", "schedule", *E, "-o", "plain").out.splitlines()) == 5


def test_a_dry_run_has_the_plans_contract(sandbox: Sandbox) -> None:
    plan = sandbox.run("cache", "rebuild", *E, "--dry-run", "-o", "json").json()
    for key in ("plan", "environment", "action", "changes", "undo", "by_hand", "expires_at"):
        assert plan[key], key
    assert plan["environment"] == "sandbox"
    assert any("--context sandbox-prod-cluster" in command for command in plan["by_hand"])
    assert {"cluster", "identity", "elsewhere", "last runs", "image", "next run", "may I"} <= {
        fact["label"] for fact in plan["facts"]
    }


def test_a_rebuild_from_plan_to_proof(sandbox: Sandbox) -> None:
    plan = sandbox.run("cache", "rebuild", *E, "--dry-run", "-o", "json").json()
    ran = sandbox.run("cache", "rebuild", *E, "--plan", plan["plan"], "-o", "json")
    done = ran.json()
    assert done["result"] == "done"
    assert "is complete" in done["summary"]
    assert {finding["name"]: finding["status"] for finding in done["findings"]} == {
        "L2": "ok",
        "L3": "ok",
        "written anew": "ok",
        "L1": "warn",
    }
    assert "Dropping 3 groups" in ran.err, "the pod's log is followed"
    assert sandbox.run("cache", "history", *E, "-n", "1", "-o", "json").json()[0]["manual"]


def test_the_wrong_cluster_is_refused_and_the_right_one_named(sandbox: Sandbox) -> None:
    sandbox.scenario("wrong-cluster")
    ran = sandbox.run("cache", "rebuild", *E, "--yes", code=5)
    assert "rp006-prod" in ran.err
    assert "environments.sandbox.cache_manager.cluster" in ran.err
    assert "rp006-prod" in sandbox.run("cache", "status", *E, code=1).err


def test_a_run_that_is_going_on_is_shown_and_not_doubled(sandbox: Sandbox) -> None:
    sandbox.scenario("rebuild-running")
    (running,) = sandbox.run("cache", "status", *E, "-o", "json").json()["running"]
    ran = sandbox.run("cache", "rebuild", *E, "--yes", code=5)
    assert running["name"] in ran.err


def test_read_only_refuses(sandbox: Sandbox) -> None:
    before = sandbox.run("cache", "history", *E, "-o", "json").json()
    assert "read-only" in sandbox.run("cache", "rebuild", *E, "--yes", "--read-only", code=5).err
    assert sandbox.run("cache", "history", *E, "-o", "json").json() == before
