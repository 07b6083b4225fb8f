"""Reads the configuration: shipped profiles, the user's file, `toolkit.toml` here, environment variables.

A later layer overrides an earlier one, key by key, and every value remembers which layer it came from. Anything the
model does not know is refused, with its path, its file and the nearest key that exists.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from toolkit import paths
from toolkit.environments import model
from toolkit.errors import ConfigurationError

PROFILES = ("mapapp", "rp006")
HERE = "toolkit.toml"

_ENVIRONMENT_VARIABLES_THAT_ARE_NOT_KEYS = frozenset(
    {"TOOLKIT_ENV", "TOOLKIT_HOME", "TOOLKIT_CONFIG", "TOOLKIT_OUTPUT", "TOOLKIT_READ_ONLY", "TOOLKIT_THEME"}
)

Table = dict[str, Any]


@dataclass(frozen=True)
class Loaded:
    """The settings, and for every key that some layer set (dotted path) the layer that set it last.

    `configured` are the environments that a file of the user's names; the others are only shipped.
    """

    settings: model.Settings
    sources: Mapping[str, str] = field(default_factory=dict)
    configured: tuple[str, ...] = ()

    def source(self, path: str) -> str:
        """Where the value at the dotted `path` came from: a file, an environment variable, or "default"."""
        return self.sources.get(path, "default")


def load(sandbox: Path | None = None, *, working_directory: Path | None = None) -> Loaded:
    """Everything that is configured on this machine.

    With `sandbox`, the file that the running sandbox wrote, nothing else is read: no name, address or cluster of the
    real world can get into it.
    """
    merged, sources = ({}, {}) if sandbox is not None else _profiles()
    configured: set[str] = set()
    if sandbox is not None:
        _merge(merged, _read(sandbox), "the running sandbox", sources)
    else:
        for file in files(working_directory):
            table = _read(file)
            configured |= set(_environments(table, file))
            _merge(merged, table, str(file), sources)
    _name(merged)
    if sandbox is None:
        _apply_variables(merged, sources)
    return Loaded(_converted(merged, sources), sources, tuple(sorted(configured)))


def shipped() -> model.Settings:
    """The shipped profiles alone."""
    merged, sources = _profiles()
    _name(merged)
    return _converted(merged, sources)


def filled(values: Mapping[str, str]) -> model.Settings:
    """The shipped profiles with `values`, by dotted key, laid over them."""
    merged, sources = _profiles()
    table: Table = {}
    for key, value in values.items():
        *path, last = key.split(".")
        inner = table
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    _merge(merged, table, "the answers", sources)
    _name(merged)
    return _converted(merged, sources)


def flat(file: Path) -> Iterator[tuple[str, object]]:
    """Each value of a configuration file, with its dotted key. Raises ConfigurationError."""

    def below(table: Table, path: str) -> Iterator[tuple[str, object]]:
        for key, value in table.items():
            if isinstance(value, dict):
                yield from below(value, f"{path}{key}.")
            else:
                yield f"{path}{key}", value

    return below(_read(file), "")


def files(working_directory: Path | None = None) -> list[Path]:
    """The user's configuration files that exist, the weakest first."""
    candidates = [paths.config_file(), (working_directory or Path.cwd()) / HERE]
    return [file for file in candidates if file.is_file()]


def unset(environment: model.Environment, *, now: bool = False) -> list[str]:
    """Dotted names of the keys that are still empty. `now`: only those that a command of this version needs.

    Keys of parts that one can do without are not among them: see `optional`.
    """
    needed = [
        "vault.address", "redis_proxy.cluster", "redis_proxy.namespace", "bucket.name", "bucket.project",
        "cache_manager.cluster", "cache_manager.namespace", "cache_manager.cronjob",
        "app.cluster", "app.namespace", "app.deployment", "infra_repo.remote", "infra_repo.path",
    ]  # fmt: skip
    if not now:
        needed += ["argocd.address", "argocd.application"]
    found = []
    for path in needed:
        part, key = path.split(".")
        if getattr(getattr(environment, part), key) == "":
            found.append(path)
    return found


def optional(environment: model.Environment) -> list[str]:
    """Dotted names of empty keys without which the toolkit works, and with which it can do more."""
    loki, cloud_logging = environment.logs.loki, environment.logs.cloud_logging
    found = ["logs.loki.address"] if not loki.address else []
    if loki.address and not loki.grafana:
        found.append("logs.loki.grafana")
    if loki.grafana and not loki.datasource:
        found.append("logs.loki.datasource")
    if not cloud_logging.project:
        found.append("logs.cloud_logging.project")
    for key in ("bootstrap", "topic"):
        found += [f"kafka.{key}"] if not getattr(environment.kafka, key) else []
    found += ["benchmark_db.address"] if not environment.benchmark_db.address else []
    found += ["configome.remote"] if not environment.configome.remote else []
    found += ["loader.manifest"] if not environment.loader.manifest else []
    if "pomerium" in environment.app.way_in.lower():  # for `access check`
        found += ["okta.address"] if not environment.okta.address else []
        found += ["okta.vault_path"] if not environment.okta.vault_path else []
        found += ["app.url"] if not (environment.app.url or environment.pomerium.ingress) else []
    return found


def _profiles() -> tuple[Table, dict[str, str]]:
    merged: Table = {}
    sources: dict[str, str] = {}
    for name in ("clusters", *PROFILES):
        text = resources.files("toolkit.environments").joinpath("profiles", f"{name}.toml").read_text("utf-8")
        _merge(merged, _parsed(text, f"profile {name}"), f"profile {name}", sources)
    return merged, sources


def _name(merged: Table) -> None:
    """An environment's name is the key of its table."""
    for name, table in merged.get("environments", {}).items():
        if isinstance(table, dict):
            table["name"] = name


def _environments(table: Table, file: Path) -> Mapping[str, Any]:
    environments = table.get("environments", {})
    if not isinstance(environments, dict):
        raise ConfigurationError(f"{file}: environments must be a table of environments.")
    return environments


def _read(file: Path) -> Table:
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not UTF-8: {error.reason} at byte {error.start}.") from error
    return _parsed(text, str(file))


def _parsed(text: str, label: str) -> Table:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"{label} is not valid TOML: {error}.",
            hint="Correct that line; `toolkit config check` reads it again.",
        ) from error
    _refuse_unknown(table, model.Settings, "", label)
    return table


def _refuse_unknown(table: Table, struct: type[msgspec.Struct], path: str, label: str) -> None:
    known = {item.name: item.type for item in msgspec.structs.fields(struct)}
    if struct is model.Environment:
        del known["name"]  # it is the table's own key
    for key, value in table.items():
        here = f"{path}.{key}" if path else key
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            keys = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(sorted(known))}."
            raise ConfigurationError(f"{label}: unknown key {here!r}; {keys}")
        for name, item, inner in _inner_tables(known[key], key, value):
            _refuse_unknown(item, inner, f"{path}.{name}" if path else name, label)


def _inner_tables(kind: Any, key: str, value: object) -> Iterator[tuple[str, Table, type[msgspec.Struct]]]:
    """The tables below `value` with the struct each has to fit."""
    if not isinstance(value, dict):
        return
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield key, value, kind
        return
    for argument in getattr(kind, "__args__", ()):
        if isinstance(argument, type) and issubclass(argument, msgspec.Struct):
            for name, item in value.items():
                if isinstance(item, dict):
                    yield f"{key}.{name}", item, argument


def _merge(into: Table, table: Table, label: str, sources: dict[str, str], path: str = "") -> None:
    for key, value in table.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            below = into.setdefault(key, {})
            if not isinstance(below, dict):
                raise ConfigurationError(f"{label}: {here!r} is a table here and a value in another file.")
            _merge(below, value, label, sources, here)
        else:
            into[key] = value
            sources[here] = label


def _apply_variables(merged: Table, sources: dict[str, str]) -> None:
    """`TOOLKIT_REDIS__ADDRESS=…` overrides redis.address of the environment that `TOOLKIT_ENV` names, else of all."""
    chosen = os.environ.get("TOOLKIT_ENV")
    for variable, value in os.environ.items():
        if not variable.startswith("TOOLKIT_") or variable in _ENVIRONMENT_VARIABLES_THAT_ARE_NOT_KEYS:
            continue
        part, separator, key = variable.removeprefix("TOOLKIT_").lower().partition("__")
        if not separator:
            continue
        table: Table = {part: {key: value}}
        _refuse_unknown(table, model.Environment, "", f"environment variable {variable}")
        for name, environment in merged.get("environments", {}).items():
            if chosen in (None, "", name):
                typed = _typed(value, part, key)
                _merge(environment, {part: {key: typed}}, variable, sources, f"environments.{name}")


def _typed(text: str, part: str, key: str) -> object:
    """`text` as the TOML value it would be in a file, where the key is not a string."""
    struct = {item.name: item.type for item in msgspec.structs.fields(model.Environment)}[part]
    kind = {item.name: item.type for item in msgspec.structs.fields(struct)}[key]
    if kind is str:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _converted(merged: Table, sources: Mapping[str, str]) -> model.Settings:
    try:
        settings = msgspec.convert(merged, model.Settings)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `")
        path = where.rstrip("`").removeprefix("$.")
        path = _named(path, merged)
        source = sources.get(path, "the configuration")
        raise ConfigurationError(f"{source}: {path or 'configuration'}: {message}.") from error
    for name, environment in settings.environments.items():
        for part in ("redis_proxy", "cache_manager", "app", "pomerium"):
            cluster = getattr(environment, part).cluster
            if cluster:
                try:
                    settings.cluster(cluster)
                except ConfigurationError as error:
                    raise ConfigurationError(f"environments.{name}.{part}.cluster: {error}", hint=error.hint) from None
    return settings


def _named(path: str, merged: Table) -> str:
    """msgspec writes `environments[...].redis.port` for a dict's value; find the name of the one that does not fit."""
    for group, struct in (("environments", model.Environment), ("clusters", model.Cluster)):
        prefix = f"{group}[...]"
        if path.startswith(prefix):
            for name, table in merged.get(group, {}).items():
                try:
                    msgspec.convert(table, struct)
                except msgspec.ValidationError:
                    return f"{group}.{name}{path.removeprefix(prefix)}"
    return path
