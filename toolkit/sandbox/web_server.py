"""What the sandbox's web servers have in common: a door on loopback, and the faults that any server can have."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web


def serving_with(certificate: Path) -> ssl.SSLContext:
    """For a server that shows `certificate`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class Door:
    """Where one server listens: on 127.0.0.1, over TLS where there is a certificate (with its key, as PEM)."""

    def __init__(self) -> None:
        self.closing = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def open(self, app: web.Application, certificate: Path | ssl.SSLContext | None = None, port: int = 0) -> str:
        """Serve `app`; gives the URL. Port 0 is a free one."""
        context = serving_with(certificate) if isinstance(certificate, Path) else certificate
        self.closing.clear()
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=context).start()
        return f"{'https' if context else 'http'}://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        """Let go of whoever hangs, and stop listening."""
        self.closing.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


@dataclass
class WebFaults:
    """What can be wrong with any of them at the moment; set these freely while it runs.

    refuse: connections are dropped. hang: nothing is answered. status: every request gets this HTTP code; html: with
    a web page, as from a gateway. nonsense: the answers are no JSON.
    """

    refuse: bool = False
    hang: bool = False
    status: int = 0
    html: bool = False
    nonsense: bool = False

    async def instead(self, request: web.Request, door: Door, broken: str) -> web.Response | None:
        """What is answered in the server's stead; `broken` is the beginning of one of its answers.

        None: nothing of the kind is wrong. A bare `status` is left to the server, which has its own way to say it.
        """
        while self.hang and not door.closing.is_set():
            await asyncio.sleep(0.02)
        if self.refuse and request.transport is not None:
            request.transport.abort()
            return web.Response(status=503)
        if self.html:
            page = "<!doctype html><title>Sign in</title>"
            return web.Response(status=self.status or 200, text=page, content_type="text/html")
        if self.nonsense:
            return web.Response(text=broken, content_type="application/json")
        return None
