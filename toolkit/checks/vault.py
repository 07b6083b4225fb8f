"""Vault, hop by hop: does it answer unsealed, is my token good, and may it read the Redis access token?

Each raises ToolkitError where the hop is broken; whoever runs the checks turns that into a failed Finding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.checks.finding import Finding, Status
from toolkit.systems.vault import errors as vault_errors

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections

LOW_SECONDS = 15 * 60


def vault_reachable(connections: Connections) -> Finding:
    """Does Vault answer, initialised and unsealed?"""
    vault = connections.vault
    server = vault.server
    health = vault.health()
    if not health.initialized:
        raise vault_errors.uninitialized(server)
    if health.sealed:
        raise vault_errors.sealed(server)
    by_hand = (server.by_hand("status"),)
    what = f"{server.address}, version {health.version or 'unknown'}"
    if server.in_clear:
        return Finding(
            "vault",
            Status.WARN,
            f"{what}, answers without TLS: the token crosses the network in clear",
            hint=f"Write {server.source} with https://, if this Vault has TLS.",
            by_hand=by_hand,
        )
    return Finding("vault", Status.OK, f"{what}{', a standby' if health.standby else ''}, unsealed", by_hand=by_hand)


def token_valid(connections: Connections) -> Finding:
    """Is there a Vault token that Vault knows, and for how long yet?"""
    vault = connections.vault
    status = vault.token_status()
    by_hand = (vault.server.by_hand("token lookup"),)
    who = f"{status.display_name or 'a token'} from {status.source}"
    if status.ttl_seconds is None:
        return Finding("vault-token", Status.OK, f"{who}, never expires", hint=status.note, by_hand=by_hand)
    minutes = status.ttl_seconds // 60
    if status.ttl_seconds < LOW_SECONDS:
        return Finding(
            "vault-token",
            Status.WARN,
            f"{who}, expires in {minutes} min",
            hint="Log in again before you begin something long: `toolkit vault login`.",
            by_hand=by_hand,
        )
    left = f"{minutes} min" if minutes < 60 else f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"
    return Finding("vault-token", Status.OK, f"{who}, valid for {left} yet", hint=status.note, by_hand=by_hand)


def secret_readable(connections: Connections) -> Finding:
    """May the token read the Redis access token, where the configuration says it lies?"""
    vault = connections.vault
    secret = vault.redis_secret()
    return Finding(
        "redis-token",
        Status.OK,
        f"{secret.path}, field {secret.field}: {secret.token.fingerprint()}",
        evidence=(f"KV version {secret.kv.version}, {secret.kv.how}",),
        by_hand=(vault.get_by_hand(),),
    )
