"""One of the sandbox's environments, standing: its Redis behind its proxy, its bucket, its Jobs.

A site shares the clusters, the storage and the Vault with the other one. `reset` makes everything that is its own as it
should be: what the cache manager's last scheduled run left behind.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import secrets
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.progress import SILENT, Progress
from toolkit.sandbox import builds, data, encodings, manifests, past
from toolkit.sandbox.builds import FRAMES, BuiltGroup
from toolkit.sandbox.cache_manager import Clock, Reach
from toolkit.sandbox.cache_manager import Run as CacheManagerRun
from toolkit.sandbox.collected import Collected
from toolkit.sandbox.kafka.topics import Topics
from toolkit.sandbox.kubernetes.api import ClusterServer
from toolkit.sandbox.kubernetes.cronjobs import Run as PodRun
from toolkit.sandbox.kubernetes.starting_pods import PodFaults
from toolkit.sandbox.perturbations import SMALL, Size
from toolkit.sandbox.places import CLUSTERS, PLACES, Place, scheduled_runs
from toolkit.sandbox.redis.server import RedisServer
from toolkit.sandbox.redis.tcp_proxy import TcpProxy, loopback_host
from toolkit.sandbox.serving import Serving
from toolkit.sandbox.storage.api import StorageServer
from toolkit.sandbox.vault.api import VaultServer

if TYPE_CHECKING:
    from toolkit.sandbox.scenarios import Scenario

REBUILD_SECONDS = 8.0  # how long one takes in the sandbox
_ITS_KINDS = ("CronJob", "Job", "Deployment", "ReplicaSet", "Pod", "Service", "PodDisruptionBudget", "Event", "Ingress")


@dataclass
class Shared:
    """What both environments use. `clusters` by name; `vault_token` is the cache manager's own; `topics` are
    Kafka's; `collected` are the lines that the clusters' containers wrote."""

    clusters: Mapping[str, ClusterServer]
    storage: StorageServer
    vault: VaultServer
    vault_token: str
    topics: Topics = field(default_factory=Topics)
    collected: Collected = field(default_factory=Collected)


@dataclass
class Site:
    """`place`, running. `directory` is its own.

    `groups` is what phenoservice had built when the last run began, `built_since` what it has built after that;
    `run_seconds` is how long the next runs take (None: as usual); `on_wrote`
    is told by each run how many frames it has written, with its clock; a run that finds `disk_full` keeps of what it
    serialises as much as fits. `cluster` is where the CronJob is now; `new_pods` is what is wrong for pods of the
    app that start. `asked_for` are transformations that trunk asks for, with the time since when, and configome lacks.
    """

    place: Place
    directory: Path
    shared: Shared
    size: Size = SMALL
    rebuild_seconds: float = REBUILD_SECONDS
    groups: tuple[BuiltGroup, ...] = ()
    built_since: tuple[BuiltGroup, ...] = ()
    run_seconds: float | None = None
    on_wrote: Callable[[int, Clock], None] | None = None
    disk_full: bool = False
    cluster: str = ""
    new_pods: PodFaults = field(default_factory=PodFaults)
    asked_for: tuple[tuple[datetime, str], ...] = ()
    _home: tuple[str, int] = ("", 0)
    _running: int = 0
    _starting: Progress = SILENT
    _usual: tuple[BuiltGroup, ...] = ()
    _files: dict[tuple[BuiltGroup, str], Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.password = secrets.token_urlsafe(24)
        maxmemory = "2gb" if self.size == SMALL else "8gb"
        self.redis = RedisServer(self.directory / "redis", self.password, maxmemory=maxmemory)
        self.cluster = self.place.cache_manager_cluster
        self.serving = Serving(self)

    # -- its life

    async def start(self, progress: Progress = SILENT) -> None:
        """Start Redis and its proxy, and build the groups' frames; `progress` is told of it, and of the first reset."""
        self._starting = progress
        last = scheduled_runs(datetime.now(UTC), 1)[0]
        self._usual = builds.built_groups(self.place.groups_prefix, self.place.seed, last, self.size)
        _, _ = await asyncio.gather(asyncio.to_thread(self.redis.start), asyncio.to_thread(self._build, progress))
        self.proxy = TcpProxy(self.redis.target)
        await self.proxy.start(loopback_host(PLACES.index(self.place) + 1))
        self._home = (self.proxy.host, self.proxy.port)
        self.serving.start()

    async def stop(self) -> None:
        await self.serving.stop()
        if hasattr(self, "proxy"):
            await self.proxy.stop()
        await asyncio.to_thread(self.redis.stop)

    @property
    def address(self) -> str:
        """host:port of the proxy, now."""
        return self.proxy.address

    @property
    def usual(self) -> tuple[BuiltGroup, ...]:
        """The groups of a healthy world, the newest first."""
        return self._usual

    # -- the world as it should be

    async def take_away(self) -> None:
        """Take away all that the cache manager and the app have, wherever it is, and wait until no run goes on:
        from then on nothing of this site writes a line."""
        for name in CLUSTERS:
            cluster = self.shared.clusters[name]
            for kind in _ITS_KINDS:
                for namespace in {self.place.cache_manager_namespace, self.place.app_namespace}:
                    for item in cluster.list(kind, namespace):
                        if cluster.get(kind, namespace, item["metadata"]["name"]) is not None:
                            cluster.delete(kind, namespace, item["metadata"]["name"])
        while self._running:
            await asyncio.sleep(0.01)

    async def reset(self, scenarios: Sequence[Scenario] = ()) -> None:
        """Everything of this site as it should be, after `take_away`.

        What had been built when the last run came is what the scenarios make of the usual groups.
        """
        self.serving.make_noise(0, 1, 1)
        runs = manifests.past_runs(scheduled_runs(datetime.now(UTC), 5))
        self.groups = self._usual
        for scenario in scenarios:
            self.groups = scenario.built(self, self.groups)
        self.asked_for = ()
        self.built_since = ()
        for group in sorted(self.groups, key=lambda one: one.built_at):
            self.shared.topics.announce(self.place, group)
        self.on_wrote, self.run_seconds, self.cluster = None, None, self.place.cache_manager_cluster
        self.disk_full = False
        await asyncio.to_thread(self.redis.command, "FLUSHALL")
        self.shared.vault.put_kv("secret", self.place.vault_path, {"token": self.password, "username": "default"})
        await self.proxy.set_fault(None)
        await self._put_proxy(*self._home)
        self.shared.storage.add_bucket(self.place.bucket, self.place.gcp_project)
        progress, self._starting = self._starting, SILENT
        await past.put_runs(self, runs, progress)
        past.put_app(self, runs[0])
        past.put_go_terms(self)
        past.ship_older(self, scheduled_runs(datetime.now(UTC), 8)[5:])

    def put_cronjob(self, now: datetime, runs: list[manifests.PastRun]) -> dict[str, Any]:
        """The cache manager's CronJob, new, in the cluster where it is now; `runs` are behind it."""
        cronjob = manifests.cronjob(self.place, now - timedelta(days=211))
        last = [run for run in runs if not run.manual][:1]
        good = [run for run in runs if not run.failed][:1]
        cronjob["status"] = {
            **({"lastScheduleTime": manifests.rfc3339(last[0].started)} if last else {}),
            **({"lastSuccessfulTime": manifests.rfc3339(good[0].finished)} if good else {}),
        }
        return self.cluster_now.put(cronjob)

    @property
    def manifest(self) -> str:
        """Where the CronJob is declared in eng-infrastructure: in the folder of the cluster that it is in."""
        kube, _, *rest = self.place.manifest.split("/")
        return "/".join((kube, self.cluster, *rest))

    @property
    def cluster_now(self) -> ClusterServer:
        """The cluster in which the CronJob is now."""
        return self.shared.clusters[self.cluster]

    async def move_proxy(self) -> None:
        """Let the proxy listen at another address, and its Service say so."""
        elsewhere = loopback_host(PLACES.index(self.place) + 101)
        await self._put_proxy(elsewhere, self.proxy.port if elsewhere != self.proxy.host else 0)

    async def rotate_password(self) -> None:
        """Redis takes a new password; Vault is not told. Connections that were open are closed."""
        self.password = secrets.token_urlsafe(24)
        await asyncio.to_thread(self.redis.set_password, self.password)
        await self.proxy.move(self.proxy.host, self.proxy.port)

    def build(self, group: BuiltGroup) -> None:
        """phenoservice has built one more group, and says so; no run of the cache manager has seen it yet."""
        self.built_since = (group, *self.built_since)
        self.shared.topics.announce(self.place, group)

    def job_by_hand(self) -> dict[str, Any]:
        """A Job as `kubectl create job --from=cronjob/…` makes it. It starts to run at once."""
        cronjob = self.cluster_now.get("CronJob", self.place.cache_manager_namespace, self.place.cronjob)
        if cronjob is None:
            raise LookupError(self.place.cronjob)
        template = cronjob["spec"]["jobTemplate"]
        return self.cluster_now.put(
            {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "metadata": {
                    "name": f"{self.place.cronjob[:45]}-by-hand-{secrets.token_hex(2)}",
                    "namespace": self.place.cache_manager_namespace,
                    "labels": template["metadata"]["labels"],
                    "annotations": {
                        **template["metadata"]["annotations"],
                        "cronjob.kubernetes.io/instantiate": "manual",
                    },
                    "ownerReferences": [manifests.owner_reference("batch/v1", "CronJob", cronjob["metadata"])],
                },
                "spec": template["spec"],
            }
        )

    # -- the cache manager's runs

    async def run(self, pod: PodRun) -> int:
        """What a pod of the cache manager does; its exit code."""
        clock = Clock(self.rebuild_seconds if self.run_seconds is None else self.run_seconds)
        self.groups, self.built_since = (*self.built_since, *self.groups), ()
        run = self.cache_manager(clock, pod.log)
        run.tag = manifests.tag_of(pod.job["spec"]["template"])
        if self.on_wrote is not None:
            run.wrote = functools.partial(_tell, self.on_wrote, clock)
        self._running += 1
        try:
            return await run.run()
        finally:
            self._running -= 1

    def cache_manager(self, clock: Clock, log: Callable[[str], None]) -> CacheManagerRun:
        """A run of the cache manager here, not yet begun."""
        reach = Reach(self._token_from_vault, self._redis, self._put, self._serialise)
        return CacheManagerRun(self.place, self.groups, reach, clock, log)

    async def _token_from_vault(self) -> str:
        def read() -> str:
            import hvac

            client = hvac.Client(url=self.shared.vault.url, token=self.shared.vault_token)
            try:
                answer = client.secrets.kv.v2.read_secret_version(self.place.vault_path, raise_on_deleted_version=True)
            finally:
                client.adapter.close()
            return str(answer["data"]["data"]["token"])

        return await asyncio.to_thread(read)

    def _redis(self, token: str) -> Any:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        target = self.redis.target
        where: dict[str, Any] = {"unix_socket_path": str(target)}
        if isinstance(target, tuple):
            where = {"host": target[0], "port": target[1]}
        # A frame of full size takes many seconds to write.
        return Redis(**where, password=token, protocol=2, retry=Retry(NoBackoff(), 0), socket_timeout=300)

    def _put(self, path: str, file: Path, at: datetime) -> None:
        self.put(self.place.bucket, path, file, at)

    def put(self, bucket: str, path: str, file: Path, at: datetime) -> None:
        """Write an object as of the time `at`. Its generation is of that second; what has other content has another."""
        version = self.shared.storage.put(bucket, path, file)
        if at < version.created - timedelta(minutes=1):
            generation = int(at.timestamp()) * 10**6 + zlib.crc32(version.crc32c.encode()) % 10**6
            self.shared.storage.store.bucket(bucket).live[path] = dataclasses.replace(
                version, created=at, generation=generation
            )

    async def _serialise(self, group: BuiltGroup, frame: str) -> Path:
        file = self._files.get((group.seen_in(frame), frame))
        if file is None:
            file = await asyncio.to_thread(self._built, group.seen_in(frame), frame)
        return _cut_off(file) if self.disk_full else file

    # -- how it is set up

    def _build(self, progress: Progress) -> None:
        """Serialise all frames of all groups, as phenoservice has them."""
        frames = [(group, frame) for group in self._usual for frame in FRAMES]
        sizes = [data.vector_bytes(group, frame) for group, frame in frames]
        for number, (group, frame) in enumerate(frames, 1):
            progress.check_stop()
            self._built(group, frame)
            progress.advance("vectors built", sum(sizes[:number]), sum(sizes), "bytes")

    def _built(self, group: BuiltGroup, frame: str) -> Path:
        """Serialise a frame into a file of its own. `group` is as that frame shows it."""
        file = self.directory / "frames" / group.name / f"{frame}.{len(self._files)}"
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with file.open("wb") as sink:
                encodings.write(group, frame, sink)
        except BaseException:
            file.unlink()
            raise
        self._files[group, frame] = file
        return file

    async def _put_proxy(self, host: str, port: int) -> None:
        if (host, port) != (self.proxy.host, self.proxy.port):
            await self.proxy.move(host, port)
        created = datetime.now(UTC) - timedelta(days=211)
        service = manifests.proxy_service(self.place, created, self.proxy.host, self.proxy.port)
        self.shared.clusters[self.place.cache_manager_cluster].put(service)


def _cut_off(file: Path) -> Path:
    """The first half of a file, as a file."""
    half = file.with_name(f"{file.name}.cut-off")
    with file.open("rb") as whole, half.open("wb") as cut:
        cut.write(whole.read(file.stat().st_size // 2))
    return half


def _tell(listener: Callable[[int, Clock], None], clock: Clock, written: int) -> None:
    listener(written, clock)
