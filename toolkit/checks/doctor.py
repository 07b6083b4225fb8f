"""The doctor: every hop between this workstation and the cache, side by side, the first broken one by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from toolkit.checks import around, bucket, clusters, redis, vault, workstation
from toolkit.checks.finding import Finding, Status
from toolkit.checks.runner import Check, run

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections


def checks(connections: Connections) -> list[Check]:
    """The hops in the order of their dependence; the names are those of the JSON output."""
    environment = connections.environment
    hops = [
        Check("configuration", partial(workstation.configuration, connections)),
        Check("vault", partial(vault.vault_reachable, connections)),
        Check("clock", partial(workstation.clock, connections), needs=("vault",)),
        Check("vault-token", partial(vault.token_valid, connections), needs=("vault",)),
        Check("redis-token", partial(vault.secret_readable, connections), needs=("vault-token",)),
    ]
    names = {}
    for cluster, parts in clusters.in_use(environment).items():
        names[cluster] = f"cluster {cluster}"
        hops.append(Check(names[cluster], clusters.reachable(connections, cluster, parts)))
    # A configured address is used as long as it answers, so the proxy's cluster is needed only without one.
    proxy_cluster = names.get(environment.redis_proxy.cluster)
    needs = (proxy_cluster,) if proxy_cluster and not environment.redis.address else ()
    hops += [
        Check("proxy-address", partial(redis.proxy_address, connections), needs=needs),
        Check("tcp", partial(redis.tcp, connections), needs=("proxy-address",)),
        Check("redis", partial(redis.auth_and_ping, connections), needs=("tcp", "redis-token")),
        Check("groups", partial(redis.index_readable, connections), needs=("redis",)),
        Check("bucket", partial(bucket.reachable, connections)),
        Check("bucket-permissions", partial(bucket.permissions, connections), needs=("bucket",)),
    ]
    if environment.cache_manager.cluster:
        needed = (names[environment.cache_manager.cluster],)
        hops.append(Check("cache-manager", partial(clusters.cronjob, connections), needs=needed))
        hops.append(Check("rebuild-permissions", clusters.permissions(connections), needs=needed))
    return hops + around.hops(connections)


def hops(connections: Connections) -> Iterator[Finding]:
    """Each hop's finding as it becomes known."""
    return run(checks(connections))


def first_broken(findings: Sequence[Finding], order: Sequence[str]) -> Finding | None:
    """The earliest failed hop in the order of dependence; what failed after it may fail because of it."""
    failed = {finding.name: finding for finding in findings if finding.status in (Status.FAIL, Status.UNKNOWN)}
    return next((failed[name] for name in order if name in failed), None)
