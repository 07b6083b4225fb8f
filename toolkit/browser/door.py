"""Who gets in: a link that is good once becomes a session cookie; every other request needs that cookie.

A server on loopback can be reached by every page that the browser shows, and by every account of this machine. So a
request must name this server as its host (DNS rebinding), must not come from another page (cross-site requests and
websockets), and must hold a cookie that only the link gives. The cookie's path cannot be guessed, because browsers
send cookies to all ports of a host.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web

from toolkit.browser import pages

LINK_SECONDS: Final = 600.0
_ENTRY: Final = "/enter/"
_COOKIE: Final = "toolkit-session"
_OURS: Final = ("same-origin", "none")  # Sec-Fetch-Site of our own pages, and of what a person typed

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class _Link:
    digest: bytes
    until: float


class Door:
    """The door of one server. At most one link is good at a time; a session lasts as long as the server."""

    def __init__(self, port: int, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self.hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self.inside = f"/{secrets.token_hex(8)}"
        self._tell = tell
        self._clock = clock
        self._link: _Link | None = None
        self._sessions: set[bytes] = set()

    def new_link(self) -> str:
        """The address that lets in the next browser, once, within `LINK_SECONDS`. The link before is dead."""
        token = secrets.token_urlsafe(32)
        self._link = _Link(_digest(token), self._clock() + LINK_SECONDS)
        return f"http://{self.hosts[0]}{_ENTRY}{token}"

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request through to `handler`, take it to its session, or say why not."""
        if request.headers.get(hdrs.HOST, "").lower() not in self.hosts:
            return pages.refusal(
                "This is not the address of this server.",
                f"Open http://{self.hosts[0]}; through ssh, forward the same port number.",
            )
        if request.method != hdrs.METH_GET:
            return pages.refusal("This server only answers GET.", pages.ASK_FOR_LINK, status=405)
        if self._foreign(request):
            return pages.refusal(
                "Another page asked for this.", "Copy the link from the terminal into the address bar of the browser."
            )
        if request.path.startswith(_ENTRY):
            return self._enter(request)
        if not self._known(request):
            return pages.refusal("You need a link to get in.", pages.ASK_FOR_LINK)
        return await handler(request)

    def _foreign(self, request: web.Request) -> bool:
        """Whether another page, or a browser that only looks ahead, is behind it."""
        origin = request.headers.get(hdrs.ORIGIN)
        websocket = request.headers.get(hdrs.UPGRADE) is not None
        if origin is None and websocket:
            return True
        if origin is not None and origin != f"http://{request.headers[hdrs.HOST].lower()}":
            return True
        return request.headers.get("Sec-Fetch-Site", "none") not in _OURS or "Sec-Purpose" in request.headers

    def _enter(self, request: web.Request) -> web.StreamResponse:
        token = request.path.removeprefix(_ENTRY)
        link = self._link
        good = link is not None and hmac.compare_digest(link.digest, _digest(token)) and self._clock() < link.until
        if not good:
            return pages.refusal("This link was used already, or is too old.", pages.ASK_FOR_LINK)
        self._link = None
        session = secrets.token_urlsafe(32)
        self._sessions.add(_digest(session))
        self._tell("The link was used: a browser is in. Was it not yours? Then stop the server.")
        response = web.Response(status=303, headers={hdrs.LOCATION: self.inside + "/"})
        response.set_cookie(_COOKIE, session, path=self.inside, httponly=True, samesite="Strict")
        return response

    def _known(self, request: web.Request) -> bool:
        session = request.cookies.get(_COOKIE)
        if session is None:
            return False
        held = _digest(session)
        return any(hmac.compare_digest(held, one) for one in self._sessions)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
