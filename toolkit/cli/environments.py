"""`toolkit env list | show`: the environments, their parts, and where each value came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from toolkit.cli import options, output
from toolkit.cli.apps import command_group
from toolkit.cli.opening import SANDBOXES, choose
from toolkit.cli.output import Column, Format
from toolkit.environments import loading

if TYPE_CHECKING:
    from rich.console import RenderableType

app = command_group("The environments: list, show.")


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    kind: str
    configured: bool
    protected: bool
    read_only: bool
    cache_manager_cluster: str
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Value:
    key: str
    value: object
    source: str


@app.command("list")
def list_(form: options.Output = Format.TABLE) -> None:
    """Every environment that is configured or shipped, and the sandbox's two."""
    loaded = loading.load()
    found = [
        Row(
            name=name,
            title=environment.title,
            kind="real",
            configured=name in loaded.configured,
            protected=environment.protected,
            read_only=environment.read_only or loaded.settings.read_only,
            cache_manager_cluster=environment.cache_manager.cluster,
            missing=tuple(loading.unset(environment)),
        )
        for name, environment in sorted(loaded.settings.environments.items())
    ]
    found += [Row(name, title, "sandbox", True, False, False, "", ()) for name, title in SANDBOXES.items()]
    output.rows(
        found,
        [
            Column("name", lambda row: row.name),
            Column("title", lambda row: row.title),
            Column("cache manager in", lambda row: row.cache_manager_cluster or "-"),
            Column("protected", lambda row: "protected" if row.protected else "-", style=_red),
            Column("state", _state),
        ],
        form,
    )


def _red(row: Row) -> str:
    return "bold red" if row.protected else ""


def _state(row: Row) -> str:
    if row.kind == "sandbox":
        return "always there"
    if not row.configured:
        return "shipped, not configured (toolkit config init)"
    return f"{len(row.missing)} keys open (toolkit config check)" if row.missing else "ready"


@app.command("show")
def show(
    name: Annotated[str | None, typer.Argument(help="Which environment (or --env).")] = None,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Every value of an environment, and where it came from: a profile, a file, a variable, or a default."""
    chosen = choose(name or env)
    prefix = f"environments.{chosen.environment.name}."
    values = [
        Value(key, value, chosen.loaded.source(prefix + key))
        for key, value in _flat(msgspec.to_builtins(chosen.environment))
    ]
    used = {
        part.cluster
        for part in (chosen.environment.redis_proxy, chosen.environment.cache_manager, chosen.environment.app)
    }
    for cluster in sorted(used - {""}):
        own, part = chosen.loaded.settings.cluster(cluster)
        for key, value in _flat(msgspec.to_builtins(part)):
            path = f"clusters.{own}.{key}"
            values.append(Value(path, value, chosen.loaded.source(path)))

    def draw() -> RenderableType:
        return output.table(
            values,
            [
                Column("key", lambda row: row.key),
                Column("value", lambda row: _shown(row.value), style=lambda row: "yellow" if row.value == "" else ""),
                Column("from", lambda row: row.source, style=lambda _: "dim"),
            ],
        )

    document = {"name": chosen.environment.name, "values": values}
    if form is Format.PLAIN:
        for item in values:
            output.text(f"{item.key}\t{_shown(item.value)}\t{item.source}")
    else:
        output.document(document, form, draw)


def _flat(table: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(table, dict):
        for key, value in table.items():
            yield from _flat(value, f"{path}.{key}" if path else key)
    else:
        yield path, table


def _shown(value: object) -> str:
    if value == "":
        return "(empty)"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "(none)"
    return str(value)
