"""The systems around the cache, as the doctor's hops: each only where it is configured; none is in another's way."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

from toolkit import figures
from toolkit.cache.loader import settings
from toolkit.checks.finding import Finding, Status
from toolkit.checks.runner import Check
from toolkit.errors import NotFound

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections

_EVERYBODY: Final = "Everyone"  # a group that every Okta organisation has
_LOOK_BACK: Final = 10 * 60 * 10**9  # nanoseconds of logs that are asked for


def hops(connections: Connections) -> list[Check]:
    """One hop for each system that this environment configures."""
    environment = connections.environment
    loki, argocd, okta = environment.logs.loki, environment.argocd, environment.okta
    found = []
    if argocd.address and argocd.application:
        found.append(Check("argocd", partial(argo_cd, connections), needs=_token(argocd.vault_path)))
    if okta.address and okta.vault_path:
        found.append(Check("okta", partial(okta_answers, connections), needs=_token(okta.vault_path)))
    if environment.configome.remote:
        found.append(
            Check("configome", partial(configome, connections), needs=_token(environment.configome.vault_path))
        )
    if loki.address:
        found.append(Check("loki", partial(loki_answers, connections), needs=_token(loki.vault_path)))
    if environment.kafka.bootstrap and environment.kafka.topic:
        found.append(Check("kafka", partial(kafka_answers, connections), needs=_token(environment.kafka.vault_path)))
    if environment.logs.cloud_logging.project:
        found.append(Check("cloud-logging", partial(cloud_logging, connections)))
    return found


def _token(vault_path: str) -> tuple[str, ...]:
    return ("vault-token",) if vault_path else ()


def argo_cd(connections: Connections) -> Finding:
    """Does Argo CD say how the cache manager's application is?"""
    argocd = connections.argocd
    found = argocd.application()
    text = f"{found.name} is {found.sync}, {found.health}"
    return Finding("", Status.OK, text, by_hand=(argocd.get_by_hand,))


def okta_answers(connections: Connections) -> Finding:
    """Does Okta answer, and may its token read groups?"""
    groups = connections.okta.groups_called(_EVERYBODY)
    if not groups:
        raise NotFound(
            f"Okta shows its token no group {_EVERYBODY!r}, which every organisation has.",
            hint="The token's role may be limited to some groups: `access check` would miss the others.",
        )
    path = f'/api/v1/groups?search=profile.name eq "{_EVERYBODY}"'
    return Finding("", Status.OK, "answers; its token may read groups", by_hand=(connections.okta.by_hand(path),))


def configome(connections: Connections) -> Finding:
    """Can configome be read, and does it have the auto-loader's settings?"""
    part, system = connections.environment.configome, connections.configome
    read = system.read()
    found = settings.read(read.text, part.key, read.place)
    count = len(found.transformations)
    text = f"{part.key} lists {count} transformation{'s' * (count != 1)}"
    return Finding("", Status.OK, text, by_hand=(system.by_hand,))


def loki_answers(connections: Connections) -> Finding:
    """Does Loki answer, and do lines of the cache manager's namespace arrive there?"""
    query = f'{{namespace="{connections.environment.cache_manager.namespace}"}}'
    since = time.time_ns() - _LOOK_BACK
    page = next(connections.loki.entries(query, since, backward=True, most=1), None)
    text = "answers" if page is not None and page.chunks else "answers; nothing of the cache manager in 10 minutes"
    return Finding("", Status.OK, text, by_hand=(connections.loki.by_hand(query, since),))


def kafka_answers(connections: Connections) -> Finding:
    """May its account read the topic of the group-created events?"""
    kafka = connections.kafka
    last = next(iter(kafka.latest(1)), None)
    text = f"answers; the last group was created {figures.when(last.time)}" if last else "answers; no event is kept"
    return Finding("", Status.OK, text, by_hand=(kafka.by_hand("-o -1", "-e"),))


def cloud_logging(connections: Connections) -> Finding:
    """May I read the project's logs?"""
    part, since = connections.environment.logs.cloud_logging, time.time_ns() - _LOOK_BACK
    next(connections.cloud_logging.entries("", since, newest_first=True, page=1), None)
    text = f"project {part.project} lets you read its logs"
    return Finding("", Status.OK, text, by_hand=(connections.cloud_logging.by_hand("", since),))
