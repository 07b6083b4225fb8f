"""The sandbox's world when it is healthy: its layers agree, its data is what data of MapApp looks like."""

from __future__ import annotations

import io
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.parquet as pq
import pytest
import redis
import yaml
from conftest import Sandbox
from outside import Outside, by_hand, state, until
from redis.backoff import NoBackoff
from redis.retry import Retry

from toolkit.sandbox import client, data
from toolkit.sandbox.builds import FRAMES, BuiltGroup, built_groups
from toolkit.sandbox.perturbations import FULL, SMALL, Size, screen
from toolkit.sandbox.places import PLACES, scheduled_runs

BOTH = [place.name for place in PLACES]


@pytest.mark.parametrize("name", BOTH)
def test_the_layers_agree(sandbox: Sandbox, name: str) -> None:
    world = Outside(name)
    groups = world.groups()
    objects = world.objects()
    assert len(groups) == 3
    assert world.frames() == sorted(f"{group}:{frame}" for group in groups for frame in FRAMES)
    folders = {path.split("/")[0] for path in objects}
    assert len(folders) == 5
    assert set(groups) < folders
    assert set(objects) == {f"{group}/{frame}.parquet" for group in folders for frame in FRAMES}
    with world.redis() as connection:
        for group in groups:
            assert connection.get(f"{group}:genes") == world.read(f"{group}/genes.parquet")


@pytest.mark.parametrize("name", BOTH)
def test_a_frame_is_written_as_its_group_s_build_wrote_it(sandbox: Sandbox, name: str) -> None:
    world = Outside(name)
    kinds = {b"PAR1": "parquet", b"ARRO": "feather", b"\x80\x03cp": "pickle", b"\x28\xb5\x2f\xfd": "zstd"}
    in_bucket = {path.split("/")[0]: kinds[world.read(path)[:4]] for path in world.objects()}
    assert [in_bucket[group] for group in world.groups()] == ["feather", "parquet", "parquet"]
    older = sorted(in_bucket.keys() - set(world.groups()))
    assert [in_bucket[group] for group in older] == ["pickle", "zstd"]


@pytest.mark.parametrize("name", BOTH)
def test_scores_are_build_times_of_the_last_weeks(sandbox: Sandbox, name: str) -> None:
    with Outside(name).redis() as connection:
        scores = [score for _, score in connection.zrange("available-groups", 0, -1, withscores=True)]
    now = datetime.now(UTC).timestamp()
    assert scores == sorted(scores)
    assert all(now - 35 * 86400 < score < now for score in scores)


def test_a_frame_holds_unit_vectors_of_128_floats(sandbox: Sandbox) -> None:
    world = Outside()
    newest = world.groups()[-1]
    table = pq.read_table(io.BytesIO(world.read(f"{newest}/compounds_split_by_normalized.parquet")))
    vectors = table["vector"].combine_chunks().flatten().to_numpy().reshape(-1, 128)
    assert table.column_names == ["pert", "kind", "concentration", "experiment", "replicates", "vector"]
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    concentrations = {row for row, pert in zip(*(table[c].to_pylist() for c in ("concentration", "pert")), strict=True)
                      if pert == "REC-0000123"}  # fmt: skip
    assert len(concentrations) >= 4


def test_genes_have_no_concentration_and_known_symbols(sandbox: Sandbox) -> None:
    world = Outside()
    file = pq.ParquetFile(io.BytesIO(world.read(f"{world.groups()[-1]}/genes.parquet")))
    table = file.read()
    assert {"BRCA1", "TP53", "KRAS"} <= set(table["pert"].to_pylist())
    assert table["concentration"].null_count == table.num_rows
    assert file.metadata.num_row_groups > 1


@pytest.mark.parametrize("name", BOTH)
def test_the_token_in_vault_opens_redis_and_nothing_else_does(sandbox: Sandbox, name: str) -> None:
    world = Outside(name)
    host, port = world.proxy()
    once = Retry(NoBackoff(), 0)
    with (
        redis.Redis(host=host, port=port, protocol=2, retry=once) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()
    with world.redis() as connection:
        assert connection.ping()


def test_rp006_s_cache_manager_is_in_prod_cluster_alone(sandbox: Sandbox) -> None:
    world = Outside()
    assert [name for name in world.settings.clusters if world.cronjob(name)] == ["prod-cluster"]
    assert world.environment.app.cluster == "rp006-prod"


@pytest.mark.parametrize("name", BOTH)
def test_the_last_runs_are_to_be_seen(sandbox: Sandbox, name: str) -> None:
    world = Outside(name)
    jobs = world.jobs()
    assert [state(job) for job in jobs] == ["Complete", "Complete", "Complete", "Failed", "Complete", "Complete"]
    started = datetime.fromisoformat(jobs[0]["status"]["startTime"])
    assert started.astimezone(ZoneInfo("America/Denver")).strftime("%a %H:%M") == "Thu 18:00"
    log = world.log(jobs[0])
    assert log.startswith(f"{started:%Y-%m-%d} ")
    assert "Done: 3 groups in Redis, 5 in the bucket" in log
    assert "redis.exceptions.ConnectionError" in world.log(jobs[3])


@pytest.mark.parametrize("name", BOTH)
def test_the_app_s_pods_were_started_after_the_last_rebuild(sandbox: Sandbox, name: str) -> None:
    world = Outside(name)
    ended = datetime.fromisoformat(world.jobs()[0]["status"]["completionTime"])
    part = world.environment.app
    pods = world.kube(part.cluster, f"/api/v1/namespaces/{part.namespace}/pods?labelSelector=app%3D{part.deployment}")
    starts = [datetime.fromisoformat(pod["status"]["startTime"]) for pod in pods["items"]]
    assert len(starts) == 3
    assert all(ended < start < datetime.now(UTC) for start in starts)


@pytest.mark.parametrize("name", BOTH)
def test_eng_infrastructure_names_the_image_that_runs(sandbox: Sandbox, name: str) -> None:
    world = Outside(name)
    part = world.environment.infra_repo
    shown = subprocess.run(
        ["git", "show", f"{part.branch}:{part.path}"], cwd=part.remote, capture_output=True, check=True, timeout=30
    )
    declared, found = yaml.safe_load(shown.stdout), world.cronjob()
    assert found is not None
    assert declared["spec"] == found["spec"]
    assert ":v" in declared["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["image"]


def test_a_job_made_from_the_cronjob_reloads_the_groups(sandbox: Sandbox) -> None:
    sandbox.scenario("redis-flushed")
    world = Outside()
    before = world.objects()
    by_hand(world, "reload-by-hand")
    until(lambda: state(world.jobs()[0]) == "Complete", "the rebuild is complete")
    assert len(world.groups()) == 3
    assert len(world.frames()) == 24
    assert all(before[path]["generation"] < item["generation"] for path, item in world.objects().items())


def test_a_rebuild_without_the_right_token_fails_as_it_does_in_life(sandbox: Sandbox) -> None:
    sandbox.scenario("token-rotated")
    world = Outside()
    by_hand(world, "no-entry")
    until(lambda: state(world.jobs()[0]) == "Failed", "the rebuild has failed")
    assert "redis.exceptions.AuthenticationError" in world.log(world.jobs()[0])


def test_a_fault_lasts_until_it_is_healed(sandbox: Sandbox) -> None:
    world = Outside()
    client.set_faults("redis proxy of sandbox", {"cut": {"after": 0}})
    with pytest.raises(redis.ConnectionError), world.redis() as connection:
        connection.ping()
    client.set_faults("redis proxy of sandbox", None)
    assert len(world.groups()) == 3


def test_scheduled_runs_stay_at_six_in_the_evening_over_a_change_of_clocks() -> None:
    runs = scheduled_runs(datetime(2026, 11, 13, 12, tzinfo=UTC), 3)
    assert [f"{run:%F %H:%M}" for run in runs] == ["2026-11-13 01:00", "2026-11-06 01:00", "2026-10-30 00:00"]


def test_a_run_that_may_still_be_going_on_is_not_in_the_past() -> None:
    due = datetime(2026, 11, 13, 1, tzinfo=UTC)
    assert scheduled_runs(due + timedelta(hours=1), 1)[0] == due - timedelta(days=7)
    assert scheduled_runs(due + timedelta(hours=3), 1)[0] == due


def vectors(group: BuiltGroup, frame: str) -> tuple[list[str], np.ndarray]:
    batches = list(data.record_batches(group, frame))
    perts = [pert for batch in batches for pert in batch["pert"].to_pylist()]
    return perts, np.concatenate([batch["vector"].flatten().to_numpy().reshape(-1, 128) for batch in batches])


def test_pathways_compounds_and_seeds_are_in_the_data() -> None:
    group = built_groups("rp006", 6, datetime.now(UTC))[0]
    perts, genes = vectors(group, "genes_normalized")
    similar = dict(zip(perts, genes @ genes[perts.index("KRAS")], strict=True))
    assert similar["BRAF"] > 0.5
    assert similar["NF1"] < -0.5
    assert abs(similar["NOTCH1"]) < 0.4
    names, compounds = vectors(group, "compounds_normalized")
    toward = [float(row @ genes[perts.index("MTOR")]) for name, row in zip(names, compounds, strict=True)
              if name == "REC-0000123"]  # fmt: skip
    assert toward[0] < 0.3 < 0.8 < toward[-1]
    again = vectors(built_groups("rp006", 6, datetime.now(UTC))[0], "genes_normalized")[1]
    assert np.array_equal(genes, again)


def test_an_aggregated_vector_is_the_mean_of_its_split_ones() -> None:
    group = built_groups("rp006", 6, datetime.now(UTC))[0]
    _, whole = vectors(group, "genes")
    _, split = vectors(group, "genes_split_by")
    mean = split.reshape(len(whole), -1, 128).mean(axis=1)
    assert np.allclose(mean / np.linalg.norm(mean, axis=1, keepdims=True), whole, atol=1e-5)


def test_a_full_group_is_about_two_gigabytes_and_no_frame_too_big_for_redis() -> None:
    truth = screen(1, Size(FULL.genes, 60, 1, 1, 1))
    rows = {"genes": len(truth.genes), "compounds": FULL.compounds * 5}
    frames = {
        "genes": rows["genes"],
        "genes_split_by": rows["genes"] * FULL.gene_experiments,
        "compounds": rows["compounds"],
        "compounds_split_by": rows["compounds"] * FULL.compound_experiments,
    }
    sizes = {name: count * 128 * 4 for name, count in frames.items()}
    assert max(sizes.values()) < 512 * 2**20
    assert 1.6e9 < 2 * sum(sizes.values()) < 2.4e9
    assert SMALL.rows_per_row_group < rows["genes"]


def test_no_secret_of_the_world_is_in_its_configuration_or_log(sandbox: Sandbox) -> None:
    world = Outside()
    for name in ("toolkit.toml", "daemon.log"):
        text = (client.directory() / name).read_text("utf-8")
        for secret in (world.token(), Path(world.environment.vault.token_file).read_text("utf-8")):
            assert secret not in text
