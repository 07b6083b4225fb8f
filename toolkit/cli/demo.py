"""`toolkit demo`: a case to solve in the sandbox, in the terminal app; without a terminal, a tour that solves it.

The tour types the commands that an engineer would type, shows each before it runs, and fails where one of them fails.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from toolkit.cli import diagnostics, output
from toolkit.cli.apps import single_command
from toolkit.errors import ExitCode, Failed, ToolkitError
from toolkit.sandbox import client

app = single_command("The terminal app on the sandbox, with a case to solve.")

ENVIRONMENT = "sandbox"
CASE = "redis-flushed"


@app.command()
def demo(
    ctx: typer.Context,
    tour_: Annotated[bool, typer.Option("--tour", help="The tour, although there is a terminal.")] = False,
    scenario: Annotated[
        str, typer.Option("--scenario", metavar="NAME", help="Another case (toolkit sandbox scenario lists them).")
    ] = CASE,
) -> None:
    """Open the terminal app on the sandbox, with a case to solve. Nothing that is done there touches a real system.

    Where there is no terminal (a pipe, CI), a tour reloads the groups of the sandbox's RP006 by commands.
    """
    from toolkit.drills import store

    store.refuse_beside("the demo has one of its own")
    if tour_ or not (sys.stdin.isatty() and sys.stdout.isatty()):
        tour()
        return
    if client.start().started_now:
        diagnostics.narrate("Started the sandbox; it stops by itself after half an hour of quiet.", "dim")
    status = client.apply_scenario([scenario])
    for symptom in status["symptoms"]:
        diagnostics.narrate(_case(symptom))
    diagnostics.ask("Find out what is wrong, and mend it. Enter opens the terminal app:")
    ctx.obj(ENVIRONMENT)


@dataclass(frozen=True)
class Stop:
    """A stop of the tour: why one looks there, and the command. `may_find`: exit code 1 does not end the tour."""

    why: str
    command: tuple[str, ...]
    may_find: bool = False


BEFORE = (
    Stop("Is the group in the cache at all? L2 is Redis, L3 the bucket.", ("groups", "list")),
    Stop("Redis holds nothing. Is anything else broken on the way to it?", ("doctor",), may_find=True),
    Stop(
        "The way is clear: somebody emptied Redis, and no rebuild came after it. What would a rebuild do, and where?",
        ("cache", "rebuild", "--dry-run"),
    ),
)
AFTER = (
    Stop("Are the groups there again?", ("groups", "list")),
    Stop("And what was done is written down.", ("journal", "list", "--limit", "3")),
)


def tour() -> None:
    """Reload the groups of the sandbox's RP006, narrated. Raises Failed where a command does not do what it should."""
    output.text("A tour of the toolkit on its sandbox: a world in small, on this machine. No real system is touched.")
    running = client.start()
    try:
        symptom = client.apply_scenario([CASE], ENVIRONMENT)["symptom"]
        output.text(f"\n{_case(symptom)}")
        for stop in BEFORE:
            _go(stop)
        _go(Stop("That is the right cluster. Exactly this plan, then:", ("cache", "rebuild", "--plan", _last_plan())))
        for stop in AFTER:
            _go(stop)
    finally:
        if running.started_now:
            client.stop()
    output.text(
        "\nThe case is solved. In a terminal, `toolkit demo` opens the terminal app with it; "
        "`toolkit sandbox scenario` lists more."
    )


def _case(symptom: dict[str, Any]) -> str:
    return f"{symptom['who'].capitalize()} reports: “{symptom['words']}”"


def _go(stop: Stop) -> None:
    command = [*stop.command] if stop.command[0] == "journal" else [*stop.command, "--env", ENVIRONMENT]
    output.text(f"\n{stop.why}\n\n$ toolkit {' '.join(command)}")
    code = _type(command)
    if code != ExitCode.OK and not (stop.may_find and code == ExitCode.FOUND_WRONG):
        raise Failed(f"`toolkit {' '.join(command)}` ended with exit code {code}; the tour ends here.")


def _type(command: Sequence[str]) -> int:
    """Carry out a command line as if it had been typed; its exit code."""
    from toolkit.cli import root

    before = {name: os.environ.pop(name) for name in ("TOOLKIT_OUTPUT", "TOOLKIT_READ_ONLY") if name in os.environ}
    try:
        status = root.build(_no_app).main(args=list(command), prog_name="toolkit", standalone_mode=False)
        return status if isinstance(status, int) else ExitCode.OK
    except ToolkitError as problem:
        diagnostics.error(problem)
        return problem.exit_code
    finally:
        os.environ.update(before)


def _no_app(environment: str | None) -> None:
    del environment


def _last_plan() -> str:
    """The hash of the plan that the dry run has just shown."""
    from toolkit.actions import gate
    from toolkit.actions.rebuild import RebuildCache
    from toolkit.cli.opening import opened

    with opened(ENVIRONMENT) as connections:
        return gate.prepare(RebuildCache(connections)).hash
