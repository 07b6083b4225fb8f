"""First-day set-up: each key that a configuration has to have, what is found out about it, and the test of an answer.

What a question knows grows with the answers: the clusters' contexts come first, and where a part lives is then looked
for in all of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from toolkit.checks import around, bucket, clusters, vault
from toolkit.checks.finding import Finding, Status
from toolkit.environments import loading, template
from toolkit.errors import ToolkitError, UsageError
from toolkit.systems import workstation
from toolkit.systems.connections import Connections
from toolkit.systems.infra_repo import InfraRepo

if TYPE_CHECKING:
    from toolkit.environments.model import Environment, Settings

T = TypeVar("T")

_DEPLOYMENT: Final = "dash-phenoapp-v2"  # MapApp's usual one
_KINDS: Final = {"cache_manager": "cronjobs", "redis_proxy": "services", "app": "deployments"}
_PLACES: Final = {
    "cache_manager": "where the cache manager's CronJob is, as CLUSTER/NAMESPACE",
    "redis_proxy": "where the Service redis-proxy is, as CLUSTER/NAMESPACE",
    "app": "where MapApp's Deployment is, as CLUSTER/NAMESPACE",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A value that was found out, and where."""

    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key without a value (for a part in a cluster: the part, its value being CLUSTER/NAMESPACE)."""

    key: str
    meaning: str
    offers: tuple[Offer, ...] = ()


class SetUp:
    """The set-up of the environments `names`; `values` are the answers so far, by dotted key."""

    def __init__(self, names: Sequence[str], values: Mapping[str, str] | None = None) -> None:
        self.names = tuple(names)
        self.values = dict(values or {})
        self._scanned: dict[tuple[str, str], list[str]] = {}

    def settings(self) -> Settings:
        return loading.filled(self.values)

    def wanted(self) -> Iterator[Wanted]:
        """What is open, in the order in which one answer helps with the next. Take each answer before the next one."""
        for cluster in self._clusters():
            if not self.settings().clusters[cluster].context:
                yield self._context(cluster)
        for name in self.names:
            for ask in (self._vault, self._kube_parts, self._bucket, self._infra_repo, self._argocd):
                yield from ask(name)

    def take(self, key: str, value: str) -> None:
        """The answer to a wanted key. Raises UsageError, ConfigurationError for one that cannot be."""
        self.values = self._with(key, value)

    def test(self, key: str, value: str) -> Finding | None:
        """Whether that answer works; None: that cannot be told from it alone.

        Raises UsageError, ConfigurationError for one that cannot be.
        """
        values = self._with(key, value)
        try:
            return self._tested(key, values)
        except ToolkitError as error:
            return Finding(key, Status.FAIL, error.message, error.hint, by_hand=error.by_hand)

    # -- what is wanted

    def _clusters(self) -> list[str]:
        """Those that the environments' parts name; all of them, where a part does not say where it lives."""
        settings = self.settings()
        used: set[str] = set()
        for name in self.names:
            environment = settings.environments[name]
            named = {environment.cache_manager.cluster, environment.redis_proxy.cluster, environment.app.cluster}
            if "" in named:
                return list(settings.clusters)
            used |= {settings.cluster(cluster)[0] for cluster in named}
        return [cluster for cluster in settings.clusters if cluster in used]

    def _context(self, cluster: str) -> Wanted:
        part = self.settings().clusters[cluster]
        found = workstation.contexts_of(cluster, part.aliases)
        meaning = (
            f"the kube context of {cluster} ({part.purpose})" if part.purpose else f"the kube context of {cluster}"
        )
        return Wanted(f"clusters.{cluster}.context", meaning, tuple(Offer(one, "your kubeconfig") for one in found))

    def _vault(self, name: str) -> Iterator[Wanted]:
        if self._environment(name).vault.address:
            return
        offers = [Offer(one, "the environment before") for one in self._before(name, "vault.address")]
        if workstation.vault_address():
            offers.append(Offer(workstation.vault_address(), "VAULT_ADDR"))
        yield self._key(name, "vault.address", offers)

    def _kube_parts(self, name: str) -> Iterator[Wanted]:
        if not self._environment(name).app.deployment:
            yield self._key(name, "app.deployment", [Offer(_DEPLOYMENT, "MapApp's usual name")])
        for part in _KINDS:
            here = getattr(self._environment(name), part)
            if here.cluster and here.namespace:
                continue
            if not self._object(name, part):
                continue
            places = [
                f"{cluster}/{namespace}"
                for cluster in ([here.cluster] if here.cluster else [])
                or [one for one, known in self.settings().clusters.items() if known.context]
                for namespace in self._scan(cluster, name, part)
            ]
            manager = self._environment(name).cache_manager
            beside = f"{manager.cluster}/{manager.namespace}"
            places.sort(key=lambda place: (part != "redis_proxy" or place != beside, name not in place))
            offers = tuple(Offer(place, f"{self._object(name, part)} is there") for place in places)
            yield Wanted(f"environments.{name}.{part}", _PLACES[part], offers)

    def _bucket(self, name: str) -> Iterator[Wanted]:
        if not self._environment(name).bucket.project:
            projects = dict.fromkeys((self._environment(name).gcp_project, workstation.gcloud_project()))
            yield self._key(name, "bucket.project", [Offer(one, "gcloud's configuration") for one in projects if one])
        if not self._environment(name).bucket.name:
            found = self._bucket_of_cronjob(name)
            yield self._key(name, "bucket.name", [Offer(found, "the CronJob's variables")] if found else [])

    def _infra_repo(self, name: str) -> Iterator[Wanted]:
        if not self._environment(name).infra_repo.remote:
            offers = [Offer(one, "the environment before") for one in self._before(name, "infra_repo.remote")]
            offers += [Offer(str(clone), "a clone on this machine") for clone in workstation.clones()]
            yield self._key(name, "infra_repo.remote", offers[:1])
        if not self._environment(name).infra_repo.path:
            yield self._key(name, "infra_repo.path", [Offer(path, "it is there") for path in self._manifests(name)])

    def _argocd(self, name: str) -> Iterator[Wanted]:
        if not self._environment(name).argocd.address:
            offers = [Offer(one, "the environment before") for one in self._before(name, "argocd.address")]
            offers = offers or [Offer(one, "the argocd CLI's configuration") for one in workstation.argocd_servers()]
            yield self._key(name, "argocd.address", offers)
        if not self._environment(name).argocd.application:
            cronjob = self._environment(name).cache_manager.cronjob
            guess = [Offer(f"{cronjob}-config", "the CronJob's name and -config")] if cronjob else []
            yield self._key(name, "argocd.application", guess)

    def _key(self, name: str, key: str, offers: Sequence[Offer]) -> Wanted:
        return Wanted(f"environments.{name}.{key}", template.meaning(key), tuple(offers))

    # -- what is found out

    def _environment(self, name: str) -> Environment:
        return self.settings().environments[name]

    def _before(self, name: str, key: str) -> list[str]:
        """What was answered for the same key of the other environments."""
        others = (self.values.get(f"environments.{other}.{key}", "") for other in self.names if other != name)
        return list(dict.fromkeys(value for value in others if value))

    def _object(self, name: str, part: str) -> str:
        environment = self._environment(name)
        if part == "cache_manager":
            return environment.cache_manager.cronjob
        return environment.redis_proxy.service if part == "redis_proxy" else environment.app.deployment

    def _scan(self, cluster: str, name: str, part: str) -> list[str]:
        """The namespaces of the cluster that have the part's object; none where it cannot be asked."""
        wanted, settings = self._object(name, part), self.settings()
        own, known = settings.cluster(cluster)
        if not known.context:
            return []
        if (own, wanted) not in self._scanned:
            connections = Connections(settings.environments[name], settings)
            try:
                self._scanned[own, wanted] = connections.cluster(own).namespaces_of(_KINDS[part], wanted)
            except ToolkitError:
                self._scanned[own, wanted] = []
            finally:
                connections.close()
        return self._scanned[own, wanted]

    def _bucket_of_cronjob(self, name: str) -> str:
        part = self._environment(name).cache_manager
        if not (part.cluster and part.namespace and part.cronjob):
            return ""
        try:
            return self._asked(
                name, self.values, lambda one: one.cluster(part.cluster).bucket_named_by(part.namespace, part.cronjob)
            )
        except ToolkitError:
            return ""

    def _manifests(self, name: str) -> tuple[str, ...]:
        """The files of eng-infrastructure that speak of the CronJob."""

        def ask(connections: Connections) -> tuple[str, ...]:
            cronjob = connections.environment.cache_manager.cronjob
            found = []
            for path in connections.infra_repo.manifests():
                with contextlib.suppress(ToolkitError):
                    InfraRepo(msgspec.structs.replace(connections.environment.infra_repo, path=path)).wanted_image(
                        cronjob
                    )
                    found.append(path)
            return tuple(found)

        try:
            return self._asked(name, self.values, ask) if self._environment(name).infra_repo.remote else ()
        except ToolkitError:
            return ()

    # -- taking and testing

    def _with(self, key: str, value: str) -> dict[str, str]:
        last = key.rpartition(".")[2]
        if last not in _KINDS:
            values = {**self.values, key: value}
        else:
            cluster, slash, namespace = value.partition("/")
            if not (cluster and slash and namespace):
                raise UsageError(f"{value!r} is not CLUSTER/NAMESPACE.", hint="For example: prod-cluster/rp006-neuro")
            values = {**self.values, f"{key}.cluster": cluster, f"{key}.namespace": namespace}
        loading.filled(values)
        return values

    def _tested(self, key: str, values: Mapping[str, str]) -> Finding | None:
        if key.startswith("clusters."):
            cluster = key.split(".")[1]
            return self._asked(self.names[0], values, lambda one: _answers(one, cluster))
        _, name, rest = key.split(".", 2)
        environment = loading.filled(values).environments[name]
        if rest == "argocd.address" and not environment.argocd.application:
            return None
        if rest == "bucket.project" or (rest.startswith("infra_repo") and not environment.infra_repo.path):
            return None
        check = _TESTS.get(rest)
        return self._asked(name, values, check) if check is not None else None

    def _asked(self, name: str, values: Mapping[str, str], ask: Callable[[Connections], T]) -> T:
        settings = loading.filled(values)
        connections = Connections(settings.environments[name], settings)
        try:
            return ask(connections)
        finally:
            connections.close()


def _answers(connections: Connections, cluster: str) -> Finding:
    """Not its identity: that is kept from the first use, and this may be the wrong context."""
    opened = connections.cluster(cluster)
    return Finding("", Status.OK, f"Kubernetes {opened.version()} at {opened.address}")


def _proxy(connections: Connections) -> Finding:
    return Finding("", Status.OK, f"the proxy's address is {connections.look_up_proxy()}")


def _deployment(connections: Connections) -> Finding:
    part = connections.environment.app
    if connections.cluster(part.cluster).deployment(part.namespace, part.deployment) is None:
        summary = f"no Deployment {part.deployment} is in {part.cluster}, namespace {part.namespace}"
        return Finding("", Status.FAIL, summary)
    return Finding("", Status.OK, f"{part.deployment} is there")


def _manifest(connections: Connections) -> Finding:
    wanted = connections.infra_repo.wanted_image(connections.environment.cache_manager.cronjob)
    return Finding("", Status.OK, f"trunk asks for {', '.join(wanted.images)}")


_TESTS: Final[Mapping[str, Callable[[Connections], Finding]]] = {
    "vault.address": vault.vault_reachable,
    "cache_manager": clusters.cronjob,
    "redis_proxy": _proxy,
    "app": _deployment,
    "bucket.name": bucket.reachable,
    "infra_repo.remote": _manifest,
    "infra_repo.path": _manifest,
    "argocd.address": around.argo_cd,
    "argocd.application": around.argo_cd,
}
