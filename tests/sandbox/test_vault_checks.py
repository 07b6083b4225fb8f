"""The doctor's hops at Vault."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from vault_fixtures import REDIS_TOKEN, RunningVault
from vault_fixtures import loop as loop
from vault_fixtures import person as person
from vault_fixtures import running as running

from toolkit.checks import vault
from toolkit.checks.finding import Status
from toolkit.environments import model
from toolkit.errors import NotAllowed, Unreachable
from toolkit.systems.connections import Connections


@pytest.fixture
def connections(running: RunningVault) -> Iterator[Connections]:
    environment = model.Environment(name="here", vault=model.Vault(address=running.url))
    opened = Connections(environment, model.Settings(environments={"here": environment}))
    yield opened
    opened.close()


def test_all_is_well(connections: Connections, running: RunningVault) -> None:
    for check in (vault.vault_reachable, vault.token_valid, vault.secret_readable):
        finding = check(connections)
        assert finding.status is Status.OK
        assert finding.by_hand[0].startswith(f"VAULT_ADDR={running.url} vault ")
        assert REDIS_TOKEN not in repr(finding)
    assert "59 min yet" in vault.token_valid(connections).summary


def test_a_sealed_vault(connections: Connections, running: RunningVault) -> None:
    running.do(lambda server: server.seal())
    with pytest.raises(Unreachable, match="is sealed"):
        vault.vault_reachable(connections)


def test_a_vault_without_anything(connections: Connections, running: RunningVault) -> None:
    running.do(lambda server: setattr(server, "initialized", False))
    with pytest.raises(Unreachable, match="never been initialised"):
        vault.vault_reachable(connections)


def test_a_token_with_little_time_left(connections: Connections, running: RunningVault) -> None:
    running.keep(running.token(ttl=600))
    finding = vault.token_valid(connections)
    assert finding.status is Status.WARN
    assert "expires in 9 min" in finding.summary
    assert "toolkit vault login" in finding.hint


def test_a_token_that_never_ends(connections: Connections, running: RunningVault) -> None:
    running.keep(running.server.root_token)
    finding = vault.token_valid(connections)
    assert finding.status is Status.OK
    assert "never expires" in finding.summary


def test_a_token_that_may_not(connections: Connections, running: RunningVault) -> None:
    running.do(lambda server: server.write_policy("oncall", {}))
    with pytest.raises(NotAllowed, match="does not let this token read"):
        vault.secret_readable(connections)
