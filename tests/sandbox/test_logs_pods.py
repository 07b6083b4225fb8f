"""The logs of a workload's pods, as they were and as they come: on a sandbox cluster, followed from outside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cluster_fixtures import CRONJOB, NAMESPACE, World, clusters, cronjob, pod

from toolkit.environments import model
from toolkit.errors import ConfigurationError, NotFound, Unreachable
from toolkit.logs.entry import Line, Notice
from toolkit.logs.pods import PodsSource
from toolkit.logs.source import Window
from toolkit.logs.timeline import Following, past
from toolkit.logs.workloads import Workload, app, cache_manager, one_pod, selected
from toolkit.permit import Permit
from toolkit.progress import SILENT
from toolkit.sandbox.kubernetes.cronjobs import Run
from toolkit.systems.cluster import Cluster
from toolkit.systems.cluster.jobs import manual_job
from toolkit.systems.connections import Connections

AT = 1_790_000_000 * 10**9
CLUSTER = "prod-cluster"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with clusters(tmp_path_factory.mktemp("logs"), CLUSTER) as world:
        yield world


@pytest.fixture
def world(shared: World) -> Iterator[World]:
    """The shared world with nothing in it, and nothing wrong with it."""
    yield shared
    server = shared.servers[CLUSTER]

    def clean() -> None:
        server.faults = type(server.faults)()
        server.allow_everything()
        if server.get("Namespace", "", NAMESPACE):
            server.delete("Namespace", "", NAMESPACE)

    shared.loop.call(clean)


@pytest.fixture
def cluster(world: World) -> Iterator[Cluster]:
    found = Cluster(CLUSTER, world.part(CLUSTER))
    yield found
    found.close()


def connections(world: World, **parts: Any) -> Connections:
    environment = model.Environment(name="test", **parts)
    return Connections(environment, model.Settings(clusters={CLUSTER: world.part(CLUSTER)}))


def write(world: World, name: str, *lines: str, at: int | None = None, container: str = "") -> None:
    server = world.servers[CLUSTER]
    for number, line in enumerate(lines):
        when = None if at is None else at + number
        world.loop.call(server.append_log, NAMESPACE, name, line, at=when, container=container)


class Watcher:
    """Takes what is followed until something has been seen."""

    def __init__(self, following: Following) -> None:
        self.following = following
        self.lines: list[str] = []
        self.notices: list[Notice] = []
        self._batches = following.batches(0.05)

    def until(self, condition: Callable[[], object], seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, (self.lines, self.notices)
            for item in next(self._batches):
                if isinstance(item, Line):
                    self.lines.append(item.text)
                else:
                    self.notices.append(item)

    def kinds(self) -> list[str]:
        return [notice.kind.value for notice in self.notices]


@contextmanager
def followed(workload: Workload, **options: Any) -> Iterator[Watcher]:
    with Following([PodsSource(workload, **options)], AT, reorder=0.05) as following:
        yield Watcher(following)


def test_pods_that_come_are_followed_and_pods_that_go_are_said(world: World, cluster: Cluster) -> None:
    server = world.servers[CLUSTER]
    world.put(CLUSTER, pod("app-1", labels={"app": "x"}))
    write(world, "app-1", "one")
    with followed(selected(cluster, NAMESPACE, "app=x")) as seen:
        seen.until(lambda: "one" in seen.lines)
        world.put(CLUSTER, pod("app-2", labels={"app": "x"}, phase="Pending"))
        world.put(CLUSTER, pod("other", labels={"app": "y"}))
        write(world, "other", "not asked for")
        seen.until(lambda: "came" in seen.kinds())
        world.put(CLUSTER, pod("app-2", labels={"app": "x"}))
        write(world, "app-2", "two")
        seen.until(lambda: "two" in seen.lines)
        assert {origin.split("/")[2] for origin in seen.following.heard if "/" in origin} == {"app-1", "app-2"}
        write(world, "app-1", "last")
        world.loop.call(server.delete, "Pod", NAMESPACE, "app-1")
        seen.until(lambda: "went" in seen.kinds())
        assert seen.lines == ["one", "two", "last"]
        assert [notice.text for notice in seen.notices] == ["app-2 came on node-1", "app-1 went"]
        assert {origin.split("/")[2] for origin in seen.following.heard if "/" in origin} == {"app-2"}


def test_a_restarted_container_is_followed_on_with_the_end_of_its_last_run(world: World, cluster: Cluster) -> None:
    server = world.servers[CLUSTER]
    world.put(CLUSTER, pod("app-1"))
    write(world, "app-1", "one")
    with followed(one_pod(cluster, NAMESPACE, "app-1")) as seen:
        seen.until(lambda: "one" in seen.lines)

        def crash() -> None:
            server.cut_streams()
            server.append_log(NAMESPACE, "app-1", "last words")
            server.restart_container(NAMESPACE, "app-1", "main", reason="OOMKilled")
            server.append_log(NAMESPACE, "app-1", "begun anew")

        world.loop.call(crash)
        seen.until(lambda: "begun anew" in seen.lines)
        assert seen.lines == ["one", "last words", "begun anew"]
        assert [one.text for one in seen.notices] == ["app-1 was restarted (OOMKilled); it is followed on"]

        def crash_twice() -> None:
            server.cut_streams()
            for words in ("of the second run", "of the third run"):
                server.append_log(NAMESPACE, "app-1", words)
                server.restart_container(NAMESPACE, "app-1", "main")
            server.append_log(NAMESPACE, "app-1", "of the fourth run")

        world.loop.call(crash_twice)
        seen.until(lambda: "of the fourth run" in seen.lines)
        assert seen.lines[3:] == ["of the third run", "of the fourth run"]
        assert seen.kinds() == ["again", "gap", "again"]


def test_lines_that_the_server_has_forgotten_meanwhile_are_a_marked_gap(world: World, cluster: Cluster) -> None:
    server = world.servers[CLUSTER]
    world.put(CLUSTER, pod("app-1"))
    write(world, "app-1", "one")
    with followed(one_pod(cluster, NAMESPACE, "app-1")) as seen:
        seen.until(lambda: "one" in seen.lines)

        def rotate() -> None:
            server.cut_streams()
            server.append_log(NAMESPACE, "app-1", "lost")
            server.log_of(NAMESPACE, "app-1", "main").forget()
            server.append_log(NAMESPACE, "app-1", "two")

        world.loop.call(rotate)
        seen.until(lambda: "two" in seen.lines)
        assert seen.lines == ["one", "two"]
        assert seen.kinds() == ["gap"]


def test_a_cluster_that_goes_away_is_said_and_nothing_is_lost_over_it(
    world: World, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.systems.cluster.log._WORTH_TELLING", 0.0)
    server = world.servers[CLUSTER]
    world.put(CLUSTER, pod("app-1"))
    write(world, "app-1", "one")
    with followed(one_pod(cluster, NAMESPACE, "app-1")) as seen:
        seen.until(lambda: "one" in seen.lines)

        def away() -> None:
            server.faults.refuse = True
            server.cut_streams()
            server.append_log(NAMESPACE, "app-1", "meanwhile")

        world.loop.call(away)
        seen.until(lambda: "problem" in seen.kinds())
        world.loop.call(lambda: setattr(server.faults, "refuse", False))
        seen.until(lambda: "meanwhile" in seen.lines and "again" in seen.kinds())
        assert seen.lines == ["one", "meanwhile"]


def test_where_watching_is_forbidden_pods_are_looked_for(
    world: World, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.systems.cluster.pod_watch._POLL_SECONDS", 0.1)
    world.loop.call(world.servers[CLUSTER].deny, "watch", "pods")
    world.put(CLUSTER, pod("app-1", labels={"app": "x"}))
    with followed(selected(cluster, NAMESPACE, "app=x")) as seen:
        seen.until(lambda: seen.following.heard)
        world.put(CLUSTER, pod("app-2", labels={"app": "x"}))
        write(world, "app-2", "two")
        seen.until(lambda: "two" in seen.lines)


def test_following_is_closed_at_once_from_another_thread(world: World, cluster: Cluster) -> None:
    world.put(CLUSTER, pod("app-1"))
    write(world, "app-1", "one")
    with followed(one_pod(cluster, NAMESPACE, "app-1")) as seen:
        seen.until(lambda: "one" in seen.lines)
        rest: list[object] = []
        thread = threading.Thread(target=lambda: rest.extend(seen.following.batches(60)))
        thread.start()
        seen.following.close()
        thread.join(5)
        assert not thread.is_alive()
    assert not [one for one in threading.enumerate() if "app-1" in one.name]


def test_the_past_is_read_side_by_side_with_init_containers_and_earlier_runs(world: World, cluster: Cluster) -> None:
    first = pod("app-1", labels={"app": "x"})
    first["spec"]["initContainers"] = [{"name": "setup", "image": "x"}]
    first["status"]["initContainerStatuses"] = [{"name": "setup", "state": {"terminated": {"exitCode": 0}}}]
    world.put(CLUSTER, first)
    world.put(CLUSTER, pod("app-2", labels={"app": "x"}))
    write(world, "app-1", "setting up", at=AT, container="setup")
    write(world, "app-1", "before the restart", at=AT + 10, container="main")
    world.loop.call(world.servers[CLUSTER].restart_container, NAMESPACE, "app-1", "main")
    write(world, "app-2", "early", "middle", "late", at=AT + 9)
    write(world, "app-1", "after the restart", at=AT + 12, container="main")
    workload = selected(cluster, NAMESPACE, "app=x")

    def read(window: Window, **options: bool) -> list[str]:
        return [item.text for item in past([PodsSource(workload, **options)], window, SILENT)]

    everything = ["setting up", "early", "before the restart", "middle", "late", "after the restart"]
    assert sorted(read(Window(), previous=True)) == sorted(everything)
    assert read(Window(), previous=True)[:2] == ["setting up", "early"]
    assert read(Window()) == ["setting up", "early", "middle", "late", "after the restart"]
    assert read(Window(AT + 10, AT + 12)) == ["middle", "late"]
    (line,) = (item for item in past([PodsSource(workload)], Window(AT + 12), SILENT) if isinstance(item, Line))
    assert line.stream.origin == f"{CLUSTER}/{NAMESPACE}/app-1/main"


def test_a_past_log_that_is_cut_is_read_to_its_end(world: World, cluster: Cluster) -> None:
    world.put(CLUSTER, pod("app-1"))
    world.loop.call(lambda: setattr(world.servers[CLUSTER].faults, "cut_logs_after", 9))
    write(world, "app-1", *(f"line {number}" for number in range(8)), at=AT)
    write(world, "app-1", *(f"line {number}" for number in range(8, 16)), at=AT + 5 * 10**9)
    found = [item.text for item in past([PodsSource(one_pod(cluster, NAMESPACE, "app-1"))], Window(), SILENT)]
    assert found == [f"line {number}" for number in range(16)]


def test_one_container_that_cannot_be_read_is_a_notice_and_all_of_them_an_error(world: World, cluster: Cluster) -> None:
    world.put(CLUSTER, pod("app-1", labels={"app": "x"}))
    waiting = pod("app-2", labels={"app": "x"}, phase="Pending")
    waiting["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ImagePullBackOff", "message": "no"}}
    world.put(CLUSTER, waiting)
    write(world, "app-1", "one")
    source = PodsSource(selected(cluster, NAMESPACE, "app=x"))
    found = [*past([source], Window(), SILENT)]
    assert sorted(item.text for item in found) == ["app-2 waits: ImagePullBackOff (no)", "one"]
    world.loop.call(lambda: setattr(world.servers[CLUSTER].faults, "refuse", True))
    with pytest.raises(Unreachable):
        [*past([source], Window(), SILENT)]


def test_no_pod_is_an_error_that_says_where_it_looked(world: World, cluster: Cluster) -> None:
    world.put(CLUSTER, pod("app-1"))
    with pytest.raises(NotFound) as caught:
        [*past([PodsSource(selected(cluster, NAMESPACE, "app=none"))], Window(), SILENT)]
    assert CLUSTER in caught.value.message
    assert "-l app=none" in caught.value.by_hand[0]


def test_the_cache_managers_last_run_is_read_and_its_next_one_followed(world: World, cluster: Cluster) -> None:
    async def runner(run: Run) -> int:
        run.log(f"I am {run.job['metadata']['name']}")
        return 0

    world.runner = runner
    world.put(CLUSTER, cronjob())
    part = model.CacheManager(cluster=CLUSTER, namespace=NAMESPACE, cronjob=CRONJOB)
    source = PodsSource(cache_manager(connections(world, cache_manager=part)))
    found = cluster.cronjob(NAMESPACE, CRONJOB)
    assert found is not None

    def run(name: str) -> None:
        cluster.create_job(manual_job(found, name), Permit("a plan"))

    with Following([source], AT, reorder=0.05) as following:
        seen = Watcher(following)
        run("first")
        seen.until(lambda: "I am first" in seen.lines)
        run("second")
        seen.until(lambda: "I am second" in seen.lines)
        world.put(CLUSTER, pod("stranger", labels={"job-name": "stranger"}))
    assert [item.text for item in past([source], Window(), SILENT)][-1] == "I am second"
    assert [item.text for item in past([source], Window(AT), SILENT)] == ["I am first", "I am second"]


def test_each_part_has_its_own_cluster_and_says_where_it_is_not_set(world: World) -> None:
    with pytest.raises(ConfigurationError, match=r"cache_manager\.cluster is empty"):
        cache_manager(connections(world))
    with pytest.raises(ConfigurationError, match=r"app\.deployment is empty"):
        app(connections(world, app=model.App(cluster=CLUSTER)))


def test_a_deployment_that_is_not_there_says_where_to_correct_it(world: World) -> None:
    part = model.App(cluster=CLUSTER, namespace=NAMESPACE, deployment="nowhere")
    with pytest.raises(NotFound) as caught:
        [*past([PodsSource(app(connections(world, app=part)))], Window(), SILENT)]
    assert f"nowhere in namespace {NAMESPACE} of cluster {CLUSTER}" in caught.value.message
    assert ".deployment" in caught.value.hint
