"""The root of the command line: what commands there are, each loaded only when it is called for.

`toolkit --help` must not cost more than importing typer, so the table below says what the help says, and a command's
module is imported when the command runs, or when its own help is asked for.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from toolkit import __version__
from toolkit.cli import typed

EPILOG = "Exit codes: 0 well; 1 something is wrong; 2 usage or configuration; 3 unreachable; 4 not allowed; 5 refused."


@dataclass(frozen=True, slots=True)
class Entry:
    """A command of the root: its help's line, and `module` in toolkit.cli that holds its Typer app as `app`."""

    help: str
    module: str
    hidden: bool = False


COMMANDS: dict[str, Entry] = {
    "doctor": Entry("Is every system of this environment reachable, and am I allowed?", "doctor"),
    "why": Entry("Why is a pert or a group missing, the map odd, or somebody kept out?", "why"),
    "groups": Entry(
        "The groups in the cache: list, find, show, inspect, diff, download, delete, flush, restore.", "groups"
    ),
    "map": Entry("What the map should show, from the cached vectors: heatmap, projection, consistency.", "map"),
    "cache": Entry("The cache manager: status, history, schedule, rebuild.", "cache"),
    "image": Entry("Which image of the cache manager is asked for, deployed, and has really run: check.", "image"),
    "app": Entry("MapApp's own pods, which hold L1: status, restart.", "app"),
    "bucket": Entry("The L3 bucket: ls, du, get, rm, restore.", "bucket"),
    "biohive": Entry("BioHive, the supercomputer, over ssh: status, install, run, jupyter, get.", "biohive"),
    "logs": Entry("Logs of every source in one timeline: pods, Loki, Cloud Logging, files.", "logs"),
    "events": Entry("Events of new groups (Kafka), and how far their consumers are: tail, find, lag.", "events"),
    "side-panel": Entry("How old is what the side panel shows: GO terms, benchmark database: check.", "side_panel"),
    "loader": Entry("The group auto-loader: its settings beside production's, its groups, a safe dry run.", "loader"),
    "access": Entry("Who gets in: why somebody does not, and whom to ask.", "access"),
    "redis": Entry("Redis through its proxy: address, token, shell.", "redis"),
    "vault": Entry("Vault: login, status.", "vault"),
    "env": Entry("The environments: list, show.", "environments"),
    "config": Entry("The configuration: init, check, path.", "configuration"),
    "runbook": Entry("Guided walkthroughs that check and act: list, show, run, resume, report, lint.", "runbook"),
    "journal": Entry("What was changed, by whom and with what outcome: list, show, verify.", "journal"),
    "serve": Entry("The terminal app in a browser of this machine.", "serve"),
    "sandbox": Entry("A world in small to try things on: start, stop, status, scenario.", "sandbox"),
    "drill": Entry("A case in the sandbox to find out for training: begin, status, hint, answer, give-up.", "drill"),
    "demo": Entry("The terminal app on the sandbox, with a case to solve.", "demo"),
}


class LazyGroup(TyperGroup):
    """Loads a command's module when that command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return [name for name, entry in COMMANDS.items() if not entry.hidden]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = get_command(importlib.import_module(f"toolkit.cli.{entry.module}").app)
        command.name = cmd_name
        return command

    def invoke(self, ctx: Any) -> Any:
        with typed.noted(ctx):
            return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        typed.word(ctx, args)
        self.commands: Any = dict.fromkeys(COMMANDS)  # the names alone, for "did you mean"
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items() if not entry.hidden])


def build(launch: Callable[[str | None], None]) -> Any:
    """The root command. `launch` opens the terminal app, on an environment if it is given one."""
    app = typer.Typer(
        name="toolkit",
        cls=LazyGroup,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=False,
        epilog=EPILOG,
        context_settings={"help_option_names": ["--help", "-h"]},
    )

    @app.callback(invoke_without_command=True)
    def root(
        ctx: typer.Context,
        env: Annotated[str | None, typer.Option("--env", "-e", metavar="NAME", help="Which environment.")] = None,
        output: Annotated[
            str | None, typer.Option("--output", "-o", metavar="FORMAT", help="table, json, jsonl or plain.")
        ] = None,
        read_only: Annotated[bool, typer.Option("--read-only", help="Refuse every change.")] = False,
        version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
    ) -> None:
        """The tool that MapApp's on-call engineers open first when something is wrong.

        Without a command it opens the terminal app. --env, --output and --read-only may stand before or after a
        command.
        """
        if version:
            typer.echo(f"toolkit {__version__}")
            raise typer.Exit
        # Typed here counts as if it were in the environment: the commands' own options read these variables.
        if env is not None:
            os.environ["TOOLKIT_ENV"] = env
        if output is not None:
            os.environ["TOOLKIT_OUTPUT"] = output
        if read_only:
            os.environ["TOOLKIT_READ_ONLY"] = "1"
        ctx.obj = launch  # for `demo`, which opens the app too
        if ctx.invoked_subcommand is None:
            launch(None)

    return get_command(app)
