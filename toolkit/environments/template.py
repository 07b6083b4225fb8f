"""The commented configuration file that `toolkit config init` writes, and what each open key means."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolkit.environments import loading
from toolkit.errors import UsageError

_MEANINGS = {
    "vault.address": "Vault's address, as in VAULT_ADDR: https://vault.example.com:8200",
    "redis_proxy.cluster": "the cluster where the Service redis-proxy is",
    "redis_proxy.namespace": "the namespace of the Service redis-proxy",
    "bucket.name": "the L3 bucket's name, without gs://",
    "bucket.project": "the GCP project the bucket belongs to",
    "cache_manager.cluster": "the cluster where the cache manager's CronJob really runs",
    "cache_manager.namespace": "the CronJob's namespace",
    "cache_manager.cronjob": "the CronJob's name",
    "app.cluster": "the cluster where MapApp's Deployment is",
    "app.namespace": "the Deployment's namespace",
    "app.deployment": "the Deployment's name",
    "infra_repo.remote": "eng-infrastructure: a Git address, or the path of a clone",
    "infra_repo.path": "the cache manager's YAML file in eng-infrastructure",
    "argocd.address": "Argo CD's address",
    "logs.loki.address": "Loki's address, what stands before /loki/api/v1/: https://loki.example.com",
    "logs.loki.grafana": "the address of the Grafana that shows Loki, for links",
    "logs.loki.datasource": "the UID of Loki's data source in that Grafana",
    "logs.cloud_logging.project": "the GCP project whose Cloud Logging holds the logs",
    "configome.remote": "configome: a Git address, a clone's path, or the YAML itself as a file or an https URL",
    "loader.manifest": "the file in eng-infrastructure with the group auto-loader's production settings",
    "kafka.bootstrap": "Kafka's brokers: host:port, several with commas",
    "kafka.topic": "the topic of phenoservice's group-created events",
    "benchmark_db.address": "the benchmark database's host:port; it lets nobody in without a configome change",
    "app.url": "the address that users type: https://map.example.com",
    "okta.address": "the Okta organisation's address: https://example.okta.com",
    "okta.vault_path": "where the token for Okta's API lies in Vault, below vault.mount",
    "argocd.application": "the Argo CD application that deploys the cache manager",
}


def meaning(key: str) -> str:
    """What goes into the key (its dotted name within an environment)."""
    return _MEANINGS.get(key, "")


def render(names: Sequence[str], values: Mapping[str, str] | None = None) -> str:
    """The text of a configuration file for the shipped environments `names`. `values`, by dotted key, are filled in;
    the other open keys are empty, each with what goes there."""
    settings, values = loading.shipped(), values or {}
    unknown = [name for name in names if name not in settings.environments]
    if unknown:
        raise UsageError(
            f"No profile is shipped for {', '.join(unknown)}.", hint=f"There are: {', '.join(settings.environments)}."
        )
    lines = [
        "# Configuration of the MapApp toolkit. Only what differs from the shipped profiles has to stand here;",
        "# `toolkit env show NAME` prints every value and where it came from, `toolkit config check` what is open.",
        "",
        "# read_only = true   # refuse every change from this workstation",
        "",
        "# [tui]   # the terminal app: docs/terminal-app.md names the themes, and how keys are changed",
        '# theme = "toolkit-light"',
        "# [tui.keys]",
        '# "app.groups" = "g"',
        "",
        "# The kube contexts by cluster: `kubectl config get-contexts` lists yours. The current context is never used.",
    ]
    for name, cluster in settings.clusters.items():
        context = _quoted(values.get(f"clusters.{name}.context", ""))
        lines += [f"[clusters.{name}]   # {cluster.purpose}", f"context = {context}", ""]
    for name in names:
        environment = settings.environments[name]
        lines += [f"# {environment.title}", f"[environments.{name}]", "# read_only = true", ""]
        own = f"environments.{name}."
        given = {key.removeprefix(own): value for key, value in values.items() if key.startswith(own)}
        for part, keys in _by_part([*loading.unset(environment), *given], given).items():
            lines += [f"[environments.{name}.{part}]", *keys, ""]
        lines += [
            "# Optional: without Loki or Cloud Logging there are the pods' own logs only, as far as the clusters still",
            "# have them; without Okta `access check` cannot say who gets in; without Kafka, no events; without",
            "# configome and the group auto-loader's manifest `loader check` has nothing to compare.",
        ]
        for part, keys in _by_part(loading.optional(environment)).items():
            lines += [f"# [environments.{name}.{part}]", *(f"# {key}" for key in keys), ""]
    return "\n".join(lines)


def values_in(file: Path, names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The values of a configuration file that `render` would write again, by dotted key; and the keys that it would
    not. Raises ConfigurationError."""
    taken: dict[str, str] = {}
    left: list[str] = []
    for key, value in loading.flat(file):
        own = key.split(".")[1] in names if key.startswith("environments.") else key.endswith(".context")
        if own and isinstance(value, str):
            taken[key] = value
        else:
            left.append(key)
    return {key: value for key, value in taken.items() if value}, left


def _by_part(keys: Sequence[str], values: Mapping[str, str] | None = None) -> dict[str, list[str]]:
    """The lines of these keys, by the table in which they stand."""
    parts: dict[str, list[str]] = {}
    for key in dict.fromkeys(keys):
        part, _, rest = key.rpartition(".")
        line = f"{rest} = {_quoted((values or {}).get(key, ''))}   # {meaning(key)}"
        parts.setdefault(part, []).append(line if meaning(key) else line.removesuffix("   # "))
    return parts


def _quoted(value: str) -> str:
    """As a TOML string: JSON's escapes are among TOML's."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
