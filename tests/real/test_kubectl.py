"""The real kubectl against a sandbox cluster: what the toolkit prints as `by hand` has to work there too."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_fixtures import CRONJOB, NAMESPACE, World, clusters, cronjob, pod

from toolkit.actions.rebuild.failure import read_on
from toolkit.sandbox.kubernetes.cronjobs import Run
from toolkit.sandbox.kubernetes.deployments import DeploymentController
from toolkit.systems.cluster import Cluster
from toolkit.systems.cluster.jobs import manual_job

pytestmark = pytest.mark.skipif(
    shutil.which("kubectl") is None,
    reason="NO kubectl ON PATH: the sandbox's clusters are NOT tested with the real one",
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with clusters(tmp_path_factory.mktemp("kubectl"), "prod-cluster", tls=True) as world:
        yield world


@pytest.fixture
def world(shared: World) -> Iterator[World]:
    shared.put("prod-cluster", cronjob())
    yield shared
    server = shared.servers["prod-cluster"]
    shared.loop.call(server.allow_everything)
    shared.loop.call(server.delete, "Namespace", "", NAMESPACE)


class Ran:
    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code, self.out, self.said = done.returncode, done.stdout, done.stderr


def kubectl(world: World, *words: str) -> Ran:
    command = ["kubectl", "--kubeconfig", str(world.kubeconfig), "--context", "ctx-prod-cluster", "-n", NAMESPACE]
    environment = {**os.environ, "HOME": str(world.directory), "KUBECACHEDIR": str(world.directory / "kube-cache")}
    return Ran(
        subprocess.run([*command, *words], capture_output=True, text=True, timeout=60, env=environment, check=False)
    )


async def talks(run: Run) -> int:
    for number in range(3):
        run.log(f"line {number}")
        await asyncio.sleep(0.05)
    return 0


def test_it_lists_and_shows(world: World) -> None:
    world.put("prod-cluster", pod("app-1", labels={"app": "x"}))
    world.put("prod-cluster", pod("app-2", labels={"app": "y"}))
    assert "app-1   1/1     Running" in kubectl(world, "get", "pods").out
    assert kubectl(world, "get", "pods", "-l", "app in (y, z)", "-o", "name").out == "pod/app-2\n"
    assert kubectl(world, "get", "pods", "--field-selector", "metadata.name=app-1", "-o", "name").out == "pod/app-1\n"
    shown = json.loads(kubectl(world, "get", "cronjob", CRONJOB, "-o", "json").out)
    assert shown["spec"]["schedule"] == "0 1 * * 5"
    assert shown["metadata"]["resourceVersion"]
    assert CRONJOB in kubectl(world, "get", "all").out
    assert CRONJOB in kubectl(world, "get", "cronjobs", "-A").out
    assert "Schedule:" in kubectl(world, "describe", "cronjob", CRONJOB).out


def test_it_makes_the_same_job_as_the_toolkit(world: World) -> None:
    world.runner = talks
    assert kubectl(world, "create", "job", f"--from=cronjob/{CRONJOB}", "by-kubectl").code == 0
    cluster = Cluster("prod-cluster", world.part("prod-cluster"))
    found = cluster.cronjob(NAMESPACE, CRONJOB)
    assert found is not None
    ours = manual_job(found, "by-kubectl")
    theirs = world.get("prod-cluster", "Job", "by-kubectl")
    assert theirs is not None
    for key in ("name", "namespace", "labels", "annotations", "ownerReferences"):
        assert theirs["metadata"][key] == ours["metadata"][key], key
    assert theirs["spec"]["backoffLimit"] == ours["spec"]["backoffLimit"]
    assert theirs["spec"]["template"]["spec"] == ours["spec"]["template"]["spec"]
    cluster.close()


def test_it_follows_and_waits_and_deletes(world: World) -> None:
    world.runner = talks
    kubectl(world, "create", "job", f"--from=cronjob/{CRONJOB}", "by-hand")
    assert kubectl(world, "wait", "--for=condition=complete", "job/by-hand", "--timeout=20s").code == 0
    assert kubectl(world, "logs", "-f", "job/by-hand").out == "line 0\nline 1\nline 2\n"
    assert kubectl(world, "logs", "job/by-hand", "--tail=1").out == "line 2\n"
    cluster = Cluster("prod-cluster", world.part("prod-cluster"))
    job = cluster.job(NAMESPACE, "by-hand")
    assert job is not None
    for command in read_on(cluster, job, "")[:2]:
        done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert "by-hand" in done.stdout or "line 2" in done.stdout
    cluster.close()
    assert kubectl(world, "delete", "job", "by-hand").code == 0
    assert "No resources found" in kubectl(world, "get", "pods").said


def test_it_is_told_no_in_kubernetes_words(world: World) -> None:
    server = world.servers["prod-cluster"]
    assert kubectl(world, "auth", "can-i", "create", "jobs").out == "yes\n"
    world.loop.call(server.deny, "create", "jobs", NAMESPACE)
    assert kubectl(world, "auth", "can-i", "create", "jobs").out.startswith("no")
    assert "forbidden" in kubectl(world, "create", "job", f"--from=cronjob/{CRONJOB}", "x").said
    assert "not found" in kubectl(world, "get", "job", "nothing").said
    world.loop.call(server.revoke, server.token)
    try:
        assert "Unauthorized" in kubectl(world, "get", "pods").said
    finally:
        world.loop.call(server.grant, server.token, "on-call")


def test_it_changes_and_watches(world: World) -> None:
    assert kubectl(world, "patch", "cronjob", CRONJOB, "-p", '{"spec":{"suspend":true}}').code == 0
    found = world.get("prod-cluster", "CronJob", CRONJOB)
    assert found is not None
    assert found["spec"]["suspend"] is True
    assert found["spec"]["schedule"] == "0 1 * * 5"
    assert kubectl(world, "label", "cronjob", CRONJOB, "team=on-call").code == 0
    assert "team=on-call" in kubectl(world, "get", "cronjob", CRONJOB, "--show-labels").out


def test_a_rollout_restart_brings_new_pods(world: World) -> None:
    server = world.servers["prod-cluster"]
    controller = DeploymentController([server], start_seconds=0.1)
    world.loop.wait(controller.start())
    try:
        labels = {"app": "map"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}
        world.put(
            "prod-cluster",
            {
                "kind": "Deployment",
                "metadata": {"name": "map", "namespace": NAMESPACE},
                "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
            },
        )
        assert kubectl(world, "rollout", "status", "deployment/map", "--timeout=20s").code == 0
        before = {one["metadata"]["name"] for one in world.list("prod-cluster", "Pod", "app=map")}
        assert len(before) == 2
        assert kubectl(world, "rollout", "restart", "deployment/map").code == 0
        assert kubectl(world, "rollout", "status", "deployment/map", "--timeout=20s").code == 0
        after = {one["metadata"]["name"] for one in world.list("prod-cluster", "Pod", "app=map")}
        assert len(after) == 2
        assert not before & after
        assert kubectl(world, "delete", "pod", min(after)).code == 0
        assert kubectl(world, "rollout", "status", "deployment/map", "--timeout=20s").code == 0
        assert len(world.list("prod-cluster", "Pod", "app=map")) == 2
    finally:
        world.loop.wait(controller.stop())


def test_the_kubeconfig_has_no_current_context_and_is_private(world: World, tmp_path: Path) -> None:
    assert world.kubeconfig.stat().st_mode & 0o077 == 0
    done = subprocess.run(
        ["kubectl", "--kubeconfig", str(world.kubeconfig), "config", "current-context"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert done.returncode != 0
