"""The Argo CD token of whoever sits here: ARGOCD_AUTH_TOKEN, else what `argocd login` wrote down."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from toolkit.errors import ConfigurationError, NotAllowed
from toolkit.secret import Secret

VARIABLE = "ARGOCD_AUTH_TOKEN"


def own_token(host: str, cli_config: str = "") -> Secret:
    """The token for the server at `host` (host or host:port). Raises NotAllowed where there is none."""
    given = os.environ.get(VARIABLE, "").strip()
    if given:
        return Secret(given)
    file = Path(cli_config).expanduser() if cli_config else _cli_config()
    token = _of_cli(file, host)
    if token is not None:
        return token
    raise NotAllowed(
        f"There is no token for Argo CD at {host}: {VARIABLE} is not set, and {file} knows none for this server.",
        hint=f"Log in: argocd login {host} --sso. Or set argocd.vault_path, where a token lies in Vault.",
        by_hand=(f"argocd login {host} --sso",),
    )


def _cli_config() -> Path:
    """Where the argocd CLI keeps its configuration: as it looks for it itself."""
    named = os.environ.get("ARGOCD_CONFIG_DIR")
    if named:
        return Path(named) / "config"
    old = Path.home() / ".argocd"
    if old.is_dir():
        return old / "config"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "argocd" / "config"


def servers() -> list[str]:
    """The servers that the argocd CLI has logged in to, its current one first; none where it has no readable file."""
    try:
        found = _read(_cli_config())
    except ConfigurationError:
        return []
    contexts = sorted(_list(found, "contexts"), key=lambda one: one.get("name") != found.get("current-context"))
    return list(dict.fromkeys(str(one["server"]) for one in contexts if one.get("server")))


def _of_cli(file: Path, host: str) -> Secret | None:
    """The token of the user of a context whose server is `host`; the current context goes before the others."""
    found = _read(file, host)
    contexts = [one for one in _list(found, "contexts") if _same(str(one.get("server", "")), host)]
    contexts.sort(key=lambda one: one.get("name") != found.get("current-context"))
    tokens = {str(one.get("name")): str(one.get("auth-token") or "") for one in _list(found, "users")}
    token = next((tokens[name] for one in contexts if tokens.get(name := str(one.get("user")))), "")
    return Secret(token) if token else None


def _read(file: Path, host: str = "SERVER") -> dict[str, Any]:
    """The CLI's configuration; empty where there is none."""
    import yaml

    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The argocd CLI's configuration {file} cannot be read: {error}.") from None
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigurationError(
            f"The argocd CLI's configuration {file} is not valid YAML.", hint=f"Log in anew: argocd login {host} --sso"
        ) from None
    return found if isinstance(found, dict) else {}


def _list(found: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = found.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _same(server: str, host: str) -> bool:
    """Whether two servers are the same; 443 is the port of one that names none."""
    return server.rstrip("/").removesuffix(":443") == host.removesuffix(":443")
