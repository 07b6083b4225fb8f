"""The sandbox's Vault, asked by the real hvac: it must answer as HashiCorp's does, in its errors above all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import hvac
import pytest
import requests
from hvac import exceptions
from vault_fixtures import MOUNT, PATH, REDIS_TOKEN, RunningVault
from vault_fixtures import loop as loop
from vault_fixtures import person as person
from vault_fixtures import running as running


@pytest.fixture
def client(running: RunningVault) -> Iterator[Callable[[str], hvac.Client]]:
    made: list[hvac.Client] = []

    def open_as(token: str) -> hvac.Client:
        made.append(hvac.Client(running.url, token=token, strict_http=True))
        return made[-1]

    yield open_as
    for each in made:
        each.adapter.close()


@pytest.fixture
def root(running: RunningVault, client: Callable[[str], hvac.Client]) -> hvac.Client:
    return client(running.server.root_token)


def test_kv_version_two_keeps_versions(root: hvac.Client) -> None:
    kv = root.secrets.kv.v2
    kv.create_or_update_secret("a/b", {"x": "1"})
    kv.create_or_update_secret("a/b", {"x": "2"}, cas=1)
    with pytest.raises(exceptions.InvalidRequest, match="check-and-set"):
        kv.create_or_update_secret("a/b", {"x": "3"}, cas=1)
    assert kv.read_secret_version("a/b", raise_on_deleted_version=True)["data"]["data"] == {"x": "2"}
    assert kv.read_secret_version("a/b", version=1, raise_on_deleted_version=True)["data"]["data"] == {"x": "1"}
    assert kv.read_secret_metadata("a/b")["data"]["current_version"] == 2
    assert kv.list_secrets("a")["data"]["keys"] == ["b"]
    assert kv.list_secrets("")["data"]["keys"] == ["a/", "phenoapp/"]
    kv.delete_latest_version_of_secret("a/b")
    gone = kv.read_secret_version("a/b", raise_on_deleted_version=False)
    assert gone["data"]["data"] is None
    assert gone["data"]["metadata"]["deletion_time"]
    kv.undelete_secret_versions("a/b", [2])
    assert kv.read_secret_version("a/b", raise_on_deleted_version=True)["data"]["data"] == {"x": "2"}
    kv.delete_metadata_and_all_versions("a/b")
    with pytest.raises(exceptions.InvalidPath):
        kv.read_secret_version("a/b", raise_on_deleted_version=True)


def test_kv_version_one(root: hvac.Client) -> None:
    kv = root.secrets.kv.v1
    kv.create_or_update_secret("a/b", {"x": "1"}, mount_point="old")
    assert kv.read_secret("a/b", mount_point="old")["data"] == {"x": "1"}
    assert kv.list_secrets("a", mount_point="old")["data"]["keys"] == ["b"]
    kv.delete_secret("a/b", mount_point="old")
    with pytest.raises(exceptions.InvalidPath):
        kv.read_secret("a/b", mount_point="old")


def test_a_version_one_path_on_a_version_two_mount_warns(running: RunningVault) -> None:
    answer = requests.get(
        f"{running.url}/v1/{MOUNT}/{PATH}", headers={"X-Vault-Token": running.server.root_token}, timeout=5
    )
    assert answer.status_code == 404
    assert answer.json()["warnings"][0].startswith("Invalid path for a versioned K/V secrets engine.")
    assert "errors" not in answer.json()
    assert answer.headers["Content-Type"] == "application/json"


def test_what_is_mounted_is_told_to_who_may_reach_it(
    running: RunningVault, client: Callable[[str], hvac.Client]
) -> None:
    oncall = client(running.token())
    assert oncall.read(f"sys/internal/ui/mounts/{MOUNT}/{PATH}")["data"]["options"] == {"version": "2"}
    assert list(oncall.read("sys/internal/ui/mounts")["data"]["secret"]) == ["secret/"]
    with pytest.raises(exceptions.Forbidden, match=r'preflight capability check returned 403.*path "old/x/"'):
        oncall.read("sys/internal/ui/mounts/old/x")


def test_policies_decide(running: RunningVault, client: Callable[[str], hvac.Client]) -> None:
    oncall = client(running.token())
    data = oncall.secrets.kv.v2.read_secret_version(PATH, raise_on_deleted_version=True)["data"]["data"]
    assert data["token"] == REDIS_TOKEN
    with pytest.raises(exceptions.Forbidden, match="permission denied"):
        oncall.secrets.kv.v2.create_or_update_secret(PATH, {"token": "mine"})
    with pytest.raises(exceptions.Forbidden):
        oncall.sys.seal()
    found = oncall.sys.get_capabilities([f"{MOUNT}/data/{PATH}", "sys/seal", "sys/capabilities-self"])["data"]
    assert found == {f"{MOUNT}/data/{PATH}": ["read"], "sys/seal": ["deny"], "sys/capabilities-self": ["update"]}


def test_a_token_can_be_looked_up_renewed_made_and_revoked(
    running: RunningVault, client: Callable[[str], hvac.Client]
) -> None:
    oncall = client(running.token(ttl=100))
    assert oncall.auth.token.lookup_self()["data"]["ttl"] <= 100
    assert oncall.auth.token.renew_self(increment="1h")["auth"]["lease_duration"] == 3600
    running.do(lambda server: server.write_policy("oncall", {"auth/token/create": ("create", "update")}))
    child = client(oncall.auth.token.create(policies=["oncall"], ttl="10m")["auth"]["client_token"])
    assert child.auth.token.lookup_self()["data"]["policies"] == ["default", "oncall"]
    with pytest.raises(exceptions.InvalidRequest, match="subset"):
        oncall.auth.token.create(policies=["root"])
    child.auth.token.revoke_self()
    with pytest.raises(exceptions.Forbidden, match="invalid token"):
        child.auth.token.lookup_self()


def test_a_root_token_cannot_be_renewed(root: hvac.Client) -> None:
    with pytest.raises(exceptions.InvalidRequest, match="not renewable"):
        root.auth.token.renew_self()


def test_without_a_token_and_with_a_wrong_one(client: Callable[[str], hvac.Client]) -> None:
    with pytest.raises(exceptions.Forbidden, match=r"^permission denied"):
        client("").auth.token.lookup_self()
    with pytest.raises(exceptions.Forbidden, match="invalid token"):
        client("hvs.wrong").auth.token.lookup_self()


def test_a_mount_that_is_not_there(root: hvac.Client) -> None:
    with pytest.raises(exceptions.InvalidPath, match="no handler for route"):
        root.secrets.kv.v2.read_secret_version("x", mount_point="nowhere", raise_on_deleted_version=True)


def test_sealing_and_unsealing(running: RunningVault, root: hvac.Client) -> None:
    root.sys.seal()
    assert root.sys.is_sealed()
    assert root.sys.read_health_status(method="HEAD").status_code == 503
    with pytest.raises(exceptions.VaultDown, match="Vault is sealed"):
        root.auth.token.lookup_self()
    with pytest.raises(exceptions.InvalidRequest):
        root.sys.submit_unseal_key("wrong")
    assert root.sys.is_sealed()
    root.sys.submit_unseal_key(running.server.unseal_key)
    assert root.auth.token.lookup_self()["data"]["display_name"] == "root"


@pytest.mark.parametrize(("state", "status"), [("standby", 429), ("initialized", 501)])
def test_health_in_other_states(running: RunningVault, root: hvac.Client, state: str, status: int) -> None:
    running.do(lambda server: setattr(server, state, not getattr(server, state)))
    assert root.sys.read_health_status(method="HEAD").status_code == status


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("sys/capabilities-self", "{"),
        ("sys/capabilities-self", "[]"),
        ("sys/capabilities-self", '{"paths": 5}'),
        ("auth/token/renew-self", '{"increment": "soon"}'),
        ("auth/token/create", '{"policies": 7}'),
        (f"secret/data/{PATH}", '{"data": "text"}'),
        (f"secret/data/{PATH}", '{"data": {}, "options": 3}'),
        ("secret/destroy/x", '{"versions": "all"}'),
    ],
)
def test_nonsense_is_refused_and_not_stumbled_over(running: RunningVault, path: str, body: str) -> None:
    token = running.do(lambda server: server.create_token(["root"], 600))
    answer = requests.post(f"{running.url}/v1/{path}", data=body, headers={"X-Vault-Token": token}, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_it_listens_on_loopback_alone(running: RunningVault) -> None:
    assert running.url.startswith("http://127.0.0.1:")
