"""The scenarios about what is in the cache: as the toolkit's own commands show them, and as the servers do."""

from __future__ import annotations

import io

import numpy as np
import pyarrow.parquet as pq
from conftest import Sandbox
from outside import Outside, state

from toolkit.sandbox import client
from toolkit.sandbox.builds import FRAMES
from toolkit.sandbox.perturbations import known_genes

ON = ("--env", "sandbox", "-o", "json")


def test_nothing_is_broken_where_only_the_question_is_wrong(sandbox: Sandbox) -> None:
    names = ["pert-misspelled", "never-screened", "wrong-concentration"]
    symptoms = client.apply_scenario(names)["symptoms"]
    listed = sandbox.run("groups", "list", *ON).json()
    assert [group["l3"]["frames"] for group in listed] == [8] * 5
    assert [group["l2"]["frames"] for group in listed if group["rank"]] == [8] * 3
    misspelled, never, concentration = (
        sandbox.run("groups", "find", symptom["pert"], *ON, code=1).json() for symptom in symptoms
    )
    assert [found["matches"] for found in (misspelled, never, concentration)] == [[], [], []]
    assert misspelled["near"][0]["pert"] == "BRCA1"
    assert (never["near"], never["query"] in known_genes()) == ([], False)
    assert "not at 30 µM" in concentration["near"][0]["why"]


def test_group_evicted(sandbox: Sandbox) -> None:
    usual = Outside().groups()
    symptom = client.apply_scenario(["group-evicted"])["symptom"]
    world = Outside()
    assert symptom["group"] == usual[0]
    assert world.groups()[:2] == usual[1:]
    assert not any(key.startswith(symptom["group"]) for key in world.frames())
    assert {f"{symptom['group']}/{frame}.parquet" for frame in FRAMES} < set(world.objects())
    assert state(world.jobs()[0]) == "Complete"
    assert f"Group {symptom['group']} is in the bucket alone" in world.log(world.jobs()[0])
    listed = {group["name"]: group for group in sandbox.run("groups", "list", *ON).json()}
    evicted = listed[symptom["group"]]
    assert (evicted["rank"], evicted["l2"]["present"], evicted["l3"]["frames"]) == (None, False, 8)
    assert len(listed) == 6


def test_pert_in_another_group(sandbox: Sandbox) -> None:
    symptom = client.apply_scenario(["pert-in-another-group"])["symptom"]
    world = Outside()
    *older, newest = world.groups()
    for frame in FRAMES[:4]:
        perts = pq.read_table(io.BytesIO(world.read(f"{newest}/{frame}.parquet")), columns=["pert"])["pert"]
        assert symptom["pert"] not in perts.to_pylist()
    found = sandbox.run("groups", "find", symptom["pert"], *ON).json()
    assert {match["group"] for match in found["matches"] if match["layer"] == "L2"} == set(older)
    assert {absent["layer"] for absent in found["absent_from"] if absent["group"] == newest} == {"L2", "L3"}
    assert {group["l3"]["frames"] for group in sandbox.run("groups", "list", *ON).json()} == {8}


def test_damaged_vectors_are_in_both_layers_and_in_the_newest_group_alone(sandbox: Sandbox) -> None:
    status = client.apply_scenario(["vectors-denormalized", "nan-vectors"])
    world = Outside()
    *_, older, newest = world.groups()
    assert {symptom["group"] for symptom in status["symptoms"]} == {newest}
    for group, frame, damaged in (
        (newest, "genes_normalized", True),
        (newest, "compounds_split_by_normalized", True),
        (newest, "genes", False),
        (older, "genes_normalized", False),
    ):
        content = world.read(f"{group}/{frame}.parquet")
        with world.redis() as redis:
            assert redis.get(f"{group}:{frame}") == content
        table = pq.read_table(io.BytesIO(content))
        vectors = table["vector"].combine_chunks().flatten().to_numpy().reshape(-1, 128)
        norms = np.linalg.norm(vectors, axis=1)
        assert np.isnan(norms).any() == damaged
        assert np.nanmin(norms) > 5 if damaged else np.allclose(norms, 1, atol=1e-5)
    assert sandbox.run("groups", "find", status["symptoms"][1]["pert"], *ON).json()["matches"]


def test_half_written_group(sandbox: Sandbox) -> None:
    symptom = client.apply_scenario(["half-written-group"])["symptom"]
    world = Outside()
    job = world.jobs()[0]
    log = world.log(job)
    assert state(job) == "Failed"
    assert "Traceback" not in log
    assert log.rstrip().endswith("Received SIGTERM, stopping")
    part = world.environment.cache_manager
    pods = f"/api/v1/namespaces/{part.namespace}/pods?labelSelector=job-name%3D{job['metadata']['name']}"
    (pod,) = world.kube(part.cluster, pods)["items"]
    assert (pod["status"]["phase"], pod["status"]["reason"]) == ("Failed", "Evicted")
    assert "ephemeral-storage" in pod["status"]["message"]
    listed = {group["name"]: group for group in sandbox.run("groups", "list", *ON).json()}
    half = listed.pop(symptom["group"])
    assert (half["rank"], half["l2"]["present"], half["l3"]["frames"]) == (None, False, 5)
    assert [group["l3"]["frames"] for group in listed.values()] == [8] * 4
    assert len(world.groups()) == 3
    assert len(world.frames()) == 24
    found = sandbox.run("groups", "find", symptom["pert"], *ON).json()
    assert [(one["group"], one["frame"]) for one in found["unreadable"]] == [(symptom["group"], "compounds")]
    assert symptom["group"] not in {match["group"] for match in found["matches"]}


def test_two_that_contradict_each_other_change_nothing(sandbox: Sandbox) -> None:
    ran = sandbox.run("sandbox", "scenario", "rebuild-running", "redis-flushed", code=2)
    assert "no rebuild came after the FLUSHALL" in ran.err
    assert "Choose one of the two" in ran.err
    assert sandbox.run("sandbox", "status", "-o", "json").json()["scenarios"] == ["healthy"]
