"""From a kube context's name to a client that may talk to its cluster. The current context plays no part in it.

The kubeconfig files are read here, not by the SDK: which context is meant, which login failed and why can then be said.
"""

from __future__ import annotations

import difflib
import os
import shlex
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from toolkit.environments import model
from toolkit.errors import ConfigurationError, NotAllowed
from toolkit.secret import Secret, scrub

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

Table = dict[str, Any]

# The SDK's packages import each other; two threads that import it at once find each other's half of it.
_importing: Final = threading.Lock()

_LISTS: Final = ("clusters", "contexts", "users")
_FILES: Final = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


@dataclass(frozen=True)
class Access:
    """A client for one cluster. `login` is the program its credential came from ("" where it stands in the kubeconfig),
    `expires_at` the time until which that program says the credential holds."""

    client: ApiClient
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
    return Access(_client(name, part, cluster, user), address, login, expires_at)


def _client(name: str, part: model.Cluster, cluster: Table, user: Table) -> ApiClient:
    with _importing:
        from kubernetes.client import ApiClient, Configuration
        from kubernetes.config import ConfigException
        from kubernetes.config.kube_config import KubeConfigLoader

    for key in ("token", "password", "client-key-data"):
        if user.get(key):
            Secret(str(user[key]))  # from now on it is scrubbed from every text
    chosen = {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": _filled(cluster)}],
        "users": [{"name": "it", "user": _filled(user)}],
    }
    configuration = Configuration()
    try:
        loader = KubeConfigLoader(chosen, "it", config_base_path="")  # type: ignore[no-untyped-call]
        loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"The kube context {part.context!r} of cluster {name} cannot be used: {scrub(str(error))}.",
            hint="Get its credentials anew, for GKE: gcloud container clusters get-credentials …",
            by_hand=(kubectl(part, "version"),),
        ) from error
    except _google_errors() as error:
        raise NotAllowed(
            f"The kube context {part.context!r} of cluster {name} logs in with Google, and that failed: {error}",
            hint="Log in again: gcloud auth application-default login",
        ) from error
    if _is_loopback(configuration.host) and not cluster.get("proxy-url"):
        configuration.proxy = None  # as kubectl does: what runs on this machine is not asked for through a proxy
    if not configuration.verify_ssl:
        import urllib3

        urllib3.disable_warnings(
            urllib3.exceptions.InsecureRequestWarning
        )  # the kubeconfig asks for it; said once there
    return ApiClient(configuration)


def _filled(table: Table) -> Table:
    """The SDK takes an empty key for a broken one; kubectl passes over it."""
    return {key: value for key, value in table.items() if value is not None}


def _google_errors() -> type[Exception]:
    from google.auth.exceptions import GoogleAuthError

    found: type[Exception] = GoogleAuthError
    return found


def _is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


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
