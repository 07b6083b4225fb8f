"""The app behind one tab: a process of its own, started without a shell, that ends when its tab does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from aiohttp import WSCloseCode, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

_KEPT: Final = 4096  # bytes of what an app said last on stderr
_SMALLEST, _BIGGEST = 1, 1000  # cells


class Tab(AppService):
    """The app that `command` starts, on `websocket`. `over` is set when its process is gone.

    `variables` are added to this process's environment. `tell` hears about an app that ended badly.
    """

    def __init__(
        self,
        command: Sequence[str],
        variables: Mapping[str, str],
        websocket: web.WebSocketResponse,
        tell: Callable[[str], None],
    ) -> None:
        super().__init__(
            command[0],
            write_bytes=self._write_bytes,
            write_str=self._write_text,
            close=self._close,
            download_manager=DownloadManager(),
        )
        self.over = asyncio.Event()
        self._arguments = tuple(command)
        self._variables = dict(variables)
        self._websocket = websocket
        self._tell = tell
        self._said = b""

    async def start(self, width: int, height: int) -> None:
        await super().start(*(min(max(cells, _SMALLEST), _BIGGEST) for cells in (width, height)))

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        process = await asyncio.create_subprocess_exec(
            *self._arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={**self._build_environment(width, height), **self._variables},
            start_new_session=True,  # a Ctrl-C at the server is the server's to answer
        )
        self._process, self._stdin = process, process.stdin
        self._listening = asyncio.create_task(self._listen(process.stderr))
        process.stderr = asyncio.StreamReader()  # textual-serve would print to stdout what it reads there
        process.stderr.feed_eof()
        return process

    async def run(self) -> None:
        """Pass on what the app draws until it ends, then close the tab's connection."""
        process = self._process
        if process is None:
            raise RuntimeError("it was not started")
        try:
            await super().run()
            await self._close()
            await process.wait()
        finally:
            self.kill()  # nothing that it started outlives it
            await self._listening
            self.over.set()
        if process.returncode not in (0, -signal.SIGKILL):
            last = self._said.decode(errors="replace").strip().splitlines()[-3:]
            self._tell("\n".join([f"The app of a tab ended with exit code {process.returncode}.", *last]))

    async def stop(self) -> None:
        """Ask the app to end, and wait until it has: a change that is being carried out comes to its end first."""
        if not self.over.is_set():
            await self.send_meta({"type": "quit"})
        await self.over.wait()

    def kill(self) -> None:
        """End the app and what it started, at once."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _listen(self, stderr: asyncio.StreamReader | None) -> None:
        while stderr is not None and (data := await stderr.read(_KEPT)):
            self._said = (self._said + data)[-_KEPT:]

    # What the app draws goes on being read when the tab is gone: an app whose pipe is full could not end.

    async def _write_bytes(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            await self._websocket.send_bytes(data)

    async def _write_text(self, data: str) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            await self._websocket.send_str(data)

    async def _close(self) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            await self._websocket.close(code=WSCloseCode.GOING_AWAY)
