"""The line to Vault: one HTTP session, the token that goes with each question, and asking again when it breaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from toolkit.errors import ToolkitError
from toolkit.systems.vault import token as vault_token
from toolkit.systems.vault.errors import Forbidden, Passing, asked
from toolkit.systems.vault.server import Server

if TYPE_CHECKING:
    import hvac
    import requests

T = TypeVar("T")

_TRIES = 3
_PAUSE = 0.2


class Session:
    """Questions to one server. Thread-safe; opened by the first question, and again after `close`."""

    def __init__(self, server: Server, timeout_seconds: float) -> None:
        self.server = server
        self._timeout = timeout_seconds
        self._lock = threading.RLock()
        self._http: requests.Session | None = None
        self._found: vault_token.Found | None = None

    def token(self) -> vault_token.Found:
        """The token in use; raises NotAllowed where there is none."""
        with self._lock:
            if self._found is None:
                self._found = vault_token.find(self.server)
            return self._found

    def use(self, found: vault_token.Found) -> None:
        """Ask with this token from now on."""
        with self._lock:
            self._found = found

    def read(self, doing: str, question: Callable[[hvac.Client], T]) -> T:
        """Ask with the token; once more with a newer one, if its source has one by now (a login elsewhere)."""
        found = self.token()
        try:
            return self._tried(doing, question, self._client(found))
        except Forbidden:
            newer = self._newer(found)
            if newer is None:
                raise
        return self._tried(doing, question, self._client(newer))

    def read_of_server(self, doing: str, question: Callable[[hvac.Client], T]) -> T:
        """Ask the server as a whole: with neither token nor namespace."""
        return self._tried(doing, question, self._client(None, namespace=""))

    def log_in(self, doing: str, question: Callable[[hvac.Client], T]) -> T:
        """Ask once, without a token, in the namespace: a login is not repeated by itself."""
        client = self._client(None)
        return asked(self.server, doing, lambda: question(client))

    def close(self) -> None:
        """End the session and forget the token."""
        with self._lock:
            if self._http is not None:
                self._http.close()
            self._http = self._found = None

    def _tried(self, doing: str, question: Callable[[hvac.Client], T], client: hvac.Client) -> T:
        """Ask again when the connection broke, as often and as long as the timeout allows."""
        until = time.monotonic() + self._timeout
        attempt = 0
        while True:
            attempt += 1
            try:
                return asked(self.server, doing, lambda: question(client))
            except Passing:
                pause = _PAUSE * 2 ** (attempt - 1)
                if attempt == _TRIES or time.monotonic() + pause > until:
                    raise
                time.sleep(pause)

    def _client(self, found: vault_token.Found | None, *, namespace: str | None = None) -> hvac.Client:
        """A client on the shared HTTP session that carries this token alone."""
        import hvac
        import requests

        with self._lock:
            if self._http is None:
                self._http = requests.Session()
                self._http.verify = self.server.ca_file or True
                # Neither a proxy nor .netrc has a say about what runs on this machine.
                self._http.trust_env = not self.server.on_loopback
            return hvac.Client(
                url=self.server.address,
                token=found.token.reveal() if found else "",
                namespace=(self.server.namespace if namespace is None else namespace) or None,
                verify=self._http.verify,
                timeout=self._timeout,
                session=self._http,
            )

    def _newer(self, used: vault_token.Found) -> vault_token.Found | None:
        """Another token than `used`, if the source holds one by now."""
        try:
            found = vault_token.find(self.server)
        except ToolkitError:
            return None
        if found.token == used.token:
            return None
        self.use(found)
        return found
