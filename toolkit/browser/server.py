"""The server: binds loopback, starts an app for each tab, hands out links, and ends with nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import textual_serve
from aiohttp import WSMsgType, web

from toolkit.browser import pages
from toolkit.browser.door import Door
from toolkit.browser.tab import Tab
from toolkit.errors import UsageError

HOST: Final = "127.0.0.1"
MOST_TABS: Final = 8
_ROOM_SECONDS: Final = 3.0  # a tab that is loaded anew waits for its app of before to end
_GRACE: Final = 5.0  # seconds for the apps to end by themselves
_HEARTBEAT: Final = 15.0


class Narrator(Protocol):
    """Where the server says what goes on: a line for people, and a link to open."""

    def tell(self, text: str) -> None: ...

    def link(self, address: str) -> None: ...


@dataclass(frozen=True)
class Served:
    """What a tab is: the command, never through a shell; variables for it; the page's title; may it change things?"""

    command: Sequence[str]
    title: str
    changes: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)


def bind(port: int) -> socket.socket:
    """A listening socket on loopback; port 0 is any free one. UsageError where the port is taken or not ours."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(64)
    except (OSError, OverflowError) as problem:
        listening.close()
        if isinstance(problem, OSError) and problem.errno == errno.EADDRINUSE:
            raise UsageError(
                f"Port {port} of {HOST} is taken, perhaps by another `toolkit serve`.",
                hint="`--port 0` takes any free port; `--port N` another.",
            ) from problem
        raise UsageError(
            f"Port {port} of {HOST} cannot be opened: {getattr(problem, 'strerror', None) or 'no such port'}.",
            hint="Take one from 1024 to 65535, or `--port 0` for any free one.",
        ) from problem
    return listening


class Server:
    """Serves `served` on a socket from `bind`, until it is told to stop."""

    def __init__(self, served: Served, listening: socket.socket, narrator: Narrator) -> None:
        self.served = served
        self.port: int = listening.getsockname()[1]
        self.door = Door(self.port, narrator.tell)
        self._listening = listening
        self._narrator = narrator
        self._tabs: set[Tab] = set()
        self._starting = 0
        self._typed: int | None = None  # the terminal's descriptor, while it is listened to
        self._stopping = asyncio.Event()
        self._at_once = asyncio.Event()

    async def serve(self) -> None:
        """Serve until `stop`, or Ctrl-C, SIGTERM or SIGHUP. Then no app is left."""
        _quiet(self._narrator.tell)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(NotImplementedError, ValueError):  # not in the main thread: a test
                loop.add_signal_handler(name, self.stop)
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.SockSite(runner, self._listening).start()
            self.link()
            self._read_enter(loop)
            await self._stopping.wait()
        finally:
            if self._typed is not None:
                loop.remove_reader(self._typed)
            await self._end_tabs()
            await runner.cleanup()

    def stop(self) -> None:
        """End in good order; a second time: at once."""
        (self._at_once if self._stopping.is_set() else self._stopping).set()

    def link(self) -> None:
        """Hand out a new link; the one before is dead."""
        self._narrator.link(self.door.new_link())

    def _read_enter(self, loop: asyncio.AbstractEventLoop) -> None:
        """Enter in the terminal asks for a new link; not where this runs in the background."""
        stdin = sys.__stdin__
        if stdin is None or not stdin.isatty() or os.tcgetpgrp(stdin.fileno()) != os.getpgrp():
            return
        number = stdin.fileno()

        def read() -> None:
            if os.read(number, 1024):
                self.link()
            else:  # Ctrl-D
                loop.remove_reader(number)

        loop.add_reader(number, read)
        self._typed = number

    # Requests

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[self.door.guard])
        application.on_response_prepare.append(pages.harden)
        static = Path(textual_serve.__file__).parent / "static"
        application.add_routes(
            [
                web.get(self.door.inside + "/", self._page),
                web.get(self.door.inside + "/ws", self._connect),
                web.static(self.door.inside + "/static", static),
            ]
        )
        return application

    async def _page(self, request: web.Request) -> web.Response:
        if not await self._room():
            return pages.refusal(
                f"{MOST_TABS} tabs are open already; each has an app of its own.",
                "Close one, then load this page anew.",
                status=503,
            )
        return pages.terminal(request, inside=self.door.inside, title=self.served.title)

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        if self._stopping.is_set() or not await self._room():
            return web.Response(status=503)
        self._starting += 1
        try:
            websocket = web.WebSocketResponse(heartbeat=_HEARTBEAT)
            await websocket.prepare(request)
            tab = Tab(self.served.command, self.served.variables, websocket, self._narrator.tell)
            await tab.start(_cells(request, "width", 80), _cells(request, "height", 24))
            self._tabs.add(tab)
        finally:
            self._starting -= 1
        try:
            await _pass_on(websocket, tab)
        finally:
            await asyncio.shield(asyncio.create_task(self._let_go(tab)))
        return websocket

    async def _let_go(self, tab: Tab) -> None:
        await tab.stop()
        self._tabs.discard(tab)

    async def _room(self) -> bool:
        """Whether one more app may be started; waits a little for one that is ending."""
        until = asyncio.get_running_loop().time() + _ROOM_SECONDS
        while len(self._tabs) + self._starting >= MOST_TABS:
            if asyncio.get_running_loop().time() > until:
                return False
            await asyncio.sleep(0.05)
        return True

    # The end

    async def _end_tabs(self) -> None:
        ending = [asyncio.create_task(tab.stop()) for tab in self._tabs]
        if not ending:
            return
        _, waiting = await asyncio.wait(ending, timeout=_GRACE)
        if waiting and self.served.changes:
            self._narrator.tell(
                "A tab does not end: it may be carrying out a change, which comes to its end first. "
                "Ctrl-C again ends it at once; the journal keeps it as cut off."
            )
            now = asyncio.create_task(self._wait_until_at_once())
            while waiting and not now.done():
                _, waiting = await asyncio.wait({*waiting, now}, return_when=asyncio.FIRST_COMPLETED)
                waiting.discard(now)
            now.cancel()
        for tab in self._tabs:
            tab.kill()
        await asyncio.gather(*ending)

    async def _wait_until_at_once(self) -> None:
        await self._at_once.wait()


async def _pass_on(websocket: web.WebSocketResponse, tab: Tab) -> None:
    """Keys, sizes and focus from the browser to the app. What is not of the protocol ends the connection."""
    async for message in websocket:
        if message.type is not WSMsgType.TEXT:
            continue
        try:
            match json.loads(message.data):
                case ["stdin", str(keys)]:
                    await tab.send_bytes(keys.encode("utf-8", "replace"))
                case ["resize", {"width": int(width), "height": int(height)}]:
                    await tab.set_terminal_size(width, height)
                case ["ping", str(stamp)]:
                    await websocket.send_json(["pong", stamp])
                case ["blur", *_]:
                    await tab.blur()
                case ["focus", *_]:
                    await tab.focus()
        except (ValueError, ConnectionError):
            break


def _cells(request: web.Request, name: str, usual: int) -> int:
    typed = request.query.get(name, "")
    return int(typed) if typed.isdecimal() and len(typed) < 5 else usual


def _quiet(tell: Callable[[str], None]) -> None:
    """What the libraries log goes to the narrator, without a traceback on the screen."""

    class Told(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            reason = f": {record.exc_info[1]}" if record.exc_info and record.exc_info[1] else ""
            tell(f"{record.getMessage()}{reason}")

    for name in ("aiohttp", "textual-serve"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [Told(logging.WARNING)]
        logger.propagate = False
