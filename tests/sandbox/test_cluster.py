"""One cluster as the toolkit sees it, against a sandbox cluster with TLS and a token."""

from __future__ import annotations

import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from cluster_fixtures import CRONJOB, IMAGE, NAMESPACE, World, clusters, cronjob, pod, until

from toolkit import paths
from toolkit.environments import model
from toolkit.errors import ConfigurationError, ExitCode, NotAllowed, NotFound, Refused, TimedOut, Unreachable
from toolkit.permit import Permit
from toolkit.sandbox.kubernetes.cronjobs import Run
from toolkit.systems.cluster import Cluster, Forbidden
from toolkit.systems.cluster import requests as cluster_requests
from toolkit.systems.cluster.access import contexts
from toolkit.systems.cluster.jobs import manual_job, manual_name
from toolkit.systems.cluster.requests import Conflict


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with clusters(tmp_path_factory.mktemp("clusters"), "prod-cluster", tls=True) as world:
        yield world


@pytest.fixture
def world(shared: World) -> Iterator[World]:
    """The shared world with nothing in it, and nothing wrong with it."""
    yield shared
    server = shared.servers["prod-cluster"]

    def clean() -> None:
        server.faults = type(server.faults)()
        server.accounts.by_token = {}
        server.grant(server.token, "on-call")
        if server.get("Namespace", "", NAMESPACE):
            server.delete("Namespace", "", NAMESPACE)

    shared.loop.call(clean)


@pytest.fixture
def cluster(world: World) -> Iterator[Cluster]:
    found = Cluster("prod-cluster", world.part("prod-cluster"))
    yield found
    found.close()


def fault(world: World, **what: object) -> None:
    server = world.servers["prod-cluster"]
    world.loop.call(lambda: [setattr(server.faults, name, value) for name, value in what.items()])


# -- which cluster


def test_an_empty_context_is_a_configuration_error_that_lists_the_contexts(world: World) -> None:
    part = model.Cluster(kubeconfig=str(world.kubeconfig))
    with pytest.raises(ConfigurationError) as caught:
        Cluster("prod-cluster", part).version()
    assert "clusters.prod-cluster.context is empty" in caught.value.message
    assert "ctx-prod-cluster" in caught.value.hint


def test_the_current_context_is_never_used(world: World, tmp_path: Path) -> None:
    table = yaml.safe_load(world.kubeconfig.read_text())
    table["current-context"] = "ctx-prod-cluster"
    file = tmp_path / "with-a-current-context.yaml"
    file.write_text(yaml.safe_dump(table))
    with pytest.raises(ConfigurationError):
        Cluster("prod-cluster", model.Cluster(kubeconfig=str(file))).version()


def test_a_mistyped_context_names_the_nearest(world: World) -> None:
    part = model.Cluster(context="ctx-prod-clutser", kubeconfig=str(world.kubeconfig))
    with pytest.raises(ConfigurationError) as caught:
        Cluster("prod-cluster", part).version()
    assert "Did you mean 'ctx-prod-cluster'?" in caught.value.hint


def test_the_kubeconfig_variable_names_several_files(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'missing'}:{world.kubeconfig}")
    assert contexts(model.Cluster()) == ("ctx-prod-cluster",)
    found = Cluster("prod-cluster", model.Cluster(context="ctx-prod-cluster"))
    assert found.version().startswith("v1.")
    found.close()


def test_no_kubeconfig_at_all_says_where_it_was_looked_for(tmp_path: Path) -> None:
    part = model.Cluster(context="x", kubeconfig=str(tmp_path / "nothing.yaml"))
    with pytest.raises(ConfigurationError) as caught:
        Cluster("prod-cluster", part).version()
    assert "nothing.yaml" in caught.value.message


def test_a_broken_kubeconfig_never_shows_its_text(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("users:\n- name: me\n  user:\n    token: sesame-open\n   bad: [")
    with pytest.raises(ConfigurationError) as caught:
        Cluster("prod-cluster", model.Cluster(context="x", kubeconfig=str(file))).version()
    assert "sesame-open" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__!r}"
    assert "line" in caught.value.message


def test_a_cluster_is_remembered_and_another_under_its_name_is_refused(world: World, cluster: Cluster) -> None:
    met = cluster.identity()
    assert met.uid == world.servers["prod-cluster"].uid
    assert met.known_since is not None
    assert cluster.identity().known_since == met.known_since
    assert stat.S_IMODE((paths.state() / "clusters.json").stat().st_mode) == 0o600

    world.loop.call(
        world.servers["prod-cluster"].store._objects[("Namespace", "", "kube-system")]["metadata"].update, uid="rebuilt"
    )
    try:
        with pytest.raises(Refused) as caught:
            cluster.identity()
    finally:
        world.loop.call(
            world.servers["prod-cluster"].store._objects[("Namespace", "", "kube-system")]["metadata"].update,
            uid=met.uid,
        )
    assert "rebuilt" in caught.value.message
    assert met.uid in caught.value.message
    assert "clusters.json" in caught.value.hint


# -- bad days


def test_an_unreachable_cluster_is_named_with_its_address_and_way_in(tmp_path: Path) -> None:
    with clusters(tmp_path, "prod-cluster") as own:
        part = own.part("prod-cluster")
    found = Cluster("prod-cluster", part)
    with pytest.raises(Unreachable) as caught:
        found.version()
    assert caught.value.exit_code == ExitCode.UNREACHABLE
    assert "127.0.0.1" in caught.value.message
    assert "ctx-prod-cluster" in caught.value.message
    assert "refused" in caught.value.message
    assert "Pomerium" in caught.value.hint


def test_a_cluster_that_hangs_is_a_timeout(world: World, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.version()
    monkeypatch.setattr(cluster_requests, "READ_SECONDS", 0.2)
    fault(world, hang=True)
    with pytest.raises(TimedOut) as caught:
        cluster.version()
    assert "does not answer in time" in caught.value.message


def test_a_passing_fault_is_tried_again(world: World, cluster: Cluster) -> None:
    fault(world, status=503)
    threading.Timer(0.1, lambda: fault(world, status=0)).start()
    assert cluster.version().startswith("v1.")


def test_a_lasting_fault_is_given_up(world: World, cluster: Cluster) -> None:
    fault(world, status=503)
    with pytest.raises(Unreachable) as caught:
        cluster.version()
    assert "503" in caught.value.message


def test_a_login_page_before_the_cluster_is_recognised(world: World, cluster: Cluster) -> None:
    fault(world, html=True)
    with pytest.raises(Unreachable) as caught:
        cluster.version()
    assert "text/html" in caught.value.message
    assert "Pomerium" in caught.value.hint


def test_an_expired_credential_is_not_allowed(world: World, cluster: Cluster) -> None:
    world.loop.call(world.servers["prod-cluster"].revoke, "token-of-prod-cluster")
    with pytest.raises(NotAllowed) as caught:
        cluster.cronjob(NAMESPACE, CRONJOB)
    assert caught.value.exit_code == ExitCode.NOT_ALLOWED
    assert not isinstance(caught.value, Forbidden)
    assert "expired" in caught.value.message
    assert "gcloud" in caught.value.hint
    assert "token-of-prod-cluster" not in str(caught.value)


def test_a_refusal_says_verb_resource_and_namespace(world: World, cluster: Cluster) -> None:
    world.put("prod-cluster", cronjob())
    world.loop.call(world.servers["prod-cluster"].deny, "get", "cronjobs")
    with pytest.raises(Forbidden) as caught:
        cluster.cronjob(NAMESPACE, CRONJOB)
    for word in ("get", "cronjobs", NAMESPACE):
        assert word in caught.value.message


def test_an_untrusted_certificate_is_said(world: World, tmp_path: Path) -> None:
    table = yaml.safe_load(world.kubeconfig.read_text())
    del table["clusters"][0]["cluster"]["certificate-authority"]
    file = tmp_path / "no-authority.yaml"
    file.write_text(yaml.safe_dump(table))
    with pytest.raises(Unreachable) as caught:
        Cluster("prod-cluster", model.Cluster(context="ctx-prod-cluster", kubeconfig=str(file))).version()
    assert "not trusted" in caught.value.message


def plugin(world: World, tmp_path: Path, script: str | None, **extra: object) -> model.Cluster:
    """A kubeconfig whose user logs in through a program; `script` is its text (None: it is not installed)."""
    command = tmp_path / "gke-gcloud-auth-plugin"
    if script is not None:
        command.write_text("#!/bin/sh\n" + script)
        command.chmod(0o755)
    table = yaml.safe_load(world.kubeconfig.read_text())
    version = "client.authentication.k8s.io/v1beta1"
    table["users"][0]["user"] = {"exec": {"apiVersion": version, "command": str(command), **extra}}
    file = tmp_path / "plugin.yaml"
    file.write_text(yaml.safe_dump(table))
    return model.Cluster(context="ctx-prod-cluster", kubeconfig=str(file))


def test_a_login_program_gives_the_token_and_a_fresh_one_when_it_expires(world: World, tmp_path: Path) -> None:
    count = tmp_path / "count"
    script = f"""echo x >> {count}
    printf '{{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential",'
    printf '"status":{{"token":"token-%s"}}}}' "$(wc -l < {count} | tr -d ' ')"
    """
    world.loop.call(world.servers["prod-cluster"].grant, "token-1", "on-call")
    found = Cluster("prod-cluster", plugin(world, tmp_path, script))
    assert found.version()
    world.loop.call(world.servers["prod-cluster"].revoke, "token-1")
    world.loop.call(world.servers["prod-cluster"].grant, "token-2", "on-call")
    assert found.version()
    assert count.read_text().count("x") == 2
    found.close()


def test_a_missing_login_program_is_not_allowed_and_says_how_to_install_it(world: World, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed) as caught:
        Cluster("prod-cluster", plugin(world, tmp_path, None)).version()
    assert "gke-gcloud-auth-plugin" in caught.value.message
    assert "gcloud components install" in caught.value.hint


def test_a_failing_login_program_is_quoted_and_nothing_reaches_the_terminal(
    world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    part = plugin(world, tmp_path, "echo 'ERROR: Reauthentication failed' >&2; exit 1")
    with pytest.raises(NotAllowed) as caught:
        Cluster("prod-cluster", part).version()
    assert "Reauthentication failed" in caught.value.message
    assert "gcloud auth login" in caught.value.hint
    assert capfd.readouterr() == ("", "")


def test_a_babbling_login_program_gives_nothing_away(world: World, tmp_path: Path) -> None:
    part = plugin(world, tmp_path, """printf '{"status":{"tokem":"sesame-open"}}'""")
    with pytest.raises(NotAllowed) as caught:
        Cluster("prod-cluster", part).version()
    assert "sesame-open" not in str(caught.value)


# -- what is there


def service(**status: object) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "redis-proxy", "namespace": NAMESPACE},
        "spec": {"type": "LoadBalancer", "ports": [{"name": "metrics", "port": 9121}, {"name": "redis", "port": 6380}]},
        "status": status,
    }


def test_a_service_is_reached_at_its_load_balancer(world: World, cluster: Cluster) -> None:
    world.put("prod-cluster", service(loadBalancer={"ingress": [{"ip": "203.0.113.7"}]}))
    assert cluster.service_address(NAMESPACE, "redis-proxy") == ("203.0.113.7", 6380)
    assert cluster.service_address("", "redis-proxy") == ("203.0.113.7", 6380)
    world.put("prod-cluster", service(loadBalancer={"ingress": [{"hostname": "proxy.example"}]}))
    assert cluster.service_address(NAMESPACE, "redis-proxy")[0] == "proxy.example"


def test_a_service_without_an_address_yet_says_so(world: World, cluster: Cluster) -> None:
    world.put("prod-cluster", service())
    with pytest.raises(NotFound) as caught:
        cluster.service_address(NAMESPACE, "redis-proxy")
    assert "waiting for its load balancer" in caught.value.message
    with pytest.raises(NotFound) as caught:
        cluster.service_address(NAMESPACE, "redis-poxy")
    assert "no Service redis-poxy" in caught.value.message


def test_a_cronjob_is_read_and_found_without_a_namespace(world: World, cluster: Cluster) -> None:
    world.put("prod-cluster", cronjob())
    found = cluster.cronjob(NAMESPACE, CRONJOB)
    assert found is not None
    assert (found.schedule, found.time_zone, found.concurrency_policy) == ("0 1 * * 5", "Etc/UTC", "Forbid")
    assert found.images == (IMAGE,)
    assert not found.suspended
    assert cluster.cronjob("", CRONJOB) == found
    assert cluster.find_cronjobs(CRONJOB) == [found]
    assert cluster.cronjob(NAMESPACE, "nothing") is None
    assert cluster.cronjob("nowhere", CRONJOB) is None


def test_one_cronjob_in_two_namespaces_has_to_be_told_apart(world: World, cluster: Cluster) -> None:
    world.put("prod-cluster", cronjob())
    world.put("prod-cluster", cronjob(namespace="another"))
    try:
        with pytest.raises(ConfigurationError) as caught:
            cluster.cronjob("", CRONJOB)
        assert f"another, {NAMESPACE}" in caught.value.message
    finally:
        world.loop.call(world.servers["prod-cluster"].delete, "Namespace", "", "another")


def test_what_i_may_is_asked(world: World, cluster: Cluster) -> None:
    assert cluster.may_i("create", "jobs", NAMESPACE, "batch")
    world.loop.call(world.servers["prod-cluster"].deny, "create", "jobs", NAMESPACE)
    assert not cluster.may_i("create", "jobs", NAMESPACE, "batch")
    assert cluster.may_i("get", "pods/log", NAMESPACE)


# -- a Job by hand


def test_a_job_by_hand_is_run_and_listed(world: World, cluster: Cluster) -> None:
    world.put("prod-cluster", cronjob())
    found = cluster.cronjob(NAMESPACE, CRONJOB)
    assert found is not None
    name = manual_name(CRONJOB)
    made = cluster.create_job(manual_job(found, name), Permit("a plan"))
    assert (made.name, made.manual, made.owner_uid) == (name, True, found.uid)

    def over() -> bool:
        job = cluster.job(NAMESPACE, name)
        return job is not None and job.over

    until(over, "the job is over")
    (job,) = cluster.jobs_of(found)
    assert (job.state, job.image, job.failures) == ("complete", IMAGE, 0)
    (ran,) = cluster.pods(NAMESPACE, f"job-name={name}")
    assert ran.phase == "Succeeded"
    assert ran.exit_code == 0
    after = cluster.cronjob(NAMESPACE, CRONJOB)
    assert after is not None
    assert after.last_successful == job.finished


def test_nothing_is_made_without_a_permit(world: World, cluster: Cluster) -> None:
    world.put("prod-cluster", cronjob())
    found = cluster.cronjob(NAMESPACE, CRONJOB)
    assert found is not None
    permit = Permit("a plan")
    permit.revoke()
    with pytest.raises(Refused):
        cluster.create_job(manual_job(found, "by-hand"), permit)
    assert world.list("prod-cluster", "Job") == []


def test_a_name_that_is_taken_is_a_conflict(world: World, cluster: Cluster) -> None:
    world.put("prod-cluster", cronjob())
    found = cluster.cronjob(NAMESPACE, CRONJOB)
    assert found is not None
    cluster.create_job(manual_job(found, "by-hand"), Permit("a plan"))
    with pytest.raises(Conflict):
        cluster.create_job(manual_job(found, "by-hand"), Permit("a plan"))


def test_a_job_whose_answer_got_lost_is_found_and_not_made_twice(
    world: World, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put("prod-cluster", cronjob())
    found = cluster.cronjob(NAMESPACE, CRONJOB)
    assert found is not None
    create = cluster._api.create

    def lost(*args: object, **kwargs: object) -> None:
        create(*args, **kwargs)  # type: ignore[arg-type]
        raise Unreachable("the connection broke.")

    monkeypatch.setattr(cluster._api, "create", lost)
    made = cluster.create_job(manual_job(found, "by-hand"), Permit("a plan"))
    assert made.name == "by-hand"
    assert len(world.list("prod-cluster", "Job")) == 1


# -- logs


def test_a_log_is_followed_to_the_end_of_its_pod(world: World, cluster: Cluster) -> None:
    async def runner(run: Run) -> int:
        for number in range(50):
            run.log(f"line {number}")
        return 0

    world.runner = runner
    world.put("prod-cluster", cronjob())
    found = cluster.cronjob(NAMESPACE, CRONJOB)
    assert found is not None
    cluster.create_job(manual_job(found, "by-hand"), Permit("a plan"))
    (ran,) = until(lambda: cluster.pods(NAMESPACE, "job-name=by-hand"), "the pod is there")
    log = cluster.follow_pod_log(NAMESPACE, ran.name)
    assert [line.text for line in log] == [f"line {number}" for number in range(50)]
    assert log.ended == "the pod has ended"


def test_a_log_goes_on_after_every_cut_with_nothing_lost_and_nothing_twice(world: World, cluster: Cluster) -> None:
    world.put("prod-cluster", pod("app-1"))
    fault(world, cut_logs_after=7)
    log = cluster.follow_pod_log(NAMESPACE, "app-1")
    wanted = [f"line {number}" for number in range(40)] + ["the same", "the same", "the same", "last"]
    server = world.servers["prod-cluster"]

    def write() -> None:
        # Seven lines at most come through one connection: a second holds fewer than that.
        for number, text in enumerate(wanted):
            server.append_log(NAMESPACE, "app-1", text, at=1_790_000_000_000_000_000 + number * 300_000_000)

    world.loop.call(write)
    seen = []
    for line in log:
        seen.append(line.text)
        if line.text == "last":
            log.close()
    assert seen == wanted
    assert log.reconnects > 3
    assert log.ended == "closed"


def test_a_tail_stays_a_tail_after_a_cut(world: World, cluster: Cluster) -> None:
    world.put("prod-cluster", pod("app-1"))
    server = world.servers["prod-cluster"]
    at = 1_790_000_000_000_000_000
    world.loop.call(lambda: [server.append_log(NAMESPACE, "app-1", f"old {n}", at=at + n) for n in range(5)])
    log = cluster.follow_pod_log(NAMESPACE, "app-1", tail=2)
    seen = []
    for line in log:
        seen.append(line.text)
        if line.text == "old 4":
            world.loop.call(server.cut_streams)
            world.loop.call(server.append_log, NAMESPACE, "app-1", "new", at=at + 9)
        if line.text == "new":
            log.close()
    assert seen == ["old 3", "old 4", "new"]


@pytest.mark.parametrize("talking", [True, False])
def test_a_log_is_closed_at_once_from_another_thread(world: World, cluster: Cluster, talking: bool) -> None:
    world.put("prod-cluster", pod("app-1"))
    if talking:
        world.loop.call(world.servers["prod-cluster"].append_log, NAMESPACE, "app-1", "hello")
    log = cluster.follow_pod_log(NAMESPACE, "app-1")
    seen: list[str] = []
    thread = threading.Thread(target=lambda: seen.extend(line.text for line in log))
    thread.start()
    until(lambda: world.servers["prod-cluster"]._open, "the stream is open")
    log.close()
    thread.join(5)
    assert not thread.is_alive()
    assert log.ended == "closed"


def test_a_log_whose_answer_hangs_is_closed_at_once(world: World, cluster: Cluster) -> None:
    world.put("prod-cluster", pod("app-1"))
    cluster.version()
    fault(world, hang=True)
    log = cluster.follow_pod_log(NAMESPACE, "app-1")
    thread = threading.Thread(target=lambda: list(log))
    thread.start()
    until(lambda: log._sockets, "the connection is there")
    log.close()
    thread.join(5)
    assert not thread.is_alive()
    assert log.ended == "closed"


def test_a_log_that_fell_silent_is_asked_for_again(world: World, cluster: Cluster) -> None:
    world.put("prod-cluster", pod("app-1"))
    server = world.servers["prod-cluster"]
    world.loop.call(server.append_log, NAMESPACE, "app-1", "one")
    log = cluster.follow_pod_log(NAMESPACE, "app-1", silence=0.2)
    seen = []
    for line in log:
        seen.append(line.text)
        if line.text == "one":
            fault(world, hang_streams=True)
            world.loop.call(server.append_log, NAMESPACE, "app-1", "two")
            threading.Timer(0.5, lambda: fault(world, hang_streams=False)).start()
        else:
            log.close()
    assert seen == ["one", "two"]


def test_a_log_ends_when_its_pod_is_gone(world: World, cluster: Cluster) -> None:
    world.put("prod-cluster", pod("app-1"))
    server = world.servers["prod-cluster"]
    world.loop.call(server.append_log, NAMESPACE, "app-1", "one")
    log = cluster.follow_pod_log(NAMESPACE, "app-1")
    for _ in log:
        world.loop.call(server.delete, "Pod", NAMESPACE, "app-1")
        world.loop.call(server.cut_streams)
    assert log.ended == "the pod is gone"


def test_a_log_of_a_cluster_that_went_away_says_so(
    world: World, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.systems.cluster.log._FAILURES_IN_A_ROW", 2)
    world.put("prod-cluster", pod("app-1"))
    server = world.servers["prod-cluster"]
    world.loop.call(server.append_log, NAMESPACE, "app-1", "one")
    log = cluster.follow_pod_log(NAMESPACE, "app-1")

    def read() -> None:
        for _ in log:
            fault(world, refuse=True)
            world.loop.call(server.cut_streams)

    with pytest.raises(Unreachable):
        read()


def test_only_loopback_is_listened_on(world: World) -> None:
    host, port = world.servers["prod-cluster"]._host, world.servers["prod-cluster"]._port
    assert host == "127.0.0.1"
    outside = socket.gethostbyname(socket.gethostname())
    if not outside.startswith("127."):
        with pytest.raises((ConnectionError, TimeoutError)), socket.create_connection((outside, port), timeout=2):
            pass
