"""What other programs of this workstation are already set up for: kubectl, gcloud, vault, argocd, git.

Only their configuration files and variables are read; nothing is asked over the network, and no credential is taken.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from toolkit.environments import model
from toolkit.errors import ToolkitError

_REPOSITORY: Final = "eng-infrastructure"
_FOLDERS: Final = (".", "..", "~", "~/src", "~/code", "~/git", "~/repos", "~/projects", "~/work", "~/dev")


def kube_contexts() -> tuple[str, ...]:
    """The contexts of the user's kubeconfig; none where there is no readable one."""
    from toolkit.systems.cluster.access import contexts

    try:
        return contexts(model.Cluster())
    except ToolkitError:
        return ()


def contexts_of(cluster: str, aliases: tuple[str, ...] = ()) -> list[str]:
    """The contexts that are likeliest its: of its name, else Google's PROJECT_PLACE_NAME, else with it inside."""
    names = (cluster, *aliases)

    def rank(context: str) -> int:
        if context in names:
            return 0
        if any(context.startswith("gke_") and context.endswith(f"_{name}") for name in names):
            return 1
        return 2 if any(name in context for name in names) else 3

    found = kube_contexts()
    best = min(map(rank, found), default=3)
    return [context for context in found if rank(context) == best < 3]


def gcloud_project() -> str:
    """gcloud's present project; "" where none is set."""
    for variable in ("CLOUDSDK_CORE_PROJECT", "GOOGLE_CLOUD_PROJECT"):
        if os.environ.get(variable):
            return os.environ[variable]
    folder = Path(os.environ.get("CLOUDSDK_CONFIG") or Path.home() / ".config" / "gcloud")
    active = os.environ.get("CLOUDSDK_ACTIVE_CONFIG_NAME") or _text(folder / "active_config").strip() or "default"
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(_text(folder / "configurations" / f"config_{active}"))
    except configparser.Error:
        return ""
    return parser.get("core", "project", fallback="").strip()


def vault_address() -> str:
    """VAULT_ADDR, as the vault CLI takes it."""
    return os.environ.get("VAULT_ADDR", "").strip()


def argocd_servers() -> list[str]:
    """The servers that the argocd CLI has logged in to, the current one first."""
    from toolkit.systems.argocd.token import servers

    return [name if "://" in name else f"https://{name}" for name in servers()]


def clones() -> Iterator[Path]:
    """Clones of eng-infrastructure in the usual places."""
    seen = set()
    for folder in _FOLDERS:
        clone = (Path(folder).expanduser() / _REPOSITORY).absolute()
        if clone.resolve() not in seen and (clone / ".git").exists():
            seen.add(clone.resolve())
            yield clone.resolve()


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
