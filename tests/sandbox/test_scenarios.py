"""Every scenario, as somebody sees it who comes with redis-cli, curl and kubectl."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import redis
from conftest import Sandbox
from outside import Outside, by_hand, state, until

from toolkit.errors import UsageError
from toolkit.sandbox import client
from toolkit.sandbox.scenarios import SCENARIOS, chosen


def test_healthy(sandbox: Sandbox) -> None:
    status = client.apply_scenario(["healthy"])
    world = Outside()
    assert status["scenarios"] == ["healthy"]
    assert status["symptom"] is None
    assert len(world.groups()) == 3
    assert len(world.frames()) == 24


def test_redis_flushed(sandbox: Sandbox) -> None:
    symptom = client.apply_scenario(["redis-flushed"])["symptom"]
    world = Outside()
    with world.redis() as connection:
        assert connection.dbsize() == 0
    assert len(world.objects()) == 40
    assert symptom["pert"] == "BRCA1"
    assert f"{symptom['group']}/genes.parquet" in world.objects()


def test_rebuild_failed_half_way_with_a_real_traceback(sandbox: Sandbox) -> None:
    symptom = client.apply_scenario(["rebuild-failed"])["symptom"]
    world = Outside()
    last = world.jobs()[0]
    log = world.log(last)
    assert state(last) == "Failed"
    assert "Traceback (most recent call last):" in log
    assert log.rstrip().splitlines()[-1].startswith("pyarrow.lib.ArrowInvalid: ")
    assert "/app/phenoapp/" in log
    assert str(Path(client.__file__).parent) not in log
    kept = world.groups()
    half = [key for key in world.frames() if not key.startswith(kept[0])]
    assert len(kept) == 1
    assert 0 < len(half) < 8
    assert {key.split(":")[0] for key in half} == {symptom["group"]}


def test_a_rebuild_after_the_failed_one_makes_it_good(sandbox: Sandbox) -> None:
    client.apply_scenario(["rebuild-failed"])
    world = Outside()
    by_hand(world, "again")
    until(lambda: state(world.jobs()[0]) == "Complete", "the second run is complete")
    assert len(world.groups()) == 3
    assert len(world.frames()) == 24


def test_rebuild_running(sandbox: Sandbox) -> None:
    symptom = client.apply_scenario(["rebuild-running"])["symptom"]
    world = Outside()
    job = world.jobs()[0]
    assert state(job) == "running"
    assert job["status"]["active"] == 1
    assert "Dropping 3 groups from Redis" in world.log(job)
    assert len(world.groups()) == 1
    assert symptom["group"] not in world.groups()


def test_token_rotated(sandbox: Sandbox) -> None:
    client.apply_scenario(["token-rotated"])
    with pytest.raises(redis.AuthenticationError):
        Outside().groups()


def test_proxy_moved(sandbox: Sandbox) -> None:
    client.apply_scenario(["proxy-moved"])
    world = Outside()
    host, port = world.environment.redis.address.split(":")
    with pytest.raises(OSError, match="refused"), socket.create_connection((host, int(port)), timeout=5):
        pass
    assert world.proxy() != (host, int(port))
    assert len(world.groups()) == 3


def test_vault_sealed(sandbox: Sandbox) -> None:
    client.apply_scenario(["vault-sealed"])
    world = Outside()
    assert world.vault("sys/health")[0] == 503
    assert world.vault(f"secret/data/{world.environment.vault.path}") == (503, {"errors": ["Vault is sealed"]})


def test_wrong_cluster(sandbox: Sandbox) -> None:
    client.apply_scenario(["wrong-cluster"])
    world = Outside()
    part = world.environment.cache_manager
    assert world.cronjob() is None
    assert [name for name in world.settings.clusters if world.cronjob(name)] == ["rp006-prod"]
    repository = Path(world.environment.infra_repo.remote)
    assert not (repository / world.environment.infra_repo.path).exists()
    assert part.cronjob in (repository / "kube/rp006-prod/rp006-neuro/cache-manager.yaml").read_text("utf-8")


def test_the_other_environment_stays_well(sandbox: Sandbox) -> None:
    client.apply_scenario(["redis-flushed", "token-rotated", "proxy-moved", "wrong-cluster"])
    other = Outside("sandbox-mapapp")
    assert len(other.groups()) == 3
    assert other.cronjob() is not None


def test_a_scenario_can_be_had_in_the_other_environment(sandbox: Sandbox) -> None:
    status = client.apply_scenario(["redis-flushed"], "sandbox-mapapp")
    assert status["environment"] == "sandbox-mapapp"
    assert Outside("sandbox-mapapp").groups() == []
    assert len(Outside().groups()) == 3


def test_all_that_can_be_true_at_once_and_then_none(sandbox: Sandbox) -> None:
    together = [name for name in SCENARIOS if name not in ("redis-flushed", "pert-in-another-group")]
    status = client.apply_scenario(list(reversed(together)))
    world = Outside()
    assert status["scenarios"] == together
    assert world.vault("sys/seal-status")[1]["sealed"]
    assert world.cronjob() is None
    client.apply_scenario(["healthy"])
    assert len(world.groups()) == 3
    assert len(world.objects()) == 40
    assert world.cronjob() is not None
    assert ":".join(map(str, world.proxy())) == world.environment.redis.address
    assert [state(job) for job in world.jobs()].count("Failed") == 1


def test_an_unknown_scenario_names_the_nearest(sandbox: Sandbox) -> None:
    with pytest.raises(UsageError) as caught:
        client.apply_scenario(["redis-flush"])
    assert "redis-flushed" in caught.value.hint


@pytest.mark.parametrize(
    "names",
    [(name, other) for name, scenario in SCENARIOS.items() for other, _ in scenario.against],
    ids=" and ".join,
)
def test_what_cannot_be_true_at_once_is_refused(names: tuple[str, str]) -> None:
    for order in (names, names[::-1]):
        with pytest.raises(UsageError, match=f"{names[0]} and {names[1]} cannot both be true"):
            chosen(order)


def test_healthy_goes_with_no_other(sandbox: Sandbox) -> None:
    with pytest.raises(UsageError):
        client.apply_scenario(["healthy", "redis-flushed"])


def test_every_scenario_says_what_it_is() -> None:
    assert all(scenario.help.endswith(".") and "\n" not in scenario.help for scenario in SCENARIOS.values())
