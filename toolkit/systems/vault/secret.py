"""One secret in Vault's key-value store: the KV version of its mount, its fields, and what a 404 there means."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from toolkit.errors import ConfigurationError, NotFound, ToolkitError
from toolkit.secret import Secret
from toolkit.systems.vault.denied import Place
from toolkit.systems.vault.errors import Forbidden, Missing

if TYPE_CHECKING:
    import hvac

    from toolkit.environments import model
    from toolkit.systems.vault.session import Session


@dataclass(frozen=True)
class KvVersion:
    """The KV version of a mount, and how it is known."""

    version: Literal[1, 2]
    how: str


@dataclass(frozen=True)
class Wanted:
    """A secret's field that is asked for. `what` says what it is ("the Redis access token"), `path_key` and `field_key`
    which keys of the configuration name it."""

    path: str
    field: str
    what: str
    path_key: str
    field_key: str


@dataclass(frozen=True)
class RedisSecret:
    """The Redis access token with where it lies. `version` and `created_at` are known in KV version 2 alone."""

    token: Secret
    path: str
    field: str
    kv: KvVersion
    version: int | None = None
    created_at: datetime | None = None


class VersionUnknown(Exception):
    """Reading was denied in both versions' paths. `denied` is what Vault said."""

    def __init__(self, denied: Forbidden) -> None:
        super().__init__()
        self.denied = denied


class KeptSecret:
    """The secret `wanted` in vault.mount. Its methods let Forbidden through, to be explained above."""

    def __init__(self, session: Session, part: model.Vault, wanted: Wanted) -> None:
        self._session = session
        self._part = part
        self._wanted = wanted
        self.place = Place(part.mount.strip("/"), wanted.path.strip("/"))

    def version(self) -> KvVersion:
        """The KV version: configured, else asked, else found out by reading. Raises VersionUnknown."""
        if self._part.kv_version:
            return KvVersion(self._part.kv_version, "configured (vault.kv_version)")
        return self._asked_version()

    def read(self, kv: KvVersion) -> RedisSecret:
        """The configured field of the secret. Each thing that can be wrong names the key to look at."""
        try:
            data, metadata = self._fields(kv.version)
        except Missing as missing:
            problem = self._missing(missing, kv)
        else:
            number = metadata.get("version")
            return RedisSecret(
                token=self._field(data, kv),
                path=self.place.api(kv.version),
                field=self._wanted.field,
                kv=kv,
                version=number if isinstance(number, int) else None,
                created_at=moment(metadata.get("created_time")),
            )
        raise problem

    def _asked_version(self) -> KvVersion:
        """Ask the server what the mount is; where it does not say, find out by reading."""

        def ask(client: hvac.Client) -> tuple[str, str, str]:
            data = client.adapter.get(f"/v1/sys/internal/ui/mounts/{self.place}")["data"]
            version = str((data.get("options") or {}).get("version") or "1")
            return str(data.get("type")), str(data.get("path") or self.place.mount).strip("/"), version

        server = self._session.server
        try:
            engine, mount, version = self._session.read("asking what is mounted", ask)
        except Forbidden as denied:
            if denied.invalid_token:
                raise
            return self._version_by_reading("the server does not tell this token what is mounted")
        except Missing:
            return self._version_by_reading("this server cannot be asked what is mounted")
        if engine not in ("kv", "generic"):
            raise ConfigurationError(
                f"vault.mount is {self._part.mount!r}, where {server} has a secrets engine of type {engine}, not KV.",
                by_hand=(server.by_hand("secrets list"),),
            )
        if mount != self.place.mount:
            rest = str(self.place).removeprefix(mount).strip("/")
            raise ConfigurationError(
                f"vault.mount is {self._part.mount!r}, but {self.place} lies in the mount {mount!r} of {server}.",
                hint=f'Set vault.mount = "{mount}" and {self._wanted.path_key} = "{rest}".',
            )
        return KvVersion(2 if version == "2" else 1, "asked (sys/internal/ui/mounts)")

    def _version_by_reading(self, why: str) -> KvVersion:
        """Try the path of version 2, then that of version 1: what is said of one tells something of the other."""
        denied: Forbidden | None = None
        for version in (2, 1):
            try:
                self._fields(version)
            except Missing as missing:
                if _of_version_two(missing):
                    return KvVersion(2, f"found out by reading: {why}")
            except Forbidden as refused:
                if version == 2:
                    denied = refused
            else:
                return KvVersion(2 if version == 2 else 1, f"found out by reading: {why}")
        if denied is not None:
            raise VersionUnknown(denied)
        raise self._not_there()

    def _fields(self, version: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """The secret's fields and its metadata (none in version 1)."""
        mount, path = self.place.mount, self.place.path

        def ask(client: hvac.Client) -> tuple[dict[str, Any], dict[str, Any]]:
            if version == 2:
                answer = client.secrets.kv.v2.read_secret_version(
                    path, mount_point=mount, raise_on_deleted_version=True
                )
                return dict(answer["data"]["data"]), dict(answer["data"]["metadata"])
            return dict(client.secrets.kv.v1.read_secret(path, mount_point=mount)["data"]), {}

        return self._session.read(f"reading {self.place.api(version)}", ask)

    def _field(self, data: dict[str, Any], kv: KvVersion) -> Secret:
        name, server = self._wanted.field, self._session.server
        by_hand = (server.by_hand(f"kv get -field={shlex.quote(name)} {shlex.quote(str(self.place))}"),)
        if name not in data:
            hint = self._set_field
            if kv.version == 1 and set(data) == {"data", "metadata"}:
                hint = "That is what a secret of KV version 2 looks like: set vault.kv_version to 2, or to 0."
            raise ConfigurationError(
                f"The secret {self.place} in {server} has no field {name!r}; "
                f"its fields are: {', '.join(sorted(data)) or 'none'}.",
                hint=hint,
                by_hand=by_hand,
            )
        value = data[name]
        # A line break at the end comes from `vault kv put token=@file`, and is never meant.
        text = str(value).strip("\r\n") if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
        if not text:
            raise ConfigurationError(
                f"The field {name!r} of the secret {self.place} in {server} is empty, or not a text.",
                hint=self._set_field,
                by_hand=by_hand,
            )
        return Secret(text)

    @property
    def _set_field(self) -> str:
        return f"Set {self._wanted.field_key} to the one that holds {self._wanted.what}."

    def _missing(self, missing: Missing, kv: KvVersion) -> ToolkitError:
        """What a 404 at the secret's path means."""
        server = self._session.server
        metadata = _metadata(missing)
        if metadata:
            number = metadata.get("version")
            what = f"The newest version ({number}) of the secret {self.place} in {server} was"
            if metadata.get("destroyed"):
                return NotFound(f"{what} destroyed.", hint="It cannot be brought back: ask its owners for a new one.")
            return NotFound(
                f"{what} deleted at {metadata.get('deletion_time')}.",
                hint="Whoever may write there can bring it back.",
                by_hand=(server.by_hand(f"kv undelete -versions={number} {shlex.quote(str(self.place))}"),),
            )
        if kv.version == 1 and _of_version_two(missing):
            return self._wrong_version(2)
        if self._part.kv_version == 2:
            try:
                if self._asked_version().version == 1:
                    return self._wrong_version(1)
            except (ToolkitError, VersionUnknown):
                pass  # not known better: the secret is what is missing
        return self._not_there()

    def _wrong_version(self, right: int) -> ConfigurationError:
        return ConfigurationError(
            f"vault.kv_version is {self._part.kv_version}, but the mount {self.place.mount} in {self._session.server} "
            f"is KV version {right}.",
            hint=f"Set vault.kv_version = {right}, or 0 to have it asked.",
        )

    def _not_there(self) -> ToolkitError:
        key = self._wanted.path_key
        if self.place.path.startswith("data/"):
            return ConfigurationError(
                f"{key} is {self._wanted.path!r}: the `data/` of KV version 2's API does not belong to it.",
                hint=f'Set {key} = "{self.place.path.removeprefix("data/")}".',
            )
        folder = str(self.place).rpartition("/")[0]
        return NotFound(
            f"There is no secret {self.place} in {self._session.server}.",
            hint=f"Check vault.mount and {key} of this environment.",
            by_hand=(self._session.server.by_hand(f"kv list {shlex.quote(folder)}"),),
        )


def moment(text: object) -> datetime | None:
    """An RFC 3339 time as Vault writes it (nanoseconds), in UTC; None for none."""
    if not isinstance(text, str) or not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _metadata(missing: Missing) -> dict[str, Any]:
    data = missing.body.get("data")
    metadata = data.get("metadata") if isinstance(data, dict) else None
    return metadata if isinstance(metadata, dict) else {}


def _of_version_two(missing: Missing) -> bool:
    """Does this 404 say that the path is of a versioned engine, or give a version's metadata?"""
    warnings = missing.body.get("warnings")
    said = " ".join(str(warning) for warning in warnings) if isinstance(warnings, list) else ""
    return "versioned K/V" in said or bool(_metadata(missing))
