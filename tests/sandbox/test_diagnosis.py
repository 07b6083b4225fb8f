"""`toolkit why` over the sandbox's scenarios: the right cause, no other, and none where nothing is wrong."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from typing import Any

import pytest
from conftest import Sandbox
from outside import Outside

from toolkit.sandbox import client
from toolkit.sandbox.perturbations import known_genes
from toolkit.sandbox.scenarios import SCENARIOS

ON = ("--env", "sandbox", "-o", "json")


def asked(sandbox: Sandbox, symptom: dict[str, Any], code: int | None = 1) -> Any:
    pert = [symptom["pert"]] if symptom["pert"] else []
    group = ["--group", symptom["group"]] if symptom["group"] else []
    who = ["--access", symptom["who"]] if "@" in (symptom.get("who") or "") else []
    return sandbox.run("why", *pert, *group, *who, *ON, code=code).json()


def causes(answer: Any) -> list[str]:
    return [one["cause"] for one in answer["verdict"]["causes"]]


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_alone(sandbox: Sandbox, name: str) -> None:
    status = client.apply_scenario([name])
    answer = asked(sandbox, status["symptom"])
    assert causes(answer) == [name], answer
    assert set(answer) == {"question", "verdict", "findings", "ruled_out"}
    assert answer["verdict"]["ours"] or answer["verdict"]["ask"]
    because = answer["verdict"]["causes"][0]["because"]
    assert set(because) <= {finding["check"] for finding in answer["findings"]}
    assert name not in [one["cause"] for one in answer["ruled_out"]]


def test_why_a_rebuild_failed_is_known_although_its_pod_is_gone(sandbox: Sandbox) -> None:
    client.apply_scenario(["rebuild-failed"])
    world = Outside()
    part = world.environment.cache_manager
    job = world.jobs()[0]["metadata"]["name"]
    path = f"/api/v1/namespaces/{part.namespace}/pods"
    for pod in world.kube(part.cluster, f"{path}?labelSelector=job-name%3D{job}")["items"]:
        world.kube(part.cluster, f"{path}/{pod['metadata']['name']}", method="DELETE")
    answer = asked(sandbox, {"pert": None, "group": None})
    assert causes(answer) == ["rebuild-failed"]
    last = next(one["summary"] for one in answer["findings"] if one["check"] == "last-rebuild")
    assert "ArrowInvalid: ListType can only be casted" in last
    assert "its pod is gone" in last


def test_the_layers_and_the_runs_are_read_once_in_a_run_and_anew_in_the_next(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolkit.cache import layers
    from toolkit.systems.cluster import Cluster

    seen: list[str] = []
    read, jobs_of = layers.read, Cluster.jobs_of
    monkeypatch.setattr(layers, "read", lambda connections: (seen.append("layers"), read(connections))[1])
    monkeypatch.setattr(Cluster, "jobs_of", lambda self, one: (seen.append("runs"), jobs_of(self, one))[1])
    for _ in range(2):
        assert causes(asked(sandbox, {"pert": "BRCA1", "group": None}, code=0)) == ["healthy"]
        assert sorted(seen) == ["layers", "runs"]
        seen.clear()


def test_no_sdk_is_imported_that_it_can_do_without(sandbox: Sandbox) -> None:
    shutil.rmtree(sandbox.home / "cache", ignore_errors=True)  # so that frames are read, pickled ones too
    code = f"import sys; from toolkit.__main__ import run; run(['why', 'BRCA1', *{ON!r}]); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100)
    loaded = set(done.stdout.split())
    assert {"redis", "hvac", "pyarrow"} <= loaded
    assert not loaded & {"kubernetes", "google.cloud.storage", "grpc", "pandas"}


def test_healthy(sandbox: Sandbox) -> None:
    answer = sandbox.run("why", "BRCA1", *ON, code=0).json()
    assert causes(answer) == ["healthy"]
    assert "Group Label" in answer["verdict"]["ask"]


def test_fifty_perts_of_a_healthy_world_have_no_cause(sandbox: Sandbox) -> None:
    from toolkit.cache.search import find
    from toolkit.checks import cached_perts
    from toolkit.checks.diagnosis import asking
    from toolkit.checks.diagnosis.cause import Asked
    from toolkit.checks.diagnosis.verdict import verdict
    from toolkit.opening import choose

    connections = choose("sandbox", lambda _: None).connect()
    try:
        findings = {finding.name: finding for finding in asking.findings(connections, Asked("BRCA1"))}
        group = findings["pert-in-cache"].facts["group"]
        perts = random.Random(5).sample(sorted(known_genes()), 45) + [f"REC-0000{number}" for number in range(121, 126)]
        answers = find.find(connections, perts)
    finally:
        connections.close()
    there = [found for found in answers.found if found.exact]
    assert len(there) >= 40
    for found in there:
        findings["pert-in-cache"] = cached_perts.finding(found, "", group)
        assert verdict(Asked(found.query), findings).healthy, found.query


@pytest.mark.parametrize(
    "names",
    [
        ("access-not-in-okta-group", "pert-misspelled"),
        ("group-evicted", "rebuild-failed"),
        ("half-written-group", "redis-flushed"),
        ("image-drift", "vault-sealed"),
        ("image-drift", "wrong-cluster"),
        ("not-rebuilt-since-built", "rebuild-running"),
        ("not-rebuilt-since-built", "wrong-cluster"),
        ("transformation-missing", "group-evicted"),
        ("transformation-missing", "l1-stale"),
        ("transformation-missing", "not-rebuilt-since-built"),
        ("transformation-missing", "vault-sealed"),
        ("pert-in-another-group", "vault-sealed"),
        ("vectors-denormalized", "nan-vectors"),
        ("wrong-cluster", "rebuild-running"),
    ],
    ids=" and ".join,
)
def test_two_at_once_are_both_named(sandbox: Sandbox, names: tuple[str, str]) -> None:
    symptoms = client.apply_scenario(list(names))["symptoms"]
    found = {cause for symptom in symptoms for cause in causes(asked(sandbox, symptom))}
    assert found == set(names)


def test_what_cannot_be_told_is_not_guessed(sandbox: Sandbox) -> None:
    client.apply_scenario(["redis-flushed", "vault-sealed"])
    ran = sandbox.run("why", "BRCA1", "--env", "sandbox", code=1)
    assert "Cause: vault-sealed" in ran.out
    assert "redis-flushed (groups-complete has no answer)" in ran.out
    assert "those who run Vault" in ran.out


def test_a_group_that_nobody_knows(sandbox: Sandbox) -> None:
    name = Outside().groups()[-1]
    ran = sandbox.run("why", "--group", name.removesuffix("_reduced"), "--env", "sandbox", code=3)
    assert name.endswith("_reduced")
    assert f"Did they mean {name}?" in ran.out


def test_what_comes_in_has_no_power_over_the_terminal(sandbox: Sandbox) -> None:
    ran = sandbox.run("why", "BR\x1b[2JCA1", "--env", "sandbox", code=1)
    assert "\x1b" not in ran.out + ran.err
