"""What the running sandbox writes down for those who come to it: its configuration and its Vault token.

The kubeconfig that the configuration names is written by kubeconfig.py."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.environments import loading
from toolkit.sandbox import auto_loader
from toolkit.sandbox.places import CLUSTERS, PLACES, Place

CONTEXT = "sandbox-{cluster}"
ARGOCD_VAULT_PATH = "phenoapp/argocd"
LOKI_TENANT = "phenoapp"
LOKI_VAULT_PATH = "phenoapp/loki"
OKTA_VAULT_PATH = "phenoapp/okta"
KAFKA_VAULT_PATH = "phenoapp/kafka"

_CLUSTER_WORDS = {
    "principal": ("Catalyst; no Pomerium ingress", "MapApp itself", ["primary"]),
    "rp006-prod": ("Pomerium", "things meant for RP006 (but not its cache manager)", []),
    "prod-cluster": ("Pomerium", "internal things; RP006's cache manager runs here", []),
}


@dataclass(frozen=True)
class Addresses:
    """Where the sandbox's servers listen. `proxies`: environment -> host:port. `authority` signed Loki's and Okta's
    certificates."""

    vault: str
    storage: str
    proxies: Mapping[str, str]
    loki: str
    cloud_logging: str
    argocd: str
    okta: str
    kafka: str
    authority: Path


def write(directory: Path, addresses: Addresses, vault_token: str) -> Path:
    """Write vault-token and toolkit.toml into `directory`, for the user's eyes only; gives back the latter."""
    private(directory / "vault-token", vault_token)
    return private(directory / "toolkit.toml", toolkit_toml(directory, addresses))


def private(file: Path, text: str) -> Path:
    """Write `file` at once and whole, with mode 0600 from its first moment."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text)
    temporary.replace(file)
    return file


def toolkit_toml(directory: Path, addresses: Addresses) -> str:
    """The configuration of the sandbox's environments, in TOML."""
    tables: dict[str, dict[str, Any]] = {}
    for cluster in CLUSTERS:
        way_in, purpose, aliases = _CLUSTER_WORDS[cluster]
        tables[f"clusters.{cluster}"] = {
            "context": CONTEXT.format(cluster=cluster),
            "kubeconfig": str(directory / "kubeconfig"),
            "aliases": aliases,
            "way_in": way_in,
            "purpose": purpose,
        }
    for place in PLACES:
        tables |= _environment(place, directory, addresses)
    lines = ["# Written by the running sandbox; it is made anew at each start."]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _environment(place: Place, directory: Path, addresses: Addresses) -> dict[str, dict[str, Any]]:
    parts: dict[str, dict[str, Any]] = {
        "vault": {
            "address": addresses.vault,
            "token_file": str(directory / "vault-token"),
            "path": place.vault_path,
            "login": {"method": "token"},
        },
        "redis": {"address": addresses.proxies[place.name]} if place.pinned else {},
        "redis_proxy": {"cluster": place.cache_manager_cluster, "namespace": place.cache_manager_namespace},
        "bucket": {"name": place.bucket, "project": place.gcp_project, "endpoint": addresses.storage},
        "cache_manager": {
            "cluster": place.cache_manager_cluster,
            "namespace": place.cache_manager_namespace,
            "cronjob": place.cronjob,
            "usual_minutes": 1,
        },
        "app": {
            "cluster": place.app_cluster,
            "namespace": place.app_namespace,
            "deployment": place.deployment,
            "url": place.url,
            "way_in": "Pomerium" if place.pomerium else "Catalyst",
        },
        "infra_repo": {"remote": str(directory / "eng-infrastructure"), "path": place.manifest},
        "configome": {"remote": str(directory / auto_loader.DIRECTORY), "path": place.configome},
        "loader": {"manifest": place.loader_manifest, "phenoservice_api": auto_loader.api(place)},
        "argocd": {
            "address": addresses.argocd,
            "application": place.argocd_application,
            "vault_path": ARGOCD_VAULT_PATH,
            "ca_file": str(addresses.authority),
        },
        "okta": {
            "address": addresses.okta,
            "vault_path": OKTA_VAULT_PATH,
            "ca_file": str(addresses.authority),
        },
        "kafka": {
            "bootstrap": addresses.kafka,
            "topic": place.topic,
            "sasl_mechanism": "PLAIN",
            "vault_path": KAFKA_VAULT_PATH,
            "ca_file": str(addresses.authority),
            "consumer_groups": list(place.consumer_groups),
        },
        "side_panel": {"bucket": place.side_panel_bucket},
        "biohive": {"host": ""},  # there is none in the sandbox, and the real one is none of its business
        "logs.loki": {
            "address": addresses.loki,
            "tenant": LOKI_TENANT,
            "vault_path": LOKI_VAULT_PATH,
            "ca_file": str(addresses.authority),
        },
        "logs.cloud_logging": {"project": place.gcp_project, "endpoint": addresses.cloud_logging},
        **{f"logs.queries.{name}": query for name, query in queries(place).items()},
    }
    head = {"title": place.title, "kind": "sandbox", "gcp_project": place.gcp_project}
    return {
        f"environments.{place.name}": head,
        **{f"environments.{place.name}.{part}": table for part, table in parts.items()},
    }


def queries(place: Place) -> dict[str, dict[str, str]]:
    """The queries that are shipped for the real environment that this one is like."""
    profile = {"sandbox": "rp006", "sandbox-mapapp": "mapapp"}[place.name]
    shipped = loading.shipped().environments[profile].logs.queries
    return {name: {"source": one.source, "query": one.query, "help": one.help} for name, one in shipped.items()}


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value)
