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
        bool,
        typer.Option("--force", help="Write anew a file that is there: its values are taken over, it is kept as .bak."),
    ] = False,
    blank: Annotated[bool, typer.Option("--blank", help="Ask nothing: the keys are left to fill in.")] = False,
) -> None:
    """Set this workstation up: a commented configuration file, with all that can be found out.

    At a terminal it looks at kubectl, gcloud, vault, argocd and Git, and in the clusters; it asks only for what it does
    not find there, and tests each answer at once.
    """
    file = to or paths.config_file()
    chosen = names or list(loading.PROFILES)
    template.render(chosen)  # an unknown name is said before anything is asked
    if file.exists() and not force:
        raise ConfigurationError(
            f"{file} is there already; nothing was written.",
            hint="`toolkit config check` says what it lacks; --force takes its values over, and keeps it as .bak.",
        )
    values, left = template.values_in(file, chosen) if file.exists() else ({}, [])
    interrupted = False
    if not blank and diagnostics.can_ask():
        from toolkit.checks.set_up import SetUp
        from toolkit.cli import set_up

        draft = SetUp(chosen, values)
        try:
            set_up.converse(draft)
        except KeyboardInterrupt:
            interrupted = True
        values = draft.values
    _write(file, template.render(chosen, values))
    output.text(str(file))
    if left:
        diagnostics.warn(f"Not taken over from the file as it was (now {file.name}.bak): {', '.join(left)}")
    if interrupted:
        diagnostics.narrate("Interrupted: what was known by then is in the file. To go on: toolkit config init --force")
        raise typer.Exit(ExitCode.INTERRUPTED)
    diagnostics.narrate("What is open yet, and what is optional: toolkit config check. Then: toolkit doctor")


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            file.replace(file.with_name(f"{file.name}.bak"))
        file.write_text(text, "utf-8")
    except OSError as error:
        raise Failed(f"{file} cannot be written: {error.strerror}.") from error


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
