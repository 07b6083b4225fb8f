"""The door of an environment: by which way people come in, and what Pomerium's policy there says."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from toolkit.errors import ConfigurationError, NotFound, ToolkitError
from toolkit.systems import pomerium

if TYPE_CHECKING:
    from toolkit.systems.cluster.objects import Ingress
    from toolkit.systems.connections import Connections


def way_in(connections: Connections) -> str:
    """How people come in, in the configuration's words: of the app, else of its cluster; "" where nobody said."""
    app = connections.environment.app
    if app.way_in or not app.cluster:
        return app.way_in
    return connections.settings.cluster(app.cluster)[1].way_in


def kind(way: str) -> str:
    """`pomerium`, `catalyst`, or "": what is named first in those words ("Catalyst; no Pomerium ingress")."""
    text = way.lower()
    named = [(text.index(name), name) for name in ("pomerium", "catalyst") if name in text]
    return min(named)[1] if named else ""


def address(connections: Connections) -> str:
    """What people type, for texts that are sent."""
    environment = connections.environment
    return environment.app.url or environment.title or environment.name


def route(connections: Connections) -> pomerium.Route:
    """The route to the app with its policy. Raises ToolkitError where it is not there, is not readable, or lies in
    another cluster than configured (then it says in which)."""
    environment = connections.environment
    part = environment.pomerium
    host = urlsplit(environment.app.url).hostname or ""
    if part.config_file:
        if not host:
            raise ConfigurationError(
                "Which route of pomerium.config_file is the app's is not known: app.url is empty.",
                hint="Set app.url, as users type it.",
            )
        return pomerium.of_configuration(part.config_file, host)
    name = part.cluster or environment.app.cluster
    if not name:
        raise ConfigurationError(
            f"Where Pomerium's Ingress for {environment.name} is, is not configured: pomerium.cluster and app.cluster "
            "are both empty.",
            hint="Set pomerium.cluster, or pomerium.config_file to a copy of Pomerium's config.yaml.",
        )
    cluster = connections.cluster(name)
    namespace = part.namespace or (environment.app.namespace if not part.cluster else "")
    ingress = pomerium.find_ingress(part, cluster, namespace, host)
    if ingress is None:
        raise _elsewhere(connections, cluster.name, namespace, host)
    by_hand = cluster.kubectl("get", "ingress", ingress.name, "-o", "yaml", namespace=ingress.namespace)
    return pomerium.of_ingress(ingress, part.annotation_prefix, by_hand)


def _elsewhere(connections: Connections, configured: str, namespace: str, host: str) -> ToolkitError:
    """Where the Ingress is instead, as an error that says it; or that no configured cluster has it."""
    environment = connections.environment
    part = environment.pomerium
    wanted = f"Ingress {part.ingress}" if part.ingress else f"Ingress for {host}"
    where = f"{f'namespace {namespace} of ' if namespace else ''}cluster {configured}"
    by_hand = (connections.cluster(configured).kubectl("get", "ingress", "-A"),)
    unasked = []
    for name in (configured, *(name for name in connections.settings.clusters if name != configured)):
        if not connections.settings.clusters[name].context:
            unasked.append(f"{name} has no context configured")
            continue
        try:
            found: Ingress | None = pomerium.find_ingress(part, connections.cluster(name), "", host)
        except ToolkitError as error:
            unasked.append(f"{name}: {error.message}")
            continue
        if found is not None:
            key = f"environments.{environment.name}.pomerium"
            return NotFound(
                f"There is no {wanted} in {where}; it is in cluster {name}, namespace {found.namespace}.",
                hint=f'If people come in there, set {key}.cluster to "{name}" and .namespace to "{found.namespace}".',
                by_hand=by_hand,
            )
    more = f" Not looked into: {'; '.join(unasked)}." if unasked else ""
    return NotFound(
        f"There is no {wanted} in {where}, nor in another configured cluster.{more}",
        hint="Is app.url the address that users type? Else set pomerium.ingress, or ask those who run Pomerium where "
        "its route is.",
        by_hand=by_hand,
    )
