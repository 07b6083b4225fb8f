"""Judges of causes in the systems around the cache: Vault, the token, the proxy, the cluster."""

from __future__ import annotations

from toolkit.checks.diagnosis.cause import NOT_ASKED, Asked, Judgement, Known, ruled_out, suspected, untold


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


def image_drift(_: Asked, known: Known) -> Judgement:
    """What is deployed is judged; a run of before a good deployment is no drift."""
    facts = known.facts("image")
    if facts is None:
        return untold("image")
    if facts["match"] == "unset":
        return NOT_ASKED
    if facts["match"] != "drifted":
        return ruled_out("image")
    running, wanted = ", ".join(facts["running"]), ", ".join(facts["wanted"])
    why = f"The CronJob runs {running}; eng-infrastructure asks for {wanted}"
    why += f" since {facts['since'][:16].replace('T', ' ')}Z." if facts["since"] else "."
    if facts["sync"]:
        why += f" Argo CD is {facts['sync']}."
    return suspected(0.95 if facts["sync"] == "OutOfSync" else 0.8, why, "image")
