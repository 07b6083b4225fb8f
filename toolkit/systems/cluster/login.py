"""Runs the login program that a kubeconfig names (an exec credential plugin, as GKE's), without a terminal and bounded.

Source: the ExecCredential contract, client.authentication.k8s.io/v1.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from datetime import datetime
from typing import Any, Final

from toolkit.environments import model
from toolkit.errors import NotAllowed
from toolkit.secret import Secret, scrub

Table = dict[str, Any]

_SECONDS: Final = 30
_LONGEST: Final = 300


def run_login(name: str, part: model.Cluster, plugin: Table, cluster: Table) -> tuple[Table, datetime | None]:
    """What the plugin gives, as entries of a kubeconfig's user, and until when it holds. Raises NotAllowed."""
    command = [str(plugin.get("command") or ""), *(str(one) for one in plugin.get("args") or ())]
    login = os.path.basename(command[0]) or "a program without a name"  # noqa: PTH119  a command, not a path of ours
    who = f"Cluster {name} (context {part.context}) logs in through {login}"
    try:
        done = subprocess.run(
            command,
            env=_environment(plugin, cluster),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise NotAllowed(f"{who}, which is not on this machine's PATH.", hint=_install_hint(login, plugin)) from None
    except subprocess.TimeoutExpired:
        raise NotAllowed(
            f"{who}, which did not end within {_SECONDS} s; it may be waiting for somebody to log in.",
            hint=_again(part),
        ) from None
    except OSError as error:
        raise NotAllowed(f"{who}, which cannot be run: {error.strerror}.", hint=_again(part)) from None
    if done.returncode != 0:
        said = scrub(done.stderr.strip().rpartition("\n")[2])[:_LONGEST]
        raise NotAllowed(f"{who}, which failed: {said or f'exit code {done.returncode}'}", hint=_again(part))
    return _credential(done.stdout, who, part)


def _credential(text: str, who: str, part: model.Cluster) -> tuple[Table, datetime | None]:
    try:
        status = json.loads(text)["status"]
        until = status.get("expirationTimestamp")
        expires_at = datetime.fromisoformat(until) if until else None
        if status.get("token"):
            return {"token": Secret(status["token"]).reveal()}, expires_at
        certificate, key = status["clientCertificateData"], Secret(status["clientKeyData"])
    except (ValueError, KeyError, TypeError, AttributeError):
        # what it wrote may hold the credential: none of it is shown
        raise NotAllowed(f"{who}, which gave no credential that can be read.", hint=_again(part)) from None
    encoded = {"client-certificate-data": certificate, "client-key-data": key.reveal()}
    return {name: base64.b64encode(value.encode()).decode() for name, value in encoded.items()}, expires_at


def _environment(plugin: Table, cluster: Table) -> dict[str, str]:
    spec: Table = {"interactive": False}
    if plugin.get("provideClusterInfo"):
        known = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data")
        spec["cluster"] = {key: cluster[key] for key in known if key in cluster}
    info = {"apiVersion": plugin.get("apiVersion"), "kind": "ExecCredential", "spec": spec}
    given = {str(one["name"]): str(one["value"]) for one in plugin.get("env") or () if "name" in one and "value" in one}
    return {**os.environ, **given, "KUBERNETES_EXEC_INFO": json.dumps(info)}


def _install_hint(login: str, plugin: Table) -> str:
    if "gke-gcloud-auth-plugin" in login:
        return "Install it: gcloud components install gke-gcloud-auth-plugin"
    told = " ".join(str(plugin.get("installHint") or "").split())
    return told[:_LONGEST] or f"Install {login}, or put it on PATH."


def _again(part: model.Cluster) -> str:
    from toolkit.systems.cluster.access import kubectl

    return f"Log in again in a terminal: gcloud auth login; then: {kubectl(part, 'version')}"
