"""The whole of an environment's world as one dictionary, read by plain clients: what a dry run must leave as it was."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from toolkit.environments import loading
from toolkit.sandbox import client


def of(name: str) -> dict[str, str]:
    """Every Redis key with its value's digest, every live object with its generation, every Kubernetes object with its
    resource version."""
    import redis

    from toolkit.systems.connections import Connections

    loaded = loading.load(sandbox=client.start().config_file)
    environment = loaded.settings.environments[name]
    connections = Connections(environment, loaded.settings)
    found: dict[str, str] = {}
    try:
        address = connections.redis_address()
        with redis.Redis(address.host, address.port, password=connections.token().reveal()) as plain:
            for key in sorted(plain.scan_iter(count=1000)):
                found[f"redis {key!r}"] = str(hash(plain.dump(key)))
    finally:
        connections.close()
    bucket = environment.bucket
    page = ""
    while True:
        url = f"{bucket.endpoint}/storage/v1/b/{bucket.name}/o?maxResults=1000{page}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            listed = json.load(answer)
        for item in listed.get("items", []):
            found[f"object {item['name']}"] = item["generation"]
        if "nextPageToken" not in listed:
            break
        page = f"&pageToken={listed['nextPageToken']}"
    for cluster, part in loaded.settings.clusters.items():
        for kind in ("apis/batch/v1/cronjobs", "apis/batch/v1/jobs", "api/v1/pods", "apis/apps/v1/deployments"):
            for item in _listed(Path(part.kubeconfig), part.context, kind):
                meta = item["metadata"]
                found[f"{cluster} {kind} {meta['namespace']}/{meta['name']}"] = meta["resourceVersion"]
    return found


def _listed(kubeconfig: Path, context: str, kind: str) -> list[dict[str, Any]]:
    config = yaml.safe_load(kubeconfig.read_text("utf-8"))
    named = {item["name"]: item["context"] for item in config["contexts"]}[context]
    cluster = {item["name"]: item["cluster"] for item in config["clusters"]}[named["cluster"]]
    user = {item["name"]: item["user"] for item in config["users"]}[named["user"]]
    if "certificate-authority-data" in cluster:
        context_ = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    else:
        context_ = ssl.create_default_context(cafile=cluster.get("certificate-authority"))
    request = urllib.request.Request(
        f"{cluster['server']}/{kind}", headers={"Authorization": f"Bearer {user['token']}"}
    )
    with urllib.request.urlopen(request, timeout=10, context=context_) as answer:
        items: list[dict[str, Any]] = json.load(answer)["items"]
    return items
