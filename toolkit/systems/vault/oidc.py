"""The login to Vault in the browser (OIDC), as `vault login -method=oidc` does it.

Vault names the identity provider's address; the browser goes there, and comes back to a small listener on this
machine with a one-time code, which Vault exchanges for a token. What comes back must carry the state of this login;
Vault checks the nonce, and a second nonce that only this process knows.
"""

from __future__ import annotations

import hmac
import html
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from toolkit.errors import ConfigurationError, NotAllowed, TimedOut, ToolkitError, UsageError
from toolkit.secret import Secret, scrub
from toolkit.systems.desktop import open_browser, over_ssh
from toolkit.systems.vault.errors import Forbidden, Rejected, asked, quoted

if TYPE_CHECKING:
    import hvac

    from toolkit.systems.vault.server import Server

PORT = 8250
_PATH = "/oidc/callback"


@dataclass(frozen=True)
class Visit:
    """The address that has to be visited. `opened`: a browser was started; `hint`: what to do over ssh."""

    url: str
    opened: bool
    hint: str


def _ignore(visit: Visit) -> None:
    del visit


@dataclass(frozen=True)
class Oidc:
    """By the identity provider, in the browser. `tell` hears the address to visit; `role` empty: the mount's default.

    Raises TimedOut when nobody finishes it within `timeout_seconds`.
    """

    role: str = ""
    mount: str = ""
    port: int = PORT
    timeout_seconds: float = 180.0
    open_browser: Callable[[str], bool] = open_browser
    tell: Callable[[Visit], None] = _ignore
    name: str = field(default="oidc", init=False)

    def obtain(self, client: hvac.Client, server: Server) -> Secret:
        at = f"/v1/auth/{self.mount.strip('/') or self.name}/oidc"
        client_nonce = secrets.token_hex(20)

        def exchange(code: str, state: str) -> Secret:
            answer = client.adapter.get(
                f"{at}/callback", params={"code": code, "state": state, "client_nonce": client_nonce}
            )
            return Secret(str(answer["auth"]["client_token"]))

        with _Listener(self.port) as listener:
            redirect = f"http://localhost:{listener.port}{_PATH}"
            asks = {"role": self.role, "redirect_uri": redirect, "client_nonce": client_nonce}
            url = str(client.adapter.post(f"{at}/auth_url", json=asks)["data"]["auth_url"])
            state = parse_qs(urlsplit(url).query).get("state", [""])[0]
            if not url or not state:
                raise ConfigurationError(
                    f"{server} gives no login address for the role {self.role or '(default)'}.",
                    hint=f"Its role must be of type oidc and list {redirect} in allowed_redirect_uris.",
                )
            listener.expect(state, lambda code: asked(server, "logging in by oidc", lambda: exchange(code, state)))
            self.tell(Visit(url, self.open_browser(url), _ssh_hint(listener.port)))
            return listener.wait(self.timeout_seconds)

    def refused(self, server: Server, *reasons: str) -> NotAllowed:
        mount = self.mount or self.name
        hint = (
            f"Is the method enabled at auth/{mount} there (`--mount`), and is the role {self.role!r} right (`--role`)?"
        )
        return NotAllowed(f"{server} refused the login by oidc{quoted(reasons)}", hint=hint)


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """A browser that goes away early is nobody's concern."""


class _Listener:
    """Waits on 127.0.0.1 for the browser to come back with this login's state; whatever else comes is sent away."""

    def __init__(self, port: int) -> None:
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._state = ""
        self._exchange: Callable[[str], Secret] | None = None
        self._token: Secret | None = None
        self._problem: ToolkitError | None = None
        self._over = False
        try:
            self._server = _Server(("127.0.0.1", port), self._handler())
        except (OSError, OverflowError):
            raise UsageError(
                f"Port {port} of this machine, to which the browser has to come back, is in use or not allowed.",
                hint="Is another login still open? End it, or choose another port with --port.",
            ) from None
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="vault-oidc", daemon=True)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 5  # browsers open connections ahead of need, and leave them silent

            def do_GET(self) -> None:
                status, title, text = listener._came_back(self.path)
                page = _PAGE.format(title=html.escape(title), text=html.escape(text)).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "text/html; charset=utf-8")
                    self.send_header("Content-Length", str(len(page)))
                    self.send_header("Cache-Control", "no-store")
                    self.end_headers()
                    self.wfile.write(page)
                finally:
                    self.close_connection = True
                    listener._answered()

            def log_message(self, *_: Any) -> None:
                """Nothing: the address holds the code."""

        return Handler

    def __enter__(self) -> _Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def expect(self, state: str, exchange: Callable[[str], Secret]) -> None:
        """From now on the browser may come; `exchange` turns its code into a token."""
        with self._lock:
            self._state, self._exchange = state, exchange

    def wait(self, seconds: float) -> Secret:
        if not self._done.wait(seconds):
            raise TimedOut(
                f"Nobody finished the login in the browser within {seconds:g} s.",
                hint=f"Start it again. {_ssh_hint(self.port)}".strip(),
            )
        if self._token is None:
            raise self._problem or NotAllowed("The login in the browser gave no token.")
        return self._token

    def _answered(self) -> None:
        """The page has been sent: now the waiting may end."""
        if self._over:
            self._done.set()

    def _came_back(self, path: str) -> tuple[int, str, str]:
        """What the browser brought: status, title and text of the page that it shows."""
        url = urlsplit(path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        with self._lock:
            if url.path != _PATH:
                return 404, "Nothing here", "This listener only waits for a login to Vault."
            if self._over:
                return 400, "Too late", "This login is over already."
            if self._exchange is None or not hmac.compare_digest(query.get("state", "").encode(), self._state.encode()):
                return (
                    400,
                    "Not this login",
                    "This is the answer to another login. The terminal still waits for its own.",
                )
            self._over = True
            if "code" not in query:
                self._problem = _from_provider(query)
                return 400, "Login failed", self._problem.message
            try:
                self._token = self._exchange(query["code"])
            except ToolkitError as error:
                self._problem = error
                said = quoted(error.reasons) if isinstance(error, Rejected) else "."
                reason = "Vault refused the login" if isinstance(error, (Rejected, Forbidden)) else "The login failed"
                return 400, "Login failed", scrub(f"{reason}{said} The terminal says more.")
        return 200, "Logged in", "You are logged in to Vault. You can close this page and go back to the terminal."


def _from_provider(query: dict[str, str]) -> NotAllowed:
    """The identity provider sent an error instead of a code."""
    said = query.get("error_description") or query.get("error") or "no code and no reason"
    words = "".join(letter for letter in said if letter.isprintable())[:200]
    return NotAllowed(
        f"The identity provider refused the login: {scrub(words).rstrip('.')}.",
        hint="Are you in the group that may use Vault? The security team manages the groups.",
    )


def _ssh_hint(port: int) -> str:
    """How a browser on one's own machine reaches the listener on this one."""
    if not over_ssh():
        return ""
    return (
        f"You are on {socket.gethostname()} over ssh: on your own machine run "
        f"`ssh -L {port}:localhost:{port} {socket.gethostname()}`, leave it open, then open the address there."
    )


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title} - MapApp toolkit</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; margin: 15vh auto; max-width: 32em; padding: 0 1em }}</style>
</head><body><h1>{title}</h1><p>{text}</p></body></html>
"""
