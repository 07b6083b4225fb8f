"""`toolkit loader`: the group auto-loader's settings beside production's, the groups that they make, and whether a dry
run by hand would be safe. Nothing here runs the loader. What people see is drawn in loader_tables.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.cache import layers
from toolkit.cache.loader import releases, sides
from toolkit.cache.loader.sides import Side, Sides
from toolkit.checks import loader, loader_groups
from toolkit.checks.finding import Finding, Status
from toolkit.cli import diagnostics, loader_tables, options, output
from toolkit.cli.apps import command_group
from toolkit.cli.diagnostics import printable
from toolkit.cli.opening import opened
from toolkit.cli.output import Format
from toolkit.errors import ConfigurationError, ExitCode, ToolkitError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from toolkit.cache.layers import Layers
    from toolkit.systems.connections import Connections

app = command_group("The group auto-loader: check, plan.")


@app.callback()
def group() -> None:
    """The group auto-loader: check, plan."""


class Asked:
    """The findings of one command, each under its check's name; what could not be read is `unknown`, with why."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._codes: list[ExitCode] = []

    def ask(self, name: str, question: Callable[[], Finding]) -> Finding:
        try:
            found = question()
        except ToolkitError as error:
            found = Finding("", Status.UNKNOWN, error.message, error.hint, by_hand=error.by_hand)
            self._codes.append(error.exit_code)
        found = replace(found, name=name)
        self.findings.append(found)
        return found

    def exit_code(self, also_wrong: tuple[Status, ...] = ()) -> ExitCode:
        """1 where something is wrong; else why something is not known."""
        if any(one.status in (Status.FAIL, *also_wrong) for one in self.findings):
            return ExitCode.FOUND_WRONG
        if not any(one.status is Status.UNKNOWN for one in self.findings):
            return ExitCode.OK
        told = [code for code in self._codes if code is not ExitCode.FOUND_WRONG]
        return told[0] if told else ExitCode.UNREACHABLE


@app.command("check")
def check(
    env: options.Env = None,
    form: options.Output = Format.TABLE,
    group: Annotated[
        str, typer.Option("--group", "-g", metavar="GROUP", help="Is this group one that the auto-loader makes?")
    ] = "",
) -> None:
    """configome's settings beside production's, and the groups that they make beside those that are there.

    Only reads. Exit code 0: they agree, and all groups are there; 1: something differs or is missing; else why it is
    not known (2, 3, 4).
    """
    with opened(env) as connections:
        found = _looked(connections)
        read = layers.read_either(connections)
        asked = Asked()
        asked.ask("loader-api", lambda: loader.api_finding(found, connections.environment))
        asked.ask("loader-settings", lambda: loader.settings_finding(found, connections))
        asked.ask("loader-groups", lambda: loader_groups.groups_finding(found.configome.known, read, connections))
        if group:
            asked.ask("loader-transformation", lambda: loader_groups.transformation_finding(found, group, connections))
        name = connections.environment.name
    document = {"environment": name, **_sides(found), "findings": [_finding(one) for one in asked.findings]}
    if form is Format.PLAIN:
        _plain(asked.findings)
    else:
        output.document(document, form, lambda: _checked(found, asked))
    if asked.exit_code() is not ExitCode.OK:
        raise typer.Exit(asked.exit_code())


@app.command("plan")
def plan(
    env: options.Env = None,
    form: options.Output = Format.TABLE,
    new: Annotated[
        str, typer.Option("--new", metavar="NAME", help="The one transformation that configome may have more: yours.")
    ] = "",
) -> None:
    """Is a dry run by hand safe, what would it make, and how is it run? This never runs it.

    The command is shown only if all three hold: configome points to production's phenoservice API, dry run is True, and
    the transformations and the deep-learning model are production's. Exit code 1 where one does not, and says which.
    """
    with opened(env) as connections:
        found, asked = _looked(connections), Asked()
        environment = connections.environment
        asked.ask("loader-api", lambda: loader.api_finding(found, environment))
        asked.ask("loader-dry-run", lambda: loader.dry_run_finding(found, environment))
        asked.ask("loader-settings", lambda: loader.settings_finding(found, connections, new))
        read = layers.read_either(connections) if found.configome.settings else None
    safe = all(one.status is Status.OK for one in asked.findings)
    made = _made(found, read)
    command = environment.loader.command if safe else None
    document = {
        "environment": environment.name,
        "safe": safe,
        **_sides(found),
        "makes": made,
        "command": command,
        "findings": [_finding(one) for one in asked.findings],
    }
    if form is Format.PLAIN:
        _plain(asked.findings)
    else:
        output.document(document, form, lambda: loader_tables.planned(asked.findings, made, command, environment.name))
    if not safe:
        refusing = [one.name for one in asked.findings if one.status is not Status.OK]
        diagnostics.warn(f"A dry run is not safe: {', '.join(refusing)}. The command is not shown.")
        raise typer.Exit(asked.exit_code(also_wrong=(Status.WARN,)))


def _checked(found: Sides, asked: Asked) -> list[RenderableType]:
    facts = next(one.facts for one in asked.findings if one.name == "loader-groups")
    return [
        *loader_tables.settings(found),
        *loader_tables.groups(facts),
        *loader_tables.told(asked.findings, compared=True),
    ]


def _looked(connections: Connections) -> Sides:
    found = sides.look(connections)
    if not found.configured:
        raise ConfigurationError(
            f"{loader.NOT_SET}, in {connections.environment.name}.",
            hint="Set it under [environments.NAME.configome], with loader.manifest beside it; docs/loader.md says how.",
        )
    return found


def _made(found: Sides, read: Layers | None) -> list[dict[str, Any]]:
    """What the transformations make, the dropdown's first first: as groups of the newest release, if that is known."""
    settings = found.configome.settings
    if settings is None or read is None:
        return []
    index = [] if isinstance(read.l2, ToolkitError) else [name for name, _ in read.l2.index]
    bucket = [] if isinstance(read.l3, ToolkitError) else sorted(read.l3.frames, reverse=True)
    known = not (isinstance(read.l2, ToolkitError) or isinstance(read.l3, ToolkitError))
    release = releases.release_of(settings, [*index, *bucket])
    rows = []
    for one, group in zip(reversed(settings.transformations), releases.made_of(settings, release), strict=True):
        there = True if group in (*index, *bucket) else False if known else None
        rows.append({"transformation": one.name, "group": group if release else None, "there": there})
    return rows


# -- for programs


def _sides(found: Sides) -> dict[str, Any]:
    return {"configome": _side(found.configome), "production": _side(found.production)}


def _side(side: Side) -> dict[str, Any]:
    settings = side.settings
    return {
        "place": side.place,
        "commit": side.commit or None,
        "phenoservice_api": settings.api if settings else None,
        "dry_run": settings.dry_run if settings else None,
        "model": settings.model if settings else None,
        "transformations": list(settings.names) if settings else None,
        "problem": side.problem.message if side.problem else None,
    }


def _finding(found: Finding) -> dict[str, Any]:
    return {
        "check": found.name,
        "status": str(found.status),
        "summary": found.summary,
        "hint": found.hint,
        "evidence": list(found.evidence),
        "by_hand": list(found.by_hand),
        "facts": dict(found.facts),
    }


def _plain(findings: Sequence[Finding]) -> None:
    for one in findings:
        output.text("\t".join([one.name, str(one.status), printable(one.summary)]))
