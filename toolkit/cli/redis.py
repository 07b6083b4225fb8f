"""`toolkit redis address | token | shell`: Redis through its proxy."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import redis_programs
from toolkit.cli import diagnostics, options, output, redis_prompt
from toolkit.cli.apps import command_group
from toolkit.cli.opening import opened
from toolkit.cli.output import Format
from toolkit.cli.redis_token import token
from toolkit.errors import ExitCode, Refused, ToolkitError
from toolkit.systems.redis_proxy.address import Address, cli_arguments, configured_address, probe
from toolkit.systems.redis_proxy.commands import only_reads

if TYPE_CHECKING:
    from toolkit.environments.model import Environment
    from toolkit.systems.connections import Connections

app = command_group("Redis through its proxy: address, token, shell.")
app.command("token")(token)


@dataclass(frozen=True)
class Place:
    """An address of the proxy and how it answered; or why there is none."""

    address: str
    source: str
    answers: bool
    words: str
    seconds: float | None = None


@app.command("address")
def address(env: options.Env = None, form: options.Output = Format.TABLE) -> None:
    """Where the proxy is: as configured and as its Service says now, which of them answers, and which is used."""
    with opened(env) as connections:
        configured = _configured(connections)
        looked_up = _looked_up(connections, alone=configured is None)
    used = next((place for place in (configured, looked_up) if place is not None and place.answers), None)
    document = {
        "environment": connections.environment.name,
        "address": used.address if used else None,
        "source": used.source if used else None,
        "configured": configured,
        "looked_up": looked_up,
    }
    lines = [
        ("configured", _line(configured) if configured else "not set: it is looked up"),
        ("its Service says", _line(looked_up)),
        ("used", used.address if used else "none: nothing answers"),
    ]
    if form is Format.PLAIN:
        output.text(used.address if used else "")
    else:
        output.document(document, form, lambda: output.pairs(lines))
    if configured and looked_up.address and configured.address != looked_up.address:
        instead = f"Write redis.address = {looked_up.address!r}, or leave it out."
        diagnostics.warn(f"The configured address is not the Service's. {instead}")
    raise typer.Exit(ExitCode.OK if used else ExitCode.UNREACHABLE)


@app.command("shell", context_settings={"allow_extra_args": True, "ignore_unknown_options": False})
def shell(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND...", help="One command, instead of a prompt.")
    ] = None,
    read_only: Annotated[
        bool,
        typer.Option("--read-only", envvar="TOOLKIT_READ_ONLY", show_envvar=False, help="A prompt that only reads."),
    ] = False,
    env: options.Env = None,
) -> None:
    """redis-cli on this environment's Redis, with the token from Vault in its environment (never on a command line)."""
    command = words or []
    with opened(env) as connections:
        environment = connections.environment
        cli = redis_programs.program("redis-cli")
        if read_only or environment.read_only or connections.settings.read_only or cli is None:
            if cli is None:
                diagnostics.narrate(
                    "redis-cli is not installed: this small prompt takes its place, and only reads.", "dim"
                )
            raise typer.Exit(_reading(connections, command))
        _guard(environment, command)
        where, secret = connections.redis_address(), connections.token()
        arguments = [str(cli), *cli_arguments(environment.redis, where), *command]
        if where.note:
            diagnostics.warn(where.note)
    variables = {**os.environ}
    if secret:
        variables["REDISCLI_AUTH"] = secret.reveal()
    raise typer.Exit(_hand_over(arguments, variables))


def _reading(connections: Connections, command: list[str]) -> ExitCode:
    if command:
        redis_prompt.ask(connections.redis, command)
        return ExitCode.OK
    connections.redis.ping()
    return redis_prompt.run(connections.redis, connections.environment.name)


def _guard(environment: Environment, command: list[str]) -> None:
    """In a protected environment a shell needs the environment's name typed, unless it only reads."""
    if command and only_reads(command):
        return
    plainly = "What is typed in redis-cli passes no gate: no plan, no journal, no undo."
    if not environment.protected:
        if not command:
            diagnostics.narrate(plainly, "dim")
        return
    reads = "`toolkit redis shell --read-only` opens a prompt that only reads."
    if not diagnostics.can_ask():
        raise Refused(f"{environment.name} is protected. {plainly}", hint=reads)
    diagnostics.warn(f"{environment.name} is protected. {plainly} {reads}")
    if diagnostics.ask(f"Type {environment.name!r} to open it all the same:") != environment.name:
        raise Refused("Not confirmed; redis-cli was not opened.", hint=reads)


def _hand_over(arguments: list[str], variables: dict[str, str]) -> int:
    """Run redis-cli in this terminal and give back its exit status. Ctrl-C is for it, not for us."""
    with diagnostics.handling({signal.SIGINT: lambda *_: None}):  # a handler, unlike SIG_IGN, is not inherited
        status = subprocess.run(arguments, env=variables, check=False).returncode
    return status if status >= 0 else 128 - status


def _configured(connections: Connections) -> Place | None:
    found = configured_address(connections.environment.redis)
    return None if found is None else _place(found, connections)


def _looked_up(connections: Connections, *, alone: bool) -> Place:
    """What the Service says. Where that is all there is (`alone`) and it cannot be asked, its error is raised."""
    try:
        return _place(connections.look_up_proxy(), connections)
    except ToolkitError as error:
        if alone:
            raise
        return Place("", "", False, error.message)


def _place(found: Address, connections: Connections) -> Place:
    answer = probe(found, connections.environment.redis)
    return Place(found.endpoint, found.source, answer.tcp, answer.words, answer.seconds)


def _line(place: Place) -> str:
    if not place.address:
        return f"could not be looked up: {place.words}"
    return f"{place.address}  {place.words} ({(place.seconds or 0) * 1000:.0f} ms); {place.source}"
