"""Opens the systems of one environment: each when it is first asked for, and once. Thread-safe."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from toolkit.environments.model import Environment, Settings
from toolkit.errors import ConfigurationError, ToolkitError, Unreachable

if TYPE_CHECKING:
    from toolkit.secret import Secret
    from toolkit.systems.argocd import ArgoCD
    from toolkit.systems.biohive import BioHive
    from toolkit.systems.bucket import Bucket
    from toolkit.systems.cloud_logging import CloudLogging
    from toolkit.systems.cluster import Cluster
    from toolkit.systems.configome import Configome
    from toolkit.systems.infra_repo import InfraRepo
    from toolkit.systems.kafka import Account, Kafka
    from toolkit.systems.loki import Loki
    from toolkit.systems.okta import Okta
    from toolkit.systems.postgres import Postgres
    from toolkit.systems.redis_proxy import Address, RedisProxy
    from toolkit.systems.vault import Vault


class Connections:
    """The open systems of `environment`. `close()` ends them all; a closed one opens again when asked for."""

    def __init__(self, environment: Environment, settings: Settings) -> None:
        self.environment = environment
        self.settings = settings
        self._lock = threading.RLock()
        self._argocd: ArgoCD | None = None
        self._biohive: BioHive | None = None
        self._vault: Vault | None = None
        self._redis: RedisProxy | None = None
        self._bucket: Bucket | None = None
        self._infra_repo: InfraRepo | None = None
        self._loki: Loki | None = None
        self._cloud_logging: CloudLogging | None = None
        self._configome: Configome | None = None
        self._okta: Okta | None = None
        self._side_panel_bucket: Bucket | None = None
        self._clusters: dict[str, Cluster] = {}
        self._token: Secret | None = None

    @property
    def vault(self) -> Vault:
        from toolkit.systems.vault import Vault

        with self._lock:
            if self._vault is None:
                self._vault = Vault(self.environment.vault)
            return self._vault

    def token(self) -> Secret:
        """The Redis access token, read from Vault once."""
        with self._lock:
            if self._token is not None:
                return self._token
        token = self.vault.redis_token()  # not under the lock: a Vault that hangs must not hold up the bucket
        with self._lock:
            if self._token is None:
                self._token = token
            return self._token

    def cluster(self, name: str) -> Cluster:
        """The cluster of that name or alias. Raises ConfigurationError where it is not configured."""
        from toolkit.systems.cluster import Cluster

        own, part = self.settings.cluster(name)
        with self._lock:
            if own not in self._clusters:
                self._clusters[own] = Cluster(own, part)
            return self._clusters[own]

    def look_up_proxy(self) -> Address:
        """The proxy's address now, as its LoadBalancer Service says it."""
        from toolkit.systems.redis_proxy import Address

        part = self.environment.redis_proxy
        if not part.cluster:
            raise ConfigurationError(
                f"Where {self.environment.name}'s Redis proxy is, is not configured: redis_proxy.cluster is empty.",
                hint="Set it, or redis.address; `toolkit config check` lists all that is open.",
            )
        host, port = self.cluster(part.cluster).service_address(part.namespace, part.service)
        return Address(host, port, f"Service {part.namespace}/{part.service} in {part.cluster}")

    def redis_address(self) -> Address:
        """Where the proxy answers: the configured address, else (not set, or silent by now) the looked-up one."""
        from toolkit.systems.redis_proxy import answers, configured_address

        configured = configured_address(self.environment.redis)
        if configured is None:
            return self.look_up_proxy()
        if answers(configured, self.environment.redis.timeout_seconds):
            return configured
        try:
            found = self.look_up_proxy()
        except ToolkitError as error:
            raise Unreachable(
                f"The Redis proxy does not answer at {configured}, and its present address could not be looked up: "
                f"{error.message}",
                hint=error.hint or "Run `toolkit doctor` to see which hop is broken.",
                by_hand=error.by_hand,
            ) from error
        if found.endpoint == configured.endpoint:
            raise Unreachable(
                f"The Redis proxy does not answer at {configured}, which is also what its Service says.",
                hint="Are the proxy's pods running? Is your VPN up? `toolkit doctor` shows the first broken hop.",
                by_hand=(f"nc -vz {configured.host} {configured.port}",),
            )
        return found.instead_of(configured)

    @property
    def redis(self) -> RedisProxy:
        """L2, authenticated."""
        from toolkit.systems.redis_proxy import RedisProxy

        with self._lock:
            if self._redis is not None:
                return self._redis
        opened = RedisProxy(self.environment.redis, self.redis_address(), self.token())
        with self._lock:
            if self._redis is None:
                self._redis = opened  # where another thread was quicker, this one has connected to nothing yet
            return self._redis

    @property
    def bucket(self) -> Bucket:
        from toolkit.systems.bucket import Bucket

        with self._lock:
            if self._bucket is None:
                self._bucket = Bucket(self.environment.bucket)
            return self._bucket

    @property
    def biohive(self) -> BioHive:
        from toolkit.systems.biohive import BioHive

        with self._lock:
            if self._biohive is None:
                self._biohive = BioHive(self.environment.biohive)
            return self._biohive

    @property
    def infra_repo(self) -> InfraRepo:
        from toolkit.systems.infra_repo import InfraRepo

        with self._lock:
            if self._infra_repo is None:
                self._infra_repo = InfraRepo(self.environment.infra_repo)
            return self._infra_repo

    @property
    def argocd(self) -> ArgoCD:
        """Argo CD; its token is looked for at the first question: in Vault, where a path is configured."""
        from toolkit.systems.argocd import ArgoCD

        part = self.environment.argocd
        with self._lock:
            if self._argocd is None:
                if part.vault_path:
                    by_hand = self.vault.get_by_hand(part.vault_path, part.vault_field)
                    self._argocd = ArgoCD(part, self._argocd_token, token_by_hand=by_hand)
                else:
                    self._argocd = ArgoCD(part)
            return self._argocd

    def _argocd_token(self) -> Secret:
        from toolkit.systems.vault.secret import Wanted

        part = self.environment.argocd
        keys = ("argocd.vault_path", "argocd.vault_field")
        return self.vault.read(Wanted(part.vault_path, part.vault_field, "Argo CD's token", *keys))

    @property
    def loki(self) -> Loki:
        """Loki; its token is read from Vault at the first question, where one is configured."""
        from toolkit.systems.loki import Loki

        part = self.environment.logs.loki
        with self._lock:
            if self._loki is None:
                if part.vault_path:
                    by_hand = self.vault.get_by_hand(part.vault_path, part.vault_field)
                    self._loki = Loki(part, self._loki_token, token_by_hand=by_hand)
                else:
                    self._loki = Loki(part)
            return self._loki

    def _loki_token(self) -> Secret:
        from toolkit.systems.vault.secret import Wanted

        part = self.environment.logs.loki
        keys = ("logs.loki.vault_path", "logs.loki.vault_field")
        return self.vault.read(Wanted(part.vault_path, part.vault_field, "Loki's token", *keys))

    @property
    def cloud_logging(self) -> CloudLogging:
        from toolkit.systems.cloud_logging import CloudLogging

        with self._lock:
            if self._cloud_logging is None:
                self._cloud_logging = CloudLogging(self.environment.logs.cloud_logging)
            return self._cloud_logging

    @property
    def configome(self) -> Configome:
        """configome; its token is read from Vault when it is asked over HTTP, where one is configured."""
        from toolkit.systems.configome import Configome

        part = self.environment.configome
        with self._lock:
            if self._configome is None:
                if part.vault_path:
                    by_hand = self.vault.get_by_hand(part.vault_path, part.vault_field)
                    self._configome = Configome(part, self._configome_token, by_hand)
                else:
                    self._configome = Configome(part)
            return self._configome

    def _configome_token(self) -> Secret:
        from toolkit.systems.vault.secret import Wanted

        part = self.environment.configome
        keys = ("configome.vault_path", "configome.vault_field")
        return self.vault.read(Wanted(part.vault_path, part.vault_field, "configome's token", *keys))

    @property
    def okta(self) -> Okta:
        """Okta; its token is read from Vault at the first question."""
        from toolkit.systems.okta import Okta

        part = self.environment.okta
        with self._lock:
            if self._okta is None:
                by_hand = self.vault.get_by_hand(part.vault_path, part.vault_field) if part.vault_path else ""
                self._okta = Okta(part, self._okta_token, by_hand)
            return self._okta

    def _okta_token(self) -> Secret:
        from toolkit.systems.vault.secret import Wanted

        part = self.environment.okta
        if not part.vault_path:
            raise ConfigurationError(
                "Where Okta's token lies in Vault is not configured: okta.vault_path is empty.",
                hint="Ask Okta's administrators for a token that may read users and groups, and write it to Vault.",
            )
        return self.vault.read(
            Wanted(part.vault_path, part.vault_field, "Okta's token", "okta.vault_path", "okta.vault_field")
        )

    @property
    def kafka(self) -> Kafka:
        """Kafka; its account is read from Vault at each question. ConfigurationError: no brokers, no topic."""
        from toolkit.systems.kafka import Kafka

        part = self.environment.kafka
        by_hand = self.vault.get_by_hand(part.vault_path, part.password_field) if part.vault_path else ""
        return Kafka(part, self._kafka_account, by_hand)

    def _kafka_account(self) -> Account:
        from toolkit.systems.kafka import Account

        part = self.environment.kafka

        def field(name: str, what: str, key: str) -> Secret:
            from toolkit.systems.vault.secret import Wanted

            return self.vault.read(Wanted(part.vault_path, name, what, "kafka.vault_path", f"kafka.{key}"))

        username, password, certificate, key = "", None, "", None
        if part.security_protocol.startswith("SASL"):
            username = field(part.username_field, "the name of Kafka's account", "username_field").reveal()
            password = field(part.password_field, "Kafka's password", "password_field")
        if part.vault_path and part.certificate_field:
            certificate = field(part.certificate_field, "Kafka's client certificate", "certificate_field").reveal()
            key = field(part.key_field, "the key of Kafka's client certificate", "key_field")
        return Account(username, password, certificate, key)

    @property
    def side_panel_bucket(self) -> Bucket:
        """The bucket that holds the side panel's files: its own, or the L3 bucket."""
        from toolkit.systems.bucket import Bucket

        name, part = self.environment.side_panel.bucket, self.environment.bucket
        with self._lock:
            if self._side_panel_bucket is None:
                import msgspec

                self._side_panel_bucket = Bucket(msgspec.structs.replace(part, name=name or part.name, prefix=""))
            return self._side_panel_bucket

    @property
    def benchmark_db(self) -> Postgres:
        """The benchmark database; its account is read from Vault at each question."""
        from toolkit.systems.postgres import Postgres

        return Postgres(self.environment.benchmark_db, self._benchmark_account)

    def _benchmark_account(self) -> tuple[str, Secret | None]:
        from toolkit.systems.vault.secret import Wanted

        part, keys = self.environment.benchmark_db, "benchmark_db.vault_path"
        if not part.vault_path:
            return "", None
        what = "the benchmark database's account"
        name = self.vault.read(Wanted(part.vault_path, part.username_field, what, keys, "benchmark_db.username_field"))
        what = "the benchmark database's password"
        found = self.vault.read(Wanted(part.vault_path, part.password_field, what, keys, "benchmark_db.password_field"))
        return name.reveal(), found

    def close(self) -> None:
        with self._lock:
            others = (self._argocd, self._biohive, self._loki, self._cloud_logging, self._configome, self._okta)
            data = (self._redis, self._bucket, self._side_panel_bucket, self._vault)
            for system in (*data, *others, *self._clusters.values()):
                if system is not None:
                    system.close()
            self._redis = self._bucket = self._vault = self._token = None
            self._argocd = self._biohive = self._loki = self._cloud_logging = self._configome = self._okta = None
            self._side_panel_bucket = None
            self._clusters = {}
