"""Judges of causes in the systems around the cache: Vault, the token, the proxy, the cluster."""

from __future__ import annotations

from toolkit.checks.diagnosis.cause import Asked, Judgement, Known, ruled_out, suspected, untold


def vault_sealed(_: Asked, known: Known) -> Judgement:
    facts = known.facts("vault")
    if facts is None:
        return untold("vault")
    if facts["sealed"]:
        return suspected(1.0, "Vault says itself that it is sealed.", "vault")
    return ruled_out("vault")


def token_rotated(_: Asked, known: Known) -> Judgement:
    facts = known.facts("redis")
    if facts is None:
        return untold("redis")
    if not facts["token_taken"]:
        return suspected(0.95, "Redis does not take the token that lies in Vault.", "redis", "redis-token")
    return ruled_out("redis")


def proxy_moved(_: Asked, known: Known) -> Judgement:
    facts = known.facts("proxy-address")
    if facts is None:
        return untold("proxy-address")
    if facts["moved"]:
        why = f"Nothing answers at {facts['configured']}; the proxy's Service says {facts['actual']}."
        return suspected(1.0, why, "proxy-address")
    return ruled_out("proxy-address")


def wrong_cluster(_: Asked, known: Known) -> Judgement:
    facts = known.facts("cache-manager-place")
    if facts is None:
        return untold("cache-manager-place")
    if not facts["in_place"]:
        configured, found = facts["configured"], facts["found"]
        why = (
            f"The CronJob is not in {configured['cluster']}/{configured['namespace']}, "
            f"but in {found['cluster']}/{found['namespace']}."
        )
        return suspected(0.95, why, "cache-manager-place")
    return ruled_out("cache-manager-place")
