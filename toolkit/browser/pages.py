"""What the server shows: the page that holds the terminal, refusals with their next step, and the headers of all.

Nothing is loaded from anywhere else: script, style and font come with textual-serve and are served from here.
"""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import jinja2
from aiohttp import hdrs, web

if TYPE_CHECKING:
    from jinja2 import Template

ASK_FOR_LINK: Final = "Press Enter in the terminal where `toolkit serve` runs, and open the new link."
_SMALLEST, _USUAL, _BIGGEST = 8, 16, 40  # font sizes in px


def terminal(request: web.Request, *, inside: str, title: str) -> web.Response:
    """The page with the terminal in it. `?fontsize=20` is for those who see badly."""
    size = request.query.get("fontsize", "")
    nonce = secrets.token_urlsafe(16)
    text = _template("terminal.html").render(
        title=title,
        inside=inside,
        websocket=f"ws://{request.headers[hdrs.HOST]}{inside}/ws",
        font_size=min(max(int(size), _SMALLEST), _BIGGEST) if size.isdecimal() and len(size) < 4 else _USUAL,
        nonce=nonce,
    )
    response = web.Response(text=text, content_type="text/html")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
        f"img-src 'self' data:; connect-src 'self' ws://{request.headers[hdrs.HOST]}; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    return response


def refusal(what: str, next_step: str, *, status: int = 403) -> web.Response:
    """A page that says what is wrong, and the next step."""
    text = _template("refusal.html").render(what=what, next_step=next_step)
    return web.Response(text=text, content_type="text/html", status=status)


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """The headers of every answer."""
    headers = response.headers
    headers.setdefault(
        "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    )
    headers["Cache-Control"] = "no-store"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Referrer-Policy"] = "no-referrer"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Server"] = "toolkit"
    del request


@cache
def _template(name: str) -> Template:
    here = Path(__file__).parent
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(here), autoescape=True, undefined=jinja2.StrictUndefined
    ).get_template(name)
