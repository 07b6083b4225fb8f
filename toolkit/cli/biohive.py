"""`toolkit biohive status | install | run | jupyter | get`: BioHive over the system's own ssh."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import __version__
from toolkit.cli import biohive_pages, diagnostics, options, output
from toolkit.cli.apps import command_group
from toolkit.cli.opening import SANDBOXES, opened
from toolkit.cli.output import Format
from toolkit.errors import ExitCode, Failed

if TYPE_CHECKING:
    from toolkit.progress import Progress
    from toolkit.systems.biohive import BioHive
    from toolkit.systems.biohive.running import Running
    from toolkit.systems.connections import Connections

app = command_group("BioHive, the supercomputer: status, install, run, jupyter, get.")


@app.command("status")
def status(
    measure: Annotated[bool, typer.Option(help="Measure its link to Google's storage: some seconds.")] = True,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Can I get in, what is there, and how fast is its link to Google's storage?

    Only reads. Exit code 0: in; 3: it cannot be reached; 4: it does not let me in, or its host key is not the
    known one.
    """
    from toolkit.checks import biohive as checks
    from toolkit.errors import ToolkitError
    from toolkit.systems import rates

    with opened(env) as connections:
        biohive = connections.biohive
        entry, problem = checks.attempt(connections, interactive=_interactive(biohive))
        page = biohive_pages.Status(connections.environment.name, entry)
        if problem is None:
            page.there = biohive.look()
            page.toolkit = checks.there_finding(connections, page.there)
            if measure:
                try:
                    page.link = link = biohive.measure()
                    rates.remember(rates.on_biohive(biohive.target.host), link.bytes, link.seconds)
                except ToolkitError as unmeasured:
                    page.unmeasured = unmeasured.message
    if form is Format.PLAIN:
        output.text(page.plain())
    else:
        output.document(page.document(), form, page.drawn)
    raise typer.Exit(ExitCode.OK if problem is None else problem.exit_code)


@app.command("install")
def install(
    anew: Annotated[bool, typer.Option("--anew", help="Also where this version is there already.")] = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    plan: options.PlanHash = None,
    read_only: options.ReadOnly = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Put this version of the toolkit on BioHive, in your own space, with uv."""
    from toolkit.actions.biohive import InstallToolkit
    from toolkit.cli.acting import act

    with opened(env) as connections:
        _connect(connections.biohive)
        action = InstallToolkit(connections, anew=anew)
        act(action, connections, form, dry_run=dry_run, yes=yes, plan_hash=plan, read_only=read_only)


@app.command("run", context_settings={"allow_interspersed_args": False})
def run(
    words: Annotated[list[str], typer.Argument(metavar="ARGS...", help="What is typed behind `toolkit` there.")],
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Where it has to be installed there first: do not ask.")
    ] = False,
    plan: Annotated[
        str | None, typer.Option("--plan", metavar="HASH", help="The plan of `biohive install --dry-run`.")
    ] = None,
    read_only: options.ReadOnly = False,
    env: options.Env = None,
) -> None:
    """Run a toolkit command on BioHive: `toolkit biohive run -- groups find BRCA1 --env rp006`.

    Its stdout, stderr and exit code are the command's there, and Ctrl-C is for it. It has its own configuration and
    logins there. Exit code 3 also where the connection is cut.
    """
    from toolkit.systems.biohive.running import Running

    named = _environment_in(words)
    with opened(env or (None if named in SANDBOXES else named)) as connections:
        biohive, environment = connections.biohive, connections.environment
        _connect(biohive)
        _see_to_the_toolkit(connections, yes=yes, plan_hash=plan, read_only=read_only)
        before: list[str] = []
        if env and not named:
            before += ["--env", env]
        if read_only or environment.read_only or connections.settings.read_only:
            before.append("--read-only")
        terminal = sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()
        running = Running(
            biohive,
            ["toolkit", *before, *words],
            terminal=terminal,
            # A terminal's answers cannot go there while the output goes elsewhere: nothing there could ask for them.
            stdin=subprocess.DEVNULL if sys.stdin.isatty() else None,
            doing=f"`toolkit {words[0]}` ran there",
        )
        try:
            with _signals_for(running, terminal=terminal):
                code = running.wait()
        finally:
            running.close()
    if running.signalled:
        raise typer.Exit(ExitCode.INTERRUPTED)
    raise typer.Exit(code)


@app.command("jupyter")
def jupyter(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of this machine; 0: the one there if free, else any.")
    ] = 0,
    reveal: Annotated[bool, typer.Option("--reveal", help="Print the link with its token also into a pipe.")] = False,
    env: options.Env = None,
) -> None:
    """Start Jupyter on BioHive and open a tunnel to it: prints the link. Ctrl-C ends both.

    The link holds Jupyter's token, which is a password: it is printed on a terminal, and nowhere else.
    """
    from toolkit.systems.biohive.notebook import Notebook

    with opened(env) as connections, diagnostics.watching() as progress, _ending(progress):
        _connect(connections.biohive)
        notebook = Notebook(connections.biohive, progress, port=port)
        try:
            if reveal or sys.stdout.isatty():
                output.secret(notebook.link)
            else:
                output.text(notebook.place)
                diagnostics.narrate("Its token is not printed into a pipe (--reveal does it).", "dim")
            host = connections.biohive.target.host
            diagnostics.narrate(f"Jupyter runs on {host} as long as this does. Ctrl-C ends it and the tunnel.")
            notebook.wait(progress)
        finally:
            diagnostics.narrate("Ending Jupyter and the tunnel …", "dim")
            notebook.close()
    raise typer.Exit(ExitCode.OK)


@app.command("get")
def get(
    paths: Annotated[list[str], typer.Argument(metavar="REMOTE...", help="Files or folders there; ~/ is home.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Where they go; made if it is not there.")] = Path(),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that differ.")] = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Fetch files from BioHive: resumed where an earlier try stopped, their SHA-256 compared, nothing overwritten.

    Exit code 1: some could not be had; they are listed, each with its reason.
    """
    from toolkit.systems.biohive.fetching import fetch

    with opened(env) as connections, diagnostics.watching() as progress, _ending(progress):
        _connect(connections.biohive)
        result = fetch(connections.biohive, paths, to, progress, overwrite=overwrite)
    if form is Format.PLAIN:
        output.rows(result.files, biohive_pages.FILE_COLUMNS, form)
    else:
        output.document(result, form, lambda: biohive_pages.fetched(result))
    raise typer.Exit(ExitCode.OK if result.well else ExitCode.FOUND_WRONG)


def _interactive(biohive: BioHive) -> bool:
    from toolkit.systems.biohive import at_terminal

    diagnostics.narrate(f"Connecting to {biohive.target.label} …", "dim")
    return at_terminal()


def _connect(biohive: BioHive) -> None:
    """Get in now, while ssh may still ask."""
    biohive.connect(interactive=_interactive(biohive))


def _see_to_the_toolkit(connections: Connections, *, yes: bool, plan_hash: str | None, read_only: bool) -> None:
    """The toolkit is there in this version, or is put there, through the gate. What is said of it is narration: stdout
    is the remote command's."""
    version = connections.biohive.toolkit_version()
    if version == __version__:
        return
    from toolkit.actions.biohive import InstallToolkit
    from toolkit.cli.acting import carry_out, finding_line

    host = connections.biohive.target.host
    is_there = f"has toolkit {version}" if version else "has no toolkit"
    diagnostics.warn(f"{host} {is_there}; here it is {__version__}. It is put there first.")
    with diagnostics.watching() as progress:
        action = InstallToolkit(connections)
        done = carry_out(action, connections, progress, yes=yes, plan_hash=plan_hash, read_only=read_only)
    diagnostics.narrate(f"{done.outcome.result}: {done.outcome.summary}", "green" if done.well else "red")
    if not done.well:
        raise Failed("\n".join(["The toolkit is not there.", *map(finding_line, done.findings)]))


def _environment_in(words: Sequence[str]) -> str | None:
    """The environment that the remote command is typed with: BioHive's part of the same one is meant."""
    for place, word in enumerate(words):
        if word in ("--env", "-e") and place + 1 < len(words):
            return words[place + 1]
        if word.startswith("--env="):
            return word.removeprefix("--env=")
    return None


@contextmanager
def _signals_for(running: Running, *, terminal: bool) -> Iterator[None]:
    """Ctrl-C is for the command there; a second one, or being told to end, ends it at once."""
    pressed = 0

    def interrupt(_signal: int, _frame: object) -> None:
        nonlocal pressed
        if terminal:
            return  # its own terminal has brought it there
        pressed += 1
        if pressed > 1:
            raise KeyboardInterrupt
        running.interrupt()

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    with diagnostics.handling({signal.SIGINT: interrupt, signal.SIGTERM: end, signal.SIGHUP: end}):
        yield


@contextmanager
def _ending(progress: Progress) -> Iterator[None]:
    """A closed terminal stops the work in an orderly way, as Ctrl-C does."""

    def stop(_signal: int, _frame: object) -> None:
        progress.stop.set()

    if os.name == "nt":
        yield
        return
    with diagnostics.handling({signal.SIGHUP: stop}):
        yield
