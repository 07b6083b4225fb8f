"""The model of an environment: parts, each of which names where it lives.

There is no "cluster of the environment": RP006's cache manager runs in another cluster than RP006's name suggests,
so every part that lives in Kubernetes carries its own cluster and namespace. An empty string means "not known yet";
`toolkit config check` lists those.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from toolkit.environments.access import Okta, Pomerium
from toolkit.environments.biohive import BioHive
from toolkit.environments.events import Kafka
from toolkit.environments.loader import Configome, Loader
from toolkit.environments.part import Part
from toolkit.environments.preferences import Tui
from toolkit.environments.side_panel import BenchmarkDb, SidePanel
from toolkit.errors import ConfigurationError


class Cluster(Part, frozen=True):
    """A Kubernetes cluster, shared by the environments. `context` is the kube context's name on this workstation."""

    context: str = ""
    kubeconfig: str = ""
    aliases: tuple[str, ...] = ()
    way_in: str = ""
    purpose: str = ""


class Login(Part, frozen=True):
    """How to log in to Vault. `mount` and `role` as `vault login -method=… -path=MOUNT role=ROLE` takes them."""

    method: Literal["token", "userpass", "approle", "oidc", "kubernetes", "gcp"] = "oidc"
    mount: str = ""
    role: str = ""


class Vault(Part, frozen=True):
    """The Vault server, and where the Redis access token lies in it. kv_version 0: ask the server.

    `token_file` holds a Vault token of this environment's own; where it is set, no other token is ever used.
    """

    address: str = ""
    token_file: str = ""
    namespace: str = ""
    ca_file: str = ""
    mount: str = "secret"
    path: str = "phenoapp/managed_redis"
    field: str = "token"
    kv_version: Literal[0, 1, 2] = 0
    timeout_seconds: float = 10.0
    login: Login = Login()


class Redis(Part, frozen=True):
    """L2. `address` is host:port of the proxy; empty: looked up at the proxy's Service."""

    address: str = ""
    port: int = 6379
    username: str = ""
    tls: bool = False
    ca_file: str = ""
    server_name: str = ""
    timeout_seconds: float = 5.0


class RedisProxy(Part, frozen=True):
    """The LoadBalancer Service through which the managed Redis is reached."""

    cluster: str = ""
    namespace: str = ""
    service: str = "redis-proxy"


class Bucket(Part, frozen=True):
    """L3. `endpoint` is set only for an emulator; `prefix` is the folder under which the groups' folders lie."""

    name: str = ""
    project: str = ""
    prefix: str = ""
    endpoint: str = ""
    timeout_seconds: float = 30.0


class Cache(Part, frozen=True):
    """How the cache is laid out: the same in Redis and in the bucket, but for the pattern of a frame's name.

    `frames` are the names of a group's frames; empty: whatever is found. Patterns know {group} and {frame}.
    `vector_length` is how many values a vector has.
    `aliases_file` is a table of genes' other names (CSV, TSV or TOML) on this machine; empty: none is known.
    """

    index_key: str = "available-groups"
    frame_key: str = "{group}:{frame}"
    frame_object: str = "{group}/{frame}.parquet"
    frames: tuple[str, ...] = ()
    frames_per_group: int = 8
    frames_in_memory: int = 6
    groups_in_redis: int = 3
    vector_length: int = 128
    aliases_file: str = ""


class CacheManager(Part, frozen=True):
    """The CronJob that fills L2 and L3. Its cluster is its own, not the environment's."""

    cluster: str = ""
    namespace: str = ""
    cronjob: str = ""
    usual_minutes: int = 60


class App(Part, frozen=True):
    """MapApp itself: the Deployment whose pods hold L1."""

    cluster: str = ""
    namespace: str = ""
    deployment: str = ""
    url: str = ""
    way_in: str = ""


class InfraRepo(Part, frozen=True):
    """eng-infrastructure: the Git repository that says which image should run. `remote` may be a local clone."""

    remote: str = ""
    branch: str = "trunk"
    path: str = ""


class ArgoCD(Part, frozen=True):
    """The Argo CD application that deploys the cache manager. `project` is its Argo CD project, where it is known.

    `vault_path` and `vault_field` say where a token lies in this environment's Vault, and then no other is used; empty:
    ARGOCD_AUTH_TOKEN, else the argocd CLI's own configuration (`cli_config`; empty: where the CLI keeps it).
    `insecure`: its certificate is not looked at.
    """

    address: str = ""
    application: str = ""
    project: str = ""
    vault_path: str = ""
    vault_field: str = "token"
    cli_config: str = ""
    ca_file: str = ""
    insecure: bool = False
    timeout_seconds: float = 10.0


class Loki(Part, frozen=True):
    """Grafana Loki. `vault_path` and `vault_field` say where its token lies in this environment's Vault; empty: none is
    needed. `grafana` is the URL of the Grafana that shows it, `datasource` the UID of its data source there."""

    address: str = ""
    tenant: str = ""
    username: str = ""
    vault_path: str = ""
    vault_field: str = "token"
    ca_file: str = ""
    grafana: str = ""
    datasource: str = ""
    timeout_seconds: float = 30.0


class CloudLogging(Part, frozen=True):
    """Google Cloud Logging. `endpoint` is set only for an emulator; `filter` is added to every query."""

    project: str = ""
    filter: str = ""
    endpoint: str = ""
    timeout_seconds: float = 30.0


class LogQuery(Part, frozen=True):
    """A query kept for debugging, run as `toolkit logs NAME`. `query` is LogQL, or Cloud Logging's filter language."""

    source: Literal["loki", "cloud-logging"]
    query: str
    help: str = ""


class Logs(Part, frozen=True):
    """Where the logs are. `own_code` are the beginnings of paths or modules that are our own in a traceback."""

    loki: Loki = Loki()
    cloud_logging: CloudLogging = CloudLogging()
    queries: dict[str, LogQuery] = msgspec.field(default_factory=dict)
    own_code: tuple[str, ...] = ("phenoapp", "/app/")


class Slurm(Part, frozen=True):
    """The jobs that SLURM starts for a search over all groups: each has `cores` worker processes.

    `memory` (16GB) and `walltime` (hours:minutes:seconds) are a job's. `python` is the interpreter on the nodes, empty:
    the same as here; `interface` the network through which they reach each other (ib0). `directives` are more #SBATCH
    lines, `prologue` commands before the worker's own.
    """

    partition: str = ""
    account: str = ""
    jobs: int = 4
    cores: int = 4
    memory: str = "16GB"
    walltime: str = "01:00:00"
    interface: str = ""
    python: str = ""
    directives: tuple[str, ...] = ()
    prologue: tuple[str, ...] = ()


class Environment(Part, frozen=True):
    """One copy of MapApp with everything that feeds it. `name` is the key it is configured under."""

    name: str
    title: str = ""
    kind: Literal["real", "sandbox"] = "real"
    protected: bool = False
    read_only: bool = False
    gcp_project: str = ""
    time_zone: str = "America/Denver"
    vault: Vault = Vault()
    redis: Redis = Redis()
    redis_proxy: RedisProxy = RedisProxy()
    bucket: Bucket = Bucket()
    cache: Cache = Cache()
    cache_manager: CacheManager = CacheManager()
    app: App = App()
    infra_repo: InfraRepo = InfraRepo()
    argocd: ArgoCD = ArgoCD()
    logs: Logs = Logs()
    configome: Configome = Configome()
    loader: Loader = Loader()
    kafka: Kafka = Kafka()
    side_panel: SidePanel = SidePanel()
    benchmark_db: BenchmarkDb = BenchmarkDb()
    okta: Okta = Okta()
    pomerium: Pomerium = Pomerium()
    slurm: Slurm = Slurm()
    biohive: BioHive = BioHive()


class Settings(Part, frozen=True):
    """Everything that was configured: the environments, and the clusters they share."""

    environments: dict[str, Environment] = msgspec.field(default_factory=dict)
    clusters: dict[str, Cluster] = msgspec.field(default_factory=dict)
    read_only: bool = False
    tui: Tui = Tui()

    def cluster(self, name: str) -> tuple[str, Cluster]:
        """The cluster called `name`, by its own name or an alias, with its own name; raises ConfigurationError."""
        if name in self.clusters:
            return name, self.clusters[name]
        for own, cluster in self.clusters.items():
            if name in cluster.aliases:
                return own, cluster
        raise ConfigurationError(
            f"No cluster {name!r} is configured; there are: {', '.join(sorted(self.clusters)) or 'none'}.",
            hint="Add [clusters." + name + "] with the kube context's name, or correct the part that names it.",
        )
