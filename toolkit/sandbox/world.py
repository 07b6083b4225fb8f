"""The sandbox's world: two environments on three clusters, one storage server, one Vault and two Git repositories.

All of it lives in one process and listens on loopback alone. `apply` brings it into the state that scenarios describe.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import logging
import secrets
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toolkit.errors import UsageError
from toolkit.progress import SILENT, Progress
from toolkit.sandbox import auto_loader, configuration, repository, scenarios
from toolkit.sandbox.argocd.api import ArgoCDServer
from toolkit.sandbox.certificate import make_certificate
from toolkit.sandbox.cloud_logging.api import CloudLoggingServer
from toolkit.sandbox.collected import Collected, Container
from toolkit.sandbox.kafka.api import KafkaBroker
from toolkit.sandbox.kubernetes import kubeconfig
from toolkit.sandbox.kubernetes.api import ClusterServer
from toolkit.sandbox.kubernetes.cronjobs import JobController
from toolkit.sandbox.kubernetes.cronjobs import Run as PodRun
from toolkit.sandbox.kubernetes.deployments import DeploymentController
from toolkit.sandbox.kubernetes.logs import Line
from toolkit.sandbox.kubernetes.resources import Object
from toolkit.sandbox.kubernetes.starting_pods import PodFaults
from toolkit.sandbox.loki.api import LokiServer
from toolkit.sandbox.okta.api import OktaServer
from toolkit.sandbox.perturbations import SMALL, Size
from toolkit.sandbox.places import CLUSTERS, PLACES
from toolkit.sandbox.redis.tcp_proxy import Cut, Delay, Fault, Hang, Refuse
from toolkit.sandbox.scenarios import Scenario, Symptom
from toolkit.sandbox.sites import REBUILD_SECONDS, Shared, Site
from toolkit.sandbox.storage.api import StorageServer
from toolkit.sandbox.vault.api import VaultServer

log = logging.getLogger("toolkit.sandbox")

_NO_METRICS = "principal"  # the cluster without a metrics server
_POD_STARTS = 1 / 8  # how long a pod of the app takes to start, against a run of the cache manager
_MONTH = 32 * 24 * 3600
_ON_CALL = {
    "secret/data/phenoapp/*": ("read",),
    "secret/metadata/phenoapp/*": ("read", "list"),
}


class World:
    """`directory` is the sandbox's own; everything in it is made anew.

    `size` is how big the groups of the first environment are, `rebuild_seconds` how long the cache manager takes.
    """

    def __init__(self, directory: Path, size: Size = SMALL, rebuild_seconds: float = REBUILD_SECONDS) -> None:
        self.directory = directory
        self.size = size
        self.rebuild_seconds = rebuild_seconds
        self.applied: tuple[Scenario, ...] = ()
        self.drill = ""  # of which drill they are the case: then nobody is told their names
        self.where = PLACES[0].name
        self._changing = asyncio.Lock()
        self._parts = contextlib.AsyncExitStack()

    async def start(self, progress: Progress = SILENT) -> Path:
        """Start every server, make the world healthy, and write the configuration; gives back its file.

        `progress` is told how far the first environment has come.
        """
        try:
            return await self._start(progress)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        await self._parts.aclose()

    async def apply(self, names: list[str], environment: str = "", drill: str = "") -> None:
        """Make the world healthy, then bring about each of the scenarios, in the environment (default: `sandbox`).

        With `drill`, that drill's id, the scenarios' names are kept back until `reveal`.
        """
        wanted = scenarios.chosen(names)
        async with self._changing:
            site = self.sites.get(environment or PLACES[0].name)
            if site is None:
                raise UsageError(f"The sandbox has no environment {environment!r}; it has {', '.join(self.sites)}.")
            self.applied, self.where, self.drill = (), site.place.name, drill
            await self._reset(site, wanted)
            for scenario in wanted:
                log.info("scenario %s in %s", "of a drill" if drill else scenario.name, site.place.name)
                await scenario.bring_about(self, site)
                await self._list_transformations(site)
                self.applied = (*self.applied, scenario)

    def reveal(self) -> None:
        """The drill is over: the scenarios may be named."""
        self.drill = ""

    def status(self) -> dict[str, Any]:
        """What somebody who looks at the sandbox wants to know; no secret. During a drill `scenarios` is None."""
        site = self.sites[self.where]
        symptoms = [symptom.document() for symptom in self._symptoms(site)]
        return {
            "scenarios": None if self.drill else [scenario.name for scenario in self.applied] or ["healthy"],
            "drill": self.drill or None,
            "environment": self.where,
            "symptom": symptoms[0] if symptoms else None,
            "symptoms": symptoms,
            "redis": site.redis.kind,
            "servers": {
                "vault": self.vault.url,
                "storage": self.storage.url,
                "argo cd": self.argocd.url,
                "loki": self.loki.url,
                "cloud logging": self.cloud_logging.url,
                "okta": self.okta.url,
                "kafka": self.kafka.address,
                **{f"cluster {name}": cluster.url for name, cluster in self.clusters.items()},
                **{f"redis proxy of {name}": one.address for name, one in self.sites.items()},
            },
        }

    def seen(self) -> tuple[object, ...]:
        """Changes whenever somebody talks to one of the servers."""
        return (
            self.storage.request_count,
            self.vault.requests_seen,
            self.argocd.requests_seen,
            self.loki.requests_seen,
            self.cloud_logging.requests_seen,
            self.okta.requests_seen,
            self.kafka.requests_seen,
            *(cluster.requests_seen for cluster in self.clusters.values()),
            *(site.proxy.connections_seen for site in self.sites.values()),
        )

    @property
    def in_use(self) -> bool:
        """Is a connection open through which somebody may be waiting for something?"""
        if self.loki.tails_open or self.cloud_logging.tails_open or self.kafka.open_connections:
            return True
        return any(site.proxy.open_connections for site in self.sites.values()) or any(
            cluster.streams_open for cluster in self.clusters.values()
        )

    def faults(self) -> dict[str, Any]:
        """What can be switched wrong at the servers, by name: plain objects with attributes."""
        clusters = {f"cluster {name}": cluster.faults for name, cluster in self.clusters.items()}
        logs = {"loki": self.loki.faults, "cloud logging": self.cloud_logging.faults}
        pods = {f"new pods of {name}": site.new_pods for name, site in self.sites.items()}
        systems = {"storage": self.storage.faults, "argo cd": self.argocd.faults, "okta": self.okta.faults}
        systems["kafka"] = self.kafka.faults
        return {**systems, **clusters, **logs, **pods}

    def make_noise(self, environment: str, rate: float, seconds: float, pods: int) -> dict[str, Any]:
        """Let the app's pods of the environment write `rate` lines a second for so long; 0 ends that."""
        site = self.sites.get(environment or PLACES[0].name)
        if site is None:
            raise UsageError(f"The sandbox has no environment {environment!r}; it has {', '.join(self.sites)}.")
        site.serving.make_noise(rate, seconds, pods)
        return {"environment": site.place.name, "rate": rate, "seconds": seconds, "pods": site.serving.pods()[:pods]}

    async def set_faults(self, system: str, settings: Mapping[str, Any] | None) -> None:
        """Switch something wrong, until the next scenario; None heals it. Raises UsageError for what is not known.

        `settings` are attributes of the faults of the storage, of a cluster, or of `new pods of NAME` (PodFaults); for
        `redis proxy of NAME` one of {"refuse": {}}, {"hang": {}}, {"cut": {"after": bytes}}, {"delay": {"seconds": …}};
        for `app of NAME` {"replace_pod": {}}: one of its pods goes, and another one comes.
        """
        proxies = {f"redis proxy of {name}": site.proxy for name, site in self.sites.items()}
        apps = {f"app of {name}": site.serving for name, site in self.sites.items()}
        faults = self.faults()
        if system in apps:
            if settings is not None and set(settings) != {"replace_pod"}:
                raise UsageError(f"{system} has no fault {', '.join(sorted(settings))}; it has replace_pod.")
            if settings:
                await apps[system].replace_pod()
        elif system in proxies:
            await proxies[system].set_fault(_proxy_fault(settings) if settings else None)
        elif system not in faults:
            raise UsageError(f"No such system; there are: {', '.join((*faults, *proxies, *apps))}.")
        elif settings is None:
            faults[system].__init__()
        else:
            unknown = set(settings) - {item.name for item in dataclasses.fields(faults[system])}
            if unknown:
                raise UsageError(f"{system} has no fault {', '.join(sorted(unknown))}.")
            for name, value in settings.items():
                setattr(faults[system], name, value)

    def _symptoms(self, site: Site) -> list[Symptom]:
        return [scenario.symptom(site) for scenario in self.applied]

    async def _start(self, progress: Progress) -> Path:
        for stale in ("redis", "frames", *(place.name for place in PLACES)):
            shutil.rmtree(self.directory / stale, ignore_errors=True)
        certificate = await asyncio.to_thread(make_certificate, self.directory)
        self.storage = StorageServer()
        await asyncio.to_thread(self.storage.start)
        self._parts.push_async_callback(asyncio.to_thread, self.storage.stop)
        await self._start_vault()
        self.clusters = {
            name: ClusterServer(
                name, secrets.token_urlsafe(32), certificate=certificate.chain, metrics=name != _NO_METRICS
            )
            for name in CLUSTERS
        }
        for cluster in self.clusters.values():
            await cluster.start()
            self._parts.push_async_callback(cluster.stop)
        collected = Collected()
        for name, cluster in self.clusters.items():
            cluster.wrote = functools.partial(self._collect, collected, name)
        await self._start_logs(collected, certificate.chain)
        await self._start_okta(certificate.chain)
        await self._start_kafka(certificate.chain)
        shared = Shared(
            self.clusters, self.storage, self.vault, self._cache_managers_token, self.kafka.topics, collected
        )
        self.sites = {
            place.name: Site(place, self.directory / place.name, shared, size, self.rebuild_seconds)
            for place, size in zip(PLACES, (self.size, SMALL), strict=True)
        }
        for site in self.sites.values():
            self._parts.push_async_callback(site.stop)
        self.argocd = ArgoCDServer(
            self.directory / repository.DIRECTORY, self.sites.values(), secrets.token_urlsafe(48), certificate.chain
        )
        self._parts.push_async_callback(self.argocd.stop)
        await self.argocd.start()
        self.controller = JobController(self.clusters.values(), self._run)
        self._parts.push_async_callback(self.controller.stop)
        now = datetime.now(UTC)
        git = asyncio.to_thread(repository.create, self.directory / repository.DIRECTORY, now)
        configome = asyncio.to_thread(auto_loader.create, self.directory / auto_loader.DIRECTORY, now)
        first, *others = self.sites.values()
        has_git, *_ = await asyncio.gather(git, configome, first.start(progress), *(site.start() for site in others))
        if not has_git:
            log.warning("there is no git here: eng-infrastructure and configome are plain files")
        await self.controller.start()
        self.deployments = DeploymentController(
            self.clusters.values(),
            start_seconds=self.rebuild_seconds * _POD_STARTS,
            faults=self._new_pods,
            began=self._began,
        )
        self._parts.push_async_callback(self.deployments.stop)
        await self.deployments.start()
        await self._reset()
        kubeconfig.write_kubeconfig(
            self.directory / "kubeconfig",
            {configuration.CONTEXT.format(cluster=name): cluster for name, cluster in self.clusters.items()},
            certificate.authority,
        )
        proxies = {name: site.address for name, site in self.sites.items()}
        addresses = configuration.Addresses(
            self.vault.url,
            self.storage.url,
            proxies,
            self.loki.url,
            self.cloud_logging.url,
            self.argocd.url,
            self.okta.url,
            self.kafka.address,
            certificate.authority,
        )
        return configuration.write(self.directory, addresses, self._on_calls_token)

    async def _start_vault(self) -> None:
        self.vault = VaultServer()
        self.vault.write_policy("phenoapp-on-call", _ON_CALL)
        self.vault.write_policy("phenoapp-cache-manager", {"secret/data/phenoapp/*": ("read",)})
        self._on_calls_token = self.vault.create_token(["phenoapp-on-call"], _MONTH, "on-call")
        self._cache_managers_token = self.vault.create_token(["phenoapp-cache-manager"], None, "cache-manager")
        await self.vault.start()
        self._parts.push_async_callback(self.vault.stop)

    async def _start_logs(self, collected: Collected, certificate: Path) -> None:
        """Loki, which wants a token that lies in Vault, and Cloud Logging."""
        self._loki_token = secrets.token_urlsafe(24)
        self.loki = LokiServer(collected, self._loki_token, configuration.LOKI_TENANT, certificate)
        self.cloud_logging = CloudLoggingServer(collected, _project_of)
        for server in (self.loki, self.cloud_logging):
            self._parts.push_async_callback(server.stop)
            await server.start()

    async def _start_okta(self, certificate: Path) -> None:
        """Okta, one for both environments, which wants a token that lies in Vault."""
        self._okta_token = f"00{secrets.token_urlsafe(30)}"
        self.okta = OktaServer(self._okta_token, certificate)
        self._parts.push_async_callback(self.okta.stop)
        await self.okta.start()

    async def _start_kafka(self, certificate: Path) -> None:
        """The broker, one for both environments; the account for it lies in Vault."""
        self.kafka = KafkaBroker("on-call", secrets.token_urlsafe(24), certificate)
        self._parts.push_async_callback(self.kafka.stop)
        await self.kafka.start()

    def _collect(
        self, collected: Collected, cluster: str, namespace: str, pod: str, container: str, line: Line
    ) -> None:
        """What a cluster's log agent does with a line."""
        found = self.clusters[cluster].get("Pod", namespace, pod)
        labels = found["metadata"].get("labels", {}) if found else {}
        app = labels.get("app") or labels.get("app.kubernetes.io/name") or container
        collected.ship(Container(cluster, namespace, pod, container, app), line.at, line.text)

    async def _reset(self, where: Site | None = None, wanted: Sequence[Scenario] = ()) -> None:
        """Everything as it should be, in both environments; but built at `where` was what the scenarios say."""
        await asyncio.gather(*(site.take_away() for site in self.sites.values()))
        for site in self.sites.values():
            site.shared.collected.clear()
        for faults in self.faults().values():
            faults.__init__()
        for cluster in self.clusters.values():
            cluster.accounts.by_token[cluster.token].denied.clear()
        self.vault.unseal()
        self.vault.enable_kv("secret", 2)
        self.vault.put_kv("secret", configuration.LOKI_VAULT_PATH, {"token": self._loki_token})
        self.vault.put_kv("secret", configuration.ARGOCD_VAULT_PATH, {"token": self.argocd.token})
        infra, configome = (self.directory / one.DIRECTORY for one in (repository, auto_loader))
        await asyncio.to_thread(repository.restore, infra)
        await asyncio.to_thread(auto_loader.restore, configome, infra)
        await asyncio.to_thread(self.argocd.reset)
        self.vault.put_kv("secret", configuration.OKTA_VAULT_PATH, {"token": self._okta_token})
        self.okta.directory.reset()
        account = {"username": self.kafka.user, "password": self.kafka.password}
        self.vault.put_kv("secret", configuration.KAFKA_VAULT_PATH, account)
        self.kafka.topics.reset(PLACES)
        self.kafka.refused.clear()
        await asyncio.gather(*(site.reset(wanted if site is where else ()) for site in self.sites.values()))
        for site in self.sites.values():
            await self._list_transformations(site)

    async def _list_transformations(self, site: Site) -> None:
        """The group auto-loader was told to make what has been built."""
        infra, configome = (self.directory / one.DIRECTORY for one in (repository, auto_loader))
        await asyncio.to_thread(auto_loader.follow, configome, infra, site)

    def _site_of(self, cluster: str, item: Object) -> Site | None:
        """The site whose app the Deployment or pod belongs to."""
        metadata = item["metadata"]
        for site in self.sites.values():
            place = site.place
            if (place.app_namespace, place.deployment) == (metadata["namespace"], metadata["labels"].get("app")) and (
                not cluster or cluster == place.app_cluster
            ):
                return site
        return None

    def _new_pods(self, deployment: Object) -> PodFaults:
        site = self._site_of("", deployment)
        return site.new_pods if site is not None else PodFaults()

    def _began(self, cluster: ClusterServer, pod: Object, faults: PodFaults) -> None:
        site = self._site_of(cluster.name, pod)
        if site is not None:
            site.serving.began_anew(pod["metadata"]["name"], crashes=faults.crash, gets_ready=not faults.never_ready)

    async def _run(self, pod: PodRun) -> int:
        """What the pod of a Job does: the cache manager of the environment whose CronJob it came from."""
        for site in self.sites.values():
            owner = pod.cronjob["metadata"]["name"] if pod.cronjob else ""
            if site.place.cronjob == owner:
                return await site.run(pod)
        pod.log("Nothing to do.")
        return 0


def _project_of(container: Container) -> str:
    """The project of the environment whose namespace it is, in whichever cluster."""
    for place in PLACES:
        if container.namespace in (place.cache_manager_namespace, place.app_namespace):
            return place.gcp_project
    return ""


def _proxy_fault(settings: Mapping[str, Any]) -> Fault:
    ((name, values),) = settings.items()
    kinds: dict[str, type[Fault]] = {"refuse": Refuse, "hang": Hang, "cut": Cut, "delay": Delay}
    if name not in kinds:
        raise UsageError(f"A proxy has no fault {name!r}; it has {', '.join(kinds)}.")
    return kinds[name](**values)
