"""The doctor's hops on the way to Redis as questions, each with the facts that the diagnosis goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from toolkit.checks import redis, vault
from toolkit.checks.finding import Finding, Status
from toolkit.checks.question import Question
from toolkit.systems.redis_proxy.address import configured_address
from toolkit.systems.redis_proxy.errors import TokenRefused
from toolkit.systems.vault import errors as vault_errors

if TYPE_CHECKING:
    from toolkit.progress import Progress
    from toolkit.systems.connections import Connections


def vault_open(connections: Connections, _: Mapping[str, str], __: Progress) -> Finding:
    """Does Vault answer, unsealed? Facts: `sealed`, `initialized`, `address`."""
    health = connections.vault.health()
    facts = {
        "sealed": health.sealed,
        "initialized": health.initialized,
        "address": connections.vault.server.address,
    }
    if health.initialized and health.sealed:
        problem = vault_errors.sealed(connections.vault.server)
        return Finding("", Status.FAIL, problem.message, problem.hint, by_hand=problem.by_hand, facts=facts)
    return replace(vault.vault_reachable(connections), facts=facts)


def token_readable(connections: Connections, _: Mapping[str, str], __: Progress) -> Finding:
    """Can the Redis access token be read from Vault? Facts: `readable`."""
    return replace(vault.secret_readable(connections), facts={"readable": True})


def proxy_in_place(connections: Connections, _: Mapping[str, str], __: Progress) -> Finding:
    """Is the proxy where the configuration says? Facts: `configured` (null: looked up each time), `actual`, `moved`."""
    configured = configured_address(connections.environment.redis)
    address = connections.redis_address()
    facts = {
        "configured": configured.endpoint if configured else None,
        "actual": address.endpoint,
        "moved": configured is not None and configured.endpoint != address.endpoint,
    }
    return replace(redis.proxy_address(connections), facts=facts)


def redis_answers(connections: Connections, _: Mapping[str, str], __: Progress) -> Finding:
    """Does Redis take the token from Vault, and answer? Facts: `token_taken`."""
    try:
        return replace(redis.auth_and_ping(connections), facts={"token_taken": True})
    except TokenRefused as refused:
        facts = {"token_taken": False}
        return Finding("", Status.FAIL, refused.message, refused.hint, by_hand=refused.by_hand, facts=facts)


QUESTIONS = (
    Question("vault", "Does Vault answer, unsealed?", vault_open, limit=12.0),
    Question("redis-token", "Can the Redis access token be read from Vault?", token_readable, limit=15.0),
    Question("proxy-address", "Is the Redis proxy where the configuration says?", proxy_in_place, limit=15.0),
    Question("redis", "Does Redis take the token from Vault, and answer?", redis_answers),
)
