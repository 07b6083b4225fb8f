"""Vault as an engineer meets it: the Redis token, how long one's own token holds, and every way it can say no."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from vault_fixtures import MOUNT, PATH, REDIS_TOKEN, BadServer, RunningVault, certificate
from vault_fixtures import bad_server as bad_server
from vault_fixtures import loop as loop
from vault_fixtures import person as person
from vault_fixtures import running as running

from toolkit.environments import model
from toolkit.errors import (
    ConfigurationError,
    ExitCode,
    NotAllowed,
    NotFound,
    TimedOut,
    ToolkitError,
    Unreachable,
)
from toolkit.sandbox.vault.api import VaultServer
from toolkit.systems.vault import Vault

# The token


def test_the_redis_token_is_read_with_where_it_lies(running: RunningVault) -> None:
    secret = running.vault().redis_secret()
    assert secret.token.reveal() == REDIS_TOKEN
    assert (secret.path, secret.field, secret.version) == ("secret/data/phenoapp/managed_redis", "token", 1)
    assert secret.created_at is not None
    assert datetime.now(UTC) - secret.created_at < timedelta(minutes=1)
    assert REDIS_TOKEN not in repr(secret)


def test_a_newer_version_of_the_secret_is_the_one_that_is_read(running: RunningVault) -> None:
    running.do(lambda server: server.put_kv(MOUNT, PATH, {"token": "rotated-token"}))
    secret = running.vault().redis_secret()
    assert (secret.token.reveal(), secret.version) == ("rotated-token", 2)


def test_kv_version_one(running: RunningVault) -> None:
    running.do(lambda server: server.put_kv("old", PATH, {"token": "from-version-one"}))
    running.do(lambda server: server.write_policy("oncall", {"old/phenoapp/*": ("read",)}))
    secret = running.vault(mount="old").redis_secret()
    assert (secret.token.reveal(), secret.kv.version) == ("from-version-one", 1)
    assert "asked" in secret.kv.how
    assert (secret.version, secret.created_at) == (None, None)


def test_a_mount_of_several_segments(running: RunningVault) -> None:
    running.do(lambda server: server.enable_kv("teams/phenoapp", 2))
    running.do(lambda server: server.put_kv("teams/phenoapp", "redis", {"token": "deep"}))
    running.do(lambda server: server.write_policy("oncall", {"teams/phenoapp/data/*": ("read",)}))
    assert running.vault(mount="teams/phenoapp/", path="/redis").redis_token().reveal() == "deep"


def test_a_line_break_from_a_file_is_not_part_of_the_token(running: RunningVault) -> None:
    running.do(lambda server: server.put_kv(MOUNT, PATH, {"token": "from-a-file\n"}))
    assert running.vault().redis_token().reveal() == "from-a-file"


def test_a_missing_field_names_those_that_exist_and_no_value(running: RunningVault) -> None:
    with pytest.raises(ConfigurationError) as caught:
        running.vault(field="password").redis_token()
    assert "host, token" in caught.value.message
    assert "vault.field" in caught.value.hint
    assert REDIS_TOKEN not in caught.value.message


@pytest.mark.parametrize("value", ["", "\n", None, {"a": 1}, True, ["x"]])
def test_a_field_that_is_no_text_is_refused(running: RunningVault, value: object) -> None:
    running.do(lambda server: server.put_kv(MOUNT, PATH, {"token": value}))
    with pytest.raises(ConfigurationError, match="empty, or not a text"):
        running.vault().redis_token()


def test_the_token_status_says_how_long_it_holds(running: RunningVault) -> None:
    status = running.vault().token_status()
    assert status.ttl_seconds is not None
    assert 3590 <= status.ttl_seconds <= 3600
    assert status.policies == ("default", "oncall")
    assert status.source == "~/.vault-token"
    assert status.note == ""


def test_a_root_token_never_expires(running: RunningVault) -> None:
    running.keep(running.server.root_token)
    status = running.vault().token_status()
    assert (status.ttl_seconds, status.expires_at) == (None, None)


def test_a_token_that_others_can_read_is_pointed_out(running: RunningVault) -> None:
    (running.home / ".vault-token").chmod(0o644)
    assert "chmod 600" in running.vault().token_status().note


def test_what_i_may_read(running: RunningVault) -> None:
    vault = running.vault()
    reach = vault.reach(vault.token_status())
    assert reach.capabilities == {"secret/data/phenoapp/managed_redis": ("read",)}
    assert reach.problem is None


def test_what_i_may_not_read_and_the_policy_line_for_it(running: RunningVault) -> None:
    running.do(lambda server: server.write_policy("oncall", {"secret/metadata/*": ("list",)}))
    vault = running.vault()
    reach = vault.reach(vault.token_status())
    assert reach.capabilities == {"secret/data/phenoapp/managed_redis": ("deny",)}
    assert reach.problem is not None
    assert 'path "secret/data/phenoapp/managed_redis"' in reach.problem.hint


# The KV version


def test_the_version_is_taken_from_the_configuration(running: RunningVault) -> None:
    kv = running.vault(kv_version=2).kv()
    assert (kv.version, kv.how) == (2, "configured (vault.kv_version)")


@pytest.mark.parametrize("version", [1, 2])
def test_the_version_is_found_out_by_reading_where_it_cannot_be_asked(running: RunningVault, version: int) -> None:
    running.do(lambda server: server.enable_kv("hidden", version))
    running.do(lambda server: server.put_kv("hidden", PATH, {"token": "found"}))
    running.do(
        lambda server: server.policies.write("oncall", {"+/data/phenoapp/*": ("read",), "+/phenoapp/*": ("read",)})
    )
    running.do(lambda server: setattr(server, "mounts_hidden", True))
    secret = running.vault(mount="hidden").redis_secret()
    assert (secret.token.reveal(), secret.kv.version) == ("found", version)
    assert "found out by reading" in secret.kv.how


@pytest.mark.parametrize(("configured", "mount", "right"), [(1, "secret", 2), (2, "old", 1)])
def test_a_wrongly_configured_version_is_named(running: RunningVault, configured: int, mount: str, right: int) -> None:
    running.do(lambda server: server.put_kv("old", PATH, {"token": "x" * 8}))
    running.keep(running.server.root_token)
    with pytest.raises(ConfigurationError) as caught:
        running.vault(kv_version=configured, mount=mount).redis_token()
    assert f"is KV version {right}" in caught.value.message
    assert f"vault.kv_version = {right}" in caught.value.hint


def test_the_api_path_instead_of_the_path_is_recognised(running: RunningVault) -> None:
    running.keep(running.server.root_token)
    with pytest.raises(ConfigurationError) as caught:
        running.vault(path="data/phenoapp/managed_redis").redis_token()
    assert 'vault.path = "phenoapp/managed_redis"' in caught.value.hint


def test_a_mount_that_ends_elsewhere_is_named(running: RunningVault) -> None:
    running.do(lambda server: server.enable_kv("teams/phenoapp", 2))
    running.keep(running.server.root_token)
    with pytest.raises(ConfigurationError) as caught:
        running.vault(mount="teams", path="phenoapp/redis").redis_token()
    assert 'vault.mount = "teams/phenoapp" and vault.path = "redis"' in caught.value.hint


# Nothing there


def test_a_secret_that_is_not_there(running: RunningVault) -> None:
    with pytest.raises(NotFound) as caught:
        running.vault(path="phenoapp/managed_reddis").redis_token()
    assert "no secret secret/phenoapp/managed_reddis" in caught.value.message
    assert any("kv list secret/phenoapp" in command for command in caught.value.by_hand)


def test_a_deleted_version_can_be_brought_back(running: RunningVault) -> None:
    running.keep(running.server.root_token)
    running.do(lambda server: server._engines["secret/"].answer("DELETE", f"data/{PATH}", {}, {}))
    with pytest.raises(NotFound) as caught:
        running.vault().redis_token()
    assert "version (1)" in caught.value.message
    assert "deleted at" in caught.value.message
    assert any("kv undelete -versions=1" in command for command in caught.value.by_hand)


def test_a_destroyed_version_cannot(running: RunningVault) -> None:
    running.do(lambda server: server._engines["secret/"].answer("PUT", f"destroy/{PATH}", {}, {"versions": [1]}))
    with pytest.raises(NotFound, match="destroyed"):
        running.vault().redis_token()


# Not allowed


def denied(vault: Vault) -> NotAllowed:
    with pytest.raises(NotAllowed) as caught:
        vault.redis_token()
    assert caught.value.exit_code is ExitCode.NOT_ALLOWED
    return caught.value


def test_without_a_token(running: RunningVault) -> None:
    (running.home / ".vault-token").unlink()
    error = denied(running.vault())
    assert "~/.vault-token does not exist" in error.message
    assert "toolkit vault login" in error.hint


def test_an_expired_token_says_so(running: RunningVault) -> None:
    vault = running.vault()
    token = (running.home / ".vault-token").read_text()
    running.do(lambda server: server.expire_token(token))
    error = denied(vault)
    assert "from ~/.vault-token is not valid" in error.message
    assert "toolkit vault login" in error.hint


def test_a_token_that_expires_while_it_is_used_says_when(running: RunningVault) -> None:
    running.keep(running.token(ttl=1))
    vault = running.vault()
    assert vault.token_status().ttl_seconds is not None
    assert "expired at 20" in sooner_or_later(vault).message


def sooner_or_later(vault: Vault) -> NotAllowed:
    """The error when the token's time is over."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            vault.token_status()
        except NotAllowed as over:
            return over
        time.sleep(0.05)
    raise AssertionError("the token never expired")


def test_a_revoked_token_in_the_variable_hides_the_others(
    running: RunningVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "hvs.of-yesterday")
    error = denied(running.vault())
    assert "VAULT_TOKEN" in error.message
    assert "Unset VAULT_TOKEN" in error.hint


def test_a_login_elsewhere_is_noticed(running: RunningVault) -> None:
    vault = running.vault()
    first = (running.home / ".vault-token").read_text()
    vault.token_status()
    running.do(lambda server: server.revoke_token(first))
    running.keep(running.token())
    assert vault.redis_token().reveal() == REDIS_TOKEN


def test_a_policy_without_the_path_names_the_line_to_ask_for(running: RunningVault) -> None:
    running.do(lambda server: server.write_policy("oncall", {"secret/data/other": ("read",)}))
    error = denied(running.vault())
    assert "The token is valid" in error.message
    assert "default, oncall" in error.message
    assert 'path "secret/data/phenoapp/managed_redis" { capabilities = ["read"] }' in error.hint


def test_a_policy_with_the_path_of_the_other_version(running: RunningVault) -> None:
    running.do(lambda server: server.write_policy("oncall", {"secret/phenoapp/*": ("read",)}))
    error = denied(running.vault())
    assert "secret/phenoapp/managed_redis, the path in KV version 1" in error.message
    assert "secret/data/phenoapp/managed_redis" in error.hint


def test_a_configured_version_that_is_probably_wrong(running: RunningVault) -> None:
    error = denied(running.vault(kv_version=1))
    assert "vault.kv_version = 1 is probably wrong: set it to 2" in error.hint


def test_a_token_without_any_policy_for_the_mount(running: RunningVault) -> None:
    running.keep(running.token("default"))
    error = denied(running.vault())
    assert "neither as KV version 2 (secret/data/phenoapp/managed_redis) nor as version 1" in error.message
    assert "vault.mount and vault.path" in error.hint


def test_a_token_that_may_not_look_at_itself(running: RunningVault) -> None:
    running.do(lambda server: server.policies.write("default", {}))
    running.do(lambda server: server.policies.write("oncall", {}))
    error = denied(running.vault())
    assert "expired, was revoked, or may not even look at itself" in error.message


def test_the_wrong_namespace_is_named(running: RunningVault) -> None:
    running.do(lambda server: setattr(server, "namespace", "science"))
    assert running.vault(namespace="science").redis_token().reveal() == REDIS_TOKEN
    error = denied(running.vault(namespace="finance"))
    assert "another namespace than finance" in error.hint
    assert running.vault(namespace="finance").health().sealed is False  # asked of the server as a whole


# The server


def test_a_healthy_server(running: RunningVault) -> None:
    health = running.vault().health()
    assert (health.initialized, health.sealed, health.standby) == (True, False, False)
    assert health.version
    assert health.server_time is not None
    assert abs(health.server_time - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_sealed_server(running: RunningVault) -> None:
    running.do(lambda server: server.seal())
    vault = running.vault()
    assert vault.health().sealed
    for ask in (vault.redis_token, vault.token_status, vault.kv):
        with pytest.raises(Unreachable, match="is sealed") as caught:
            ask()
        assert caught.value.exit_code is ExitCode.UNREACHABLE
        assert "unseal keys" in caught.value.hint
    running.do(lambda server: server.unseal())
    assert vault.redis_token().reveal() == REDIS_TOKEN


def test_a_server_that_was_never_initialised(running: RunningVault) -> None:
    running.do(lambda server: setattr(server, "initialized", False))
    assert running.vault().health().initialized is False


def test_a_standby_without_an_active_node(running: RunningVault) -> None:
    running.do(lambda server: setattr(server, "standby", True))
    vault = running.vault()
    assert vault.health().standby
    with pytest.raises(Unreachable, match="no node of its cluster is active"):
        vault.redis_token()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def unreachable(address: str, timeout_seconds: float = 2.0, ca_file: str = "") -> ToolkitError:
    vault = Vault(model.Vault(address=address, timeout_seconds=timeout_seconds, ca_file=ca_file))
    try:
        with pytest.raises(ToolkitError) as caught:
            vault.health()
    finally:
        vault.close()
    return caught.value


def test_nobody_listens(person: Path) -> None:
    error = unreachable(f"http://127.0.0.1:{free_port()}")
    assert isinstance(error, Unreachable)
    assert "connection was refused" in error.message
    assert "toolkit sandbox start" in error.hint


def test_a_name_that_does_not_exist(person: Path) -> None:
    error = unreachable("http://vault.invalid:8200")
    assert isinstance(error, Unreachable)
    assert "no such host name" in error.message


def test_a_server_that_hangs(person: Path, bad_server: Callable[[bytes | None], BadServer]) -> None:
    error = unreachable(bad_server(None).url, timeout_seconds=0.3)
    assert isinstance(error, TimedOut)
    assert "vault.timeout_seconds" in error.hint


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 14\r\n\r\n<html>login</h",
        b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]",
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"sealed": false',
    ],
)
def test_something_that_is_no_vault(
    person: Path, bad_server: Callable[[bytes | None], BadServer], answer: bytes
) -> None:
    (person / ".vault-token").write_text("hvs.token")
    vault = Vault(model.Vault(address=bad_server(answer).url, timeout_seconds=2))
    for ask in (vault.health, vault.token_status, vault.redis_token):
        with pytest.raises(Unreachable, match="not Vault's") as caught:
            ask()
        assert "vault.address" in caught.value.hint
    vault.close()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"garbage\r\n\r\n"])
def test_an_answer_that_breaks_off(
    person: Path, bad_server: Callable[[bytes | None], BadServer], answer: bytes
) -> None:
    error = unreachable(bad_server(answer).url)
    assert isinstance(error, Unreachable)
    assert "Traceback" not in error.message


def test_http_without_tls_where_https_is_configured(running: RunningVault) -> None:
    error = unreachable(running.url.replace("http:", "https:"))
    assert isinstance(error, ConfigurationError)
    assert "does not speak TLS" in error.message


@pytest.fixture
def with_tls(loop: asyncio.AbstractEventLoop, person: Path, tmp_path: Path) -> Callable[..., str]:
    servers: list[VaultServer] = []

    def start(**keys: object) -> str:
        made = certificate(tmp_path, **keys)  # type: ignore[arg-type]
        server = VaultServer()
        asyncio.run_coroutine_threadsafe(server.start(ssl_context=made.context), loop).result(10)
        servers.append(server)
        return server.url

    yield start  # type: ignore[misc]
    for server in servers:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)


def test_a_certificate_of_an_unknown_ca(with_tls: Callable[..., str], tmp_path: Path) -> None:
    url = with_tls()
    error = unreachable(url)
    assert isinstance(error, Unreachable)
    assert "self-signed" in error.message
    assert "vault.ca_file" in error.hint
    vault = Vault(model.Vault(address=url, ca_file=str(tmp_path / "ca.pem")))
    assert vault.health().initialized
    vault.close()


def test_a_ca_file_from_vaults_own_variable(
    with_tls: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = with_tls()
    monkeypatch.setenv("VAULT_CACERT", str(tmp_path / "ca.pem"))
    vault = Vault(model.Vault(address=url))
    assert vault.health().initialized
    vault.close()


def test_a_certificate_for_another_address(with_tls: Callable[..., str], tmp_path: Path) -> None:
    error = unreachable(with_tls(address="127.0.0.9"), ca_file=str(tmp_path / "ca.pem"))
    assert isinstance(error, Unreachable)
    assert "another name" in error.hint


def test_an_expired_certificate(with_tls: Callable[..., str], tmp_path: Path) -> None:
    error = unreachable(with_tls(days=-2), ca_file=str(tmp_path / "ca.pem"))
    assert "expired" in error.message
    assert "clock" in error.hint


def test_a_proxy_of_the_environment_is_not_asked_about_this_machine(
    running: RunningVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert running.vault().health().initialized


def test_by_hand_is_what_one_would_type(running: RunningVault) -> None:
    command = running.vault(namespace="science").get_by_hand()
    assert command == (
        f"VAULT_ADDR={running.url} VAULT_NAMESPACE=science vault kv get -field=token secret/phenoapp/managed_redis"
    )
    file = running.home / "own token"
    own = running.vault(token_file=str(file)).get_by_hand()
    assert f"VAULT_TOKEN=\"$(cat '{file}')\"" in own
    assert os.environ.get("VAULT_TOKEN") is None
