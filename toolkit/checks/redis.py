"""Redis, hop by hop: where is the proxy, does it take a connection, does it take the token, is the index there?

Each raises ToolkitError where the hop is broken; whoever runs the checks turns that into a failed Finding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.cache.groups import built_at
from toolkit.checks.finding import Finding, Status
from toolkit.errors import ToolkitError, Unreachable
from toolkit.systems.bucket.names import shown
from toolkit.systems.redis_proxy.address import probe, token_by_hand

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections
    from toolkit.systems.redis_proxy import ServerInfo

_NEARLY_FULL = 0.9
_SLOW_SECONDS = 0.5


def proxy_address(connections: Connections) -> Finding:
    """Where is the proxy: as configured, or as its Service says?"""
    address = connections.redis_address()
    by_hand = _service_by_hand(connections)
    if address.note:
        hint = f'Write redis.address = "{address.endpoint}", or leave it out: then it is always looked up.'
        return Finding("proxy-address", Status.WARN, address.note, hint, by_hand=by_hand)
    return Finding("proxy-address", Status.OK, f"{address}, says {address.source}", by_hand=by_hand)


def tcp(connections: Connections) -> Finding:
    """Does the proxy take a connection?"""
    address = connections.redis_address()
    by_hand = (f"nc -vz {address.host} {address.port}",)
    answer = probe(address, connections.environment.redis)
    if not answer.tcp:
        raise Unreachable(
            f"The Redis proxy at {address} {answer.words}.",
            hint="Is your VPN up? Are the proxy's pods running? `toolkit redis address` compares the addresses.",
            by_hand=by_hand,
        )
    summary = f"{address} {answer.words} ({answer.seconds * 1000:.0f} ms)"
    if not answer.redis:
        hint = "Is it still the proxy? `toolkit redis address` compares the configured address with the Service's."
        return Finding("tcp", Status.WARN, summary, hint, by_hand=by_hand)
    return Finding("tcp", Status.OK, summary, by_hand=by_hand)


def auth_and_ping(connections: Connections) -> Finding:
    """Does Redis take the token from Vault, and answer?"""
    redis = connections.redis
    seconds = redis.ping()
    by_hand = (token_by_hand(connections.environment.vault), redis.by_hand("ping"))
    summary = f"takes the token, answers PING in {seconds * 1000:.0f} ms"
    try:
        info = redis.server_info()
    except ToolkitError as error:  # INFO is often switched off; the hop is well without it
        return Finding("redis", Status.OK, summary, evidence=(error.message,), by_hand=by_hand)
    evidence = (f"version {info.version}, {info.role}", *([_memory(info)] if _memory(info) else []))
    problem, hint = _problem(info, seconds)
    if problem:
        return Finding("redis", Status.WARN, f"{summary}; {problem}", hint, evidence=evidence, by_hand=by_hand)
    return Finding("redis", Status.OK, summary, evidence=evidence, by_hand=by_hand)


def index_readable(connections: Connections) -> Finding:
    """Which groups does the app offer?"""
    cache, redis = connections.environment.cache, connections.redis
    index = redis.index(cache.index_key)
    by_hand = (
        token_by_hand(connections.environment.vault),
        redis.by_hand("zrevrange", cache.index_key, "0", "-1", "withscores"),
    )
    if not index:
        return Finding(
            "groups",
            Status.WARN,
            f"{cache.index_key} is empty: the app offers no group",
            "Flushed and not rebuilt? `toolkit cache status`, then `toolkit cache rebuild`.",
            by_hand=by_hand,
        )
    name, score = index[0]
    built = built_at(score)
    when = f", built {built:%Y-%m-%d %H:%M}Z" if built else ""
    summary = f"{len(index)} in {cache.index_key}; the default is {shown(name)}{when}"
    if len(index) != cache.groups_in_redis:
        hint = "`toolkit groups list` shows them."
        return Finding("groups", Status.WARN, f"{summary}; {cache.groups_in_redis} are usual", hint, by_hand=by_hand)
    return Finding("groups", Status.OK, summary, by_hand=by_hand)


def _service_by_hand(connections: Connections) -> tuple[str, ...]:
    part = connections.environment.redis_proxy
    if not part.cluster:
        return ()
    words = ("get", "service", part.service, "-o", "wide")
    return (connections.cluster(part.cluster).kubectl(*words, namespace=part.namespace),)


def _memory(info: ServerInfo) -> str:
    if info.used_bytes is None:
        return ""
    limit = f" of {info.max_bytes / 1e9:,.1f} GB" if info.max_bytes else ""
    return f"{info.used_bytes / 1e9:,.2f} GB{limit} used"


def _problem(info: ServerInfo, seconds: float) -> tuple[str, str]:
    """What is odd about a Redis that answers, and the next step."""
    if info.role and info.role != "master":
        return f"but it is a {info.role}", "Nothing can be written there: is the address the primary's?"
    if info.max_bytes and info.used_bytes is not None and info.used_bytes > info.max_bytes * _NEARLY_FULL:
        return f"nearly full: {_memory(info)}", "A rebuild may fail. `toolkit groups list` shows what takes the room."
    if seconds > _SLOW_SECONDS:
        return "slowly", "Is the network slow, or Redis busy?"
    return "", ""
