"""From a kube context's name to a client that may talk to its cluster. The current context plays no part in it.

The kubeconfig files are read here, not by the SDK: which context is meant, which login failed and why can then be said.
"""

from __future__ import annotations

import difflib
import os
import shlex
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from toolkit.environments import model
from toolkit.errors import ConfigurationError
from toolkit.systems.cluster.client import Client, open_client

Table = dict[str, Any]

_LISTS: Final = ("clusters", "contexts", "users")
_FILES: Final = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


@dataclass(frozen=True)
class Access:
    """A client for one cluster. `login` is the program its credential came from ("" where it stands in the kubeconfig),
    `expires_at` the time until which that program says the credential holds."""

    client: Client
    address: str
    login: str = ""
    expires_at: datetime | None = None


def contexts(part: model.Cluster) -> tuple[str, ...]:
    """The names of all contexts in the kubeconfig that `part` is looked up in. Raises ConfigurationError."""
    return tuple(sorted(_named(_merged(_files(part)), "contexts")))


def kubectl(part: model.Cluster, *words: str, namespace: str = "") -> str:
    """The kubectl command a person would type for this cluster."""
    command = ["kubectl"]
    if part.kubeconfig:
        command += ["--kubeconfig", part.kubeconfig]
    command += ["--context", part.context or "CONTEXT"]
    if namespace:
        command += ["-n", namespace]
    return shlex.join([*command, *words])


def open_access(name: str, part: model.Cluster) -> Access:
    """Log in to the cluster as its context says.

    Raises ConfigurationError where the context is not set, not there or broken, NotAllowed where its login fails.
    """
    files = _files(part)
    merged = _merged(files)
    known = _named(merged, "contexts")
    if not part.context:
        raise ConfigurationError(
            f"Which kube context cluster {name} has is not configured: clusters.{name}.context is empty.",
            hint=f"Set it to one of these contexts: {', '.join(sorted(known)) or 'none'}.",
            by_hand=("kubectl config get-contexts",),
        )
    if part.context not in known:
        near = difflib.get_close_matches(part.context, known, n=1)
        raise ConfigurationError(
            f"There is no kube context {part.context!r} (clusters.{name}.context) in {_text(files)}.",
            hint=(f"Did you mean {near[0]!r}? " if near else "")
            + f"There are: {', '.join(sorted(known)) or 'none'}. "
            + "`gcloud container clusters get-credentials …` adds a GKE cluster's context.",
            by_hand=("kubectl config get-contexts",),
        )
    context = known[part.context].get("context") or {}
    users = _named(merged, "users")
    user: Table = dict(users.get(context.get("user", ""), {}).get("user") or {})
    cluster: Table = _named(merged, "clusters").get(context.get("cluster", ""), {}).get("cluster") or {}
    address = str(cluster.get("server") or "").rstrip("/")
    if urlsplit(address).scheme not in ("http", "https"):
        raise ConfigurationError(
            f"The kube context {part.context!r} of cluster {name} names no server.",
            hint=f"Its cluster is {context.get('cluster')!r}; look at it in {_text(files)}.",
        )
    login, expires_at = "tokenFile" if user.get("tokenFile") else "", None
    if "exec" in user and "token" not in user:
        from toolkit.systems.cluster.login import run_login

        login = str(user["exec"].get("command", ""))
        given, expires_at = run_login(name, part, user.pop("exec"), cluster)
        user |= given
    who = f"The kube context {part.context!r} of cluster {name}"
    return Access(open_client(who, cluster, user, kubectl(part, "version")), address, login, expires_at)


def _files(part: model.Cluster) -> list[Path]:
    named = part.kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
    return [Path(one).expanduser() for one in named.split(os.pathsep) if one]


def _text(files: list[Path]) -> str:
    return ", ".join(str(file) for file in files)


def _merged(files: list[Path]) -> Table:
    """All files as one; of two entries with one name the first counts, as for kubectl."""
    present = [file for file in files if file.is_file()]
    if not present:
        raise ConfigurationError(
            f"There is no kubeconfig at {_text(files)}.",
            hint="Get one with `gcloud container clusters get-credentials …`, or name yours: KUBECONFIG, or "
            "clusters.NAME.kubeconfig in the configuration.",
        )
    merged: Table = {key: [] for key in _LISTS}
    for file in present:
        table = _read(file)
        for key in _LISTS:
            entries = table.get(key) or []
            if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
                raise ConfigurationError(f"{file} is not a kubeconfig: {key} is not a list of named entries.")
            merged[key] += [_anchored(entry, file.parent) for entry in entries]
    return merged


def _read(file: Path) -> Table:
    import yaml

    try:
        table = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)  # the error's own text would show a piece of the file
        where = f" (line {mark.line + 1})" if mark else ""
        raise ConfigurationError(f"{file} is not valid YAML{where}.", hint="Correct it, or get it anew.") from None
    if table is None:
        return {}
    if not isinstance(table, dict):
        raise ConfigurationError(f"{file} is not a kubeconfig: it holds no table.")
    return table


def _anchored(entry: Table, folder: Path) -> Table:
    """Relative file names in a kubeconfig are meant from the file's own folder."""
    anchored = dict(entry)
    for key in ("cluster", "user"):
        inner = anchored.get(key)
        if isinstance(inner, dict):
            anchored[key] = {
                name: str(folder / value) if name in _FILES and isinstance(value, str) and value else value
                for name, value in inner.items()
            }
            plugin = anchored[key].get("exec")
            if isinstance(plugin, dict):
                command = str(plugin.get("command", ""))
                if os.sep in command:
                    anchored[key]["exec"] = {**plugin, "command": str(folder / command)}
    return anchored


def _named(merged: Table, key: str) -> dict[str, Table]:
    found: dict[str, Table] = {}
    for entry in merged[key]:
        found.setdefault(str(entry.get("name", "")), entry)
    return found
