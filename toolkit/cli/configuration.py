"""`toolkit config init | check | path`: the configuration file, and what it still lacks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import paths
from toolkit.cli import diagnostics, options, output
from toolkit.cli.apps import command_group
from toolkit.cli.output import Column, Format
from toolkit.environments import loading, template
from toolkit.errors import ConfigurationError, ExitCode, Failed

if TYPE_CHECKING:
    from rich.console import RenderableType

app = command_group("The configuration: init, check, path.")


@dataclass(frozen=True)
class Open:
    """A key that is empty, and what goes there."""

    key: str
    meaning: str


@app.command()
def init(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="ENV...", help="Which environments; default: all.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", help="Which file; default: the user's own.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite a file that is there (it is kept as .bak).")
    ] = False,
) -> None:
    """Write a commented configuration file, with the keys to fill in."""
    file = to or paths.config_file()
    text = template.render(names or list(loading.PROFILES))
    try:
        if file.exists():
            if not force:
                raise ConfigurationError(
                    f"{file} is there already; nothing was written.",
                    hint="`toolkit config check` says what it lacks; --force writes a new one and keeps this as .bak.",
                )
            file.replace(file.with_suffix(".toml.bak"))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    except OSError as error:
        raise Failed(f"{file} cannot be written: {error.strerror}.") from error
    output.text(str(file))
    diagnostics.narrate("Fill in the empty keys, then: toolkit config check")


@app.command()
def check(form: options.Output = Format.TABLE) -> None:
    """Read the configuration strictly, and list what is still open. Exit code 1 when a key is, 2 when it is wrong.

    Optional keys, with which the toolkit can do more, are listed too, and are no mistake.
    """
    loaded = loading.load()
    names = loaded.configured or tuple(sorted(loaded.settings.environments))
    found: list[Open] = []
    optional: list[Open] = []
    used: set[str] = set()
    for name in names:
        environment = loaded.settings.environments[name]
        found += [Open(f"environments.{name}.{key}", template.meaning(key)) for key in loading.unset(environment)]
        optional += [Open(f"environments.{name}.{key}", template.meaning(key)) for key in loading.optional(environment)]
        used |= {environment.cache_manager.cluster, environment.redis_proxy.cluster, environment.app.cluster} - {""}
    for cluster in sorted(used):
        own, part = loaded.settings.cluster(cluster)
        if own != cluster:
            diagnostics.narrate(f"{cluster!r} is an alias: the cluster is called {own!r}.")
        if not part.context:
            found.append(Open(f"clusters.{own}.context", "the kube context's name on this workstation"))
    found = list(dict.fromkeys(found))
    files = [str(file) for file in loading.files()]

    def draw() -> list[RenderableType]:
        read = "read: " + (", ".join(files) or "the shipped profiles only (toolkit config init)")
        parts: list[RenderableType] = [read]
        parts.append(output.table(found, columns("open key", "yellow")) if found else "Every key is filled in.")
        return [*parts, "", output.table(optional, columns("optional key", "dim"))] if optional else parts

    def columns(title: str, style: str) -> list[Column]:
        return [Column(title, lambda o: o.key, style=lambda _: style), Column("what it is", lambda o: o.meaning)]

    if form in (Format.PLAIN, Format.JSONL):
        output.rows(found, [Column("key", lambda o: o.key), Column("what it is", lambda o: o.meaning)], form)
    else:
        output.document({"files": files, "environments": names, "open": found, "optional": optional}, form, draw)
    if found:
        raise typer.Exit(ExitCode.FOUND_WRONG)


@app.command()
def path(form: options.Output = Format.TABLE) -> None:
    """Which files are read, the weakest first, and whether they are there."""
    candidates = [paths.config_file(), Path.cwd() / loading.HERE]
    items = [{"path": str(file), "exists": file.is_file()} for file in candidates]
    output.rows(
        items,
        [
            Column("file", lambda item: item["path"]),
            Column("", lambda item: "read" if item["exists"] else "not there"),
        ],
        form,
    )
