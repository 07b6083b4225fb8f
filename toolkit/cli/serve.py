"""`toolkit serve`: the terminal app in a browser of this machine, read-only unless changes are asked for."""

from __future__ import annotations

import socket
import sys
from typing import Annotated

import typer

from toolkit.cli import diagnostics, options, output
from toolkit.cli.apps import single_command
from toolkit.errors import ConfigurationError, Refused

app = single_command("The terminal app in a browser of this machine.")

PORT = 8321


@app.command()
def serve(
    env: options.Env = None,
    port: Annotated[int, typer.Option("--port", "-p", metavar="N", help="On 127.0.0.1; 0 takes any free one.")] = PORT,
    allow_changes: Annotated[
        bool, typer.Option("--allow-changes", help="Without it, every change is refused in the browser.")
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the link in the browser of this desktop.")] = False,
    host: Annotated[str, typer.Option("--host", hidden=True)] = "127.0.0.1",
    read_only: options.ReadOnly = False,
) -> None:
    """Serve the terminal app to a browser, on 127.0.0.1 only, until Ctrl-C.

    Prints a link that lets in one browser, once, within 10 minutes; Enter prints a new one. Each tab is an app of its
    own. To use it from another machine, forward the port by ssh.
    """
    if host not in ("127.0.0.1", "localhost"):
        raise Refused(
            f"The app is served on 127.0.0.1 only, not on {host!r}: who reaches it acts as you.",
            hint=f"From another machine: `{_forward(port or PORT)}`, then open the link there.",
        )
    if allow_changes and read_only:
        raise Refused("--read-only (or TOOLKIT_READ_ONLY) and --allow-changes exclude each other.", hint="Drop one.")
    try:
        import textual_serve  # noqa: F401
    except ImportError as problem:
        raise ConfigurationError(
            "The package textual-serve is missing: the toolkit was not installed with all it needs.",
            hint="Install it anew, or by itself: `pip install textual-serve`.",
        ) from problem
    import asyncio

    from toolkit.browser import server

    if env:
        from toolkit.cli.opening import choose

        env = choose(env).environment.name
    listening = server.bind(port)
    served = server.Served(
        command=_command(env, read_only=not allow_changes),
        title=f"{env or 'MapApp'} · toolkit" + ("" if allow_changes else " · read-only"),
        changes=allow_changes,
    )

    async def run() -> None:
        await server.Server(served, listening, _Terminal(open_browser=open_, changes=allow_changes)).serve()

    asyncio.run(run())


class _Terminal:
    """Links on stdout, everything else on stderr."""

    def __init__(self, *, open_browser: bool, changes: bool) -> None:
        self._open = open_browser
        self._changes = changes
        self._first = True

    def tell(self, text: str) -> None:
        for line in text.splitlines():
            diagnostics.narrate(diagnostics.printable(line))

    def link(self, address: str) -> None:
        from toolkit.systems.desktop import open_browser, over_ssh

        if self._first:
            self._first = False
            kind = "changes are allowed" if self._changes else "read-only (--allow-changes lets you change things)"
            self.tell(f"The app in a browser, on this machine alone; {kind}.")
            if over_ssh():
                port = int(address.split(":")[2].split("/")[0])
                self.tell(f"You came by ssh. On your own machine: {_forward(port)}")
            self.tell("This link lets in one browser, once, within 10 minutes. Enter: a new link. Ctrl-C: the end.")
        output.text(address)
        if self._open and not open_browser(address):
            self.tell("There is no browser on this desktop; open the link yourself.")


def _forward(port: int) -> str:
    return f"ssh -N -L {port}:127.0.0.1:{port} {socket.gethostname()}"


def _command(env: str | None, *, read_only: bool) -> list[str]:
    """The command line behind a tab; it goes through no shell, and holds no secret."""
    command = [sys.executable, "-m", "toolkit"]
    if env:
        command.append(f"--env={env}")
    if read_only:
        command.append("--read-only")
    return command
