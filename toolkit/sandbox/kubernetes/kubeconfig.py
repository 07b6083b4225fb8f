"""The kubeconfig of a sandbox: one context for each of its clusters, and none of them the current one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from toolkit.sandbox.kubernetes.api import ClusterServer
from toolkit.sandbox.kubernetes.resources import Object


def kubeconfig(servers: Mapping[str, ClusterServer], authority: Path | None = None) -> Object:
    """What a kubeconfig holds for `servers` (by context name); `authority` is the PEM file their certificate needs."""
    clusters, users, contexts = [], [], []
    for context, server in servers.items():
        cluster: Object = {"server": server.url}
        if authority is not None:
            cluster["certificate-authority"] = str(authority)
        clusters.append({"name": context, "cluster": cluster})
        users.append({"name": context, "user": {"token": server.token}})
        contexts.append({"name": context, "context": {"cluster": context, "user": context, "namespace": "default"}})
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "",
        "clusters": clusters,
        "users": users,
        "contexts": contexts,
    }


def write_kubeconfig(file: Path, servers: Mapping[str, ClusterServer], authority: Path | None = None) -> None:
    """Write it, readable for the user alone; it holds the tokens."""
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(kubeconfig(servers, authority), sort_keys=False), "utf-8")
