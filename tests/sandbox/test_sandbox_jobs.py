"""How the sandbox carries out Jobs: as Kubernetes' controllers would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from cluster_fixtures import CRONJOB, NAMESPACE, World, clusters, cronjob, until, well

from toolkit.sandbox.kubernetes.cronjobs import Run, scheduled_job

HOME = "prod-cluster"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with clusters(tmp_path_factory.mktemp("jobs"), HOME) as world:
        yield world


@pytest.fixture
def world(shared: World) -> Iterator[World]:
    shared.put(HOME, cronjob())
    yield shared
    shared.runner = well
    shared.loop.call(shared.servers[HOME].delete, "Namespace", "", NAMESPACE)


def start(world: World, name: str = "", **spec: Any) -> str:
    """A scheduled run; the name of its Job."""
    if not name:
        job = world.loop.call(world.controller.schedule_now, world.servers[HOME], NAMESPACE, CRONJOB)
        assert job is not None
        return str(job["metadata"]["name"])
    owner = world.get(HOME, "CronJob", CRONJOB)
    assert owner is not None
    job = scheduled_job(owner, name)
    job["spec"].update(spec)
    world.put(HOME, job)
    return name


def over(world: World, name: str) -> dict[str, Any]:
    def conditions() -> Any:
        job = world.get(HOME, "Job", name)
        return job is not None and job["status"].get("conditions") and job["status"]

    status: dict[str, Any] = until(conditions, "the job is over")
    return status


def test_a_run_leaves_its_marks_on_pod_job_and_cronjob(world: World) -> None:
    name = start(world)
    status = over(world, name)
    assert status["succeeded"] == 1
    assert status["conditions"][0]["type"] == "Complete"
    assert datetime.fromisoformat(status["completionTime"]) >= datetime.fromisoformat(status["startTime"])
    (pod,) = world.list(HOME, "Pod", f"job-name={name}")
    assert pod["status"]["phase"] == "Succeeded"
    assert pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] == name

    def told() -> Any:
        found = world.get(HOME, "CronJob", CRONJOB)
        return found is not None and found["status"].get("lastSuccessfulTime") and found["status"]

    told_status = until(told, "the CronJob knows")
    assert told_status["lastScheduleTime"]
    assert told_status["active"] == []


def test_a_crash_is_a_traceback_in_the_log_and_counts_against_the_limit(world: World) -> None:
    async def runner(run: Run) -> int:
        raise RuntimeError("out of memory")

    world.runner = runner
    status = over(world, start(world, "crashing", backoffLimit=1))
    assert status["failed"] == 2
    assert status["conditions"][0]["reason"] == "BackoffLimitExceeded"
    pods = world.list(HOME, "Pod", "job-name=crashing")
    assert {pod["status"]["phase"] for pod in pods} == {"Failed"}
    state = pods[0]["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (state["exitCode"], state["reason"]) == (1, "Error")
    server = world.servers[HOME]
    log = world.loop.call(server.log_of, NAMESPACE, pods[0]["metadata"]["name"], "cache-manager")
    assert log.lines[-1].text == "RuntimeError: out of memory"


def test_a_deadline_ends_it(world: World) -> None:
    ended: list[bool] = []

    async def runner(run: Run) -> int:
        await run.cancelled.wait()
        ended.append(True)
        return 0

    world.runner = runner
    status = over(world, start(world, "slow", activeDeadlineSeconds=0.2))
    assert status["conditions"][0]["reason"] == "DeadlineExceeded"


def test_a_pod_that_is_deleted_counts_as_failed(world: World) -> None:
    async def runner(run: Run) -> int:
        asyncio.get_running_loop().call_soon(run.cluster.delete, "Pod", run.namespace, run.pod)
        await asyncio.sleep(60)
        return 0

    world.runner = runner
    assert over(world, start(world, "shot"))["failed"] == 1


def test_the_concurrency_policy_is_kept_between_scheduled_runs(world: World) -> None:
    go_on: list[bool] = []

    async def runner(run: Run) -> int:
        while not go_on:
            await asyncio.sleep(0.02)
        return 0

    world.runner = runner
    first = start(world)
    assert world.loop.call(world.controller.schedule_now, world.servers[HOME], NAMESPACE, CRONJOB) is None
    go_on.append(True)
    over(world, first)


def test_a_suspended_cronjob_and_a_suspended_job_do_nothing(world: World) -> None:
    world.put(HOME, cronjob(suspend=True))
    assert world.loop.call(world.controller.schedule_now, world.servers[HOME], NAMESPACE, CRONJOB) is None
    start(world, "held", suspend=True)
    world.put(HOME, cronjob())
    over(world, start(world))
    held = world.get(HOME, "Job", "held")
    assert held is not None
    assert "status" not in held


def test_history_is_trimmed(world: World) -> None:
    world.put(HOME, cronjob(successfulJobsHistoryLimit=2))
    for number in range(4):
        over(world, start(world, f"run-{number}"))
    until(lambda: len(world.list(HOME, "Job")) == 2, "two are kept")


def test_a_server_comes_back_at_its_address_with_its_objects(world: World) -> None:
    server = world.servers[HOME]
    before = server.url
    world.loop.wait(server.stop())
    world.loop.wait(server.start())
    assert server.url == before
    assert world.get(HOME, "CronJob", CRONJOB) is not None
