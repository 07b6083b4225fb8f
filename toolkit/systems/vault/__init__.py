"""Vault: is it there, what may my token do, and the Redis access token that it keeps.

The line to it stands in vault/session.py, how a token is found in vault/token.py, the secret in vault/secret.py, the
logins in vault/login.py, and what a 403 means in vault/denied.py. `VAULT_ADDR`, `VAULT_NAMESPACE` and `VAULT_CACERT`
are used only where the configuration leaves address, namespace or ca_file empty.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from toolkit.errors import ConfigurationError, NotAllowed, NotFound, ToolkitError
from toolkit.systems.vault import denied as vault_denied
from toolkit.systems.vault import token as vault_token
from toolkit.systems.vault.errors import Forbidden, Missing, Rejected
from toolkit.systems.vault.secret import KeptSecret, KvVersion, RedisSecret, VersionUnknown, Wanted, moment
from toolkit.systems.vault.server import Server, locate
from toolkit.systems.vault.session import Session

if TYPE_CHECKING:
    import hvac

    from toolkit.environments import model
    from toolkit.secret import Secret
    from toolkit.systems.vault.login import Way


@dataclass(frozen=True)
class VaultHealth:
    """What `sys/health` says, asked without a token. `server_time` is Vault's clock at the answer, if it told."""

    initialized: bool
    sealed: bool
    standby: bool
    version: str
    server_time: datetime | None


@dataclass(frozen=True)
class TokenStatus:
    """The token in use. `ttl_seconds` and `expires_at` are None for one that never expires; `note` warns its owner."""

    display_name: str
    policies: tuple[str, ...]
    ttl_seconds: int | None
    renewable: bool
    expires_at: datetime | None
    source: str
    note: str = ""


@dataclass(frozen=True)
class Reach:
    """What the token may do at the Redis secret's API path; at both KV versions' paths where `kv` is not known.

    `problem` says why the secret cannot be read, where it cannot.
    """

    kv: KvVersion | None
    capabilities: dict[str, tuple[str, ...]]
    problem: ToolkitError | None = None


@dataclass(frozen=True)
class LoggedIn:
    """A login that worked: the new token's status, and where it is kept now."""

    status: TokenStatus
    kept_in: str
    note: str = ""


class Vault:
    """One Vault server, as `part` configures it. Thread-safe; nothing is opened before the first question."""

    def __init__(self, part: model.Vault) -> None:
        self.part = part
        self.server: Server = locate(part)
        self._session = Session(self.server, part.timeout_seconds)
        redis = Wanted(part.path, part.field, "the Redis access token", "vault.path", "vault.field")
        self._secret = KeptSecret(self._session, part, redis)
        self._lock = threading.Lock()
        self._kv: KvVersion | None = None
        self._expires_at: datetime | None = None

    def health(self) -> VaultHealth:
        """How the server is. A sealed or uninitialised one answers too; raises Unreachable if nothing does."""

        def ask(client: hvac.Client) -> VaultHealth:
            answer = client.sys.read_health_status(
                method="GET",
                standby_ok=True,
                standby_code=200,
                sealed_code=200,
                uninit_code=200,
                dr_secondary_code=200,
                performance_standby_code=200,
            )
            told = answer.get("server_time_utc")
            return VaultHealth(
                initialized=bool(answer["initialized"]),
                sealed=bool(answer["sealed"]),
                standby=bool(answer["standby"]),
                version=str(answer.get("version", "")),
                server_time=datetime.fromtimestamp(told, UTC) if told else None,
            )

        return self._session.read_of_server("asking for its health", ask)

    def token_status(self) -> TokenStatus:
        """The token in use, looked up. Raises NotAllowed where there is none or Vault does not know it (any more)."""
        try:
            data = self._session.read(
                "looking up the token", lambda client: dict(client.auth.token.lookup_self()["data"])
            )
        except Forbidden as denied:
            problem = self._token_over(denied)
        else:
            found = self._session.token()
            ttl = None if moment(data.get("expire_time")) is None else int(data.get("ttl") or 0)
            # Counted from Vault's own number of seconds, so that a wrong clock here does not matter.
            now = datetime.now(UTC).replace(microsecond=0)
            self._expires_at = None if ttl is None else now + timedelta(seconds=ttl)
            return TokenStatus(
                display_name=str(data.get("display_name", "")),
                policies=tuple(sorted({*(data.get("policies") or ()), *(data.get("identity_policies") or ())})),
                ttl_seconds=ttl,
                renewable=bool(data.get("renewable")),
                expires_at=self._expires_at,
                source=found.source,
                note=found.note,
            )
        raise problem

    def capabilities(self, paths: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """What the token may do at each API path: ("read",), ("deny",), ("root",) …"""

        def ask(client: hvac.Client) -> dict[str, tuple[str, ...]]:
            answer = client.sys.get_capabilities(list(paths))
            data = answer.get("data") or answer
            return {path: tuple(str(name) for name in data[path]) for path in paths}

        try:
            return self._session.read("asking what the token may do", ask)
        except Forbidden as denied:
            problem = self._token_over(denied)
        raise problem

    def reach(self, status: TokenStatus) -> Reach:
        """What the token, looked up before as `status`, may do at the Redis secret's API path. Reads no secret."""
        place = self._secret.place
        known: KvVersion | None = None
        problem: ToolkitError | None = None
        try:
            known = self.kv()
        except (NotAllowed, NotFound, ConfigurationError) as error:
            problem = error
        held = self.capabilities((place.api(2), place.api(1)))
        if known is None:
            return Reach(None, held, problem)
        here = place.api(known.version)
        if not vault_denied.may_read(held, here):
            problem = self._policy_lacks(place, status, known.version, held)
        return Reach(known, {here: held[here]}, problem)

    def kv_version(self) -> Literal[1, 2]:
        """The KV version of the configured mount: configured, else asked, else found out by reading."""
        return self.kv().version

    def kv(self) -> KvVersion:
        """The KV version and how it is known. Raises NotAllowed or NotFound where it cannot be found out."""
        return self._kv_of(self._secret)

    def _kv_of(self, secret: KeptSecret) -> KvVersion:
        """The mount's KV version; `secret` is read where the server does not say it."""
        with self._lock:
            if self._kv is not None:
                return self._kv
        try:
            found = secret.version()
        except Forbidden as denied:
            problem = self._explained(secret, denied, None)
        except VersionUnknown as unknown:
            problem = self._explained(secret, unknown.denied, None)
        else:
            with self._lock:
                self._kv = found
            return found
        raise problem

    def redis_token(self) -> Secret:
        """The Redis access token: vault.field of the secret at vault.mount and vault.path."""
        return self.redis_secret().token

    def redis_secret(self) -> RedisSecret:
        """The Redis access token with where it came from.

        Raises NotAllowed (with the policy line that is missing), NotFound, or ConfigurationError for a wrong key.
        """
        return self._read(self._secret)

    def read(self, wanted: Wanted) -> Secret:
        """Another secret in the same mount, as `redis_secret` reads its own; raises what it raises."""
        return self._read(KeptSecret(self._session, self.part, wanted)).token

    def _read(self, secret: KeptSecret) -> RedisSecret:
        kv = self._kv_of(secret)
        try:
            return secret.read(kv)
        except Forbidden as denied:
            problem = self._explained(secret, denied, kv.version)
        raise problem

    def get_by_hand(self, path: str = "", field: str = "") -> str:
        """The command that prints the Redis access token, or the field at `path` in the same mount."""
        place = vault_denied.Place(self.part.mount.strip("/"), (path or self.part.path).strip("/"))
        return self.server.by_hand(f"kv get -field={shlex.quote(field or self.part.field)} {shlex.quote(str(place))}")

    def login(self, way: Way) -> LoggedIn:
        """Log in, keep the token where `vault login` would (or in the environment's own file), and use it from now on.

        Raises NotAllowed where Vault or the identity provider says no.
        """
        try:
            token = self._session.log_in(f"logging in by {way.name}", lambda client: way.obtain(client, self.server))
        except Forbidden:
            problem = way.refused(self.server, "permission denied")
        except Missing:
            problem = way.refused(self.server, "nothing is mounted there")
        except Rejected as rejected:
            problem = way.refused(self.server, *rejected.reasons)
        else:
            return self._keep(token, way.name)
        raise problem

    def close(self) -> None:
        """End the session and forget the token."""
        self._session.close()
        with self._lock:
            self._kv = None

    def _keep(self, token: Secret, way: str) -> LoggedIn:
        self._session.use(vault_token.Found(token, f"login by {way}"))
        with self._lock:
            self._kv = None
        status = self.token_status()
        kept_in = vault_token.store(token, self.server)
        hidden = vault_token.hidden_by_variable(self.server)
        note = "VAULT_TOKEN is set and comes first: unset it, or the new token is not used." if hidden else ""
        return LoggedIn(status, kept_in, note)

    def _token_over(self, denied: Forbidden) -> NotAllowed:
        over = self._expires_at
        since = f"{over:%Y-%m-%d %H:%M}Z" if over is not None and over <= datetime.now(UTC) else ""
        source = self._session.token().source
        return vault_denied.token_over(self.server, source, sure=denied.invalid_token, over_since=since)

    def _explained(self, secret: KeptSecret, denied: Forbidden, version: int | None) -> NotAllowed:
        """Which of the reasons for a 403 it is."""
        if denied.invalid_token:
            return self._token_over(denied)
        place = secret.place
        try:
            status = self.token_status()
        except NotAllowed as over:
            return over
        try:
            capabilities = self.capabilities((place.api(2), place.api(1)))
        except NotAllowed:
            capabilities = {}
        return self._policy_lacks(place, status, version, capabilities)

    def _policy_lacks(
        self,
        place: vault_denied.Place,
        status: TokenStatus,
        version: int | None,
        capabilities: dict[str, tuple[str, ...]],
    ) -> NotAllowed:
        return vault_denied.explain(
            self.server,
            place,
            version,
            policies=status.policies,
            capabilities=capabilities,
            configured=bool(self.part.kv_version),
        )
