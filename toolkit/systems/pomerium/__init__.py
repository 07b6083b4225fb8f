"""Pomerium's rules at the door of one app: its route's policy, from the Ingress or from Pomerium's own configuration.

Formats after "Ingress Configuration" and "Policy Language" of Pomerium's documentation; policy.py reads the latter.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from toolkit.errors import ConfigurationError, Failed, NotFound, ToolkitError
from toolkit.systems.pomerium.policy import Policy, Rule, allowing, read_policy

if TYPE_CHECKING:
    from toolkit.environments.access import Pomerium as Part
    from toolkit.systems.cluster import Cluster
    from toolkit.systems.cluster.objects import Ingress

# As an Ingress' annotations and a route of config.yaml call them alike. `allowed_groups` is refused by today's Ingress
# controller; older ones take it.
SETTINGS: Final = (
    "allow_public_unauthenticated_access",
    "allow_any_authenticated_user",
    "allowed_domains",
    "allowed_groups",
    "allowed_idp_claims",
    "allowed_users",
    "policy",
)


@dataclass(frozen=True, slots=True)
class Route:
    """A route and who may take it. `where` is where that is written, `by_hand` the commands that show it."""

    host: str
    policy: Policy
    where: str
    by_hand: tuple[str, ...] = ()


def of_ingress(ingress: Ingress, prefix: str, by_hand: str) -> Route:
    """Raises Failed, with its name, where its policy cannot be read or there is none."""
    where = f"Ingress {ingress.namespace}/{ingress.name} in cluster {ingress.cluster}"
    settings = {
        key.removeprefix(f"{prefix}/"): value
        for key, value in ingress.annotations.items()
        if key.startswith(f"{prefix}/") and key.removeprefix(f"{prefix}/") in SETTINGS
    }
    parsed = {key: _yaml(value, f"{where}, annotation {prefix}/{key}", by_hand) for key, value in settings.items()}
    host = ingress.hosts[0] if ingress.hosts else ""
    return Route(host, _policy(parsed, where, by_hand), where, (by_hand,))


def of_configuration(file: str, host: str) -> Route:
    """The route to `host` in a copy of Pomerium's config.yaml. Raises ToolkitError where it is not there."""
    by_hand = f"less {shlex.quote(file)}"
    try:
        text = Path(file).expanduser().read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"pomerium.config_file {file} cannot be read: {getattr(error, 'strerror', None) or error}.",
            hint="It has to be a copy of Pomerium's config.yaml on this machine.",
        ) from error
    found = _yaml(text, file, by_hand)
    routes = found.get("routes", found.get("policy")) if isinstance(found, Mapping) else None
    if not isinstance(routes, list):
        raise Failed(f"{file} has no list of routes: it is not Pomerium's config.yaml.", by_hand=(by_hand,))
    for route in routes:
        if isinstance(route, Mapping) and urlsplit(str(route.get("from") or "")).hostname == host:
            where = f"the route from {route['from']} in {file}"
            settings = {key: route[key] for key in SETTINGS if key in route}
            return Route(host, _policy(settings, where, by_hand), where, (by_hand,))
    raise NotFound(
        f"{file} has no route from {host}.", hint="Is app.url right, and the copy the newest?", by_hand=(by_hand,)
    )


def find_ingress(part: Part, cluster: Cluster, namespace: str, host: str) -> Ingress | None:
    """The Ingress of that name, else the one for `host`, with what Pomerium says of it. Raises ConfigurationError where
    neither is known, or several fit."""
    if part.ingress:
        found = [one for one in cluster.ingresses(namespace) if one.name == part.ingress]
    elif host:
        found = [one for one in cluster.ingresses(namespace) if host in one.hosts]
    else:
        raise ConfigurationError(
            "Which Ingress is the way in is not configured: app.url and pomerium.ingress are both empty.",
            hint="Set app.url, as users type it, or pomerium.ingress, the Ingress' name.",
        )
    if len(found) > 1:
        # Several Ingresses may share a host, a path each; those without any rule for people are not the door.
        prefix = f"{part.annotation_prefix}/"
        found = [one for one in found if any(f"{prefix}{key}" in one.annotations for key in SETTINGS)] or found
    if len(found) > 1:
        names = ", ".join(f"{one.namespace}/{one.name}" for one in found)
        raise ConfigurationError(
            f"Several Ingresses in cluster {cluster.name} could be the way in: {names}.",
            hint="Name the one that is meant in pomerium.ingress, and its namespace in pomerium.namespace.",
        )
    return found[0] if found else None


def _policy(settings: Mapping[str, Any], where: str, by_hand: str) -> Policy:
    try:
        rules = (*_allowed(settings), *(read_policy(settings["policy"]) if settings.get("policy") else ()))
    except ToolkitError as error:
        raise Failed(
            f"{where}: {error.message}",
            hint="Ask those who run Pomerium: it refuses such a policy too, and goes on with the one from before.",
            by_hand=(by_hand,),
        ) from error
    if not rules:
        raise Failed(
            f"{where} has no policy: Pomerium lets nobody in there, or the rules stand elsewhere.",
            hint="Pomerium's console may hold them; ask those who run it, or set pomerium.config_file to a copy.",
            by_hand=(by_hand,),
        )
    return Policy(rules)


def _allowed(settings: Mapping[str, Any]) -> tuple[Rule, ...]:
    """The rules of the settings beside `policy`; one of them is enough."""
    values: list[tuple[str, Any]] = []
    for key, criterion in (("allow_public_unauthenticated_access", "accept"),
                           ("allow_any_authenticated_user", "authenticated_user")):  # fmt: skip
        if settings.get(key) in (True, "true"):
            values.append((criterion, True))
    values += [("domain", {"is": one}) for one in _strings(settings, "allowed_domains")]
    values += [("groups", {"has": one}) for one in _strings(settings, "allowed_groups")]
    claims = settings.get("allowed_idp_claims") or {}
    if not isinstance(claims, Mapping):
        raise Failed("allowed_idp_claims is no table of claims.")
    values += [(f"claim/{name}", {"has": one}) for name in claims for one in _strings(claims, name)]
    for one in _strings(settings, "allowed_users"):
        values += [("user", {"is": one}), ("email", {"is": one})]
    return allowing("or", values)


def _strings(settings: Mapping[str, Any], key: str) -> list[str]:
    value = settings.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Failed(f"{key} is no list of names.")
    return value


def _yaml(text: str, where: str, by_hand: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise Failed(
            f"{where} is not YAML{line}: {getattr(error, 'problem', None) or 'it cannot be read'}.",
            hint="Ask those who run Pomerium: it refuses such a policy too, and goes on with the one from before.",
            by_hand=(by_hand,),
        ) from error
